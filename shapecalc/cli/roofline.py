"""`shapecalc roofline`."""

from __future__ import annotations

import click

from shapecalc.arguments import Loaded, amount, size_in_bytes
from shapecalc.cli.cli_options import examples, form_option, loads_model, number_option
from shapecalc.console import say_json, say_page


@click.command(
    short_help="Print a lower bound on the time of each layer on a device.",
    epilog=examples(
        "shapecalc roofline resnet50 --device a100 --dtype float16 --batch 32",
        "shapecalc roofline resnet50 --flops 10T --bandwidth 100GB",
    ),
)
@loads_model
@number_option("--batch", 1, "Batch size.", 1)
@click.option("--dtype", default="float32", show_default=True, help="Number format.")
@click.option("--device", metavar="NAME", help="v100, a100 or h100, at the peaks of its datasheet.")
@click.option("--flops", metavar="N", help="Multiplications and additions per second, as in 312T.")
@click.option("--bandwidth", metavar="BYTES", help="Bytes per second, as in 2039GB.")
@number_option("--largest", 1, "How many layers to print.", 10)
@form_option("text", "markdown", "html", "rst", "latex", "json")
def roofline(
    loaded: Loaded,
    batch: int,
    dtype: str,
    device: str | None,
    flops: str | None,
    bandwidth: str | None,
    largest: int,
    form: str,
) -> None:
    """Print what each layer of MODEL computes and moves, and the time that this takes a device at least.

    The sum is a lower bound for layers that run one after another, and no prediction.
    """
    bound = loaded.model.roofline(
        device,
        batch=batch,
        dtype=dtype,
        flops=amount(flops),
        bandwidth=None if bandwidth is None else size_in_bytes(bandwidth),
        **loaded.arguments,
    )
    if form == "json":
        say_json(bound.to_dict())
    else:
        from shapecalc.views.roofline_page import roofline_page

        say_page(roofline_page(bound, largest), form)
