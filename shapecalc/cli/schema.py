"""`shapecalc schema`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import examples
from shapecalc.console import say


@click.command(
    short_help="Print the JSON Schema of specs, for editors.",
    epilog=examples("shapecalc schema > shapecalc.schema.json"),
)
def schema() -> None:
    """Print the JSON Schema of the spec language, for completion in editors."""
    import json

    from shapecalc.spec.json_schema import schema as build

    say(json.dumps(build(), indent=2))
