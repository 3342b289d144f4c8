"""A spec over which shapes are inferred: the base of `Model`, with its graph cache and its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.rational import LARGEST
from shapecalc.engine.graph import Inference
from shapecalc.engine.graph_cache import GraphCache
from shapecalc.engine.parameters import BATCH, Parameters, input_shapes
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.layers.requirement import Shape
from shapecalc.spec.find import read_file, short
from shapecalc.spec.tree import Spec


class InferredSpec(Spec):
    """A spec that remembers the graphs that were expanded from it, and the text that it was read from."""

    _graphs: GraphCache = PrivateAttr(default_factory=GraphCache)
    _text: str | None = PrivateAttr(default=None)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a model from a file of YAML or JSON."""
        path = Path(path)
        return cls.from_text(read_file(path), short(path))

    @classmethod
    def from_text(cls, text: str, file: str | None = None) -> Self:
        """Read a model from YAML or JSON text; `file` is the name shown in errors."""
        from shapecalc.spec.read import read  # a model that is traced is not read from a text
        from shapecalc.spec.yaml_text import parse

        model = read(parse(text, file), cls, file)
        model._text = text  # noqa: SLF001  (set here, where the text is known)
        return model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and all(
            getattr(self, name) == getattr(other, name) for name in Spec.model_fields
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shapes = ", ".join(
            f"{name} {'x'.join(map(str, shape))}".removeprefix("input ") for name, shape in self.input.items()
        )
        return f"{type(self).__name__}({self.name}: input {shapes}, {len(self.layers)} steps)"

    @property
    def text(self) -> str | None:
        """The spec text that the model was read from, or None."""
        return self._text

    @property
    def graphs(self) -> GraphCache:
        """The graphs expanded so far, and the witness of an import. Internal."""
        return self._graphs

    def free_names(self) -> list[str]:
        """Return the parameters that are an entire axis of the input's shape."""
        named = [str(size) for shape in self.input.values() for size in shape]
        return [name for name in dict.fromkeys(named) if name in self.parameters]

    def infer(self, given: Any = None, /, **parameters: Any) -> Inference:
        """Return shape inference over the model at its defaults, failures included. Internal."""
        return self.infer_at(given, 1, symbolic=False, values=parameters)[0]

    def infer_at(
        self, given: Any, batch: Dim | None, symbolic: bool | str | Iterable[str], values: Mapping[str, Any]
    ) -> tuple[Inference, dict[str, Shape]]:
        """Return shape inference at an input, and the shapes of all inputs. Internal."""
        free = self._free(symbolic)
        if symbolic is True:
            free = [name for name in free if name not in values]
        if not self.batched:
            if BATCH in free or batch not in (1, None):
                raise SpecError(f"the shapes of {self.name} already include the batch (`batched: false`)")
            batch = None
        elif BATCH in free:
            free.remove(BATCH)
            batch = symbol(BATCH)
        elif batch is not None and not isinstance(batch, Expr):
            if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch <= LARGEST:
                raise SpecError(f"batch must be an integer from 1 to 10^18, or None, not {quote(batch)}")
        parameters = Parameters(self, values, free)
        inputs = input_shapes(self, parameters, given, batch)
        return self._graphs.infer(self, parameters, inputs, batched=batch is not None), inputs

    def _free(self, symbolic: bool | str | Iterable[str]) -> list[str]:
        if symbolic is False:
            return []
        if symbolic is True:
            return self.free_names()
        names = [symbolic] if isinstance(symbolic, str) else symbolic
        listed = [*names] if isinstance(names, Iterable) else [None]
        if not all(isinstance(name, str) for name in listed):
            raise SpecError(f"symbolic is True, False, a name or names, not {quote(symbolic)}")
        return list(dict.fromkeys(listed))

    def variant(self, name: str) -> Self:
        """Return the member of a family with this name."""
        if name not in self.variants:
            raise SpecError(f"{self.name} has no variant {quote(name)}{nearest(name, [*self.variants])}")
        member = super().variant(name)
        member._text = self._text  # noqa: SLF001  (a copy of this very class)
        return member

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields replaced and an empty graph cache; other layers have no witness."""
        copied = super().model_copy(update=update, deep=deep)
        has_witness = {"layers", "blocks", "outputs"}.isdisjoint(update or {})
        copied._graphs = GraphCache(self._graphs.witness if has_witness else None)  # noqa: SLF001  (a copy of this class)
        if update:
            copied._text = None  # noqa: SLF001
        return copied

    def to_yaml(self) -> str:
        """Return the model as YAML; `loads` of it gives an equal model."""
        from shapecalc.spec.write import to_yaml

        return to_yaml(self)

    def to_data(self) -> dict[str, Any]:
        """Return the model as plain mappings and lists; `load` of it gives an equal model."""
        from shapecalc.spec.write import to_data

        return to_data(self)
