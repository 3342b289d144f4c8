"""The exceptions that shapecalc raises, all of them under one root.

    ShapecalcError
    ├── SpecError          the text or the tree cannot be read as a model
    │   └── FormulaError   one piece of spec arithmetic is malformed or has no value
    ├── ShapeError         the model does not hold: a layer refuses what arrives
    └── Undecided          the question has no exact answer in the form it was asked

A `SpecError` is about what was written, a `ShapeError` about what follows from it. `Undecided`
is raised instead of a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_LONGEST_QUOTE = 60


class ShapecalcError(Exception):
    """The root: catching it catches everything that shapecalc raises on purpose."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where in a file something was written (lines and columns count from 1).

    Two places always compare equal: where a thing stands does not change what it is, so that a
    model read from a file equals the same model written in Python.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return self.file is not None or self.line is not None

    def __str__(self) -> str:
        numbers = [str(n) for n in (self.line, self.column) if n is not None]
        return ":".join([self.file or "<spec>", *numbers])


class Located(ShapecalcError):
    """An error that knows where it happened: in which file and line, and in which layer."""

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        path: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place or Place()
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        lines = [head]
        if self.path:
            lines.append(f"  in {self.path}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.message, self.__dict__)


def _rebuild(kind: type[Located], message: str, state: dict[str, Any]) -> Located:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class SpecError(Located):
    """The text, or the tree built in Python, is not a model."""


class FormulaError(SpecError):
    """A piece of spec arithmetic is malformed, unsafe, or has no value."""


class ShapeError(Located):
    """A layer refuses what arrives; `failures` holds every independent failure of the walk."""

    def __init__(self, message: str, *, failures: tuple[Failure, ...] = (), **where: Any) -> None:
        super().__init__(message, **where)
        self.failures = failures


class Undecided(ShapecalcError):
    """The answer depends on what was left free, so there is no single one to give."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a walk, as a value: the walk goes on beside it."""

    code: str
    message: str
    path: str = ""
    place: Place = field(default_factory=Place)
    hint: str = ""
    is_spec_error: bool = False

    def error(self, failures: tuple[Failure, ...] = ()) -> Located:
        """Return this failure as the exception that `analyze` raises."""
        if self.is_spec_error:
            return SpecError(self.message, place=self.place, path=self.path, hint=self.hint)
        return ShapeError(self.message, place=self.place, path=self.path, hint=self.hint, failures=failures)


def quote(value: object) -> str:
    """Return user input as it may stand in a message: quoted, on one line, not too long."""
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python agrees to print
        return "a number of thousands of digits"
    except RecursionError:
        return "a deeply nested value"
    if len(text) > _LONGEST_QUOTE:
        return text[: _LONGEST_QUOTE - 1] + "…"
    return text


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str:
    """Return ` (did you mean 'x'?)` for the known word nearest to a mistyped one, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower()[:100], known, n=1, cutoff=0.6)
    return f" (did you mean {found[0]!r}?)" if found else ""
