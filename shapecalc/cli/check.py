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
        "shapecalc check my_net.yaml --diff",
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
@click.option("--diff", "show_diff", is_flag=True, help="Print the repairs of the errors as a diff.")
@click.option("--fix", is_flag=True, help="Write the repairs of the errors into the files.")
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
) -> None:
    """List every mistake in MODELS (names, files, -, or pkg.mod:Net); exit 1 when there is an error."""
    budgets = {"max_params": amount(max_params), "max_macs": amount(max_macs)}
    if show_diff or fix:
        left = [mend(model, inputs, settings, budgets, write=fix, show=show_diff) for model in models]
        ctx.exit(1 if any(left) else 0)
    found: list[Diagnostic] = []
    for model in models:
        if is_torch(model):
            traced, given, settled = load_model(model, inputs, settings)
            found += traced.check(input=given, **budgets, **settled)
            continue
        text, file, variant = source_of(model)
        try:
            found += read_model(text, file, variant).check(
                input=shapes(inputs), **budgets, **assignments(settings)
            )
        except SpecError as error:
            if not error.place:
                raise
            from shapecalc.model import loads
            from shapecalc.repair.repair import of_unreadable

            found.append(of_unreadable(text, error, loads))
    told = listed(found, form)
    say(painted(told) if form == "text" else told)
    levels = {one.severity for one in found}
    ctx.exit(1 if "error" in levels or (strict and "warning" in levels) else 0)


def mend(
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    budgets: dict[str, int | None],
    *,
    write: bool,
    show: bool,
) -> bool:
    """Repair the errors of a model as far as it goes; say whether there are errors left."""
    from shapecalc.model import loads
    from shapecalc.repair.apply_fixes import diff, mended
    from shapecalc.repair.repair_source import Source
    from shapecalc.spec.find import bundled, locate

    text, file, variant = source_of(model)
    if write and (model == "-" or locate(model)[0] in bundled().values()):
        raise SpecError(f"{quote(model)} is no file of yours: copy it to one, or use --diff")
    source = Source(text, loads, file, variant, shapes(inputs), assignments(settings))
    after, done = mended(source)
    if show and after != text:
        say(diff(file, text, after).removesuffix("\n"))
    if write and after != text:
        rewrite(locate(model)[0], text, after, file)
    for one, fix in done if write or not show else ():
        where = f"{one.place.file}:{one.place.line}"
        say(f"fixed {where}: {one.code} in {one.path or 'the spec'}: {fix.description}")
    try:
        mended_model = read_model(after, file, variant)
        found = mended_model.check_only(source.given, **source.parameters)
        if not any(one.severity == "error" for one in found):  # otherwise its cost is not known
            found = mended_model.check(input=source.given, **budgets, **source.parameters)
        left = [one for one in found if one.severity == "error"]
    except SpecError as error:
        complain(error)
        return True
    if write or not done:
        say(f"{len(done)} repaired, {len(left)} error{'' if len(left) == 1 else 's'} left")
    elif left:
        echo(f"{len(left)} error{'' if len(left) == 1 else 's'} left", sys.stderr)
    return bool(left)


def listed(found: list[Diagnostic], form: str) -> str:
    """Return findings in one of the output forms."""
    from shapecalc.diagnostics.diagnostic import github, short, text

    if form in ("short", "github"):
        return "\n".join(map(github if form == "github" else short, found))
    if form in ("json", "sarif"):
        import json

        from shapecalc.diagnostics.sarif import sarif

        data = (
            sarif(found, __version__)
            if form == "sarif"
            else {"diagnostics": [one.to_dict() for one in found]}
        )
        return json.dumps(data, indent=2, ensure_ascii=False)
    counts = Counter(one.severity for one in found)
    told = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items())
    return "\n\n".join([*map(text, found), told or "nothing to complain about"])
