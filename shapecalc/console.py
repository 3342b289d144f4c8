"""Printing for people: colour where it is wanted, errors each told once, symbols that the stream knows."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import click

from shapecalc.errors import Failure, Located, ShapecalcError

MOST_ERRORS = 10


def complain(error: ShapecalcError) -> None:
    """Print an error, or every failure that led to it, to stderr; one that recurs is told once."""
    same: dict[tuple[str, str], list[Failure]] = {}
    for failure in error.failures if isinstance(error, Located) else ():
        same.setdefault((str(failure.place), failure.message), []).append(failure)
    told = [str(found[0].error(others=len(found) - 1)) for found in same.values()] or [str(error)]
    for text in told[:MOST_ERRORS]:
        echo(painted(f"error: {text}"), sys.stderr)
    if len(told) > MOST_ERRORS:
        echo(f"and {len(told) - MOST_ERRORS:,} more errors", sys.stderr)


def colour(stream: Any) -> bool:
    """Say whether a stream wants colour: a terminal, and NO_COLOR is not set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


_COLOURS = {"error": "red", "warning": "magenta", "note": "cyan", "fix": "green", "help": "cyan"}
"""Of the colours of a terminal, those that can be read on a light background and on a dark one."""
_TOLD = re.compile(r"^( *)(error|warning|note|fix|help)(?=[\[:])", re.MULTILINE)


def painted(text: str) -> str:
    r"""Return findings with the word that each line begins with in its colour; a pipe drops the colours.

    >>> painted("error[channels]: no")
    '\x1b[31m\x1b[1merror\x1b[0m[channels]: no'
    """
    return _TOLD.sub(lambda found: found[1] + click.style(found[2], fg=_COLOURS[found[2]], bold=True), text)


def say(text: str) -> None:
    """Print to stdout."""
    echo(text, sys.stdout)


def echo(text: str, stream: Any) -> None:
    """Print, plain when piped; symbols that the stream cannot write become ASCII."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for symbol, plain in (
            ("⌈", "ceil("),
            ("⌉", ")"),
            ("⌊", "floor("),
            ("⌋", ")"),
            ("·", "*"),
            ("×", "x"),
            ("≥", ">="),
            ("≤", "<="),
            ("≠", "!="),
            ("≡", "="),
            ("…", "..."),
        ):
            text = text.replace(symbol, plain)
        text = text.encode(encoding, "replace").decode(encoding)
    click.echo(text, file=stream, color=colour(stream))


def terminal_width() -> int | None:
    """Return the width of the terminal, or None when the output is piped."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns
