"""Fixes of findings: each was applied to the text of a spec, which was then read and checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, Fix, from_failure, gathered
from shapecalc.diagnostics.rule import Rule
from shapecalc.engine.graph import Inference
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.errors import Failure, Located, ShapecalcError, SpecError
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.repair_state import AppliedFix, Reader, RepairState, Source
from shapecalc.repair.search import MOST_LAYERS, Search
from shapecalc.repair.spec_fixes import word_fixes
from shapecalc.repair.text_edits import applied, between
from shapecalc.repair.yaml_edits import YamlText

_FIXES_SHOWN = 2
_FEW = 4
"""With more errors than these, each is shown one fix of its own."""
_TRIED_EACH = 6
_CHEAP = 2
"""What costs more than this comes after all that can be done upstream."""
_TEXTS_FOR_PARTS = 60
_LAYERS_FOR_PARTS = 7_000
_EVALUATED_FOR_PARTS = 6_000
"""What the fixes of single findings may cost together; see `search.py`."""
_TEXT_READ = 50_000
"""About how many characters are read to try words in a text that is no model."""
_LAYERS_IN_TURN = 4_000
_IN_TURN = 30_000
"""What fixing one error after the other may cost."""
_TEXTS_EACH = 12
"""How many texts a search may try for a fix of one finding alone."""


class Repairer:
    """Finds what fixes the complete model, and what fixes each of its errors alone."""

    def __init__(self, source: Source) -> None:
        self.start = RepairState(source)
        self.search = self.for_all = Search(self.start)
        self.known: dict[frozenset[Edit], RepairState | None] = {}

    @cached_property
    def complete(self) -> RepairState | None:
        """The state without errors that the smallest known set of edits leads to.

        Where the search for it ends without one, the errors are fixed in turn.
        """
        in_turn = Search(self.start, layers=_LAYERS_IN_TURN, evaluated=_IN_TURN, ranked=_IN_TURN)
        return self.search.smallest() or in_turn.in_turn()

    @property
    def inferred(self) -> int:
        """How many layers the searches inferred, or would not infer any more."""
        parts = 0 if self.search is self.for_all else _LAYERS_FOR_PARTS - self.search.layers
        return MOST_LAYERS - self.for_all.layers + parts

    def steps(self, *, safe: bool) -> list[tuple[Diagnostic, Fix]]:
        """Return the steps of the complete fix, one after the other; or those that alone are safe fixes."""
        steps = self.complete.taken if self.complete else ()
        if not safe:
            return [
                (each.finding, Fix(self._description(each, each.finding), each.candidate.edits))
                for each in steps
            ]
        self.search = self._search_of_parts()
        alone = [(each.finding, self._fixed(each.finding, each.at_first)) for each in steps]
        fixes = [(finding, self.fix(after, finding)) for finding, after in alone if after]
        return [(finding, fix) for finding, fix in fixes if fix.is_safe]

    def _search_of_parts(self) -> Search:
        """Return a search with the bounds of what the fixes of single findings may cost together."""
        return Search(
            self.start, texts=_TEXTS_FOR_PARTS, layers=_LAYERS_FOR_PARTS, evaluated=_EVALUATED_FOR_PARTS
        )

    def fixes(self, findings: Sequence[Diagnostic]) -> list[tuple[Fix, ...]]:
        """Return the fixes of each finding, the best first.

        The first one of the first finding is the smallest set of edits that leaves no error at all.
        """
        complete = self.complete
        self.search = self._search_of_parts()
        each = [self._verified(finding) for finding in findings]
        fixes: list[list[Fix]] = [[] for _ in findings]
        if complete is not None and fixes:
            if findings[0].code == "too-small" and self.start.source.inputs is not None:
                fixes[0] += self._larger_input(findings[0])
            fixes[0].append(self.fix(complete, findings[0]))
        for _ in range(_FIXES_SHOWN if len(findings) <= _FEW else 1):
            for known, others in zip(fixes, each, strict=True):
                fix = next(others, None)
                if fix is not None and fix.edits not in [other.edits for other in known if other.edits]:
                    known.append(fix)
        return [tuple(known) for known in fixes]

    def fix(self, after: RepairState, finding: Diagnostic) -> Fix:
        """Return what leads to a state as a fix of a finding."""
        steps = tuple(self._description(step, finding) for step in after.taken)
        edits = between(self.start.source.text, after.source.text)
        if len(after.taken) == 1:
            edits = tuple(sorted(after.taken[0].candidate.edits))
        return Fix("; ".join(steps), edits, not after.findings, steps, self.start.is_kept_by(after))

    def _description(self, step: AppliedFix, finding: Diagnostic) -> str:
        """Return what a step does, with the line or, without a text, the layer where that is another."""
        if self.start.source.is_written:
            return step.description(finding.place.line)
        starts = {node.place.line or 0: node.path for node in reversed(self.start.inference.graph.nodes)}

        def layer_at(line: int) -> str:
            return f"of {starts[max((start for start in starts if start <= line), default=min(starts))]}"

        return step.description(None, layer_at).replace(f" (of {finding.path})", "")

    def _verified(self, finding: Diagnostic) -> Iterator[Fix]:
        """Yield the fixes of one finding that hold: a part of the smallest set is the best of them."""
        described: set[str] = set()
        for candidate in self._candidates(finding):
            after = self._fixed(finding, candidate)
            fix = None if after is None else self.fix(after, finding)
            if fix is not None and fix.description not in described:
                described.add(fix.description)
                yield fix
        if not described:  # it may take several changes

            def is_fixed(state: RepairState) -> bool:
                return self.start.resolves(finding, state.inference.failures)

            after = self.search.smallest(goal=is_fixed, about=finding, texts=_TEXTS_EACH)
            if after is not None:
                yield self.fix(after, finding)

    def _candidates(self, finding: Diagnostic) -> Iterator[Candidate]:
        yield from (step.at_first for step in (self.complete.taken if self.complete else ()))
        local = self.start.local(finding)[:_TRIED_EACH]
        yield from (candidate for candidate in local if candidate.cost <= _CHEAP)
        yield from self.search.above(self.start, finding)[:_TRIED_EACH]
        yield from (candidate for candidate in local if candidate.cost > _CHEAP)

    def _fixed(self, finding: Diagnostic, candidate: Candidate) -> RepairState | None:
        """Return the state after a candidate; None where the finding is left, or where too much was tried."""
        key = frozenset(candidate.edits)
        if key not in self.known:
            if not self.search.has_budget:
                return None
            self.search.texts -= 1
            self.search.layers -= self.start.size
            self.known[key] = self.start.then(finding, candidate)
        after = self.known[key]
        return after if after and self.start.resolves(finding, after.inference.failures) else None

    def _larger_input(self, finding: Diagnostic) -> Iterator[Fix]:
        """Yield the smallest input that would do in the place of the command's, which is not in the text."""
        inputs = self.start.input_fixes

        def codes(sizes: Sequence[int]) -> set[str] | None:
            failures = inputs.failures(sizes)
            return None if failures is None else {failure.code for failure in failures}

        sizes = inputs.large_enough(codes) if inputs.sizes else None
        failures = None if sizes is None else inputs.failures(sizes)
        if sizes is not None and failures is not None and self.start.resolves(finding, failures):
            yield Fix(f"an input of {'x'.join(map(str, sizes))}", (), fixes_all=not failures)


def repaired(
    model: InferredSpec,
    reader: Reader,
    findings: list[Diagnostic],
    inputs: Any,
    parameters: Mapping[str, Any],
) -> list[Diagnostic]:
    """Return the findings with the fixes of the errors among them; without edits for a model without text."""
    text = model.to_yaml() if model.text is None else model.text
    variant = model.name if model.is_member and model.text is not None else None
    source = Source(text, reader, model.place.file, variant, inputs, parameters, model.text is not None)
    wrong = [each for each in findings if each.severity == "error" and each.code != "budget"]
    try:
        repairer = Repairer(source)
    except ShapecalcError:
        return findings
    fixes = dict(zip(map(id, wrong), repairer.fixes(wrong), strict=True))
    if model.text is None:
        fixes = {key: tuple(replace(fix, edits=()) for fix in some) for key, some in fixes.items()}
    return [replace(each, fixes=fixes.get(id(each), ())) for each in findings]


def checked(text: str, reader: Reader, file: str | None = None) -> list[Diagnostic]:
    """Return the diagnostics of a text, which need not be readable as a model."""
    try:
        diagnostics: list[Diagnostic] = reader(text, file=file).check()
    except SpecError as error:
        return of_unreadable(text, error, reader)
    return diagnostics


def check_of_example(rule: Rule, reader: Reader) -> str:
    """Return what a check says of the example of a rule."""
    if rule.says:
        return rule.says
    (example,) = checked(rule.example, reader, rule.file)
    return str(example)


def of_unreadable(
    text: str, error: Located, reader: Reader, infer: Callable[[Any], Inference] | None = None
) -> list[Diagnostic]:
    """Return what is wrong with a text that is no model, with the words that may be meant.

    `infer` runs shape inference over the model without what could not be read, whose failures follow.
    """
    errors = _all(error)
    findings = _with_words(text, errors, reader)
    partial = getattr(error, "partial", None)
    if partial is not None and infer is not None:
        with suppress(Located):
            findings += [from_failure(failure) for failure in infer(partial).failures]
    findings = gathered(findings)
    return sorted(findings, key=lambda each: (each.place.line or 0, each.place.column or 0))


def _all(error: Located) -> list[Located]:
    return [error, *getattr(error, "others", ())]


def _key(error: Located) -> tuple[int, str]:
    return error.place.line or 0, error.message


def _where(error: Located) -> tuple[int, int]:
    return error.place.line or 0, error.place.column or 0


def _with_words(text: str, errors: Sequence[Located], reader: Reader) -> list[Diagnostic]:
    """Return errors as findings, with the words that may be meant: tried all at once, else one by one."""
    findings = [
        from_failure(Failure("spec", each.message, each.path, each.place, each.hint, fact=each.fact))
        for each in errors
    ]
    try:
        written = YamlText(text)
    except ShapecalcError:
        return findings
    known = {_key(each) for each in errors}
    words = [[*word_fixes(written, each.place, each.fact)] for each in errors]
    every = [candidate for candidates in words for candidate in candidates[:1]]
    changed = applied(text, [edit for candidate in every for edit in candidate.edits])
    left = None if changed is None else _left(changed, errors[0], reader)
    fixed = {_key(each) for each, candidates in zip(errors, words, strict=True) if candidates}
    last = max(map(_where, errors))
    together = left is not None and all(
        _key(each) in known - fixed or _where(each) > last for each in left[0]
    )
    tried = max(_TEXT_READ // (len(text) + 1), 4)
    for number, (error, candidates) in enumerate(zip(errors, words, strict=True)):
        if not together or len(errors) == 1:
            some = candidates if number < tried else []
            tries = (_tried(text, error, each, known, reader) for each in some)
            fix = next((each for each in tries if each is not None), None)
        else:
            descriptions = [(each.description(error.place.line), each.edits) for each in candidates[:1]]
            fix = next((Fix(description, edits) for description, edits in descriptions), None)
        if fix is not None:
            findings[number] = replace(findings[number], fixes=(fix,))
    return findings


def _left(text: str, error: Located, reader: Reader) -> tuple[list[Located], int]:
    """Return the errors of reading a text, and how many failures there are in all."""
    try:
        return [], len(reader(text, file=error.place.file).infer(None).failures)
    except Located as first:
        return _all(first), len(_all(first))


def _tried(
    text: str, error: Located, candidate: Candidate, known: set[tuple[int, str]], reader: Reader
) -> Fix | None:
    """Return a fix of an error of reading, unless it brings one before it."""
    changed = applied(text, candidate.edits)
    if changed is None:
        return None
    errors, left = _left(changed, error, reader)
    new = [each for each in errors if _key(each) not in known - {_key(error)}]
    if any(_where(each) <= _where(error) for each in new):
        return None
    return Fix(candidate.description(error.place.line), candidate.edits, not left)
