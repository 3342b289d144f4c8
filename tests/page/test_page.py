"""The page's own arithmetic, run in a JavaScript engine and held to shapecalc's at random settings."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

from shapecalc import load, symbol
from shapecalc.algebra import Dim, Expr, maximum
from shapecalc.cli import main
from shapecalc.errors import ShapecalcError, SpecError
from shapecalc.page.formulas import Formulas
from shapecalc.page.free import FreeModel, at_input, freed
from shapecalc.page.page_data import Data
from shapecalc.page.page_writer import file_name, gallery, network_script, page
from shapecalc.report.listing import Entry
from shapecalc.report.outline import lines, outline
from shapecalc.report.report import Report
from tests.support.page_values import report_at

ROOT = Path(__file__).resolve().parents[2]
CORE = (ROOT / "shapecalc" / "page" / "core.js").read_text(encoding="utf-8")
NETWORKS = (
    "lenet5",
    "alexnet",
    "unet",
    "unet_padded",
    "resnet18",
    "resnet50",
    "vit_b_16",
    "densenet121",
    "squeezenet1_0",
    "googlenet",
    "dcgan_generator",
    "unet3d",
    "resnet50_keras",
    "linknet",
)
CALCULATORS = ("convolution", "transposed_convolution", "pooling")
SETTINGS = 200 if os.environ.get("SHAPECALC_PROFILE") == "thorough" else 50

ASK = """
function ask(given) {
  const values = given.map(BigInt);
  const { sizes, failure } = evaluate(NETWORK, values);
  const plain = failure && {
    path: failure.node < 0 ? "" : NETWORK.paths[failure.node],
    stretches: failure.stretches,
    says: failure.says === null ? "" : filled(NETWORK.texts[failure.says], sizes),
  };
  const near = failure === null || failure.stretches ? null : nearest(NETWORK, values);
  const built = asBuilt(NETWORK, values);
  return JSON.stringify([sizes, plain, near, built], (_, one) => (typeof one === "bigint" ? String(one) : one));
}
"""


@dataclass
class Page:
    """One network's page without what is shown: its data, and the engine that runs its script."""

    freedom: FreeModel
    data: Data
    network: dict[str, Any]
    engine: MiniRacer

    def ask(self, values: dict[str, int]) -> tuple[list[int], Any, Any, Any]:
        asked = json.dumps([str(values[name]) for name in self.data.formulas.names])
        sizes, failure, near, built = json.loads(str(self.engine.eval(f"ask({asked})")))
        return [int(one) for one in sizes], failure, near, built


@cache
def paged(name: str) -> Page:
    freedom = freed(load(ROOT / "docs" / "calculators" / f"{name}.yaml" if name in CALCULATORS else name), {})
    data = Data(freedom)
    engine = MiniRacer()
    script = network_script(data)
    engine.eval(f"{CORE}\n{script}\n{ASK}")
    network = json.loads(str(engine.eval("JSON.stringify(NETWORK)")))
    return Page(freedom, data, network, engine)


def settings(page_: Page, chance: random.Random) -> dict[str, int]:
    """Return values of the controls: some as they are, some near, some small, some beyond 2^53."""
    found: dict[str, int] = {}
    is_huge = chance.random() < 0.15
    for control in page_.freedom.controls:
        choices = [
            control.default,
            control.default,
            chance.randint(max(control.least, 1), 2 * control.default + 9),
        ]
        if control.role == "size":
            choices += [chance.randint(1, 40), chance.randint(1, 700), 16 * chance.randint(1, 40)]
        found[control.name] = chance.choice(choices)
        if is_huge and control.role in ("size", "batch"):
            found[control.name] = chance.choice([10**3, 10**5, 10**7 + 3, 2**31 + 1])
    return found


def engine_says(freedom: FreeModel, values: dict[str, int]) -> Report | tuple[str, str]:
    try:
        return report_at(freedom, values)
    except ShapecalcError as error:
        return getattr(error, "path", ""), str(error)


def shown(page_: Page, sizes: list[int]) -> list[list[Any]]:
    """Return what the page's rows say."""
    return [
        [
            row["label"],
            None if row["output"] is None else [sizes[i] for i in row["output"]],
            sizes[row["params"]],
            None if row["macs"] is None else sizes[row["macs"]],
            None if row["bytes"] is None else sizes[row["bytes"]],
        ]
        for row in page_.network["rows"]
    ]


def told(report: Report, labels: list[str]) -> list[list[Any]]:
    """Return what the engine says of the same lines, folded as it folds them."""
    return [
        [
            label,
            [*item.output] if item.nodes else None,
            item.params,
            item.cost(report.convention)[0],
            None if item.node is None else item.node.bytes,
        ]
        for item, label in zip(lines(outline(report)), labels, strict=True)
    ]


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", [*NETWORKS, *CALCULATORS])
def test_the_page_computes_what_the_engine_computes(name: str) -> None:
    page_ = paged(name)
    chance = random.Random(name)
    legal = illegal = huge = stretched = 0
    for _ in range(SETTINGS):
        values = settings(page_, chance)
        sizes, failure, near, _ = page_.ask(values)
        expected = engine_says(page_.freedom, values)
        if failure is not None and failure["stretches"]:
            stretched += 1
            continue
        if isinstance(expected, Report):
            assert failure is None, (values, failure)
            totals = page_.network["totals"]
            assert sizes[totals["params"]] == expected.params, values
            assert sizes[totals["macs"]] == expected.macs, values
            assert sizes[totals["buffers"]] == expected.buffer_count, values
            assert sizes[totals["trainable"]] == expected.trainable_params, values
            assert {
                k: tuple(sizes[i] for i in v) for k, v in page_.network["outputs"].items()
            } == expected.outputs
            same_outline = [item.label for item in lines(outline(expected))]
            if len(same_outline) == len(page_.network["rows"]):
                assert shown(page_, sizes) == told(expected, [row["label"] for row in page_.network["rows"]])
            legal += 1
            huge += expected.macs > 2**53 if isinstance(expected.macs, int) else 0
        else:
            assert failure is not None, (values, expected)
            assert failure["path"] == expected[0], (values, failure, expected)
            for point in near["found"]:
                moved = values | dict(zip(page_.network["sizes"]["names"], map(int, point), strict=True))
                assert isinstance(engine_says(page_.freedom, moved), Report), (values, point)
            illegal += 1
    assert legal
    assert stretched <= SETTINGS // 5


# ---- the formulas by themselves

N = symbol("n")


@st.composite
def forms(draw: st.DrawFn) -> Dim:
    """Make closed forms of everything that can stand in one."""
    value: Dim = N
    for _ in range(draw(st.integers(1, 5))):
        step, number = draw(st.sampled_from(["+", "*", "//", "max", "square"])), draw(st.integers(-9, 9))
        if step == "+":
            value = value + number
        elif step == "*":
            value = value * number
        elif step == "//":
            value = value // (abs(number) + 2)
        elif step == "max":
            value = maximum(value, number, 2 * value + number)
        else:
            value = value * N
    return value


ARITHMETIC = MiniRacer()
ARITHMETIC.eval(CORE)


@given(forms(), st.integers(1, 40) | st.integers(2**53, 2**70))
def test_a_closed_form_is_the_same_in_javascript(form: Dim, n: int) -> None:
    table = Formulas(["n"])
    place = table.index(form)
    found = ARITHMETIC.eval(f"String(({table.javascript()})([{n}n])[{place}])")
    assert int(str(found)) == (form.subs("n", n) if isinstance(form, Expr) else form)


def test_the_comparison_would_notice_rounding() -> None:
    """The floor of numbers, which round, and of BigInt as it is, which cuts towards zero, are both wrong."""
    assert ARITHMETIC.eval("String(fl(-7n, 2n))") == "-4"
    assert ARITHMETIC.eval("String(-7n / 2n)") == "-3"
    assert ARITHMETIC.eval("String(fl(2n ** 60n + 1n, 1n))") == str(2**60 + 1)
    assert ARITHMETIC.eval("String(BigInt(Number(2n ** 60n + 1n)))") != str(2**60 + 1)


# ---- sets of sizes


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "unet", "unet_padded", "unet3d", "vit_b_16"])
def test_what_weights_accept_is_the_exact_set(name: str) -> None:
    page_ = paged(name)
    sizes = load(name).sizes()
    chance = random.Random(name)
    for _ in range(SETTINGS):
        values = {one.name: one.default for one in page_.freedom.controls}
        values |= {one: chance.choice([chance.randint(1, 300), values[one]]) for one in sizes.names}
        point = tuple(values[one] for one in sizes.names)
        built = page_.ask(values)[3]
        assert built["accepts"] == (point in sizes)
        beside = sizes.nearest(point)
        told_ = {tuple(map(int, near)) for near in built["found"]}
        close = {tuple(near.sizes.values()) for near in (beside.below, beside.above) if near is not None}
        assert [sum(abs(a - b) for a, b in zip(near, point, strict=True)) for near in sorted(told_)] == [
            sum(abs(a - b) for a, b in zip(near, point, strict=True)) for near in sorted(close)
        ]


def test_sizes_are_offered_where_another_parameter_moved() -> None:
    """Without an exact set the page searches, and offers what it has tried."""
    page_ = paged("vit_b_16")
    values = {one.name: one.default for one in page_.freedom.controls} | {"patch": 15, "H": 224, "W": 225}
    _, failure, near, built = page_.ask(values)
    assert failure["path"] == "divisible"
    assert near == {"exact": False, "found": [["210", "225"], ["225", "225"]]}
    assert built is None


# ---- what is free, and what is not


def test_what_decides_the_structure_is_told_and_not_moved() -> None:
    fixed = {one.name: one.why for one in paged("vit_b_16").freedom.fixed}
    assert fixed == {"layers": "it decides which layers there are, or how many"}
    fixed = {one.name: one.why for one in paged("resnet50").freedom.fixed}
    assert fixed == {"depths": "it is not an integer", "block": "it is not an integer"}


def test_what_is_set_is_no_control() -> None:
    freedom = freed(load("resnet50"), {"num_classes": 10})
    assert "num_classes" not in [one.name for one in freedom.controls]
    assert [(one.value, one.why) for one in freedom.fixed if one.name == "num_classes"] == [
        ("10", "it was set")
    ]
    assert freedom.report.output[-1] == 10


def test_a_page_opens_with_the_sizes_it_is_given(tmp_path: Path) -> None:
    """What a shape gives is where the controls start, and what existing weights are said to be made for."""
    file = tmp_path / "page.html"
    command = ["html", "vit_b_16", "--picture", "none", "--input", "3x320x160", "-o", str(file)]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.output) == (0, "")
    found = re.search(r"const NETWORK = (\{.*\});$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    defaults = {one["name"]: one["default"] for one in json.loads(found[1])["controls"]}
    assert (defaults["H"], defaults["W"]) == ("320", "160")
    freedom = freed(at_input(load("dcgan_generator"), (100, 2, 3), {}), {})
    given = load("dcgan_generator").analyze(input=(100, 2, 3))
    assert report_at(freedom, {one.name: one.default for one in freedom.controls}).outputs == given.outputs


def test_a_size_that_follows_another_still_does_after_the_page_is_opened_elsewhere() -> None:
    layers = [{"add": None, "from": ["a", "b"]}]
    two = load({"parameters": {"H": 8}, "input": {"a": ["H"], "b": ["2 * H // 2"]}, "layers": layers})
    freedom = freed(at_input(two, {"a": (9,)}, {}), {})
    assert [(one.name, one.default) for one in freedom.controls] == [("H", 9), ("batch", 1)]
    assert report_at(freedom, {"H": 11, "batch": 1}).output == (1, 11)
    one = load({"parameters": {"H": 8}, "input": {"a": ["H", "H + 1"]}, "layers": ["relu"]})
    with pytest.raises(SpecError, match="computes a size of its input"):
        at_input(one, (8, 8), {})


def test_a_map_of_one_pixel_is_not_guessed_at() -> None:
    """Where torch would stretch a map the closed forms say nothing, and neither does the page."""
    page_ = paged("linknet")
    values = {one.name: one.default for one in page_.freedom.controls} | {"H": 16, "W": 16}
    _, failure, near, _ = page_.ask(values)
    assert failure["stretches"]
    assert near is None


# ---- the file


@cache
def written(name: str) -> str:
    return page(load(name))


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "unet", "vit_b_16"])
def test_a_page_allows_its_own_script_and_style_only(name: str) -> None:
    html = written(name)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert policy[1].startswith("default-src 'none'; ")
    assert "unsafe" not in policy[1]
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy[1]
    assert not re.search(r"<link|<img|<iframe|\bsrc=|@import|url\(|\son\w+=|\sstyle=", html)
    assert len(html) < 1_000_000


def test_what_a_spec_says_is_text_on_the_page() -> None:
    """No title, name or layer can end the script or begin an element."""
    nasty = "</script><script>alert(1)</script>"
    model = load(load("lenet5").to_data() | {"title": nasty})
    html = page(model)
    assert nasty not in html
    assert html.count("</script>") == 1
    assert "&lt;/script&gt;" in html


def test_a_picture_has_its_place() -> None:
    svg = '<svg role="img"><style>path { fill: none; }</style><title>LeNet-5</title></svg>'
    html = page(load("lenet5"), picture=svg)
    assert f'<summary>Picture: LeNet-5</summary><figure id="picture"><div>{svg}</div>' in html
    digest = base64.b64encode(hashlib.sha256(b"path { fill: none; }").digest()).decode()
    assert f"'sha256-{digest}'; base-uri" in html


def test_the_gallery_leads_to_every_page() -> None:
    entries = [Entry("a/b", "<One>", 1998, 61706, None), Entry("c", "Two", None, None, None)]
    html = gallery(entries, {"c": "it does not fit"})
    assert f'<a href="{file_name("a/b")}">a/b</a></th><td>&lt;One&gt;</td>' in html
    assert "no page: it does not fit" in html
    assert html.count("<a ") == 1


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    done = CliRunner().invoke(main, ["html", "lenet5", "--picture", "none", "-o", str(file)])
    assert (done.exit_code, done.output) == (0, "")
    assert file.read_text(encoding="utf-8") == written("lenet5")


def test_the_command_draws_the_picture(tmp_path: Path) -> None:
    for style in ("graph", "volumes"):
        done = CliRunner().invoke(main, ["html", "lenet5", "--picture", style])
        assert done.exit_code == 0, done.output
        svg = load("lenet5").draw(style=style).svg()
        assert svg in done.output
        assert "<summary>Picture: LeNet-5, as taught today (lenet5) on 1x32x32</summary>" in done.output
        assert " style=" not in svg  # the policy would not let it


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["html"], 2, "name a MODEL"),
        (["html", "--all"], 2, "needs a folder"),
        (["html", "lenet5", "--all", "-o", "x"], 2, "takes no MODEL"),
        (["html", "lenet5", "--input", "1x8x8"], 1, "in c3"),
        (["html", "nope"], 2, "nope"),
        (["html", "tutorials/torch_inception_v3"], 1, "in_channels"),
        (["html", "lenet5", "-o", "."], 2, "cannot be written"),
    ],
)
def test_the_command_refuses(arguments: list[str], status: int, says: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status
    assert says in done.output


def test_the_wheel_ships_the_parts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("shapecalc/page/")}
    parts = {"core.js", "page.js", "page.css", "head.html", "page.html", "gallery.html", "gallery.js"}
    assert {f"shapecalc/page/{part}" for part in parts} <= shipped
