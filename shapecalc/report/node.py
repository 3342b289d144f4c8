"""One layer of a report: its inputs, its outputs, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast
from warnings import warn

from typing_extensions import TypeVar

from shapecalc.algebra import Dim, Expr, product
from shapecalc.conventions.convention import Convention, Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.engine.graph import GraphNode, Loop, over
from shapecalc.errors import Place
from shapecalc.layers.base import Effect, Kind, Named, Window, count
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.render.display import Shown

if TYPE_CHECKING:
    from shapecalc.report.receptive_field import ReceptiveField, ReceptiveFields

D_co = TypeVar("D_co", bound=Dim, covariant=True, default=Dim)
"""What sizes are: `int` in a report without free sizes, `int | Expr` in one with some."""


NOT_COUNTED = "not counted: this kind has no rule"


def number(value: Dim) -> int | str:
    """Return a size as plain data: an expression as its text."""
    return value if type(value) is int else str(value)


def packed(numbers: Dim, bits: int) -> Dim:
    """Return the bytes of a tensor, two numbers of four bits in one, the last byte in part.

    >>> packed(7, 32), packed(7, 4)
    (28, 4)
    """
    return numbers * (bits // 8) if bits % 8 == 0 else (numbers * bits + 7) // 8


def plain(shape: Shape) -> list[int | str]:
    """Return a shape as plain data."""
    return [size if type(size) is int else str(size) for size in shape]


class Node(Shown, Generic[D_co]):
    """One layer of the network: input shapes, output shapes, weights and costs.

    Shapes have the batch in front. `params` counts the weights that belong to this node, as torch or
    Keras counts them: a node that shares another's weights counts none, and `shares` names that other
    node. `macs` is None when the kind cannot count them. `bytes` is the memory of its results.

    Where the number of passes of a repeat was left free, a node is the layer in every pass:
    `loops` says which passes, shapes are those of pass i, and counts are those of all passes together.
    """

    __slots__ = (
        *("_effect", "_fields", "_graph_node", "_moved", "_statistics", "bits", "buffers", "inputs"),
        *("kind", "layer", "loops", "outputs", "path", "shares", "weights", "window"),
    )
    _view: ClassVar[str] = "shapecalc.views.node_facts:entry_page"
    path: str
    """The unique dotted name, such as `stage2.0.conv1`."""
    kind: str
    """The kind's name, such as `conv2d`."""
    layer: Kind
    """The layer with every number in place."""
    outputs: tuple[tuple[D_co, ...], ...]
    """The shapes of all results."""
    weights: Named
    """The learned tensors by torch's names."""
    buffers: Named
    """The tensors that are kept but not learned."""
    window: Window | None
    """The window that slides over the input, or None."""
    loops: tuple[Loop, ...]
    """The repeats, from the outermost inwards, of which the node is every pass."""

    def __init__(
        self,
        graph_node: GraphNode,
        effect: Effect,
        inputs: Any,
        bits: int,
        shares: str | None,
        counting: str = "torch",
        fields: ReceptiveFields | None = None,
    ) -> None:
        self._graph_node = graph_node
        self._effect = effect
        self._fields = fields
        self._statistics: Dim = 0  # the statistics that are held among the weights
        self._moved: Dim = 0  # those that are counted as parameters and held elsewhere, or the reverse
        self.path = graph_node.path
        self.layer = layer = graph_node.layer
        self.kind = layer.kind
        self.loops = graph_node.loops
        outputs: Any = effect.outputs
        self.outputs = outputs
        self.weights = effect.weights
        self.buffers = effect.buffers
        self.window = effect.window
        if statistics := layer.gathered:
            self._statistics = _held(effect.weights, statistics)
            self._moved = _held(effect.buffers, statistics) if counting == "keras" else -self._statistics
        self.inputs: tuple[tuple[D_co, ...], ...] = inputs
        self.bits = bits
        self.shares = shares

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
    def output(self) -> tuple[D_co, ...]:
        """The shape of the (first) result."""
        return self.outputs[0]

    @property
    def fields(self) -> dict[str, ReceptiveField]:
        """The receptive field in each input of which the layer sees anything, by the input's name."""
        return {} if self._fields is None else self._fields.of(self._graph_node, self.output)

    @property
    def field(self) -> ReceptiveField | None:
        """The receptive field in the first input of which the layer sees anything; None if it is not known.

        An input without a spatial axis, such as a single number, has no field; a layer that sees nothing of
        any input, such as a learned tensor, has an empty one.
        """
        if self._fields is not None and self._fields.sees_nothing(self._graph_node):
            return self._fields.nothing
        first = next(iter(self.fields.values()), None)
        return None if first is None or {*first.size} <= {None} else first

    def _in_all(self, value: Any, depth: int = 0) -> D_co:
        """Return what a value of one pass comes to in one pass of the outer `depth` loops."""
        if self.loops:
            value = over(value, self.loops[depth:])
        result: D_co = value
        return result

    @property
    def times(self) -> D_co:
        """How many passes the node is."""
        return self._in_all(1)

    @property
    def params(self) -> D_co:
        """How many learned numbers belong to this node."""
        return self.params_inside(0)

    @property
    def trainable_params(self) -> D_co:
        """How many of them are trained."""
        return self.trainable_params_inside(0)

    @property
    def buffer_count(self) -> D_co:
        """How many numbers the buffers hold."""
        return self.buffer_count_inside(0)

    @property
    def macs(self) -> D_co | None:
        """Multiply-accumulates of convolutions, linear layers and matrix products."""
        return self.macs_inside(0)

    @property
    def bytes(self) -> D_co:
        """Memory of the results."""
        return self.bytes_inside(0)

    def params_inside(self, depth: int) -> D_co:
        """Return the learned numbers in one pass of the outer `depth` loops, all of those inside them."""
        return self._in_all(self._effect.params + self._moved if self.shares is None else 0, depth)

    def idle_params_inside(self, depth: int) -> D_co:
        """Return how many of them one token does not use."""
        return self._in_all(self._graph_node.layer.idle_params if self.shares is None else 0, depth)

    def trainable_params_inside(self, depth: int) -> D_co:
        """Return how many of them are trained."""
        trained = self.shares is None and self._graph_node.trainable
        return self._in_all(self._effect.params - self._statistics if trained else 0, depth)

    def buffer_count_inside(self, depth: int) -> D_co:
        """Return how many numbers the buffers hold in one pass of the outer `depth` loops."""
        return self._in_all(self._effect.buffer_count - self._moved if self.shares is None else 0, depth)

    def bytes_inside(self, depth: int) -> D_co:
        """Return the memory of the results of one pass of the outer `depth` loops."""
        sizes = (packed(product(shape), self.bits) for shape in self._effect.outputs)
        return self._in_all(sum(sizes), depth)

    @property
    def elements(self) -> D_co:
        """How many numbers the results have."""
        return self._in_all(self._effect.elements)

    def macs_inside(self, depth: int) -> D_co | None:
        """Return the multiply-accumulates in one pass of the outer `depth` loops."""
        macs = self._effect.macs
        return None if macs is None else self._in_all(macs, depth)

    def counts(self, convention: Convention, depth: int = 0) -> Counts | None:
        """Return the cost under a convention, by part, in one pass of the outer `depth` loops.

        None where the convention has no rule for the kind.
        """
        call = LayerCall(self.layer, self.inputs, self._effect, self._graph_node.called)
        counts = convention.counts(call)
        if counts is None or not self.loops:
            return counts
        return {part: over(value, self.loops[depth:]) for part, value in counts.items()}

    @property
    def bias_results(self) -> Dim:
        """How many results a bias is added to."""
        return over(LayerCall(self.layer, self.inputs, self._effect).bias, self.loops)

    def cost(self, convention: Convention, depth: int = 0) -> D_co | None:
        """Return the cost under a convention as one number, None where it has no rule for the kind."""
        counts = self.counts(convention, depth)
        return None if counts is None else cast("D_co", convention.total(counts))

    def output_after(self, depth: int) -> tuple[D_co, ...]:
        """Return the shape of the result in the last pass of all but the outer `depth` loops."""
        shape: Shape = self.output
        for loop in reversed(self.loops[depth:]):
            shape = tuple(
                [size.subs(loop.index, loop.last) if isinstance(size, Expr) else size for size in shape]
            )
        return cast("tuple[D_co, ...]", shape)

    @property
    def conditions(self) -> tuple[Requirement, ...]:
        """What must hold for this node's shapes to be true, where sizes were left free."""
        return self._effect.conditions

    def to_dict(
        self,
        *,
        receptive_fields: bool = False,
        fields: bool | None = None,
        plain: Callable[[Shape], list[Any]] = plain,
    ) -> dict[str, Any]:
        """Return the node as plain data for JSON; `times` and `loops` only where passes were left free.

        `field` is there only with `receptive_fields`, formerly `fields`. `plain` makes data of a shape.
        """
        macs = self.macs
        outputs = [plain(shape) for shape in self.outputs]
        data: dict[str, Any] = {
            "path": self.path,
            "kind": self.kind,
            "inputs": [plain(shape) for shape in self.inputs],
            "output": [*outputs[0]],
            "outputs": outputs,
            "weights": {name: plain(shape) for name, shape in self.weights.items()},
            "buffers": {name: plain(shape) for name, shape in self.buffers.items()},
            "params": number(self.params),
            "trainable_params": number(self.trainable_params),
            "macs": None if macs is None else number(macs),
            "bytes": number(self.bytes),
            "shares": self.shares,
        }
        if self.loops:
            data["times"] = number(self.times)
            data["loops"] = [
                {"path": loop.path, "index": loop.index, "first": loop.first, "last": number(loop.last)}
                for loop in self.loops
            ]
        if renamed_flag(receptive_fields, fields):
            data["field"] = None if self.field is None else self.field.to_dict()
        return data

    def __repr__(self) -> str:
        return f"<{self.path}: {self.kind} {self.output}>"


def renamed_flag(receptive_fields: bool, fields: bool | None) -> bool:
    """Return the flag `receptive_fields`; warn where it was passed under its former name."""
    if fields is None:
        return receptive_fields
    warn("`fields` is called `receptive_fields` now", DeprecationWarning, stacklevel=3)
    return fields


def total(dims: Iterable[D_co]) -> D_co:
    """Return the sum of sizes."""
    return cast("D_co", sum(dims))


def _held(tensors: Named, names: frozenset[str]) -> Dim:
    return count({name: shape for name, shape in tensors.items() if name in names})
