"""The registry of rules: for each code what it means, the smallest network that shows it, and its fixes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import fill, indent
from typing import Any

from shapecalc.diagnostics.diagnostic import Applicability, Severity
from shapecalc.errors import SpecError, nearest, quote

_WIDTH = 80
EXAMPLE = "example.yaml"
"""What the file of an example is called."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a code, as `rules.yaml` has it."""

    code: str
    severity: Severity
    """How bad it is, as a rule."""
    title: str
    means: str
    remedy: str
    example: str
    """A spec, or the source of a torch module, in which the check finds just this."""
    fixes: tuple[Applicability, ...] = ()
    """What fixes of it can be."""
    file: str = EXAMPLE
    """What the file of the example is called."""
    arguments: str = ""
    """What is behind the file in the command that checks it."""
    says: str = ""
    """What the check says of an example that is no spec."""

    @property
    def command(self) -> str:
        """How the example is checked."""
        return f"shapecalc check {self.file}{self.arguments}"

    @property
    def remedy_and_fixes(self) -> str:
        """What to do about it, and what `check --fix` may do."""
        return f"{self.remedy} Fixes are {' or '.join(self.fixes)}." if self.fixes else self.remedy

    def explanation(self, says: str) -> str:
        """Return the rule for a terminal, with what a check says of its example."""
        return "\n\n".join(
            [
                f"{self.severity}[{self.code}]: {self.title}",
                fill(self.means, _WIDTH),
                fill(f"What to do: {self.remedy_and_fixes}", _WIDTH),
                f"For example, of {self.file}\n\n{indent(self.example, '    ')}",
                f"`{self.command}` says\n\n{indent(says, '    ')}",
            ]
        )


@cache
def rules() -> dict[str, Rule]:
    """Return all rules by code: errors first, in the order of the file.

    >>> rules()["silent-loss"].title
    'The last rows or columns of a map are read by no window.'
    """
    from shapecalc.spec.yaml_text import parse

    written: dict[str, dict[str, Any]]
    written = parse(files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8"))
    for parts in written.values():
        parts |= {key: parts[key].strip() for key in ("means", "remedy", "example", "says") if key in parts}
    return {code: Rule(code, **parts) for code, parts in written.items()}


def rule(code: str) -> Rule:
    """Return the rule of a code; raise `SpecError` for an unknown code.

    >>> rule("silent-los")
    Traceback (most recent call last):
        ...
    shapecalc.errors.SpecError: no diagnostic has the code 'silent-los' (did you mean 'silent-loss'?)
      hint: `shapecalc explain` lists them all
    """
    known = rules()
    if code not in known:
        raise SpecError(
            f"no diagnostic has the code {quote(code)}{nearest(code, [*known])}",
            hint="`shapecalc explain` lists them all",
        )
    return known[code]


def all_titles() -> str:
    """Return every code with its title, errors first."""
    width = max(map(len, rules()))
    lines: list[str] = []
    for severity in ("error", "warning", "note"):
        own = [each for each in rules().values() if each.severity == severity]
        lines += ["", f"{severity.capitalize()}s", *(f"  {each.code:{width}}  {each.title}" for each in own)]
    return "\n".join(lines[1:])
