"""One layer of a report: what arrives, what leaves, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim, Expr
from shapecalc.conventions.convention import Convention, Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.engine.graph import GraphNode, Loop, over
from shapecalc.errors import Place
from shapecalc.layers.base import Effect, Kind, Named, Shapes, Window, count
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.render.display import Shown

if TYPE_CHECKING:
    from shapecalc.render.piece import Page

if TYPE_CHECKING:
    from shapecalc.report.receptive_field import Field, Fields


class Node(Shown):
    """One layer of the network with what arrives, what leaves, and what it costs.

    Shapes have the batch in front. `params` counts the weights that belong to this node, as torch or
    Keras counts them: a node that shares another's weights counts none, and `shares` names that other
    node. `macs` is None
    when the kind cannot count them. `bytes` is the memory of its results.

    Where the number of passes of a repeat was left free, a node stands for the layer in every pass:
    `loops` says which passes, shapes are those of pass i, and counts are those of all passes together.
    """

    __slots__ = ("_effect", "_fields", "_gathered", "_graph_node", "_moved", "inputs", "itemsize", "shares")

    def __init__(
        self,
        graph_node: GraphNode,
        effect: Effect,
        inputs: Shapes,
        itemsize: int,
        shares: str | None,
        counting: str = "torch",
        fields: Fields | None = None,
    ) -> None:
        self._fields = fields
        self._gathered: Dim = 0  # the statistics that are held among the weights
        self._moved: Dim = 0  # those that are counted as parameters and held elsewhere, or the reverse
        if statistics := graph_node.layer.statistics:
            self._gathered = _held(effect.weights, statistics)
            self._moved = _held(effect.buffers, statistics) if counting == "keras" else -self._gathered
        self._graph_node = graph_node
        self._effect = effect
        self.inputs = inputs
        self.itemsize = itemsize
        self.shares = shares

    @property
    def path(self) -> str:
        """The unique dotted name, such as `stage2.0.conv1`."""
        return self._graph_node.path

    @property
    def kind(self) -> str:
        """The kind's name, such as `conv2d`."""
        return self._graph_node.layer.kind

    @property
    def layer(self) -> Kind:
        """The layer with every number in place."""
        return self._graph_node.layer

    @property
    def place(self) -> Place:
        """Where the layer is written."""
        return self._graph_node.place

    @property
    def lines(self) -> tuple[int, ...]:
        """The line where the layer is written, then those of the calls that lead there, innermost first."""
        places = (self._graph_node.place, *reversed(self._graph_node.calls))
        return tuple(place.line for place in places if place.line is not None)

    @property
    def output(self) -> Shape:
        """The shape of the (first) result."""
        return self._effect.outputs[0]

    @property
    def outputs(self) -> Shapes:
        """The shapes of all results."""
        return self._effect.outputs

    @property
    def weights(self) -> Named:
        """The learned tensors by torch's names."""
        return self._effect.weights

    @property
    def buffers(self) -> Named:
        """The tensors that are kept but not learned."""
        return self._effect.buffers

    @property
    def window(self) -> Window | None:
        """The window that slides over the input, or None."""
        return self._effect.window

    @property
    def fields(self) -> dict[str, Field]:
        """The receptive field in each input of which the layer sees anything, by the input's name."""
        return {} if self._fields is None else self._fields.of(self._graph_node, self.output)

    @property
    def field(self) -> Field | None:
        """The receptive field in the first input of which the layer sees anything; None if it is not known.

        An input without an axis on which positions are places, such as a single number, has no field; a
        layer that sees nothing of any input, such as a learned tensor, has an empty one.
        """
        if self._fields is not None and self._fields.sees_nothing(self._graph_node):
            return self._fields.nothing
        found = next(iter(self.fields.values()), None)
        return None if found is None or not any(found.extents) else found

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The repeats, from the outermost inwards, of which the node stands for every pass."""
        return self._graph_node.loops

    @property
    def times(self) -> Dim:
        """How many passes the node stands for."""
        return over(1, self.loops)

    @property
    def params(self) -> Dim:
        """How many learned numbers belong to this node."""
        return self.params_inside(0)

    @property
    def trainable_params(self) -> Dim:
        """How many of them are trained."""
        trained = self._graph_node.trainable and self.shares is None
        return over(self._effect.params - self._gathered, self.loops) if trained else 0

    @property
    def buffer_count(self) -> Dim:
        """How many numbers the buffers hold."""
        return over(self._effect.buffer_count - self._moved, self.loops) if self.shares is None else 0

    @property
    def macs(self) -> Dim | None:
        """Multiply-accumulates of convolutions, linear layers and matrix products."""
        return self.macs_inside(0)

    @property
    def bytes(self) -> Dim:
        """Memory of the results."""
        return over(self._effect.elements * self.itemsize, self.loops)

    def params_inside(self, depth: int) -> Dim:
        """Return the learned numbers in one pass of the outer `depth` loops, all of those inside them."""
        return over(self._effect.params + self._moved, self.loops[depth:]) if self.shares is None else 0

    def macs_inside(self, depth: int) -> Dim | None:
        """Return the multiply-accumulates in one pass of the outer `depth` loops."""
        return None if self._effect.macs is None else over(self._effect.macs, self.loops[depth:])

    def counts(self, convention: Convention, depth: int = 0) -> Counts | None:
        """Return the cost under a convention, by part, in one pass of the outer `depth` loops.

        None where the convention has no rule for the kind.
        """
        found = convention.counts(LayerCall(self.layer, self.inputs, self._effect, self._graph_node.called))
        if found is None or not self.loops:
            return found
        return {part: over(value, self.loops[depth:]) for part, value in found.items()}

    @property
    def bias_results(self) -> Dim:
        """How many results a bias is added to."""
        return over(LayerCall(self.layer, self.inputs, self._effect).bias, self.loops)

    def cost(self, convention: Convention, depth: int = 0) -> Dim | None:
        """Return the cost under a convention as one number, None where it has no rule for the kind."""
        counts = self.counts(convention, depth)
        return None if counts is None else convention.total(counts)

    def output_after(self, depth: int) -> Shape:
        """Return the shape of the result in the last pass of all but the outer `depth` loops."""
        shape = self.output
        for loop in reversed(self.loops[depth:]):
            shape = tuple(
                [size.subs(loop.index, loop.last) if isinstance(size, Expr) else size for size in shape]
            )
        return shape

    @property
    def conditions(self) -> tuple[Requirement, ...]:
        """What must hold for this node's shapes to be true, where sizes were left free."""
        return self._effect.conditions

    def to_dict(self, *, fields: bool = False) -> dict[str, Any]:
        """Return the node as plain data for JSON; `times` and `loops` only where passes were left free.

        `field` is there only if it is asked for.
        """
        return {
            "path": self.path,
            "kind": self.kind,
            "inputs": [plain(shape) for shape in self.inputs],
            "output": plain(self.output),
            "outputs": [plain(shape) for shape in self.outputs],
            "weights": {name: plain(shape) for name, shape in self.weights.items()},
            "buffers": {name: plain(shape) for name, shape in self.buffers.items()},
            "params": number(self.params),
            "trainable_params": number(self.trainable_params),
            "macs": None if self.macs is None else number(self.macs),
            "bytes": number(self.bytes),
            "shares": self.shares,
            **self._repeated(),
            **({"field": None if self.field is None else self.field.to_dict()} if fields else {}),
        }

    def _repeated(self) -> dict[str, Any]:
        if not self.loops:
            return {}
        return {"times": number(self.times), "loops": [_told(one) for one in self.loops]}

    def _page(self) -> Page:
        from shapecalc.report.report_page import node_page

        return node_page(self)

    def __repr__(self) -> str:
        return f"<{self.path}: {self.kind} {self.output}>"


def total(dims: Iterable[Dim]) -> Dim:
    """Return the sum of sizes."""
    result: Dim = 0
    for dim in dims:
        result = result + dim
    return result


def _held(tensors: Named, names: frozenset[str]) -> Dim:
    return count({name: shape for name, shape in tensors.items() if name in names})


def number(value: Dim) -> int | str:
    """Return a size as plain data: an expression as its text."""
    return str(value) if isinstance(value, Expr) else value


def _told(loop: Loop) -> dict[str, int | str]:
    return {"path": loop.path, "index": loop.index, "first": loop.first, "last": number(loop.last)}


def plain(shape: Shape) -> list[int | str]:
    """Return a shape as plain data."""
    return [number(size) for size in shape]
