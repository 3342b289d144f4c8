"""A question about sizes: which sizes of the inputs are unknown, and how much of the network is fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.formula import Formula
from shapecalc.engine.graph import Graph, Inference
from shapecalc.engine.graph_cache import GraphCache
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.engine.parameters import Parameters, input_shapes
from shapecalc.errors import ShapecalcError, SpecError, Undecided, nearest, quote
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.layers.base import Named
from shapecalc.layers.requirement import Shape, shown
from shapecalc.layers.roles import sizes_inferred
from shapecalc.spec.tree import Spec

OUTPUTS = ("main", "all")


@dataclass
class Question:
    """A network, as built for certain sizes, whose legal input sizes are requested."""

    spec: Spec
    built_for: Any = None
    """The input shapes that it is built for; by default those of the spec."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the spec."""
    rebuild: bool = False
    """Whether the network is rebuilt for each size, so that what was inferred may change."""
    outputs: str = "main"
    free: tuple[str, ...] | None = None
    """The unknowns, by name; by default every size of the inputs but the channels."""
    at: str | None = None
    """The layer or group whose result is meant, instead of the outputs."""
    target: tuple[int, ...] | None = None
    """What this result must be: the sizes of its maps, or of all its axes but the batch."""

    def __post_init__(self) -> None:
        if self.outputs not in OUTPUTS:
            raise SpecError(f"outputs are {' or '.join(OUTPUTS)}, not {quote(self.outputs)}")
        self.graphs = self.spec.graphs if isinstance(self.spec, InferredSpec) else GraphCache()
        self._parameters = Parameters(self.spec, self.values)
        self.built_inputs = input_shapes(self.spec, self._parameters, self.built_for, 1)
        self.names, self._axes = self._unknowns()
        self.built = self._at_built()

    @property
    def title(self) -> str:
        return titled(self.spec)

    def _unknowns(self) -> tuple[tuple[str, ...], dict[str, dict[int, str]]]:
        """Return the unknowns in the order of the inputs, and the axes that have no name of their own."""
        names: list[str] = []
        unnamed: dict[str, dict[int, str]] = {}
        for input_, declared in self.spec.input.items():
            rank = len(self.built_inputs[input_]) - self.spec.front
            axes = _sized_axes(rank, self.spec.framework)
            if rank == 2 and 1 in axes and self._reads_features(input_):
                axes = {0: "L"}
            own = [str(size) for axis, size in enumerate(declared) if axis in axes and self._is_free(size)]
            own = own if rank == len(declared) else []  # built for a shape whose axes the spec does not name
            names += own
            if not own:
                unnamed[input_] = {axis: self._letter(input_, letter) for axis, letter in axes.items()}
                names += unnamed[input_].values()
        names = list(dict.fromkeys(names))
        if self.free is None:
            return tuple(names), unnamed
        for name in self.free:
            if name not in names and name not in self.spec.parameters:
                raise SpecError(f"{self.spec.name} has no size {quote(name)}{nearest(name, names)}")
        kept = {
            input_: {axis: name for axis, name in axes.items() if name in self.free}
            for input_, axes in unnamed.items()
        }
        return tuple(dict.fromkeys(self.free)), kept

    def _reads_features(self, input_: str) -> bool:
        """Return whether the first weights that an input of two axes meets are of the second: a sequence.

        The first axis is a symbol in the trial, also of inputs of two axes that are as long: they may meet.
        """
        rank, length = self.spec.front + 2, self.built_inputs[input_][-2]
        shapes = dict(self.built_inputs)
        for name, x in shapes.items():
            if len(x) == rank and x[-2] == length:
                shapes[name] = (*x[:-2], symbol("first"), x[-1])
        try:
            inference = self.graphs.infer(self.spec, self._parameters, shapes, batched=self.spec.batched)
        except ShapecalcError:  # it may hold at other sizes
            return False
        behind = {[*self.spec.input].index(input_)}
        for node in inference.graph.nodes:
            if behind.isdisjoint(node.sources):
                continue
            behind.update(node.slots)
            kind, inputs = type(node.layer), tuple(inference.shapes[slot] or () for slot in node.sources)
            for role in sizes_inferred(kind).values():
                size = role.size(kind, inputs)
                return size is not None and not names_in([size])
        return False

    def _is_free(self, size: Any) -> bool:
        return isinstance(size, Formula) and size.is_name and size.text in self.spec.parameters

    def _letter(self, input_: str, letter: str) -> str:
        if len(self.spec.input) > 1 or letter in self.spec.parameters:
            return f"{input_}.{letter}"
        return letter

    def _at_built(self) -> dict[str, int]:
        sizes: dict[str, Any] = {
            name: self._parameters[name] for name in self.names if name in self.spec.parameters
        }
        for input_, axes in self._axes.items():
            shape = self.built_inputs[input_][self.spec.front :]
            sizes |= {name: shape[axis] for axis, name in axes.items()}
        return {name: sizes[name] for name in self.names if isinstance(sizes.get(name), int)}

    # ---- inferences

    def infer_built(self) -> Inference:
        return self.graphs.infer(self.spec, self._parameters, self.built_inputs, batched=self.spec.batched)

    def infer_at(
        self, assigned: Mapping[str, int], *, confirm: bool = True
    ) -> tuple[Inference, dict[str, Shape]]:
        """Return the inference with every unknown free that is not assigned, and the shapes of its inputs."""
        sizes: dict[str, Dim] = {name: assigned.get(name, symbol(name)) for name in self.names}
        others = {name: value for name, value in self.values.items() if name not in sizes}
        moved = {name: size for name, size in sizes.items() if name in self.spec.parameters}
        free = Parameters(self.spec, {**others, **moved})
        shapes: dict[str, Shape] = {}
        for input_, names in self._axes.items():
            shape = list(self.built_inputs[input_][self.spec.front :])
            declared = self.spec.input[input_]
            for axis, size in enumerate(declared if len(declared) == len(shape) else ()):
                shape[axis] = sizes.get(str(size), shape[axis]) if self._is_free(size) else shape[axis]
            for axis, name in names.items():
                shape[axis] = sizes[name]
            shapes[input_] = tuple(shape)
        inputs = input_shapes(self.spec, free, shapes, 1)
        values = free if self.rebuild else self._parameters
        inference = self.graphs.infer(self.spec, values, inputs, batched=self.spec.batched, confirm=confirm)
        if inference.graph.loops:
            repeat = inference.graph.loops[0].path.rpartition(".")[0]
            raise Undecided(f"which sizes are legal is not known while the passes of {repeat} are free")
        return inference, inputs

    def weights_built(self) -> dict[str, Named]:
        """Return the weights and buffers of each layer as built, by path; none when it is rebuilt."""
        if self.rebuild:
            return {}
        inference = self.infer_built()
        return {
            node.path: {**effect.weights, **effect.buffers}
            for node, effect in zip(inference.graph.nodes, inference.effects, strict=True)
            if effect is not None
        }

    def unneeded(self, graph: Graph) -> set[str]:
        """Return the paths of the layers that are not live: no requested output depends on them.

        What only another output reads is not live. What nothing reads is: nothing says that it is left out.
        For the result of a layer only what that depends on is live.
        """
        outputs = [*graph.outputs.values()]
        main, others = outputs[:1], outputs[1:]
        if self.at is not None:
            wanted = {slot for slot in [self.slot(graph)] if slot is not None}
        else:
            read = {slot for node in graph.nodes for slot in node.sources}
            dropped = {slot for node in graph.nodes for slot in node.slots} - read - set(others)
            wanted = {*main, *dropped, *(others if self.outputs == "all" else ())}
        unneeded: set[str] = set()
        for node in reversed(graph.nodes):
            if wanted.isdisjoint(node.slots):
                unneeded.add(node.path)
            else:
                wanted.update(node.sources)
        return unneeded

    def slot(self, graph: Graph) -> int | None:
        """Return the requested result, of a layer or group or the main output, if there is one."""
        if self.at is None:
            return next(iter(graph.outputs.values()), None)
        for node in graph.nodes:
            if node.path == self.at:
                return node.first_slot
        for group in graph.groups:
            if group.path == self.at and group.end > group.start:
                return graph.nodes[group.end - 1].first_slot
        known = [*(node.path for node in graph.nodes), *(group.path for group in graph.groups)]
        raise SpecError(f"{self.spec.name} has no layer {quote(self.at)}{nearest(self.at, known)}")

    def result(self, inference: Inference) -> Shape | None:
        """Return the shape of the requested result, where that is known."""
        slot = self.slot(inference.graph)
        return None if slot is None else inference.shapes[slot]

    def targets(self, shape: Shape) -> list[tuple[Dim, int]]:
        """Return the sizes of a result that have a target, each with it."""
        if self.target is None:
            return []
        if len(self.target) == len(shape) - 1:
            return [*zip(shape[1:], self.target, strict=True)]
        sized = [shape[axis + 1] for axis in _sized_axes(len(shape) - 1, self.spec.framework)]
        if len(shape) < 3 or len(sized) != len(self.target):
            target, result = "x".join(map(str, self.target)), shown(shape[1:])
            where = f"the result of {self.at}" if self.at else "the output"
            raise SpecError(
                f"{where} is {result}, which cannot be {target}",
                hint="give a size for each of its axes, or of its maps; name a layer for its result",
            )
        return [*zip(sized, self.target, strict=True)]


def _sized_axes(rank: int, framework: str) -> dict[int, str]:
    """Return the axes of an input that are sizes rather than channels, with the letters for them."""
    if rank < 2:
        return dict.fromkeys(range(rank), "n")
    first = 0 if framework == "keras" else 1
    letters = spatial_letters(rank - 1) or (f"n{number}" for number in range(rank - 1))
    return dict(enumerate(letters, first))


def titled(spec: Spec) -> str:
    """Return what a network is called."""
    return f"{spec.title} ({spec.name})" if spec.title else spec.name


def names_in(dims: Iterable[Dim]) -> set[str]:
    """Return the unknowns that some sizes depend on."""
    return {name for dim in dims if isinstance(dim, Expr) for name in dim.free_symbols}
