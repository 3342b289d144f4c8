"""Repairs that were tried: each is applied to the text of a spec, which is then read and checked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, Fix
from shapecalc.errors import Located, ShapecalcError
from shapecalc.repair.input_sizes import told_as
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.propose import words
from shapecalc.repair.repair_source import Reader, Source
from shapecalc.repair.repair_state import RepairState, errors_of, own
from shapecalc.repair.search import Search, edits_of
from shapecalc.repair.text_edits import applied
from shapecalc.repair.yaml_edits import YamlText

_FIXES_SHOWN = 2
_FEW = 4
"""With more errors than these, each is shown one repair of its own."""
_TRIED_EACH = 6
_CHEAP = 2
"""What costs more than this comes after all that is done in the layers above."""
_WALKS_FOR_PARTS = 60
_LAYERS_FOR_PARTS = 7_000
_ASKS_FOR_PARTS = 6_000
"""What the repairs of single findings may cost together; see `search.py`."""
_WALKS_EACH = 12
"""How many texts a search may try for a repair of one finding by itself."""


class Repairer:
    """Finds what repairs the whole model, and what repairs each of its errors by itself."""

    def __init__(self, source: Source) -> None:
        self.start = RepairState(source)
        self.search = Search(self.start)
        self.known: dict[frozenset[Edit], RepairState | None] = {}

    def whole(self) -> RepairState | None:
        """Return the state without errors that the smallest set of edits leads to, as far as it is found.

        Where the search for it ends without one, the errors are repaired in turn.
        """
        return self.search.smallest() or self.search.in_turn()

    def fixes(self, found: Sequence[Diagnostic]) -> list[tuple[Fix, ...]]:
        """Return the repairs of each finding, the best first.

        The first one of the first finding is the smallest set of edits that leaves no error at all.
        """
        whole = self.whole()
        self.search = Search(
            self.start, walks=_WALKS_FOR_PARTS, layers=_LAYERS_FOR_PARTS, asks=_ASKS_FOR_PARTS
        )
        each = [self._verified(one, whole) for one in found]
        fixes: list[list[Fix]] = [[] for _ in found]
        if whole is not None and fixes:
            if found[0].code == "too-small" and self.start.source.given is not None:
                fixes[0] += self._larger_given(found[0])  # the question was asked of that input
            fixes[0].append(self.fix(whole, found[0]))
        for _ in range(_FIXES_SHOWN if len(found) <= _FEW else 1):
            for number, generator in enumerate(each):
                fix = next(generator, None)
                if fix is not None and fix.edits not in [known.edits for known in fixes[number] if fix.edits]:
                    fixes[number].append(fix)
        return [tuple(one) for one in fixes]

    def fix(self, after: RepairState, one: Diagnostic) -> Fix:
        """Return the way to a state as a repair of a finding."""
        steps = tuple(step.told(one.place.line) for step in after.taken)
        return Fix("; ".join(steps), edits_of(self.start, after), not after.found, steps)

    def _verified(self, one: Diagnostic, whole: RepairState | None) -> Iterator[Fix]:
        """Yield the repairs of one finding that hold: a part of the smallest set is the best of them."""
        described: set[str] = set()
        for proposal in self._proposals(one, whole):
            after = self._tried(one, proposal)
            if after is None or not self._holds(one, after):
                continue
            fix = self.fix(after, one)
            if fix.description not in described:
                described.add(fix.description)
                yield fix
        if not described:
            after = self._alone(one)
            if after is not None:
                yield self.fix(after, one)

    def _proposals(self, one: Diagnostic, whole: RepairState | None) -> Iterator[Proposal]:
        yield from _parts(whole)
        local = [each.proposal for each in self.start.local(one)[:_TRIED_EACH]]
        yield from (proposal for proposal in local if proposal.cost <= _CHEAP)
        for candidate in self.search.above(self.start, one)[:_TRIED_EACH]:
            yield candidate.proposal
        yield from (proposal for proposal in local if proposal.cost > _CHEAP)

    def _alone(self, one: Diagnostic) -> RepairState | None:
        """Return the state in which one finding is gone by several changes, and nothing else has come."""
        search = replace(self.search, walks=min(self.search.walks, _WALKS_EACH))
        found = search.smallest(goal=lambda state: self._holds(one, state), about=one)
        self.search.walks -= min(self.search.walks, _WALKS_EACH) - search.walks
        self.search.layers, self.search.asks = search.layers, search.asks
        return found

    def _tried(self, one: Diagnostic, proposal: Proposal) -> RepairState | None:
        """Return the state after a proposal; None where it is no model, or where too much was tried."""
        key = frozenset(proposal.edits)
        if key not in self.known:
            if not self.search.may_walk:
                return None
            self.search.walks -= 1
            self.search.layers -= self.start.size
            self.known[key] = self.start.then(one, proposal)
        return self.known[key]

    def _holds(self, one: Diagnostic, after: RepairState) -> bool:
        """Say whether a finding is gone and no error is new; one at a layer not reached before is not."""
        new = {error for error in after.errors - self.start.errors if error[1] in self.start.paths}
        return not own(one) & after.errors and not new

    def _larger_given(self, one: Diagnostic) -> Iterator[Fix]:
        """Yield the smallest input that would do in the place of the one that was given."""
        inputs = self.start.inputs
        sizes = inputs.large_enough() if inputs.sizes else None
        failures = None if sizes is None else inputs.walked(sizes)
        if sizes is None or failures is None:
            return
        left = errors_of(failures)
        new = {error for error in left - self.start.errors if error[1] in self.start.paths}
        if not own(one) & left and not new:
            yield Fix(f"an input of {told_as(sizes)}", (), fixes_all=not failures)


def _parts(whole: RepairState | None) -> list[Proposal]:
    """Return the steps of a repair as changes to the first text, each by itself."""
    if whole is None:
        return []
    return [
        replace(
            step.proposal,
            edits=tuple(replace(edit, line=step.original(edit.line)) for edit in step.proposal.edits),
        )
        for step in whole.taken
    ]


def repaired(source: Source, found: list[Diagnostic], *, has_text: bool = True) -> list[Diagnostic]:
    """Return the findings with the repairs of the errors among them."""
    wrong = [one for one in found if one.severity == "error" and one.code != "budget"]
    try:
        repairer = Repairer(source)
    except (ShapecalcError, yaml.YAMLError):
        return found
    fixes = dict(zip(map(id, wrong), repairer.fixes(wrong), strict=True))
    if not has_text:
        fixes = {key: tuple(replace(fix, edits=()) for fix in some) for key, some in fixes.items()}
    return [replace(one, fixes=fixes.get(id(one), ())) for one in found]


def of_unreadable(text: str, error: Located, reader: Reader) -> Diagnostic:
    """Return the error of a text that is no model as a finding, with the words that may be meant."""
    paths = (error.path,) if error.path else ()
    one = Diagnostic("spec", "error", error.message, error.place, paths, error.hint)
    try:
        known = YamlText(text)
    except (yaml.YAMLError, ShapecalcError):
        return one
    for proposal in words(one, known):
        changed = applied(text, proposal.edits)
        if changed is None:
            continue
        left = 0
        try:
            left = len(reader(changed, file=error.place.file).infer(None).failures)
        except Located as next_error:
            there = (next_error.place.line or 0, next_error.place.column or 0)
            if there <= (error.place.line or 0, error.place.column or 0):
                continue
            left = 1
        return replace(one, fixes=(Fix(proposal.description(one.place.line), proposal.edits, not left),))
    return one
