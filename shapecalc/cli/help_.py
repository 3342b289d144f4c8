"""`shapecalc help`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import Word, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, nearest, quote


@click.command(
    "help",
    short_help="Print the page of the spec language, or the help of a command.",
    epilog=examples("shapecalc help language", "shapecalc help show"),
)
@click.argument("topic", required=False, type=Word("topic", "cli:TOPICS"))
@click.pass_context
def help_(ctx: click.Context, topic: str | None) -> None:
    """Print TOPIC: the page of the spec language, or the help of a command."""
    from shapecalc.cli import TOPICS
    from shapecalc.views.language_page import page

    if topic == "language":
        say(page().removesuffix("\n"))
        return
    parent = ctx.parent or ctx
    group = parent.command
    command = group.get_command(parent, topic) if topic and isinstance(group, click.Group) else group
    if command is None:
        known = [*TOPICS]
        raise SpecError(f"there is no help on {quote(topic)}{nearest(topic, known)}", hint=", ".join(known))
    say(command.get_help(parent if topic is None else click.Context(command, parent, topic)))
