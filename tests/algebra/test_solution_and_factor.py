"""The solved conditions and the factored formulas, against trying every number in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import gcd
from operator import mul
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from shapecalc.algebra import Dim, Expr, maximum, symbol
from shapecalc.algebra.expr_text import text
from shapecalc.algebra.factor import separated
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.relation import Relation, combined
from shapecalc.algebra.roots import COMPARE
from shapecalc.algebra.solution import solve
from tests.support.draws import MANY

H, W = symbol("H"), symbol("W")
small = st.integers(-9, 9)
relations = st.sampled_from(sorted(COMPARE))
Function: TypeAlias = tuple[Dim, Callable[[int], int]]
"""A function of one unknown: as an expression, and as Python computes it."""


@st.composite
def chains(draw: st.DrawFn, unknown: Expr = H) -> Function:
    """A quasi-linear function of one unknown."""
    steps = draw(
        st.lists(st.tuples(st.integers(1, 3), small, st.integers(1, 4), small), min_size=1, max_size=3)
    )
    value: Dim = unknown
    for times, before, by, after in steps:
        value = (times * value + before) // by + after

    def compute(n: int) -> int:
        for times, before, by, after in steps:
            n = (times * n + before) // by + after
        return n

    return value, compute


@st.composite
def functions(draw: st.DrawFn) -> Function:
    """A quasi-linear function, or a product or the larger of two."""
    (one, of_one), (other, of_other) = draw(chains()), draw(chains())
    match draw(st.sampled_from(["one", "product", "maximum"])):
        case "one":
            return one, of_one
        case "product":
            return one * other, lambda n: of_one(n) * of_other(n)
        case _:
            return maximum(one, other), lambda n: max(of_one(n), of_other(n))


@MANY
@given(functions(), functions(), relations)
def test_solutions_are_exactly_the_numbers_that_hold(left: Function, right: Function, relation: str) -> None:
    solved = solve(left[0], relation, right[0])
    if solved is None:
        return
    name, solution = solved
    assert name == "H"
    for n in range(1, 300):
        assert (n in solution) == COMPARE[relation](left[1](n), right[1](n)), (n, solution)


@MANY
@given(st.lists(st.tuples(chains(), relations, small), min_size=2, max_size=3))
def test_joint_solutions_hold_for_all(conditions: list[tuple[Function, str, int]]) -> None:
    solved, left_over = combined([Relation(left, op, right) for (left, _), op, right in conditions])
    rest = [condition for position, condition in enumerate(conditions) if position not in left_over]
    for n in range(1, 200):
        holds = all(COMPARE[op](compute(n), right) for (_, compute), op, right in rest)
        assert (n in solved["H"] if rest else "H" not in solved) == (holds if rest else True), n


@MANY
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 8), st.integers(0, 8))
def test_joint_periods_are_those_of_both(one: int, other: int, a: int, b: int) -> None:
    """By the Chinese remainder theorem: a solution if a ≡ b modulo the common divisor, and then just one a period."""
    a, b = a % one, b % other
    together = IntegerSet.every(one, [a]) & IntegerSet.every(other, [b])
    period = one * other // gcd(one, other)
    inside = [n for n in range(1, 3 * period + 1) if n in together]
    assert len(inside) == (3 if (a - b) % gcd(one, other) == 0 else 0)
    assert all(n % one == a and n % other == b for n in inside)


def test_solutions_read_as_people_write_them() -> None:
    def reads(left: Dim, relation: str, right: Dim) -> str:
        found = solve(left, relation, right)
        assert found is not None
        return found[1].text(found[0])

    assert reads(2 * (H // 2), "==", H) == "H ≡ 0 (mod 2)"
    assert reads(H - 62, ">=", 1) == "H ≥ 63"
    assert reads(H // 4, "==", 8) == "H = 32, 33, 34, 35"
    assert reads(H, ">=", 1) == "any H"
    assert reads(-H, ">=", 1) == "no H"
    assert IntegerSet(((3, 3),), 10, 4, frozenset({0})).text("n") == "n ≡ 0 (mod 4), n ≥ 12, or n = 3"


# ---- factors


@MANY
@given(st.integers(-6, 6), chains(H), chains(W), small)
def test_factors_multiply_to_the_value_and_hold_one_unknown_each(
    number: int, of_h: Function, of_w: Function, more: int
) -> None:
    product = number * of_h[0] * of_w[0]
    for value in (product, product + more, product + H * W):
        if isinstance(value, Expr):
            factors = separated(value)
            assert reduce(mul, factors, 1) == value
            assert len(factors) == 1 or all(
                len(factor.free_symbols) == 1 for factor in factors if isinstance(factor, Expr)
            )
    if isinstance(product, Expr) and all(isinstance(factor, Expr) for factor in (of_h[0], of_w[0])):
        assert len(separated(product)) > 1  # a product is seen to be one
    assert isinstance(product, int) or product.subs({"H": 7, "W": 11}) == number * of_h[1](7) * of_w[1](11)


def test_products_are_written_as_products() -> None:
    assert text(150 * (H - 4) * (W - 4)) == "150·(H - 4)·(W - 4)"
    assert text(16 * (H // 4 - 3) * (W // 4 - 3)) == "16·(⌊H/4⌋ - 3)·(⌊W/4⌋ - 3)"
    assert text(-(H - 4) * (W + 1)) == "-(H - 4)·(W + 1)"
    assert text(H * W + 1) == "H·W + 1"
