"""Candidate fixes of the input: the least at which nothing is too small, and those at which a layer fits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.diagnostic import Diagnostic, Edit
from shapecalc.errors import Failure, ShapecalcError
from shapecalc.layers.base import Merge
from shapecalc.layers.linear import Dense
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.hypothetical import HypotheticalInference

_LARGEST_SIDE = 4096
_NEAR = 48
"""How far from the present size of the input others are looked for."""


class InputFixes:
    """The only input of a model, its sizes, and where they are written."""

    def __init__(
        self, model: Any, parameters: Mapping[str, Any], sites: EditSites, hypothetical: HypotheticalInference
    ) -> None:
        self.model = model
        self.parameters = parameters
        self.sites = sites
        self.hypothetical = hypothetical
        self.name = next(iter(model.input))

    @property
    def sizes(self) -> list[int]:
        """The sizes of the input without the batch; nothing where they are not those of one image."""
        now = self.sites.inference.shapes[0]
        if len(self.model.input) != 1 or not self.model.batched or now is None or len(now) < 3:
            return []
        sizes = [size for size in now[1:] if isinstance(size, int)]
        return sizes if len(sizes) == len(now) - 1 else []

    def larger(self, finding: Diagnostic) -> Iterator[Candidate]:
        """Yield the input at which nothing is too small any more."""
        if finding.code == "too-small" and self.sizes:
            yield from self._candidate(self.large_enough(self._hypothetical_codes))

    def fitting(self, finding: Diagnostic, most: int) -> Iterator[Candidate]:
        """Yield the nearest input at which a linear layer or a merge accepts, if there are fewer errors."""
        limit, target = self.hypothetical.evaluated + most, self.sites.index.get(finding.path)
        layer = None if target is None else self.sites.nodes[target].layer
        if not self.sizes or not isinstance(layer, (Dense, Merge)):
            return
        for more in (sign * distance for distance in range(1, _NEAR + 1) for sign in (1, -1)):
            sizes = self._grown(more)
            if min(sizes) < 1 or self.hypothetical.evaluated > limit:
                continue
            left = self.hypothetical.refusals((), inputs={0: (1, *sizes)}, target=target)
            if left is not None and len(left) < len(self.hypothetical.base.refused):
                yield from self._candidate(sizes)
                return

    def large_enough(self, codes: Callable[[Sequence[int]], set[str] | None]) -> list[int] | None:
        """Return the smallest input, all sides grown alike, at which the codes have no `too-small`."""

        def is_enough(more: int) -> bool:
            left = codes(self._grown(more))
            return left is not None and "too-small" not in left

        more = bisect_left(range(_LARGEST_SIDE + 1), 1, lo=1, key=is_enough)
        return self._grown(more) if more <= _LARGEST_SIDE else None

    def failures(self, sizes: Sequence[int]) -> Sequence[Failure] | None:
        """Return the failures at other sizes, or None where the model cannot be inferred there."""
        named = {str(size) for size in self.model.input[self.name]}
        others = {key: value for key, value in self.parameters.items() if key not in named}
        try:
            failures: Sequence[Failure] = self.model.infer({self.name: tuple(sizes)}, **others).failures
        except ShapecalcError:
            return None
        return failures

    def _hypothetical_codes(self, sizes: Sequence[int]) -> set[str] | None:
        left = self.hypothetical.refusals((), inputs={0: (1, *sizes)})
        return None if left is None else {*left.values()}

    def _grown(self, more: int) -> list[int]:
        keep = len(self.sizes) - 1 if self.model.framework == "keras" else 0
        return [size if axis == keep else size + more for axis, size in enumerate(self.sizes)]

    def _candidate(self, sizes: Sequence[int] | None) -> Iterator[Candidate]:
        """Yield the edits that give the input other sizes, where each is written or a plain parameter."""
        edits: dict[Edit, str] = {}
        place = self.model.place.of("input")
        place = place.of(self.name) if isinstance(place.parts, Mapping) else place
        declared = self.model.input[self.name]
        for axis, (size, old, new) in enumerate(zip(declared, self.sizes, sizes or self.sizes, strict=True)):
            if old == new:
                continue
            edit, text = None, f"{old} -> {new}"
            if not isinstance(size, Formula):
                edit = self.sites.text.replace_key(place.of(axis), str(new))
            elif size.is_name and size.text not in self.parameters:
                site = next(self.sites.parameter_sites(size.text), None)
                if site is not None:
                    edit, text = site.edit(self.sites.text, str(new)), f"{site.key}: {new}"
            if edit is None:
                return
            edits[edit] = text
        if edits and sizes:
            summary = f"an input of {'x'.join(map(str, sizes))}"
            yield Candidate(tuple(edits), tuple(edits.values()), summary=summary, price=1)
