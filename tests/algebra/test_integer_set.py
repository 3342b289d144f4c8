"""Sets of whole numbers, polynomials' signs, and regions, each against trying every number."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapecalc.algebra import Dim, Expr, maximum, minimum, symbol
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Region, everything, where
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.roots import COMPARE, difference, holds, signs, value_at
from shapecalc.algebra.solution import function_of, solve
from shapecalc.errors import Undecided
from tests.support.draws import MANY

LAST = 160
H, W = symbol("H"), symbol("W")
relations = st.sampled_from(sorted(COMPARE))


@st.composite
def integer_sets(draw: st.DrawFn) -> IntegerSet:
    bounds = st.tuples(st.integers(1, 40), st.integers(0, 6))
    early = [(first, first + more) for first, more in draw(st.lists(bounds, max_size=3))]
    start = max((last for _, last in early), default=0) + draw(st.integers(1, 30))
    modulus = draw(st.integers(1, 12))
    residues = frozenset(draw(st.sets(st.integers(0, modulus - 1))))
    return IntegerSet(tuple(early), start, modulus, residues)


def members(one: IntegerSet, last: int = LAST) -> set[int]:
    return {n for n in range(last + 1) if n in one}


@MANY
@given(integer_sets())
def test_the_normal_form_is_the_same_set(one: IntegerSet) -> None:
    assert members(one.reduced()) == members(one)


@MANY
@given(integer_sets(), integer_sets())
def test_equal_sets_have_one_normal_form(one: IntegerSet, other: IntegerSet) -> None:
    same = members(one, 400) == members(other, 400)
    assert (one.reduced() == other.reduced()) == same


@MANY
@given(integer_sets(), integer_sets())
def test_sets_are_combined_member_by_member(one: IntegerSet, other: IntegerSet) -> None:
    assert members(one & other) == members(one) & members(other)
    assert members(one | other) == members(one) | members(other)
    assert members(one - other) == members(one) - members(other)
    assert bool(one & other) == bool(members(one, 500) & members(other, 500))


@MANY
@given(integer_sets(), st.integers(0, 120))
def test_neighbours_are_the_nearest(one: IntegerSet, n: int) -> None:
    one = one.reduced()
    there = members(one, 300)
    assert one.first_from(n) == min((m for m in there if m >= n), default=None)
    assert one.last_until(n) == max((m for m in there if m <= n), default=None)


@MANY
@given(integer_sets())
def test_members_come_in_order(one: IntegerSet) -> None:
    some = [*islice(one.reduced(), 40)]
    assert some == sorted(members(one, max(some, default=0)))
    assert one.reduced().is_finite == (len(some) < 40 or not one.residues)


def test_two_long_periods_together_are_not_decided() -> None:
    with pytest.raises(Undecided, match="repeat together"):
        _ = IntegerSet.every(1_009, [1]) & IntegerSet.every(1_013, [1])


def test_sets_read_as_people_write_them() -> None:
    assert EVERY_SIZE.text("n") == "any n"
    assert IntegerSet().text("n") == "no n"
    assert IntegerSet.of([1, 2, 9]).text("n") == "n = 1, 2, 9"
    assert IntegerSet.every(32, [0, 29, 30, 31]).text("H, W") == "H, W ≡ 0, 29, 30, 31 (mod 32)"
    assert IntegerSet.every(64, range(8)).text("n") == "n ≡ 0…7 (mod 64)"
    assert (IntegerSet.every(4, [0], start=12) | IntegerSet.of([3])).text(
        "n"
    ) == "n ≡ 0 (mod 4), n ≥ 12, or n = 3"


# ---- polynomials

polynomials = st.lists(st.integers(-60, 60), min_size=1, max_size=5)


@MANY
@given(polynomials, st.integers(0, 30))
def test_the_difference_is_one(p: list[int], q: int) -> None:
    assert value_at(difference(p), q) == value_at(p, q + 1) - value_at(p, q)


@MANY
@given(polynomials)
def test_signs_change_where_they_are_said_to(p: list[int]) -> None:
    changes = signs(p)
    assert changes[0][0] == 0
    for q in range(130):
        said = [sign for begin, sign in changes if begin <= q][-1]
        assert said == (value_at(p, q) > 0) - (value_at(p, q) < 0)
    last = changes[-1][0]
    assert all(value_at(p, last + step) * changes[-1][1] >= abs(changes[-1][1]) for step in (0, 1, 10**6))


@MANY
@given(polynomials, relations)
def test_a_relation_holds_on_its_stretches(p: list[int], relation: str) -> None:
    stretches = holds(p, relation)
    for q in range(130):
        said = any(begin <= q and (end is None or q <= end) for begin, end in stretches)
        assert said == COMPARE[relation](value_at(p, q), 0)


# ---- relations in one unknown, of any degree and with maxima


@st.composite
def rough(draw: st.DrawFn, unknown: Expr = H, depth: int = 3) -> Dim:
    """An expression of one unknown: sums, products, floors and maxima."""
    if depth == 0:
        return unknown if draw(st.booleans()) else draw(st.integers(-9, 9))
    one, other = draw(rough(unknown, depth - 1)), draw(rough(unknown, depth - 1))
    match draw(st.sampled_from("+-*/<>")):
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return one // draw(st.integers(1, 4))
        case "<":
            return minimum(one, other)
        case _:
            return maximum(one, other)


@MANY
@given(rough(), relations, st.integers(-40, 40))
def test_every_solution_is_found_and_no_other(value: Dim, relation: str, bound: int) -> None:
    solved = solve(value, relation, bound)
    if solved is None:
        return
    name, found = solved
    assert name == "H"
    at = function_of(value)
    for n in [*range(1, LAST), 1_000, 1_001, 12_345]:
        assert (n in found) == COMPARE[relation](at(n), bound), n


@MANY
@given(rough())
def test_the_quick_function_is_the_expression(value: Dim) -> None:
    at = function_of(value)
    for n in (1, 2, 7, 50):
        assert at(n) == (value.subs("H", n) if isinstance(value, Expr) else value)


# ---- regions


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Dim, str, Dim]:
    """A relation in one unknown, a product of two held to a constant, or something that is not solved."""
    one = draw(rough(H, 1)) // draw(st.integers(1, 3))
    other = draw(rough(W, 1)) // draw(st.integers(1, 3))
    match draw(st.sampled_from(["one", "other", "product", "sum"])):
        case "one":
            return one, draw(relations), draw(st.integers(-3, 12))
        case "other":
            return other, draw(relations), draw(st.integers(-3, 12))
        case "product":
            return draw(st.integers(1, 4)) * one * other, "==", draw(st.integers(-30, 60))
        case _:
            return one, "==", other


def true_of(condition: tuple[Dim, str, Dim], h: int, w: int) -> bool:
    left, relation, right = condition
    difference_ = left - right
    value = difference_.subs({"H": h, "W": w}) if isinstance(difference_, Expr) else difference_
    assert isinstance(value, int)
    return COMPARE[relation](value, 0)


GRID = [*product(range(1, 26), repeat=2)]


@MANY
@given(st.lists(conditions(), min_size=1, max_size=3))
def test_a_region_holds_exactly_the_points_that_meet_its_conditions(
    many: list[tuple[Dim, str, Dim]],
) -> None:
    region = everything(("H", "W"))
    for condition in many:
        region &= where(("H", "W"), Relation(*condition))
    for point in GRID:
        assert (point in region) == all(true_of(condition, *point) for condition in many), point


def test_a_product_is_positive_where_both_factors_are_negative() -> None:
    region = where(("H", "W"), Relation((H - 5) * (W - 5), "==", 6))
    both = {(3, 2), (2, 3), (6, 11), (11, 6), (7, 8), (8, 7)}
    assert {point for point in GRID if point in region} == both


@MANY
@given(st.lists(conditions(), min_size=1, max_size=2), st.tuples(st.integers(1, 25), st.integers(1, 25)))
def test_neighbours_in_a_region_are_nearest(many: list[tuple[Dim, str, Dim]], at: tuple[int, int]) -> None:
    region = everything(("H", "W"))
    for condition in many:
        region &= where(("H", "W"), Relation(*condition))
    there = [point for point in product(range(1, at[0] + 1), range(1, at[1] + 1)) if point in region]
    below = region.below(at)
    least = min((at[0] - h + at[1] - w for h, w in there), default=None)
    assert (None if below is None else at[0] - below[0] + at[1] - below[1]) == least
    above = region.above(at)
    if above is not None:
        assert above in region
        assert all(a >= b for a, b in zip(above, at, strict=True))


@MANY
@given(st.lists(conditions(), min_size=1, max_size=2), st.lists(conditions(), min_size=1, max_size=2))
def test_regions_are_subtracted_and_united_point_by_point(
    some: list[tuple[Dim, str, Dim]], others: list[tuple[Dim, str, Dim]]
) -> None:
    one, other = everything(("H", "W")), everything(("H", "W"))
    for condition in some:
        one &= where(("H", "W"), Relation(*condition))
    for condition in others:
        other &= where(("H", "W"), Relation(*condition))
    both = one | other
    assert all((point in both) == (point in one or point in other) for point in GRID)
    with suppress(Undecided):
        rest = one - other
        assert all((point in rest) == (point in one and point not in other) for point in GRID)


def test_points_come_by_their_largest_coordinate() -> None:
    region = where(("H", "W"), Relation((H // 4 - 3) * (W // 4 - 3), "==", 25))
    assert region.is_finite
    points = [*region]
    assert len(points) == 3 * 16
    assert points[0] == (32, 32)
    assert [max(point) for point in points] == sorted(max(point) for point in points)
    assert [*islice(everything(("H", "W")), 4)] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_a_union_of_regions_joins_boxes() -> None:
    small, large = (where(("H", "W"), Relation(H, op, size)) for op, size in (("<=", 4), (">=", 5)))
    assert small | large == everything(("H", "W"))
    assert not Region(("H",))
