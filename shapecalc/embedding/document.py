"""A document with the output of its commands in place, and its file."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from shapecalc.embedding.fit import Output, fitted
from shapecalc.embedding.markers import MARKDOWN, RST, Region, Span, regions
from shapecalc.errors import Located, Place, ShapecalcError, SpecError, quote

Run: TypeAlias = Callable[[list[str], str], Output]
"""Runs the words of a command line, in the preferred form unless they name another."""


_S = TypeVar("_S", bound=Span)
LARGEST = 2**24
"""How many bytes a document may have."""


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a file before and after, and the errors: with one, nothing is changed."""

    file: str
    before: str
    after: str
    errors: tuple[ShapecalcError, ...] = ()

    @property
    def is_stale(self) -> bool:
        """Whether the text is not what the commands print."""
        return self.before != self.after

    def then(self, later: Document) -> Document:
        """Return this document after a second step; an error in either undoes both."""
        errors = (*self.errors, *later.errors)
        return Document(self.file, self.before, self.before if errors else later.after, errors)

    def diff(self) -> str:
        """Return the difference in the form of `diff -u`."""
        from difflib import unified_diff

        before, after = (text.replace("\r\n", "\n").split("\n") for text in (self.before, self.after))
        lines = unified_diff(before, after, self.file, f"{self.file} (as printed)", lineterm="")
        return "\n".join(lines)


def embedded(text: str, file: str, run: Run) -> Document:
    """Return a document in which everything between markers is what the commands print.

    The text outside the markers is unchanged, to the last byte; a second run changes nothing.
    """
    return filled(text, file, lambda: regions(text, file), lambda region: _content(region, run))


def filled(
    text: str,
    file: str,
    find: Callable[[], Iterable[_S]],
    content: Callable[[_S], str],
) -> Document:
    """Return a document in which every span has its content; all errors are collected."""
    parts: list[str] = []
    errors: list[ShapecalcError] = []
    at = 0
    try:
        spans = [*find()]
    except SpecError as error:
        return Document(file, text, text, (error,))
    for span in spans:
        try:
            parts += [text[at : span.start], content(span)]
        except ShapecalcError as error:
            errors.append(_placed(error, span, file))
        at = span.end
    return Document(file, text, text if errors else "".join([*parts, text[at:]]), tuple(errors))


def split(command: str) -> list[str]:
    """Return the words of a command line, as a shell splits them."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise SpecError(f"this is no command line: {error}") from None


def _content(region: Region, run: Run) -> str:
    words = split(region.command)
    if region.flavour is MARKDOWN and not region.is_block and "--" in region.command:
        raise SpecError(
            "a comment within a line may not hold --: GitHub would show it as text",
            hint="write KEY=VALUE, as in value resnet50 macs input=3x320x256, or use lines of their own",
        )
    name = None
    if region.flavour is RST and words[-2:-1] == ["as"]:
        *words, _, name = words
        if not name.isidentifier() or words[:1] != ["value"]:
            raise SpecError(
                "`as NAME` gives a name to a value", hint="as in value resnet50 params as resnet_params"
            )
    is_help = region.forbidden and region.flavour is RST  # a docstring is mostly read as text
    return fitted(run(words, "text" if is_help else region.flavour.name), region, name)


def _placed(error: ShapecalcError, span: Span, file: str) -> SpecError:
    """Return the error with the place of the command; the place within a spec goes into its message."""
    place, command = Place(file, span.line), quote(f"shapecalc {' '.join(span.command.split())}")[1:-1]
    if not isinstance(error, Located):
        return SpecError(f"{command}: {error}", place=place)
    inner = f"{error.place}: {error.message}" if error.place else error.message
    return SpecError(f"{command}: {inner}", place=place, path=error.path, hint=error.hint)
