"""`shapecalc diff`."""

from __future__ import annotations

import click

from shapecalc.arguments import load_model
from shapecalc.cli.cli_options import CONVENTION, INPUT, MODEL, examples, form_option
from shapecalc.console import say, say_json, say_page


@click.command(
    short_help="Compare two models, layer aligned to layer.",
    epilog=examples(
        "shapecalc diff alexnet alexnet_2012",
        "shapecalc diff tutorials/keras_resnet50 resnet50_keras",
        "shapecalc diff resnet50 torchvision.models:resnet50 --format markdown",
    ),
)
@click.argument("left", type=MODEL)
@click.argument("right", type=MODEL)
@INPUT
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of both specs.")
@click.option("--set-left", "on_left", multiple=True, metavar="KEY=VALUE", help="Set one of LEFT only.")
@click.option("--set-right", "on_right", multiple=True, metavar="KEY=VALUE", help="Set one of RIGHT only.")
@CONVENTION
@form_option("text", "markdown", "html", "rst", "json")
@click.option(
    "--prove", is_flag=True, help="Also decide whether the output shapes are equal for every input size."
)
@click.pass_context
def diff(  # noqa: PLR0913  (one argument per option)
    ctx: click.Context,
    left: str,
    right: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    on_left: tuple[str, ...],
    on_right: tuple[str, ...],
    convention: str | None,
    form: str,
    *,
    prove: bool,
) -> None:
    """Compare the models LEFT and RIGHT, layer aligned to layer; exit status 1 when they differ.

    With --prove the exit status is 1 only when the shapes or the accepted sizes differ at some input size.
    """
    from html import escape

    from shapecalc import compare
    from shapecalc.views.comparison_page import comparison_page

    first = load_model(left, inputs, (*settings, *on_left))
    second = load_model(right, inputs, (*settings, *on_right))
    comparison = compare(first.analyze()[0], second.analyze()[0], convention=convention)
    proof = None
    if prove:
        from shapecalc.sizes.agreement import agreement
        from shapecalc.sizes.question import Question

        proof = agreement(Question(*first), Question(*second))
    if form == "json":
        say_json(comparison.to_dict() | ({} if proof is None else {"agreement": proof.to_dict()}))
    else:
        say_page(comparison_page(comparison), form)
        if proof is not None:
            say(f"<p>{escape(str(proof))}</p>" if form == "html" else f"\n{proof}")
    ctx.exit(0 if (comparison.is_equal if proof is None else proof.is_whole) else 1)
