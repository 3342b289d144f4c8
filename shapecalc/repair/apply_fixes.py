"""Fixes written into a text: the safe ones only, or unsafe ones too until no error is left."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff
from typing import NamedTuple

from shapecalc.diagnostics.diagnostic import Diagnostic, Fix
from shapecalc.errors import Located
from shapecalc.repair.repair import Repairer, of_unreadable
from shapecalc.repair.repair_state import Source
from shapecalc.repair.text_edits import applied

MOST_ROUNDS = 40


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
    text, done = source.text, list[tuple[Diagnostic, Fix]]()
    for _ in range(MOST_ROUNDS):
        try:
            repairer = Repairer(replace(source, text=text))
        except Located as error:
            findings = [of_unreadable(text, error, source.reader)]
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
        known = [(finding, fix) for finding in findings for fix in finding.fixes[:1] if fix.edits]
        ready = next(((finding, fix) for finding, fix in known if unsafe or fix.is_safe), None)
        after = None if ready is None else applied(text, ready[1].edits)
        if ready is None or after is None or after == text:
            return Fixed(text, done, len(known))
        done.append(ready)
        text = after
    return Fixed(text, done)


def diff(name: str, before: str, after: str) -> str:
    """Return the unified diff of two texts."""
    name = name.lstrip("/")
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)
