"""`shapecalc memory`."""

from __future__ import annotations

from typing import Any

import click

from shapecalc.arguments import assignments, is_torch, listed, load_model, size_in_bytes, tokens
from shapecalc.bridges import need
from shapecalc.cli.cli_options import (
    INPUT,
    MODEL,
    SETTINGS,
    examples,
    form_option,
    free_options,
    number_option,
)
from shapecalc.console import say_json, say_page
from shapecalc.errors import SpecError
from shapecalc.render.lines import Answer


@click.command(
    short_help="Print the peak memory of a model, and what fits.",
    epilog=examples(
        "shapecalc memory resnet50 --batch 8",
        "shapecalc memory resnet50 --train adamw --free batch",
        "shapecalc memory resnet18 --train momentum --fit 8GiB",
        "shapecalc memory torchvision.models:resnet18 --input 3x224x224 --batch 2",
        "shapecalc memory config.json --kv 32K --batch 8 --dtype bf16 --fit 80GiB",
    ),
)
@click.argument("model", type=MODEL)
@INPUT
@SETTINGS
@free_options
@click.option(
    "--train",
    "optimizer",
    metavar="OPTIMIZER",
    help="A training step, as with sgd, momentum, nesterov, adam, adamw, adamax, nadam, rmsprop, adagrad.",
)
@click.option("--dtype", default="float32", show_default=True, help="Number format.")
@click.option(
    "--kv",
    metavar="TOKENS",
    help="The cache of a language model after so many tokens; 32K is 32,768. With --fit: the longest text.",
)
@click.option("--fit", metavar="BYTES", help="The largest batch, or --free size, that fits, as in 24GiB.")
@click.option("--timeline", is_flag=True, help="Every moment in order of execution, not only the largest.")
@number_option("--largest", 1, "How many of the largest moments to print.", 5)
@form_option("text", "markdown", "html", "rst", "latex", "json")
def memory(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    free: str,
    optimizer: str | None,
    kv: str | None,
    fit: str | None,
    form: str,
    **options: Any,
) -> None:
    """Print the live bytes of MODEL at their peak, in inference or in a training step, and what they are for.

    Counted are the tensors of eager torch: weights, buffers, gradients, the state of the optimizer, what is
    saved for backward, and activations as long as they live.
    """
    largest, timeline, symbolic = map(options.pop, ("largest", "timeline", "symbolic"))
    if kv is not None:
        if optimizer or free or symbolic or inputs:
            raise click.UsageError("--kv goes with --batch, --dtype and --fit")
        _cache(model, settings, tokens(kv), fit, form, **options)
        return
    loaded, names = load_model(model, inputs, settings), listed(free)
    options = {name: value for name, value in options.items() if value is not None}
    how = {"training": optimizer is not None, "optimizer": optimizer, **options}
    arguments = {**loaded.arguments, **how}
    if fit is not None:
        if symbolic or len(names) > 1:
            raise click.UsageError("--fit goes with one free size: the batch, unless --free names another")
        target = size_in_bytes(fit)
        answer = loaded.model.solve(memory=target, free=names or ["batch"], **arguments)
        _answer(answer, form)
    if symbolic:
        names += [name for name in loaded.model.free_names() if name not in loaded.parameters]
    use = loaded.model.memory(symbolic=names or False, **arguments)
    if form == "json":
        say_json(use.to_dict())
    else:
        from shapecalc.views.memory_page import memory_page

        say_page(memory_page(use, None if timeline else largest), form)


def _cache(
    model: str,
    settings: tuple[str, ...],
    length: int,
    fit: str | None,
    form: str,
    *,
    batch: int | None,
    dtype: str,
) -> None:
    """Print the cache of a language model, and whether it fits."""
    if not is_torch(model):
        raise SpecError(f"--kv runs a language model of transformers, and {model} is not a torch module")
    need("torch")
    from shapecalc.bridges.torch.cache_answer import cache_at

    room = None if fit is None else size_in_bytes(fit)
    _answer(cache_at(model, assignments(settings), length, batch or 1, dtype, room), form)


def _answer(answer: Answer, form: str) -> None:
    """Print an answer; the exit status is 1 where it is that something does not fit."""
    if form == "json":
        say_json(answer.to_dict())
    else:
        say_page(answer._page(), form)  # noqa: SLF001  (one protocol)
    click.get_current_context().exit(0 if answer else 1)
