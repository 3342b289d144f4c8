"""The flat network: nodes in order of execution, each reading the results of earlier ones.

Tensors are numbered *slots*: the inputs first, then the results of each node. A slot is written
once and read only by later nodes, so a graph cannot hold a cycle.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from shapecalc.algebra import Dim
from shapecalc.algebra.rational import Value
from shapecalc.algebra.summation import summed
from shapecalc.errors import Failure, Place
from shapecalc.layers.base import Caller, Effect, Kind
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.record import record


@record
class Loop:
    """Passes of a repeat that are inferred as one, because how many there are is left free.

    The sizes inside may hold `index`, the number of the pass, counted from 0.
    """

    path: str
    index: str
    first: int
    """The first of these passes; those before it are in the graph one by one."""
    count: Dim

    @property
    def last(self) -> Dim:
        """The number of the last pass."""
        return self.first + self.count - 1


def over(value: Dim, loops: Sequence[Loop]) -> Dim:
    """Return what a value comes to over all passes of some loops, each inside the one before it.

    >>> from shapecalc.algebra import symbol
    >>> outer, inner = Loop("a.i", "i", 0, symbol("n")), Loop("a.i.b.j", "j", 0, symbol("i") + 1)
    >>> over(4, [inner]), over(4, [outer, inner])
    (4·i + 4, 2·n^2 + 2·n)
    """
    for loop in reversed(loops):
        value = summed(value, loop.index, loop.first, loop.count)
    return value


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
    called: Caller = "module"
    """What torch calls: tools that count costs do not see functions."""
    ignored: tuple[str, ...] = ()
    """Codes of diagnostics that are not reported for it."""
    loops: tuple[Loop, ...] = ()
    """The repeats of which this is every pass, from the outermost inwards."""
    written: Kind | None = None
    """The layer as the spec has it, with formulas."""

    @property
    def slots(self) -> range:
        """The slots of its results."""
        return range(self.first_slot, self.first_slot + self.results)


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
    is_dotted: bool = False
    """Whether it is what dotted names of steps have in common, such as a module of an imported network."""


@dataclass(slots=True)
class Graph:
    """A network expanded for certain parameters and sizes: those that it depends on are kept with it."""

    nodes: list[GraphNode] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    outputs: dict[str, int] = field(default_factory=dict)
    slots: int = 0
    batched: bool = True
    channel_axis: int = 1
    """Where the channels are: behind the batch to torch, the last axis to Keras."""
    parameters_read: dict[str, Value] = field(default_factory=dict)
    sizes_read: dict[tuple[int, int], Value] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    aliases: dict[int, int] = field(default_factory=dict)
    """Of the tensors that enter every pass of a loop, and leave its last: those of a single pass."""
    conditions: list[tuple[str, Requirement]] = field(default_factory=list)
    """What repeats require, each with the path of the repeat."""

    def producer(self, slot: int) -> GraphNode | None:
        """Return the node that writes a slot; None for an input, or a tensor that error recovery assumed."""
        index = bisect_right(self.nodes, slot, key=lambda node: node.first_slot) - 1
        node = self.nodes[index] if index >= 0 else None
        return node if node is not None and slot in node.slots else None


@dataclass(slots=True)
class Inference:
    """The result of shape inference over a graph: shapes per slot, an effect per node, and the failures."""

    graph: Graph
    shapes: list[Shape | None]
    effects: list[Effect | None]
    failures: list[Failure]
    tainted: set[int] = field(default_factory=set)
    """The slots whose sizes are a guess, because of a failure before them."""
    missing: set[int] = field(default_factory=set)
    """The slots that replace missing tensors."""
    unconfirmed: str = ""
    """Why the module that this was imported from could not be run at these sizes, if it could not."""
