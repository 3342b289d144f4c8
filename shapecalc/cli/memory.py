"""`shapecalc memory`."""

from __future__ import annotations

from typing import Any

import click

from shapecalc.arguments import Loaded, listed, size_in_bytes
from shapecalc.cli.cli_options import examples, form_option, free_options, loads_model, number_option
from shapecalc.console import say_json, say_page


@click.command(
    short_help="Print the peak memory of a model, and what fits.",
    epilog=examples(
        "shapecalc memory resnet50 --batch 8",
        "shapecalc memory resnet50 --train adamw --free batch",
        "shapecalc memory resnet18 --train momentum --fit 8GiB",
        "shapecalc memory torchvision.models:resnet18 --input 3x224x224 --batch 2",
    ),
)
@loads_model
@free_options
@click.option(
    "--train",
    "optimizer",
    metavar="OPTIMIZER",
    help="A training step, as with sgd, momentum, nesterov, adam, adamw, adamax, nadam, rmsprop, adagrad.",
)
@click.option("--dtype", default="float32", show_default=True, help="Number format.")
@click.option("--fit", metavar="BYTES", help="The largest batch, or --free size, that fits, as in 24GiB.")
@click.option("--timeline", is_flag=True, help="Every moment in order of execution, not only the largest.")
@number_option("--largest", 1, "How many of the largest moments to print.", 5)
@form_option("text", "markdown", "html", "rst", "latex", "json")
def memory(
    loaded: Loaded,
    free: str,
    optimizer: str | None,
    fit: str | None,
    largest: int,
    form: str,
    *,
    symbolic: bool,
    timeline: bool,
    **options: Any,
) -> None:
    """Print the live bytes of MODEL at their peak, in inference or in a training step, and what they are for.

    Counted are the tensors of eager torch: weights, buffers, gradients, the state of the optimizer, what is
    saved for backward, and activations as long as they live.
    """
    names = listed(free)
    options = {name: value for name, value in options.items() if value is not None}
    how = {"training": optimizer is not None, "optimizer": optimizer, **options}
    arguments = {**loaded.arguments, **how}
    if fit is not None:
        if symbolic or len(names) > 1:
            raise click.UsageError("--fit goes with one free size: the batch, unless --free names another")
        target = size_in_bytes(fit)
        answer = loaded.model.solve(memory=target, free=names or ["batch"], **arguments)
        if form == "json":
            say_json(answer.to_dict())
        else:
            say_page(answer._page(), form)  # noqa: SLF001  (one protocol)
        click.get_current_context().exit(0 if answer else 1)
    if symbolic:
        names += [name for name in loaded.model.free_names() if name not in loaded.parameters]
    use = loaded.model.memory(symbolic=names or False, **arguments)
    if form == "json":
        say_json(use.to_dict())
    else:
        from shapecalc.views.memory_page import memory_page

        say_page(memory_page(use, None if timeline else largest), form)
