"""The exceptions that shapecalc raises, all of them under one root.

    ShapecalcError
    ├── SpecError          the text or the tree cannot be read as a model
    │   ├── FormulaError   spec arithmetic is malformed or has no value
    │   └── ForwardError   a torch module fails, in its forward or when it is made
    ├── ShapeError         the model is invalid: a layer rejects its input
    ├── DesignError        a check has errors, all of which it lists
    ├── Undecided          there is no exact answer; the text names a page of help
    └── NotInstalled       an operation needs a framework that is not installed

A `SpecError` is about the text or tree of a spec, a `ShapeError` about the shapes that follow from it.
`Undecided` is raised instead of a guess. `DesignError` is raised by `Model.validate_design` only, and
`ForwardError` by `from_torch`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from shapecalc.diagnostics.diagnostic import Diagnostic

_LONGEST_QUOTE = 60
_DEEPEST_QUOTE = 8
_LONGEST_PATH = 300


class ShapecalcError(Exception):
    """The root: catching it catches everything that shapecalc raises on purpose."""


class Place:
    """The position of something in a file (lines and columns count from 1), and of its parts.

    Two places always compare equal, so that a model read from a file equals the same model written in
    Python.
    """

    __slots__ = ("column", "file", "line", "parts")

    def __init__(
        self,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        parts: Mapping[str, Place] | Sequence[Place] = (),
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.parts = parts

    def of(self, *keys: str | int) -> Place:
        """Return the place of a part: as deep along the keys as places are known."""
        place = self
        for key in keys:
            parts: Any = place.parts
            known = key in parts if isinstance(parts, Mapping) else isinstance(key, int) and key < len(parts)
            if not known:
                break
            place = parts[key]
        return place

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"Place(file={self.file!r}, line={self.line!r}, column={self.column!r})"

    def __bool__(self) -> bool:
        return self.file is not None or self.line is not None

    @property
    def from_here(self) -> Place:
        """The same place, with the file relative to the working directory where it is under that."""
        file = self.file
        if file is not None:
            with suppress(ValueError, OSError):
                file = str(Path(file).relative_to(Path.cwd()))
        return Place(file, self.line, self.column, self.parts)

    def shown(self, *, column: bool = False) -> str:
        """Return the place for a reader, the file from the working directory or the folder of packages."""
        file = self.from_here.file or ""
        for packages in ("/site-packages/", "/dist-packages/"):
            file = file.rpartition(packages)[2]
        return str(Place(file or None, self.line, self.column if column else None)) if self else ""

    def to_dict(self) -> dict[str, str | int | None]:
        """Return the place as plain data for JSON."""
        return {"file": self.file, "line": self.line, "column": self.column}

    def __str__(self) -> str:
        numbers = [str(n) for n in (self.line, self.column) if n is not None]
        return ":".join([self.file or "<spec>", *numbers])


class Fact:
    """The facts of an error as data: fixes are made from its fields, never from a message."""

    __slots__ = ()


class WrongWord(Fact):
    """An unknown word, and the known words; of a choice, these are all legal values."""

    def __init__(self, word: object, known: Iterable[str], *, is_choice: bool = False) -> None:
        self.word = str(word)
        self.known = tuple(known)
        self.is_choice = is_choice

    @property
    def meant(self) -> list[str]:
        """The likely intended words: the nearest, then those of a choice with the same first letter."""
        from difflib import get_close_matches

        nearest = get_close_matches(self.word.lower()[:100], self.known[:2000], n=1, cutoff=0.6)
        alike = [word for word in self.known if self.is_choice and word.startswith(self.word[:1])]
        return [*dict.fromkeys((*nearest, *alike))]


class OutOfBounds(WrongWord):
    """A number beyond a bound; the bound is the legal number nearest to it."""

    def __init__(self, number: object, bound: int) -> None:
        super().__init__(number, [str(bound)], is_choice=True)

    @property
    def meant(self) -> list[str]:
        """The bound."""
        return [*self.known]


class UnknownStep(WrongWord):
    """A reference to a step that does not exist, or not yet; `word` is its unknown part."""

    def __init__(
        self, reference: str, word: str = "", known: Iterable[str] = (), *, is_later: bool = False
    ) -> None:
        super().__init__(word or reference, known)
        self.reference = reference
        self.is_later = is_later


class OtherWeights(Fact):
    """A layer needs weights of other shapes than those of the layer that it shares with."""

    def __init__(self, owner: str, user: str) -> None:
        self.owner = owner
        self.user = user


class Located(ShapecalcError):
    """An error with its file, line and layer.

    `at` names the part of a layer (a field, `when`) until its place is known; `fact` is its facts as data.
    `failures` holds every failure of an inference, of which this is the first.
    """

    page: ClassVar[str] = ""
    """The page of the documentation that explains this kind of error, if any."""

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        path: str = "",
        hint: str = "",
        at: tuple[str | int, ...] = (),
        fact: Fact | None = None,
        failures: tuple[Failure, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place or Place()
        self.path = path
        self.hint = hint
        self.at = at
        self.fact = fact
        self.failures = failures

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        lines = [head]
        if self.path:
            path = self.path if len(self.path) <= _LONGEST_PATH else f"…{self.path[-_LONGEST_PATH:]}"
            lines.append(f"  in {path}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        if self.page:
            lines.append(f"  help: {self.page}")
        return "\n".join(map(printable, lines))

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.message, self.__dict__)


def _rebuild(kind: type[Located], message: str, state: dict[str, Any]) -> Located:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class SpecError(Located):
    """The text, or the tree built in Python, is not a model; `others` are the mistakes besides the first."""

    others: tuple[SpecError, ...] = ()
    partial: Any = None  # the model without what could not be read


class FormulaError(SpecError):
    """A piece of spec arithmetic is malformed, unsafe, or has no value."""


class ShapeError(Located):
    """A layer rejects its input; `failures` holds every independent failure of the inference."""


class Findings(Located):
    """An error that is a list of findings, errors first."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        first = diagnostics[0]
        hint = first.hint or next((fix.description for fix in first.fixes), "")
        super().__init__(first.message, place=first.place, path=first.path, hint=hint)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.diagnostics))


class DesignError(Findings):
    """A check has errors; `diagnostics` holds all of its results, errors first."""


class ForwardError(Findings, SpecError):
    """A torch module fails; `diagnostics` are what `check` reports of it, with repairs."""


class Undecided(Located):
    """The answer depends on what was left free, so there is no exact answer."""

    page = "docs/closed_forms.md#undecided"


class NotInstalled(ShapecalcError):
    """An operation needs a framework that is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of an inference as a value: the inference continues after it."""

    code: str
    message: str
    path: str = ""
    place: Place = field(default_factory=Place)
    hint: str = ""
    is_spec_error: bool = False
    fact: Fact | None = field(default=None, compare=False)
    """Its facts as data: a `Requirement`, or a fact of the spec."""

    def error(self, failures: tuple[Failure, ...] = (), *, others: int = 0) -> Located:
        """Return this failure as the exception that `analyze` raises; `others` layers fail likewise."""
        path = f"{self.path} and {others:,} more" if others else self.path
        kind = SpecError if self.is_spec_error else ShapeError
        return kind(self.message, place=self.place, path=path, hint=self.hint, failures=failures)


class Written:
    """A value whose text in a spec is its `str`, and is quoted so."""

    __slots__ = ()


def quote(value: object) -> str:
    r"""Return user input as it may appear in a message: as a spec writes it, in one line, not too long.

    >>> print(quote("a\nb"), quote(None), quote([True, 0.5]), quote({"stride": 2}))
    'a\nb' null [true, 0.5] {stride: 2}
    """
    text = printable(_written(value, 0))
    if len(text) <= _LONGEST_QUOTE:
        return text
    ending = text[-1] if text[-1] in "'\"]}" else ""
    return f"{text[: _LONGEST_QUOTE - 2]}…{ending}"


def _written(value: object, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int) and value.bit_length() > 1000:
        return "a number of hundreds of digits"  # of thousands, and Python would refuse to write it
    if isinstance(value, str):
        return repr(value[: 2 * _LONGEST_QUOTE])
    if isinstance(value, Fraction):
        decimal = repr(float(value)) if value.denominator < 10**18 else ""
        return decimal if decimal and Fraction(decimal) == value else str(value)
    if isinstance(value, (list, tuple, Mapping)) and depth >= _DEEPEST_QUOTE:
        return "…"
    if isinstance(value, (list, tuple)):
        return f"[{_some(_written(item, depth + 1) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{_some(f'{key}: {_written(item, depth + 1)}' for key, item in value.items())}}}"
    return str(value) if isinstance(value, Written) else repr(value)


def _some(texts: Iterable[str]) -> str:
    """Join texts until there is more than a message will show."""
    joined = ""
    for text in texts:
        if len(joined) > _LONGEST_QUOTE:
            break
        joined += f", {text}" if joined else text
    return joined


def printable(text: str) -> str:
    r"""Return text in which control characters, which a terminal would obey, are escaped.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def unknown(what: str, word: object, known: Iterable[str], label: str = "known") -> SpecError:
    """Return the error for a word that is not known, with the nearest that is one and all of them."""
    words = [*known]
    hint = f"{label}: {', '.join(words) or 'none'}"
    return SpecError(f"{what} {quote(word)}{nearest(word, words)}", hint=hint)


def nearest(word: object, known: Sequence[str]) -> str:
    """Return ` (did you mean 'x'?)` for the known word nearest to a mistyped one, or nothing."""
    meant = WrongWord(word, known).meant
    return f" (did you mean {meant[0]!r}?)" if meant else ""
