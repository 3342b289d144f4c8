"""A relation between two sizes: one type for what layers require, legal sizes meet and proofs assume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shapecalc.algebra.expr import Dim, Expr, decide
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.roots import COMPARE
from shapecalc.algebra.solution import solve
from shapecalc.errors import FormulaError, Undecided

SIGNS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", "<=": ">", ">": "<="}


class Relation(NamedTuple):
    """`left op right`, where the operator is one of Python's comparisons.

    >>> from shapecalc.algebra import symbol
    >>> even = Relation(symbol("H") % 2, "==", 0)
    >>> print(even.negation, "|", even.verdict(), even.holds_at({"H": 6}))
    H - 2·⌊H/2⌋ ≠ 0 | None True
    """

    left: Dim
    op: str
    right: Dim

    @property
    def difference(self) -> Dim:
        """Left - right, which is in the same relation to zero."""
        return self.left - self.right

    @property
    def negation(self) -> Relation:
        """The relation that holds exactly where this one does not."""
        return Relation(self.left, NEGATED[self.op], self.right)

    def verdict(self) -> bool | None:
        """Return True if it holds for all sizes, False if for none, None if for some or not decided."""
        return decide(self.left, self.op, self.right)

    def subs(self, sizes: Mapping[str, Dim]) -> Relation:
        """Return the relation with values in place of symbols."""
        left, right = (x.subs(sizes) if isinstance(x, Expr) else x for x in (self.left, self.right))
        return Relation(left, self.op, right)

    def holds_at(self, sizes: Mapping[str, int]) -> bool:
        """Evaluate the relation at a size for each symbol; where it divides by zero it does not hold."""
        try:
            left, _, right = self.subs(sizes)
        except FormulaError:
            return False
        assert isinstance(left, int)
        assert isinstance(right, int)
        return COMPARE[self.op](left, right)

    def __str__(self) -> str:
        return f"{grouped(self.left)} {SIGNS[self.op]} {grouped(self.right)}"


def combined(relations: Iterable[Relation]) -> tuple[dict[str, IntegerSet], list[int]]:
    """Return the joint solutions per unknown, and the positions of the relations that stay as they are."""
    solutions: dict[str, IntegerSet] = {}
    left_over: list[int] = []
    for position, relation in enumerate(relations):
        solved = solve(*relation)
        if solved is None:
            left_over.append(position)
            continue
        name, own = solved
        try:
            solutions[name] = solutions[name] & own if name in solutions else own
        except Undecided:
            left_over.append(position)
    return solutions, left_over
