"""A text in the middle of being repaired: what was changed so far, what is still wrong, and what may help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, from_failure, gathered
from shapecalc.engine.error_recovery import OF_SIZES
from shapecalc.errors import Failure, ShapecalcError
from shapecalc.repair.hypothetical import HypotheticalInference
from shapecalc.repair.input_sizes import Inputs
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.propose import Proposer
from shapecalc.repair.repair_source import Source
from shapecalc.repair.text_edits import applied, growth
from shapecalc.repair.upstream import Upstream
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.report.paths import is_under

Error = tuple[str, str]
"""A code and the path of a layer."""

_LOCAL_EACH = 8
_UPSTREAM_EACH = 10


@dataclass(frozen=True, slots=True)
class AppliedFix:
    """One step of a repair: the finding that it is for, and what was done to the text of then."""

    one: Diagnostic
    proposal: Proposal
    shifts: tuple[tuple[int, int], ...]
    """From which lines on the text of then had been moved, and by how much."""

    def original(self, line: int) -> int:
        """Return where a line stood before anything was changed."""
        for at, more in reversed(self.shifts):
            if line >= at:
                line = max(at, line - more)
        return line

    def told(self, line: int | None) -> str:
        """Return what is done, with the lines other than a given one of the first text."""
        return self.proposal.description(line, self.original)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal, with how many refusals it is thought to leave."""

    proposal: Proposal
    left: int


class RepairState:
    """A text and the inference over it; asks for proposals only when they are wanted."""

    def __init__(
        self, source: Source, before: RepairState | None = None, taken: AppliedFix | None = None
    ) -> None:
        self.source = source
        self.model, self.inference = source.infer()
        self.taken: tuple[AppliedFix, ...] = ()
        self.before = before
        self.cost = 0
        if before is not None and taken is not None:
            self.taken = (*before.taken, taken)
            self.cost = before.cost + taken.proposal.cost
        self._local: dict[tuple[str, ...], list[Candidate]] = {}
        self._above: dict[tuple[str, ...], list[Candidate]] = {}

    @cached_property
    def found(self) -> list[Diagnostic]:
        """The errors of the inference, equal ones told once, in the order of the network."""
        return gathered([from_failure(failure) for failure in self.inference.failures])

    @cached_property
    def errors(self) -> frozenset[Error]:
        """Every error by its code and the path of its layer."""
        return errors_of(self.inference.failures)

    @cached_property
    def remaining(self) -> int:
        """How many changes it takes at most, if each mistake is in a line of its own.

        A size that is wrong anew silences what follows from it, so that less is told and not less wrong.
        """
        left = len({(one.code, one.place.line, one.place.column) for one in self.inference.failures})
        if self.before is None:
            return left
        new = self.errors - self.before.errors
        count = sum(code in OF_SIZES and path in self.before.paths for code, path in new)
        return max(left, self.before.remaining - 1 + count) if count else left

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of the layers that the inference went over."""
        return frozenset(node.path for node in self.inference.graph.nodes)

    @cached_property
    def to_walk(self) -> int:
        """How many layers stand from the first that fails to the end; none where nothing fails."""
        if not self.found:
            return 0
        one, nodes = self.found[0], self.inference.graph.nodes
        inside = (number for number, node in enumerate(nodes) if is_under(node.path, one.path))
        above = sum((node.place.line or 0) < (one.place.line or 0) for node in nodes)
        return self.size + 1 - next(inside, above)

    @property
    def size(self) -> int:
        """How many layers the inference went over."""
        return len(self.inference.graph.nodes)

    def then(self, one: Diagnostic, proposal: Proposal) -> RepairState | None:
        """Return the state after a proposal for a finding; None where the text is no model then."""
        text = applied(self.source.text, proposal.edits)
        if text is None or text == self.source.text:
            return None
        shifts = self.taken[-1].shifts if self.taken else ()
        if self.taken:
            shifts = (*shifts, *growth(self.taken[-1].proposal.edits))
        try:
            return RepairState(replace(self.source, text=text), self, AppliedFix(one, proposal, shifts))
        except ShapecalcError:
            return None

    # ---- what may help

    @cached_property
    def text(self) -> YamlText:
        """The text, with the extent of every value in it."""
        return YamlText(self.source.text)

    @cached_property
    def proposer(self) -> Proposer:
        """Knows what a failing layer and its branches may need."""
        return Proposer(self.model, self.inference, self.text)

    @cached_property
    def shadow(self) -> HypotheticalInference:
        """Tells at little cost what a change may leave."""
        return HypotheticalInference(self.inference)

    @cached_property
    def upstream(self) -> Upstream:
        """Knows the layers above a failing one."""
        return Upstream(self.proposer, self.shadow)

    @cached_property
    def inputs(self) -> Inputs:
        """Knows the input."""
        return Inputs(self.source, self.model, self.inference, self.text, self.shadow)

    def local(self, one: Diagnostic) -> list[Candidate]:
        """Return what may repair a finding where it is, in the branches of a merge, or by the input."""
        if one.paths not in self._local:
            self._local[one.paths] = _unique(self._all_local(one))
        return self._local[one.paths]

    def above(self, one: Diagnostic, most: int) -> list[Candidate]:
        """Return what may repair a finding by other numbers in the layers that it depends on."""
        if one.paths not in self._above:
            found = self.upstream.ranked(one, most)[:_UPSTREAM_EACH]
            self._above[one.paths] = [
                *(Candidate(proposal, self._left(left)) for left, proposal in found),
                *(Candidate(proposal, self.remaining - 1) for proposal in self.inputs.other(one, most)),
            ]
        return self._above[one.paths]

    def last_resorts(self, one: Diagnostic) -> list[Candidate]:
        """Return what makes nearly any layer accept what arrives, and is meant least."""
        found = self.proposer.last_resorts(one)
        return _unique(Candidate(proposal, self.remaining - 1) for proposal in found)

    def _all_local(self, one: Diagnostic) -> Iterator[Candidate]:
        paths = {self.upstream.index[path] for path in one.paths if path in self.upstream.index}
        for proposal in self.inputs.larger(one):
            yield Candidate(proposal, self.remaining - 1)
        for number, proposal in enumerate(self.proposer.proposals(one)):
            if number >= _LOCAL_EACH:
                break
            if not proposal.changes:
                yield Candidate(proposal, self.remaining - 1)
                continue
            left = self.shadow.refusals(proposal.changes)
            if left is not None and paths.isdisjoint(left):
                yield Candidate(proposal, self._left(left))

    def _left(self, refused: Mapping[int, str]) -> int:
        """Return how many mistakes are thought to be left, those that a shadow does not see among them."""
        nodes = self.shadow.nodes
        before = self.shadow.base.refused
        seen = {(code, nodes[index].place.line, nodes[index].place.column) for index, code in refused.items()}
        left = len(seen) + sum(one.is_spec_error for one in self.inference.failures)
        new = sum(code in OF_SIZES for index, code in refused.items() if index not in before)
        return max(left, self.remaining - 1 + new) if new else left


def _unique(candidates: Iterable[Candidate]) -> list[Candidate]:
    found: dict[tuple[Edit, ...], Candidate] = {}
    for candidate in candidates:
        found.setdefault(tuple(sorted(candidate.proposal.edits)), candidate)
    return [*found.values()]


def errors_of(failures: Sequence[Failure]) -> frozenset[Error]:
    """Return failures by code and path."""
    return frozenset((one.code, one.path) for one in failures)


def own(one: Diagnostic) -> set[Error]:
    """Return the errors that a finding is."""
    return {(one.code, path) for path in one.paths} or {(one.code, "")}
