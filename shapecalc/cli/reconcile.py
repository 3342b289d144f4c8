"""`shapecalc reconcile`."""

from __future__ import annotations

from typing import Any

import click

from shapecalc.arguments import listed, load_model
from shapecalc.cli.cli_options import FORMAT, FREE, INPUT, MODEL, SETTINGS, examples
from shapecalc.console import say_json, say_page


@click.command(
    short_help="Count a model under every convention, and explain the differences.",
    epilog=examples(
        "shapecalc reconcile resnet50",
        "shapecalc reconcile resnet50 --against resnet50_keras --set H=256",
        "shapecalc reconcile torchvision.models:alexnet",
    ),
)
@click.argument("model", type=MODEL)
@INPUT
@SETTINGS
@FREE
@click.option("--against", metavar="OTHER", help="Explain why OTHER, with the same layers, has other MACs.")
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

    A bundled network that also exists in Keras' arrangement is compared with it, layer by layer.

    The conventions are the definition of a MAC, those of the counting tools, and single operations.
    """
    from shapecalc.report.node import number
    from shapecalc.report.reconciliation import accounts, changes
    from shapecalc.views.reconciliation_page import reconciliation_page

    names = listed(free)
    report, _ = load_model(model, inputs, settings).analyze(free=names)
    if against is None and not (inputs or settings or names):
        against = sibling(model)
    other = None if against is None else load_model(against, inputs, settings).analyze(free=names)[0]
    differ = [] if other is None else changes(report, other)
    counted = accounts(report)
    if form != "json":
        say_page(reconciliation_page(report, counted, other, differ), form)
        return
    data: dict[str, Any] = {"name": report.name, "conventions": [account.to_dict() for account in counted]}
    if other is not None:
        changed = [change.to_dict() for change in differ]
        data["against"] = {"name": other.name, "macs": number(other.macs), "changes": changed}
    say_json(data)


def sibling(model: str) -> str | None:
    """Return the bundled variant of a network in Keras' arrangement, or None."""
    from shapecalc.spec.find import bundled

    other = f"{model}_keras"
    return other if other in bundled() else None
