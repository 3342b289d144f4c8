"""Printing for people: colour where it is wanted, errors each told once, symbols that the stream knows."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class Working:
    """Tells on a terminal what is being done, once it has taken longer than one likes to wait in silence.

    What is told stands on a line of its own on stderr, and is wiped away before anything else is printed.
    """

    PATIENCE = 1.0
    """Seconds of silence."""

    def __init__(self) -> None:
        self.told = ""
        self.is_seen = False
        self.stop: Callable[[], None] = _nothing

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Do something that may take long."""
        if not sys.stderr.isatty():
            yield
            return
        from threading import Timer

        self.told = f"{what} …"
        timer = Timer(self.PATIENCE, self.show)
        timer.daemon = True
        self.stop = timer.cancel
        timer.start()
        try:
            yield
        finally:
            self.wipe()

    def progress(self, done: int, of: int, what: str) -> None:
        """Tell how far it has got."""
        self.told = f"{done} of {of} {what}"
        if self.is_seen:
            self.show()

    def show(self) -> None:
        """Write it, over what was told before."""
        self.is_seen = True
        click.echo(f"\r\x1b[K{self.told}", err=True, nl=False)

    def wipe(self) -> None:
        """Tell nothing more, and leave an empty line for what comes."""
        self.stop()
        if self.is_seen:
            self.is_seen = False
            click.echo("\r\x1b[K", err=True, nl=False)


def _nothing() -> None:
    """Nothing is waited for."""


WORKING = Working()
"""What this process is doing."""


def say(text: str) -> None:
    """Print to stdout."""
    echo(text, sys.stdout)


def echo(text: str, stream: Any) -> None:
    """Print, plain when piped; symbols that the stream cannot write become ASCII."""
    WORKING.wipe()
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
