"""Other sizes of the input: the least at which nothing is too small, and those at which a layer fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.diagnostic import Diagnostic, Edit
from shapecalc.engine.graph import Inference
from shapecalc.errors import Failure, ShapecalcError
from shapecalc.layers.base import Merge
from shapecalc.layers.linear import Dense
from shapecalc.repair.hypothetical import HypotheticalInference
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.repair_source import Source
from shapecalc.repair.source_map import origin_of_parameter
from shapecalc.repair.yaml_edits import YamlText

_LARGEST_SIDE = 4096
_NEAR = 48
"""How far from the given size of the input others are looked for."""


class Inputs:
    """Knows the only input of a model, its sizes, and where they are written."""

    def __init__(
        self, source: Source, model: Any, inference: Inference, text: YamlText, shadow: HypotheticalInference
    ) -> None:
        self.given = source.given
        self.parameters = source.parameters
        self.model = model
        self.inference = inference
        self.text = text
        self.shadow = shadow
        self.name = next(iter(model.input))

    @property
    def sizes(self) -> list[int]:
        """The sizes of the input without the batch; nothing where they are not those of one image."""
        now = self.inference.shapes[0]
        if len(self.model.input) != 1 or not self.model.batched or now is None or len(now) < 3:
            return []
        sizes = [size for size in now[1:] if isinstance(size, int)]
        return sizes if len(sizes) == len(now) - 1 else []

    def larger(self, one: Diagnostic) -> Iterator[Proposal]:
        """Yield the input at which nothing is too small any more, as a change to the text."""
        if one.code == "too-small" and self.given is None and self.sizes:
            sizes = self.large_enough()
            proposal = None if sizes is None else self._edits(sizes)
            if proposal is not None:
                yield proposal

    def other(self, one: Diagnostic, most: int) -> Iterator[Proposal]:
        """Yield the nearest input at which a linear layer or a merge accepts what arrives."""
        if self.given is None and self.sizes:
            sizes = self.fitting(one, self.shadow.asked + most)
            proposal = None if sizes is None else self._edits(sizes)
            if proposal is not None:
                yield proposal

    def large_enough(self) -> list[int] | None:
        """Return the smallest input, all sides grown by the same, at which nothing is too small."""

        def is_enough(more: int) -> bool:
            sizes = self._grown(more)
            if self.given is not None:
                failures = self.walked(sizes)
                return failures is not None and all(one.code != "too-small" for one in failures)
            left = self.shadow.refusals((), inputs={0: (1, *sizes)})
            return left is not None and "too-small" not in left.values()

        low, high = 0, 1
        while not is_enough(high):
            low, high = high, 2 * high
            if high > _LARGEST_SIDE:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle) else (middle, high)
        return self._grown(high)

    def fitting(self, one: Diagnostic, limit: int) -> list[int] | None:
        """Return the nearest sizes at which a linear layer or a merge accepts, if there are fewer errors."""
        nodes = self.shadow.nodes
        target = next((index for index, node in enumerate(nodes) if node.path == one.path), None)
        if target is None or not isinstance(nodes[target].layer, (Dense, Merge)):
            return None
        for more in (sign * distance for distance in range(1, _NEAR + 1) for sign in (1, -1)):
            sizes = self._grown(more)
            if min(sizes) < 1 or self.shadow.asked > limit:
                continue
            left = self.shadow.refusals((), inputs={0: (1, *sizes)}, target=target)
            if left is not None and len(left) < len(self.shadow.base.refused):
                return sizes
        return None

    def walked(self, sizes: Sequence[int]) -> Sequence[Failure] | None:
        """Return the failures at other sizes, or None where nothing can be said."""
        named = {str(size) for size in self.model.input[self.name]}
        others = {key: value for key, value in self.parameters.items() if key not in named}
        try:
            inference: Inference = self.model.infer({self.name: tuple(sizes)}, **others)
            return inference.failures
        except ShapecalcError:
            return None

    def _grown(self, more: int) -> list[int]:
        keep = len(self.sizes) - 1 if self.model.framework == "keras" else 0
        return [size if axis == keep else size + more for axis, size in enumerate(self.sizes)]

    def _edits(self, grown: Sequence[int]) -> Proposal | None:
        edits: dict[Edit, str] = {}
        written = self.model.place.of("input")
        place = written.of(self.name) if isinstance(written.parts, Mapping) else written
        declared_sizes = self.model.input[self.name]
        for axis, (declared, old, new) in enumerate(zip(declared_sizes, self.sizes, grown, strict=True)):
            if old == new:
                continue
            edit, told = None, ""
            if isinstance(declared, Formula):
                if not declared.is_name or declared.text in self.parameters:
                    return None
                spot = next(origin_of_parameter(self.model, declared.text), None)
                if spot is not None:
                    edit, told = spot.edit(self.text, str(new)), f"{spot.key}: {new}"
            else:
                edit, told = self.text.replace_key(place.of(axis), str(new)), f"{old} -> {new}"
            if edit is None:
                return None
            edits[edit] = told
        return Proposal(tuple(edits), tuple(edits.values()), summary=f"an input of {told_as(grown)}", price=1)


def told_as(sizes: Sequence[int]) -> str:
    """Return sizes as messages show them."""
    return "x".join(map(str, sizes))
