"""Decisions about expressions: always, never, or only for some values of what is free.

A relation in one unknown is solved exactly (see `solution`): it holds always when its solutions are all
sizes, and never when there are none. Everything else is decided by interval bounds, or not at all.
"""

from __future__ import annotations

from shapecalc.algebra.expr import Dim, Expr, Floor, Maximum, Symbol
from shapecalc.algebra.roots import COMPARE

Interval = tuple[int | None, int | None]


def decide(left: Dim, relation: str, right: Dim) -> bool | None:
    """Return True if the relation holds for every value, False if for none, None otherwise.

    None also stands for "this procedure cannot tell"; it never claims what it has not proved.

    >>> from shapecalc.algebra.expr import symbol
    >>> n = symbol("n")
    >>> decide((n + 1)//2 + n//2, "==", n)
    True
    >>> print(decide(2*(n//2), "==", n), decide(2*(n//2), "==", n + 1))
    None False
    """
    if relation not in COMPARE:
        raise ValueError(f"unknown relation {relation!r}")
    difference = left - right
    if isinstance(difference, int):
        return COMPARE[relation](difference, 0)
    verdict = bounded(difference, relation, 0)
    return verdict if verdict is not None else _by_solution(difference, relation)


def bounded(left: Dim, relation: str, right: Dim) -> bool | None:
    """Decide by interval bounds alone."""
    low, high = bounds(left - right)
    if relation in ("==", "!="):
        if (low is not None and low > 0) or (high is not None and high < 0):
            return relation == "!="
        return (relation == "==") if low == high == 0 else None
    if relation in ("<", "<="):
        low, high = (None if high is None else -high), (None if low is None else -low)
    strict = relation in ("<", ">")
    if low is not None and low >= strict:
        return True
    if high is not None and high < strict:
        return False
    return None


def bounds(value: Dim) -> Interval:
    """Return the least and greatest value that an expression can surely not pass.

    >>> from shapecalc.algebra.expr import symbol
    >>> bounds(3*(symbol("H")//2) + 1)
    (1, None)
    """
    if isinstance(value, int):
        return value, value
    low: int | None = 0
    high: int | None = 0
    for monomial, coefficient in value.terms:
        least: int | None = 1
        most: int | None = 1
        for atom in monomial:
            atom_low, atom_high = _atom_bounds(atom)
            if atom_low is None or atom_low < 0 or least is None:
                least = most = None
                break
            least *= atom_low
            most = None if most is None or atom_high is None else most * atom_high
        if least is None and len(monomial) == 1:
            least, most = _atom_bounds(monomial[0])
        if coefficient < 0:
            least, most = most, least
        low = None if low is None or least is None else low + coefficient * least
        high = None if high is None or most is None else high + coefficient * most
    return low, high


def _atom_bounds(atom: object) -> Interval:
    if isinstance(atom, Symbol):
        return atom.minimum, None
    if isinstance(atom, Floor):
        low, high = bounds(atom.numerator)
        if isinstance(atom.denominator, int):
            divisor = atom.denominator
            return (None if low is None else low // divisor), (None if high is None else high // divisor)
        return (0 if low is not None and low >= 0 else None), None
    if isinstance(atom, Maximum):
        pairs = [bounds(argument) for argument in atom.arguments]
        lows = [low for low, _ in pairs if low is not None]
        highs = [high for _, high in pairs]
        known = [high for high in highs if high is not None]
        return (max(lows) if lows else None), (max(known) if len(known) == len(highs) else None)
    return None, None


def _by_solution(difference: Expr, relation: str) -> bool | None:
    from shapecalc.algebra.integer_set import IntegerSet
    from shapecalc.algebra.solution import solve

    solved = solve(difference, relation, 0)
    if solved is None:
        return None
    if not solved[1]:
        return False
    return True if solved[1] == IntegerSet.at_least(difference.symbols()[0].minimum) else None
