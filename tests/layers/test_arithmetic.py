"""The size formulas against counting: how many places a window really has."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shapecalc.algebra import symbol
from shapecalc.layers.arithmetic import (
    extent,
    same_padding,
    transposed,
    window,
    window_ceil,
    written,
)
from tests.support.draws import MANY

sizes = st.integers(1, 40)
kernels = st.integers(1, 9)
strides = st.integers(1, 6)
dilations = st.integers(1, 4)
paddings = st.integers(0, 6)


def taps(start: int, k: int, d: int) -> list[int]:
    """Return the pixels that a kernel touches when its first tap is at a place."""
    return [start + d * tap for tap in range(k)]


def places(n: int, k: int, s: int, d: int, p0: int, p1: int) -> list[int]:
    """Slide a kernel from the left edge of the padding, counting where all of it fits."""
    padded = range(-p0, n + p1)
    found = []
    start = -p0
    while start < n + p1:
        if all(tap in padded for tap in taps(start, k, d)):
            found.append(start)
        start += s
    return found


def ceil_places(n: int, k: int, s: int, d: int, p0: int, p1: int) -> list[int]:
    """Slide a kernel as torch's ceil_mode does: one more place if pixels were left over.

    The additional one must still begin inside the input or its left padding.
    """
    found = places(n, k, s, d, p0, p1)
    assert found, "only asked where the kernel fits at all"
    following = found[-1] + s
    left_over = taps(found[-1], k, d)[-1] < n + p1 - 1
    return [*found, following] if left_over and following < n else found


def scattered(n: int, k: int, s: int, d: int, p0: int, p1: int, op: int) -> int:
    """Spread every input pixel over the output, trim the padding, and count what remains."""
    touched = {s * pixel + tap for pixel in range(n) for tap in taps(0, k, d)}
    return max(touched) - min(touched) + 1 - p0 - p1 + op


def input_sizes(out: int, k: int, s: int, d: int, p0: int, p1: int) -> list[int]:
    """Return the sizes that a window with these numbers turns into `out`."""
    return [n for n in range(1, 400) if len(places(n, k, s, d, p0, p1)) == out]


@MANY
@given(kernels, dilations)
def test_extent_is_what_the_taps_span(k: int, d: int) -> None:
    assert extent(k, d) == taps(0, k, d)[-1] + 1


@MANY
@given(sizes, kernels, strides, dilations, paddings, paddings)
@example(224, 7, 2, 1, 3, 3)
@example(5, 5, 1, 1, 0, 0)
def test_window_counts_the_places(n: int, k: int, s: int, d: int, p0: int, p1: int) -> None:
    counted, formula = len(places(n, k, s, d, p0, p1)), window(n, k, s, d, p0, p1)
    assert type(formula) is int
    assert formula == counted or (formula < 1 and counted == 0)


@MANY
@given(sizes, kernels, strides, dilations, paddings, paddings)
@example(112, 3, 2, 1, 0, 0)
@example(4, 1, 3, 1, 0, 0)
@example(3, 2, 3, 1, 1, 1)
def test_window_ceil_counts_the_places(n: int, k: int, s: int, d: int, p0: int, p1: int) -> None:
    if places(n, k, s, d, p0, p1) and max(p0, p1) <= k // 2:
        assert window_ceil(n, k, s, d, p0, p1) == len(ceil_places(n, k, s, d, p0, p1))


@MANY
@given(sizes, kernels, strides, dilations, paddings, paddings)
def test_window_ceil_is_at_most_one_more(n: int, k: int, s: int, d: int, p0: int, p1: int) -> None:
    if places(n, k, s, d, p0, p1) and max(p0, p1) <= k // 2:
        floor, ceil = window(n, k, s, d, p0, p1), window_ceil(n, k, s, d, p0, p1)
        assert isinstance(floor, int)
        assert ceil in (floor, floor + 1)


@MANY
@given(sizes, kernels, dilations)
def test_same_padding_keeps_the_size(n: int, k: int, d: int) -> None:
    total = same_padding(k, d)
    assert isinstance(total, int)
    assert len(places(n, k, 1, d, total // 2, total - total // 2)) == n


@MANY
@given(sizes, kernels, strides, dilations, paddings, paddings, st.integers(0, 3))
def test_transposed_counts_what_is_scattered(
    n: int, k: int, s: int, d: int, p0: int, p1: int, op: int
) -> None:
    assert transposed(n, k, s, d, p0, p1, op) == scattered(n, k, s, d, p0, p1, op)


@given(st.integers(1, 12), kernels, strides, dilations, paddings)
def test_transposed_undoes_the_window(out: int, k: int, s: int, d: int, p: int) -> None:
    """Output padding 0 … s-1 reaches exactly the sizes from which the window leads back."""
    found = [transposed(out, k, s, d, p, p, op) for op in range(s)]
    assert [n for n in found if isinstance(n, int) and n >= 1] == input_sizes(out, k, s, d, p, p)


@MANY
@given(kernels, strides, dilations, paddings, paddings, sizes)
def test_the_formulas_hold_for_symbols(k: int, s: int, d: int, p0: int, p1: int, n: int) -> None:
    free = symbol("n")
    for rule in (window, window_ceil):
        found = rule(free, k, s, d, p0, p1)
        assert not isinstance(found, int)
        assert found.subs({"n": n}) == rule(n, k, s, d, p0, p1)
    grown = transposed(free, k, s, d, p0, p1, 0)
    assert not isinstance(grown, int)
    assert grown.subs({"n": n}) == transposed(n, k, s, d, p0, p1, 0)


GOLDEN = [
    (
        written(window, n=224, k=7, s=2, d=1, p0=3, p1=3),
        "⌊(n + p0 + p1 - (d·(k - 1) + 1))/s⌋ + 1 = ⌊(224 + 3 + 3 - (1·(7 - 1) + 1))/2⌋ + 1 = 112",
    ),
    (
        written(window, n=5, k=7, s=1, d=1, p0=0, p1=0),
        "⌊(n + p0 + p1 - (d·(k - 1) + 1))/s⌋ + 1 = ⌊(5 + 0 + 0 - (1·(7 - 1) + 1))/1⌋ + 1 = -1",
    ),
    (
        written(window_ceil, n=112, k=3, s=2, d=1, p0=0, p1=0),
        (
            "⌊(n + min(p0 + p1 - (d·(k - 1) + 1) + s - 1, p0 - 1))/s⌋ + 1 = "
            "⌊(112 + min(0 + 0 - (1·(3 - 1) + 1) + 2 - 1, 0 - 1))/2⌋ + 1 = 56"
        ),
    ),
    (
        written(window, n=symbol("H") + 1, k=3, s=2, d=1, p0=1, p1=1),
        "⌊(n + p0 + p1 - (d·(k - 1) + 1))/s⌋ + 1 = ⌊((H + 1) + 1 + 1 - (1·(3 - 1) + 1))/2⌋ + 1 = ⌊H/2⌋ + 1",
    ),
    (written(extent, k=3, d=2), "d·(k - 1) + 1 = 2·(3 - 1) + 1 = 5"),
    (written(same_padding, k=5, d=2), "d·(k - 1) = 2·(5 - 1) = 8"),
    (
        written(transposed, n=28, k=2, s=2, d=1, p0=0, p1=0, op=1),
        "(n - 1)·s - p0 - p1 + d·(k - 1) + 1 + op = (28 - 1)·2 - 0 - 0 + 1·(2 - 1) + 1 + 1 = 57",
    ),
]


@pytest.mark.parametrize(("found", "golden"), GOLDEN)
def test_the_derivation_is_written_out(found: str, golden: str) -> None:
    assert found == golden
