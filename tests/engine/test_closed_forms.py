"""Closed forms: depth left free, sums over passes, leading terms, and what sympy makes of it all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, reject
from hypothesis import strategies as st

import shapecalc
from shapecalc import Model, SpecError, Undecided, load, loads, names, symbol
from shapecalc.algebra import Dim, Expr, ceildiv, maximum
from shapecalc.algebra.leading import leading
from shapecalc.algebra.summation import summed
from shapecalc.engine.graph import Loop
from shapecalc.engine.loops import in_every_pass
from shapecalc.engine.parameters import Parameters
from shapecalc.layers.requirement import HalfKernel
from shapecalc.spec.find import bundled
from shapecalc.views.csv_table import csv
from tests.support.closed_forms import compare
from tests.support.layer_tables import table

DEPTHS = {
    "resnet20_cifar": "n",
    "preact_resnet164_cifar": "n",
    "wide_resnet28_10_cifar": "depth",
    "densenet40_cifar": "depth",
    "densenet_bc100_cifar": "depth",
    "vit_b_16": "layers",
}
"""A bundled network of each family whose depth is one parameter."""
BROKEN = {"tutorials/keras_inception_v4", "tutorials/torch_inception_v3"}
"""Tutorials that hold for no size."""


def model_of(layers: str, **parameters: Any) -> Model:
    """Return a network on 3xHxW whose parameters are H, W and n."""
    values = {"H": 32, "W": 32, "n": 3} | parameters
    return loads(f"parameters: {json.dumps(values)}\ninput: [3, H, W]\nlayers:\n{layers}")


# ---- the law, over all specs


def countable(model: Model) -> dict[str, int]:
    """Return the parameters that can be left free, with their defaults."""
    known = Parameters(model, {})
    return {name: n for name in model.parameters if type(n := known[name]) is int and known.countable(n)}


LEGAL = [name for name in names() if name not in BROKEN]
FIRSTS = {path: name for name, path in reversed(bundled().items())}.values()
"""The first network of every file."""


def check_free(model: Model, free: tuple[str, ...], numbers: Mapping[str, int]) -> bool:
    """Assert the law for some parameters; return False where the question has no answer."""
    try:
        symbolic = model.analyze(symbolic=free)
    except (SpecError, Undecided):  # a word, or a condition on it
        return False
    compare(model, symbolic, {one: numbers[one] for one in free})
    return True


@pytest.mark.sample(20)
@pytest.mark.parametrize("name", LEGAL)
def test_numbers_put_in_later_are_the_numbers(name: str) -> None:
    """Everything is left free at once: every parameter that can be, and the batch."""
    model = load(name)
    defaults = countable(model)
    sizes = {one: defaults[one] + 32 for one in model.free_names()}
    numbers = {**defaults, **sizes, "batch": 2}
    joint = check_free(model, (*defaults, "batch"), numbers)
    assert check_free(model, (*sizes, "batch"), numbers) or joint


@pytest.mark.sample(10)
@pytest.mark.parametrize("name", [name for name in FIRSTS if name in LEGAL])
def test_each_parameter_may_be_left_free_alone(name: str) -> None:
    model = load(name)
    defaults = countable(model)
    for one, default in defaults.items():
        sizes = tuple(size for size in model.free_names() if size != one)
        for free in ((one,), (one, *sizes)):
            for number in (default, default + 1):
                check_free(model, free, {**defaults, one: number})


@pytest.mark.parametrize(("name", "free"), DEPTHS.items())
def test_every_depth_is_told_by_one_form(name: str, free: str) -> None:
    model = load(name)
    default = countable(model)[free]
    for others in ((), ("H", "W", "batch")):
        symbolic = model.analyze(symbolic=(free, *others))
        assert symbolic.graph.loops
        told = 0
        for depth in {1, 2, 3, 4, 7, 10, 11, 16, 17, default}:
            numbers = {free: depth} | {"H": 64, "W": 48, "batch": 2}
            told += compare(model, symbolic, {one: numbers[one] for one in (free, *others)})
        assert told >= 4


# ---- what a repeat over a free count may be, and what it may not

CONV = "conv2d: {out_channels: 3, kernel_size: 3"


@pytest.mark.parametrize(
    ("layers", "totals", "conditions"),
    [
        pytest.param(f"- {CONV}, padding: 1}}\n  repeat: n", ("84·n", 3, 32), [], id="alike"),
        pytest.param(f"- {CONV}}}\n  repeat: n", ("84·n", 3, "-2·n + 32"), ["-2·n + 32 ≥ 1"], id="shrinking"),
        pytest.param(
            "- concat: [[], [{conv2d: {out_channels: 2, kernel_size: 1, bias: false}}]]\n  repeat: n",
            ("2·n^2 + 4·n", "2·n + 3", 32),
            [],
            id="growing",
        ),
        pytest.param(
            "- concat: [[], [{conv2d: {out_channels: i + 1, kernel_size: 1}}]]\n  repeat: {i: n}",
            None,
            None,
            id="growing by more each time",
        ),
        pytest.param(
            "- conv2d: {out_channels: 8, kernel_size: 1}\n  repeat: n",
            ("72·n - 40", 8, 32),
            [],
            id="the first is another",
        ),
        pytest.param(
            "- max_pool2d: {kernel_size: '2 if i == 0 else 1'}\n  repeat: {i: n}",
            ("0", 3, 16),
            [],
            id="halved once",
        ),
        pytest.param("- max_pool2d: {kernel_size: 2}\n  repeat: n", None, None, id="halved each time"),
        pytest.param(
            "- conv2d: {out_channels: 2**i, kernel_size: 1}\n  repeat: {i: n}", None, None, id="a power"
        ),
        pytest.param("- flatten:\n  repeat: n", ("0", 3072, None), [], id="an axis goes once"),
        pytest.param(
            f"- {CONV}, padding: 1}}\n  repeat: {{i: n, w: [1, 2]}}",
            ("168", 3, 32),
            ["n = 2"],
            id="with a list",
        ),
    ],
)
def test_a_repeat_over_a_free_count(layers: str, totals: Any, conditions: Any) -> None:
    model = model_of(layers)
    if totals is None:
        with pytest.raises(Undecided, match="the number of passes, n, cannot be left free: ") as caught:
            model.analyze(symbolic="n")
        assert caught.value.place.line
        assert "pass 0 makes" in caught.value.hint
        return
    report = model.analyze(symbolic="n")
    params, channels, side = totals
    assert (str(report.params), str(report.output[1])) == (params, str(channels))
    assert side is None or str(report.output[-1]) == str(side)
    assert [str(one.requirement) for one in report.conditions] == conditions
    for n in (1, 2, 5):
        compare(model, report, {"n": n})


def test_free_repeats_inside_free_repeats() -> None:
    inner = "    - sequential:\n        - conv2d: {out_channels: 4, kernel_size: 1}\n      repeat: {j: m}\n"
    model = model_of(
        f"- sequential:\n    - conv2d: {{out_channels: 4, kernel_size: 1}}\n{inner}  repeat: {{i: n}}", m=2
    )
    report = model.analyze(symbolic=("n", "m"))
    assert str(report.params) == "20·m·n + 20·n - 4"
    for n in (1, 2, 4):
        for m in (1, 3):
            assert compare(model, report, {"n": n, "m": m})


def test_free_repeats_are_not_tried_without_end() -> None:
    text = "relu"
    for _ in range(9):
        text = f"{{sequential: [{text}, {{conv2d: {{out_channels: in_channels + 1, kernel_size: 1}}}}], repeat: n}}"
    with pytest.raises(Undecided, match="nested more than 5 deep"):
        model_of(f"- {text}").analyze(symbolic="n")


def test_an_inner_count_may_grow_with_the_outer_pass() -> None:
    body = f"- sequential:\n    - {CONV}, padding: 1}}\n      repeat: i + 1\n  repeat: {{i: n}}"
    model = model_of(f"{body}".replace("      repeat", "      repeat"))
    report = model.analyze(symbolic="n")
    assert report.params == 42 * symbol("n") ** 2 + 42 * symbol("n")
    assert compare(model, report, {"n": 5})


def test_a_count_that_may_be_less_than_none_is_a_condition() -> None:
    model = model_of(f"- {CONV}, padding: 1}}\n  repeat: n - 4")
    report = model.analyze(symbolic="n")
    assert [str(one) for one in report.conditions] == ["n - 4 ≥ 0 (conv2d)"]
    assert "Holds where n ≥ 4" in table(report)
    for n in range(1, 8):
        assert compare(model, report, {"n": n}) is (n >= 4)


def test_a_form_that_begins_at_the_second_pass_says_so() -> None:
    model = model_of("- conv2d: {out_channels: 8, kernel_size: 1}\n  repeat: n - 1")
    report = model.analyze(symbolic="n")
    assert "Holds where n ≥ 2" in table(report)
    assert model.analyze(n=1).params == 0
    assert compare(model, report, {"n": 1}) is False
    assert compare(model, report, {"n": 2}) is True


def test_a_refused_pass_is_refused_whatever_the_number() -> None:
    layers = "- conv2d: {in_channels: 4, out_channels: 4, kernel_size: 1}\n  name: a\n  repeat: "
    with pytest.raises(shapecalc.ShapeError, match="declares in_channels: 4") as caught:
        model_of(layers + "n").analyze(symbolic="n")
    assert caught.value.path == "a.0"
    with pytest.raises(Undecided, match="pass 0 is refused: conv2d declares in_channels"):
        model_of(layers + "n - 1").analyze(symbolic="n")
    second = "- conv2d: {in_channels: 3, out_channels: 4, kernel_size: 1}\n  repeat: "
    with pytest.raises(Undecided, match="pass 1 is refused"):
        model_of(second + "n").analyze(symbolic="n")
    with pytest.raises(shapecalc.ShapeError, match="declares in_channels: 3"):
        model_of(second + "n + 1").analyze(symbolic="n")


def test_names_that_reach_into_a_free_repeat() -> None:
    repeated = f"- {CONV}, padding: 1}}\n  name: a\n  repeat: n\n"
    for user in (
        "- share: a.0",
        "- add:\n  from: [a.1, a]",
        "- relu:\n  name: b\n- concat:\n  from: [a.0, b]",
    ):
        with pytest.raises(Undecided, match=r"'a\.\d': of n passes, a number left free, none can be named"):
            model_of(repeated + user).analyze(symbolic="n")
    peeled = "- conv2d: {out_channels: 8, kernel_size: 1}\n  name: a\n  repeat: n\n- add:\n  from: [a.0, a]"
    model = model_of(peeled)
    assert compare(model, model.analyze(symbolic="n"), {"n": 4})


def test_weights_shared_by_free_repeats() -> None:
    owner = f"- {CONV}, padding: 1}}\n  name: a\n"
    again = model_of(owner + "  repeat: n\n- share: a")
    report = again.analyze(symbolic="n")
    assert (str(report.params), str(report.macs)) == ("84·n", "165,888·n")
    assert compare(again, report, {"n": 3})
    often = model_of(owner + "- share: a\n  repeat: n")
    report = often.analyze(symbolic="n")
    assert (report.params, str(report.macs)) == (84, "82,944·n + 82,944")
    assert compare(often, report, {"n": 3})
    twice = model_of(owner + "  repeat: n\n- share: a\n  repeat: 2")
    report = twice.analyze(symbolic="n")
    assert (str(report.params), str(report.macs)) == ("84·n", "248,832·n")
    assert compare(twice, report, {"n": 3})


def test_weights_shared_by_repeats_that_go_differently() -> None:
    body = f"- sequential:\n    - {CONV}, padding: 1}}\n    - adaptive_avg_pool2d: {{output_size: 16}}\n"
    model = model_of(body + "  name: a\n  repeat: n\n- share: a")  # the first pass is another only at first
    assert model.analyze().params == 3 * 84
    with pytest.raises(Undecided, match="'a' and this step go through their passes differently"):
        model.analyze(symbolic="n")


def test_an_output_in_every_pass_is_not_one_output() -> None:
    inner = "- sequential:\n    - side: [flatten]\n      name: out\n    - relu\n  repeat: n"
    with pytest.raises(Undecided, match="every pass has an output of its own"):
        model_of(inner).analyze(symbolic="n")


def test_the_index_never_takes_a_name_that_is_taken() -> None:
    body = "- concat: [[], [{conv2d: {out_channels: i, kernel_size: 1}}]]\n  repeat: n"
    model = model_of(body, i=2)
    report = model.analyze(symbolic=("n", "i"))
    assert report.graph.loops[0].index == "j"
    for n, i in ((1, 1), (2, 3), (4, 2)):
        assert compare(model, report, {"n": n, "i": i})


def test_what_was_asked_before_does_not_show_after_a_free_repeat() -> None:
    model, other = load("resnet20_cifar"), load("resnet20_cifar")
    model.analyze(symbolic="n")
    assert model.analyze().to_dict() == other.analyze().to_dict()
    assert (
        model.analyze(symbolic=("n", "H")).to_dict()
        == load("resnet20_cifar").analyze(symbolic=("n", "H")).to_dict()
    )


def test_legal_sizes_are_not_told_while_passes_are_free() -> None:
    model = model_of(f"- {CONV}}}\n  repeat: n")
    with pytest.raises(Undecided, match="while the passes of conv2d are free"):
        model.sizes(rebuild=True, free=("n", "H"))


# ---- how it is shown


def test_passes_in_every_form() -> None:
    report = load("resnet20_cifar").analyze(symbolic="n")
    text = table(report, 2)
    assert re.search(r"^stage1 ×n +basic +16x32x32 +4,672·n +4,718,592·n$", text, re.MULTILINE)
    assert re.search(r"^  i ×\(n - 1\) +basic +32x16x16 +18,560·n - 18,560 ", text, re.MULTILINE)
    assert "Passes i = 1 … n - 1 of stage2, stage3" in text
    assert r"\textbf{stage1} $\times n$ & basic" in table(report, 1, form="latex")
    assert r"Passes $i = 1, \dots, n - 1$ of stage2, stage3" in table(report, form="latex")
    assert r"**stage1** $\times n$" in table(report, form="markdown")
    node = next(one for one in report.to_dict()["nodes"] if one["path"] == "stage2.i.add.main.conv1.conv2d")
    assert node["times"] == "n - 1"
    assert node["loops"] == [{"path": "stage2.i", "index": "i", "first": 1, "last": "n - 1"}]
    assert node["params"] == "9,216·n - 9,216"
    header, *rows = csv(report).splitlines()
    assert header.endswith(",times")
    assert rows[0].endswith(",1")
    assert any(row.startswith("stage2.i.") and row.endswith(",n - 1") for row in rows)


def test_numbers_have_no_passes_to_tell() -> None:
    report = load("resnet20_cifar").analyze()
    assert "times" not in csv(report)
    assert "times" not in report.to_dict()["nodes"][-1]
    assert "Passes" not in table(report)


def test_a_part_shows_what_leaves_its_last_pass() -> None:
    report = load("densenet40_cifar").analyze(symbolic="depth")
    (line,) = [one for one in table(report, 1).splitlines() if one.startswith("block1")]
    assert "(12·⌈depth/3⌉ - 8)×32×32" in line
    inside = report["block1.i.concat.new.bn_relu_conv_2.conv2d"]
    assert str(inside.inputs[0][1]) == "12·i + 16"
    assert inside.times == ceildiv(symbol("depth"), 3) - 2


# ---- sums


@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=6),
    st.integers(-3, 5),
    st.integers(0, 12),
    st.integers(1, 9),
)
def test_sums_over_passes_are_sums(coefficients: list[int], first: int, count: int, other: int) -> None:
    i, w, n = symbol("i", 0), symbol("w"), symbol("n", 0)
    value: Dim = 0
    for power, coefficient in enumerate(coefficients):
        value = value + coefficient * (w // 2 + power) * i**power
    found = summed(value, "i", first, n)
    plain = sum(at(value, {"i": index, "w": other}) for index in range(first, first + count))
    assert at(found, {"n": count, "w": other}) == plain


def at(value: Dim, numbers: Mapping[str, int]) -> int:
    found = value.subs(numbers) if isinstance(value, Expr) else value
    assert isinstance(found, int)
    return found


def test_a_sum_that_has_no_polynomial_is_undecided() -> None:
    with pytest.raises(Undecided, match="has no sum over i"):
        summed(symbol("i") // 2, "i", 0, symbol("n"))


# ---- leading terms


@given(st.data())
def test_a_closed_form_over_its_leading_polynomial_tends_to_one(data: st.DataObject) -> None:
    h, w = symbol("H"), symbol("W")
    number = st.integers(0, 9)

    def side(size: Expr) -> Dim:
        a, b, c = data.draw(st.tuples(st.integers(1, 4), number, st.integers(1, 9)))
        inner: Dim = (a * size + b) // c
        return maximum(inner, data.draw(number)) + data.draw(number) if data.draw(st.booleans()) else inner

    value: Dim = 0
    for _ in range(data.draw(st.integers(1, 4))):
        value = value + data.draw(st.integers(1, 99)) * side(h) ** data.draw(st.integers(0, 2)) * side(w)
    try:
        found = leading(value, ["H", "W"])
    except Undecided:
        reject()
    large = 10**9
    sizes = {"H": 3 * large + 1, "W": 2 * large + 1}
    assert abs(at(value, sizes) / found.at(**sizes) - 1) < Fraction(1, 10**5)
    assert found.sympy().subs(sizes) == sympy.Rational(found.at(**sizes))


def test_terms_that_cancel_leave_no_leading_polynomial() -> None:
    h = symbol("H")
    with pytest.raises(Undecided, match="cancel"):
        leading(h % 2 + 5, ["H"])
    with pytest.raises(Undecided, match="does not grow as a polynomial"):
        leading(h // symbol("k", 2), ["H", "k"])
    with pytest.raises(Undecided, match="depends on how the sizes grow"):
        leading(maximum(h, symbol("W")), ["H", "W"])


def test_leading_terms_of_known_networks() -> None:
    resnet = load("resnet50").analyze(symbolic=True)
    parts = {2: 9_408, 4: 245_760, 8: 1_310_720, 16: 7_471_104, 32: 14_417_920}
    pixels = sum(Fraction(macs, stride**2) for stride, macs in parts.items())
    assert resnet.leading_macs is not None
    assert resnet.leading_macs.coefficients == {(("H", 1), ("W", 1)): pixels}
    assert f"MACs per input pixel, for large inputs: {pixels.numerator:,}" in table(resnet)
    assert resnet.to_dict()["leading_macs"] == "81,456·H·W"
    vit = load("vit_b_16").analyze(symbolic=True)
    assert vit.leading_macs is not None
    assert vit.leading_macs.degree == 4
    assert vit.leading_macs.coefficients == {(("H", 2), ("W", 2)): Fraction(2 * 12 * 768, 16**4)}
    assert "MACs for large inputs: about 9/32·H^2·W^2" in table(vit)
    assert r"MACs for large inputs: about $\frac{9}{32} \, H^{2} \, W^{2}$" in table(vit, form="latex")
    deep = load("vit_b_16").analyze(symbolic=("H", "W", "layers"))
    assert str(deep.leading_macs) == "3/128·layers·H^2·W^2"
    assert load("resnet50").analyze().leading_macs is None
    assert load("resnet50").analyze(symbolic="batch").leading_macs is None


# ---- sympy


def test_reports_carry_expressions_for_sympy() -> None:
    report = load("resnet50").analyze(symbolic=("H", "W"))
    assert isinstance(report.macs, Expr)
    numeric = load("resnet50").analyze(H=225, W=300)
    for value, known in ((report.macs, numeric.macs), (report.params, numeric.params)):
        function = sympy.lambdify(["H", "W"], sympy.sympify(value), modules="math")
        assert function(225, 300) == known
    assert [sympy.sympify(size) for size in report.output] == [1, 1000]
    depth = load("resnet20_cifar").analyze(symbolic="n")
    assert isinstance(depth.params, Expr)
    assert sympy.diff(depth.params.sympy(), "n") == 97_216
    assert report.leading_macs is not None
    assert sympy.diff(report.leading_macs.sympy(), "H") == 81_456 * sympy.Symbol("W")


# ---- every bundled network, in every form

LEAVES = re.compile(r"\\(?:begin|end)\{(\w+)\}")


def check_latex(text: str) -> None:
    """Assert what LaTeX asks of a text, as far as that can be told without it."""
    opened: list[str] = []
    for found in LEAVES.finditer(text):
        if found[0].startswith(r"\begin"):
            opened.append(found[1])
        else:
            assert opened.pop() == found[1]
    assert not opened
    plain = re.sub(r"\\[{}$&%#_]", "", text)
    assert plain.count("{") == plain.count("}")
    for line in plain.splitlines():
        assert line.count("$") % 2 == 0, line
        assert line.count(r"\left") == line.count(r"\right"), line
        inside = line.split("$")
        assert not any(re.search(r"[_^#%]", part) for part in inside[::2]), line
        assert line.isascii() or not re.search(r"[⌊⌋⌈⌉≥×·…]", line), line
        for part in re.sub(r"\\[A-Za-z]+|\\,", "", " ".join(inside[1::2])).split("{"):
            assert "&" not in part, line
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert rows
    spec = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert spec is not None
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(spec[1])}


@pytest.mark.sample(20)
@pytest.mark.parametrize("name", LEGAL)
def test_every_network_in_every_form(name: str) -> None:
    report = load(name).analyze(symbolic=True)
    check_latex(table(report, form="latex"))
    text = table(report, width=100)
    assert max(map(len, text.splitlines())) <= 100
    body = table(report, form="markdown")
    rows = [line for line in body.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_the_check_of_latex_can_fail() -> None:
    good = (
        r"\begin{tabular}{llllll}" + "\n" + r"a & b & c & $1 \times 2$ & d & e \\" + "\n" + r"\end{tabular}"
    )
    check_latex(good)
    for old, new in (
        ("$1", "1"),
        (r"\end", r"\emph"),
        ("& e", ""),
        ("a &", "a_b &"),
        ("2$", "⌊2$"),
        ("{llllll}", "{llllll"),
        ("{llllll}", "{lllll}"),
    ):
        with pytest.raises(AssertionError):
            check_latex(good.replace(old, new))


def test_a_word_is_quoted_as_the_spec_writes_it() -> None:
    with pytest.raises(SpecError, match="the parameter block is basic, not an integer"):
        load("resnet18").analyze(symbolic="block")


def test_a_requirement_with_facts_is_kept_at_the_strictest_pass() -> None:
    """A padding that grows with each pass is largest in the last; the message is still that of the kind."""
    loop = Loop("blocks", "i", 0, symbol("n"))
    strictest = [*in_every_pass(HalfKernel("max_pool2d", "height", symbol("k"), symbol("i", 0)), loop)]
    assert [str(requirement.relation) for requirement in strictest] == ["k ≥ 2·n - 2"]
    assert "max_pool2d" in strictest[0].message
