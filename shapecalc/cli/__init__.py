"""The command line, one module per command, imported when the command runs. Internal.

Exit status 0: success; 1: the model does not hold; 2: a usage or spec error; 130: interrupted by Ctrl-C.
Errors go to stderr.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module
from io import StringIO
from typing import Any

import click

from shapecalc import __version__
from shapecalc.console import WORKING, complain
from shapecalc.errors import ForwardError, ShapecalcError, ShapeError, nearest, quote

COMMANDS = {
    "check": True,
    "completion": False,
    "derive": True,
    "diff": True,
    "draw": True,
    "embed": False,
    "explain": True,
    "export": True,
    "help": True,
    "html": False,
    "init": False,
    "kinds": True,
    "list": True,
    "memory": True,
    "plot": True,
    "reconcile": True,
    "roofline": True,
    "schema": True,
    "show": True,
    "sizes": True,
    "solve": True,
    "value": True,
    "verify": True,
}
"""Command -> whether it only prints, so that a document may run it. Its module has its name."""
TOPICS = ("language", *COMMANDS)
"""What `help` prints."""

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ends, as shells have it."""


class Commands(click.Group):
    """Loads commands lazily and turns a `ShapecalcError` into a message and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if cmd_name in ("help", "list") else cmd_name
        command: click.Command = getattr(import_module(f"{__name__}.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and args[0].isidentifier():
            ctx.fail(f"No such command {quote(args[0])}{nearest(args[0], [*COMMANDS])}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with WORKING.on("working"):
                return super().invoke(ctx)
        except ShapecalcError as error:
            complain(error)
            ctx.exit(1 if isinstance(error, (ForwardError, ShapeError)) else 2)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="shapecalc %(version)s")
def main() -> None:
    """Show what comes out of a neural network, what it costs, and why it does not fit.

    Begin with: shapecalc show lenet5. Every command has examples in its own help.
    """


def run() -> None:
    """Entry point of the console script; garbage collection is off in this short-lived process."""
    gc.disable()
    # Looking for pydantic's plugins reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.stdout = sys.stdout or StringIO()  # None where the shell closed it
    try:
        try:
            main(prog_name="shapecalc")
        finally:
            gc.freeze()  # Python's exit would search all that is left for cycles
            sys.stdout.flush()
    except KeyboardInterrupt:  # before a command runs, or while the last of its output is written
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EPIPE):
            raise
        sys.stdout = None  # nothing is left to flush at exit
        if error.errno != errno.EPIPE:
            click.echo(f"error: the output cannot be written: {error.strerror}", err=True)
        sys.exit(1)
