"""Branches of a forward that are proved to be one network: they pad or crop where a size does not divide.

A recording holds wherever its decisions by sizes hold. So recordings are made, each at a size where none so
far holds, until there is no such size. Where one of them, the master, has the steps of all the others, and
what it has beside these changes nothing at the sizes of the others, then it holds everywhere, and what was
decided is no condition. Padding of the master may take a factor that is 0 at these sizes: p - n % p becomes
(p - n % p) % p. All of this is decided for all sizes of a residue class at once, never at samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any, TypeAlias

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.algebra.integer_set import EVERY_SIZE
from shapecalc.algebra.region import Region
from shapecalc.bridges.torch.tracer.branch_recording import (
    Decision,
    NotJoined,
    Recording,
    box_of,
    check_serves,
    check_sites,
)
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.traced import Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step

Point: TypeAlias = dict[str, int]

_FEW_DECISIONS = 2
"""Up to so many decisions all combinations are recorded before branches are taken one by one."""
_MOST_DECISIONS = 4
_MOST_RECORDINGS = 16
_MOST_STEPS = 3_000
"""How many steps are recorded in all."""
_MOST_MOVES = 8
"""How many recordings are tried for one with all branches, or with none."""
_LONGEST = 400
"""How many steps a model has at most for which branches are compared."""
_DIVISOR = re.compile(r"% (\d+)\)")
_PERIODIC = re.compile(r"%|//|size\(.* size\(")
"""What decisions by a remainder or a quotient are written with, and comparisons of two sizes."""


def joined(model: Model, record: Callable[[Point], Model]) -> Model:
    """Return the model of all branches that are proved to be one; `record` runs a forward at other sizes."""
    texts = (f"{body.left} {body.right}" for step in model.layers if isinstance(body := step.body, Require))
    if len(model.layers) > _LONGEST or not any(map(_PERIODIC.search, texts)):
        return model
    traced = {name: size for name in model.free_names() if isinstance(size := model.parameters[name], int)}
    try:
        first = Recording(model)
        decisions = [*dict.fromkeys(first.decisions.values())]
        branches = _Branches(first, traced, record)
        if not decisions:
            return model
        attempts = [branches.joined_by_sites]
        if len(decisions) <= _MOST_DECISIONS:
            attempts.insert(len(decisions) > _FEW_DECISIONS, branches.joined)
        for attempt in attempts:
            if (result := attempt()) is not None:
                return result
        kept = decisions
        best = model
        for decision in decisions if 1 < len(decisions) <= _MOST_DECISIONS else ():
            fewer = [each for each in kept if each != decision]
            if (result := branches.joined(fewer)) is not None:
                best, kept = result, fewer
    except ShapecalcError:
        return model
    return best


@dataclass(frozen=True)
class _Branches:
    """The recordings of a forward so far, the first at the traced sizes."""

    first: Recording
    traced: Point
    record: Callable[[Point], Model]

    @cached_property
    def recordings(self) -> dict[tuple[int, ...], Recording]:
        """The recordings by their sizes."""
        return {tuple(self.traced.values()): self.first}

    def joined(self, kept: Sequence[Decision] = ()) -> Model | None:
        """Return the model of all branches where some decisions go as they were traced, if it is proved."""
        try:
            leaves = self._leaves(kept)
            master = max(leaves, key=lambda leaf: len(leaf.steps))
            return self._open(master, leaves, kept)
        except (NotJoined, ShapecalcError):
            return None

    def _leaves(self, kept: Iterable[Decision]) -> list[Recording]:
        """Return recordings one of which holds wherever the decisions that are kept do."""
        names = tuple(self.traced)
        point = tuple(self.traced.values())
        uncovered = Region(names, (box_of(names, kept),))
        leaves: list[Recording] = []
        while uncovered:
            at = point if point in uncovered else uncovered.above(point) or uncovered.below(point)
            if at is None:
                raise NotJoined
            leaf = self._recorded(at)
            if leaf.core != self.first.core:
                raise NotJoined
            remaining = uncovered - Region(names, (leaf.box(names),))
            if at in remaining:  # a decision that was not read as one
                raise NotJoined
            leaves.append(leaf)
            uncovered = remaining
        return leaves

    def _recorded(self, at: tuple[int, ...]) -> Recording:
        if at not in self.recordings:
            steps = sum(len(each.model.layers) for each in self.recordings.values())
            if len(self.recordings) >= _MOST_RECORDINGS or steps > _MOST_STEPS:
                raise NotJoined
            model = outcome(lambda: self.record(dict(zip(self.traced, at, strict=True))))
            if isinstance(model, Exception) or model.input != self.first.model.input:
                raise NotJoined
            self.recordings[at] = Recording(model)
        return self.recordings[at]

    # ---- each branch by itself

    def joined_by_sites(self) -> Model | None:
        """Return the model that takes every branch that only pads, crops or resizes, if that is proved.

        Such branches do not depend on each other, so that a recording with all of them, each by the last
        comparison of its test, and one with none have all the decisions that there are.
        """
        try:
            none = self._at_tests(None)
            sites = [(group.site, len(group.tests)) for group in none.groups]
            master = self._at_tests([count for _, count in sites])
            if not sites or [(group.site, len(group.tests)) for group in master.groups] != sites:
                raise NotJoined
            return self._open(master, [self.first, none], self.first.kept, check_sites)
        except (NotJoined, ShapecalcError):
            return None

    def _at_tests(self, counts: list[int] | None) -> Recording:
        """Return a recording in which each test is false, or true by the comparison of this number alone."""
        names, at = tuple(self.traced), tuple(self.traced.values())
        for _ in range(_MOST_MOVES):
            recording = self._recorded(at)
            if {*recording.kept} != {*self.first.kept}:
                raise NotJoined
            if counts is not None and len(recording.groups) != len(counts):
                raise NotJoined
            region = Region(names, (box_of(names, self.first.kept),))
            is_reached = True
            for number, group in enumerate(recording.groups):
                for position, (path, test) in enumerate(group.tests.items(), 1):
                    should_be = counts is not None and position == counts[number]
                    name, sizes = recording.decisions[path]
                    is_reached &= test.is_true == should_be
                    wanted = sizes if test.is_true == should_be else EVERY_SIZE - sizes
                    narrower = region & Region(names, (box_of(names, [(name, wanted)]),))
                    region = narrower or region  # what an earlier branch changes is seen when that was moved
            if is_reached:
                return recording
            other = region.above(at) or region.below(at)
            if other is None or other == at:
                raise NotJoined
            at = other
        raise NotJoined

    def _open(
        self,
        master: Recording,
        leaves: list[Recording],
        kept: Iterable[Decision],
        check: Callable[[Recording, Recording], None] | None = None,
    ) -> Model:
        """Return the master without the decisions that need not be kept, its padding with factors."""
        names, kept = tuple(self.traced), [*kept]
        if not {*kept} <= {*master.decisions.values()}:
            raise NotJoined
        factors: dict[str, Iterator[Step]] = {}
        model = master.model
        while True:
            opened = Recording(model)
            try:
                for leaf in leaves:
                    check_serves(opened, leaf, dict(zip(names, leaf.box(names, *kept).sets, strict=True)))
                if check is not None:
                    check(opened, master)
                break
            except NotJoined as not_joined:
                path = not_joined.path
                if path not in factors:
                    factors[path] = _with_factors(master.model, path)
                step = next(factors[path], None)
                if step is None:
                    raise
                layers = [step if each.name == path else each for each in model.layers]
                model = model.model_copy(update={"layers": tuple(layers)})
        freed = {path for path, decision in master.decisions.items() if decision not in kept}
        layers = [step for step in model.layers if step.name not in freed]
        data = {"layers": tuple(layers), "parameters": self.first.model.parameters}
        result = model.model_copy(update=data)
        result.graphs.witness = master.model.graphs.witness
        return result


# ---- padding that is 0 where a branch does not pad


def _with_factors(model: Model, path: str) -> Iterator[Step]:
    """Yield a step that pads with amounts which may be 0 where the decisions before it go another way."""
    position = next(number for number, step in enumerate(model.layers) if step.name == path)
    step = model.layers[position]
    layer = step.body
    if not isinstance(layer, Kind) or layer.family is not Family.PADDING:
        return
    decisions = (each.body for each in reversed(model.layers[:position]) if isinstance(each.body, Require))
    for scaled in chain.from_iterable(map(_factors, decisions)):
        try:
            padding = _scaled(getattr(layer, "padding", 0), scaled)
            body = type(layer)(**(layer.fields_set() | {"padding": padding}))
        except ValidationError:  # too long for a spec
            continue
        yield step.model_copy(update={"body": body})


def _factors(decision: Require) -> Iterator[Callable[[str], str]]:
    """Yield what may make an amount 0 where a decision goes another way: a remainder of it, or a factor."""
    left, right = (getattr(side, "text", side) for side in (decision.left, decision.right))
    yield from (partial("({1} % {0})".format, divisor) for divisor in _DIVISOR.findall(str(left)))
    above, below = f"({left} - {right})", f"({right} - {left})"
    distances = {"more": above, "at_least": f"({above} + 1)", "less": below, "at_most": f"({below} + 1)"}
    distance = distances.get(decision.relation, f"max({above}, {below})")
    factor = f"min(max({distance}, 0), 1)"
    yield partial("({1} * {0})".format, f"(1 - {factor})" if decision.relation == "equal" else factor)


def _scaled(value: Any, factor: Callable[[str], str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_scaled(item, factor) for item in value)
    return factor(getattr(value, "text", str(value))) if isinstance(value, Formula) or value else value
