"""Every figure of every bundled spec, against torchvision or against the network written in torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from math import prod
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import Expr, Model, Report, ShapeError
from shapecalc.spec.find import bundled, folder
from tests.support import published_transformers
from tests.support.input_tensors import input_tensors
from tests.support.paper_networks import NETWORKS, GoogLeNet
from tests.support.paper_residuals import se_resnet
from tests.support.paper_vision import Mixer
from tests.support.torchvision_networks import IN_TORCHVISION, built

Size = tuple[int, ...]

PUBLISHED = {
    name: path
    for name, path in bundled().items()
    if not name.startswith("tutorials/") and b"\nframework: keras" not in path.read_bytes()
}
"""What tutorials print, mistakes included, has no witness in torch, nor has a network under Keras' rules.

They have tests of their own.
"""
NAMES = [*PUBLISHED]
FAMILIES = sorted({path.stem for name, path in PUBLISHED.items() if path.stem != name})
PROMISED = {
    *(
        "lenet5",
        "lenet5_1998",
        "alexnet",
        "alexnet_2012",
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg19",
        "nin",
        "googlenet",
    ),
    *("inception_v3", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d"),
    *("densenet121", "densenet169", "densenet201", "unet", "unet_padded", "inception_v4"),
    *("inception_resnet_v2", "xception", "mobilenet_v1_100", "se_resnet50", "linknet", "resnet110_cifar"),
    *("wide_resnet28_10_cifar", "densenet40_cifar", "zfnet", "fcn8s_vgg16", "unet3d", "r3d_18"),
}
OTHER_SIZES: dict[str, list[Size]] = {
    "inception_v3": [(331, 320), (299, 405)],
    "unet": [(188, 204), (220, 188)],
    "unet_padded": [(32, 48), (112, 16)],
    "nin": [(47, 64), (33, 30)],
    "inception_v4": [(331, 320), (299, 405)],
    "inception_resnet_v2": [(331, 320), (299, 405)],
    "linknet": [(64, 96), (320, 32)],
    **{name: [(256, 256), (192, 192)] for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32")},
    "vit_h_14": [(280, 280), (196, 196)],
    "unet3d": [(92, 100), (108, 92)],
    "dcgan_generator": [(2, 3), (4, 1)],
    "mixer_b_16": [(256, 256), (192, 192)],
    **{name: [(100,), (7,)] for name in ("gpt2", "bert_base", "llama2_7b")},
    "t5_small": [(100, 60), (9, 30)],
    "crnn": [(40,), (333,)],
    **{name: [(64, 96), (320, 32)] for name in ("hrnet_w32", "yolov3")},
    "pix2pix_generator": [(512, 256), (256, 768)],
    "ddpm_cifar10": [(64, 40), (8, 16)],
    "unet_plus_plus": [(32, 48), (112, 16)],
    "wavenet": [(1,), (12345,)],
}
"""Two sizes besides the standard one at which a network built at the standard size works too."""
BUILT_FOR_ONE_SIZE = {"lenet5", "lenet5_1998", "lenet_300_100", "alexnet_2012", "zfnet", "googlenet"}
"""Their linear layers take the flattened map, so torch's accept no other."""

BUILT_FOR_EACH_SIZE = {"mixer_b_16", *(name for name in NAMES if name.startswith("vit"))}
"""Their weights depend on how many patches there are, so each size is a network of its own."""

MERGED = {"gpt2", "bert_base", "llama2_7b", "ddpm_cifar10"}
"""The witness keeps queries, keys and values apart where a spec has one attention, or its matrices are transposed."""

DEFINED_ELSEWHERE = {"unet", "unet_padded", "unet_plus_plus", "t5_small", "yolov3", "hrnet_w32"}
"""The witness defines its decoder, its heads or its tables in another order than they are used."""

SIDES = ("H", "W", "L", "S", "T")
"""What the free sizes of an input are called."""

every_name = pytest.mark.parametrize("name", NAMES)
every_witness = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.ci if name in published_transformers.NETWORKS else ())
        for name in (*IN_TORCHVISION, *NETWORKS)
    ],
)
"""To import the library of transformers takes seconds."""


def sizes(name: str) -> list[Size]:
    """Return the standard size and the others at which a network is compared."""
    model = shapecalc.load(name)
    others = [] if name in BUILT_FOR_ONE_SIZE else OTHER_SIZES.get(name, [(256, 320), (199, 231)])
    return [tuple(model.parameters[side] for side in sides(model)), *others]


def sides(model: Model) -> list[str]:
    """Return the sizes that are compared: of videos the height and the width."""
    names = SIDES[:2] if "H" in model.parameters else SIDES
    return [side for side in names if side in model.parameters]


def at_size(model: Model, size: Size, **parameters: Any) -> Report:
    named: dict[str, Any] = dict(zip(sides(model), size, strict=True))
    return model.analyze(**named, **parameters)


@cache
def network(name: str) -> nn.Module:
    """Return the network in torch without memory for its weights, as it is used, but with its heads on."""
    if name in IN_TORCHVISION:
        return built(name)
    with torch.device("meta"):
        return NETWORKS[name]().eval()


def network_for(name: str, size: Size) -> nn.Module:
    """Return the network built for an input size, where it makes a difference."""
    if name == "mixer_b_16":
        with torch.device("meta"):
            return Mixer(size[0]).eval()
    return built(name, size[0]) if name in BUILT_FOR_EACH_SIZE else network(name)


def run(module: nn.Module, *inputs: Tensor) -> tuple[list[tuple[int, ...]], int]:
    """Return the shapes of all outputs and the multiply-accumulates that torch counts."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        out = module(*inputs)
    outs = [out] if isinstance(out, torch.Tensor) else [*(out.values() if isinstance(out, dict) else out)]
    return [tuple(one.shape) for one in outs], counter.get_total_flops() // 2


DEFINED_BEFORE = {"class_token": "conv_proj", "layer_scale": "block"}
"""A module's own tensors, which torch lists before the modules in it, and the module after which they are used."""


def parameters_as_used(module: nn.Module) -> list[nn.Parameter]:
    """Return the weights in the order of their use."""
    weights = dict(module.named_parameters())
    order = [*weights]
    for name in weights:
        owner, _, own = name.rpartition(".")
        if own in DEFINED_BEFORE:
            order.remove(name)
            before = f"{owner}.{DEFINED_BEFORE[own]}.".lstrip(".")
            order.insert(max(i for i, other in enumerate(order) if other.startswith(before)) + 1, name)
    return [weights[name] for name in order]


def weight_shapes(report: Report) -> list[tuple[Any, ...]]:
    return [shape for node in report if node.shares is None for shape in node.weights.values()]


def buffer_shapes(report: Report) -> list[tuple[Any, ...]]:
    return [shape for node in report for shape in node.buffers.values()]


# ---- the files


def test_every_promised_network_is_bundled() -> None:
    assert set(NAMES) >= PROMISED
    assert {"densenet", "resnet", "vgg"} <= set(FAMILIES)


def test_every_network_has_a_witness() -> None:
    assert set(NAMES) == set(IN_TORCHVISION) | set(NETWORKS)


@every_name
def test_every_figure_is_what_the_analysis_finds(name: str) -> None:
    model = shapecalc.load(name)
    assert model.title
    assert model.paper is not None
    assert model.paper.title
    assert model.paper.authors
    assert model.paper.year
    assert (model.paper.url or "").startswith("https://")
    expect = model.expect
    assert expect is not None
    report = model.analyze()
    assert (expect.params, expect.macs, expect.buffers) == (report.params, report.macs, report.buffer_count)
    assert expect.trainable_params in (None, report.trainable_params)
    assert report.complete
    found = {output: shape[1:] for output, shape in report.outputs.items()}
    assert expect.output == (found if len(found) > 1 else found["output"])


def test_without_their_heads() -> None:
    googlenet, inception = (shapecalc.load(name).analyze(aux=False) for name in ("googlenet", "inception_v3"))
    assert (googlenet.params, googlenet.macs) == (6_998_552, 1_582_671_872)
    assert (inception.params, inception.macs) == (23_834_568, 5_713_216_096)
    assert [*googlenet.outputs] == [*inception.outputs] == ["output"]


# ---- the comments: `# 64 @ 56x56`, `# 28x28`, `# 64 @ 16x56x56`, `# 12 parameters`

FIGURES = re.compile(r"(?:(?P<channels>\d+) @ )?\b(?P<sizes>\d+(?:x\d+){1,2})\b")
PARAMETERS = re.compile(r"(?P<count>[\d,]+) parameters")


def outputs_of_line(model: Model, number: int) -> list[tuple[Any, ...]]:
    """Return what comes out of what is written there: of a layer each time it is used, or of a whole step."""
    report = model.analyze()
    nodes = [node.output for node in report if node.place.line == number]
    steps = [index for index, step in enumerate(model.layers) if step.place.line == number]
    if nodes or not steps:
        return nodes
    data = {key: value for key, value in model.to_data().items() if key != "outputs"}
    return [shapecalc.load({**data, "layers": data["layers"][: steps[0] + 1]}).analyze().output]


@pytest.mark.parametrize("file", sorted({path.name for path in PUBLISHED.values()}))
def test_sizes_in_comments_are_true(file: str) -> None:
    model = shapecalc.load(file.removesuffix(".yaml"))
    checked = 0
    for number, line in enumerate((folder() / file).read_text("utf-8").splitlines(), 1):
        code, _, comment = line.partition(" # ")
        outputs = outputs_of_line(model, number) if code.lstrip().startswith("- ") and comment else []
        if told := FIGURES.search(comment):
            for shape in outputs:
                if len(shape) not in (3, 4, 5):
                    continue
                assert shape[2 if len(shape) > 3 else 1 :] == tuple(map(int, told["sizes"].split("x"))), line
                assert told["channels"] is None or shape[1] == int(told["channels"]), line
                checked += 1
        if outputs and (told := PARAMETERS.search(comment)):
            found = sum(node.params for node in model.analyze() if node.place.line == number)
            assert found == int(told["count"].replace(",", "")), line
            checked += 1
    assert checked >= 3


# ---- torch


@pytest.mark.sample(20)
@every_witness
def test_weights_and_buffers_are_those_of_torch(name: str) -> None:
    report, module = shapecalc.load(name).analyze(), network(name)
    weights = [tuple(weight.shape) for weight in parameters_as_used(module)]
    assert report.params == sum(map(prod, weights))
    named = dict(module.named_parameters(remove_duplicate=False))
    kept = [tensor for name, tensor in module.state_dict().items() if name not in named]
    assert report.buffer_count == sum(buffer.numel() for buffer in kept)
    buffers = [tuple(buffer.shape) for buffer in kept]
    if name == "lenet5_1998" or name in MERGED:
        assert buffer_shapes(report) == buffers
        return  # the witness has 16 small convolutions where ours has one with 60 kernels
    if name in DEFINED_ELSEWHERE:
        assert sorted(weight_shapes(report)) == sorted(weights)
        assert sorted(buffer_shapes(report)) == sorted(buffers)
    else:
        assert weight_shapes(report) == weights
        assert buffer_shapes(report) == buffers


@pytest.mark.sample(8)
@every_witness
def test_outputs_and_macs_are_those_of_torch(name: str) -> None:
    model = shapecalc.load(name)
    for size in sizes(name):
        report, module = at_size(model, size), network_for(name, size)
        assert ([*report.outputs.values()], report.macs) == run(module, *input_tensors(report)), size


def test_the_trunk_of_googlenet_takes_other_sizes() -> None:
    with torch.device("meta"):
        module = GoogLeNet(aux=False).eval()
    for size in [(256, 320), (199, 231), (31, 33)]:
        report = at_size(shapecalc.load("googlenet"), size, aux=False)
        assert ([*report.outputs.values()], report.macs) == run(module, *input_tensors(report))
    with pytest.raises(ShapeError, match=r"max_pool2d: the output height would be 0"):
        at_size(shapecalc.load("googlenet"), (30, 33), aux=False)
    with pytest.raises(RuntimeError, match="too small"):
        run(module, torch.zeros(1, 3, 30, 33, device="meta"))


def test_the_stride_of_a_bottleneck_stands_where_it_is_told() -> None:
    with torch.device("meta"):
        module = se_resnet([3, 4, 6, 3], bottleneck=True, stride_on_3x3=True).eval()
    for size in [(224, 224), (199, 231)]:
        report = at_size(shapecalc.load("se_resnet50"), size, stride_on_3x3=True)
        assert ([*report.outputs.values()], report.macs) == run(module, *input_tensors(report))


# ---- both forms of the language


@pytest.mark.parametrize("name", [*NAMES, *FAMILIES])
def test_written_out_and_read_again(name: str) -> None:
    model = shapecalc.load(name)
    again = shapecalc.loads(model.to_yaml())
    assert again == model
    assert again.to_yaml() == model.to_yaml()
    assert shapecalc.load(model.to_data()) == model


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_loads_by_its_own_name(family: str) -> None:
    model = shapecalc.load(family)
    assert model.variants
    assert model.paper is not None
    members = [shapecalc.load(name) for name in model.variants]
    assert [model.variant(name) for name in model.variants] == members
    assert model.analyze().params in {member.analyze().params for member in members}


# ---- symbols

LEGAL: dict[str, list[Size]] = {
    "lenet5": [(28, 31), (16, 16), (60, 33)],
    "lenet5_1998": [(32, 35), (33, 34), (36, 32)],
    "alexnet": [(63, 63)],
    "alexnet_2012": [(227, 243), (67, 80)],
    "nin": [(4, 5)],
    "googlenet": [(224, 256), (193, 300)],
    "inception_v3": [(320, 299)],
    "unet": [(188, 188), (572, 188)],
    "unet_padded": [(16, 16)],
    "inception_v4": [(75, 288)],
    "inception_resnet_v2": [(75, 288)],
    "linknet": [(32, 32)],
    **{name: [(64, 32), (224, 256)] for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32")},
    "vit_h_14": [(14, 28)],
    "mixer_b_16": [(32, 64)],
    **{name: [(32, 32)] for name in ("hrnet_w32", "yolov3")},
    "pix2pix_generator": [(256, 512)],
    "ddpm_cifar10": [(8, 24)],
    "unet_plus_plus": [(16, 16)],
    "zfnet": [(227, 100), (47, 224)],
    "fcn8s_vgg16": [(1, 1), (33, 64)],
    "unet3d": [(92, 92)],
    "dcgan_discriminator": [(64, 79)],
}
"""More sizes at which a network works, built anew for each."""
ILLEGAL: dict[str, list[Size]] = {
    "lenet5": [(11, 40), (32, 15)],
    "lenet5_1998": [(28, 32), (32, 31)],
    "alexnet": [(62, 63)],
    "alexnet_2012": [(66, 80)],
    "nin": [(3, 32)],
    "googlenet": [(64, 224), (30, 30)],
    "inception_v3": [(288, 299), (74, 300)],
    "unet": [(172, 188), (570, 572), (572, 574)],
    "unet_padded": [(24, 16), (100, 96)],
    "inception_v4": [(74, 300)],
    "inception_resnet_v2": [(74, 300)],
    "linknet": [(360, 640), (64, 48)],
    "convnext_tiny": [(31, 64)],
    "squeezenet1_0": [(20, 64)],
    **{name: [(200, 224), (240, 30)] for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32")},
    "vit_h_14": [(224, 225)],
    "mixer_b_16": [(232, 224)],
    "crnn": [(3,)],
    "yolov3": [(400, 416), (416, 48)],
    "hrnet_w32": [(240, 224), (32, 33)],
    "pix2pix_discriminator": [(23, 64)],
    "pix2pix_generator": [(128, 256), (384, 256)],
    "ddpm_cifar10": [(36, 32), (32, 4)],
    "unet_plus_plus": [(24, 16), (100, 96)],
    "zfnet": [(46, 224)],
    "unet3d": [(84, 132), (130, 132)],
    "dcgan_discriminator": [(63, 64)],
}


def substituted(value: Any, size: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(substituted(one, size) for one in value)
    return value.subs(size) if isinstance(value, Expr) else value


@pytest.mark.sample(20)
@every_name
def test_formulas_agree_with_numbers(name: str) -> None:
    model = shapecalc.load(name)
    symbolic = model.analyze(symbolic=sides(model))
    legal = sizes(name) + LEGAL.get(name, [(33, 64), (40, 500)] if "H" in sides(model) else [])
    assert len(legal) >= 3
    for size in legal + ILLEGAL.get(name, []):
        named = dict(zip(sides(model), size, strict=True))
        conditions = [condition.requirement for condition in symbolic.conditions]
        hold = all(
            one.between(substituted(one.left, named), substituted(one.right, named)).verdict()
            for one in conditions
        )
        assert hold == (size in legal), size
        if not hold:
            with pytest.raises(ShapeError):
                at_size(model, size)
            continue
        numeric = at_size(model, size)
        for figure in ("params", "macs", "buffer_count"):
            assert substituted(getattr(symbolic, figure), named) == getattr(numeric, figure), (figure, size)
        shapes = [substituted(node.output, named) for node in symbolic]
        assert shapes == [node.output for node in numeric], size
        assert {key: substituted(shape, named) for key, shape in symbolic.outputs.items()} == numeric.outputs


def test_a_formula_that_can_be_read() -> None:
    trunk = shapecalc.load("resnet50").analyze(symbolic=("H", "W"))["stage4.2.relu"]
    assert str(trunk.output[2]) == "⌈H/32⌉"
    assert trunk.output[:2] == (1, 2048)


def test_wavenet_has_the_parameters_of_a_published_implementation() -> None:
    """Of `wavenet_vocoder.WaveNet(weight_normalization=False)`, whose first convolution keeps 512 scales."""
    model = shapecalc.load("wavenet")
    report = model.analyze(
        layers=20, width=512, skip_width=512, gate_width=256, kernel=3, first_kernel=1, first_bias=True
    )
    assert report.params == 21_528_320 - 512
