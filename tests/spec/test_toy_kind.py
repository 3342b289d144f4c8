"""A kind in one class and nothing else: what follows from it in every room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest

import shapecalc
from shapecalc import loads
from shapecalc.algebra import product
from shapecalc.layers import registry
from shapecalc.layers.base import Named, NoBuffers, Window
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Divides, InChannels, KernelSize, OutChannels, declared, divided
from shapecalc.layers.spatial import Spatial
from shapecalc.report.comparison import compare
from shapecalc.spec.json_schema import schema
from shapecalc.testing import check_kind
from shapecalc.views.catalogue import catalogue, description


class Strip(NoBuffers, Spatial, kind="strip", rank=1):
    """A convolution over one axis that moves by its kernel: `[N, C, L]` to `[N, out_channels, ⌊L/k⌋]`.

    >>> Strip(8, 4).output((1, 3, 100))
    (1, 8, 25)
    """

    family = Family.CONVOLUTION

    in_channels: InChannels = None
    out_channels: OutChannels
    kernel_size: KernelSize
    heads: Annotated[Count, Divides("h", 1, of=("in_channels", "out_channels"))] = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        yield from declared(self, x)
        yield from divided(self, x)
        yield Requirement(
            "too-small", x[-1], ">=", self.window(x).kernel[0], f"{self.kind}: {x[-1]} is too short"
        )

    def output(self, x: Shape) -> Shape:
        return self.resized(x, (x[-1] // self.window(x).kernel[0],), self.out_channels)

    def weights(self, x: Shape) -> Named:
        return {"weight": (self.out_channels, self.channels(x), *self.spread(self.kernel_size))}

    def operations(self, x: Shape) -> Operations:
        results = product(self.output(x))
        return products(results * self.channels(x) * self.window(x).kernel[0], results, biased=False)

    def window(self, x: Shape) -> Window:
        kernel = self.spread(self.kernel_size)
        return Window(kernel, kernel, (0,), (0,), (1,))


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    shapecalc.register(Strip)
    yield
    registry.unregister("strip")


def report(fields: str = "out_channels: 8, kernel_size: 4") -> shapecalc.Report:
    text = f"{{name: toy, input: [3, 100], layers: [strip: {{{fields}}}, strip: {{out_channels: 4, kernel_size: 5}}]}}"
    return loads(text).analyze()


def test_shape_parameters_and_cost() -> None:
    first = report()["strip"]
    assert (first.output, first.params, first.macs) == ((1, 8, 25), 96, 2400)
    text = "{parameters: {L: 100}, input: [3, L], layers: [strip: {out_channels: 8, kernel_size: 4}]}"
    assert str(loads(text).analyze(symbolic="L").output) == "(1, 8, ⌊L/4⌋)"


def test_conventions_read_the_family_and_the_operations() -> None:
    made = report()
    costs = {name: made.cost(name).total for name in ("mac", "fvcore", "exact")}
    assert costs["mac"] == costs["fvcore"] == 2400 + 800
    assert costs["exact"] > costs["mac"]


def test_the_receptive_field_follows_from_the_window() -> None:
    (field,) = report().nodes[1].fields.values()
    assert field.size == (20,)


def test_the_derivation_has_the_letters_of_the_roles() -> None:
    text = str(report().derive("strip"))
    assert "out_channels C_out = 8" in text
    assert "kernel_size k = 4" in text
    assert "heads" not in text


def test_schema_and_catalogue() -> None:
    properties = schema()["$defs"]["kind.strip"]["properties"]
    assert {"in_channels", "out_channels", "kernel_size", "heads"} <= properties.keys()
    assert "strip " in catalogue()
    assert "By position: out_channels, kernel_size, heads." in description("strip")
    by_position: Any = Strip
    assert by_position(8, 4) == Strip(out_channels=8, kernel_size=4)


def test_diff_ignores_what_is_inferred() -> None:
    assert compare(report(), report("in_channels: 3, out_channels: 8, kernel_size: 4")).is_equal
    assert not compare(report(), report("out_channels: 9, kernel_size: 4")).is_equal


def test_a_picture_colours_it_by_its_family() -> None:
    model = loads("{input: [3, 9], layers: [strip: {out_channels: 8, kernel_size: 4}]}")
    assert ":::convolution" in model.draw().mermaid()


def test_what_it_refuses_and_the_laws() -> None:
    with pytest.raises(shapecalc.ShapeError, match=r"strip declares in_channels: 4, but .* has 3 channels"):
        report("in_channels: 4, out_channels: 8, kernel_size: 4")
    with pytest.raises(shapecalc.ShapeError, match="heads = 2 does not divide in_channels = 3"):
        report("out_channels: 8, kernel_size: 4, heads: 2")
    check_kind(
        Strip,
        ({"out_channels": 8, "kernel_size": 4}, (2, 3, 100)),
        ({"out_channels": 8, "kernel_size": 4, "in_channels": 3}, (2, 3, 100)),
        ({"out_channels": 8, "kernel_size": 4, "heads": 2}, (2, 3, 100)),
    )
