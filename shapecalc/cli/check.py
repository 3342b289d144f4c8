"""`shapecalc check`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from shapecalc import __version__
from shapecalc.arguments import amount, assignments, is_torch, load_model, read_model, shapes, source_of
from shapecalc.atomic_write import rewrite
from shapecalc.cli.cli_options import MODEL, examples
from shapecalc.console import complain, echo, painted, say
from shapecalc.errors import SpecError, quote

if TYPE_CHECKING:
    from shapecalc.diagnostics.diagnostic import Diagnostic


@click.command(
    short_help="Find every mistake in a model, with repairs that were tried.",
    epilog=examples(
        "shapecalc check my_net.yaml",
        "shapecalc check my_net.yaml --diff --unsafe-fixes",
        "shapecalc check tutorials/torch_vgg16 --format json",
        "shapecalc check resnet50 --max-params 20M",
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
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "short", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option("--diff", "show_diff", is_flag=True, help="Print the safe fixes of the errors as a diff.")
@click.option("--fix", is_flag=True, help="Write the safe fixes of the errors into the files.")
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --diff: also fixes that change what the network computes.",
)
@click.pass_context
def check(  # noqa: PLR0913, PLR0917  (one argument per option)
    ctx: click.Context,
    models: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    max_params: str | None,
    max_macs: str | None,
    strict: bool,
    form: str,
    show_diff: bool,
    fix: bool,
    unsafe_fixes: bool,
) -> None:
    """List every mistake in MODELS (names, files, -, or pkg.mod:Net); exit 1 when there is an error."""
    budgets = {"max_params": amount(max_params), "max_macs": amount(max_macs)}
    if show_diff or fix:
        left = [
            apply_fixes(model, inputs, settings, budgets, write=fix, show=show_diff, unsafe=unsafe_fixes)
            for model in models
        ]
        ctx.exit(1 if any(left) else 0)
    if unsafe_fixes:
        raise click.UsageError("--unsafe-fixes goes with --fix, which writes, or --diff, which prints.")
    findings: list[Diagnostic] = []
    for model in models:
        if is_torch(model):
            traced, shape, parameters = load_model(model, inputs, settings)
            findings += traced.check(input=shape, **budgets, **parameters)
            continue
        text, file, variant = source_of(model)
        try:
            findings += read_model(text, file, variant).check(
                input=shapes(inputs), **budgets, **assignments(settings)
            )
        except SpecError as error:
            if not error.place:
                raise
            from shapecalc.model import loads
            from shapecalc.repair.repair import of_unreadable

            findings.append(of_unreadable(text, error, loads))
    printed = listed(findings, form)
    say(painted(printed) if form == "text" else printed)
    levels = {finding.severity for finding in findings}
    ctx.exit(1 if "error" in levels or (strict and "warning" in levels) else 0)


def apply_fixes(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    budgets: dict[str, int | None],
    *,
    write: bool,
    show: bool,
    unsafe: bool,
) -> bool:
    """Fix the errors of a model as far as it goes; say whether there are errors left."""
    from shapecalc.model import loads
    from shapecalc.repair.apply_fixes import diff, fixed
    from shapecalc.repair.repair_state import Source
    from shapecalc.spec.find import bundled, locate

    text, file, variant = source_of(model)
    if write and (model == "-" or locate(model)[0] in bundled().values()):
        raise SpecError(f"{quote(model)} is no file of yours: copy it to one, or use --diff")
    source = Source(text, loads, file, variant, shapes(inputs), assignments(settings))
    after, done, more = fixed(source, unsafe=unsafe)
    if show and after != text:
        say(diff(file, text, after).removesuffix("\n"))
    if write and after != text:
        rewrite(locate(model)[0], text, after, file)
    for finding, fix in done if write or not show else ():
        where = f"{finding.place.file}:{finding.place.line}"
        say(f"fixed {where}: {finding.code} in {finding.path or 'the spec'}: {fix.description}")
    errors, left = "errors left", 1
    try:
        model_after = read_model(after, file, variant)
        findings = model_after.check_only(source.given, **source.parameters)
        if not any(one.severity == "error" for one in findings):  # otherwise its cost is not known
            findings = model_after.check(input=source.given, **budgets, **source.parameters)
        left = sum(one.severity == "error" for one in findings)
        errors = f"{left} error{'' if left == 1 else 's'} left"
    except SpecError as error:
        complain(error)
    if more:
        errors += f"; {more} more {'fix' if more == 1 else 'fixes'} with --unsafe-fixes"
    if write or not done:
        say(f"{len(done)} repaired, {errors}")
    elif left:
        echo(errors, sys.stderr)
    return left > 0


def listed(findings: list[Diagnostic], form: str) -> str:
    """Return findings in one of the output forms."""
    from shapecalc.diagnostics.diagnostic import github, short, text

    if form in ("short", "github"):
        return "\n".join(map(github if form == "github" else short, findings))
    if form == "text":
        counts = Counter(finding.severity for finding in findings)
        total = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items())
        return "\n\n".join([*map(text, findings), total or "nothing to complain about"])
    import json

    from shapecalc.diagnostics.sarif import sarif

    plain = {"diagnostics": [finding.to_dict() for finding in findings]}
    return json.dumps(
        sarif(findings, __version__) if form == "sarif" else plain, indent=2, ensure_ascii=False
    )
