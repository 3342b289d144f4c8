"""The solved conditions and the factored formulas, against trying every number."""

from __future__ import annotations

from functools import reduce
from operator import mul

from hypothesis import given
from hypothesis import strategies as st

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.expr_text import text
from shapecalc.algebra.factor import separated
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.relation import Relation, combined
from shapecalc.algebra.solution import solve

H, W = symbol("H"), symbol("W")
small = st.integers(-9, 9)


@st.composite
def chains(draw: st.DrawFn, unknown: Expr = H) -> Dim:
    """A quasi-linear function of one unknown."""
    value: Dim = unknown
    for _ in range(draw(st.integers(1, 3))):
        value = (draw(st.integers(1, 3)) * value + draw(small)) // draw(st.integers(1, 4)) + draw(small)
    return value


@given(chains(), chains(), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
def test_solutions_are_exactly_the_numbers_that_hold(left: Dim, right: Dim, relation: str) -> None:
    found = solve(left, relation, right)
    difference = left - right
    if found is None:
        return
    assert isinstance(difference, Expr)
    name, solution = found
    assert name == "H"
    for n in range(1, 300):
        value = difference.subs("H", n)
        assert isinstance(value, int)
        holds = {
            "==": value == 0,
            "!=": value != 0,
            "<": value < 0,
            "<=": value <= 0,
            ">": value > 0,
            ">=": value >= 0,
        }[relation]
        assert (n in solution) == holds, (n, solution)


@given(chains(), small, chains(), chains())
def test_joint_solutions_hold_for_both(first: Dim, a: int, second: Dim, third: Dim) -> None:
    relations = [Relation(first, ">=", a), Relation(2 * (second // 2), "==", second), Relation(third, "<", 9)]
    solved, left_over = combined(relations)
    for n in range(1, 200):
        holds = all(each.holds_at({"H": n}) for at, each in enumerate(relations) if at not in left_over)
        assert ("H" not in solved or n in solved["H"]) == holds


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


@given(st.integers(-6, 6), chains(H), chains(W))
def test_factors_multiply_to_the_value(number: int, of_h: Dim, of_w: Dim) -> None:
    value = number * of_h * of_w
    if isinstance(value, Expr):
        assert reduce(mul, separated(value), 1) == value
        expanded = value + H * W
        if isinstance(expanded, Expr):
            assert reduce(mul, separated(expanded), 1) == expanded


def test_products_are_written_as_products() -> None:
    assert text(150 * (H - 4) * (W - 4)) == "150·(H - 4)·(W - 4)"
    assert text(16 * (H // 4 - 3) * (W // 4 - 3)) == "16·(⌊H/4⌋ - 3)·(⌊W/4⌋ - 3)"
    assert text(-(H - 4) * (W + 1)) == "-(H - 4)·(W + 1)"
    assert text(H * W + 1) == "H·W + 1"
