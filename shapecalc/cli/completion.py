"""`shapecalc completion`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import examples
from shapecalc.console import say


@click.command(
    short_help="Print the shell completion script.",
    epilog=examples(
        'eval "$(shapecalc completion bash)"                                   # in ~/.bashrc',
        'eval "$(shapecalc completion zsh)"                                    # in ~/.zshrc',
        "shapecalc completion fish > ~/.config/fish/completions/shapecalc.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script with which SHELL completes commands, options, models, kinds and codes."""
    from click.shell_completion import get_completion_class

    shells = get_completion_class(shell)
    assert shells is not None
    root = ctx.find_root()
    say(shells(root.command, {}, "shapecalc", "_SHAPECALC_COMPLETE").source())
