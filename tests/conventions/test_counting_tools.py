"""Costs under every convention beside what the real tools say: kind by kind, and on whole networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import settings
from torch import Tensor, nn
from torch.nn import functional

import shapecalc
from shapecalc.bridges.torch.twins.twin import ModuleTwin, build_layer, twin_of
from shapecalc.conventions.by_tool import convention
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.registry import get, kinds
from tests.support.counting_tools import TOOLS, said
from tests.support.strategies import Case
from tests.torch.test_proofs import legal
from tools.conventions import data, figure, reported

pytestmark = pytest.mark.filterwarnings(
    "ignore:enable_nested_tensor", "ignore:Initializing zero-element tensors"
)

CONFIGURATIONS = max(1, settings().max_examples // 60)

CONVOLUTIONS = (Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION)


@cache
def configurations(kind: str) -> list[tuple[Kind, Case]]:
    return [*legal(kind, CONFIGURATIONS)]


def mistake(tool: str, layer: Kind, inputs: Shapes) -> str | None:
    """Return the title of the listed mistake that a tool makes here, or None."""
    for title, tools, applies in _MISTAKES:
        if tool in tools and applies(layer, inputs):
            return title
    return None


def _no_batch(layer: Kind, inputs: Shapes) -> bool:
    x = inputs[0]
    if layer.family in CONVOLUTIONS:
        return len(x) == getattr(layer, "rank", 0) + 1
    if layer.family is Family.RECURRENT_CELL:
        return len(x) == 1
    return layer.family in (Family.RECURRENT, Family.ATTENTION, Family.TRANSFORMER) and len(x) == 2


def _has_batch(layer: Kind, inputs: Shapes) -> bool:
    return not _no_batch(layer, inputs)


def _transposed(layer: Kind, inputs: Shapes) -> bool:
    return layer.family is Family.TRANSPOSED_CONVOLUTION


def _padded_by_word(layer: Kind, inputs: Shapes) -> bool:
    return layer.family in CONVOLUTIONS and getattr(layer, "padding", 0) in ("same", "valid")


def _is(*families: Family | str) -> Any:
    return lambda layer, inputs: layer.family in families or layer.kind in families


def _other_features(layer: Kind, inputs: Shapes) -> bool:
    if layer.kind != "multihead_attention":
        return False
    fields = ("kdim", "vdim", "add_bias_kv", "add_zero_attn")
    return any(getattr(layer, name) not in (None, False) for name in fields)


def _projects(layer: Kind, inputs: Shapes) -> bool:
    return layer.kind == "lstm" and getattr(layer, "proj_size", 0) != 0


def _many_images(layer: Kind, inputs: Shapes) -> bool:
    return layer.kind == "upsample" and inputs[0][0] != 1


SEES_NO_FUNCTIONS = ("thop", "torchinfo")
EVERY = (*TOOLS,)
_MISTAKES: list[tuple[str, tuple[str, ...], Any]] = [
    ("An input without a batch", ("ptflops", "thop", "torchinfo", "calflops", "calflops FLOPs"), _no_batch),
    ("A transposed convolution by its results", ("thop", "torchinfo", "calflops FLOPs"), _transposed),
    ("A transposed convolution with groups", ("calflops",), _transposed),
    ("Padding `same`", ("fvcore", "calflops", "calflops FLOPs"), _padded_by_word),
    ("Attention to other features", ("ptflops",), _other_features),
    (
        "Attention",
        ("flop_counter", "fvcore", "calflops", "calflops FLOPs"),
        _is(Family.ATTENTION),
    ),
    (
        "A transformer",
        ("flop_counter", "fvcore", "calflops", "calflops FLOPs", *SEES_NO_FUNCTIONS),
        _is(Family.TRANSFORMER),
    ),
    ("A recurrent layer", ("flop_counter",), _is("lstm")),
    ("A recurrent layer", ("calflops",), _is(Family.RECURRENT, Family.RECURRENT_CELL)),
    ("A projected state", ("ptflops", "thop", "calflops FLOPs"), _projects),
    ("A recurrent cell", ("torchinfo",), _is(Family.RECURRENT_CELL)),
    ("A bilinear layer", ("flop_counter",), _is(Family.BILINEAR)),
    ("A weight that is computed", EVERY, _is(Family.WRAPPER)),
    ("A product by an equation", ("fvcore", "calflops", "calflops FLOPs"), _is(Family.EINSUM)),
    ("Upsampling a batch", ("ptflops",), _many_images),
    ("Adaptive softmax", EVERY, _is("adaptive_log_softmax_with_loss")),
]
"""The listed mistakes: who makes each, and where."""

STOPS = {
    ("calflops", "upsampling_bilinear2d"),
    ("calflops", "upsampling_nearest2d"),
    ("calflops", "upsample"),
    ("fvcore", "layer_norm"),
    ("fvcore", "group_norm"),
    ("fvcore", "max_unpool1d"),
    ("fvcore", "max_unpool2d"),
    ("fvcore", "max_unpool3d"),
}
"""Kinds for some configurations of which a tool stops with an error, as the page tells."""


def ours(tool: str, layer: Kind, inputs: Shapes) -> int | None:
    """Return our figure, None where the convention has no rule."""
    rule = convention(tool.split(maxsplit=1)[0])
    counts = rule.counts(LayerCall(layer, inputs, layer.apply(inputs)))
    if counts is None:
        return None
    found = counts["FLOPs"] if tool == "calflops FLOPs" else rule.total(counts)
    assert isinstance(found, int)
    return found


def as_numbers(inputs: Shapes) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(str(size)) for size in shape) for shape in inputs)


def measured(tool: str, layer: Kind, inputs: Shapes) -> int:
    """Return what the tool says of the layer's counterpart."""
    shapes = as_numbers(inputs)
    module = build_layer(layer, shapes)
    given = twin_of(layer).tensors(shapes, "cpu")
    return said(tool, nn.Sequential(module) if len(given) == 1 else module, *given)


def is_module(kind: str) -> bool:
    """Whether a kind is one of torch's own modules, or a chain of them."""
    twin = twin_of(get(kind))
    of_torch = twin.own is None or str(twin.kind.torch).startswith("torch.nn.")
    return isinstance(twin, ModuleTwin) and of_torch and not twin.absent()


def is_ours(layer: Kind, inputs: Shapes) -> bool:
    """Whether a configuration is built with a class of ours, which no tool knows: attention to itself."""
    twin = twin_of(layer)
    return twin.own is not None and isinstance(build_layer(layer, as_numbers(inputs)), twin.own)


@pytest.mark.sample(150)
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("kind", [*filter(is_module, kinds())])
def test_every_kind_that_is_a_module_of_torch(kind: str, tool: str) -> None:
    for layer, one in configurations(kind):
        if mistake(tool, layer, one.inputs) is not None or is_ours(layer, one.inputs):
            continue
        try:
            number = measured(tool, layer, one.inputs)
        except (AssertionError, TypeError):
            assert (tool.split(maxsplit=1)[0], kind) in STOPS
            continue
        assert number == (ours(tool, layer, one.inputs) or 0), one


# ---- the listed mistakes

MISTAKES = [pytest.param(one, id=one["title"]) for one in data()["wrong"]]


def layer_of(one: dict[str, Any]) -> tuple[Kind, Shapes]:
    ((kind, fields),) = one["layer"].items()
    batch = (1,) if one.get("batched", True) else ()
    shapes = tuple((*batch, *shape) for shape in (one["input"], *one.get("and", [])))
    return get(kind)(**fields), shapes


@pytest.mark.parametrize("one", MISTAKES)
def test_what_we_say_where_a_tool_is_wrong(one: dict[str, Any]) -> None:
    layer, shapes = layer_of(one)
    assert {tool: ours(tool, layer, shapes) for tool in one["ours"]} == one["ours"]
    assert any(one["ours"][tool] != number for tool, number in one["tool"].items())


@pytest.mark.parametrize("one", MISTAKES)
def test_the_mistakes_are_still_made(one: dict[str, Any]) -> None:
    layer, shapes = layer_of(one)
    assert {tool: measured(tool, layer, shapes) for tool in one["tool"]} == one["tool"]
    wrong = {tool for tool, number in one["tool"].items() if one["ours"][tool] != number}
    assert all(mistake(tool, layer, shapes) or one["ours"][tool] is None for tool in wrong)


def test_every_mistake_that_is_allowed_is_listed() -> None:
    assert {title for title, _, _ in _MISTAKES} == {one["title"] for one in data()["wrong"]}


def test_a_module_in_two_places_is_counted_for_each() -> None:
    def twice() -> nn.Module:  # anew for each tool: thop leaves a hook behind
        shared = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        return nn.Sequential(nn.Sequential(shared), nn.ReLU(), nn.Sequential(shared))

    x = torch.rand(1, 4, 6, 6)
    assert shapecalc.from_torch(twice(), input=(4, 6, 6)).analyze().cost("thop").total == 10_368
    assert (said("thop", twice(), x), said("calflops", twice(), x)) == (4 * 10_368, 2 * 10_368)


def test_fused_attention_hides_its_products() -> None:
    """The evidence of one of the listed mistakes, and that its products are counted when they can be seen."""

    class Attention(nn.Module):
        def __init__(self, *, need_weights: bool) -> None:
            super().__init__()
            self.inner = nn.MultiheadAttention(64, 4, batch_first=True)
            self.need_weights = need_weights

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.inner(x, x, x, need_weights=self.need_weights)[0]
            return found

    x = torch.rand(1, 10, 64)
    numbers = [said("flop_counter", Attention(need_weights=need), x) for need in (False, True)]
    (known,) = [one for one in data()["wrong"] if one["title"] == "Attention"]
    assert numbers == [known["tool"]["flop_counter"], known["ours"]["flop_counter"]]


# ---- whole networks

LIVE = (
    *("alexnet", "resnet50", "resnet18", "mobilenet_v2", "squeezenet1_1", "densenet121"),
    *("mnasnet1_0", "shufflenet_v2_x1_0", "resnext50_32x4d", "mobilenet_v3_small", "efficientnet_b0"),
    *("googlenet_torchvision", "regnet_y_400mf", "mobilenet_v3_large"),
)
SIDE = 64
"""As small as AlexNet allows: forwards cost little, and every layer is there."""


def built(name: str) -> nn.Module:
    """Return torchvision's module for a bundled network."""
    plain = {"aux_logits": False, "init_weights": False}
    options = plain if name.startswith(("googlenet", "inception")) else {}
    found: nn.Module = torchvision.models.get_model(
        name.removesuffix("_torchvision"), weights=None, **options
    )
    return found.eval()


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", LIVE)
def test_networks_beside_the_tools(name: str) -> None:
    """Bundled and imported, a network costs what each tool says of it, run now.

    A tool may miss functions where a bundled spec has a layer; an import knows that they are functions.
    """
    known, module = data()["networks"][name], built(name)
    written = shapecalc.load(name).analyze(input=(3, SIDE, SIDE), **known.get("settings", {}))
    imported = shapecalc.from_torch(module, input=(3, SIDE, SIDE)).analyze()
    for tool in TOOLS:
        number = said(tool, module, torch.zeros(1, 3, SIDE, SIDE))
        assert figure(imported.cost(tool.split()[0]), tool) == number, tool
        if tool not in known.get("higher", {}):
            assert figure(written.cost(tool.split()[0]), tool) == number, tool


# ---- functions, and modules of one's own


class Calls(nn.Module):
    """A module that calls a function, looked up when it is called: tools replace functions by name."""

    def __init__(self, call: Callable[..., Tensor]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x)


class Holds(Calls):
    """A module of one's own with the weights of a function, under the names that torch's modules have."""

    names = ("weight", "bias")

    def __init__(self, call: Callable[..., Tensor], weight: tuple[int, ...]) -> None:
        super().__init__(call)
        for name, shape in zip(self.names, (weight, weight[:1]), strict=True):
            self.register_parameter(name, nn.Parameter(torch.rand(shape)))

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x, *(getattr(self, name) for name in self.names))


class HoldsOthers(Holds):
    """The same under other names."""

    names = ("u", "v")


class Norm(nn.LayerNorm):
    """A subclass of a module of torch."""


def of_functional(name: str) -> tuple[Callable[[], nn.Module], tuple[int, ...]]:
    return lambda: Calls(lambda x: getattr(functional, name)(x)), IMAGE  # noqa: PLW0108 (looked up late)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.linear(x, weight, bias)


def conv2d(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.conv2d(x, weight, bias)


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return functional.layer_norm(x, (4,), weight, bias)


IMAGE, ROWS = (2, 4, 8, 8), (2, 3, 4)
CALLS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    **{f"F.{name}": of_functional(name) for name in ("relu", "relu6", "gelu", "silu", "elu", "leaky_relu")},
    **{f"F.{name}": of_functional(name) for name in ("hardswish", "hardtanh", "tanh", "softplus")},
    "torch.relu": (lambda: Calls(torch.relu), IMAGE),
    "x.relu": (lambda: Calls(lambda x: x.relu()), IMAGE),
    "x.sigmoid": (lambda: Calls(lambda x: x.sigmoid()), IMAGE),
    "F.max_pool2d": (lambda: Calls(lambda x: functional.max_pool2d(x, 2)), IMAGE),
    "torch.max_pool2d": (lambda: Calls(lambda x: torch.max_pool2d(x, 2)), IMAGE),
    "F.avg_pool2d": (lambda: Calls(lambda x: functional.avg_pool2d(x, 2)), IMAGE),
    "F.lp_pool2d": (lambda: Calls(lambda x: functional.lp_pool2d(x, 2, 2)), IMAGE),
    "F.adaptive_avg_pool2d": (lambda: Calls(lambda x: functional.adaptive_avg_pool2d(x, 1)), IMAGE),
    "F.adaptive_max_pool2d": (lambda: Calls(lambda x: functional.adaptive_max_pool2d(x, 2)), IMAGE),
    "x.mean": (lambda: Calls(lambda x: x.mean([2, 3])), IMAGE),
    "F.softmax": (lambda: Calls(lambda x: functional.softmax(x, 1)), ROWS),
    "torch.softmax": (lambda: Calls(lambda x: torch.softmax(x, 1)), ROWS),
    "x.softmax": (lambda: Calls(lambda x: x.softmax(1)), ROWS),
    "F.log_softmax": (lambda: Calls(lambda x: functional.log_softmax(x, 1)), ROWS),
    "F.interpolate": (lambda: Calls(lambda x: functional.interpolate(x, scale_factor=2)), (1, 4, 8, 8)),
    "F.layer_norm": (lambda: Calls(lambda x: functional.layer_norm(x, (4,))), ROWS),
    "torch.layer_norm": (lambda: Calls(lambda x: torch.layer_norm(x, (4,))), ROWS),
    "F.group_norm": (lambda: Calls(lambda x: functional.group_norm(x, 2)), IMAGE),
    "F.local_response_norm": (lambda: Calls(lambda x: functional.local_response_norm(x, 2)), IMAGE),
    "F.dropout": (lambda: Calls(lambda x: functional.dropout(x, training=False)), ROWS),
    "F.linear": (lambda: Holds(linear, (5, 4)), ROWS),
    "F.linear, other names": (lambda: HoldsOthers(linear, (5, 4)), ROWS),
    "F.conv2d": (lambda: Holds(conv2d, (5, 4, 3, 3)), IMAGE),
    "F.layer_norm, its weights": (lambda: Holds(layer_norm, (4,)), ROWS),
    "a subclass": (lambda: Norm(4), ROWS),
}


@pytest.mark.sample(60)
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_not_a_module_of_torch_costs_what_the_tools_say(call: str, tool: str) -> None:
    build, shape = CALLS[call]
    cost = (
        shapecalc.from_torch(build(), input=shape[1:]).analyze(batch=shape[0]).cost(tool.split(maxsplit=1)[0])
    )
    if cost.complete:
        assert figure(cost, tool) == said(tool, build(), torch.rand(shape))
    else:  # of a convolution torchinfo goes by the name of the class, and of weights by their names
        assert tool == "torchinfo"
        assert call in ("F.linear, other names", "F.conv2d")


def test_a_saved_import_remembers_what_was_called() -> None:
    model = shapecalc.from_torch(
        Calls(lambda x: functional.adaptive_avg_pool2d(x.relu(), 1)), input=(4, 8, 8)
    )
    again = shapecalc.loads(model.to_yaml())
    assert [step.called for step in again.layers] == ["method", "function"]
    assert again == model
    assert again.analyze().cost("thop").total == 0
    as_modules = shapecalc.loads("input: [4, 8, 8]\nlayers: [relu, adaptive_avg_pool2d: {output_size: 1}]")
    assert as_modules.analyze().cost("thop").total == 4 * 64 + 4


EXCEPTIONS = [
    (name, tool)
    for name, known in data()["networks"].items()
    for tool in known.get("higher", {})
    if name in ("mobilenet_v2", "densenet121", "convnext_tiny")
    or (name, tool) == ("vit_b_32", "flop_counter")
]


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "tool"), EXCEPTIONS)
def test_networks_of_which_a_tool_misses_something(name: str, tool: str) -> None:
    """What was measured is said again, so the difference is the tool's."""
    assert reported(name, tool) == said(tool, built(name), torch.zeros(1, 3, 224, 224))
