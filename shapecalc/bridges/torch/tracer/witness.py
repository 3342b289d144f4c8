"""The module of an import, run once more at other sizes before the import answers for any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from threading import RLock
from typing import TypeAlias

from shapecalc.algebra.relation import Relation, combined
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.bridges.torch.tracer.rerun import NotRun, Rerun
from shapecalc.engine.graph import Inference
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Spec

Record: TypeAlias = Callable[[Mapping[str, Shape]], tuple[Inference, Rerun]]
"""Records a module at inputs of some sizes, and infers the shapes of the recording."""
Point: TypeAlias = dict[str, int]
"""The named sizes of the inputs."""

_STEPS = (1, 3, 2, 8, 16, 32, 64)
"""How far from the traced sizes others are tried, after twice and half: odd, then as halvings need."""
_BATCHES = {1: 3, -1: 1}
"""The batches at larger and at smaller sizes than the traced ones."""


class ModuleWitness:
    """Confirms an import by two runs of its module at other sizes, without memory and only when needed.

    `record` records the module at other sizes, for which the import fails: another branch runs at them.
    """

    def __init__(
        self,
        rerun: Rerun,
        record: Record,
        in_training: Callable[[], InferredSpec] | None = None,
        *,
        at_traced: bool = True,
    ) -> None:
        self.rerun = rerun
        self.record = record
        self._import_in_training = in_training
        """Imports the module in training mode; None where it is in it."""
        self.at_traced = at_traced
        """Whether the traced sizes need no further run at a batch of 1, which is not that of the trace."""
        self._lock = RLock()
        self._is_running = False
        self._unconfirmed: str | None = None
        self._refutation = ""
        self._last: tuple[object, Inference | None] = (None, None)
        """The sizes that the module was last recorded at, and what was inferred."""

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Let a model be stored without its module."""
        return type(None), ()

    @cached_property
    def lifetimes(self) -> Lifetimes | None:
        """When the tensors of the forward die; None where the module does not run so again."""
        return self.rerun.lifetimes()

    @cached_property
    def in_training(self) -> InferredSpec | None:
        """The import of the module in training mode; None where this is it."""
        return None if self._import_in_training is None else self._import_in_training()

    def confirm(self, spec: Spec, inputs: Mapping[str, Shape]) -> str:
        """Return why inputs of these sizes are not confirmed, if so; raise `Undecided` where refuted."""
        is_in_training = self._import_in_training is None  # what it is to the import in evaluation mode, is
        if is_in_training or self._is_traced(inputs) or not isinstance(spec, InferredSpec):
            return ""
        with self._lock:
            if self._is_running:
                return ""
            if self._unconfirmed is None:
                self._is_running = True
                try:
                    self._unconfirmed = self._compared(spec)
                finally:
                    self._is_running = False
        if self._refutation:
            message = f"{self._refutation}: the import holds for the traced sizes only"
            raise Undecided(message, hint="import the module at the sizes that you need")
        return self._unconfirmed

    def recorded_at(self, inputs: Mapping[str, Shape]) -> Inference | None:
        """Return the inference over the module as it runs at these sizes, for which the import fails.

        None where it does not run, or where another run differs from what was recorded.
        """
        is_numbers = all(type(size) is int for shape in inputs.values() for size in shape)
        with self._lock:
            if self._is_running or self._refutation or not is_numbers or self._is_traced(inputs):
                return None
            key = tuple(inputs.items())
            if key != self._last[0]:
                recorded = outcome(lambda: self._recorded_at(inputs))
                self._last = key, None if isinstance(recorded, Exception) else recorded
            return self._last[1]

    def _recorded_at(self, inputs: Mapping[str, Shape]) -> Inference | None:
        inference, rerun = self.record(inputs)
        is_true = not inference.failures and not rerun.difference(inference, [*inputs.values()])
        return inference if is_true else None

    def _is_traced(self, inputs: Mapping[str, Shape]) -> bool:
        sizes = self.rerun.run.arguments.shapes
        return self.at_traced and all(
            shape in (tuple(sizes[name]), (1, *sizes[name])) for name, shape in inputs.items()
        )

    def _compared(self, spec: InferredSpec) -> str:
        """Compare at other sizes; return why that was not possible, and keep how the module differs there."""
        names = spec.free_names()
        relations = conditions(spec)
        try:
            for moved, difference in differences(spec, self.rerun, relations):
                if difference:
                    self._refutation = difference
                    return ""
                names = [name for name in names if name not in moved]
        except NotRun as reason:
            return str(reason)
        solved = combined(relations or ())[0]
        held = [name for name in names if name not in solved or not solved[name].is_finite]
        return f"no other size is known that it accepts for {', '.join(held)}" if held else ""


def differences(
    spec: InferredSpec, rerun: Rerun, relations: list[Relation] | None, most: int = 1
) -> Iterator[tuple[frozenset[str], str]]:
    """Run the module of an import at so many larger and smaller sizes, and compare it with the import.

    Yields the names of the sizes that were not the traced ones, and how the two differ. Raises `NotRun`.
    """
    traced = {name: size for name in spec.free_names() if isinstance(size := spec.parameters[name], int)}
    for sign, batch in _BATCHES.items():
        for point in islice(_other_sizes(spec, traced, relations, sign), most):
            inference, inputs = spec.infer_at(
                None, batch if spec.batched else 1, symbolic=False, values=point
            )
            if not inference.failures:
                moved = frozenset(name for name in traced if point[name] != traced[name])
                yield moved, rerun.difference(inference, [*inputs.values()])


def conditions(spec: InferredSpec) -> list[Relation] | None:
    """Return the conditions on the named sizes of the inputs, or None where there is no closed form."""
    try:
        inference = spec.infer_at(None, 1, symbolic=True, values={})[0]
    except ShapecalcError:
        return None
    if inference.failures:
        return None
    effects = [effect for effect in inference.effects if effect is not None]
    requirements = [each for effect in effects for each in effect.conditions]
    return [each.relation for each in (*requirements, *(each for _, each in inference.graph.conditions))]


def _other_sizes(
    spec: InferredSpec, traced: Point, relations: list[Relation] | None, sign: int
) -> Iterator[Point]:
    """Yield larger or smaller sizes that a model accepts, none as traced that can be spared."""

    def is_legal(point: Point) -> bool:
        if any(size < 1 for size in point.values()):
            return False
        if relations is not None:
            return all(relation.holds_at(point) for relation in relations)
        try:
            return not spec.infer_at(None, 1, symbolic=False, values=point)[0].failures
        except ShapecalcError:
            return False

    moved = {name: [_far(n, sign), *(n + sign * step for step in _STEPS)] for name, n in traced.items()}
    yield from filter(is_legal, _moved_together(moved, sign))
    yield _moved_alone(moved, traced, is_legal)


def _far(size: int, sign: int) -> int:
    """Return a size that limits within a module forbid more likely, of the other parity where larger."""
    return 2 * size + 1 if sign > 0 else size // 2


def _moved_together(moved: Mapping[str, Sequence[int]], sign: int) -> Iterator[Point]:
    """Yield sizes all of which are moved: each to another size, or all by one distance."""
    steps = (1, *_STEPS)
    for spread in (sign, 0):
        for number, step in enumerate(steps):
            yield {
                name: sizes[number] + spread * step * place
                for place, (name, sizes) in enumerate(moved.items())
            }


def _moved_alone(
    moved: Mapping[str, Sequence[int]], traced: Point, is_legal: Callable[[Point], bool]
) -> Point:
    """Return sizes of which each is moved that can be moved alone."""
    point = traced
    for name, sizes in moved.items():
        point = next(filter(is_legal, ({**point, name: size} for size in sizes)), point)
    return point
