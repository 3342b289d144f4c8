"""Legal input sizes: real torch accepts exactly those, at boundaries and in every residue class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import product
from math import lcm

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from torch import Tensor

import shapecalc
from shapecalc import Expr, Model, ShapeError, Side, SpecError, Step, Undecided
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.sizes.answer import Sizes
from tests.networks import networks
from tests.test_torch_parity import quiet
from tests.torch_network import Scope, TorchRefuses, TorchRun, Tree
from tests.torchvision_networks import IN_TORCHVISION, told

THOROUGH = os.environ.get("SHAPECALC_PROFILE") == "thorough"
LONGEST_PERIOD = 64
"""Longer periods are sampled at their ends."""


class MainTree(Tree):
    """A run of what the main output needs: side outputs stay away, as in torch's evaluation mode."""

    def step(self, step: Step, scope: Scope, current: Tensor, key: str, path: str) -> Tensor:
        if isinstance(step.body, Side):
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
        with quiet():
            return MainTree(self.model, {}).whole("meta", shapes)

    def accepts(self, point: tuple[int, ...]) -> bool:
        try:
            run = self.run(point)
        except TorchRefuses:
            return False
        return weights(run) == self.built


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
    truth = Truth(model, sizes)
    for point in dict.fromkeys(many(sizes)):
        if max(point) <= 4_000:
            assert truth.accepts(point) == (point in sizes), (name, point)
    return sizes


IN_TORCH = [
    name
    for name in shapecalc.names()
    if shapecalc.load(name).framework == "torch" and name != "tutorials/torch_inception_v3"
]
"""Every bundled network that torch can build; the one left out cannot be built at any size."""


@pytest.mark.parametrize("name", IN_TORCH)
def test_torch_accepts_exactly_the_legal_sizes(name: str) -> None:
    compare(name)


@pytest.mark.skipif(not THOROUGH, reason="all of 1 to 256 is for the thorough profile")
@pytest.mark.parametrize("name", IN_TORCH)
def test_torch_accepts_exactly_the_legal_sizes_up_to_256(name: str) -> None:
    compare(name, lambda sizes: ((n,) * len(sizes.names) for n in range(1, 257)))


def test_a_network_that_torch_cannot_build_has_no_legal_size() -> None:
    sizes = shapecalc.load("tutorials/torch_inception_v3").sizes()
    assert not sizes
    assert next(one.path for one in sizes.failures).startswith("inceptionA_1")
    assert "No size is accepted" in str(sizes)


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_the_smallest_size_is_torchvisions(name: str) -> None:
    smaller_is_fine = name.startswith("efficientnet_v2")
    sizes = shapecalc.load(name).sizes()
    for said in told(name):
        if said.min_size is not None and not smaller_is_fine:
            height, width = said.min_size
            assert (height, width) in sizes
            for smaller in [(height - 1, width), (height, width - 1)]:
                assert min(smaller) == 0 or smaller not in sizes


# ---- random networks


@settings(deadline=None)
@given(networks(), st.data())
def test_torch_agrees_on_random_networks(model: Model, data: st.DataObject) -> None:
    try:
        model.analyze()
        sizes = model.sizes()
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
    truth = Truth(model, sizes)
    everywhere = [point for point in points(sizes) if max(point) <= 200]
    some = data.draw(st.lists(st.sampled_from(everywhere), min_size=1, max_size=12, unique=True))
    anywhere = st.tuples(*[st.integers(1, 40)] * len(sizes.names))
    some += data.draw(st.lists(anywhere, max_size=6))
    for point in some:
        assert truth.accepts(point) == (point in sizes), point
