"""The tutorials' PyTorch networks as printed: their figures, where they fail, and what each mistake costs.

The figures were measured by running the printed code in torch. Each line of a spec names the lines of
the tutorial that it stands for (`# l.1739, 1765`), so corrections are told as they would be made in the
tutorial, and where torch's traceback points is where the analysis must point.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import Report, ShapeError
from shapecalc.algebra import product
from shapecalc.report.node import total
from shapecalc.spec.find import bundled
from tests.support.tutorials import MENDED_TORCH_V3 as MISTAKES
from tests.support.tutorials import NEEDED_TO_RUN, Edit, edited, origins, text_of

Figures = tuple[int, int]
"""Parameters and MACs."""

RUNNING: dict[str, tuple[int, int, int]] = {
    "torch_lenet5": (61_706, 416_520, 10),
    "torch_alexnet": (50_844_008, 1_009_945_728, 1000),
    "torch_vgg16": (128_328_232, 15_470_264_320, 1000),
    "torch_vgg19": (128_291_304, 24_256_282_624, 1000),
    "torch_inception_v1": (10_193_168, 2_638_572_096, 1000),
    "fashion_alexnet": (61_085_352, 667_337_280, 1000),
    "fashion_vgg11": (128_806_154, 7_547_232_256, 10),
    "fashion_nin": (1_992_166, 762_297_352, 10),
    "fashion_googlenet": (5_977_530, 276_066_304, 10),
    "fashion_densenet": (758_226, 129_077_168, 10),
    "fashion_lenet_bn": (44_878, 281_640, 10),
}
"""What torch measured: parameters, MACs and features that come out."""
FAILING = "torch_inception_v3"
NAMES = [*RUNNING, FAILING]


# ---- corrections, told as they would be made in the tutorial


def analysis(text: str, **parameters: Any) -> Report:
    return shapecalc.loads(text).analyze(**parameters)


def figures(text: str) -> Figures:
    report = analysis(text)
    assert isinstance(report.params, int)
    assert isinstance(report.macs, int)
    return report.params, report.macs


def test_an_edit_changes_what_the_tutorial_has_on_that_line() -> None:
    assert text_of("torch_alexnet").count("in_features: 6400") == 1
    assert "in_features: 6400" not in edited("torch_alexnet", [Edit(679, "6400", "9216")])
    assert "maxPool" not in edited("torch_vgg16", [Edit(line) for line in (833, 842, 853, 864, 875)])
    with pytest.raises(AssertionError, match="line 679 has no '6401'"):
        edited("torch_alexnet", [Edit(679, "6401", "9216")])


# ---- the files


def test_every_block_of_the_tutorials_in_torch_is_there() -> None:
    mine = {name for name in bundled() if name.startswith(("tutorials/torch_", "tutorials/fashion_"))}
    assert mine == {f"tutorials/{name}" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_line_has_an_origin(name: str) -> None:
    """Every step stands for a line of the tutorial, and the steps of a list stand in the order of its calls."""
    if name == "fashion_lenet_bn":
        assert "has two pictures" in text_of(name)
        return
    _, _, layers = text_of(name).partition("\nlayers:\n")
    calls: list[int] = []
    lines = [*takewhile(lambda line: not line.startswith(("outputs:", "expect:")), layers.split("\n"))]
    for index, line in enumerate(lines):
        if line.startswith("  - "):
            behind = [line, *takewhile(lambda one: one.startswith("    "), lines[index + 1 :])]
            found = origins(line) or origins(behind[-1])
            assert found, line
            calls.append(found[-1])
    assert calls == sorted(calls)


@pytest.mark.parametrize("name", NAMES)
def test_title_and_paper(name: str) -> None:
    model = shapecalc.load(f"tutorials/{name}")
    assert model.name == name
    assert re.search(r" in a tutorial$", model.title or "")
    assert model.paper is not None
    assert model.paper.authors
    assert model.paper.year
    assert (model.paper.url or "").startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_written_out_and_read_again(name: str) -> None:
    model = shapecalc.load(f"tutorials/{name}")
    assert shapecalc.loads(model.to_yaml()) == model
    assert shapecalc.load(model.to_data()) == model


# ---- those that run


@pytest.mark.parametrize("name", RUNNING)
def test_figures_are_those_that_torch_measured(name: str) -> None:
    model = shapecalc.load(f"tutorials/{name}")
    report = model.analyze()
    params, macs, features = RUNNING[name]
    assert (report.params, report.macs, report.complete) == (params, macs, True)
    assert report.outputs == {"output": (1, features)}
    expect = model.expect
    assert expect is not None
    assert (expect.params, expect.macs, expect.output) == (params, macs, (features,))
    assert expect.buffers == report.buffer_count


TRACES: dict[str, str] = {
    "torch_lenet5": """conv1 6x28x28, avgpool 6x14x14, conv2 16x10x10, avgpool 16x5x5, conv3 120x1x1, flatten 120,
        fc1 84, fc2 10""",
    "torch_alexnet": """conv1 96x54x54, maxPool 96x26x26, conv2 256x26x26, maxPool 256x12x12, conv3 384x12x12,
        conv4 384x12x12, conv5 256x12x12, maxPool 256x5x5, flatten 6400, fc1 4096, fc2 4096, fc3 1000""",
    "torch_vgg16": """conv1 64x224x224, conv2 64x224x224, maxPool 64x112x112, conv3 128x112x112, conv4 128x112x112,
        maxPool 128x56x56, conv5 256x56x56, conv6 256x56x56, conv6 256x56x56, maxPool 256x28x28, conv7 512x28x28,
        conv8 512x28x28, conv8 512x28x28, maxPool 512x14x14, conv8 512x14x14, conv8 512x14x14, conv8 512x14x14,
        maxPool 512x7x7, flatten 25088, fc1 4096, fc2 4096, fc3 1000""",
    "torch_vgg19": """conv1 64x224x224, conv2 128x224x224, maxPool 128x112x112, conv3 128x112x112,
        conv4 256x112x112, maxPool 256x56x56, conv5 256x56x56, conv6 512x56x56, maxPool 512x28x28, conv7 512x28x28,
        conv7 512x28x28, conv7 512x28x28, conv7 512x28x28, maxPool 512x14x14, conv7 512x14x14, conv7 512x14x14,
        conv7 512x14x14, conv7 512x14x14, maxPool 512x7x7, flatten 25088, fc1 4096, fc2 4096, fc3 1000""",
    "torch_inception_v1": """stem 192x28x28, Inception1_1 256x28x28, Inception1_2 480x28x28, maxPool 480x14x14,
        Inception2 512x14x14, auxiliary_classifier_1.avg_pool2d 512x4x4, auxiliary_classifier_1 128x4x1000,
        Inception3_1 512x14x14, Inception3_2 512x14x14, Inception3_3 528x14x14,
        auxiliary_classifier_2.avg_pool2d 528x4x4, auxiliary_classifier_2 128x4x1000, Inception4 832x14x14,
        maxPool 832x7x7, Inception5_1 832x7x7, Inception5_2 1024x7x7, avgPool 1024x1x1, flatten 1024, fc1 1000,
        fc2 1000""",
    "fashion_alexnet": """features.conv2d 64x55x55, features.max_pool2d 64x27x27, features.conv2d_2 192x27x27,
        features.max_pool2d_2 192x13x13, features.conv2d_3 384x13x13, features.conv2d_4 256x13x13,
        features.conv2d_5 256x13x13, features.max_pool2d_3 256x6x6, avgpool 256x6x6, flatten 9216,
        classifier.linear 4096, classifier.linear_2 4096, classifier.linear_3 1000""",
    "fashion_vgg11": """block0.conv2d 64x224x224, block0.max_pool2d 64x112x112, block1.conv2d 128x112x112,
        block1.max_pool2d 128x56x56, block2.conv2d 256x56x56, block2.conv2d_2 256x56x56, block2.max_pool2d 256x28x28,
        block3.conv2d 512x28x28, block3.conv2d_2 512x28x28, block3.max_pool2d 512x14x14, block4.conv2d 512x14x14,
        block4.conv2d_2 512x14x14, block4.max_pool2d 512x7x7, flatten 25088, linear 4096, linear 4096, linear 10""",
    "fashion_nin": """n1.conv2d 96x54x54, n1.conv2d_2 96x54x54, n1.conv2d_3 96x54x54, m1 96x26x26, n2.conv2d 256x26x26,
        n2.conv2d_2 256x26x26, n2.conv2d_3 256x26x26, m2 256x12x12, n3.conv2d 384x12x12, n3.conv2d_2 384x12x12,
        n3.conv2d_3 384x12x12, m3 384x5x5, dropout1 384x5x5, n4.conv2d 10x5x5, n4.conv2d_2 10x5x5,
        n4.conv2d_3 10x5x5, avg1 10x1x1, flat 10""",
    "fashion_googlenet": """block0 64x24x24, block1 192x12x12, block2.Inception 256x12x12, block2.Inception_2 480x12x12,
        block2 480x6x6, block3.Inception 512x6x6, block3.Inception_2 512x6x6, block3.Inception_3 512x6x6,
        block3.Inception_4 528x6x6, block3.Inception_5 832x6x6, block3 832x3x3, block4.Inception 832x3x3,
        block4.Inception_2 1024x3x3, block4.adaptive_max_pool2d 1024x1x1, block4 1024, linear 10""",
    "fashion_densenet": """reshape 1x96x96, conv2d 64x48x48, max_pool2d 64x24x24, block5.net.0.y.conv2d 32x24x24,
        block5.net.1.y.conv2d 32x24x24, block5.net.2.y.conv2d 32x24x24, block5.net.3.y.conv2d 32x24x24,
        block6.conv2d 96x24x24, block6.avg_pool2d 96x12x12, block7.net.3.y.conv2d 32x12x12, block8.conv2d 112x12x12,
        block8.avg_pool2d 112x6x6, block9.net.3.y.conv2d 32x6x6, block10.conv2d 120x6x6, block10.avg_pool2d 120x3x3,
        block11.net.3.y.conv2d 32x3x3, block11 248x3x3, adaptive_max_pool2d 248x1x1, flatten 248, linear 10""",
    "fashion_lenet_bn": """conv2d 6x24x24, avg_pool2d 6x12x12, conv2d 16x8x8, avg_pool2d 16x4x4, flatten 256,
        linear 120, linear 84, linear 10""",
}
"""What comes out of each stage, in order; a name told again is the next of its name."""


def told(trace: str) -> Iterator[tuple[str, str]]:
    seen: dict[str, int] = {}
    for stage in trace.split(","):
        name, shape = stage.split()
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), shape


def shown(shape: Sequence[object]) -> str:
    return "x".join(map(str, shape[1:]))


def outcome(report: Report, path: str) -> str:
    """Return what comes out of a layer, or of the last layer of a part."""
    inside = [node for node in report if node.path == path or node.path.startswith(f"{path}.")]
    return shown(inside[-1].output)


@pytest.mark.parametrize("name", TRACES)
def test_stages_are_those_that_torch_traced(name: str) -> None:
    report = analysis(text_of(name))
    stages = [*told(TRACES[name])]
    assert [(path, outcome(report, path)) for path, _ in stages] == stages


def test_every_network_that_runs_was_traced() -> None:
    assert TRACES.keys() == RUNNING.keys()


@pytest.mark.parametrize(
    ("name", "layer_by_layer"), [("torch_vgg16", 138_357_544), ("torch_vgg19", 144_809_960)]
)
def test_a_module_called_again_brings_no_weights(name: str, layer_by_layer: int) -> None:
    """A table that lists every call and adds up what it lists arrives at more than there is."""
    report = analysis(text_of(name))
    assert total(product(shape) for node in report for shape in node.weights.values()) == layer_by_layer
    assert report.params == RUNNING[name][0] < layer_by_layer


def test_heads_that_are_not_returned_are_computed_all_the_same() -> None:
    report = analysis(text_of("torch_inception_v1"))
    heads = [node for node in report if node.path.startswith("auxiliary_classifier")]
    head = 128 * 4 * 4 * 1024 + 128 * 4 * 1024 * 1000  # the linear layers run on every row of the map
    assert total(node.macs or 0 for node in heads) == 2 * head + 128 * 4 * 4 * (512 + 528)
    assert [*report.outputs] == ["output"]


def test_variations_that_were_run() -> None:
    ten = analysis(text_of("fashion_alexnet"), num_classes=10)
    assert (ten.params, ten.macs) == (57_029_322, 663_282_240)
    large = analysis(text_of("fashion_googlenet"), H=224, W=224)
    assert (large.params, large.macs) == (5_977_530, 1_502_982_144)


def test_the_normalised_lenet_is_that_of_the_book() -> None:
    module = nn.Sequential(
        *(nn.Conv2d(1, 6, kernel_size=5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, kernel_size=5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(), nn.Linear(84, 10)),
    ).eval()
    with FlopCounterMode(display=False) as counter:
        output = module(torch.zeros(1, 1, 28, 28))
    report = analysis(text_of("fashion_lenet_bn"))
    assert (report.output, report.macs) == (tuple(output.shape), counter.get_total_flops() // 2)
    assert [shape for node in report for shape in node.weights.values()] == [
        *map(shape_of, module.parameters())
    ]
    assert [shape for node in report for shape in node.buffers.values()] == [*map(shape_of, module.buffers())]


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


# ---- failures: the same layer, the same numbers


class Broken(NamedTuple):
    """What torch said, and the lines of the tutorial in its traceback, from the outermost inwards."""

    said: str
    lines: tuple[int, ...]


CHANNELS = "expected input[1, {0}, {1}, {1}] to have {2} channels, but got {0} channels instead"
SIZES = "Expected size {} but got size {} for tensor number {} in the list."
TOO_SMALL = "Calculated padded input size per channel: ({0} x {0}). Kernel size: ({1} x {1})."
FEATURES = "mat1 and mat2 shapes cannot be multiplied ({} and {})"


def in_the_words_of_torch(message: str) -> str:
    """Return what torch says where we say `message`: the same numbers in its own form."""
    if found := re.match(r"conv2d declares in_channels: (\d+), but the input 1x(\d+)x(\d+)x\3 has", message):
        declared, arrives, size = found.groups()
        return CHANNELS.format(arrives, size, declared)
    if found := re.match(r"concat: branch (\d+) is .*: axis \d differs \((\d+) against (\d+)\)", message):
        number, got, expected = found.groups()
        return SIZES.format(expected, got, int(number) - 1)
    if found := re.search(r"\((\d+) \+ (\d+) \+ (\d+) - \(1·\((\d+) - 1\) \+ 1\)\)/1", message):
        *padded, kernel = map(int, found.groups())
        return TOO_SMALL.format(sum(padded), kernel)
    found = re.match(r"linear declares in_features: (\d+), but the input (\S+) has", message)
    assert found, message
    *others, features = map(int, found[2].split("x"))
    return FEATURES.format(f"{prod(others)}x{features}", f"{found[1]}x")


def assert_fails_as(text: str, broken: Broken) -> None:
    """Assert that the first failure is the one that torch met: where, in which call, with which numbers."""
    with pytest.raises(ShapeError) as caught:
        analysis(text)
    lines = text.split("\n")
    number = caught.value.place.line
    assert number is not None
    assert broken.lines[-1] in origins(lines[number - 1])
    called = caught.value.path.partition(".")[0]
    outer = [lines.index(line) for line in lines if line.startswith(f"    name: {called}")]
    assert broken.lines[0] in origins(lines[outer[0]]) + origins(lines[outer[0] - 1])
    said = in_the_words_of_torch(caught.value.message)
    assert said.removesuffix(")") in broken.said


class Unit(nn.Sequential):
    """A convolution, normalised, through a ReLU."""

    def __init__(self, inward: int, outward: int, kernel: int, padding: int = 0) -> None:
        super().__init__(
            nn.Conv2d(inward, outward, kernel, padding=padding), nn.BatchNorm2d(outward), nn.ReLU()
        )


class BlockA(nn.Module):
    """The first Inception block as the tutorial builds it: what arrives goes through four branches."""

    def __init__(self, inward: int, pooled: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                nn.Sequential(Unit(inward, 64, 1), Unit(64, 96, 3, 1), Unit(96, 96, 3, 1)),
                nn.Sequential(Unit(inward, 48, 1), Unit(48, 64, 3, 1)),
                nn.Sequential(nn.AvgPool2d(3, stride=1), Unit(inward, pooled, 1)),
                Unit(inward, 64, 1),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def test_inception_v3_fails_where_torch_does_and_for_its_reason() -> None:
    model = shapecalc.load(f"tutorials/{FAILING}")
    with pytest.raises(ShapeError) as caught:
        model.analyze()
    error = caught.value
    assert error.path == "inceptionA_1.concat.branch1.ConvolutionBlock.conv"
    assert error.message == ("conv2d declares in_channels: 288, but the input 1x192x34x34 has 192 channels")
    assert error.hint.startswith("in_channels: 192")
    assert (error.place.file or "").endswith("torch_inception_v3.yaml")
    assert error.place.line is not None
    assert origins(text_of(FAILING).split("\n")[error.place.line - 1]) == [1501, 1505]

    assert_fails_as(text_of(FAILING), Broken(CHANNELS.format(192, 34, 288), (1764, 1561, 1505)))
    with pytest.raises(RuntimeError) as of_torch:
        BlockA(288, 32).eval()(torch.zeros(1, 192, 34, 34))
    assert in_the_words_of_torch(error.message) in str(of_torch.value)
    assert "weight of size [64, 288, 1, 1]" in str(of_torch.value)


def test_and_so_does_the_block_with_the_right_channels() -> None:
    with pytest.raises(RuntimeError) as of_torch:
        BlockA(192, 32).eval()(torch.zeros(1, 192, 34, 34))
    assert_fails_as(edited(FAILING, MISTAKES["3P1"]), Broken(str(of_torch.value), (1764, 1566)))


# ---- Inception-v3: its mistakes by the names that the table of mistakes gives them


def inception_v3(*corrected: str) -> str:
    return edited(FAILING, [edit for name in corrected for edit in MISTAKES[name]])


def all_but(*kept: str) -> str:
    return inception_v3(*(name for name in MISTAKES if name not in kept))


CHAIN: list[Broken] = [
    Broken(CHANNELS.format(192, 34, 288), (1764, 1561, 1505)),
    Broken(SIZES.format(34, 32, 2), (1764, 1566)),
    Broken(CHANNELS.format(256, 34, 288), (1765, 1561, 1505)),
    Broken(SIZES.format(16, 32, 1), (1768, 1669)),
    Broken(TOO_SMALL.format(4, 5), (1775, 1719, 1505)),
    Broken(SIZES.format(8, 4, 1), (1777, 1698)),
    Broken(SIZES.format(6, 10, 1), (1779, 1641)),
    Broken(FEATURES.format("2048x1", "2048x2048"), (1784,)),
]
"""What torch says next, each time when the mistake before is corrected; Python's own errors are left out."""


@pytest.mark.parametrize("corrected", range(len(CHAIN)))
def test_correct_one_and_see_the_next(corrected: int) -> None:
    assert_fails_as(inception_v3(*NEEDED_TO_RUN[:corrected]), CHAIN[corrected])


@pytest.mark.parametrize(
    ("corrected", "found"),
    [
        (NEEDED_TO_RUN, (32_271_728, 5_544_534_624)),
        ([*NEEDED_TO_RUN, "3P9"], (32_271_728, 5_490_860_640)),
        ([*NEEDED_TO_RUN, "3P9", "3P8"], (32_271_728, 5_543_502_432)),
        ([*MISTAKES], (27_161_264, 5_718_899_296)),
    ],
    ids=["runs", "paddings of 1x1 and 3x3", "paddings of 7x1 and 1x7", "as published"],
)
def test_inception_v3_corrected(corrected: list[str], found: Figures) -> None:
    text = inception_v3(*corrected)
    assert figures(text) == found
    trace = """stem 192x35x35, inceptionA_1 256x35x35, inceptionA_2 288x35x35, inceptionA_3 288x35x35,
        reductionA 768x17x17, inceptionB_1 768x17x17, inceptionB_2 768x17x17, inceptionB_3 768x17x17,
        inceptionB_4 768x17x17, aux 1000, reductionB 1280x8x8, inceptionC_1 2048x8x8, inceptionC_2 2048x8x8,
        avgpool 2048x1x1, fc2 1000"""
    report = analysis(text)
    assert [(path, outcome(report, path)) for path, _ in told(trace)] == [*told(trace)]
    assert report.outputs == {"output": (1, 1000), "aux": (1, 1000)}


def test_inception_v3_corrected_is_the_published_one() -> None:
    published = shapecalc.load("inception_v3").analyze()
    assert figures(all_but()) == (published.params, published.macs)


ONE_LEFT: dict[str, Broken | Figures] = {
    "3P1": Broken(CHANNELS.format(192, 35, 288), (1764, 1561, 1505)),
    "3P2": Broken(CHANNELS.format(256, 35, 288), (1765, 1561, 1505)),
    "3P3": Broken(SIZES.format(35, 33, 2), (1764, 1566)),
    "3P4": Broken(SIZES.format(17, 33, 1), (1768, 1669)),
    "3P5": Broken(TOO_SMALL.format(4, 5), (1775, 1719, 1505)),
    "3P6": Broken(SIZES.format(8, 4, 1), (1777, 1698)),
    "3P7": Broken(SIZES.format(6, 10, 1), (1779, 1641)),
    "3P8": (0, -52_641_792),
    "3P9": (0, 53_673_984),
    "3P10": Broken(FEATURES.format("2048x1", "2048x1000"), (1787,)),
    "3P11 head": (4_196_352, 4_194_304),
    "3P11 aux": (1_043_456, 1_042_432),
    "3K3": (-147_456, -180_633_600),
    "3K6": (18_112, 0),
}
"""With all but one mistake corrected: how torch failed, or what it counted more than in the published network."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_left(mistake: str) -> None:
    text, measured = all_but(mistake), ONE_LEFT[mistake]
    if isinstance(measured, Broken):
        assert_fails_as(text, measured)
        return
    params, macs = figures(text)
    assert (params - 27_161_264, macs - 5_718_899_296) == measured


def test_one_padding_of_the_four_swapped() -> None:
    """Two wrong paddings cancel out; one alone does not."""
    only_one = Edit(1584, "padding: [3, 0]", "padding: [0, 3]")
    assert_fails_as(only_one(all_but()), Broken(SIZES.format(17, 11, 2), (1770, 1602)))


# ---- the others, corrected step by step


def module(channels: int, outward: int) -> str:
    return (
        f"conv2d: {{in_channels: {channels}, out_channels: {outward}, kernel_size: 3, stride: 1, padding: 1}}"
    )


ALEXNET_SIZES = [Edit(671, "padding: 0", "padding: 2"), Edit(679, "6400", "9216")]
ALEXNET_GROUPS = [Edit(line, "stride: 1", "stride: 1, groups: 2") for line in (672, 674, 675)]
VGG16_CONV6 = [Edit(849, "share: conv6", module(256, 256))]
VGG16_CONV8 = [Edit(line, "share: conv8", module(512, 512)) for line in (860, 867, 869, 871)]
VGG19_CONV7 = [
    Edit(line, "share: conv7", module(512, 512)) for line in (1015, 1017, 1019, 1026, 1028, 1030, 1032)
]
VGG19_WIDTHS = [
    Edit(969, "out_channels: 128", "out_channels: 64"),
    Edit(971, "in_channels: 128", "in_channels: 64"),
    Edit(972, "out_channels: 256", "out_channels: 128"),
    Edit(973, "in_channels: 256", "in_channels: 128"),
    Edit(975, "out_channels: 512", "out_channels: 256"),
    Edit(1007, "- relu", f"- relu\n  - {module(256, 256)}\n  - relu\n  - {module(256, 256)}\n  - relu"),
    Edit(976, "in_channels: 512", "in_channels: 256"),
]
HEAD_1 = [
    Edit(1253, "- relu", "- relu\n      - flatten"),
    Edit(1254, "in_features: 4,", "in_features: 2048,"),
]
HEAD_2 = [
    Edit(1263, "- relu", "- relu\n      - flatten"),
    Edit(1264, "in_features: 4,", "in_features: 2048,"),
]
EXTRA_LAYER = [Edit(1301), Edit(1303)]
RETURNED = [
    Edit(
        1306,
        "output: softmax",
        "output: softmax, aux1: auxiliary_classifier_1, aux2: auxiliary_classifier_2",
    )
]


@pytest.mark.parametrize(
    ("name", "edits", "found"),
    [
        ("torch_alexnet", ALEXNET_SIZES, (62_378_344, 1_135_256_096)),
        ("torch_alexnet", ALEXNET_SIZES + ALEXNET_GROUPS, (60_965_224, 724_406_816)),
        ("torch_vgg16", VGG16_CONV6 + VGG16_CONV8, (138_357_544, 15_470_264_320)),
        ("torch_vgg16", VGG16_CONV8, (138_357_544 - 590_080, 15_470_264_320)),
        ("torch_vgg16", VGG16_CONV6, (138_357_544 - 9_439_232, 15_470_264_320)),
        ("torch_vgg19", VGG19_CONV7, (144_809_960, 24_256_282_624)),
        ("torch_vgg19", VGG19_CONV7 + VGG19_WIDTHS, (143_667_240, 19_632_062_464)),
        ("torch_inception_v1", HEAD_1 + HEAD_2, (14_379_280, 1_592_044_096)),
        ("torch_inception_v1", HEAD_1 + HEAD_2 + EXTRA_LAYER + RETURNED, (13_378_280, 1_591_044_096)),
        ("torch_inception_v1", HEAD_2 + EXTRA_LAYER, (13_378_280 - 2_093_056, 1_591_044_096 + 523_264_000)),
        ("torch_inception_v1", HEAD_1 + EXTRA_LAYER, (13_378_280 - 2_093_056, 1_591_044_096 + 523_264_000)),
        ("torch_inception_v1", [Edit(1261, "padding: 1", "padding: 0")], (10_193_168, 2_638_572_096)),
    ],
)
def test_corrected_step_by_step(name: str, edits: list[Edit], found: Figures) -> None:
    assert figures(edited(name, edits)) == found


@pytest.mark.parametrize(
    ("name", "edits", "published"),
    [
        ("torch_alexnet", ALEXNET_SIZES + ALEXNET_GROUPS, "alexnet_2012"),
        ("torch_vgg16", VGG16_CONV6 + VGG16_CONV8, "vgg16"),
        ("torch_vgg19", VGG19_CONV7 + VGG19_WIDTHS, "vgg19"),
        ("torch_inception_v1", HEAD_1 + HEAD_2 + EXTRA_LAYER + RETURNED, "googlenet"),
    ],
)
def test_corrected_they_are_the_published_ones(name: str, edits: list[Edit], published: str) -> None:
    corrected, reference = analysis(edited(name, edits)), shapecalc.load(published).analyze()
    assert (corrected.params, corrected.macs) == (reference.params, reference.macs)
    assert [*corrected.outputs.values()] == [*reference.outputs.values()]
    weights = [node.weights for node in corrected if node.weights]
    if name == "torch_inception_v1":  # its branches, heads and reductions stand in another order
        assert sorted(map(str, weights)) == sorted(str(node.weights) for node in reference if node.weights)
    else:
        assert weights == [node.weights for node in reference if node.weights]


@pytest.mark.parametrize(
    ("name", "edits", "broken"),
    [
        ("torch_alexnet", ALEXNET_SIZES[:1], Broken(FEATURES.format("1x9216", "6400x4096"), (707,))),
        ("torch_alexnet", ALEXNET_SIZES[1:], Broken(FEATURES.format("1x6400", "9216x4096"), (707,))),
        ("torch_inception_v1", HEAD_1[:1], Broken(FEATURES.format("1x2048", "4x1024"), (1281, 1254))),
        ("torch_inception_v1", HEAD_1[1:], Broken(FEATURES.format("512x4", "2048x1024"), (1281, 1254))),
    ],
    ids=["conv1 without fc1", "fc1 without conv1", "flatten alone", "in_features alone"],
)
def test_half_a_correction_fails(name: str, edits: list[Edit], broken: Broken) -> None:
    assert_fails_as(edited(name, edits), broken)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("torch_alexnet", 227, FEATURES.format("1x9216", "6400x4096")),
        ("torch_inception_v1", 192, FEATURES.format("384x3", "4x1024")),
        ("torch_inception_v1", 256, FEATURES.format("640x5", "4x1024")),
        ("torch_inception_v1", 299, FEATURES.format("640x5", "4x1024")),
    ],
)
def test_they_work_at_one_size_only(name: str, size: int, said: str) -> None:
    with pytest.raises(ShapeError) as caught:
        analysis(text_of(name), H=size, W=size)
    assert in_the_words_of_torch(caught.value.message).removesuffix(")") in said


# ---- the document that lists them

DOCUMENT = Path(__file__).parents[2] / "docs" / "tutorials.md"


def rows() -> Iterator[list[str]]:
    """Return the cells of the rows that name a spec: architecture, framework, lines, spec, params, MACs, notes."""
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[3].startswith("`"):
            yield cells


def test_the_document_lists_every_block() -> None:
    listed = [cells[3].strip("`") for cells in rows()]
    assert {name for name in bundled() if name.startswith("tutorials/")} <= {*listed}
    unknown = {*listed} - {*bundled()}
    assert all(name.startswith("tutorials/keras_") for name in unknown)
    assert len([*rows()]) == 2 * 11 + 6


def test_the_figures_of_the_document_are_those_of_the_specs() -> None:
    for _, _, _, name, params, macs, note in rows():
        if (spec := name.strip("`")) not in bundled():
            continue
        expect = shapecalc.load(spec).expect
        if expect is None or expect.params is None:
            assert (params, macs) == ("", "")
            assert "fails" in note
        else:
            assert (params, macs) == (f"{expect.params:,}", f"{expect.macs:,}"), spec
