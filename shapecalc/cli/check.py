"""`shapecalc check`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from shapecalc import __version__
from shapecalc.arguments import amount, assignments, is_torch, load_model, read_model, shapes, source_of
from shapecalc.atomic_write import rewrite
from shapecalc.cli.cli_options import MODEL, examples, form_option
from shapecalc.console import complain, echo, painted, say, say_json
from shapecalc.errors import ForwardError, SpecError, quote
from shapecalc.spec.find import is_model_file

if TYPE_CHECKING:
    from shapecalc.diagnostics.diagnostic import Diagnostic
    from shapecalc.engine.graph import Inference
    from shapecalc.model import Model
    from shapecalc.repair.repair_state import Source

Budgets = dict[str, Any]


@click.command(
    short_help="Find every mistake in a model, with repairs that were tried.",
    epilog=examples(
        "shapecalc check my_net.yaml",
        "shapecalc check my_net.yaml --diff --unsafe-fixes",
        "shapecalc check tutorials/torch_vgg16 --format json",
        "shapecalc check resnet50 --max-params 20M",
        "shapecalc check my_net.yaml --strict --ignore silent-loss",
        "shapecalc check nets.py:Net --input 3x32x32",
    ),
)
@click.argument("models", nargs=-1, required=True, type=MODEL)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of every spec.")
@click.option(
    "--max-params",
    metavar="N",
    help="The most parameters allowed, in place of the budget in a spec: 5000000, 5M or 2.5G.",
)
@click.option("--max-macs", metavar="N", help="The most MACs allowed, likewise.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODE",
    help="Leave out the warnings and notes of this code; `ignore:` in a spec does the same.",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@form_option("text", "short", "json", "github", "sarif")
@click.option("--diff", is_flag=True, help="Print the safe fixes of the errors as a diff.")
@click.option("--fix", is_flag=True, help="Write the safe fixes of the errors into the files.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --diff: also fixes that change what the network computes.",
)
@click.pass_context
def check(
    ctx: click.Context,
    /,
    models: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    max_params: str | None,
    max_macs: str | None,
    ignore: tuple[str, ...],
    form: str,
    *,
    strict: bool,
    **fixing: bool,
) -> None:
    """List every mistake in MODELS (names, files, -, or nets.py:Net); exit 1 when there is an error."""
    budgets = {"max_params": amount(max_params), "max_macs": amount(max_macs)}
    if fixing["fix"] or fixing["diff"]:
        left = [apply_fixes(model, inputs, settings, budgets, **fixing) for model in models]
        ctx.exit(1 if any(left) else 0)
    if fixing["unsafe_fixes"]:
        raise click.UsageError("--unsafe-fixes goes with --fix, which writes, or --diff, which prints.")
    findings = [
        replace(finding, place=finding.place.from_here)
        for model in models
        for finding in _findings(model, inputs, settings, budgets, ignore)
    ]
    _print(findings, form)
    levels = {finding.severity for finding in findings}
    ctx.exit(1 if "error" in levels or (strict and "warning" in levels) else 0)


def _findings(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    budgets: Budgets,
    ignore: tuple[str, ...],
) -> list[Diagnostic]:
    """Return the findings about a model; a spec that is no model is one too, and a forward that fails."""
    if is_torch(model) or is_model_file(model):
        try:
            loaded = load_model(model, inputs, settings)
        except ForwardError as error:
            return [*error.diagnostics]
        return loaded.model.check(ignore=ignore, **budgets, **loaded.arguments)
    text, file, variant = source_of(model)
    try:
        spec = read_model(text, file, variant)
        return spec.check(input=shapes(inputs), ignore=ignore, **budgets, **assignments(settings))
    except SpecError as error:
        if not error.place:
            raise
        from shapecalc.model import loads
        from shapecalc.repair.repair import of_unreadable

        def infer(partial: Model) -> Inference:
            partial = partial.variant(variant) if variant else partial
            return partial.infer(shapes(inputs), **assignments(settings))

        return of_unreadable(text, error, loads, infer)


def apply_fixes(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    budgets: Budgets,
    *,
    fix: bool,
    diff: bool,
    unsafe_fixes: bool,
) -> bool:
    """Fix the errors of a model as far as it goes; say whether there are errors left."""
    from shapecalc.model import loads
    from shapecalc.repair.apply_fixes import diff as difference
    from shapecalc.repair.apply_fixes import fixed
    from shapecalc.repair.repair_state import Source
    from shapecalc.spec.find import bundled, locate

    text, file, variant = source_of(model)
    if fix and (model == "-" or locate(model)[0] in bundled().values()):
        raise SpecError(f"{quote(model)} is no file of yours: copy it to one, or use --diff")
    source = Source(text, loads, file, variant, shapes(inputs), assignments(settings))
    after, done, more = fixed(source, unsafe=unsafe_fixes)
    if after != text:
        if diff:
            say(difference(file, text, after).removesuffix("\n"))
        if fix:
            rewrite(locate(model)[0], text, after, file)
    for finding, applied in done if fix or not diff else ():
        where = f"{finding.place.file}:{finding.place.line}"
        say(f"fixed {where}: {finding.code} in {finding.path or 'the spec'}: {applied.description}")
    errors, left = "errors left", 1
    try:
        left = _errors_left(after, source, budgets)
        errors = f"{left} error{'' if left == 1 else 's'} left"
    except SpecError as error:
        complain(error)
    if more:
        errors += f"; {more} more {'fix' if more == 1 else 'fixes'} with --unsafe-fixes"
    if fix or not done:
        say(f"{len(done)} repaired, {errors}")
    elif left:
        echo(errors, sys.stderr)
    return left > 0


def _errors_left(text: str, source: Source, budgets: Budgets) -> int:
    """Return how many errors a repaired text has: those of shapes, or where there are none, of its cost."""
    model = read_model(text, source.file or "", source.variant)
    shape_errors = _errors(model.findings(source.inputs, source.parameters)[0])
    return shape_errors or _errors(model.check(input=source.inputs, **budgets, **source.parameters))


def _errors(findings: list[Diagnostic]) -> int:
    return sum(finding.severity == "error" for finding in findings)


def _print(findings: list[Diagnostic], form: str) -> None:
    """Print findings in one of the output forms."""
    from shapecalc.diagnostics.diagnostic import github, short, text

    if form in ("short", "github"):
        say("\n".join(map(github if form == "github" else short, findings)))
    elif form == "text":
        counts = Counter(finding.severity for finding in findings)
        total = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items())
        say(painted("\n\n".join([*map(text, findings), total or "nothing to complain about"])))
    elif form == "sarif":
        from shapecalc.diagnostics.sarif import sarif

        say_json(sarif(findings, __version__))
    else:
        say_json({"diagnostics": [finding.to_dict() for finding in findings]})
