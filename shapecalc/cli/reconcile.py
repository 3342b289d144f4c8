"""`shapecalc reconcile`."""

from __future__ import annotations

from typing import Any

import click

from shapecalc.arguments import assignments, opened, shapes
from shapecalc.console import say, terminal_width


@click.command()
@click.argument("model")
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of the spec.")
@click.option("--free", default="", metavar="NAMES", help="Leave these free: sizes, a depth; as H,W,n.")
@click.option("--against", metavar="OTHER", help="Tell why OTHER, with the same layers, has other MACs.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def reconcile(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    free: str,
    against: str | None,
    form: str,
) -> None:
    """Count MODEL under every convention, and account for each difference.

    Conventions are the definition of a MAC, those of the tools that people count with, and every operation.
    """
    from shapecalc.report.node import number
    from shapecalc.report.reconcile import accounts, changes
    from shapecalc.report.reconcile_text import text

    names = [name.strip() for name in free.split(",") if name.strip()]
    shape, settled = shapes(inputs), assignments(settings)
    report = opened(model).analyze(input=shape, symbolic=names, **settled)
    other = None if against is None else opened(against).analyze(symbolic=names)
    differ = [] if other is None else changes(report, other)
    found = accounts(report)
    if form == "json":
        import json

        data: dict[str, Any] = {"name": report.name, "conventions": [one.to_dict() for one in found]}
        if other is not None:
            told = [one.to_dict() for one in differ]
            data |= {"against": {"name": other.name, "macs": number(other.macs), "changes": told}}
        say(json.dumps(data, indent=2, ensure_ascii=False))
        return
    say(text(report, found, other, differ, terminal_width()))
