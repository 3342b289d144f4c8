"""`shapecalc diff`."""

from __future__ import annotations

import click

from shapecalc.arguments import assignments, opened
from shapecalc.console import say


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of both specs.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@click.option(
    "--prove", is_flag=True, help="Tell too whether the output shapes are the same for every input size."
)
@click.pass_context
def diff(
    ctx: click.Context, left: str, right: str, settings: tuple[str, ...], form: str, *, prove: bool
) -> None:
    """Compare the models LEFT and RIGHT, layer aligned to layer; exit 1 when they differ.

    With --prove the exit status is 1 only when the shapes or the accepted sizes differ at some input size.
    """
    from shapecalc.report.diff import compare
    from shapecalc.report.diff_text import markdown, text

    given = assignments(settings)
    models = opened(left), opened(right)
    found = compare(*(model.analyze(**given) for model in models))
    proof = models[0].agreement(models[1], **given) if prove else None
    if form == "json":
        import json

        proved = {} if proof is None else {"agreement": proof.to_dict()}
        say(json.dumps(found.to_dict() | proved, indent=2, ensure_ascii=False))
    else:
        told = markdown(found) if form == "markdown" else text(found)
        say(told if proof is None else f"{told}\n\n{proof}")
    ctx.exit(0 if (found.is_equal if proof is None else proof.is_whole) else 1)
