"""Receptive fields of whole networks: against published figures, and the gradients of torch."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, reject, settings
from torch import Tensor, nn

import shapecalc
from shapecalc import Model, Step
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.twins.twin import build_layer
from shapecalc.cli import main
from shapecalc.engine.receptive import receptive
from shapecalc.errors import ShapecalcError
from shapecalc.layers import (
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    Concat,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    Flatten,
    GlobalAvgPool1d,
    Linear,
    Matmul,
    MaxPool2d,
    MultiheadAttention,
    Permute,
    ReLU,
    Reshape,
    Softmax,
    Transpose,
    Upsample,
    ZeroPad2d,
)
from shapecalc.layers.base import AnyShape, Layer, NoMacs, NoWeights, NoWindow, Pointwise, SameShape
from shapecalc.layers.dependence import Along, Dependence
from shapecalc.layers.requirement import Shape
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from tests.support.layer_tables import table
from tests.support.networks import networks
from tests.support.seen_by_torch import check_part

torch.set_num_threads(1)
DOCS = Path(__file__).parents[2] / "docs" / "receptive_fields.md"


def model(*layers: Any, shape: list[Any] | None = None, **parameters: Any) -> Model:
    return Model(name="net", parameters=parameters, input=shape or [1, 32, 32], layers=layers)


def last(*layers: Any, shape: list[Any] | None = None) -> Node:
    return model(*layers, shape=shape).analyze().nodes[-1]


# ---- published figures

PUBLISHED = [
    ("vgg16", "stage1.max_pool2d", 6, 2),
    ("vgg16", "stage2.max_pool2d", 16, 4),
    ("vgg16", "stage3.max_pool2d", 44, 8),
    ("vgg16", "stage4.max_pool2d", 100, 16),
    ("vgg16", "stage5.max_pool2d", 212, 32),
    ("alexnet", "pool5", 195, 32),
    ("resnet50", "stage4.2.add", 427, 32),
    ("inception_v3", "Mixed_7c.concat", 1311, 32),
    ("mobilenet_v1", "conv13.bn_relu_2.relu", 315, 32),
]
"""Araujo, Norris and Sim, 2019; ResNet-50 with torchvision's stride on the 3x3."""


@pytest.mark.parametrize(("name", "layer", "size", "stride"), PUBLISHED)
def test_published_figures(name: str, layer: str, size: int, stride: int) -> None:
    field = shapecalc.load(name).analyze()[layer].field
    assert field is not None
    assert (field.size, field.stride) == ((size, size), (stride, stride))
    symbolic = shapecalc.load(name).analyze(symbolic=("H", "W"))[layer].field
    assert symbolic is not None
    assert (symbolic.size, symbolic.stride, symbolic.offset) == (field.size, field.stride, field.offset)


def test_resnet50_with_the_stride_in_the_last_unit_of_a_stage() -> None:
    """TF-Slim's ResNet-50 v1: stages of 3, 4, 6 and 3 units, each but the last with its stride at its end."""

    def unit(width: int, stride: int, *, project: bool) -> list[Any]:
        main = [
            Conv2d(out_channels=width, kernel_size=1),
            Conv2d(out_channels=width, kernel_size=3, stride=stride, padding=1),
            Conv2d(out_channels=4 * width, kernel_size=1),
        ]
        thin = [Conv2d(out_channels=4 * width, kernel_size=1, stride=stride)]
        return [Add(main=main, shortcut=thin if project or stride > 1 else [])]

    layers: list[Any] = [Conv2d(out_channels=64, kernel_size=7, stride=2, padding=3)]
    layers += [MaxPool2d(kernel_size=3, stride=2, padding=1)]
    for width, units, stride in ((64, 3, 2), (128, 4, 2), (256, 6, 2), (512, 3, 1)):
        for number in range(units):
            layers += unit(width, stride if number == units - 1 else 1, project=number == 0)
    field = last(*layers, shape=[3, 224, 224]).field
    assert field is not None
    assert (field.size, field.stride, field.exceeds_input) == ((483, 483), (32, 32), True)


def test_the_table_of_the_documentation_is_this_one() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `([\w.]+)` \| (\d+) \| (\d+) \|", DOCS.read_text("utf-8"), re.MULTILINE
    )
    assert [(name, layer, int(size), int(stride)) for name, layer, size, stride in rows] == PUBLISHED


# ---- by hand


def test_dilation_and_stride() -> None:
    node = last(
        Conv2d(out_channels=1, kernel_size=3, stride=2),
        Conv2d(out_channels=1, kernel_size=[3, 1], dilation=2, padding=[2, 0]),
    )
    assert node.field is not None
    assert (node.field.size, node.field.stride, node.field.offset) == ((11, 3), (2, 2), (-4, 0))
    assert not node.field.exceeds_input


def test_transposed_convolution_sees_more_at_some_positions() -> None:
    node = last(ConvTranspose1d(out_channels=1, kernel_size=3, stride=2), shape=[1, 9])
    assert node.field is not None
    (extent,) = node.field.extents
    assert extent is not None
    assert (extent.size, extent.stride, extent.offset, extent.varies) == (2, Fraction(1, 2), -1, True)
    assert str(node.field) == "≤2 s1/2 @-1"


def test_gaps_of_a_transposed_convolution_see_nothing() -> None:
    node = last(ConvTranspose1d(out_channels=1, kernel_size=1, stride=3), shape=[1, 9])
    assert node.field is not None
    assert (node.field.size, node.field.stride) == ((1,), (Fraction(1, 3),))
    assert node.field.extents[0] is not None
    assert node.field.extents[0].varies


def test_down_and_up_again() -> None:
    node = last(MaxPool2d(kernel_size=2), Upsample(scale_factor=2), Conv2d(out_channels=1, kernel_size=3))
    assert node.field is not None
    assert (node.field.size, node.field.stride, node.field.offset) == ((4, 4), (1, 1), (0, 0))


def test_branches_are_united_and_centres_that_differ_are_flagged() -> None:
    wide = [ZeroPad2d(padding=[[0, 4], [2, 2]]), Conv2d(out_channels=1, kernel_size=5)]
    node = last(Add(wide, [Conv2d(out_channels=1, kernel_size=3, padding=1)]))
    assert node.field is not None
    assert (node.field.size, node.field.offset, node.field.aligned) == ((6, 5), (-1, -2), False)
    assert str(node.field) == "6x5 s1 @-1x-2 misaligned"
    node = last(Concat([Conv2d(out_channels=1, kernel_size=5, padding=2)], []))
    assert node.field is not None
    assert (node.field.size, node.field.aligned) == ((5, 5), True)


def test_branches_at_different_paces_have_a_size_and_no_stride() -> None:
    node = last(
        Add([Conv1d(out_channels=1, kernel_size=5)], [Conv1d(out_channels=1, kernel_size=2, stride=2)]),
        shape=[1, 8],
    )
    assert node.field is not None
    assert (node.field.size, node.field.stride, node.field.offset) == ((5,), (None,), (None,))


def test_what_is_global_sees_the_whole_input() -> None:
    conv = Conv2d(out_channels=4, kernel_size=3, padding=1)
    for layers in (
        [AdaptiveAvgPool2d(output_size=1)],
        [Flatten(), Linear(out_features=3)],
        [Flatten(start_dim=2), Transpose(dim0=1, dim1=2), MultiheadAttention(num_heads=2, batch_first=True)],
        [Flatten(start_dim=2), Softmax(dim=2)],
    ):
        field = last(conv, *layers).field
        assert field is not None
        assert field.whole_input
        assert not field.exceeds_input
        assert str(field) == "whole input"


def test_attention_written_out_sees_the_whole_input() -> None:
    tokens = Step(Permute(dims=[0, 2, 1]), name="tokens")
    product = Step(Matmul(), name="scores", **{"from": ["tokens", "turned"]})
    mixed = Step(Matmul(), **{"from": ["softmax", "tokens"]})
    report = model(
        Conv1d(out_channels=4, kernel_size=4, stride=4),
        tokens,
        Step(Transpose(dim0=1, dim1=2), name="turned"),
        product,
        Step(Softmax(dim=-1), name="softmax"),
        mixed,
        shape=[3, 32],
    ).analyze()
    field = report.nodes[-1].field
    assert field is not None
    assert field.whole_input


def test_what_is_not_read_is_not_seen() -> None:
    """A stride leaves the last position out, and a global mean behind it does not see it either."""
    node = last(Conv1d(out_channels=1, kernel_size=3, stride=2), GlobalAvgPool1d(), shape=[1, 8])
    assert node.field is not None
    assert (node.field.size, node.field.stride, node.field.offset) == ((7,), (0,), (0,))
    assert not node.field.whole_input


def test_adaptive_pooling_has_the_windows_of_the_size_that_arrives() -> None:
    node = last(AdaptiveAvgPool2d(output_size=[5, 4]))
    assert node.field is not None
    assert (node.field.size, node.field.stride) == ((8, 8), (Fraction(32, 5), 8))
    assert node.field.extents[0] is not None
    assert node.field.extents[0].varies


def test_an_input_that_is_smaller_is_exceeded_and_a_free_one_is_not_decided() -> None:
    convs = [Conv2d(out_channels=1, kernel_size=9, padding=4)] * 4
    small = model(*convs, shape=[1, "H", "H"], H=32).analyze().nodes[-1].field
    free = model(*convs, shape=[1, "H", "H"], H=32).analyze(symbolic="H").nodes[-1].field
    assert small is not None
    assert free is not None
    assert (small.size, small.exceeds_input) == ((33, 33), True)
    assert (free.size, free.exceeds_input) == ((33, 33), None)


def test_a_size_that_depends_on_the_input_is_a_formula() -> None:
    pooled = [Conv1d(out_channels=1, kernel_size=3, stride=2), GlobalAvgPool1d()]
    field = model(*pooled, shape=[1, "n"], n=8).analyze(symbolic="n").nodes[-1].field
    assert field is not None
    assert str(field.size[0]) == "2·⌈n/2⌉ - 1"
    assert not field.whole_input


def test_each_input_has_a_field_of_its_own() -> None:
    two = Model(
        name="two",
        input={"x": [1, 16], "y": [1, 16]},
        layers=(
            Step(Conv1d(out_channels=1, kernel_size=3, padding=1), name="conv"),
            Step(Add(), **{"from": ["conv", "y"]}),
        ),
    )
    conv, add = two.analyze().nodes
    assert [*conv.fields] == ["x"]
    assert {name: field.size for name, field in add.fields.items()} == {"x": (3,), "y": (1,)}


# ---- what is not known


class Silent(NoWeights, NoMacs, SameShape, AnyShape, NoWindow, Layer):
    """A kind that does not say what it sees."""

    kind: ClassVar[str] = "silent"


def test_a_kind_that_says_nothing_is_named_and_lost_until_all_is_seen() -> None:
    gate = [AdaptiveAvgPool2d(output_size=1)]
    report = model(Conv2d(out_channels=2, kernel_size=3), Silent(), ReLU(), shape=[1, 9, 9]).analyze()
    assert [node.field is None for node in report.nodes] == [False, True, True]
    assert report.fields_unknown == ["silent (silent)", "relu (relu)"]
    assert "Field not known: silent (silent), relu (relu)" in table(report, fields=True)
    united = model(Add([Silent()], gate), shape=[1, 9, 9]).analyze().nodes[-1].field
    assert united is not None
    assert united.whole_input


def test_passes_whose_number_is_free_are_not_known() -> None:
    report = shapecalc.load("resnet20_cifar").analyze(symbolic="n")
    assert report["stem.conv2d"].field is not None
    assert report["fc"].field is None


def test_a_reshape_that_breaks_up_places_keeps_the_size_and_no_more() -> None:
    conv = Conv2d(out_channels=1, kernel_size=3)
    node = last(conv, Reshape(shape=[1, 90, 10]))
    assert node.field is not None
    assert (node.field.size, node.field.stride) == ((3, 3), (None, None))
    assert last(conv, Reshape(shape=[1, 90, 10]), Conv2d(out_channels=1, kernel_size=3)).field is None


# ---- gradients of random networks


def smoothed(module: nn.Module) -> nn.Module:
    """Give a module weights that average, and sums in place of maxima: nothing saturates or cancels out."""
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(
            module.kernel_size, module.stride, module.padding, module.ceil_mode, divisor_override=1
        )
    with torch.no_grad():
        for parameter in module.parameters():
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
            parameter.copy_((torch.rand(parameter.shape) + 0.5) / fan_in)
    return module.double()


def run(report: Report) -> dict[int, Tensor]:
    """Return every tensor of a network by its slot, with gradients."""
    slots: dict[int, Tensor] = {}
    for number, shape in enumerate(report.inputs.values()):
        sizes = [size for size in shape if isinstance(size, int)]
        slots[number] = (torch.rand(sizes, dtype=torch.float64) + 0.5).requires_grad_()
    for node in report.graph.nodes:
        tensors = [slots[slot] for slot in node.sources]
        layer = node.layer
        if isinstance(layer, Pointwise):
            results: Any = nn.functional.softplus(tensors[0])
        else:
            shapes = tuple(tuple(tensor.shape) for tensor in tensors)
            results = smoothed(build_layer(layer, shapes))(*tensors)
        outputs = list(results) if isinstance(results, (tuple, list)) else [results]
        slots |= dict(enumerate(outputs, node.first_slot))
    return slots


def check_network(report: Report, most: int) -> int:
    """Compare some layers of a network with torch; return how many windows could be compared."""
    torch.manual_seed(0)
    with quiet(), torch.enable_grad():
        slots = run(report)
    nodes = report.graph.nodes
    sources = [*slots.values()][: len(report.inputs)]
    compared = 0
    seen = receptive(report.inference, [*report.inputs.values()], 1)
    for node in [*nodes[:: max(1, len(nodes) // most)], *nodes[-1:]]:
        for (number, axis), parts in seen[node.first_slot].items():
            if parts is None or len(parts) != 1 or parts[0].total is None:
                continue
            compared += check_part(parts[0], slots[node.first_slot], sources[number], axis)
    return compared


@settings(max_examples=max(5, settings().max_examples // 2))
@given(networks())
def test_fields_of_random_networks_are_the_support_of_gradients(net: Model) -> None:
    try:
        report = net.analyze(H=37, W=30)
    except ShapecalcError:
        reject()
    check_network(report, 6)


def test_random_networks_have_windows_to_compare() -> None:
    """A law that holds because nothing was compared would say nothing."""
    compared: list[int] = []

    @settings(max_examples=12, derandomize=True, database=None)
    @given(networks())
    def look(net: Model) -> None:
        try:
            report = net.analyze(H=37, W=30)
        except ShapecalcError:
            return
        compared.append(check_network(report, 6))

    look()
    assert sum(compared) >= 30
    assert sum(count > 0 for count in compared) >= len(compared) / 2


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("lenet5", {}), ("unet_padded", {"H": 64, "W": 48}), ("nin", {}), ("dcgan_generator", {})],
)
def test_fields_of_published_networks_are_the_support_of_gradients(name: str, sizes: dict[str, Any]) -> None:
    report = shapecalc.load(name).analyze(**sizes)
    check_network(report, 8)


def test_the_comparison_with_gradients_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    net = model(Conv2d(out_channels=2, kernel_size=3, padding=1), AvgPool2d(kernel_size=2))
    assert check_network(net.analyze(), 8) >= 4
    honest = Conv2d.dependence

    def narrow(self: Conv2d, x: Shape, result: int) -> Dependence:
        return (*honest(self, x, result)[:2], Along(2), Along(3))

    monkeypatch.setattr(Conv2d, "dependence", narrow)
    with pytest.raises(AssertionError):
        check_network(net.analyze(), 8)


# ---- the command


def shown(*options: str) -> str:
    return CliRunner().invoke(main, ["show", "lenet5", *options]).output


def test_every_form_shows_fields_to_those_who_ask_and_to_nobody_else() -> None:
    for form in ("table", "markdown", "json", "csv", "latex"):
        plain, more = shown("--format", form), shown("--format", form, "--fields")
        assert "ield" not in plain
        assert "ield" in more
    assert "14x14 s2 @0" in shown("--fields")
    assert r"14$\times$14 s2 @0 &" in shown("--fields", "--format", "latex")
    assert ",14x14,2x2,0x0,false,false,true\n" in shown("--fields", "--format", "csv")


def test_json_has_the_field_as_numbers() -> None:
    found = json.loads(shown("--fields", "--format", "json"))
    fields = {node["path"]: node["field"] for node in found["nodes"]}
    assert found["fields_unknown"] == []
    assert fields["s4"] == {
        "size": [16, 16],
        "stride": [4, 4],
        "offset": [0, 0],
        "varies": False,
        "nothing": False,
        "whole_input": False,
        "exceeds_input": False,
        "aligned": True,
    }
    assert fields["output"]["whole_input"]


def test_passes_that_see_differently_much_are_not_folded() -> None:
    assert "1-2" in CliRunner().invoke(main, ["show", "resnet20_cifar"]).output
    assert "1-2" not in CliRunner().invoke(main, ["show", "resnet20_cifar", "--fields"]).output


def test_channels_last_and_formulas_that_grow_too_long() -> None:
    """Keras' `same` padding depends on the size: branches of it have offsets that cannot be compared."""
    adds = [node.field for node in shapecalc.load("resnet50_keras").analyze() if node.kind == "add"]
    assert adds[-1] is not None
    assert adds[-1].size == (483, 483)  # Keras has the stride on the first 1x1
    free = shapecalc.load("tutorials/keras_xception")
    assert free.analyze(symbolic=free.free_names()).fields_unknown
