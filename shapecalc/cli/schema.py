"""`shapecalc schema`."""

from __future__ import annotations

import click

from shapecalc.console import say


@click.command()
def schema() -> None:
    """Print the JSON Schema of the spec language, for completion in editors."""
    import json

    from shapecalc.spec.schema import schema as build

    say(json.dumps(build(), indent=2))
