"""An oracle for sets of sizes: the same relations and regions, as sets of an integer-set library.

It knows floors by numbers, maxima and sums, but no products of unknowns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import islpy as isl

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.expr import Atom, Floor, Maximum, Symbol
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.region import Box, Region
from shapecalc.algebra.relation import Relation

SIGNS = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class NotLinear(Exception):
    """There is a product of unknowns, which the library has no sets for."""


def written(value: Dim) -> str:
    """Return an expression in the library's language."""
    if isinstance(value, int):
        return f"({value})"
    terms = []
    for monomial, coefficient in value.terms:
        if len(monomial) > 1:
            raise NotLinear
        terms.append(f"{coefficient}*({_atom(monomial[0])})" if monomial else f"({coefficient})")
    return f"({' + '.join(terms)})"


def _atom(atom: Atom) -> str:
    if isinstance(atom, Symbol):
        return atom.name
    if isinstance(atom, Floor):
        if isinstance(atom.denominator, Expr):
            raise NotLinear
        return f"floor({written(atom.numerator)}/{atom.denominator})"
    assert isinstance(atom, Maximum)
    first, *others = map(written, atom.arguments)
    for other in others:
        first = f"max({first}, {other})"
    return first


def points(names: Sequence[str], relations: Iterable[Relation]) -> isl.Set:
    """Return the points, every coordinate at least 1, at which all relations hold."""
    sizes = [f"{name} >= 1" for name in names]
    held = [f"{written(one.left)} {SIGNS[one.op]} {written(one.right)}" for one in relations]
    return isl.Set(f"{{ [{', '.join(names)}] : {' and '.join([*sizes, *held])} }}")


def of_region(region: Region) -> isl.Set:
    """Return the points of a region."""
    names = ", ".join(region.names)
    found = isl.Set(f"{{ [{names}] : false }}")
    for box in region.boxes:
        found = found.union(isl.Set(f"{{ [{names}] : {_box(region.names, box)} }}"))
    return found


def _box(names: Sequence[str], box: Box) -> str:
    axes = [_axis(name, own) for name, own in zip(names, box.sets, strict=True)]
    held = [f"{written(one.left)} {SIGNS[one.op]} {written(one.right)}" for one in box.relations]
    return " and ".join([*axes, *held])


def _axis(name: str, own: IntegerSet) -> str:
    stretches = [f"{first} <= {name} <= {last}" for first, last in own.early]
    periodic = [
        f"({name} >= {own.start} and ({name} - {residue}) mod {own.modulus} = 0)" for residue in own.residues
    ]
    return f"({' or '.join([*stretches, *periodic]) or 'false'})"
