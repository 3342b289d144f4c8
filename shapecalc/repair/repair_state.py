"""A text while it is repaired: what was changed so far, what is still wrong, and ranked candidate fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import Any, TypeAlias

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, from_failure, gathered
from shapecalc.engine.error_recovery import OF_SIZES
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Failure, ShapecalcError
from shapecalc.layers.requirement import DeclaredSize
from shapecalc.layers.roles import Declares, fields_with
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.hypothetical import HypotheticalInference
from shapecalc.repair.input_fixes import InputFixes
from shapecalc.repair.layer_fixes import layer_fixes
from shapecalc.repair.spec_fixes import last_resorts, spec_fixes
from shapecalc.repair.text_edits import applied, growth
from shapecalc.repair.upstream_fixes import upstream_fixes
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.report.paths import is_under

Reader: TypeAlias = Callable[..., Any]
Error: TypeAlias = tuple[str, str]
"""A code and the path of a layer."""

_LOCAL_EACH = 8
_UPSTREAM_EACH = 10


@dataclass(slots=True)
class Source:
    """The text of a model, and the input and parameters that it is checked with."""

    text: str
    """The text of a file; where `is_written` is false, one that was made for the search and has no reader."""
    reader: Reader
    """`loads`, which is in a module above this one."""
    file: str | None = None
    variant: str | None = None
    inputs: Any = None
    """The shapes of the inputs, where they are not those of the text."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_written: bool = True

    def infer(self) -> tuple[Any, Inference]:
        model = self.reader(self.text, file=self.file)
        model = model.variant(self.variant) if self.variant else model
        return model, model.infer(self.inputs, **self.parameters)


@dataclass(frozen=True, slots=True)
class AppliedFix:
    """One step of a repair: the finding that it is for, and what was done to the text."""

    finding: Diagnostic
    candidate: Candidate
    shifts: tuple[tuple[int, int], ...]
    """From which lines on the text had been moved before, and by how much."""

    def original(self, line: int) -> int:
        """Return where a line was before anything was changed."""
        for at, more in reversed(self.shifts):
            if line >= at:
                line = max(at, line - more)
        return line

    def description(self, line: int | None, named: Callable[[int], str] = "line {}".format) -> str:
        """Return what is done, with the names of the lines of the first text other than that of a finding."""
        return self.candidate.description(line, self.original, named)

    @property
    def at_first(self) -> Candidate:
        """The same edits, in the first text."""
        edits = [replace(edit, line=self.original(edit.line)) for edit in self.candidate.edits]
        return replace(self.candidate, edits=tuple(edits))


class RepairState:
    """A text and the inference over it; candidates are made only when they are needed."""

    def __init__(self, source: Source, before: RepairState | None = None) -> None:
        self.source = source
        self.model, self.inference = source.infer()
        self.before = before
        self.taken: tuple[AppliedFix, ...] = ()
        self.cost = 0
        self._candidates: dict[tuple[str, tuple[str, ...]], list[Candidate]] = {}

    @cached_property
    def findings(self) -> list[Diagnostic]:
        """The errors of the inference, equal ones merged, in the order of the network."""
        return gathered([from_failure(failure) for failure in self.inference.failures])

    @cached_property
    def errors(self) -> frozenset[Error]:
        return errors_of(self.inference.failures)

    @cached_property
    def remaining(self) -> int:
        """How many changes it takes at most, if each mistake is in a line of its own.

        A size that is newly wrong hides what follows from it, so that fewer errors may be left and no
        fewer mistakes.
        """
        left = len(
            {(failed.code, failed.place.line, failed.place.column) for failed in self.inference.failures}
        )
        if self.before is None:
            return left
        new = self.errors - self.before.errors
        count = sum(code in OF_SIZES and path in self.before.paths for code, path in new)
        return max(left, self.before.remaining - 1 + count) if count else left

    @cached_property
    def paths(self) -> frozenset[str]:
        return frozenset(node.path for node in self.inference.graph.nodes)

    @property
    def size(self) -> int:
        return len(self.inference.graph.nodes)

    @cached_property
    def distance(self) -> int:
        """How many layers there are from the first that fails to the end; none where nothing fails."""
        if not self.findings:
            return 0
        first, nodes = self.findings[0], self.inference.graph.nodes
        inside = (number for number, node in enumerate(nodes) if is_under(node.path, first.path))
        above = sum((node.place.line or 0) < (first.place.line or 0) for node in nodes)
        return self.size + 1 - next(inside, above)

    def then(self, finding: Diagnostic, candidate: Candidate) -> RepairState | None:
        """Return the state after a fix of a finding; None where the text is no model then."""
        text = applied(self.source.text, candidate.edits)
        if text is None or text == self.source.text:
            return None
        shifts = self.taken[-1].shifts if self.taken else ()
        if self.taken:
            shifts = (*shifts, *growth(self.taken[-1].candidate.edits))
        try:
            state = RepairState(replace(self.source, text=text), self)
        except ShapecalcError:
            return None
        state.taken = (*self.taken, AppliedFix(finding, candidate, shifts))
        state.cost = self.cost + candidate.cost
        return state

    def resolves(self, finding: Diagnostic, failures: Iterable[Failure]) -> bool:
        """Say whether a finding is not among failures, and no error at a known layer is new."""
        left = errors_of(failures)
        new = {error for error in left - self.errors if error[1] in self.paths}
        return not own(finding) & left and not new

    def is_kept_by(self, after: RepairState) -> bool:
        """Say whether a later state has the same network, up to sizes declared wrong: the fix is safe.

        Nor may it break the text for other members of its family, or at the input that it declares.
        """
        gone = self.errors - after.errors
        facts = [failed.fact for failed in self.inference.failures if (failed.code, failed.path) in gone]
        return (
            all(isinstance(fact, DeclaredSize) for fact in facts)
            and _network(self.inference) == _network(after.inference)
            and after.other_errors <= self.other_errors
        )

    @cached_property
    def other_errors(self) -> frozenset[tuple[str, str, str]]:
        """The errors of the text as it declares its input, and of each member of its family."""
        source = self.source
        if not (self.model.variants or source.variant or source.inputs is not None or source.parameters):
            return frozenset()
        family = source.reader(source.text, file=source.file)
        members = {"": family} | {name: family.variant(name) for name in family.variants}
        errors: set[tuple[str, str, str]] = set()
        for name, member in members.items():
            try:
                failures = member.infer(None).failures
            except ShapecalcError as error:
                failures = [Failure("spec", str(error))]
            errors |= {(name, failed.code, failed.path or failed.message) for failed in failures}
        return frozenset(errors)

    # ---- candidate fixes

    @cached_property
    def sites(self) -> EditSites:
        return EditSites(self.model, self.inference, YamlText(self.source.text))

    @cached_property
    def hypothetical(self) -> HypotheticalInference:
        return HypotheticalInference(self.inference)

    @property
    def evaluated(self) -> int:
        """How many layers hypothetical inference has evaluated."""
        return self.hypothetical.evaluated if "hypothetical" in vars(self) else 0

    @cached_property
    def input_fixes(self) -> InputFixes:
        return InputFixes(self.model, self.source.parameters, self.sites, self.hypothetical)

    def local(self, finding: Diagnostic) -> list[Candidate]:
        """Return what may fix a finding where it is, in the branches of a merge, or by the input."""
        key = ("local", finding.paths)
        if key not in self._candidates:
            inputs = self.input_fixes.larger(finding) if self.source.inputs is None else ()
            of_spec = spec_fixes(self.sites, finding) if finding.code == "spec" else ()
            of_layers = layer_fixes(self.sites, finding)
            candidates = chain(inputs, islice(chain(of_spec, of_layers), _LOCAL_EACH))
            self._candidates[key] = [candidate for _, candidate in self._ranked(finding, candidates)]
        return self._candidates[key]

    def above(self, finding: Diagnostic, most: int) -> list[Candidate]:
        """Return what may fix a finding by other numbers in the layers that it depends on."""
        key = ("above", finding.paths)
        if key not in self._candidates:
            upstream = upstream_fixes(self.sites, self.hypothetical, finding, most)
            ranked = sorted(
                self._ranked(finding, upstream), key=lambda pair: (pair[0] + pair[1].cost, pair[0])
            )[:_UPSTREAM_EACH]
            others = self.input_fixes.fitting(finding, most) if self.source.inputs is None else ()
            pairs = (*ranked, *self._ranked(finding, others))
            self._candidates[key] = [candidate for _, candidate in pairs]
        return self._candidates[key]

    def last_resorts(self, finding: Diagnostic) -> list[Candidate]:
        """Return what makes nearly any layer accept its input, and is meant least."""
        candidates = last_resorts(self.sites, finding)
        return [candidate for _, candidate in self._ranked(finding, candidates, infer=False)]

    def _ranked(
        self, finding: Diagnostic, candidates: Iterable[Candidate], *, infer: bool = True
    ) -> Iterator[tuple[int, Candidate]]:
        """Yield candidates, each once, with how many refusals and mistakes they are expected to leave.

        What hypothetical inference cannot rank counts as if it fixed one mistake.
        """
        targets = [self.sites.index[path] for path in finding.paths if path in self.sites.index]
        seen: set[tuple[Edit, ...]] = set()
        for candidate in candidates:
            edits = tuple(sorted(candidate.edits))
            if edits in seen:
                continue
            if not candidate.changes or not infer:
                seen.add(edits)
                yield 0, replace(candidate, left=self.remaining - 1)
                continue
            left = self.hypothetical.refusals(candidate.changes, target=targets[0] if targets else None)
            if left is not None and left.keys().isdisjoint(targets):
                seen.add(edits)
                yield len(left), replace(candidate, left=self._left(left))

    def _left(self, refused: Mapping[int, str]) -> int:
        """Return how many mistakes are expected to be left, those of the spec among them."""
        nodes, before = self.hypothetical.nodes, self.hypothetical.base.refused
        seen = {(code, nodes[index].place.line, nodes[index].place.column) for index, code in refused.items()}
        left = len(seen) + sum(failure.is_spec_error for failure in self.inference.failures)
        new = sum(code in OF_SIZES for index, code in refused.items() if index not in before)
        return max(left, self.remaining - 1 + new) if new else left


def _network(inference: Inference) -> tuple[Any, ...]:
    """Return what a network computes: its inputs, its layers without the declared sizes, and its outputs."""
    nodes, graph = inference.graph.nodes, inference.graph
    first = nodes[0].first_slot if nodes else graph.slots

    def layer(node: GraphNode) -> tuple[Any, ...]:
        declares = fields_with(type(node.layer), Declares)
        fields = {name: value for name, value in node.layer if name not in declares}
        return node.path, type(node.layer), fields, node.sources, node.trainable

    return inference.shapes[:first], [layer(node) for node in nodes], graph.outputs


def errors_of(failures: Iterable[Failure]) -> frozenset[Error]:
    """Return failures by code and path."""
    return frozenset((failed.code, failed.path) for failed in failures)


def own(finding: Diagnostic) -> set[Error]:
    """Return the errors that a finding is."""
    return {(finding.code, path) for path in finding.paths} or {(finding.code, "")}
