"""`shapecalc verify`."""

from __future__ import annotations

import click

from shapecalc.arguments import asked
from shapecalc.cli.cli_options import MODEL, SETTINGS, examples
from shapecalc.console import WORKING, say


@click.command(
    short_help="Prove every layer equal to torch's own.", epilog=examples("shapecalc verify lenet5")
)
@click.argument("model", type=MODEL)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show.")
@SETTINGS
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
@click.pass_context
def verify(
    ctx: click.Context, model: str, inputs: tuple[str, ...], settings: tuple[str, ...], form: str
) -> None:
    """Prove every layer of MODEL equal to torch's own symbolic shapes, and run the network that it makes.

    A hook on every layer of the built network compares its shape, weights and MACs with the report; a large
    network runs without numbers. Exit 1 when anything is refuted. Needs torch.
    """
    from shapecalc.bridges import need

    found, given, settled = asked(model, inputs, settings)
    need("torch")
    from shapecalc.bridges.torch.proof.verification import verify as verified

    result = verified(found, given, settled, lambda done, of: WORKING.progress(done, of, "layers"))
    if form == "json":
        import json

        say(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(str(result))
    ctx.exit(1 if result.is_refuted else 0)
