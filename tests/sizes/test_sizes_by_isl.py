"""An integer-set library decides again what the algebra decided: equality, relations, legal sizes."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

import shapecalc
from shapecalc.algebra import Dim, Expr, decide, maximum, symbol
from shapecalc.algebra.region import where
from shapecalc.algebra.relation import Relation
from shapecalc.layers.arithmetic import window
from shapecalc.sizes.question import Question
from shapecalc.sizes.solver import Solver

isl = pytest.importorskip("islpy")
from tests.support.integer_sets_by_isl import NotLinear, of_region, points  # noqa: E402

H, W = symbol("H"), symbol("W")
OPERATORS = ["==", "!=", "<", "<=", ">", ">="]


def chains() -> list[Dim]:
    """Return sizes behind one, two and three windows."""
    settings = [(3, 2, 1), (2, 2, 0), (7, 4, 3), (1, 3, 0), (5, 1, 2)]
    found: list[Dim] = [H]
    for k, s, p in settings:
        found += [window(n, k=k, s=s, d=1, p0=p, p1=p) for n in found[:6]]
    return found


def test_chains_of_windows_are_equal_exactly_where_the_library_says_so() -> None:
    """Always, never or sometimes: for every pair of chains."""
    everywhere, nowhere = points(["H"], []), isl.Set("{ [H] : false }")
    for left, right in product(chains(), repeat=2):
        if not isinstance(left - right, Expr):
            continue
        there = points(["H"], [Relation(left, "==", right)])
        expected = True if there.is_equal(everywhere) else False if there.is_equal(nowhere) else None
        assert decide(left, "==", right) is expected, (left, right)


@pytest.mark.parametrize("op", OPERATORS)
def test_solutions_are_those_of_the_library(op: str) -> None:
    some = chains()[::2]
    values: list[Dim] = [*some, *(x + y - 9 for x, y in pairwise(some))]
    values += [maximum(x, y // 3 + 2) for x, y in zip(some, some[2:], strict=False)]
    for value, bound in product(values, (0, 3, 8)):
        relation = Relation(value, op, bound)
        assert of_region(where(("H",), relation)).is_equal(points(["H"], [relation])), relation


NETWORKS = [
    "unet",
    "unet_padded",
    "linknet",
    "googlenet",
    "inception_v3",
    "resnet50_keras",
    "unet3d",
    "alexnet",
]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rebuild", [False, True])
def test_legal_sizes_are_those_of_the_library(name: str, rebuild: bool) -> None:
    """The sizes that meet the conditions of all layers, intersected by another program."""
    question = Question(shapecalc.load(name), rebuild=rebuild, outputs="all")
    solved = Solver(question).plain({})
    try:
        expected = points(question.names, [one.requirement.relation for one in solved.imposed])
    except NotLinear:
        pytest.skip("its conditions hold products of sizes")
    assert of_region(solved.region).is_equal(expected)
