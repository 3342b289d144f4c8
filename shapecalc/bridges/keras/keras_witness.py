"""The calls of a Keras model, traced once more at other sizes before its import answers for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shapecalc.bridges.keras.keras_model import Shapes
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.requirement import Shape
from shapecalc.model import Model
from shapecalc.spec.tree import Spec

_STEPS = (1, 2, 8, 16, 32, 64)


class CallWitness:
    """Confirms that the steps of an import do not depend on the sizes that it was traced at.

    Of a class of the user's own one run of Python code is seen, which may decide by sizes or compute with
    them. Traced again at other sizes and another batch, it must be the same steps.
    """

    lifetimes: Lifetimes | None = None
    """Not known: no module of torch runs."""
    in_training: Spec | None = None

    def __init__(self, model: Model, shapes: Shapes, traced_at: Callable[[Shapes, int], Model]) -> None:
        self.steps, self.input = model.layers, model.input
        self.values = {name: model.parameters[name] for name in model.free_names()}
        self.shapes, self.traced_at = shapes, traced_at
        self.unconfirmed: str | None = None
        self.refutation = ""

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Let a model be stored without its network."""
        return type(None), ()

    def confirm(self, spec: Spec, inputs: Mapping[str, Shape]) -> str:
        """Return why inputs of these sizes are not confirmed, if so; raise `Undecided` where refuted."""
        if all(shape[spec.front :] == self.shapes.get(name) for name, shape in inputs.items()):
            return ""
        if self.unconfirmed is None:
            self.unconfirmed = self._compared()
        if self.refutation:
            message = f"{self.refutation}: the import holds for the traced sizes only"
            raise Undecided(message, hint="import the model at the sizes that you need")
        return self.unconfirmed

    def recorded_at(self, inputs: Mapping[str, Shape]) -> None:
        """Return nothing: the calls are the same at every size, or all other sizes are refused."""

    def _compared(self) -> str:
        """Trace at a larger and at a smaller size; return why neither was possible, if so."""
        runs = 0
        for sign, batch in ((1, 41), (-1, 43)):
            for values in self._moved(sign):
                shapes = {
                    name: tuple([int(values.get(str(size), size)) for size in shape])
                    for name, shape in self.input.items()
                }
                try:
                    other = self.traced_at(shapes, batch)
                except ShapecalcError:
                    continue
                if other.layers != self.steps:
                    sizes = ", ".join(f"{name} = {size}" for name, size in values.items())
                    self.refutation = f"the calls of the model are others for {sizes}"
                    return ""
                runs += 1
                break
        return "" if runs else "no other size is known that its calls take"

    def _moved(self, sign: int) -> Iterator[dict[str, int]]:
        """Yield other values of the free sizes."""
        far = {name: 2 * size + 1 if sign > 0 else size // 2 for name, size in self.values.items()}
        near = [{name: size + sign * step for name, size in self.values.items()} for step in _STEPS]
        yield from (values for values in (far, *near) if values and min(values.values()) > 0)
