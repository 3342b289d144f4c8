"""`shapecalc explain`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import Word, examples
from shapecalc.console import painted, say


@click.command(
    short_help="Explain the code of a diagnostic, with an example.",
    epilog=examples("shapecalc explain", "shapecalc explain silent-loss"),
)
@click.argument("code", required=False, type=Word("code", "diagnostics.rule:rules"))
def explain(code: str | None) -> None:
    """Explain the CODE of a diagnostic, as in error[channels], with an example; or list all codes."""
    from shapecalc.diagnostics.rule import all_titles, rule

    if code is None:
        say(all_titles())
        return
    from shapecalc.model import loads
    from shapecalc.repair.repair import check_of_example

    explained = rule(code)
    say(painted(explained.explanation(check_of_example(explained, loads))))
