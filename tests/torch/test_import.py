"""`from_torch`: parameters, costs and shapes of traced modules, held to the module and torch's own counter."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
import torchvision
from click.testing import CliRunner
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import Model, ShapeError, SpecError, Undecided, from_torch
from shapecalc.algebra import decide, symbol
from shapecalc.bridges.torch.proof.symbolic_shapes import answer
from shapecalc.bridges.torch.tracer.module_to_kind import as_layer
from shapecalc.cli import main
from shapecalc.layers.traced import Opaque
from tests.support.torchvision_networks import OPTIONS, on_meta
from tests.support.traced_modules import (
    MODULES,
    Attention,
    ByEquation,
    FlatFeatures,
    Nested,
    PadToFit,
    Pair,
    Residual,
    Siamese,
    Spare,
    Strict,
    Tied,
    TwoHeads,
    Unknown,
    UpTo,
)

torch.set_num_threads(1)

PROFILE = os.environ.get("SHAPECALC_PROFILE", "ci")


def parameters(module: nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    else:
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from tensors(one)


def measured(module: nn.Module, shapes: Any, batch: int = 1) -> tuple[int, list[tuple[int, ...]]]:
    """Return the MACs and the shapes of the results that torch finds without memory."""
    bare = module.to("meta").eval()
    dtype = torch.long if isinstance(module, Tied) else torch.float32
    one = isinstance(shapes, tuple)
    named = {"": shapes} if one else shapes
    given = {name: torch.zeros((batch, *shape), device="meta", dtype=dtype) for name, shape in named.items()}
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), torch.device("meta"), counter:
        result = bare(given[""]) if one else bare(**given)
    return counter.get_total_flops() // 2, [tuple(found.shape) for found in tensors(result)]


def results(model: Model, **given: Any) -> list[tuple[Any, ...]]:
    return [*model.analyze(**given).outputs.values()]


@pytest.mark.parametrize("cls", MODULES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_module_is_torchs(cls: type[nn.Module], batch: int) -> None:
    module, shapes = cls(), MODULES[cls]
    model = from_torch(module, input=shapes)
    report = model.analyze(batch=batch)
    assert report.params == parameters(module)
    macs, outputs = measured(module, shapes, batch)
    assert report.macs == macs
    assert results(model, batch=batch) == outputs
    assert report.complete


OTHERS: dict[type[nn.Module], list[dict[str, Any]]] = {
    Residual: [{"H": 1, "W": 30}, {"H": 9, "W": 8}],
    UpTo: [{"H": 31, "W": 17}, {"H": 3, "W": 4}],
    PadToFit: [{"H": 33, "W": 31}, {"H": 4, "W": 1}],
    Nested: [{"H": 5, "W": 20}],
    Strict: [{"H": 24, "W": 11}],
    Attention: [{"L": 1}, {"L": 33}],
    ByEquation: [{"L": 2}, {"L": 33}],
    Tied: [{"L": 1}, {"L": 33}],
}


@pytest.mark.parametrize("cls", OTHERS, ids=lambda cls: cls.__name__)
def test_other_sizes_than_it_was_traced_on(cls: type[nn.Module]) -> None:
    module = cls()
    model = from_torch(module, input=MODULES[cls])
    for sizes in OTHERS[cls]:
        shape = tuple(sizes.get(str(size), size) for size in model.input["input"])
        macs, outputs = measured(module, shape)
        report = model.analyze(**sizes)
        assert (report.macs, results(model, **sizes)) == (macs, outputs), sizes
        free = model.analyze(symbolic=True)
        assert isinstance(free.macs, int) or free.macs.subs(sizes) == macs


# ---- what it is made of


def test_paths_and_weights_are_the_modules_own() -> None:
    module = Nested()
    report = from_torch(module, input=(3, 12, 10)).analyze()
    theirs = {name: tuple(one.shape) for name, one in module.named_parameters()}
    ours = {f"{node.path}.{name}": shape for node in report for name, shape in node.weights.items()}
    assert ours == theirs
    assert report["stages.1.0.0"].kind == "conv2d"


def test_shared_modules_share() -> None:
    report = from_torch(Siamese(), input=MODULES[Siamese]).analyze()
    again = [node.path for node in report if node.shares is not None]
    assert again == ["tower.0_2"]
    assert report.layer("tower.0_2").shares == "tower.0"


def test_tied_weights_are_counted_once() -> None:
    module = Tied()
    assert from_torch(module, input=(12,)).analyze().params == parameters(module) == 50 * 16 + 32


def test_unreached_parameters_are_counted_and_listed() -> None:
    module = Spare()
    report = from_torch(module, input=(3, 8, 8)).analyze()
    assert report.params == parameters(module)
    assert report["unused"].weights == {"aux.weight": (7, 4), "aux.bias": (7,)}


def test_outputs_have_their_names() -> None:
    found = from_torch(TwoHeads(), input=(3, 32, 32)).analyze().outputs
    assert found == {"boxes": (1, 4, 16, 16), "more_scores": (1, 2, 16, 16)}
    assert [*from_torch(Pair(), input=(3, 9, 9)).analyze().outputs] == ["output_0", "output_1"]


def test_what_is_unknown_is_named_and_totals_are_at_least() -> None:
    model = from_torch(Unknown(), input=(8,))
    report = model.analyze()
    assert [node.layer.function for node in report if isinstance(node.layer, Opaque)] == ["trapezoid"]
    assert report.not_counted == ["trapezoid (opaque)"]
    with pytest.raises(Undecided, match="trapezoid has no rule"):
        from_torch(nn.Sequential(nn.Conv2d(3, 4, 3), Area()), input=(3, 8, 8)).analyze(H=9)


class Area(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = torch.trapezoid(x)
        return found


def test_what_python_decided_is_a_condition() -> None:
    model = from_torch(Strict(), input=(3, 16, 10))
    sizes = model.sizes()
    assert (24, 10) in sizes
    assert (20, 10) not in sizes
    with pytest.raises(ShapeError, match="require"):
        model.analyze(H=20)


def test_the_module_stays_as_it_is() -> None:
    module = Residual().train()
    before = {name: one.clone() for name, one in module.state_dict().items()}
    from_torch(module, input=(8, 14, 14))
    assert module.training
    assert all(one.device.type == "cpu" for one in module.parameters())
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())


def test_a_class_of_torch_is_a_leaf_also_as_the_root() -> None:
    model = from_torch(nn.Conv2d(3, 8, 3), input=(3, 8, 8))
    assert [(node.path, node.kind) for node in model.analyze()] == [("conv2d", "conv2d")]


def test_arguments_as_the_forward_takes_them() -> None:
    model = from_torch(
        Siamese(), args=(torch.zeros(2, 1, 12, 12),), kwargs={"right": torch.zeros(2, 1, 9, 9)}
    )
    assert [*model.input] == ["left", "right"]
    assert model.analyze().output == (2, 1)


# ---- a model like any other


@pytest.mark.parametrize("cls", MODULES, ids=lambda cls: cls.__name__)
def test_it_can_be_written_out_and_read_again(cls: type[nn.Module]) -> None:
    model = from_torch(cls(), input=MODULES[cls])
    again = shapecalc.loads(model.to_yaml())
    assert again == model
    assert again.analyze().macs == model.analyze().macs


def test_it_is_the_written_network() -> None:
    with on_meta():
        model = from_torch(torchvision.models.resnet18(), input=(3, 224, 224))
    written = shapecalc.load("resnet18")
    assert model.agreement(written).is_whole
    assert model.analyze(symbolic=True).macs == written.analyze(symbolic=True).macs
    assert str(model.derive("layer1.0.conv1").layers[0].macs[0].result) == "115,605,504"


# ---- torchvision

FEW = [
    "alexnet",
    "vgg11_bn",
    "resnet18",
    "densenet121",
    "googlenet",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mnasnet0_5",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "efficientnet_b0",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_32",
    "swin_t",
    "maxvit_t",
    "fcn_resnet50",
    "lraspp_mobilenet_v3_large",
]
ALL = [
    name
    for module in (torchvision.models, torchvision.models.segmentation)
    for name in torchvision.models.list_models(module)
]


def built(name: str, **options: Any) -> nn.Module:
    options = {"weights": None, **options}
    for beginning, given in OPTIONS.items():
        if name.startswith(beginning):
            options |= {key: value for key, value in given.items() if key != "aux_loss"}
    with on_meta():
        module: nn.Module = torchvision.models.get_model(name, **options)
    return module.eval()


def held_to_torch(model: Model, module: nn.Module, *sizes: tuple[int, int]) -> None:
    for height, width in sizes:
        macs, outputs = measured(module, (3, height, width))
        report = model.analyze(H=height, W=width)
        assert report.params == parameters(module)
        assert report.macs == macs, (height, width)
        assert [*report.outputs.values()] == outputs
        assert report.complete


def side_of(name: str) -> int:
    return 299 if name == "inception_v3" else 224


FOR_ONE_SIZE = ("vit", "maxvit")
"""What torchvision builds for one size and refuses at others."""


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.ci if name == "maxvit_t" else ())
        for name in (ALL if PROFILE == "thorough" else FEW)
    ],
)
def test_torchvisions_networks(name: str) -> None:
    module, side = built(name), side_of(name)
    model = from_torch(module, input=(3, side, side))
    if name.startswith(FOR_ONE_SIZE):
        held_to_torch(model, module, (side, side))
        with pytest.raises(ShapeError):
            model.analyze(H=side + 32, W=side)
        with pytest.raises((AssertionError, RuntimeError)):
            measured(module, (3, side + 32, side))
        for other in others_of(name):
            again = built(name, **other)
            size = other.get("image_size") or other["input_size"][0]
            held_to_torch(from_torch(again, input=(3, size, size)), again, (size, size))
    elif name.startswith("swin"):
        held_to_torch(model, module, (side, side), (side - 3, side - 31), (side - 12, side))
        for height, width in [(side + 32, side + 77), (side - 24, side + 120)]:
            with pytest.raises(ShapeError, match="as the traced code had it"):  # whether windows are shifted
                model.analyze(H=height, W=width)
            held_to_torch(from_torch(module, input=(3, height, width)), module, (height, width))
    else:
        held_to_torch(model, module, (side, side), (side + 32, side + 77), (side - 31, side - 4))


def others_of(name: str) -> list[dict[str, Any]]:
    """Return how to build a network for two other sizes; one that is built for a size has a model for it."""
    if name.startswith("maxvit"):
        return [{"input_size": (448, 448)}, {"input_size": (672, 672)}]
    patch = int(name.rpartition("_")[2])
    return [{"image_size": 12 * patch}, {"image_size": 20 * patch}]


VIDEO = torchvision.models.list_models(torchvision.models.video)


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", VIDEO if PROFILE == "thorough" else ["r3d_18", "s3d", "mvit_v2_s"])
def test_torchvisions_networks_for_video(name: str) -> None:
    side = 224 if name.startswith(("mvit", "swin3d", "s3d")) else 112
    try:
        module = built(name)
    except RuntimeError:  # mvit draws numbers while it is built
        module = torchvision.models.get_model(name, weights=None).eval()
    shape = (3, 16, side, side)
    model = from_torch(module, input=shape)
    report = model.analyze()
    assert report.params == parameters(module)
    assert (report.macs, [*report.outputs.values()]) == measured(module, shape)
    assert report.complete
    assert [*model.parameters] == ["D", "H", "W"]


# ---- torch's own symbolic shapes

BY_WINDOWS = [name for name in ALL if not name.startswith((*FOR_ONE_SIZE, "swin"))]
"""Networks whose trunk is convolutional."""
FEW_BY_WINDOWS = [
    "resnet50",
    "squeezenet1_1",
    "shufflenet_v2_x0_5",
    "regnet_x_400mf",
    "convnext_tiny",
    "lraspp_mobilenet_v3_large",
]


def given_memory(module: nn.Module) -> nn.Module:
    """Give a module tensors of the mode that is on, whose shapes may be symbols."""
    for one in module.modules():
        for name, tensor in one.named_parameters(recurse=False):
            setattr(one, name, nn.Parameter(torch.empty(tensor.shape), requires_grad=False))
        for name, buffer in one.named_buffers(recurse=False):
            setattr(one, name, torch.empty(buffer.shape, dtype=buffer.dtype))
    return module


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", BY_WINDOWS if PROFILE == "thorough" else FEW_BY_WINDOWS)
def test_every_layer_has_torchs_own_symbolic_shape(name: str) -> None:
    module, side = built(name), side_of(name)
    report = from_torch(module, input=(3, side, side)).analyze(symbolic=True)
    ours = {node.path: node.output for node in report}
    seen: dict[str, Tensor] = {}

    def watched() -> Callable[[Tensor], list[Tensor]]:
        given_memory(module)
        for path, one in module.named_modules():
            step = re.sub(r"[^\w.]", "_", path)  # regnet's blocks are called block1-0
            if step in ours and as_layer(one) is not None:

                def note(_module: nn.Module, _args: Any, result: Tensor, step: str = step) -> None:
                    seen.setdefault(step, result)

                one.register_forward_hook(note)
        return lambda x: [*tensors([module(x)]), *seen.values()]

    shape = (1, 3, symbol("H"), symbol("W"))
    found = answer(watched, (shape,), {"H": side + 1, "W": side + 39})
    assert found.outputs is not None, found.refusal
    assert len(seen) > 10
    results = [*report.outputs.values(), *map(ours.__getitem__, seen)]
    for theirs, mine, path in zip(found.outputs, results, [*report.outputs, *seen], strict=True):
        assert len(theirs) == len(mine), path
        assert all(decide(one, "==", other) for one, other in zip(theirs, mine, strict=True)), (
            path,
            theirs,
            mine,
        )


# ---- what cannot be


class Reads(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Picks(nn.Module):
    """Its sizes go where only ordinary numbers do, and then how much is left depends on what is in the picture."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_empty(x.shape).fill_(x.shape[2])[x > 0].nonzero()


_BY_VALUES = "what follows depends on the values of the input"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((Reads(), (3, 4, 4)), f"{_BY_VALUES} (bool reads them)"),
        ((nn.Linear(3, 4), (5,)), "linear declares in_features: 3, but the input 1x5 has 5 features"),
        ((FlatFeatures(), None), "a torch module needs the shape of its input"),
        ((FlatFeatures(), "3x8x8"), "'3x8x8' is not a shape"),
        ((FlatFeatures(), {"y": (3, 8, 8)}), "the forward has no argument 'y'"),
        ((nn.Identity, (3, 4, 4)), "'type' is not a torch module"),
        ((Picks(), (3, 4, 4)), f"{_BY_VALUES} (getitem reads them)"),
    ],
)
def test_what_cannot_be_traced_is_told(given: tuple[Any, Any], told: str) -> None:
    with pytest.raises(SpecError) as error:
        from_torch(given[0], input=given[1])
    assert error.value.message.startswith(told)


# ---- the command line


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


HERE = "tests.support.traced_modules"


def test_a_module_is_shown_by_where_it_is() -> None:
    status, printed = run(
        "show", f"{HERE}:Nested", "--input", "3x12x12", "--set", "depth=3", "--format", "json"
    )
    assert status == 0
    assert json.loads(printed)["params"] == parameters(Nested(depth=3))


def test_a_module_is_checked_and_its_sizes_are_told() -> None:
    assert run("check", f"{HERE}:Strict", "--input", "3x16x10")[0] == 0
    status, printed = run("sizes", f"{HERE}:Strict", "--input", "3x16x10")
    assert status == 0
    assert "H ≡ 0 (mod 8)" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no.such.module:Net"], "no Python module is called 'no'"),
        ([f"{HERE}:Nestd", "--input", "3x8x8"], f"{HERE} has no 'Nestd' (did you mean 'Nested'?)"),
        ([f"{HERE}:MODULES", "--input", "3x8x8"], "neither a torch module nor what builds one"),
        (["collections:OrderedDict", "--input", "3x8x8"], "makes a OrderedDict, not a torch module"),
        ([f"{HERE}:Nested"], "needs --input with the sizes of its input"),
        (
            [f"{HERE}:Nested", "--input", "3x8x8", "--set", "dpth=2"],
            "takes no 'dpth' (did you mean 'depth'?)",
        ),
    ],
)
def test_what_is_wrong_with_a_module_is_told(arguments: list[str], told: str) -> None:
    status, printed = run("show", *arguments)
    assert status == 2
    assert told in printed
