"""Inputs, budgets and in_features asked backwards: against torch, against every value tried, and as printed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import assume, event, given
from hypothesis import strategies as st

import shapecalc
from shapecalc import Model, ShapecalcError, ShapeError, SpecError, Undecided, loads
from shapecalc.cli import main
from shapecalc.solving.budget_answer import Budget, Hit
from tests.sizes.test_sizes import Truth
from tests.support.networks import networks
from tests.support.torch_network import TorchRefuses

# ---- which input


@pytest.mark.parametrize(
    ("name", "target", "at", "legal", "refused"),
    [
        ("resnet50", (7, 7), "stage4", [(193, 193), (224, 224), (193, 224)], [(192, 224), (224, 225)]),
        ("vgg16", (512, 7, 9), "stage5", [(224, 288), (255, 319)], [(223, 288), (224, 320)]),
        ("alexnet", (6, 6), "pool5", [(223, 223), (254, 254)], [(222, 223), (223, 255)]),
        ("unet", (388, 388), None, [(572, 572)], [(571, 572), (588, 588)]),
        ("linknet", (256, 320), None, [(253, 317), (256, 320)], [(252, 320), (257, 320)]),
        ("lenet5", 10, None, [(32, 32), (35, 33)], [(36, 32), (31, 32)]),
    ],
)
def test_inputs_of_a_known_network(name: str, target: Any, at: str | None, legal: Any, refused: Any) -> None:
    found = shapecalc.load(name).solve(output=target, at=at)
    assert found
    assert all(point in found for point in legal)
    assert not any(point in found for point in refused)
    assert found.smallest is not None
    assert tuple(found.smallest.values()) in found
    assert next(iter(found)) == tuple(found.smallest.values())


@given(networks(), st.data())
def test_inputs_are_those_at_which_torch_agrees(model: Model, data: st.DataObject) -> None:
    """On random networks: a size is found exactly where torch runs and its output has the sizes asked for."""
    try:
        model.analyze()
        sizes = model.sizes()
        truth = Truth(model, sizes)
        anywhere = st.tuples(*[st.integers(1, 40)] * len(sizes.names))
        usual = tuple(sizes.built[name] for name in sizes.names)
        legal = [point for _, point in zip(range(8), sizes, strict=False)]
        aim = data.draw(st.sampled_from([usual, *(p if isinstance(p, tuple) else (p,) for p in legal)]))
        target = result(truth, aim)
        assume(target is not None)
        assert target is not None
        found = model.solve(output=target)
    except (ShapeError, SpecError, TorchRefuses):
        event("not legal")
        return
    except Undecided:
        event("undecided")
        return
    assert aim in found
    beside = [tuple(max(1, n + step) for n in aim) for step in (-1, 1, 2)]
    for point in [usual, *beside, *data.draw(st.lists(anywhere, max_size=5))]:
        assert (result(truth, point) == target) == (point in found), point


def result(truth: Truth, point: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the sizes of torch's main output without the batch, or None where the network as built refuses."""
    if max(point) > 200 or not truth.accepts(point):
        return None
    return tuple(next(iter(truth.run(point).outputs.values())).shape[1:])


def test_why_there_is_no_input() -> None:
    found = shapecalc.load("unet").solve(output=(390, 390))
    assert not found
    assert found.smallest is None
    assert {(one.size, one.becomes) for one in found.beside} == {(572, 388), (588, 404)}
    never = shapecalc.load("resnet50").solve(output=(20, 7, 7), at="stage4")
    assert never.never == [2048]
    assert "A size of 2048 is the same for every input" in str(never)


@pytest.mark.parametrize(
    ("options", "says", "hint"),
    [
        ({"output": (7, 7)}, "the output is 1000, which cannot be 7x7", "stage4.2.relu is the last"),
        ({"output": (7, 7), "at": "stge4"}, "no layer 'stge4' (did you mean 'stage4'?)", ""),
        ({"output": "7x7"}, "not a size of a result", ""),
        ({"output": (0, 7), "at": "stage4"}, "not a size of a result", ""),
        ({}, "solve for one of output, params, macs, memory, in_features, not for nothing", ""),
        ({"params": 1, "macs": 1, "free": "H"}, "not for params and macs", ""),
        ({"params": 1}, "needs a parameter that is free", ""),
        ({"params": 0, "free": "H"}, "integer of at least 1", ""),
        ({"macs": 1, "free": "h"}, "no parameter 'h'", "parameters: H, W"),
        ({"macs": 1, "free": "H", "aim": "above"}, "not 'above'", ""),
        ({"macs": 1, "free": "H", "H": 3}, "both set and left free", ""),
        ({"macs": 1, "free": "H", "multiple_of": 0}, "a number above 0", ""),
        ({"macs": 1, "free": "H", "multiple_of": True}, "not a number", ""),
        ({"macs": 1, "free": "H", "between": (5, 2)}, "nothing lies between 5 and 2", ""),
        ({"macs": 1, "free": "H", "between": (5,)}, "the first and the last value", ""),
        ({"macs": 1, "free": "H[x]"}, "neither a parameter nor an entry", ""),
        ({"params": 5, "free": "H"}, "do not depend on H: there are 25,557,032", ""),
        ({"in_features": "stem"}, "the layer 'stem' is not linear", "linear layers: fc"),
        ({"in_features": "fx"}, "the layer 'fx' is not there", "linear layers: fc"),
    ],
)
def test_questions_that_make_no_sense(options: dict[str, Any], says: str, hint: str) -> None:
    with pytest.raises(SpecError) as caught:
        shapecalc.load("resnet50").solve(**options)
    assert says in caught.value.message
    assert hint in caught.value.hint


# ---- which width, depth or resolution

SMALL = loads(
    """
name: small
parameters: {H: 24, W: 24, width: 8, depth: 2, scale: 0.5, convs: [1, 2], groups: 4}
input: [3, H, W]
layers:
  - conv2d: {out_channels: width, kernel_size: 3, stride: 2, padding: 1}
  - conv2d: {out_channels: width, kernel_size: 3, padding: 1, groups: groups}
    repeat: depth
  - conv2d: {out_channels: "floor(32*scale)", kernel_size: 1}
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
    repeat: convs[1]
  - adaptive_avg_pool2d: {output_size: 2}
  - flatten
  - linear: {out_features: 10}
"""
)


def costs(quantity: str, names: tuple[str, ...], values: list[Any], **settings: Any) -> dict[Any, int]:
    """Return the cost for each value that is a network, by plain analysis."""
    found: dict[Any, int] = {}
    for value in values:
        try:
            report = SMALL.analyze(**dict.fromkeys(names, value), **settings)
        except ShapecalcError:
            continue
        cost = report.params if quantity == "params" else report.macs
        assert isinstance(cost, int)
        found[value] = cost
    return found


def compare(found: Budget, table: dict[Any, int], target: int) -> None:
    by_cost: dict[int, list[Any]] = {}
    for value, cost in table.items():
        by_cost.setdefault(cost, []).append(value)
    below = max((cost for cost in by_cost if cost < target), default=None)
    above = min((cost for cost in by_cost if cost > target), default=None)
    sides: list[tuple[Hit | None, int | None]] = [
        (found.exact, target if target in by_cost else None),
        (found.below, below),
        (found.above, above),
    ]
    for hit, amount in sides:
        assert (None if hit is None else hit.amount) == amount
        assert hit is None or [*hit.values] == by_cost[hit.amount]


@given(
    st.sampled_from(["params", "macs"]),
    st.sampled_from([("H", "W"), ("width",), ("H",)]),
    st.integers(0, 30),
    st.integers(-2, 2),
    st.sampled_from([1, 2, 4, 8]),
)
def test_a_closed_form_is_solved_as_all_values_tried(
    quantity: str, names: tuple[str, ...], value: int, off: int, step: int
) -> None:
    assume(not (quantity == "params" and "H" in names))
    last = 80
    table = costs(quantity, names, [*range(step, last + 1, step)])
    target = [*table.values()][min(value, len(table) - 2)] + off
    assume(target > 0)
    found = SMALL.solve(**{quantity: target}, free=names, multiple_of=step)
    assert found.formula is not None
    compare(found, table, target)
    within = SMALL.solve(**{quantity: target}, free=names, multiple_of=step, between=(5, 40))
    compare(within, {n: cost for n, cost in table.items() if 5 <= n <= 40}, target)


@pytest.mark.parametrize(
    ("names", "values", "options"),
    [
        (("scale",), [Fraction(n, 4) for n in range(1, 65)], {"multiple_of": 0.25}),
        (
            ("scale",),
            [Fraction(n, 3) for n in range(1, 10)],
            {"multiple_of": Fraction(1, 3), "between": (0.1, 3)},
        ),
    ],
)
@pytest.mark.parametrize("target", [900, 2_000, 2_394, 10**6])
def test_what_has_no_closed_form_is_tried(
    names: tuple[str, ...], values: list[Any], options: dict[str, Any], target: int
) -> None:
    found = SMALL.solve(params=target, free=names, **options)
    assert found.formula is None
    assert f"each of {len(values)} candidates" in found.method
    compare(found, costs("params", names, values), target)


def test_an_entry_of_a_list_is_solved_for() -> None:
    for n in (1, 4, 9):
        target = SMALL.analyze(convs=[1, n]).params
        assert isinstance(target, int)
        found = SMALL.solve(params=target, free="convs[1]", between=(1, 12))
        assert found.exact is not None
        assert found.exact.values == (n,)
    with pytest.raises(SpecError, match="has no entry 7"):
        SMALL.solve(params=5, free="convs[7]")


def test_aims_choose_a_side() -> None:
    model = shapecalc.load("densenet121")
    options: dict[str, Any] = {"params": 5_000_000, "free": "growth", "multiple_of": 8}
    found = {aim: model.solve(**options, aim=aim) for aim in ("nearest", "at_most", "at_least")}
    assert {aim: one.answer.values for aim, one in found.items() if one.answer} == {
        "nearest": (24,),
        "at_most": (24,),
        "at_least": (32,),
    }
    assert "above" not in str(found["at_most"])
    assert "below" not in str(found["at_least"])
    assert not model.solve(params=5, free="growth", aim="at_most")


def test_a_multiplier_and_a_resolution_of_a_published_network() -> None:
    model = shapecalc.load("mobilenet_v2")
    budget = model.solve(params=5_000_000, free="width", multiple_of=0.05, between=(1, 1.5), aim="at_most")
    assert budget.answer is not None
    assert budget.answer.values == (Fraction(6, 5),)
    assert model.analyze(width=Fraction(6, 5)).params == budget.answer.amount <= 5_000_000
    expected = model.analyze().macs
    assert isinstance(expected, int)
    resolution = model.solve(macs=expected, free=("H", "W"))
    assert resolution.exact is not None
    assert resolution.exact.values == (223, 224)


def test_what_cannot_be_counted_has_no_budget() -> None:
    with pytest.raises(SpecError, match="too many to analyse"):
        SMALL.solve(params=5, free="scale", multiple_of=0.25, between=(1, 10_000))
    with pytest.raises(ShapeError, match="no groups from 9 to 20 makes a network; with 9"):
        SMALL.solve(params=5, free="groups", between=(9, 20), width=1)


# ---- which in_features


def test_behind_a_layer_without_a_result_there_is_no_answer() -> None:
    """What fails is raised, instead of that there is no linear layer."""
    with pytest.raises(shapecalc.ShapeError, match="conv2d needs 3 or 4 dimensions"):
        shapecalc.load("lenet5").solve(in_features=True, input=(1, 1, 32, 32))


@pytest.mark.parametrize("name", ["vgg16", "lenet5", "resnet50", "vit_b_16", "alexnet", "resnet50_keras"])
def test_in_features_are_those_of_the_weights(name: str) -> None:
    model = shapecalc.load(name)
    report = model.analyze()
    found = model.solve(in_features=True)
    linear = {node.path: node for node in report if node.kind == "linear"}
    assert {one.path for one in found} == set(linear)
    for one in found:
        assert one.in_features in next(iter(linear[one.path].weights.values()))
        assert one.is_right
        assert one.flattened is None or prod(map(int, map(str, one.flattened))) == one.in_features
        if isinstance(one.formula, shapecalc.Expr):
            built = {name: model.parameters[name] for name in one.formula.free_symbols}
            assert one.formula.subs(built) == one.in_features


def test_a_wrong_number_is_told_with_the_right_one() -> None:
    model = loads(
        """
name: wrong
input: [3, 64, 64]
layers:
  - conv2d: {out_channels: 8, kernel_size: 3, stride: 2}
  - flatten
  - relu
  - linear: {in_features: 101, out_features: 10}
  - linear: {in_features: 12, out_features: 10}
  - linear: {in_features: 10, out_features: 10}
"""
    )
    with pytest.raises(ShapeError):
        model.analyze()
    first, second, third = model.solve(in_features=True)
    assert first.arithmetic == "8·31·31 = 7,688"
    assert str(first.formula) == "8·(⌈H/2⌉ - 1)·(⌈W/2⌉ - 1)"
    assert "the spec says 101, which is wrong" in str(first)
    assert (second.in_features, second.is_right, third.is_right) == (10, False, True)
    assert model.solve(in_features="linear", input=(3, 20, 30))["linear"].in_features == 8 * 9 * 14


def test_a_network_that_never_holds_says_why() -> None:
    model = loads(
        "{name: never, input: [3, H, W], parameters: {H: 9, W: 9}, "
        "layers: [{conv2d: {in_channels: 4, out_channels: 8, kernel_size: 3}}]}"
    )
    with pytest.raises(ShapeError, match="declares in_channels: 4"):
        model.solve(output=(7, 7))


@pytest.mark.parametrize("options", [{"in_features": True}, {"in_features": "linear"}])
def test_what_went_wrong_before_is_told(options: dict[str, Any]) -> None:
    model = loads(
        "{name: early, input: [3, 4, 4], layers: [{conv2d: {out_channels: 8, kernel_size: 9}}, flatten, "
        "{linear: {out_features: 2}}]}"
    )
    with pytest.raises(ShapeError, match="conv2d"):
        model.solve(**options)


# ---- the command

PRINTED = {
    "solve_help": "solve --help",
    "solve_window": "solve window 56 28 --limit 5",
    "solve_window_up": "solve window 28 56 --kernel 3",
    "solve_window_none": "solve window 56 100",
    "solve_window_keras": "solve window 56 28 --framework keras --max-kernel 3",
    "solve_window_json": "solve window 224 112 --kernel 3 --kind max_pool2d --format json",
    "solve_mirror": "solve mirror conv2d kernel_size=3 stride=2 padding=1 --limit 3",
    "solve_mirror_size": "solve mirror resnet50 stem.conv2d --size 224",
    "solve_input": "solve input resnet50 7x7 --at stage4",
    "solve_input_none": "solve input unet 390x390",
    "solve_input_json": "solve input alexnet 6x6 --at pool5 --format json",
    "solve_budget": "solve budget densenet121 --params 5M --free growth --multiple-of 8",
    "solve_budget_macs": "solve budget mobilenet_v2 --macs 300M --free H=W --at-most",
    "solve_budget_tried": "solve budget mobilenet_v1_050 --params 2M --free width --multiple-of 0.25 --between 0.25:2",
    "solve_features": "solve features lenet5",
}


def run(arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, shlex.split(arguments), prog_name="shapecalc")
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("name", PRINTED)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    status, out, err = run(PRINTED[name])
    assert status == int(name.endswith("none"))
    assert err == ""
    golden(f"cli/{name}.txt", out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("window 56 x", "is not a shape"),
        ("mirror max_pool2d kernel_size", "write FIELD=VALUE"),
        ("mirror max_pool2d kernel_size=2 kernel_size=3", "kernel_size is set twice"),
        ("mirror resnet50 steam", "no layer 'steam' with a window"),
        ("input resnet50 7x7", "name a layer"),
        ("budget resnet50 --params 5Q --free H", "is not a number"),
        ("budget resnet50 --params 5M --free H --multiple-of x", "write 8, 0.25 or 1/3"),
        ("budget resnet50 --params 5M --free H --between 16", "write FIRST:LAST"),
        ("budget resnet50 --params 5M --macs 5M --free H", "one of them only"),
        ("features resnet50 stem", "is not linear"),
    ],
)
def test_the_command_complains_kindly(arguments: str, says: str) -> None:
    status, out, err = run(f"solve {arguments}")
    assert status == 2
    assert out == ""
    assert says in err


@pytest.mark.parametrize("name", [name for name in PRINTED if name.endswith("json")])
def test_json_is_what_python_says(name: str) -> None:
    found = json.loads(run(PRINTED[name])[1])
    if "window" in name:
        assert found == shapecalc.solve_window(224, 112, kernel=3, kind="max_pool2d").to_dict()
    else:
        assert found == shapecalc.load("alexnet").solve(output=(6, 6), at="pool5").to_dict()


def test_a_product_of_other_axes_is_no_flatten() -> None:
    """The last axis has the size of two axes before it, but the axes in front were rearranged."""
    layers = "[unflatten: {dim: 1, unflattened_size: [3, 2, 2, 2]}, reshape: {shape: [2, 3, 4]}, linear: {out_features: 5}]"
    (feature,) = shapecalc.loads(f"input: [24]\nlayers: {layers}").solve(in_features=True)
    assert (feature.in_features, feature.flattened) == (4, None)
