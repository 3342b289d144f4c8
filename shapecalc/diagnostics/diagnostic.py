"""One finding about a model, and the forms in which findings are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shapecalc.errors import Fact, Failure, Place, printable
from shapecalc.render.display import Shown

if TYPE_CHECKING:
    from shapecalc.render.piece import Page

Severity = Literal["error", "warning", "note"]
Applicability = Literal["safe", "unsafe", "display-only"]
BREAK = re.compile(r"\r\n|[\r\n\u2028\u2029]")
"""What ends a line of YAML."""
_ORDER = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """At a line and column, one piece of text for another; `old` is empty where text is put in."""

    line: int
    column: int
    old: str
    new: str

    @property
    def end(self) -> tuple[int, int]:
        """The line and column behind what is taken away."""
        breaks = [*BREAK.finditer(self.old)]
        if not breaks:
            return self.line, self.column + len(self.old)
        return self.line + len(breaks), len(self.old) - breaks[-1].end() + 1


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair that was tried: with it the finding is gone, and no other error has come."""

    description: str
    edits: tuple[Edit, ...] = ()
    """What to change in the file; nothing for a model that has no text, and for other inputs."""
    fixes_all: bool = False
    """Whether the model has no error left."""
    steps: tuple[str, ...] = ()
    """What is done, one thing after the other, where it is more than a single change."""
    is_safe: bool = False
    """Whether the network stays the same, up to sizes that it declared wrong."""

    @property
    def applicability(self) -> Applicability:
        """What applies it: `check --fix` (safe), `--unsafe-fixes` too (unsafe), or nothing but a reader."""
        if not self.edits:
            return "display-only"
        return "safe" if self.is_safe else "unsafe"

    def to_dict(self) -> dict[str, Any]:
        """Return the fix as plain data for JSON."""
        return {
            "description": self.description,
            "applicability": self.applicability,
            "edits": [asdict(edit) for edit in self.edits],
            "fixes_all": self.fixes_all,
        }


@dataclass(frozen=True, slots=True)
class Diagnostic(Shown):
    """A finding: a stable code, how bad it is, what it says, and where."""

    code: str
    severity: Severity
    message: str
    place: Place = field(default_factory=Place)
    paths: tuple[str, ...] = ()
    """The layers it is about: one, or all those in which the same line fails in the same way."""
    hint: str = ""
    fixes: tuple[Fix, ...] = ()
    """Fixes that were applied and checked, the best first."""
    fact: Fact | None = field(default=None, compare=False, repr=False)
    """What it is about, as data."""
    origin: str = field(default="", compare=False, repr=False)
    """What it has in common with those of other layers that are merged with it."""
    notes: tuple[str, ...] = ()
    """What else is known: where a size comes from, what another program says."""

    @property
    def path(self) -> str:
        """The first layer it is about."""
        return self.paths[0] if self.paths else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            **self.place.to_dict(),
            "path": self.path,
            "paths": list(self.paths),
            "message": self.message,
            "hint": self.hint,
            **({"notes": list(self.notes)} if self.notes else {}),
            "fixes": [fix.to_dict() for fix in self.fixes],
        }

    @property
    def details(self) -> tuple[str, ...]:
        """The notes, the hint and fixes without edits, for readers who see nothing but a message."""
        fixes = (f"fix: {fix.description}" for fix in self.fixes if not fix.edits)
        return (*self.notes, *((f"help: {self.hint}",) if self.hint else ()), *fixes)

    def _page(self) -> Page:
        return diagnostic_page(self)

    def __str__(self) -> str:
        return text(self)


def from_failure(failure: Failure) -> Diagnostic:
    """Return a failure of the inference as an error."""
    paths = (failure.path,) if failure.path else ()
    return Diagnostic(
        failure.code, "error", failure.message, failure.place, paths, failure.hint, fact=failure.fact
    )


def gathered(findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the findings, those of one origin merged; errors first, otherwise in the order of the network.

    Equal findings have one origin, and warnings and notes of one code about the passes of a repeat.
    """
    merged: list[tuple[Diagnostic, dict[str, None]]] = []
    known: dict[tuple[Any, ...], tuple[Diagnostic, dict[str, None]]] = {}
    for finding in findings:
        place = finding.place
        where = (finding.code, finding.severity, place.file, place.line, place.column)
        equal, repeated = (*where, "message", finding.message), (*where, "origin", finding.origin)
        group = known.get(equal)
        if group is None and finding.origin and (group := known.get(repeated)):
            group = group if group[1].keys().isdisjoint(finding.paths) else None
        if group is None:
            group = (finding, {})
            merged.append(group)
        group[1].update(dict.fromkeys(finding.paths))
        known |= {equal: group, repeated: group}
    results = [replace(finding, paths=tuple(paths)) for finding, paths in merged]
    return sorted(results, key=lambda finding: _ORDER[finding.severity])


def text(finding: Diagnostic) -> str:
    """Return a finding as a compiler prints it: the message, where, the line itself, and what helps."""
    lines = [f"{finding.severity}[{finding.code}]: {finding.message}"]
    if finding.place:
        lines += [f"  --> {finding.place}", *_excerpt(finding.place)]
    for label, (first, *steps) in _facts(finding):
        lines += [f"  {label} {first}", *(f"       {step}" for step in steps)]
    return "\n".join(map(printable, lines))


def diagnostic_page(finding: Diagnostic) -> Page:
    """Return a finding as pieces: the message, the line itself, and what helps."""
    from shapecalc.render.piece import Facts, Paragraph, Strong, Verbatim

    excerpt = [str(finding.place), *_excerpt(finding.place)] if finding.place else []
    facts = [
        (label.rstrip(":").capitalize() if number == 0 else "", (line,))
        for label, lines in _facts(finding)
        for number, line in enumerate(lines)
    ]
    return (
        Paragraph((Strong(f"{finding.severity}[{finding.code}]"), f": {finding.message}")),
        *((Verbatim("\n".join(excerpt)),) if excerpt else ()),
        *((Facts(tuple(facts)),) if facts else ()),
    )


def _facts(finding: Diagnostic) -> Iterator[tuple[str, list[str]]]:
    """Yield the layers, the hint and the fixes, each as lines with a label."""
    if finding.paths:
        more = f" and {len(finding.paths) - 1} more" if len(finding.paths) > 1 else ""
        yield "in", [f"{finding.path}{more}"]
    yield from (("note:", [note]) for note in finding.notes)
    if finding.hint:
        yield "help:", [finding.hint]
    for fix in finding.fixes:
        after = ", after which no error is left:" if fix.fixes_all else " together:"
        several = [f"these {len(fix.steps)} changes{after}", *fix.steps]
        yield "fix:", several if len(fix.steps) > 1 else [fix.description]


def _excerpt(place: Place) -> list[str]:
    """Return the line that a place names with a mark under it, or nothing where it cannot be read."""
    lines = lines_of(place.file)
    if place.line is None or place.line > len(lines):
        return []
    source, number = lines[place.line - 1], str(place.line)
    margin = " " * len(number)
    return [f" {margin} |", f" {number} | {source}", f" {margin} | {' ' * ((place.column or 1) - 1)}^"]


def short(finding: Diagnostic) -> str:
    """Return a finding in one line, as compilers print it and editors read it: place, what it is, message."""
    path = f" (in {finding.path})" if finding.path else ""
    return printable(f"{finding.place}: {finding.severity}[{finding.code}]: {finding.message}{path}")


def lines_of(file: str | None) -> list[str]:
    """Return the lines of a file, none where it cannot be read; in Python a form feed ends no line."""
    try:
        text_ = "" if file is None else Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    return text_.split("\n") if file is not None and file.endswith(".py") else text_.splitlines()


def github(finding: Diagnostic) -> str:
    """Return a finding as a workflow command, which GitHub shows beside the line."""
    level = "notice" if finding.severity == "note" else finding.severity
    place, path = finding.place, f" (in {finding.path})" if finding.path else ""
    where = {"file": place.file, "line": place.line, "col": place.column, "title": finding.code}
    pairs = [f"{name}={_escaped(str(value), ':,')}" for name, value in where.items() if value is not None]
    text_ = "\n".join(map(printable, (finding.message + path, *finding.details)))
    return f"::{level} {','.join(pairs)}::{_escaped(text_)}"


def _escaped(text_: str, separators: str = "") -> str:
    """Return text as the runner decodes it: in a property, what separates properties is encoded too."""
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{separators}" else sign for sign in text_)
