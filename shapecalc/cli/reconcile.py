"""`shapecalc reconcile`."""

from __future__ import annotations

from typing import Any

import click

from shapecalc.arguments import asked, listed
from shapecalc.cli.cli_options import FORMAT, MODEL, SETTINGS, examples
from shapecalc.console import say, terminal_width


@click.command(
    short_help="Count a model under every convention, and say why they differ.",
    epilog=examples(
        "shapecalc reconcile resnet50",
        "shapecalc reconcile resnet50 --against resnet50_keras --set H=256",
        "shapecalc reconcile torchvision.models:alexnet",
    ),
)
@click.argument("model", type=MODEL)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show.")
@SETTINGS
@click.option("--free", default="", metavar="NAMES", help="Leave these free: sizes, a depth; as H,W,n.")
@click.option(
    "--against", metavar="OTHER", help="Tell why OTHER, with the same layers, has other MACs, asked alike."
)
@FORMAT
def reconcile(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    free: str,
    against: str | None,
    form: str,
) -> None:
    """Count MODEL under every convention, and account for each difference.

    A network that the gallery also has as Keras arranges it is compared with that one, layer by layer.

    Conventions are the definition of a MAC, those of the tools that people count with, and every operation.
    """
    from shapecalc.report.node import number
    from shapecalc.report.reconciliation import accounts, changes
    from shapecalc.report.reconciliation_text import reconciled_page, text

    names = listed(free)
    asked_of, given, settled = asked(model, inputs, settings)
    report = asked_of.analyze(input=given, symbolic=names, **settled)
    if against is None and not (inputs or settings or names):
        against = sibling(model)
    other = None
    if against is not None:
        its_model, its_input, its_values = asked(against, inputs, settings)
        other = its_model.analyze(input=its_input, symbolic=names, **its_values)
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
    if form != "text":
        from shapecalc.render import written

        say(written(reconciled_page(report, found, other, differ), form))
        return
    say(text(report, found, other, differ, terminal_width()))


def sibling(model: str) -> str | None:
    """Return the bundled network that is the same as Keras, or the paper, arranges it, or nothing."""
    from shapecalc.spec.find import bundled

    other = f"{model}_keras"
    return other if other in bundled() else None
