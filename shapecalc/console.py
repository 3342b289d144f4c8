"""Terminal output: colour on terminals, each distinct error once, ASCII where the encoding needs it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from shapecalc.errors import Failure, Findings, Located, ShapecalcError
from shapecalc.render import written

if TYPE_CHECKING:
    from shapecalc.render.piece import Page

MOST_ERRORS = 10


def complain(error: ShapecalcError) -> None:
    """Print an error, or each distinct failure behind it, to stderr."""
    if isinstance(error, Findings):
        echo(painted(str(error)), sys.stderr)
        return
    same: dict[tuple[str, str], list[Failure]] = {}
    for failure in error.failures if isinstance(error, Located) else ():
        same.setdefault((str(failure.place), failure.message), []).append(failure)
    texts = [str(group[0].error(others=len(group) - 1)) for group in same.values()] or [str(error)]
    for text in texts[:MOST_ERRORS]:
        echo(painted(f"error: {text}"), sys.stderr)
    if len(texts) > MOST_ERRORS:
        echo(f"and {len(texts) - MOST_ERRORS:,} more errors", sys.stderr)


def colour(stream: Any) -> bool:
    """Whether a stream gets colour: it is a terminal and NO_COLOR is not set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


_COLOURS = {"error": "red", "warning": "magenta", "note": "cyan", "fix": "green", "help": "cyan"}
"""Terminal colours that are readable on light and on dark backgrounds."""
_SEVERITY = re.compile(r"^( *)(error|warning|note|fix|help)(?=[\[:])", re.MULTILINE)


def painted(text: str) -> str:
    r"""Colour the severity word at the start of each line; a pipe drops the colours.

    >>> painted("error[channels]: no")
    '\x1b[31m\x1b[1merror\x1b[0m[channels]: no'
    """
    return _SEVERITY.sub(
        lambda match: match[1] + click.style(match[2], fg=_COLOURS[match[2]], bold=True), text
    )


class Working:
    """Progress message on a terminal, shown after a second of silence.

    It is one line on stderr, cleared before anything else is printed.
    """

    PATIENCE = 1.0
    """Seconds until it is shown."""

    def __init__(self) -> None:
        self.message = ""
        self.is_seen = False
        self.stop: Callable[[], None] = _nothing

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Show `what` while the body runs, if it takes long."""
        if not sys.stderr.isatty():
            yield
            return
        from threading import Timer

        self.message = f"{what} …"
        timer = Timer(self.PATIENCE, self.show)
        timer.daemon = True
        self.stop = timer.cancel
        timer.start()
        try:
            yield
        finally:
            self.wipe()

    def progress(self, done: int, of: int, what: str) -> None:
        """Set the message to the progress made."""
        self.message = f"{done} of {of} {what}"
        if self.is_seen:
            self.show()

    def show(self) -> None:
        """Write the message over the previous one."""
        self.is_seen = True
        click.echo(f"\r\x1b[K{self.message}", err=True, nl=False)

    def wipe(self) -> None:
        """Stop, and clear the line."""
        self.stop()
        if self.is_seen:
            self.is_seen = False
            click.echo("\r\x1b[K", err=True, nl=False)


def _nothing() -> None:
    """Do nothing: no timer is running."""


WORKING = Working()
"""The progress message of this process."""


def say(text: str) -> None:
    """Print to stdout."""
    echo(text, sys.stdout)


_SIGNS = "⌈⌉⌊⌋·×≥≤≠≡…"
_ASCII = ("ceil(", ")", "floor(", ")", "*", "x", ">=", "<=", "!=", "=", "...")


def echo(text: str, stream: Any) -> None:
    """Print, plain when piped; symbols outside the stream's encoding become ASCII."""
    WORKING.wipe()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = (
            text.translate(dict(zip(map(ord, _SIGNS), _ASCII, strict=True)))
            .encode(encoding, "replace")
            .decode(encoding)
        )
    click.echo(text, file=stream, color=colour(stream))


def say_json(data: Any) -> None:
    """Print data as JSON."""
    import json

    say(json.dumps(data, indent=2, ensure_ascii=False))


def say_page(page: Page, form: str) -> None:
    """Print a page in a form; text, also called `table`, fits the width of a terminal."""
    is_text = form in {"text", "table"}
    say(written(page, "text", terminal_width()) if is_text else written(page, form))


def terminal_width() -> int | None:
    """Return the width of the terminal, or None when the output is piped."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns
