"""Repairs that were tried: each is applied to the text of a spec, which is then read and checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from shapecalc.algebra import Expr
from shapecalc.algebra.formula import Formula
from shapecalc.checks.diagnostic import Diagnostic, Edit, Fix
from shapecalc.checks.edit import Text, applied, between
from shapecalc.checks.propose import Proposal, Proposer, words
from shapecalc.checks.trace import origin_of_parameter
from shapecalc.engine.graph import Walk
from shapecalc.errors import Failure, Located, ShapecalcError

MOST_TRIALS = 20
_FIXES_SHOWN = 2
_TRIED_EACH = 6
_FOLLOWING = 2
_LARGEST_SIDE = 4096

Reader = Callable[..., Any]
Error = tuple[str, str]
"""A code and the path of a layer."""


@dataclass(slots=True)
class Source:
    """The text of a model, and the question that is asked of it."""

    text: str
    reader: Reader
    """`loads`, which the checks may not know: it stands above them."""
    file: str | None = None
    variant: str | None = None
    given: Any = None
    """The input's shape, where it was given."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def model(self) -> Any:
        """Return the model that the text says."""
        model = self.reader(self.text, file=self.file)
        return model.variant(self.variant) if self.variant else model

    def walk(self, given: Any = None) -> tuple[Any, Walk]:
        """Return the model and the walk over it."""
        model = self.model()
        return model, model.walk(given or self.given, **self.parameters)


class Repairer:
    """Tries proposals against one text; each costs a walk, so there is an end to them."""

    def __init__(self, source: Source, trials: int = MOST_TRIALS, *, may_follow: bool = True) -> None:
        self.source = source
        self.model, self.first = source.walk()
        self.text = Text(source.text)
        self.before = _errors(self.first.failures)
        self.walked = {node.path for node in self.first.graph.nodes}
        self.trials = trials
        self.may_follow = may_follow
        self.known: dict[frozenset[Edit], set[Error] | None] = {}

    def fixes(self, found: Sequence[Diagnostic], most: int = _FIXES_SHOWN) -> list[tuple[Fix, ...]]:
        """Return the repairs of each finding: first one for each, then more while trials are left."""
        proposer = Proposer(self.model, self.first, self.text)
        each = [self.verified(one, proposer) for one in found]
        fixes: list[list[Fix]] = [[] for _ in found]
        for _ in range(most):
            for number, generator in enumerate(each):
                fix = next(generator, None)
                if fix is not None:
                    fixes[number].append(fix)
        return [
            tuple(
                sorted(one, key=lambda fix: (not fix.fixes_all, len({edit.line for edit in fix.edits}) > 1))
            )
            for one in fixes
        ]

    def verified(self, one: Diagnostic, proposer: Proposer) -> Iterator[Fix]:
        """Yield the repairs of a finding that hold."""
        if one.code == "too-small":
            yield from self.larger(one)
        described: set[str] = set()
        half: list[tuple[Proposal, str]] = []
        for number, proposal in enumerate(proposer.proposals(one)):
            if number >= _TRIED_EACH:
                break
            description = proposal.description(one.place.line)
            after = self.tried(proposal.edits)
            if after is not None and self.holds(one, after) and description not in described:
                described.add(description)
                yield Fix(description, tuple(sorted(proposal.edits)), fixes_all=not after)
            elif after is not None and not _own(one) & after:
                half.append((proposal, description))
        if self.may_follow and not described:
            for proposal, description in half[:2]:
                fix = self.followed(one, proposal, description)
                if fix is not None:
                    yield fix

    def followed(self, one: Diagnostic, proposal: Proposal, description: str) -> Fix | None:
        """Return a repair together with what must change after it, where that is not too much."""
        text = applied(self.source.text, proposal.edits)
        told = [description]
        for _ in range(_FOLLOWING):
            if text is None or self.trials <= 0:
                return None
            inner = Repairer(replace(self.source, text=text), min(self.trials, 4), may_follow=False)
            allowed, found = inner.trials, inner.model.check_only(self.source.given, **self.source.parameters)
            new = [one for one in found if one.severity == "error" and not _own(one) & self.before]
            fixes = inner.fixes(new[:1], 1)[0] if new else ()
            self.trials -= allowed - inner.trials
            if not fixes or not fixes[0].edits:
                return None
            text = applied(text, fixes[0].edits)
            told.append(f"{fixes[0].description} in {new[0].path}")
            if text is None:
                return None
            edits = between(self.source.text, text)
            after = self.tried(edits)
            if after is not None and self.holds(one, after):
                return Fix("; ".join(told), edits, fixes_all=not after)
        return None

    def tried(self, edits: Sequence[Edit]) -> set[Error] | None:
        """Return the errors that are there after some edits; None where nothing can be said."""
        key = frozenset(edits)
        if key not in self.known:
            if self.trials <= 0:
                return None
            self.trials -= 1
            text = applied(self.source.text, edits)
            try:
                walk = None if text is None else replace(self.source, text=text).walk()[1]
            except ShapecalcError:
                walk = None
            self.known[key] = None if walk is None else _errors(walk.failures)
        return self.known[key]

    def holds(self, one: Diagnostic, after: set[Error]) -> bool:
        """Say whether a finding is gone and no error is new; one at a layer not reached before is not."""
        new = {error for error in after - self.before if error[1] in self.walked}
        return not _own(one) & after and not new

    # ---- inputs that are too small

    def larger(self, one: Diagnostic) -> Iterator[Fix]:
        """Yield the smallest input, all sides grown by the same, at which nothing is too small."""
        if len(self.model.input) != 1 or self.trials <= 0:
            return
        (name,) = self.model.input
        now = self.first.shapes[0]
        if now is None or len(now) < 3 or any(isinstance(size, Expr) for size in now):
            return
        sizes = [int(size) for size in now[1:] if isinstance(size, int)]
        keep = len(sizes) - 1 if self.model.framework == "keras" else 0
        grown = self._grown(name, sizes, keep)
        if grown is None:
            return
        told = f"an input of {'x'.join(map(str, grown))}"
        proposal = None if self.source.given is not None else self._input_edits(name, sizes, grown)
        if proposal is not None:
            after = self.tried(proposal.edits)
            if after is not None and self.holds(one, after):
                yield Fix(f"{told}: {proposal.description(None)}", proposal.edits, fixes_all=not after)
            elif after is not None and not _own(one) & after and self.may_follow:
                fix = self.followed(one, proposal, f"{told}: {proposal.description(None)}")
                if fix is not None:
                    yield fix
            return
        failures = self._walk_at(name, grown)
        if failures is not None and self.holds(one, _errors(failures)):
            yield Fix(told, (), fixes_all=not failures)

    def _grown(self, name: str, sizes: Sequence[int], keep: int) -> list[int] | None:
        def at(more: int) -> list[int]:
            return [size if axis == keep else size + more for axis, size in enumerate(sizes)]

        def is_enough(more: int) -> bool:
            failures = self._walk_at(name, at(more))
            return failures is not None and all(one.code != "too-small" for one in failures)

        low, high = 0, 1
        while not is_enough(high):
            low, high = high, 2 * high
            if high > _LARGEST_SIDE:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle) else (middle, high)
        return at(high)

    def _walk_at(self, name: str, sizes: Sequence[int]) -> Sequence[Failure] | None:
        named = {str(size) for size in self.model.input[name]}
        others = {key: value for key, value in self.source.parameters.items() if key not in named}
        try:
            walk: Walk = self.model.walk({name: tuple(sizes)}, **others)
            return walk.failures
        except ShapecalcError:
            return None

    def _input_edits(self, name: str, sizes: Sequence[int], grown: Sequence[int]) -> Proposal | None:
        edits: dict[Edit, str] = {}
        written = self.model.place.of("input")
        place = written.of(name) if isinstance(written.parts, Mapping) else written
        for axis, (declared, old, new) in enumerate(zip(self.model.input[name], sizes, grown, strict=True)):
            if old == new:
                continue
            edit, told = None, ""
            if isinstance(declared, Formula):
                if not declared.is_name or declared.text in self.source.parameters:
                    return None
                spot = next(origin_of_parameter(self.model, declared.text), None)
                if spot is not None:
                    edit, told = spot.edit(self.text, str(new)), f"{spot.key}: {new}"
            else:
                edit, told = self.text.replace_key(place.of(axis), str(new)), f"{old} -> {new}"
            if edit is None:
                return None
            edits[edit] = told
        return Proposal(tuple(edits), tuple(edits.values()))


def _own(one: Diagnostic) -> set[Error]:
    return {(one.code, path) for path in one.paths} or {(one.code, "")}


def _errors(failures: Sequence[Failure]) -> set[Error]:
    return {(one.code, one.path) for one in failures}


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
        known = Text(text)
    except (yaml.YAMLError, ShapecalcError):
        return one
    for proposal in words(one, known):
        changed = applied(text, proposal.edits)
        if changed is None:
            continue
        left = 0
        try:
            left = len(reader(changed, file=error.place.file).walk(None).failures)
        except Located as next_error:
            there = (next_error.place.line or 0, next_error.place.column or 0)
            if there <= (error.place.line or 0, error.place.column or 0):
                continue
            left = 1
        return replace(one, fixes=(Fix(proposal.description(one.place.line), proposal.edits, not left),))
    return one
