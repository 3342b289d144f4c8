"""A model built in torch and read back is the model: weights by name, costs, closed forms, legal sizes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import shapecalc
from shapecalc import Model, Report, Step, build, from_torch
from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.region import Region
from shapecalc.bridges.torch.twins import standalone
from shapecalc.layers import (
    RBF,
    ClassToken,
    Conv2d,
    Divisible,
    LayerScale,
    MultiheadAttention,
    PartialConv2d,
    PositionEmbedding,
    StochasticDepth,
    Subsample2d,
)
from shapecalc.layers.base import Kind
from shapecalc.sizes.region_text import written
from tests.support.bundled import FILES
from tests.torch.test_export import TORCH as BUILT

TORCH = [name for name in BUILT if name != "crnn"]
"""A recurrent layer is built with hooks that make its results flat: a trace reads what it runs, not the layer."""

FIRST_OF_A_FILE = [*{FILES[name]: name for name in reversed(TORCH)}.values()][::-1]
"""One variant of each file: which sizes are legal is the same question in the others."""


@cache
def read_back(name: str) -> tuple[Model, Model]:
    """Return a bundled model, and what `from_torch` makes of it when it was built on the meta device."""
    model = shapecalc.load(name)
    return model, from_torch(build(model, device="meta"), input=shapes_of(model.analyze()))


def shapes_of(report: Report) -> Any:
    """Return the inputs as `from_torch` takes them."""
    shapes = {name: tuple(shape[1:]) for name, shape in report.inputs.items()}
    return shapes if len(shapes) > 1 else next(iter(shapes.values()))


def named(report: Report) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the weights and buffers by their names in torch, in order."""
    return [
        (node.path if node.kind == "parameter" else f"{node.path}.{name}", shape)
        for node in report.nodes
        if node.shares is None
        for name, shape in (node.weights | node.buffers).items()
    ]


def numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from numbers(item)
    else:
        yield value


def is_settled_by_its_input(report: Report) -> bool:
    """Whether a layer's own settings depend on a size that is left free, so that a module fixes them."""
    return any(
        isinstance(one, Expr)
        for node in report.nodes
        for value in node.layer.fields_set().values()
        for one in numbers(value)
    )


def assert_equivalent(model: Model, back: Model) -> None:
    """Assert that two models are one network, whatever they call the steps between their layers."""
    ours, theirs = model.analyze(), back.analyze()
    assert named(theirs) == named(ours)
    assert theirs.macs == ours.macs
    assert theirs.outputs == ours.outputs
    assert theirs.complete == ours.complete
    there = {node.path: node.output for node in theirs.nodes if node.weights}
    here = {node.path: node.output for node in ours.nodes if node.weights}
    common = there.keys() & here.keys()
    assert len(common) >= len(here) / 2
    assert {path: there[path] for path in common} == {path: here[path] for path in common}
    sides = called(model, back)
    free = model.analyze(symbolic=[*sides.values()])
    if not is_settled_by_its_input(free):
        back_free = back.analyze(symbolic=[*sides])
        names = {name: symbol(other) for name, other in sides.items()}
        assert put(back_free.macs, names) == free.macs
        outputs = {name: tuple(put(dim, names) for dim in shape) for name, shape in back_free.outputs.items()}
        assert outputs == free.outputs


def put(dim: Dim, names: dict[str, Expr]) -> Dim:
    return dim if isinstance(dim, int) else dim.subs(names)


def called(model: Model, back: Model) -> dict[str, str]:
    """Return what the model calls the sides that are free in what was read back."""
    return {
        str(other): str(size)
        for mine, theirs in zip(model.input.values(), back.input.values(), strict=True)
        for size, other in zip(mine, theirs, strict=True)
        if str(other) in back.free_names()
    }


def pinned(model: Model, back: Model) -> set[str]:
    """Return the sizes of the model that a trace fixes where they are an input's last axis."""
    return {
        str(size)
        for mine, theirs in zip(model.input.values(), back.input.values(), strict=True)
        for size, other in zip(mine, theirs, strict=True)
        if isinstance(other, int)
    }


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", TORCH)
def test_every_bundled_spec_comes_back_from_torch(name: str) -> None:
    assert_equivalent(*read_back(name))


@pytest.mark.sample(8)
@pytest.mark.parametrize("name", FIRST_OF_A_FILE)
def test_the_legal_sizes_come_back(name: str) -> None:
    model, back = read_back(name)
    sides = called(model, back)
    if is_settled_by_its_input(model.analyze(symbolic=[*sides.values()])) or pinned(model, back) & {
        *sides.values()
    }:
        return
    ours, theirs = model.sizes(free=sides.values()), back.sizes(free=sides)
    assert written(Region(tuple(sides.values()), theirs.region.boxes)) == written(ours.region)


def test_a_network_that_came_back_changed_is_noticed() -> None:
    model, back = read_back("lenet5")
    steps = [*back.layers]
    kept = back.model_copy(update={"layers": tuple(one for one in steps if one.name != "tanh")})
    assert_equivalent(model, kept)  # an activation has no weights, no cost and no shape of its own
    pooled = back.model_copy(update={"layers": tuple(one for one in steps if one.name != "s2")})
    with pytest.raises((AssertionError, shapecalc.ShapeError)):
        assert_equivalent(model, pooled)


# ---- the classes that torch lacks

OWN: list[tuple[Kind, tuple[int, ...]]] = [
    (ClassToken(), (1, 5, 6)),
    (PositionEmbedding(), (1, 5, 6)),
    (LayerScale(dim=-1), (1, 5, 6)),
    (LayerScale(init=Fraction(1, 2)), (1, 5, 6, 7)),
    (StochasticDepth(p=Fraction(1, 5), mode="batch"), (1, 5)),
    (Divisible(divisor=3), (1, 1, 6, 9)),
    (MultiheadAttention(num_heads=2, batch_first=True), (1, 5, 6)),
    (MultiheadAttention(num_heads=2, batch_first=True, add_bias_kv=True, bias=False), (1, 5, 6)),
    (Subsample2d(kernel_size=2, stride=1), (1, 3, 8, 8)),
    (PartialConv2d(connections=((0, 1), (1, 2, 0)), kernel_size=3, stride=2), (1, 3, 9, 9)),
    (PartialConv2d(connections=((0, 1),), kernel_size=3, padding=1, bias=False), (1, 3, 9, 9)),
    (Conv2d(out_channels=4, kernel_size=3, padding=((0, 1), (2, 0))), (1, 3, 9, 9)),
    (MultiheadAttention(num_heads=2, need_weights=True), (5, 6)),
    (RBF(out_features=3), (1, 6)),
]


@pytest.mark.parametrize(("layer", "shape"), OWN, ids=[layer.kind for layer, _ in OWN])
def test_a_layer_that_torch_lacks_comes_back(layer: Kind, shape: tuple[int, ...]) -> None:
    model = Model(name="one", input=shape[1:], layers=[Step(layer, name="one")])
    back = from_torch(build(model), input=shape[1:])
    ours, theirs = model.analyze(), back.analyze()
    assert named(theirs) == named(ours)
    assert (theirs.macs, theirs.outputs) == (ours.macs, ours.outputs)


@given(
    p=st.sampled_from([0, 0.25, 0.5, 1, 1.5, -0.1]),
    mode=st.sampled_from(["row", "batch", "column"]),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    training=st.booleans(),
    seed=st.integers(0, 99),
)
def test_stochastic_depth_is_torchvisions(
    p: float, mode: str, shape: list[int], training: bool, seed: int
) -> None:
    """Number by number, under the same seed, and with the same refusals."""
    x = torch.rand(shape)
    try:
        torch.manual_seed(seed)
        expected = torchvision.ops.StochasticDepth(p, mode).train(training)(x)
    except ValueError:
        with pytest.raises(ValueError, match="p is a probability"):
            standalone.StochasticDepth(p, mode)
        return
    torch.manual_seed(seed)
    assert torch.equal(standalone.StochasticDepth(p, mode).train(training)(x), expected)


class Masked(nn.MultiheadAttention):
    """What people write: torch's attention called in a way of their own."""

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, seen, seen, need_weights=False, attn_mask=None)[0]


def test_attention_that_is_called_in_a_way_of_its_own_is_one_layer() -> None:
    attention = Masked(8, 2, kdim=6, vdim=6, batch_first=True)
    model = from_torch(attention, input={"x": (5, 8), "seen": (7, 6)})
    report = model.analyze()
    assert report.complete
    assert report.params == sum(one.numel() for one in attention.parameters())
    expected = MultiheadAttention(num_heads=2, kdim=6, vdim=6, batch_first=True)
    assert report.macs == expected.macs(((1, 5, 8), (1, 7, 6), (1, 7, 6)))
