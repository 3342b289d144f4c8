"""Candidate fixes of a layer that refuses its input, by the fact of its refusal; none is tried yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from itertools import zip_longest
from math import gcd

from shapecalc.algebra import product
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Merge
from shapecalc.layers.linear import Dense
from shapecalc.layers.requirement import (
    DeclaredSize,
    Divisibility,
    EqualBranches,
    HalfKernel,
    Requirement,
    Shape,
)
from shapecalc.layers.reshape import Flatten
from shapecalc.repair.branch_fixes import branch_fixes
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.field_changes import alternatives, changed, per_axis

_MOST_PATHS = 12
_LARGEST_DIVIDEND = 100_000


def layer_fixes(sites: EditSites, finding: Diagnostic) -> Iterator[Candidate]:
    """Yield fixes for all the layers that a finding is about, made together."""
    each = [[*_fixes(sites, path)] for path in finding.paths[:_MOST_PATHS] if path in sites.index]
    for row in zip_longest(*each):
        known = [candidate for candidate in row if candidate is not None]
        if known and len(known) == len(each):
            yield reduce(Candidate.together, known)


def _fixes(sites: EditSites, path: str) -> Iterator[Candidate]:
    """Yield what might make one layer accept its input."""
    node = sites.nodes[sites.index[path]]
    inputs, layer = sites.inputs(node), node.layer
    if not inputs:
        return
    match sites.facts.get(path):
        case DeclaredSize() as fact if fact.name in type(layer).model_fields:
            yield from _declared(sites, node, inputs[0], fact)
        case Divisibility() as fact if fact.name in type(layer).model_fields:
            yield from _divisors(sites, node, inputs[0], fact)
        case HalfKernel():
            rank = len(inputs[0]) - 2
            halves = [k // 2 for k in per_axis(getattr(layer, "kernel_size", 0), rank)]
            for paddings in (halves, [0] * rank):
                yield from sites.field(node, "padding", paddings)
        case EqualBranches() if isinstance(layer, Merge):
            yield from branch_fixes(sites, node, layer, inputs)
        case Requirement(code="too-small"):
            yield from _windows(sites, node, inputs[0])


def _declared(sites: EditSites, node: GraphNode, x: Shape, fact: DeclaredSize) -> Iterator[Candidate]:
    if isinstance(node.layer, Dense) and len(x) > 2:
        flat = product(x[1:])
        for flatten in sites.insertion(node, Flatten.kind):
            if flat == fact.left:
                yield flatten
                return
            if len(x) > 3:
                for fields in sites.field(node, fact.name, flat):
                    yield replace(flatten.together(fields), price=1)  # the number only follows
                return
    yield from sites.field(node, fact.name, fact.right)
    yield from sites.omission(node, fact.name)
    if "from" not in node.place.parts:
        yield from sites.adapter(node.place, x, fact.left)


def _divisors(sites: EditSites, node: GraphNode, x: Shape, fact: Divisibility) -> Iterator[Candidate]:
    n, divisor, layer = fact.n, fact.divisor, node.layer
    outward, inward = getattr(layer, "out_channels", None), getattr(layer, "channels", lambda _: n)(x)
    if isinstance(outward, int) and isinstance(inward, int):
        n = gcd(inward, outward)
    if isinstance(n, int) and isinstance(divisor, int):
        legal = [size for size in range(1, min(n, _LARGEST_DIVIDEND) + 1) if n % size == 0]
        for nearest in sorted(legal, key=lambda size: (abs(size - divisor), size))[:2]:
            yield from sites.field(node, fact.name, nearest)


def _windows(sites: EditSites, node: GraphNode, x: Shape) -> Iterator[Candidate]:
    """Yield windows for which an input is not too small: padded, or with a smaller kernel."""
    for name, value in alternatives(node.layer, (), ()):
        other = changed(node.layer, name, value)
        try:
            if other is not None:
                other.apply((x,))
                yield from sites.field(node, name, value)
        except ShapecalcError:
            continue
