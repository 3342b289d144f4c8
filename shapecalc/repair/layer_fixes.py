"""Candidate fixes of a layer that refuses its input, by the fact of its refusal; none is tried yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import zip_longest
from math import gcd
from typing import NamedTuple

from shapecalc.algebra import product
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Merge, Shapes
from shapecalc.layers.flatten import Flatten
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import (
    DeclaredSize,
    Divisibility,
    EqualBranches,
    HalfKernel,
    Requirement,
    Shape,
)
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.field_changes import alternatives, chain_output, changed, per_axis

_MOST_PATHS = 12
_IMAGE = 4
_STRIDES = (1, 2, 3, 4, 8)
_MOST_CHOICES = 3
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
            yield from _branches(sites, node, layer, inputs)
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


# ---- branches that disagree


class _Branch(NamedTuple):
    """The layers that only one branch goes through, and the shape that enters the first."""

    begin: Shape | None
    chain: list[GraphNode]


def _branches(sites: EditSites, node: GraphNode, merge: Merge, inputs: Shapes) -> Iterator[Candidate]:
    """Yield changes to the branches that differ from the most frequent shape, or from that of the input."""
    if len({len(x) for x in inputs}) != 1 or len(inputs) < 2:
        return
    joined = merge.dim % len(inputs[0]) if isinstance(merge, Concat) else None
    axes = [axis for axis in range(1, len(inputs[0])) if axis != joined]
    branches = [_branch(sites, node.sources, number) for number in range(len(inputs))]
    sizes = [_at(x, axes) for x in inputs]
    for aim in dict.fromkeys(_aims(sites, sizes, branches, axes, len(inputs[0]))):
        each = [
            _towards(sites, branch, axes, aim)
            for branch, known in zip(branches, sizes, strict=True)
            if known != aim
        ]
        if each and all(each):
            for choice in range(min(_MOST_CHOICES, max(map(len, each)))):
                options = [candidates[min(choice, len(candidates) - 1)] for candidates in each]
                yield reduce(Candidate.together, options)
    if sites.spec.framework == "torch":
        yield from _projections(sites, node, inputs, axes)


def _at(x: Shape, axes: Sequence[int]) -> Shape:
    return tuple(x[axis] for axis in axes)


def _projections(
    sites: EditSites, node: GraphNode, inputs: Shapes, axes: Sequence[int]
) -> Iterator[Candidate]:
    """Yield a 1x1 convolution in the one branch that is not as the others, for channels and sizes at once."""
    for number, x in enumerate(inputs):
        others = {_at(other, axes) for index, other in enumerate(inputs) if index != number}
        if len(others) != 1 or len(x) != _IMAGE:
            continue
        aim = dict(zip(axes, others.pop(), strict=True))
        for stride in _STRIDES:
            if all((x[axis] - 1) // stride + 1 == aim[axis] for axis in axes if axis > 1):
                yield from sites.projection(node, number, aim.get(1, x[1]), stride)
                break


def _aims(
    sites: EditSites, sizes: Sequence[Shape], branches: Sequence[_Branch], axes: Sequence[int], rank: int
) -> Iterator[Shape]:
    """Yield the sizes that branches may be meant to have: those of most, of the input, or of one branch."""
    votes = Counter(sizes).most_common(2)
    if len(votes) < 2 or votes[0][1] > votes[1][1]:
        yield votes[0][0]
        return
    begin = next((branch.begin for branch in branches if branch.begin is not None and branch.chain), None)
    if begin is not None and len(begin) == rank:
        channels = sites.graph.channel_axis % rank
        for own in sizes:  # the channels of a branch, the sizes of the input
            pairs = zip(axes, own, strict=True)
            yield tuple(size if axis == channels else begin[axis] for axis, size in pairs)
    yield from sizes


def _branch(sites: EditSites, sources: Sequence[int], number: int) -> _Branch:
    others: set[int] = set()  # all that the other branches are made from
    pending = [slot for index, slot in enumerate(sources) if index != number]
    while pending:
        slot = pending.pop()
        if slot not in others:
            others.add(slot)
            node = sites.graph.producer(slot)
            pending += node.sources if node else ()
    slot, chain = sources[number], []
    while slot not in others and (node := sites.graph.producer(slot)) and len(node.sources) == 1:
        chain.append(node)
        slot = node.sources[0]
    return _Branch(sites.inference.shapes[slot], chain[::-1])


def _towards(sites: EditSites, branch: _Branch, axes: Sequence[int], aim: Shape) -> list[Candidate]:
    """Return the single changes to a branch after which it has the sizes aimed at, paddings first."""
    candidates: list[Candidate] = []
    if branch.begin is None:
        return candidates
    layers = [node.layer for node in branch.chain]
    for number, node in reversed([*enumerate(branch.chain)]):
        for name, value in alternatives(node.layer, aim, axes):
            other = changed(node.layer, name, value)
            if other is None:
                continue
            shape = chain_output([*layers[:number], other, *layers[number + 1 :]], branch.begin)
            if shape is not None and len(shape) > max(axes) and _at(shape, axes) == aim:
                candidates += [*sites.field(node, name, value)][:1]
    return sorted(candidates, key=lambda candidate: candidate.changes[0].field != "padding")
