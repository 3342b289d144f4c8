"""Periodic sets, factorings and solved relations: every small case, against trying every number.

Nothing is drawn: a rule that is wrong for small numbers is noticed in every run.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice, product
from math import ceil, floor

import pytest

from shapecalc.algebra import Dim, Expr, decide, maximum, minimum, symbol
from shapecalc.algebra.expr import bounds
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.rational import Value
from shapecalc.algebra.region import everything, where
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import solve

LAST = 40
"""Far enough for every set here to repeat at least twice."""
H, W = symbol("H"), symbol("W")
OPERATORS = ["==", "!=", "<", "<=", ">", ">="]


def every_set(starts: tuple[int, ...], longest: int) -> list[IntegerSet]:
    """Return all sets that begin to repeat at one of the starts, with periods up to the longest."""
    found = []
    for start, modulus in product(starts, range(1, longest + 1)):
        for early in product([False, True], repeat=start):
            stretches = tuple((n, n) for n in range(start) if early[n])
            for chosen in product([False, True], repeat=modulus):
                residues = frozenset(r for r in range(modulus) if chosen[r])
                found.append(IntegerSet(stretches, start, modulus, residues))
    return found


SETS = every_set((0, 1, 3, 4), 4)
FEW = SETS[::17]


def members(own: IntegerSet, last: int = LAST) -> frozenset[int]:
    """Return the members, by what the fields of a set mean."""
    below = {n for first, end in own.early for n in range(first, end + 1)}
    return frozenset(below | {n for n in range(own.start, last + 1) if n % own.modulus in own.residues})


def test_every_set_has_one_normal_form() -> None:
    forms: dict[frozenset[int], set[IntegerSet]] = {}
    for own in SETS:
        reduced = own.reduced()
        assert members(reduced) == members(own), own
        assert reduced.reduced() == reduced
        forms.setdefault(members(own), set()).add(reduced)
    assert {len(same) for same in forms.values()} == {1}


def test_every_set_knows_its_members() -> None:
    for own in SETS:
        there = members(own.reduced())
        reduced = own.reduced()
        assert {n for n in range(LAST + 1) if n in reduced} == there
        assert [*islice(reduced, 8)] == sorted(there)[:8]
        assert bool(reduced) == bool(there)
        assert reduced.is_finite == (max(there, default=0) < LAST - 8)
        for n in range(12):
            assert reduced.first_from(n) == min((m for m in there if m >= n), default=None)
            assert reduced.last_until(n) == max((m for m in there if m <= n), default=None)
            below = {m for first, last in reduced.stretches(n) for m in range(first, last + 1)}
            assert below == {m for m in there if m < n}


def test_every_pair_of_sets_is_combined_member_by_member() -> None:
    for own, other in product(FEW, repeat=2):
        mine, theirs = members(own), members(other)
        for combined, expected in [
            (own & other, mine & theirs),
            (own | other, mine | theirs),
            (own - other, mine - theirs),
        ]:
            assert members(combined) == expected, (own, other)
            assert combined.reduced() == combined


READ = re.compile(r"n ≡ (?P<residues>[\d, …]+) \(mod (?P<modulus>\d+)\)|n ≥ (?P<least>\d+)|n = (?P<early>.+)")


def read(text: str, last: int) -> set[int]:
    """Return the members that a reader of the text would list."""
    if text == "no n":
        return set()
    periodic, _, exceptions = text.partition(", or ")
    found = set(range(last + 1)) if not periodic.startswith("n = ") else set()
    for match in READ.finditer(periodic if found else text):
        if match["early"]:
            found |= numbers(match["early"])
        elif match["least"]:
            found &= set(range(int(match["least"]), last + 1))
        else:
            residues, modulus = numbers(match["residues"]), int(match["modulus"])
            found &= {n for n in range(last + 1) if n % modulus in residues}
    return found | (numbers(exceptions.removeprefix("n = ")) if exceptions else set())


def numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(", "):
        first, dots, last = part.partition("…")
        found |= set(range(int(first), int(last if dots else first) + 1))
    return found


def test_every_text_says_the_set() -> None:
    for own in SETS:
        without_zero = own - IntegerSet.of([0])
        assert read(without_zero.text("n"), LAST) - {0} == members(without_zero), without_zero.text("n")


# ---- relations in one unknown


def functions(n: Expr) -> list[Dim]:
    """Return quasi-polynomials of one unknown: chains of floors, maxima, products."""
    linear = [a * n + b for a, b in [(1, 0), (2, -5), (-1, 7), (3, 1)]]
    floors: list[Dim] = [(x + c) // d for x in linear for c, d in [(0, 2), (1, 3), (-4, 5)]]
    nested: list[Dim] = [(x + 1) // 2 + y for x, y in zip(floors, floors[3:], strict=False)]
    extremes: list[Dim] = [minimum(x, y) for x, y in zip(floors, linear[::-1] * 3, strict=True)]
    extremes += [maximum(x, 2 * y - 9) for x, y in zip(floors, nested, strict=False)]
    products: list[Dim] = [(x - 3) * (y - 2) for x, y in zip(floors, floors[4:], strict=False)]
    return [*linear, *floors, *nested, *extremes, *products]


@pytest.mark.parametrize("op", OPERATORS)
def test_every_solution_is_there_and_no_other(op: str) -> None:
    decided = 0
    for value, bound in product(functions(H), (-7, -1, 0, 2, 12)):
        relation = Relation(value, op, bound)
        solved = solve(*relation)
        if solved is None:
            continue
        decided += 1
        for n in [*range(1, 70), 301, 302, 303, 304, 305]:
            assert (n in solved[1]) == relation.holds_at({"H": n}), (relation, n)
    assert decided > 200


def test_a_negative_least_value_is_kept() -> None:
    """An unknown may begin below 0: every number from the least on is a solution or not, and none below."""
    z = symbol("z", -6)
    for value, op, bound in product(functions(z), OPERATORS, (-5, 0, 4)):
        solved = solve(value, op, bound)
        if solved is not None:
            for n in [*range(-6, 40)]:
                assert (n in solved[1]) == Relation(value, op, bound).holds_at({"z": n}), (
                    value,
                    op,
                    bound,
                    n,
                )
    assert decide(z, ">=", -6) is True
    assert decide(z * z, ">=", 7) is None


def test_bounds_of_products_hold_at_every_sign() -> None:
    z, y = symbol("z", -4), symbol("y", -3)
    for value in (z * z, z * y, z * H, z * z * y, -(z * y), 2 * z * (y // 2) + 3, maximum(z, y) * z):
        assert isinstance(value, Expr)
        low, high = bounds(value)
        for a, b, h in product(range(-4, 5), range(-3, 5), (1, 2, 5)):
            at = value.subs({"z": a, "y": b, "H": h})
            assert isinstance(at, int)
            assert (low is None or low <= at) and (high is None or at <= high), value  # noqa: PT018


def test_quotients_of_specs_are_those_of_fractions() -> None:
    numbers = ["3", "-3", "0.5", "-0.25", "7/3", "-(2/5)"]
    for left, right in product(numbers, repeat=2):
        exact = eval_fraction(left) / eval_fraction(right)
        for text, expected in [
            (f"({left}) / ({right})", exact),
            (f"({left}) // ({right})", floor(exact)),
            (f"floor(({left}) / ({right}))", floor(exact)),
            (f"ceil(({left}) / ({right}))", ceil(exact)),
            (f"({left}) % ({right})", eval_fraction(left) - eval_fraction(right) * floor(exact)),
        ]:
            assert Formula.parse(text).evaluate(NOTHING) == expected, text


class Nothing:
    """A scope without names."""

    def lookup(self, name: str) -> Value:
        raise AssertionError(name)

    def size(self, tensor: str | None, axis: int) -> Dim:
        raise AssertionError(tensor)


NOTHING = Nothing()


def eval_fraction(text: str) -> Fraction:
    """Return one of the numbers above."""
    sign, plain = (-1, text[1:].strip("()")) if text.startswith("-") else (1, text)
    over, _, under = plain.partition("/")
    return sign * Fraction(over) / Fraction(under or 1)


# ---- products held to a constant


@pytest.mark.parametrize("scale", [1, 2, -3])
def test_every_factoring_of_a_product_is_there(scale: int) -> None:
    """(H - a)·(W - b) = c has solutions with both factors negative, one of them, or none."""
    for a, b, wanted in product((0, 5), (1, 6), (-12, -1, 4, 6)):
        for left, right in [(H - a, W - b), (H // 2 - a, W - b), ((H + 1) // 3 - a, (2 * W + 1) // 3 - b)]:
            relation = Relation(scale * left * right, "==", scale * wanted)
            region = where(("H", "W"), relation)
            assert not any(box.relations for box in region.boxes)
            for h, w in product(range(1, 21), repeat=2):
                assert ((h, w) in region) == relation.holds_at({"H": h, "W": w}), (relation, h, w)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_where_a_product_of_sizes_is_not_nothing(scale: int) -> None:
    for a, b in product((0, 1, 3, 7), repeat=2):
        for left, right in [((H + a) // 4, (W + b) // 3), (H + a - 1, (W + 1) // 2), (H - a, W - b)]:
            relation = Relation(scale * left * right, ">=", 1)
            region = where(("H", "W"), relation)
            if (left, right) != (H - a, W - b) or not a + b:
                assert not any(box.relations for box in region.boxes)
            for h, w in product(range(1, 13), repeat=2):
                assert ((h, w) in region) == relation.holds_at({"H": h, "W": w}), (relation, h, w)


def test_a_product_that_the_constant_does_not_divide_has_no_solution() -> None:
    assert not where(("H", "W"), Relation(2 * (H - 3) * (W - 3), "==", 9))
    assert where(("H", "W"), Relation(2 * (H - 3) * (W - 3), "==", 18))


# ---- regions


def test_what_is_outside_and_inside_is_everything() -> None:
    boxes = [
        where(("H", "W"), Relation(H % 3, "==", 1)),
        where(("H", "W"), Relation(W, "<", 5)),
        where(("H", "W"), Relation(H, ">=", 4)) & where(("H", "W"), Relation(W % 2, "==", 0)),
    ]
    for own, other in product([*boxes, boxes[0] | boxes[1]], repeat=2):
        for h, w in product(range(1, 14), repeat=2):
            inside = (h, w) in own, (h, w) in other
            assert ((h, w) in own - other) == (inside[0] and not inside[1])
            assert ((h, w) in own | other) == any(inside)
            assert ((h, w) in own & other) == all(inside)
        assert not everything(("H", "W")) - ((everything(("H", "W")) - own) | own)


def test_the_diagonal_is_where_all_sides_are_equal() -> None:
    for relation in [
        Relation(H % 4, "==", W % 3),
        Relation(H + W, ">=", 9),
        Relation((H - 3) * (W - 5), "==", 15),
        Relation(H // 2, "==", (W + 1) // 2),
    ]:
        region = where(("H", "W"), relation) & where(("H", "W"), Relation(H, ">", 1))
        for n in range(1, 60):
            assert (n in region.diagonal) == ((n, n) in region), (relation, n)


@pytest.mark.parametrize("divisor", [2, 3, 5])
@pytest.mark.parametrize("factor", [-2, -1, 1, 3])
def test_bounds_of_a_quotient_that_cancels_are_reached(divisor: int, factor: int) -> None:
    """d·⌊(n + a)/d⌋ - n is between a - d + 1 and a, and the same times a factor."""
    n = symbol("n")
    for added in range(-2, 4):
        for inner in (n, n * n, n + symbol("m")):
            value = factor * (divisor * ((inner + added) // divisor) - inner) + 7
            ends = sorted((factor * added + 7, factor * (added - divisor + 1) + 7))
            assert bounds(value) == tuple(ends)
            assert maximum(value, ends[0]) == value
