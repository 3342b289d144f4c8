"""What each diagnostic means, with the smallest network that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import fill, indent
from typing import TYPE_CHECKING

from shapecalc.diagnostics.diagnostic import Diagnostic, Severity, text
from shapecalc.errors import SpecError, nearest, quote

if TYPE_CHECKING:
    from shapecalc.model import Model

_WIDTH = 80
_FILE = "example.yaml"

Loads = Callable[..., "Model"]
"""`shapecalc.loads`, which stands above this floor."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code of a diagnostic: what it means, what to do, and a spec that shows it."""

    code: str
    severity: Severity
    """How bad it is, as a rule."""
    title: str
    means: str
    remedy: str
    example: str
    """A spec, whose check finds just this."""

    def found(self, loads: Loads) -> Diagnostic:
        """Return what the check says of the example, which need not be readable as a model."""
        from shapecalc.repair.repair import of_unreadable

        try:
            found: list[Diagnostic] = loads(self.example, file=_FILE).check()
        except SpecError as error:
            found = [of_unreadable(self.example, error, loads)]
        return found[0]


@cache
def explanations() -> dict[str, Explanation]:
    """Return all explanations by code: errors first, in the order of the file.

    >>> explanations()["silent-loss"].title
    'The last rows or columns of a map are read by no window.'
    """
    from shapecalc.spec.located_text import parse

    written = parse(files(__package__).joinpath("explanations.yaml").read_text(encoding="utf-8"))
    return {
        code: Explanation(code, **{name: value.strip() for name, value in parts.items()})
        for code, parts in written.items()
    }


def explanation(code: str) -> Explanation:
    """Return the explanation of a code; raise `SpecError` for what is none.

    >>> explanation("silent-los")
    Traceback (most recent call last):
        ...
    shapecalc.errors.SpecError: no diagnostic has the code 'silent-los' (did you mean 'silent-loss'?)
      hint: `shapecalc explain` lists them all
    """
    known = explanations()
    if code not in known:
        raise SpecError(
            f"no diagnostic has the code {quote(code)}{nearest(code, [*known])}",
            hint="`shapecalc explain` lists them all",
        )
    return known[code]


def explained(one: Explanation, loads: Loads) -> str:
    """Return an explanation for a terminal, with what the check says of its example."""
    return "\n\n".join(
        [
            f"{one.severity}[{one.code}]: {one.title}",
            fill(one.means, _WIDTH),
            fill(f"What to do: {one.remedy}", _WIDTH),
            f"For example, of {_FILE}\n\n{indent(one.example, '    ')}",
            f"`shapecalc check {_FILE}` says\n\n{indent(text(one.found(loads)), '    ')}",
        ]
    )


def all_titles() -> str:
    """Return every code with its title, errors first."""
    known = explanations().values()
    width = max(len(one.code) for one in known)
    lines: list[str] = []
    for severity in ("error", "warning", "note"):
        lines += ["", f"{severity.capitalize()}s"] if lines else [f"{severity.capitalize()}s"]
        lines += [f"  {one.code:{width}}  {one.title}" for one in known if one.severity == severity]
    return "\n".join(lines)
