"""Write `docs/conventions.md`: the rules of each convention, what the tools say, and where they err.

Run it after changing a convention or `tests/conventions/measured_costs.yaml`: `python tools/conventions.py`.
A test compares.
"""

from __future__ import annotations

import sys
from functools import cache
from inspect import getdoc
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import shapecalc
from shapecalc.cli import main
from shapecalc.conventions.by_tool import CONVENTIONS, convention
from shapecalc.report.cost import Cost

DOCUMENT = ROOT / "docs" / "conventions.md"
TRANSCRIPT = "reconcile resnet50"
TOOLS = ("flop_counter", "fvcore", "ptflops", "thop", "torchinfo", "calflops", "calflops FLOPs")


@cache
def data() -> dict[str, Any]:
    """Return what was measured."""
    found: dict[str, Any] = yaml.safe_load(
        (ROOT / "tests" / "conventions" / "measured_costs.yaml").read_text(encoding="utf-8")
    )
    return found


def ours(name: str, tool: str, settings: dict[str, Any]) -> int:
    """Return our figure of a bundled network for one of the tools' numbers."""
    return figure(shapecalc.load(name).analyze(**settings).cost(tool.split(maxsplit=1)[0]), tool)


def reported(name: str, tool: str) -> int:
    """Return what a tool was measured to say of a network."""
    found: int = data()["networks"][name]["measured"][tool]
    return found


def figure(cost: Cost, tool: str) -> int:
    """Return the number of a cost that a tool's column is about."""
    found = cost.parts["FLOPs"] if tool == "calflops FLOPs" else cost.total
    assert isinstance(found, int)
    return found


def document() -> str:
    """Return the page."""
    printed = CliRunner().invoke(main, TRANSCRIPT.split()).output
    lines = [HEAD.replace("{transcript}", TRANSCRIPT).replace("{printed}", printed)]
    for name in CONVENTIONS:
        rule = convention(name)
        doc = " ".join((getdoc(type(rule)) or "").split())
        lines.append(f"| `{name}` | {rule.unit} | {doc} |")
    lines.append(UNKNOWN)
    for name, groups in data()["unknown"].items():
        lines += [f"| `{name}` | {_named(kinds)} | {why} |" for kinds, why in groups]
    lines.append(MEASURED.format(versions=", ".join(f"{k} {v}" for k, v in data()["versions"].items())))
    lines.append(f"| network | {' | '.join(TOOLS)} |")
    lines.append(f"|---|{'---:|' * len(TOOLS)}")
    for name, one in data()["networks"].items():
        cells = [_cell(one, tool) for tool in TOOLS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append("")
    for word, why in data()["reasons"].items():
        who = [
            f"{name} under {tool}, {more:,} more"
            for name, one in data()["networks"].items()
            for tool, (more, reason) in one.get("higher", {}).items()
            if reason == word
        ]
        lines.append(f"- **{word.capitalize()}**: {why}. {'; '.join(who)}.")
    lines.append(WRONG)
    for one in data()["wrong"]:
        lines += [f"\n### {one['title']}\n", f"{one['why']}\n", f"`{one['module']}` on {_shapes(one)}:\n"]
        lines += ["| convention | our figure | the tool's |", "|---|---:|---:|"]
        for tool, number in one["ours"].items():
            says = one["tool"].get(tool)
            mine = "not counted" if number is None else f"{number:,}"
            lines.append(f"| {tool} | {mine} | {'' if says is None else f'{says:,}'} |")
    return "\n".join([*lines, TAIL])


def _named(kinds: list[str]) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds)


def _shapes(one: dict[str, Any]) -> str:
    return " and ".join(str(shape) for shape in (one["input"], *one.get("and", [])))


def _cell(one: dict[str, Any], tool: str) -> str:
    mark = "*" if tool in one.get("higher", {}) else ""
    return f"{one['measured'][tool]:,}{mark}"


HEAD = """\
# Conventions of cost

<!-- written by tools/conventions.py -->

A multiply-accumulate (MAC) is one multiplication and the addition that follows. Tools disagree about
everything else, so no number is printed without its convention. `shapecalc show NAME --convention fvcore`
counts by another rule: every column of costs changes, and JSON has `cost: {convention, unit, total}`,
with the cost of each layer beside it; in Python, `analyze(convention="fvcore")` or
`report.cost("fvcore")`. `shapecalc reconcile NAME` shows all of them, and what accounts for each
difference.

`--convention` is an option of `show`, where it changes every column of costs in every format, and of `diff`,
where it changes the amounts that are compared. `check --max-macs` and `list` count by the definition
in any case: a budget in a file must keep its meaning. `derive` uses the
definition, too. `reconcile` and `show` take imported modules:
`shapecalc show torchvision.models:resnet50 --convention fvcore`.

```console
$ shapecalc {transcript}
{printed}```

The last lines are the paper's arrangement: 3.8 thousand million in the paper, 4.09 in torchvision,
because torchvision strides in the 3x3 convolution and the paper, like Keras, in the 1x1 before it. The
difference is that of three layers.

## The rules

A rule is written for each family of kinds. A family without a rule costs nothing if it multiplies
nothing; otherwise, and for a kind of your own that names no family, it is not counted: its cost is `?`, the
total says "at least" and names the layer. `add` and `multiply` are counted as `+` and `*` of
tensors, which no tool counts, and a matrix product as `torch.matmul`. Costs are those of the complete batch;
ptflops itself divides by it what it counts of modules.

A layer of a spec is counted as a module of torch. The steps of an imported network state their call where
it may matter: `called: function` is a function of torch.nn.functional, which thop and torchinfo do not see
and ptflops counts once where it counts a module twice; `called: method` is any other call, such as
`x.relu()`, which ptflops and calflops do not see either; `called: custom` is a module of a class that is not
torch's, with weights under the names that torch gives them, which torchinfo alone sees as a module.

| convention | unit | what it is |
|---|---|---|"""

UNKNOWN = """
### Without a rule

Of these kinds a convention has no rule, although they multiply, or may multiply: their cost is `?`
and the total says "at least". `exact` also excludes what depends on values or on a scheme of its own:
classes with weights, probabilities as targets, bags in one row, sums over the letters of three tensors,
interpolation other than `nearest`, and elementwise functions that are in no table.

| convention | kinds | why |
|---|---|---|"""

MEASURED = """
## What the tools say

Measured on torchvision's modules, batch 1, with {versions}. Our figures of the bundled specs are equal to
the unit, except those with a star; those of the same modules imported from torch are equal, except for fused
attention. Fourteen of these networks are run beside the tools in the tests.
"""

WRONG = """
## Where a tool is wrong

Our figures follow the tool's own rule, without these mistakes. A module that is registered under two names
and called twice is another: a convolution of 10,368 MACs in all comes to 41,472 in thop
and to 20,736 in calflops, since what the module has added up is read once for each place."""

TAIL = """
Some rules of tools are unexpected, and we follow them: torchinfo counts a linear
layer's weights once a sample, however many positions it is used at; ptflops meets nn.ReLU twice but
nn.ReLU6 once; calflops counts an upsampling by the numbers of its input, or by the given sizes without
channels; thop takes the adaptive average's windows as in/out in floating point, so that it counts its input
and its result, rounded down at times; in a transformer of torch no tool sees the activation.

Some tools stop with an error: fvcore at norms of a list without a batch and at an unpooling without
its size, calflops at an upsampling by a factor for each axis and at inputs without a batch.
"""

if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
