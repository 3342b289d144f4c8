"""Candidate fixes above a failing layer, by brute force: other numbers that hypothetical inference ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Fact
from shapecalc.layers.base import Layer, Shapes
from shapecalc.layers.requirement import DeclaredSize, Requirement
from shapecalc.layers.roles import Declares, fields_with
from shapecalc.repair.candidate import Candidate, Change
from shapecalc.repair.edit_sites import EditSites
from shapecalc.repair.field_changes import every_alternative
from shapecalc.repair.hypothetical import HypotheticalInference

_FARTHEST = 40
"""How many layers above the failing one are looked at."""
_OF_SIZES = frozenset({"elements", "normalized-shape", "axes"})


def upstream_fixes(
    sites: EditSites, hypothetical: HypotheticalInference, finding: Diagnostic, most: int
) -> Iterator[Candidate]:
    """Yield changes to a failing layer and to those above it, the nearest first.

    `most` bounds how many layers are evaluated meanwhile. What changes more layers than fail costs more.
    """
    paths, limit = [path for path in finding.paths if path in sites.index], hypothetical.evaluated + most
    for candidate in _candidates(sites, hypothetical, sites.index[paths[0]], limit) if paths else ():
        reached = max(len(change.nodes) for change in candidate.changes)
        yield replace(candidate, price=candidate.cost + 1) if reached > len(paths) else candidate


def _candidates(
    sites: EditSites, hypothetical: HypotheticalInference, target: int, limit: int
) -> Iterator[Candidate]:
    failing = sites.nodes[target]
    pairs = [*_disagreements(sites.facts.get(failing.path), sites.inputs(failing))]
    near = _near(sites, failing)
    for node in near:
        for candidate in _fields(sites, hypothetical, node, pairs, is_target=node is failing):
            if hypothetical.evaluated > limit:
                return
            yield candidate
    for node in (*near[1:], failing):
        if isinstance(node.layer, Layer) and hypothetical.evaluated <= limit:
            yield from sites.omitted_step(node)


def _near(sites: EditSites, failing: GraphNode) -> list[GraphNode]:
    """Return a layer and those that it depends on, from the nearest on."""
    near = [failing]
    for node in near:  # which grows meanwhile
        for slot in node.sources:
            producer = sites.graph.producer(slot)
            if producer is not None and producer not in near and len(near) < _FARTHEST:
                near.append(producer)
    return near


def _fields(
    sites: EditSites,
    hypothetical: HypotheticalInference,
    node: GraphNode,
    pairs: Sequence[tuple[int, int]],
    *,
    is_target: bool,
) -> Iterator[Candidate]:
    """Yield other values for the fields of a layer with which it has another output."""
    inputs, number = sites.inputs(node), sites.index[node.path]
    before = hypothetical.result(number, inputs)
    declares = fields_with(type(node.layer), Declares)  # changing these cannot help a layer below
    seen: set[tuple[str, str]] = set()
    for name, value in every_alternative(node.layer, pairs):
        if (name, str(value)) in seen or (not is_target and name in declares):
            continue
        seen.add((name, str(value)))
        after = hypothetical.result(number, inputs, Change((number,), name, value))
        if after is not None and (is_target or after != before):
            yield from sites.field(node, name, value, by_force=True)


def _disagreements(fact: Fact | None, inputs: Shapes) -> Iterator[tuple[int, int]]:
    """Yield the sizes that disagree: the actual and the needed size."""
    if isinstance(fact, DeclaredSize) or (isinstance(fact, Requirement) and fact.code in _OF_SIZES):
        if isinstance(fact.left, int) and isinstance(fact.right, int):
            yield fact.right, fact.left
    for first, second in permutations(dict.fromkeys(inputs), 2):
        for a, b in zip(first, second, strict=False):
            if isinstance(a, int) and isinstance(b, int) and a != b:
                yield a, b
