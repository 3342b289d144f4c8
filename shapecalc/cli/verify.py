"""`shapecalc verify`."""

from __future__ import annotations

import click

from shapecalc.arguments import load_model
from shapecalc.cli.cli_options import INPUT, MODEL, SETTINGS, examples
from shapecalc.console import WORKING, say


@click.command(short_help="Prove every layer equal to torch's.", epilog=examples("shapecalc verify lenet5"))
@click.argument("model", type=MODEL)
@INPUT
@SETTINGS
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
@click.pass_context
def verify(
    ctx: click.Context, model: str, inputs: tuple[str, ...], settings: tuple[str, ...], form: str
) -> None:
    """Prove every layer of MODEL equal to torch's symbolic shapes, and run the built network once.

    A hook on every layer of the built network compares its shape, weights and MACs with the report; a large
    network runs on the meta device. Exit status 1 when anything is refuted. Needs torch.
    """
    import shapecalc

    net, shapes, values = load_model(model, inputs, settings)
    result = shapecalc.verify(
        net, input=shapes, progress=lambda done, of: WORKING.progress(done, of, "layers"), **values
    )
    if form == "json":
        import json

        say(json.dumps(result.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(str(result))
    ctx.exit(1 if result.is_refuted else 0)
