"""`shapecalc verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shapecalc.cli.cli_options import examples, form_option, loads_model
from shapecalc.console import WORKING, say, say_json

if TYPE_CHECKING:
    from shapecalc.arguments import Loaded


@click.command(short_help="Prove every layer equal to torch's.", epilog=examples("shapecalc verify lenet5"))
@loads_model
@form_option("text", "json")
@click.pass_context
def verify(ctx: click.Context, loaded: Loaded, form: str) -> None:
    """Prove every layer of MODEL equal to torch's symbolic shapes, and run the network once.

    Of a spec, the network is built and a hook on every layer compares its shape, weights and MACs with the
    report. A torch module runs itself, under symbolic shapes and at several sizes. A large network runs on
    the meta device. Exit status 1 when anything is refuted. Needs torch.
    """
    import shapecalc

    result = shapecalc.verify(
        loaded.model,
        progress=lambda done, of: WORKING.progress(done, of, "layers"),
        **loaded.arguments,
    )
    if form == "json":
        say_json(result.to_dict())
    else:
        say(str(result))
    ctx.exit(1 if result.is_refuted else 0)
