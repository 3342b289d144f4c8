"""`shapecalc explain`."""

from __future__ import annotations

import click

from shapecalc.console import say


@click.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain the CODE of a diagnostic, as in error[channels], with an example; or list all codes."""
    from shapecalc.checks.explain import all_titles, explained, explanation

    if code is None:
        say(all_titles())
        return
    from shapecalc.model import loads

    say(explained(explanation(code), loads))
