"""What a traced network holds beside layers: learned tensors, constants, conditions, unknown operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, decide
from shapecalc.errors import Undecided, quote
from shapecalc.layers.base import (
    AnyShape,
    Effect,
    Layer,
    Merge,
    Named,
    NoOperations,
    NoWeights,
    NoWindow,
    Pointwise,
    Shapes,
)
from shapecalc.layers.by_name import PICKING, Word
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.dependence import Dependence, unseen
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, Integer, Listed, Nullable, OneOf, complaint
from shapecalc.layers.memory_rule import NO_GRADIENT
from shapecalc.layers.memory_traits import Input, Mode, Place, Storage, Weight
from shapecalc.layers.merge import some
from shapecalc.layers.mixins import ReturnsInput
from shapecalc.layers.requirement import Requirement, Shape, arity, checked, rank_between, shown
from shapecalc.layers.roles import AsNumbers


class NamedShapes(Annotation):
    """Tensors by their names, each with its shape."""

    def check(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return value
        if not isinstance(value, Mapping):
            raise complaint(f"{quote(value)} is not a mapping of names to shapes")
        sizes = Listed(Integer(0, may_be_free=False))
        return Tensors((str(name), sizes.check(shape)) for name, shape in value.items())

    def json_schema(self) -> dict[str, Any]:
        shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
        return {"type": "object", "additionalProperties": shape}


class Tensors(dict[str, Shape]):
    """Named shapes that can be looked up by what they are, as layers are."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


FixedShape = Annotated[tuple[int, ...], Listed(Integer(1, may_be_free=False)), AsNumbers()]
"""A shape of numbers."""
OpenShapes = Annotated[tuple[tuple[int, ...], ...], Listed(Listed(Integer(-1, may_be_free=False)))]
"""Shapes as they were seen; -1 is the batch."""


class Tensor(NoWeights, NoOperations, NoWindow, AnyShape, Layer):
    """A tensor that does not depend on the input."""

    family = Family.TENSOR
    saves = "nothing"
    kept_as: ClassVar[str | None] = None
    """The weight or buffer that it is."""
    fixes_sizes = takes_empty = True

    shape: Annotated[tuple[Dim, ...], Listed(Integer(1)), AsNumbers()]

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """None: the input plays no part."""
        return (NO_GRADIENT,)

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """A weight or a buffer is where it is kept."""
        return (None if self.kept_as is None else Place(Weight(self.kept_as), "same"),)

    def output(self, x: Shape) -> Shape:
        return self.shape

    def dependence(self, x: Shape, result: int) -> Dependence:
        return unseen(len(x))


class Parameter(Tensor, kind="parameter"):
    """A learned tensor: whatever the input, its result is `shape`, batch and all.

    The weight is `weight`, of that shape. Traced networks add it to the data or put it in front of them.
    Of a stack of experts' weights each token may use some only: `active`. Source: torch.nn.Parameter.

    >>> Parameter(shape=[1, 1, 768]).output((8, 196, 768))
    (1, 1, 768)
    >>> Parameter(shape=[8, 512, 768], active=2).idle_params == 6 * 512 * 768
    True
    """

    shape: FixedShape
    kept_as = "weight"
    active: Annotated[int | None, Nullable(Integer(1, may_be_free=False))] = None

    @property
    def idle_params(self) -> int:
        idle = 0 if self.active is None else max(0, self.shape[0] - self.active)
        return idle * prod(self.shape[1:])

    def weights(self, x: Shape) -> Named:
        return {"weight": self.shape}


class Constant(Tensor, kind="constant"):
    """A tensor that is not learned: whatever the input, its result is `shape`, batch and all.

    Source: torch.zeros and its like.

    >>> Constant(shape=[49, 49]).output((8, 3, 224, 224))
    (49, 49)
    """


class Buffer(Tensor, kind="buffer"):
    """A tensor that a module keeps and does not learn: whatever the input, its result is `shape`.

    The buffer is `buffer`, of that shape. Source: torch.nn.Module.register_buffer.

    >>> Buffer(shape=[1, 3, 1, 1]).buffers((8, 3, 224, 224))
    {'buffer': (1, 3, 1, 1)}
    """

    shape: FixedShape
    kept_as = "buffer"

    def buffers(self, x: Shape) -> Named:
        return {"buffer": self.shape}


class Require(ReturnsInput, Pointwise, kind="require"):
    """Returns its input, and refuses sizes for which the relation of `left` to `right` does not hold.

    A traced network holds what its Python code compared sizes with: the result decided which branch ran.
    Source: `if` and `assert` in a forward.

    >>> Require(left=224, relation="equal", right=224).output((1, 3, 224, 224))
    (1, 3, 224, 224)
    """

    family = Family.IDENTITY
    per_element = NOTHING

    left: Annotated[Dim, Integer()]
    relation: Annotated[str, OneOf(("equal", "unequal", "less", "at_most", "more", "at_least"))]
    right: Annotated[Dim, Integer()]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        words = self.relation.replace("_", " ") + (" than" if self.relation in ("more", "less") else "")
        says = f"{self.kind}: {self.left} is not {words} {self.right}, as the traced code had it"
        hint = "other sizes run another branch of the forward, or a loop otherwise: import the module at them"
        yield Requirement("condition", self.left, SIGNS[self.relation], self.right, says, hint)

    @property
    def condition(self) -> str:
        """The relation, as in a formula."""
        return f"{self.left} {SIGNS[self.relation]} {self.right}"


SIGNS = {"equal": "==", "unequal": "!=", "less": "<", "at_most": "<=", "more": ">", "at_least": ">="}


class Unused(ReturnsInput, Pointwise, kind="unused"):
    """Returns its input, and lists parameters and buffers that the network holds and never uses.

    They are counted: they are stored and saved with the others. `tensors` are the parameters, `kept` the
    buffers. Source: what a module's forward does not reach, such as auxiliary heads in evaluation.

    >>> Unused(tensors={"aux.fc.weight": [1000, 1024]}).weights((1, 1000))
    {'aux.fc.weight': (1000, 1024)}
    """

    family = Family.IDENTITY
    per_element = NOTHING

    tensors: Annotated[Any, NamedShapes()] = Tensors()
    kept: Annotated[Any, NamedShapes()] = Tensors()

    def weights(self, x: object) -> Named:
        return dict(self.tensors)

    def buffers(self, x: object) -> Named:
        return dict(self.kept)


class TracedFunction(Merge, kind="traced_function"):
    """A function of tensors by its name, with the shape of its results: `shape`, batch and all.

    `results` is how many of them there are. A trace writes in `shape` what the function makes of the sizes of
    its tensors, and requires what it refuses. A function that computes and that no rule counts has unknown
    MACs. Source: torch's functions that pick, sort or transform, such as torch.gather, topk and fft.

    >>> TracedFunction(function="topk", shape=[1, 5, 64], results=2).outputs(((1, 197, 64),))
    ((1, 5, 64), (1, 5, 64))
    """

    family = Family.FUNCTION
    keeps_places = False
    unknown_dependence = ("places and channels", "a function that is known by the shape of its results alone")

    function: Annotated[str, Word()]
    shape: Annotated[tuple[Dim, ...], Listed(Integer(0)), AsNumbers()]
    results: Annotated[int, Integer(1, may_be_free=False)] = 1

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield some(self.kind, inputs)

    def output(self, inputs: Shapes) -> Shape:
        return self.shape

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.shape,) * self.results

    def operations(self, inputs: Shapes) -> Operations | None:
        return PICKING.get(self.function)

    def macs(self, inputs: Shapes) -> Dim | None:
        return 0 if self.function in PICKING else None

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """The indices, where they are tensors of the network; of other functions it is not known."""
        is_known = self.function in ("index", "index_select") and len(inputs) > 1 and self.results == 1
        return tuple([Input(number) for number in range(1, len(inputs))]) if is_known else None


class Opaque(Merge, kind="opaque"):
    """An operation that no rule is known for: its shapes are those seen when it was traced.

    `takes` and `gives` are those shapes; -1 is the batch, which may be another. What it costs is not known
    unless it multiplies nothing (`macs: 0`), so totals are "at least". Other sizes than those seen are
    Undecided. Source: torch's operations that have no kind.

    >>> Opaque(function="fft_fft", takes=[[-1, 8]], gives=[[-1, 8]]).output(((2, 8),))
    (2, 8)
    """

    family = Family.OPAQUE
    takes_empty = True
    keeps_places = False
    unknown_dependence = ("places and channels", "no rule is known for the operation")

    function: Annotated[str, Word()]
    takes: OpenShapes
    gives: OpenShapes
    tensors: Annotated[Any, NamedShapes()] = Tensors()
    macs_known: Annotated[int | None, Nullable(Integer(0, may_be_free=False))] = None

    def apply(self, inputs: Shapes) -> Effect:
        conditions = checked(self.requirements(inputs))
        outputs = tuple(self._with_batch(shape, inputs) for shape in self.gives)
        return Effect(outputs, dict(self.tensors), {}, self.macs(inputs), None, conditions)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), len(self.takes))
        batches = self._batches(inputs)
        if not batches and any(-1 in shape for shape in self.gives):
            raise Undecided(f"{self.function} has no rule: its results have a batch, and no tensor has one")
        if any(decide(batches[0], "==", other) is not True for other in batches[1:]):
            raise Undecided(f"{self.function} has no rule: it was traced on tensors of one batch")
        for x, seen in zip(inputs, self.takes, strict=True):
            yield from rank_between(self.kind, x, len(seen), len(seen))
            for n, size in zip(x, seen, strict=True):
                if size != -1 and decide(n, "==", size) is not True:
                    raise Undecided(
                        f"{self.function} has no rule: it was traced on {shown(seen)}, and what it makes of "
                        f"{shown(x)} is not known"
                    )

    def output(self, inputs: Shapes) -> Shape:
        return self._with_batch(self.gives[0], inputs)

    def _with_batch(self, shape: Shape, inputs: Shapes) -> Shape:
        return tuple(self._batches(inputs)[0] if size == -1 else size for size in shape)

    def _batches(self, inputs: Shapes) -> list[Dim]:
        """Return what the inputs have where the batch was seen."""
        pairs = zip(inputs, self.takes, strict=False)
        return [n for x, seen in pairs for n, size in zip(x, seen, strict=False) if size == -1]

    def macs(self, inputs: Shapes) -> Dim | None:
        return self.macs_known
