"""Cells of sizes: cutting loses no point, and a verdict on a cell is the verdict at each of its points."""

from __future__ import annotations

import operator
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapecalc.algebra import Dim, symbol
from shapecalc.algebra.relation import Relation
from shapecalc.bridges.torch.proof.cells import (
    Cell,
    Condition,
    Every,
    Progression,
    Some,
    cell_text,
    divided,
    everywhere,
    holds,
    negation,
)
from tests.support.draws import MANY

OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
H, W = symbol("H"), symbol("W")


@st.composite
def dims(draw: st.DrawFn) -> Dim:
    n = draw(st.sampled_from([H, W]))
    a, d, b = draw(st.integers(0, 9)), draw(st.integers(1, 5)), draw(st.integers(-4, 4))
    return draw(st.sampled_from([(n + a) // d + b, n * draw(st.integers(1, 3)) - a, (n + a) % d, H * W - a]))


relations = st.builds(Relation, dims(), st.sampled_from([*OPERATORS]), dims() | st.integers(-5, 20))
conditions = st.recursive(
    relations,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)), st.sampled_from([Every, Some]), st.lists(inner, max_size=3)
    ),
    max_leaves=4,
)


def at(dim: Dim, point: dict[str, int]) -> int:
    found = dim if isinstance(dim, int) else dim.subs(point)
    assert isinstance(found, int)
    return found


def truth(condition: Condition, point: dict[str, int]) -> bool:
    if isinstance(condition, Relation):
        left, right = at(condition.left, point), at(condition.right, point)
        return bool(OPERATORS[condition.op](left, right))
    verdicts = [truth(part, point) for part in condition.parts]
    return all(verdicts) if isinstance(condition, Every) else any(verdicts)


def cells_of(condition: Condition, most: int = 60) -> list[Cell]:
    todo: list[Cell] = [everywhere(["H", "W"])]
    done: list[Cell] = []
    while todo:
        cell = todo.pop()
        parts = divided(cell, condition) if holds(cell, condition) is None and most else [cell]
        most -= 1 if most else 0
        if len(parts) == 1:
            done.append(cell)
        else:
            todo += parts
    return done


@MANY
@given(conditions)
def test_every_point_is_in_one_cell_and_has_its_verdict(condition: Condition) -> None:
    cells = cells_of(condition)
    verdicts = [holds(cell, condition) for cell in cells]
    for h, w in product((1, 2, 3, 4, 7, 12, 31), repeat=2):
        home = [number for number, cell in enumerate(cells) if h in cell["H"] and w in cell["W"]]
        assert len(home) == 1
        verdict = verdicts[home[0]]
        assert verdict is None or verdict is truth(condition, {"H": h, "W": w})


@MANY
@given(conditions)
def test_a_negation_is_true_where_the_condition_is_not(condition: Condition) -> None:
    for h, w in product((1, 2, 5, 12), repeat=2):
        point = {"H": h, "W": w}
        assert truth(negation(condition), point) is not truth(condition, point)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Relation((H - 7) // 2 + 1, ">=", 1), {"": None, "H ≥ 7": True, "1 ≤ H ≤ 6": False}),
        (Relation(H % 2, "==", 0), {"H ≡ 0 (mod 2)": True, "H ≡ 1 (mod 2)": False}),
        (
            Relation(H * W, "!=", 1),
            {"H ≥ 2": True, "H = 1, W ≥ 2": True, "H = 1, W = 1": False},
        ),
        (Relation(H // (H // 2), "==", 2), {"H ≡ 0 (mod 2)": True, "H = 3": False, "H = 1": None}),
    ],
)
def test_cells_are_cut_where_it_matters(condition: Condition, expected: dict[str, bool | None]) -> None:
    found = {cell_text(cell): holds(cell, condition) for cell in cells_of(condition)}
    for text, verdict in expected.items():
        assert found.get(text) is verdict


def test_progressions() -> None:
    odd = Progression(3, 2)
    assert 9 in odd
    assert 1 not in odd
    assert 4 not in odd
    front, rest = odd.cut(2)
    assert [n for n in range(20) if n in front] == [3, 5]
    assert rest == Progression(7, 2)
    assert odd.classes(2) == (Progression(3, 4), Progression(5, 4))
