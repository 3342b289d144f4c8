"""The flat network: nodes in order of execution, each reading the results of earlier ones.

Tensors are numbered *slots*: the inputs first, then the results of each node. A slot is written
once and read only by later nodes, so a graph cannot hold a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shapecalc.algebra.rational import Value
from shapecalc.errors import Failure, Place
from shapecalc.layers.base import Effect, Kind
from shapecalc.layers.requirement import Shape


@dataclass(slots=True)
class GraphNode:
    """One layer of the flat network."""

    path: str
    layer: Kind
    sources: tuple[int, ...]
    first_slot: int
    results: int
    place: Place
    trainable: bool = True
    owner: int | None = None
    """The node whose weights this one uses, or None when they are its own."""
    calls: tuple[Place, ...] = ()
    """Where the blocks that hold the layer are called, from the outermost inwards."""


@dataclass(slots=True)
class Group:
    """A part of the spec that became the nodes `start` to `end`: a block, a branch, a repeat."""

    path: str
    label: str
    start: int
    end: int
    depth: int
    passes: int = 1
    """How many passes of a repeat this group holds; 1 for anything else."""


@dataclass(slots=True)
class Graph:
    """A network expanded for certain parameters; `reads` says which values it depends on."""

    nodes: list[GraphNode] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    slots: int = 0
    batched: bool = True
    parameters_read: dict[str, Value] = field(default_factory=dict)
    sizes_read: dict[tuple[int, int], Value] = field(default_factory=dict)


@dataclass(slots=True)
class Walk:
    """What a walk over a graph found: shapes per slot, an effect per node, and the failures."""

    graph: Graph
    shapes: list[Shape | None]
    effects: list[Effect | None]
    failures: list[Failure]
    doubtful: set[int] = field(default_factory=set)
    """The slots whose sizes are a guess, because of a failure before them."""
