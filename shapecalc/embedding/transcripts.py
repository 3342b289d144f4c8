"""Transcripts: a block of `console` that begins with `$ shapecalc ...` shows what the command prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeAlias

from shapecalc.embedding.document import Document, filled, split
from shapecalc.embedding.fit import without_controls
from shapecalc.embedding.markers import MARKDOWN, SUFFIXES, Span
from shapecalc.embedding.mask import Fence, fences
from shapecalc.errors import Place, SpecError

Print: TypeAlias = Callable[[list[str]], str]
"""Returns all that a command line prints, errors included."""
_PROMPT = re.compile(r"(?P<indent>[ \t>]*)\$ shapecalc (?P<command>[^\r\n]*)(?P<ending>\r?\n)")


@dataclass(frozen=True, slots=True)
class Transcript(Span):
    """The output after a command in a fenced block."""

    ticks: str


def transcripts(text: str, file: str) -> Iterator[Transcript]:
    """Yield the transcripts of a Markdown document, without those in examples of Markdown."""
    if MARKDOWN not in SUFFIXES.get(PurePath(file).suffix.lower(), ()) or file.endswith(".py"):
        return
    for fence in fences(text):
        prompt = _PROMPT.match(text, *fence.body)
        if fence.info == "console" and fence.is_closed and prompt:
            yield _transcript(text, file, fence, prompt)


def _transcript(text: str, file: str, fence: Fence, prompt: re.Match[str]) -> Transcript:
    line = text.count("\n", 0, prompt.start()) + 1
    if re.search(r"^[ \t>]*\$ ", text[prompt.end() : fence.body[1]], re.MULTILINE):
        raise SpecError("a block of `console` holds one command", place=Place(file, line))
    return Transcript(
        prompt["command"], prompt.end(), fence.body[1], line, prompt["indent"], prompt["ending"], fence.ticks
    )


def transcribed(text: str, file: str, printed: Print) -> Document:
    """Return a document whose transcripts are what the commands print, their errors included."""
    return filled(text, file, lambda: transcripts(text, file), lambda command: _content(command, printed))


def _content(transcript: Transcript, printed: Print) -> str:
    lines = without_controls(printed(split(transcript.command))).removesuffix("\n").split("\n")
    if any(line.lstrip().startswith(transcript.ticks) for line in lines):
        raise SpecError("the output would close the block", hint="open it with more backticks")
    blank = transcript.indent.rstrip()
    return "".join((f"{transcript.indent}{line}" if line else blank) + transcript.ending for line in lines)
