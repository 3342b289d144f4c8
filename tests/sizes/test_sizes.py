"""Legal input sizes: real torch accepts exactly those, at boundaries and in every residue class."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import product
from math import lcm
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from hypothesis import event, given, settings
from hypothesis import strategies as st
from torch import Tensor

import shapecalc
from shapecalc import Expr, Model, ShapeError, Side, SpecError, Step, Undecided
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.cli import main
from shapecalc.layers import Conv2d, Flatten, Linear, MaxPool2d
from shapecalc.sizes.agreement import Difference
from shapecalc.sizes.answer import Sizes
from shapecalc.sizes.question import Question
from tests.spec.test_torchvision import SMALLER_IS_FINE
from tests.support.analyses import analyzed
from tests.support.bundled import KERAS, TORCH
from tests.support.keras_twin import built as keras_built
from tests.support.keras_twin import keras, shape_of
from tests.support.networks import networks
from tests.support.paper_networks import NETWORKS
from tests.support.torch_network import Scope, TorchRefuses, TorchRun, Tree
from tests.support.torchvision_networks import IN_TORCHVISION, told

THOROUGH = os.environ.get("SHAPECALC_PROFILE") == "thorough"
LONGEST_PERIOD = 64
"""Longer periods are sampled at their ends."""


class MainTree(Tree):
    """A run without the side outputs, as in torch's evaluation mode; a side that is no output runs too."""

    def step(self, step: Step, scope: Scope, current: Tensor, key: str, path: str) -> Tensor:
        if isinstance(step.body, Side) and self.model.outputs is None:
            return current
        return super().step(step, scope, current, key, path)


class Truth:
    """What torch says of a network that was built once, at other sizes of its input."""

    def __init__(self, model: Model, sizes: Sizes) -> None:
        self.model, self.sizes = model, sizes
        self.built = weights(self.run(tuple(sizes.built[name] for name in sizes.names)))

    def run(self, point: tuple[int, ...]) -> TorchRun:
        values = dict(zip(self.sizes.names, point, strict=True))
        shapes: dict[str, tuple[int, ...]] = {}
        for name, shape in self.sizes.inputs.items():
            found = [size.subs(values) if isinstance(size, Expr) else size for size in shape]
            shapes[name] = tuple(size for size in found if isinstance(size, int))
        tree = Tree if self.sizes.outputs == "all" else MainTree
        with quiet():
            return tree(self.model, {}).whole("meta", shapes)

    def accepts(self, point: tuple[int, ...]) -> bool:
        try:
            run = self.run(point)
        except TorchRefuses:
            return False
        return weights(run) == self.built


class WitnessTruth(Truth):
    """What the published network says, built once, of a spec that loops over lists, which the tree does not read."""

    def __init__(self, model: Model, sizes: Sizes) -> None:
        self.sizes = sizes
        with torch.device("meta"):
            self.network = NETWORKS[model.name]().eval()

    def accepts(self, point: tuple[int, ...]) -> bool:
        values = dict(zip(self.sizes.names, point, strict=True))
        shapes: list[Any] = [
            [size.subs(values) if isinstance(size, Expr) else size for size in shape]
            for shape in self.sizes.inputs.values()
        ]
        try:
            self.network(*(torch.zeros(shape, device="meta") for shape in shapes))
        except REJECTIONS:
            return False
        return True


LOOPING = {
    *("ddpm_cifar10", "hrnet_w32", "mask_rcnn_backbone", "pix2pix_generator", "retinanet"),
    *("unet_plus_plus", "wavenet"),
}


def weights(run: TorchRun) -> dict[str, dict[str, tuple[int, ...]]]:
    return {
        node.path: {name: tuple(tensor.shape) for name, tensor in node.module.state_dict().items()}
        for node in run.nodes
    }


def telling(one: IntegerSet) -> set[int]:
    """Return the numbers at which a wrong set would show: every edge, every residue, the smallest."""
    edges = {edge for first, last in one.early for edge in (first - 1, first, last, last + 1)}
    edges |= {one.start - 1, one.start, one.start + one.modulus, 1, 2, 3}
    edges |= {*range(one.start, one.start + min(one.modulus, LONGEST_PERIOD))}
    return {n for n in edges if n >= 1}


def points(sizes: Sizes) -> Iterator[tuple[int, ...]]:
    """Yield sizes that tell: each axis beside a legal other one, and all axes together."""
    axes = [
        sorted({n for box in sizes.region.boxes for n in telling(box.sets[axis])} or {1, 8, 33})
        for axis in range(len(sizes.names))
    ]
    usual = next(iter(sizes.region), tuple(sizes.built.values()))
    for axis, numbers in enumerate(axes):
        for n in numbers:
            yield (*usual[:axis], n, *usual[axis + 1 :])
    for n in axes[0]:
        yield (n,) * len(axes)
    if len(axes) > 1 and all(len(one) <= 5 for one in axes):
        yield from product(*axes)


def compare(name: str, many: Callable[[Sizes], Iterator[tuple[int, ...]]] = points) -> Sizes:
    model = shapecalc.load(name)
    sizes = model.sizes()
    truth = (WitnessTruth if name in LOOPING else Truth)(model, sizes)
    for point in dict.fromkeys(many(sizes)):
        if max(point) <= 4_000:
            assert truth.accepts(point) == (point in sizes), (name, point)
    return sizes


LONG = ("efficientnet", "regnet")
IN_TORCH = [
    pytest.param(name, marks=pytest.mark.ci if name.startswith(LONG) else ())
    for name in TORCH
    if name != "tutorials/torch_inception_v3"
]
"""Every bundled network that torch can build; the one left out cannot be built at any size."""


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", IN_TORCH)
def test_torch_accepts_exactly_the_legal_sizes(name: str) -> None:
    """At every edge and in every residue class; all of 1 to 256 too under the thorough profile."""
    compare(name)
    if THOROUGH:
        compare(name, lambda sizes: ((n,) * len(sizes.names) for n in range(1, 257)))


IN_KERAS = [name for name in KERAS if name != "tutorials/keras_inception_v4"]
"""Every bundled network that follows Keras' rules; the one left out fails in Keras at any size too."""


def keras_accepts(model: Model, sizes: Sizes) -> Callable[[tuple[int, ...]], bool]:
    """Return what real Keras layers, built once, say of other sizes."""
    question = Question(model)
    layers: dict[str, Any] = {}
    first = question.infer_built()
    for node in first.graph.nodes:
        shapes: Any = tuple(first.shapes[slot] for slot in node.sources)
        cls = type(node.layer)
        if ".activations." in (cls.keras or ""):  # a function of each element
            layers[node.path] = keras.layers.Activation((cls.keras or "").rpartition(".")[2])
        else:
            layers[node.path] = keras_built(cls, node.layer.fields_set(), shapes)

    def accepts(point: tuple[int, ...]) -> bool:
        inference, inputs = question.infer_at(dict(zip(sizes.names, point, strict=True)))
        slots: dict[int, Any] = dict(enumerate(inputs.values()))
        unneeded = question.unneeded(inference.graph)
        for node in (node for node in inference.graph.nodes if node.path not in unneeded):
            try:
                slots[node.first_slot] = shape_of(
                    layers[node.path], tuple(slots[slot] for slot in node.sources)
                )
            except (ValueError, TypeError, RuntimeError):
                return False
            if min(slots[node.first_slot]) < 1:
                return False
        return True

    return accepts


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", IN_KERAS)
def test_keras_accepts_exactly_the_legal_sizes(name: str) -> None:
    model = shapecalc.load(name)
    sizes = model.sizes()
    accepts = keras_accepts(model, sizes)
    edges = [point for point in dict.fromkeys(points(sizes)) if max(point) <= 700]
    for point in edges if THOROUGH else edges[:: max(1, len(edges) // 8)]:
        assert accepts(point) == (point in sizes), point


def test_a_network_that_torch_cannot_build_has_no_legal_size() -> None:
    sizes = shapecalc.load("tutorials/torch_inception_v3").sizes()
    assert not sizes
    assert next(one.path for one in sizes.failures).startswith("inceptionA_1")
    assert "No size is accepted" in str(sizes)


@pytest.mark.sample(8)
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_the_smallest_size_is_torchvisions(name: str) -> None:
    for said in told(name):
        if said.min_size is None or name in SMALLER_IS_FINE:
            continue
        sizes = shapecalc.load(name).sizes(H=said.size, W=said.size)
        front = [sizes.built[other] for other in sizes.names[:-2]]
        height, width = said.min_size
        assert (*front, height, width) in sizes
        for smaller in [(height - 1, width), (height, width - 1)]:
            assert min(smaller) == 0 or (*front, *smaller) not in sizes


# ---- random networks


@settings(deadline=None)
@given(networks(), st.data())
def test_torch_agrees_on_random_networks(model: Model, data: st.DataObject) -> None:
    side_by_name = model.outputs is not None and len(model.outputs) > 1  # torch would run them all
    try:
        model.analyze()
        sizes = model.sizes(outputs="all" if side_by_name or data.draw(st.booleans()) else "main")
    except (ShapeError, SpecError):
        event("refused as it is")
        return
    except Undecided:
        event("undecided")
        return
    event(
        f"periods up to {max((lcm(*(one.modulus for one in box.sets)) for box in sizes.region.boxes), default=0)}"
    )
    event("a merge stretches" if sizes.stretched else "no merge stretches")
    try:
        truth = Truth(model, sizes)
    except KeyError:
        event("a side output is read by the main one")
        return
    everywhere = [point for point in points(sizes) if max(point) <= 200]
    some = data.draw(st.lists(st.sampled_from(everywhere), min_size=1, max_size=12, unique=True))
    anywhere = st.tuples(*[st.integers(1, 40)] * len(sizes.names))
    some += data.draw(st.lists(anywhere, max_size=6))
    for point in some:
        assert truth.accepts(point) == (point in sizes), point


# ---- what a user asks of the set


def test_sizes_are_asked_by_position_and_by_name() -> None:
    sizes = shapecalc.load("unet").sizes()
    assert (572, 188) in sizes
    assert {"W": 188, "H": 572} in sizes
    assert (572, 187) not in sizes
    assert sizes.square.text("n") == "n ≡ 12 (mod 16), n ≥ 188"
    assert next(iter(sizes)) == (188, 188)
    for wrong in [(572,), (0, 572), (572.0, 572), {"H": 572}, "572", None, (True, True)]:
        with pytest.raises(SpecError):
            assert wrong in sizes


def test_one_unknown_is_a_number() -> None:
    model = Model(
        name="line",
        parameters={"n": 28},
        input=[1, "n", "n"],
        layers=[
            Conv2d(out_channels=2, kernel_size=3),
            MaxPool2d(kernel_size=2),
            Flatten(),
            Linear(out_features=3),
        ],
    )
    sizes = model.sizes()
    assert sizes.names == ("n",)
    assert [*sizes] == [28, 29]
    assert 28 in sizes
    assert str(sizes).splitlines()[3] == "  n = 28, 29"


def test_sizes_without_a_name_are_asked_for_too() -> None:
    model = shapecalc.loads("input: [3, 16, 20]\nlayers: [max_pool2d: {kernel_size: 7}]")
    sizes = model.sizes()
    assert sizes.names == ("H", "W")
    assert sizes.built == {"H": 16, "W": 20}
    assert (7, 7) in sizes
    assert (6, 7) not in sizes
    two = shapecalc.loads(
        "input: {a: [3, 16, 16], b: [3, 8, 8]}\nlayers: [max_pool2d: {kernel_size: 2}, add: [[], b]]"
    ).sizes()
    assert two.names == ("a.H", "a.W", "b.H", "b.W")
    assert (17, 9, 8, 4) in two
    assert (17, 9, 7, 4) not in two
    assert "⌊a.H/2⌋ = b.H" in str(two) or "b.H = ⌊a.H/2⌋" in str(two)


def test_the_unknowns_may_be_chosen() -> None:
    sizes = shapecalc.load("lenet5").sizes(free=["H"])
    assert sizes.names == ("H",)
    assert [*sizes] == [32, 33, 34, 35]
    with pytest.raises(SpecError, match="has no size 'h'"):
        shapecalc.load("lenet5").sizes(free=["h"])
    with pytest.raises(SpecError, match="main or all"):
        shapecalc.load("lenet5").sizes(outputs="some")


def test_a_network_built_anew_takes_other_sizes() -> None:
    model = shapecalc.load("lenet5")
    assert (40, 40) not in model.sizes()
    assert (40, 40) in model.sizes(rebuild=True)
    assert (40, 40) in model.sizes(input=(1, 41, 40))
    assert model.sizes(rebuild=True).square.text("n") == "n ≥ 16"


def test_side_outputs_impose_only_when_asked_for() -> None:
    model = shapecalc.load("googlenet")
    assert (31, 31) in model.sizes()
    assert (31, 31) not in model.sizes(outputs="all")
    assert (224, 224) in model.sizes(outputs="all")


def test_neighbours_and_how_to_reach_them() -> None:
    near = shapecalc.load("unet_padded").sizes().nearest((225, 300))
    assert not near.is_legal
    assert near.below is not None
    assert near.above is not None
    assert near.below.sizes == {"H": 224, "W": 288}
    assert near.below.change == {"H": (0, -1), "W": (-6, -6)}
    assert near.above.sizes == {"H": 240, "W": 304}
    assert near.above.change == {"H": (7, 8), "W": (2, 2)}
    alone = shapecalc.load("alexnet").sizes().nearest((20, 100))
    assert alone.below is None
    assert alone.above is not None
    assert alone.above.sizes == {"H": 63, "W": 100}


def test_sets_of_two_networks_meet() -> None:
    both = shapecalc.load("unet_padded").sizes() & shapecalc.load("alexnet").sizes()
    assert (64, 80) in both
    assert (48, 80) not in both
    assert {one.path.partition(".")[0] for one in both.imposed} >= {"pool5", "up4"}
    with pytest.raises(SpecError, match="do not meet"):
        _ = both & shapecalc.load("unet3d").sizes()


def test_what_imposes_is_enough() -> None:
    """The conditions named exclude what all exclude."""
    for name in ["alexnet", "unet", "linknet", "inception_v3", "xception", "lenet5", "vit_b_16"]:
        sizes = shapecalc.load(name).sizes()
        meeting = shapecalc.load(name).sizes(rebuild=True).region
        for one in sizes.imposed:
            meeting &= one.region
        assert meeting - sizes.stretched == sizes.region - sizes.stretched, name


@pytest.mark.ci
def test_lossless_sizes_are_those_without_a_warning_of_loss() -> None:
    for name in ["alexnet", "vgg11", "squeezenet1_0", "densenet121", "resnet50_keras"]:
        model = shapecalc.load(name)
        lossless = model.sizes().lossless
        for n in range(64, 110):
            channels_last = model.framework == "keras"
            found = model.check(input=(n, n, 3) if channels_last else (3, n, n))
            assert ("silent-loss" in {one.code for one in found}) != ((n, n) in lossless), (name, n)


def test_a_stretched_map_is_told() -> None:
    layers = "[{name: a, conv2d: {out_channels: 1, kernel_size: 2}}, {add: [[], input]}]"
    sizes = shapecalc.loads(f"input: [1, 8, 8]\nlayers: {layers.replace('8, 8', '8')}").sizes()
    assert [*sizes] == [(2, 2)]
    assert sizes.stretched
    assert "stretches a map of one pixel" in str(sizes)


def test_an_input_of_more_axes_than_the_spec_declares_has_axes_of_its_own() -> None:
    """A batch of its own in front, most often: the answer is about that input, and no crash."""
    model, shape = shapecalc.load("lenet5"), (1, 1, 32, 32)
    sizes = model.sizes(input=shape)
    assert sizes.names == ("D", "input.H", "input.W")
    assert [*sizes.built.values()] == [*shape[1:]]
    refused = [finding.code for finding in model.check(input=shape) if finding.severity == "error"]
    assert refused == [] if tuple(sizes.built.values()) in sizes else refused == ["rank"]
    assert bool(sizes) == (not refused)


BY_SIZE = [
    "adaptive_avg_pool2d: {output_size: 'size(2) - 5'}",
    "upsample: {size: ['size(2) - 3', 'size(3) // 2']}",
    "conv2d: {out_channels: 2, kernel_size: 1, stride: ['size(2) // 4', 1]}",
    "conv2d: {out_channels: 2, kernel_size: 2, dilation: ['size(2) - 3', 1]}",
    "conv2d: {out_channels: 2, kernel_size: 3, padding: ['size(2) - 4', 1]}",
    "max_pool2d: {kernel_size: ['8 // size(2)', 1]}",
    "view: {shape: ['size(2) // (size(3) - 3)', -1]}",
    "view: {shape: ['size(2) // (size(2) - size(3))', -1]}",
    "adaptive_avg_pool2d: {output_size: ['size(2) // (size(2) - size(3))', 1]}",
]


@pytest.mark.parametrize("layer", BY_SIZE)
def test_a_field_that_is_computed_from_a_size_keeps_its_bounds(layer: str) -> None:
    """A stride of 0, a negative padding, a division by zero: refused in numbers, and so not accepted."""
    model = shapecalc.loads(f"input: [1, 8, 6]\nlayers: [{{{layer}}}]")
    sizes = model.sizes()
    assert str(sizes)
    for point in product(range(1, 13), repeat=2):
        assert (point in sizes) == (analyzed(model, (1, *point)) is not None), point


def test_the_bound_of_a_field_is_a_condition() -> None:
    layer = "adaptive_avg_pool2d: {output_size: 'H - 5'}"
    model = shapecalc.loads(f"parameters: {{H: 8}}\ninput: [1, H, 8]\nlayers: [{{{layer}}}]")
    conditions = model.analyze(symbolic="H").conditions
    assert [str(condition.requirement) for condition in conditions] == ["H - 5 ≥ 1"]


def test_the_heading_says_how_the_networks_are_built() -> None:
    model = shapecalc.loads("input: [3, 8, 8]\nlayers: [flatten, {linear: {out_features: 3}}]")
    sizes, rebuilt = model.sizes(), model.sizes(rebuild=True)
    for left, right, end in (
        (sizes, sizes, ", built at H = 8, W = 8"),
        (rebuilt, rebuilt, ", rebuilt for each size"),
        (sizes, rebuilt, "3×H×W"),
        (sizes, model.sizes(input=(3, 6, 6)), "3×H×W"),
    ):
        assert str(left & right).splitlines()[0].endswith(end)
    assert str(model.sizes(free=())).splitlines()[0].endswith("3x8x8")


def test_sizes_with_equal_sides_leave_out_a_division_by_zero() -> None:
    model = shapecalc.loads(f"input: [1, 8, 6]\nlayers: [{{{BY_SIZE[-1]}}}]")
    assert not model.sizes().square


def test_a_question_that_is_not_decided_says_so() -> None:
    text = "input: [1, 8, 8]\nlayers: [{relu: , when: 'size(2) > 5'}]"
    with pytest.raises(Undecided, match="whether H > 5 depends on what was left free"):
        shapecalc.loads(text).sizes()


# ---- two networks


def test_equal_shapes_are_proved_and_others_shown_where_they_differ() -> None:
    left = shapecalc.loads(
        "input: [1, 8, 8]\nlayers: [conv2d: {out_channels: 1, kernel_size: 3, stride: 2, padding: 1}]"
    )
    right = shapecalc.loads("input: [1, 8, 8]\nlayers: [max_pool2d: {kernel_size: 2}]")
    proof = left.agreement(right)
    assert proof.shapes is not None
    assert proof.shapes.sizes == {"H": 2, "W": 3}
    assert proof.accepted is not None
    assert proof.accepted.sizes == {"H": 1, "W": 1}
    turned = right.agreement(left)
    assert (turned.shapes, turned.accepted) != (None, None)
    assert turned.accepted is not None
    assert (turned.accepted.sizes, turned.accepted.left) == ({"H": 1, "W": 1}, None)
    ceil = shapecalc.loads("input: [1, 8, 8]\nlayers: [max_pool2d: {kernel_size: 2, ceil_mode: true}]")
    assert left.agreement(ceil).is_whole


CONV = "conv2d: {out_channels: 4, kernel_size: 1}"
POOL = "max_pool2d: {kernel_size: 2}"


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        ([CONV, POOL], [POOL, CONV], "MACs: at H = 2, W = 2 the left takes 16, the right 4"),
        ([CONV, CONV], [CONV, CONV], "MACs: the same for every H, W that both accept (proved)"),
        ([CONV, POOL], [CONV, "relu", POOL], "MACs: the same for every H, W that both accept (proved)"),
        ([CONV], [CONV, CONV], "Weights: 8 numbers on the left, 28 on the right"),
        ([CONV, "opaque_one"], [CONV], "MACs: not compared: what odd costs is not known"),
    ],
)
def test_costs_are_compared_for_every_size(left: list[str], right: list[str], text: str) -> None:
    odd = 'traced_function: {function: fft, shape: [1, 4, "size(2)", "size(3)"]}, name: odd, from: input'

    def net(layers: list[str]) -> Model:
        lines = [
            f"  - {{{odd if layer == 'opaque_one' else layer if ':' in layer else f'{layer}: null'}}}"
            for layer in layers
        ]
        return shapecalc.loads("\n".join(["input: [1, H, W]", "parameters: {H: 8, W: 8}", "layers:", *lines]))

    first, second = net(left), net(right)
    proof = first.agreement(second)
    assert text in str(proof).splitlines()
    if isinstance(proof.costs, Difference):
        at = {"input": (1, *proof.costs.sizes.values())}
        assert first.analyze(input=at).macs != second.analyze(input=at).macs


@pytest.mark.parametrize(
    "pair",
    [
        ("resnet18", "resnet34"),
        pytest.param(("linknet", "unet_padded"), marks=pytest.mark.ci),
        ("alexnet", "vgg11"),
    ],
)
def test_the_smallest_difference_is_the_smallest(pair: tuple[str, str]) -> None:
    left, right = (shapecalc.load(name) for name in pair)
    proof = left.agreement(right)
    mine, theirs = left.sizes(), right.sizes()

    def output(model: Model, n: int) -> Any:
        return model.analyze(input=(model.analyze().input[1], n, n), H=n, W=n).output

    for n in range(1, 100):
        both = (n, n) in mine, (n, n) in theirs
        if proof.accepted is None or n < max(proof.accepted.sizes.values()):
            assert both[0] == both[1]
        if all(both) and (proof.shapes is None or n < max(proof.shapes.sizes.values())):
            assert output(left, n) == output(right, n)


# ---- the command


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output


@pytest.mark.parametrize(
    ("name", "arguments"),
    {
        "unet": "sizes unet --near 600x600",
        "alexnet": "sizes alexnet",
        "lenet5": "sizes lenet5",
        "linknet": "sizes linknet --near 225x300",
        "vit_b_16": "sizes vit_b_16",
        "broken": "sizes tutorials/keras_inception_v4",
        "rebuilt": "sizes lenet5 --rebuild",
        "all_outputs": "sizes googlenet --outputs all",
        "diff": "diff alexnet vgg11 --prove",
        "markdown": "sizes lenet5 --near 20x30 --format markdown",
        "latex": "sizes lenet5 --format latex",
    }.items(),
)
def test_the_command_prints(name: str, arguments: str, golden: Callable[[str, str], None]) -> None:
    golden(f"sizes/{name}.txt", printed(*arguments.split()))


def test_the_command_prints_json() -> None:
    data = json.loads(printed("sizes", "unet", "--format", "json", "--near", "600x600"))
    assert data["text"] == ["H, W ≡ 12 (mod 16), H, W ≥ 188"]
    assert data["legal"][0]["sets"]["H"] == {"stretches": [], "from": 173, "modulus": 16, "residues": [12]}
    assert data["near"]["below"]["sizes"] == {"H": 588, "W": 588}
    assert {one["line"] for one in data["imposed"]}
    proof = json.loads(printed("diff", "resnet18", "resnet34", "--prove", "--format", "json"))
    assert proof["agreement"]["same_shapes"]


def test_the_command_complains_kindly() -> None:
    assert "is not a shape" in printed("sizes", "unet", "--near", "12,13")
    assert "is not one number for each of H, W" in printed("sizes", "unet", "--near", "12")
    assert "hint: write 224x224" in printed("sizes", "unet", "--near", "12")
    assert "has no size" in printed("sizes", "unet", "--free", "depth")
