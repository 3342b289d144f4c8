"""What a layer does with memory: which storages autograd holds for backward, and where results are put.

The reference is eager torch on the meta device, without autocast. Tensors of one storage are one storage:
a saved view of an input is that input, and an input that is saved twice counts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.requirement import Shape
from shapecalc.record import record

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind

DType: TypeAlias = Literal["value", "statistic", "int64", "int32", "bool", "uint8"]
"""`value` is the dtype that the layer computes in, `statistic` the same but float32 at least."""
Saves: TypeAlias = Literal["nothing", "input", "result", "input or result", "weighted"]
"""What a kind saves for backward: all inputs, the first result, the result where it overwrites the input and
the input otherwise, or the input if weights learn; and in any case what it makes besides."""
How: TypeAlias = Literal["same", "view", "in place"]
SIZES = {"int64": 8, "int32": 4, "bool": 1, "uint8": 1}
"""The bytes of an element, of what does not depend on the layer's dtype."""


@record
class Mode:
    """How a layer runs: in training or not, what learns, and how its inputs lie in memory."""

    training: bool = False
    """Whether dropout drops and statistics are those of the batch."""
    inputs: tuple[bool, ...] = ()
    """Of which inputs the gradient is wanted; of those left out it is not."""
    weights: bool = False
    """Whether the weights learn."""
    in_place: bool = False
    """Whether the source writes over the first input (`x += y`), where the kind has no field for that."""
    strides: tuple[Shape | None, ...] = ()
    """The strides of the inputs in elements; None, and what is left out, is contiguous."""

    @property
    def learns(self) -> bool:
        """Whether anything is saved for backward."""
        return self.weights or any(self.inputs)

    def wants(self, number: int) -> bool:
        """Whether the gradient of an input is wanted."""
        return number < len(self.inputs) and self.inputs[number]

    def strides_of(self, number: int) -> Shape | None:
        """Return the strides of an input, None where it is contiguous."""
        return self.strides[number] if number < len(self.strides) else None


INFERENCE = Mode()


def learning(inputs: int) -> Mode:
    """Return the mode of training, with the gradients of all inputs wanted."""
    return Mode(training=True, inputs=(True,) * inputs, weights=True)


@record
class Input:
    """The storage of an input."""

    number: int = 0


@record
class Result:
    """The storage of a result."""

    number: int = 0


@record
class Own:
    """A storage that is neither an input's nor a result's."""

    shape: Shape
    dtype: DType = "value"

    def bytes(self, value: int) -> Dim:
        """Return the bytes for a dtype of the layer with so many bytes per element.

        >>> Own((8, 64)).bytes(2), Own((64,), "statistic").bytes(2), Own((8, 64), "bool").bytes(2)
        (1024, 256, 512)
        """
        return product(self.shape) * element_size(self.dtype, value)


def element_size(dtype: DType, value: int) -> int:
    """Return the bytes of one element."""
    return max(value, 4) if dtype == "statistic" else SIZES.get(dtype, value)


@record
class Weight:
    """The storage of a weight or a buffer."""

    name: str


Storage: TypeAlias = Input | Result | Own


@record
class Place:
    """The storage that a result, or a gradient, shares with something else."""

    of: Storage | Weight
    how: How = "view"


@record
class Memory:
    """What a layer saves, where its results and gradients are, and what is there meanwhile."""

    saved: tuple[Storage, ...] = ()
    """What is held from the forward to the backward, weights and buffers left out."""
    results: tuple[Place | None, ...] = (None,)
    """Where each result is; None is a new storage of its size."""
    dtypes: tuple[DType, ...] = ("value",)
    """The dtype of each result."""
    strides: tuple[Shape | None, ...] = (None,)
    """The strides of each result in elements; None is contiguous."""
    gradients: tuple[Place | None, ...] = (None,)
    """Where the gradient of each input is; None is a new storage of its size, no elements are no gradient."""
    forward: tuple[tuple[Own, ...], ...] = ()
    """Alternatives: the greatest is there in the forward besides inputs, results and what is saved."""
    backward: tuple[tuple[Own, ...], ...] = ()
    """The same of the backward, besides what is saved and all gradients."""


@record
class Step:
    """A layer inside another: what it reads, and how its weights are called outside.

    Tensors are counted from the inputs of the outer layer on, then the results of every step in order. The
    results of the outer layer are those of its last step.
    """

    layer: Kind
    sources: tuple[int, ...]
    weights: tuple[str, ...] = ()
    """The names outside, in the order of the layer's own weights."""
    drops: tuple[int, ...] = ()
    """The tensors whose last reference dies after the step; the others die with the outer layer."""
    in_place: bool = False
    """Whether it writes over its first input."""
