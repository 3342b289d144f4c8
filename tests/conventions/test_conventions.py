"""Costs under every convention: as the tools say, as their parts add up, and as counting itself says."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product as every
from typing import Any

import pytest
import torchvision
from click.testing import CliRunner
from hypothesis import settings

import shapecalc
from shapecalc import Layer, SpecError, register
from shapecalc.cli import main
from shapecalc.conventions.by_tool import CONVENTIONS, convention
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers import MultiheadAttention
from shapecalc.layers.base import AnyShape, NoMacs, NoWeights, NoWindow, Pointwise, SameShape
from shapecalc.layers.registry import get, kinds, unregister
from shapecalc.report.reconciliation import accounts, changes
from tests.conventions.test_counting_tools import configurations
from tools.conventions import DOCUMENT, data, document, ours

CONFIGURATIONS = max(1, settings().max_examples // 60)
every_convention = pytest.mark.parametrize("name", CONVENTIONS)


# ---- as the tools say

REFERENCES = {
    "resnet50": {
        "mac": 4_089_184_256,
        "flop_counter": 2 * 4_089_184_256,
        "calflops": 4_089_184_256,
        "torchinfo": 4_089_238_376,
        "fvcore": 4_111_512_576,
        "ptflops": 4_132_436_968,
        "thop": 4_133_742_592,
    },
    "alexnet": {
        "mac": 714_188_480,
        "flop_counter": 2 * 714_188_480,
        "calflops": 714_188_480,
        "torchinfo": 714_682_664,
        "fvcore": 714_197_696,
        "ptflops": 716_441_128,
        "thop": 714_206_912,
    },
}


@pytest.mark.parametrize("name", REFERENCES)
def test_two_networks_under_each_tool(name: str) -> None:
    report = shapecalc.load(name).analyze()
    assert {by: report.cost(by).total for by in REFERENCES[name]} == REFERENCES[name]


@pytest.mark.parametrize("name", data()["networks"])
def test_what_the_tools_were_measured_to_say(name: str) -> None:
    known = data()["networks"][name]
    higher = known.get("higher", {})
    for tool, measured in known["measured"].items():
        more, reason = higher.get(tool, (0, "functional"))
        assert ours(name, tool, known.get("settings", {})) - measured == more, tool
        assert reason in data()["reasons"]


def test_most_networks_are_the_same_under_every_tool() -> None:
    same = [name for name, known in data()["networks"].items() if "higher" not in known]
    assert len(same) >= 14


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "regnet_y_400mf", "vit_b_32", "densenet121"])
def test_torchvisions_own_figure(name: str) -> None:
    report = shapecalc.load(name).analyze()
    for weights in torchvision.models.get_model_weights(name):
        if weights.transforms().crop_size == [224]:
            total = report.cost("torchvision").total
            assert isinstance(total, int)
            assert round(total / 1e9, 3) == weights.meta["_ops"]


def test_the_page_is_what_the_command_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


# ---- every kind has a rule, or is listed


def known(kind: str, name: str) -> bool:
    """Whether a convention counts any layer of this kind, each as if it multiplied where its kind can."""
    for layer, case in configurations(kind):
        effect = layer.apply(case.inputs)
        if effect.macs == 0 and not isinstance(layer, NoMacs):
            effect = replace(effect, macs=1)
        if convention(name).counts(LayerCall(layer, case.inputs, effect)) is not None:
            return True
    return False


@every_convention
def test_every_kind_has_a_rule_or_its_reason_is_told(name: str) -> None:
    missing = {kind for kind in kinds() if not known(kind, name)}
    reported = {kind for kinds_of, _ in data()["unknown"].get(name, []) for kind in kinds_of}
    assert missing == reported


@pytest.mark.parametrize("kind", kinds())
def test_what_multiplies_is_never_counted_as_nothing(kind: str) -> None:
    for layer, one in configurations(kind):
        asked = LayerCall(layer, one.inputs, layer.apply(one.inputs))
        for rule in map(convention, CONVENTIONS):
            counts = rule.counts(asked)
            if counts is not None:
                assert asked.macs is not None
                assert rule.total(counts) > 0 or asked.macs == 0
                assert all(isinstance(number, int) and number >= 0 for number in counts.values())


@every_convention
def test_a_kind_of_your_own_is_named_and_not_counted_as_nothing(name: str) -> None:
    @register
    class Mystery(SameShape, AnyShape, NoWeights, NoWindow, Layer):
        kind = "mystery"

        def macs(self, x: tuple[Any, ...]) -> None:
            return None

    try:
        model = shapecalc.load({"name": "own", "input": [3, 4, 4], "layers": ["relu", "mystery"]})
        cost = model.analyze(convention=name).cost()
        assert (cost.complete, cost.not_counted, cost["mystery"]) == (False, ["mystery (mystery)"], None)
        text = str(model.analyze(convention=name))
        assert "at least" in text
        assert "Not counted: mystery (mystery)" in text
    finally:
        unregister("mystery")


def test_a_kind_that_says_it_has_no_macs_is_not_said_to_cost_nothing() -> None:
    @register
    class Quiet(Pointwise):
        kind = "quiet"

    try:
        report = shapecalc.load({"name": "own", "input": [3], "layers": ["quiet"]}).analyze()
        assert report.cost("mac").complete
        assert not report.cost("fvcore").complete
    finally:
        unregister("quiet")


# ---- the parts add up


@every_convention
@pytest.mark.parametrize(
    "network", ["lenet5", "resnet18", "unet", "vit_b_32", "alexnet_2012", "shufflenet_v2_x1_0"]
)
def test_accounts_come_to_the_total(network: str, name: str) -> None:
    report = shapecalc.load(network).analyze()
    cost = report.cost(name)
    assert cost.total == sum(one for one in cost.by_node.values() if isinstance(one, int))
    for account in accounts(report):
        if account.convention == name:
            amounts = sum(one for one in account.amounts.values() if isinstance(one, int))
            assert account.total == account.per_mac * report.macs + amounts


@every_convention
@pytest.mark.parametrize(
    ("network", "values"),
    [("lenet5", {"H": 36, "W": 33}), ("resnet20_cifar", {"n": 5}), ("resnet18", {"H": 97, "W": 64})],
)
def test_numbers_put_into_the_closed_form(network: str, values: dict[str, Any], name: str) -> None:
    model = shapecalc.load(network)
    cost = model.analyze(symbolic=tuple(values)).cost(name)
    plain = model.analyze(**values).cost(name)
    for part, number in plain.parts.items():
        form = cost.parts[part]
        assert (form if isinstance(form, int) else form.subs(values)) == number


def test_why_the_papers_arrangement_is_cheaper() -> None:
    first, second = (shapecalc.load(name).analyze() for name in ("resnet50", "resnet50_keras"))
    (change,) = changes(first, second)
    assert (change.layers, change.difference, change.count) == ("conv2d 1x1", "stride 2 in place of 1", 3)
    assert first.macs + change.amount == second.macs == 3_857_973_248
    with pytest.raises(SpecError, match="do not have the same layers"):
        changes(first, shapecalc.load("resnet18").analyze())


# ---- what is shown


def printed(arguments: str) -> str:
    found = CliRunner().invoke(main, arguments.split())
    assert found.exit_code == 0, found.output
    return found.output


@every_convention
def test_json_says_convention_unit_and_total(name: str) -> None:
    found = json.loads(printed(f"show lenet5 --format json --convention {name}"))
    cost = shapecalc.load("lenet5").analyze().cost(name)
    assert found["cost"] == cost.to_dict()
    assert [found["cost"][key] for key in ("convention", "unit", "total")] == [name, cost.unit, cost.total]
    assert {node["path"]: node["cost"] for node in found["nodes"]} == cost.by_node


def test_nothing_is_added_where_no_convention_is_asked_for() -> None:
    assert "cost" not in json.loads(printed("show lenet5 --format json"))
    assert printed("show lenet5") == printed("show lenet5 --convention mac")
    assert (
        printed("show lenet5 --format csv").splitlines()[1:]
        == (printed("show lenet5 --format csv --convention mac").splitlines()[1:])
    )


@every_convention
@pytest.mark.parametrize("form", ["table", "markdown", "csv", "latex"])
def test_every_form_says_unit_and_convention(form: str, name: str) -> None:
    text = printed(f"show lenet5 --format {form} --convention {name}").replace("\\_", "_")
    title = convention(name).title
    assert title in text
    assert name == "mac" or name in title
    assert convention(name).unit in title


def test_an_unknown_convention_is_named_with_the_nearest() -> None:
    with pytest.raises(SpecError, match=r"unknown convention 'fvcor' .did you mean 'fvcore'"):
        shapecalc.load("lenet5").analyze(convention="fvcor")
    assert CliRunner().invoke(main, ["show", "lenet5", "--convention", "no"]).exit_code == 2


@pytest.mark.parametrize(
    "arguments", ["resnet50", "vit_b_32", "lenet5 --free H,W", "resnet50 --against resnet50_keras"]
)
def test_reconcile_as_golden_text(arguments: str, golden: Callable[[str, str], None]) -> None:
    name = arguments.replace(" --", "_").replace(" ", "_").replace(",", "")
    golden(f"cli/reconcile_{name}.txt", printed(f"reconcile {arguments}"))


@every_convention
def test_diff_compares_by_a_convention(name: str) -> None:
    found = CliRunner().invoke(main, f"diff alexnet alexnet_2012 --format json --convention {name}".split())
    reports = [shapecalc.load(one).analyze() for one in ("alexnet", "alexnet_2012")]
    totals = json.loads(found.output)["totals"]
    assert totals[convention(name).title] == [report.cost(name).total for report in reports]


def test_reconcile_in_json() -> None:
    found = json.loads(printed("reconcile resnet50 --against resnet50_keras --format json"))
    assert found["against"]["changes"][0]["amount"] == -231_211_008
    assert {one["convention"] for one in found["conventions"]} == {*CONVENTIONS}


def test_reconcile_asks_both_networks_alike() -> None:
    """The stride stands elsewhere on three 1x1 layers, whose difference grows as the input does."""
    found = json.loads(printed("reconcile resnet50 --against resnet50_keras --set H=256 --format json"))
    other = shapecalc.load("resnet50_keras").analyze(H=256)
    assert found["against"]["macs"] == other.macs
    assert found["against"]["changes"][0]["amount"] == -231_211_008 * 256 // 224


# ---- `exact`, by counting

TALLY: Counter[str] = Counter()


class Number:
    """A number that counts what is done with it."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def __add__(self, other: Number) -> Number:
        TALLY["additions"] += 1
        return Number(self.value + other.value)

    def __sub__(self, other: Number) -> Number:
        TALLY["additions"] += 1
        return Number(self.value - other.value)

    def __mul__(self, other: Number) -> Number:
        TALLY["multiplications"] += 1
        return Number(self.value * other.value)

    def __truediv__(self, other: Number) -> Number:
        TALLY["divisions"] += 1
        return Number(self.value / other.value)

    def larger(self, other: Number) -> Number:
        TALLY["comparisons"] += 1
        return Number(max(self.value, other.value))

    def exp(self) -> Number:
        TALLY["exponentials"] += 1
        return Number(math.exp(self.value))

    def root(self) -> Number:
        TALLY["roots"] += 1
        return Number(math.sqrt(abs(self.value)))


def total(numbers: list[Number]) -> Number:
    first, *others = numbers
    for one in others:
        first = first + one
    return first


def largest(numbers: list[Number]) -> Number:
    first, *others = numbers
    for one in others:
        first = first.larger(one)
    return first


def numbers(count: int) -> list[Number]:
    return [Number() for _ in range(count)]


def softmax(row: list[Number]) -> None:
    top = largest(row)
    powers = [(one - top).exp() for one in row]
    under = total(powers)
    for one in powers:
        one / under


def dot(length: int, *, bias: bool) -> Number:
    found = total([left * right for left, right in zip(numbers(length), numbers(length), strict=True)])
    return found + Number() if bias else found


def standardized(group: list[Number], *, affine: bool) -> None:
    mean = total(group) / Number()
    apart = [one - mean for one in group]
    variance = total([one * one for one in apart]) / Number()
    factor = Number() / (variance + Number()).root()
    for one in apart:
        scaled = one * factor
        if affine:
            scaled * Number() + Number()


def convolution() -> None:
    for _ in range(2 * 6 * 6 * 5):  # two images, six channels, 6x5 positions, two input channels a group
        dot(2 * 3 * 3, bias=True)


def linear() -> None:
    for _ in range(3 * 5):
        dot(7, bias=False)


def max_pooling() -> None:
    for _ in range(2 * 3 * 2):
        largest(numbers(2 * 3))


def avg_pooling() -> None:
    for _ in range(2 * 3 * 3):
        total(numbers(4)) / Number()


def adaptive() -> None:
    def windows(n: int, out: int) -> list[int]:
        return [math.ceil((i + 1) * n / out) - math.floor(i * n / out) for i in range(out)]

    for _ in range(2):
        for height, width in every(windows(7, 3), windows(5, 2)):
            total(numbers(height * width)) / Number()


def batch_norm() -> None:
    for _ in range(3):
        factor = Number() / (Number() + Number()).root()
        for one in numbers(2 * 4 * 5):
            (one - Number()) * factor + Number()


def attention_of(queries: int, keys: int) -> None:
    """Attention of so many queries to so many keys, 6 features, 2 heads."""
    features, heads = 6, 2
    for length in (queries, keys, keys):
        for _ in range(length * features):
            dot(features, bias=True)
    for _ in range(queries * features):
        Number() * Number()
    for _ in range(heads * queries):
        softmax([dot(features // heads, bias=False) for _ in range(keys)])
        for _ in range(features // heads):
            dot(keys, bias=False)
    for _ in range(queries * features):
        dot(features, bias=True)


def attention() -> None:
    attention_of(5, 5)


def attention_to_another_sequence() -> None:
    attention_of(5, 9)


def softmaxes() -> None:
    for _ in range(2 * 4):
        softmax(numbers(3))


def relus() -> None:
    for one in numbers(2 * 9):
        one.larger(Number())


def sums() -> None:
    for _ in range(2 * 9):
        total(numbers(3))


def relu_cells() -> None:
    for _ in range(2 * 4):  # two samples, four numbers of the state
        (dot(3, bias=True) + dot(4, bias=True)).larger(Number())


def equations() -> None:
    for _ in range(2 * 5):
        dot(3, bias=False)


def bilinears() -> None:
    for _ in range(2 * 5):
        total([dot(3, bias=False) * Number() for _ in range(4)]) + Number()


def squared_errors() -> None:
    total([(one - Number()) * Number() for one in numbers(2 * 3)]) / Number()


def weights_by_length() -> None:
    for _ in range(4):
        row = numbers(3)
        factor = Number() / total([one * one for one in row]).root()
        for one in row:
            one * factor
    for _ in range(2 * 4):
        dot(3, bias=True)


def behind_attention(norms: int) -> None:
    """The two linear layers, the norms and the sums of a transformer's layer of 5 positions."""
    for width, outputs in ((6, 7), (7, 6)):
        for _ in range(5 * outputs):
            dot(width, bias=True)
    for _ in range(norms * 5):
        standardized(numbers(6), affine=True)
    for number in numbers(5 * 7):
        number.larger(Number())
    for number in numbers(norms * 5 * 6):
        number + Number()


def encoder() -> None:
    attention_of(5, 5)
    behind_attention(2)


def decoder() -> None:
    attention_of(5, 5)
    attention_of(5, 9)
    behind_attention(3)


def norm(groups: int, size: int, *, affine: bool) -> Callable[[], None]:
    def run() -> None:
        for _ in range(groups):
            standardized(numbers(size), affine=affine)

    return run


COUNTED: list[tuple[str, dict[str, Any], tuple[tuple[int, ...], ...], Callable[[], None]]] = [
    ("conv2d", {"out_channels": 6, "kernel_size": 3, "groups": 2}, ((2, 4, 8, 7),), convolution),
    ("linear", {"out_features": 5, "bias": False}, ((3, 7),), linear),
    ("max_pool2d", {"kernel_size": [2, 3]}, ((2, 3, 4, 3),), max_pooling),
    ("avg_pool1d", {"kernel_size": 4}, ((2, 3, 12),), avg_pooling),
    ("adaptive_avg_pool2d", {"output_size": [3, 2]}, ((1, 2, 7, 5),), adaptive),
    ("batch_norm2d", {}, ((2, 3, 4, 5),), batch_norm),
    ("layer_norm", {}, ((2, 3, 5),), norm(6, 5, affine=True)),
    (
        "layer_norm",
        {"elementwise_affine": False, "normalized_shape": [3, 5]},
        ((2, 3, 5),),
        norm(2, 15, affine=False),
    ),
    ("group_norm", {"num_groups": 2}, ((3, 4, 5),), norm(6, 10, affine=True)),
    ("instance_norm1d", {}, ((3, 4, 5),), norm(12, 5, affine=False)),
    ("multihead_attention", {"num_heads": 2, "batch_first": True}, ((1, 5, 6),), attention),
    (
        "multihead_attention",
        {"num_heads": 2, "batch_first": True},
        ((1, 5, 6), (1, 9, 6), (1, 9, 6)),
        attention_to_another_sequence,
    ),
    ("softmax", {"dim": 1}, ((2, 3, 4),), softmaxes),
    ("relu", {}, ((2, 9),), relus),
    ("add", {}, ((2, 9), (2, 9), (2, 9)), sums),
    ("rnn_cell", {"hidden_size": 4, "nonlinearity": "relu"}, ((2, 3),), relu_cells),
    ("einsum", {"equation": "ij,jk->ik"}, ((2, 3), (3, 5)), equations),
    ("bilinear", {"out_features": 5}, ((2, 3), (2, 4)), bilinears),
    ("mse_loss", {}, ((2, 3), (2, 3)), squared_errors),
    ("weight_norm", {"layer": {"linear": {"out_features": 4}}}, ((2, 3),), weights_by_length),
    (
        "transformer_encoder_layer",
        {"nhead": 2, "dim_feedforward": 7, "batch_first": True},
        ((1, 5, 6),),
        encoder,
    ),
    (
        "transformer_decoder_layer",
        {"nhead": 2, "dim_feedforward": 7, "batch_first": True},
        ((1, 5, 6), (1, 9, 6)),
        decoder,
    ),
]


@pytest.mark.parametrize(
    ("kind", "fields", "shapes", "program"), COUNTED, ids=[f"{one[0]}{n}" for n, one in enumerate(COUNTED)]
)
def test_exact_counts_what_a_plain_program_does(
    kind: str, fields: dict[str, Any], shapes: tuple[tuple[int, ...], ...], program: Callable[[], None]
) -> None:
    TALLY.clear()
    program()
    layer = get(kind)(**fields)
    counts = convention("exact").counts(LayerCall(layer, shapes, layer.apply(shapes)))
    assert counts is not None
    assert {part: number for part, number in counts.items() if number} == dict(TALLY)


@pytest.mark.parametrize("kind", kinds())
def test_the_multiplications_of_macs_are_among_the_operations(kind: str) -> None:
    for layer, drawn in configurations(kind):
        operations = layer.operations_on(drawn.inputs)
        assert operations is None or operations.macs == layer.apply(drawn.inputs).macs


def test_attention_to_another_sequence_takes_a_softmax_over_its_length() -> None:
    layer = MultiheadAttention(num_heads=2)
    operations = layer.operations_on(((5, 6), (9, 6), (9, 6)))
    assert operations is not None
    assert (operations.exponentials, operations.by_part()["additions"]) == (90, 1_598)


def test_multiplications_are_the_macs_of_what_only_multiplies() -> None:
    report = shapecalc.load("lenet5").analyze()
    for node in report:
        counts = node.counts(convention("exact"))
        assert counts is not None
        if node.kind in {"conv2d", "linear"}:
            assert counts["multiplications"] == node.macs
