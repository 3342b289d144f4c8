"""The public `Model`: a spec that can be analysed, written out, and found by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr

from shapecalc.algebra import Dim, symbol
from shapecalc.engine.expand import expand
from shapecalc.engine.graph import Graph, Walk
from shapecalc.engine.parameters import BATCH, Parameters, input_shapes
from shapecalc.engine.walk import rewalk
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.layers.base import Shape
from shapecalc.report.data import DTYPES, Report
from shapecalc.spec.find import bundled, locate, read_file, short
from shapecalc.spec.read import read
from shapecalc.spec.text import parse
from shapecalc.spec.tree import Spec

_GRAPHS_KEPT = 4


class Model(Spec):
    """An architecture: parameters, input, blocks and layers, ready to be analysed.

    >>> from shapecalc.layers import Conv2d, Flatten, Linear, ReLU
    >>> model = Model(
    ...     name="small",
    ...     parameters={"H": 28, "W": 28},
    ...     input=[1, "H", "W"],
    ...     layers=[
    ...         Conv2d(out_channels=8, kernel_size=3, stride=2),
    ...         ReLU(),
    ...         Flatten(),
    ...         Linear(out_features=10),
    ...     ],
    ... )
    >>> model.analyze().params
    13610
    >>> model.analyze(symbolic=("H", "W")).nodes[0].output
    (1, 8, ⌈H/2⌉ - 1, ⌈W/2⌉ - 1)
    """

    _graphs: list[Graph] = PrivateAttr(default_factory=list)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and self._comparable() == {
            name: getattr(other, name) for name in Spec.model_fields
        }

    __hash__ = None  # type: ignore[assignment]

    def _comparable(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Spec.model_fields}

    def analyze(
        self,
        *,
        input: Any = None,  # noqa: A002  (the word that a spec uses)
        batch: Dim | None = 1,
        symbolic: bool | str | Iterable[str] = False,
        dtype: str = "float32",
        **parameters: Any,
    ) -> Report:
        """Return shapes, parameters and cost of every layer.

        `input` is a shape without the batch, or one per named input; `batch=None` takes shapes as
        they are, without a batch axis. `symbolic` names what to leave free, `"batch"` included; True
        leaves free what the input's shape names. Anything else sets a parameter of the spec.

        Raises `ShapeError` where the model does not hold, `SpecError` where it is not a model, and
        `Undecided` where the answer depends on what was left free.
        """
        walk, inputs = self._walk(input, batch, symbolic, parameters)
        if dtype not in DTYPES:
            raise SpecError(f"unknown dtype {quote(dtype)}{nearest(str(dtype), [*DTYPES])}")
        if walk.failures:
            raise walk.failures[0].error(tuple(walk.failures))
        return Report(self.name, self.title, walk, inputs, dtype)

    def _walk(
        self, given: Any, batch: Dim | None, symbolic: bool | str | Iterable[str], values: Mapping[str, Any]
    ) -> tuple[Walk, dict[str, Shape]]:
        free = self._free_names(symbolic)
        if BATCH in free:
            free.remove(BATCH)
            batch = symbol(BATCH)
        elif batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
            raise SpecError(f"batch must be a whole number of at least 1 or None, not {quote(batch)}")
        parameters = Parameters(self, values, free)
        inputs = input_shapes(self, parameters, given, batch)
        shapes = [*inputs.values()]
        batched = batch is not None
        for graph in self._graphs:
            known = graph.parameters_read
            if graph.batched is batched and all(parameters[name] == known[name] for name in known):
                walk = rewalk(graph, shapes)
                if walk is not None:
                    return walk, inputs
        walk = expand(self, parameters.__getitem__, inputs, batched=batched)
        if not walk.failures:
            self._graphs.insert(0, walk.graph)
            del self._graphs[_GRAPHS_KEPT:]
        return walk, inputs

    def _free_names(self, symbolic: bool | str | Iterable[str]) -> list[str]:
        if symbolic is False:
            return []
        if symbolic is True:
            named = [str(size) for shape in self.input.values() for size in shape]
            return [name for name in dict.fromkeys(named) if name in self.parameters]
        return [symbolic] if isinstance(symbolic, str) else list(dict.fromkeys(symbolic))

    def to_yaml(self) -> str:
        """Return the model as YAML; `loads` of it gives an equal model."""
        from shapecalc.spec.write import to_yaml

        return to_yaml(self)

    def to_data(self) -> dict[str, Any]:
        """Return the model as plain mappings and lists; `load` of it gives an equal model."""
        from shapecalc.spec.write import to_data

        return to_data(self)

    def variant(self, name: str) -> Self:
        """Return the member of a family with this name."""
        if name not in self.variants:
            raise SpecError(f"{self.name} has no variant {quote(name)}{nearest(name, [*self.variants])}")
        chosen = super().variant(name)
        return type(self)(**{field: getattr(chosen, field) for field in Spec.model_fields})


def load(source: str | Path | Mapping[str, Any]) -> Model:
    """Return a model by bundled name, by file path, or from a plain mapping.

    >>> load("lenet5").analyze().params
    61706
    """
    if isinstance(source, Mapping):
        return read(source, Model)
    path, variant = locate(str(source)) if isinstance(source, str) else (source, None)
    model = loads(read_file(path), file=short(path))
    return model.variant(variant) if variant else model


def loads(text: str, *, file: str | None = None) -> Model:
    """Return a model from YAML or JSON text; `file` is the name that errors show."""
    return read(parse(text, file), Model, file)


def names() -> list[str]:
    """Return the names of the bundled models."""
    return [*bundled()]
