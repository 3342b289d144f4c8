"""Fixes written into a text: the safe ones only, or unsafe ones too until no error is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import NamedTuple

from shapecalc.diagnostics.diagnostic import Diagnostic, Fix
from shapecalc.errors import Located
from shapecalc.repair.repair import Repairer, of_unreadable
from shapecalc.repair.repair_state import RepairState, Source, own
from shapecalc.repair.text_edits import applied

MOST_ROUNDS = 40
MOST_INFERRED = 12_000
"""After so many layers that searches inferred no further round begins: the rest is for the next run."""


class Fixed(NamedTuple):
    """A text after fixes, each with its finding, and how many unsafe fixes it would take further."""

    text: str
    done: list[tuple[Diagnostic, Fix]]
    unsafe: int = 0


def fixed(source: Source, *, unsafe: bool = False) -> Fixed:
    """Return the text with its errors fixed as far as it goes: by safe fixes, or by unsafe ones too.

    Where a set of edits that leaves no error is known, its steps are taken, of which a safe one must also
    hold without the unsafe; else one error is fixed after the other.
    """
    text, done, inferred = source.text, list[tuple[Diagnostic, Fix]](), 0
    for _ in range(MOST_ROUNDS):
        repairer: Repairer | None = None
        try:
            repairer = Repairer(replace(source, text=text))
        except Located as error:
            findings = of_unreadable(text, error, source.reader)
        else:
            steps = repairer.steps(safe=False)
            if repairer.complete is not None and unsafe:
                return Fixed(repairer.complete.source.text, [*done, *steps])
            if repairer.complete is not None:
                safe = repairer.steps(safe=True)
                after = applied(text, [edit for _, fix in safe for edit in fix.edits])
                return Fixed(after or text, [*done, *safe], len(steps) - len(safe))
            wrong = repairer.start.findings
            findings = [
                replace(finding, fixes=fixes)
                for finding, fixes in zip(wrong, repairer.fixes(wrong), strict=True)
            ]
            inferred += repairer.inferred
        known = [(finding, fix) for finding in findings for fix in finding.fixes[:1] if fix.edits]
        ready = [(finding, fix) for finding, fix in known if unsafe or fix.is_safe]
        is_read = repairer is not None
        taken = ready if not is_read or _fit_together(source, text, ready) else ready[:1]
        after = applied(text, [edit for _, fix in taken for edit in fix.edits])
        if not taken or after is None or after == text:
            return Fixed(text, done, len(known))
        done += taken
        text = after
        if inferred > MOST_INFERRED:
            break
    return Fixed(text, done)


def _fit_together(source: Source, text: str, fixes: Sequence[tuple[Diagnostic, Fix]]) -> bool:
    """Say whether safe fixes, each of which holds alone, hold together and change no other error."""
    after = applied(text, [edit for _, fix in fixes for edit in fix.edits])
    if len(fixes) < 2 or after is None or not all(fix.is_safe for _, fix in fixes):
        return False
    try:
        start, end = RepairState(replace(source, text=text)), RepairState(replace(source, text=after))
    except Located:
        return False
    gone = set().union(*(own(finding) for finding, _ in fixes))
    return end.errors == start.errors - gone and start.is_kept_by(end)


def diff(name: str, before: str, after: str) -> str:
    """Return the unified diff of two texts."""
    name = name.lstrip("/")
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)
