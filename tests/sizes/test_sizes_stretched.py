"""Sizes at which a sum stretches a map of one pixel: small networks, every size, analysed one by one."""

from __future__ import annotations

from itertools import product

import pytest

import shapecalc
from shapecalc import Model
from shapecalc.layers.base import Merge
from tests.support.analyses import analyzed

LAST = 24

LINES = {
    "a window meets its input": "conv1d: {out_channels: 1, kernel_size: 2}}, {add: [[], input]}",
    "halves meet": "max_pool1d: {kernel_size: 2}}, {add: [[], [{max_pool1d: {kernel_size: 2, ceil_mode: true}}]]}",
    "thirds meet": "max_pool1d: {kernel_size: 3}}, {add: [[{max_pool1d: {kernel_size: 2}}], []]}",
    "up again": "max_pool1d: {kernel_size: 4}}, {upsample: {scale_factor: 4}}, {multiply: [[], input]}",
    "nothing stretches": "conv1d: {out_channels: 1, kernel_size: 3}}",
    "every third": "max_pool1d: {kernel_size: 3}}, {upsample: {scale_factor: 3}}, {add: [[], input]}",
}


def line(name: str) -> Model:
    return shapecalc.loads(f"name: x\nframework: torch\ninput: [1, 12]\nlayers: [{{{LINES[name]}]")


def outcome(model: Model, shape: tuple[int, ...]) -> bool | None:
    """Return whether a sum stretches a size of 1 in an analysis at a size; None where it is refused."""
    report = analyzed(model, shape)
    if report is None:
        return None
    shapes = [node.inputs for node in report if isinstance(node.layer, Merge)]
    return any(a != b for inputs in shapes for x in inputs for a, b in zip(x, inputs[0], strict=True))


@pytest.mark.parametrize("name", LINES)
def test_every_size_is_told_apart(name: str) -> None:
    model = line(name)
    sizes = model.sizes(rebuild=True)
    for n in range(1, LAST):
        expected = outcome(model, (1, n))
        assert (n in sizes) == (expected is not None), n
        assert ((n,) in sizes.stretched) == (expected is True), n
        assert ((n,) in sizes.usual) == (expected is False), n


@pytest.mark.parametrize("pair", [*product(LINES, repeat=2)], ids=" and ".join)
def test_two_networks_share_the_sizes_that_both_take(pair: tuple[str, str]) -> None:
    """A size that one of them takes only by stretching is one that both together take only so."""
    left, right = (line(name).sizes(rebuild=True) for name in pair)
    both = left & right
    for n in range(1, LAST):
        legal = n in left and n in right
        assert (n in both) == legal, n
        assert ((n,) in both.usual) == ((n,) in left.usual and (n,) in right.usual), n
        assert ((n,) in both.stretched) == (legal and ((n,) in left.stretched or (n,) in right.stretched)), n
        assert ((n,) in both.reading) == ((n,) in left.reading and (n,) in right.reading), n


PLANES = [
    "conv2d: {out_channels: 1, kernel_size: 2}}, {add: [[], input]}",
    "max_pool2d: {kernel_size: [3, 2]}}, {add: [[{max_pool2d: {kernel_size: 2}}], []]}",
    "max_pool2d: {kernel_size: 4}}, {upsample: {scale_factor: 4}}, {add: [[], input]}",
    "max_pool2d: {kernel_size: [1, 5]}}, {upsample: {scale_factor: [1, 5]}}, {add: [[], input]}",
]


@pytest.mark.parametrize("layers", PLANES)
def test_every_pair_of_sizes_is_told_apart(layers: str) -> None:
    model = shapecalc.loads(f"framework: torch\ninput: [1, 12, 12]\nlayers: [{{{layers}]")
    sizes = model.sizes(rebuild=True)
    for point in product([*range(1, 10), 12, 16], repeat=2):
        expected = outcome(model, (1, *point))
        assert (point in sizes) == (expected is not None), point
        assert (point in sizes.stretched) == (expected is True), point
