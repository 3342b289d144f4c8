"""Spec arithmetic that published networks need: parts of lists, and the rounding of widths."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models._utils import _make_divisible

from shapecalc.algebra import Dim, symbol
from shapecalc.algebra.formula import Formula
from shapecalc.errors import FormulaError, Undecided


class Names:
    """A scope that knows these names."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def lookup(self, name: str) -> Any:
        return self.values[name]

    def size(self, tensor: str | None, axis: int) -> Dim:
        raise FormulaError("there is no tensor")


def value(text: str, **names: Any) -> Any:
    return Formula.parse(text).evaluate(Names(**names))


@given(st.lists(st.integers(), max_size=5), st.data())
def test_a_part_of_a_list_is_pythons(items: list[int], data: st.DataObject) -> None:
    end = st.none() | st.integers(-len(items), len(items))
    low, high = data.draw(end), data.draw(end)
    written = f"items[{'' if low is None else low}:{'' if high is None else high}]"
    assert value(written, items=items) == items[low:high]


def test_the_sum_of_what_came_before() -> None:
    assert [value("sum(depths[:i])", depths=[3, 4, 6, 3], i=i) for i in range(5)] == [0, 3, 7, 13, 16]
    assert value("sum(depths[:2])", depths=[symbol("d"), 2, 9]) == symbol("d") + 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items[:4]", r"index 4 does not exist in a list of 3"),
        ("items[-4:]", r"index -4 does not exist in a list of 3"),
        ("items[3]", r"index 3 does not exist in a list of 3"),
        ("items[:true]", r"index true does not exist"),
        ("items[::2]", r"a slice has no step"),
        ("7[:1]", r"'7' is not a list"),
        ("make_divisible(7)", r"make_divisible takes 2 arguments, not 1"),
        ("make_divisible(7, 0)", r"integer divisor of at least 1, not '?0"),
        ("make_divisible(7, 1/2)", r"integer divisor of at least 1"),
        ("make_divisible(items, 8)", r"is not a number"),
    ],
)
def test_what_has_no_value(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        value(text, items=[1, 2, 3])


@given(st.fractions(0, 3000, max_denominator=1000), st.sampled_from([1, 2, 4, 8, 16]))
def test_make_divisible_is_torchvisions(width: Fraction, divisor: int) -> None:
    found = value("make_divisible(width, divisor)", width=width, divisor=divisor)
    assert type(found) is int
    if 10 * (found - divisor) != 9 * width:  # where floats may fall on the other side
        assert found == _make_divisible(float(width), divisor)


PUBLISHED = [
    *(16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 112, 120, 128, 144, 160, 176, 184, 192, 200, 224, 240, 256),
    *(288, 304, 320, 384, 480, 512, 576, 640, 672, 960, 1024, 1280),
]
"""The channels that stand in the tables of MobileNet, MNASNet and EfficientNet."""


@pytest.mark.parametrize("percent", [25, 35, 50, 75, 100, 110, 120, 130, 140, 160, 180, 200])
def test_no_published_width_is_rounded_otherwise_than_with_floats(percent: int) -> None:
    """Exact arithmetic makes 256 of 0.35·720, and floats 248; but no table has 720 channels."""
    for channels in PUBLISHED:
        found = value(
            "make_divisible(multiplier*channels, 8)", multiplier=Fraction(percent, 100), channels=channels
        )
        assert found == _make_divisible(channels * (percent / 100), 8), channels


def test_a_free_width_is_rounded_where_that_can_be_decided() -> None:
    n = symbol("n", 1)
    assert value("make_divisible(80*n, 8)", n=n) == 80 * n
    with pytest.raises(Undecided, match="depends on what was left free"):
        value("make_divisible(n, 8)", n=n)
