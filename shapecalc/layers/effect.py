"""What one layer does to the tensors it is given: results, weights, cost, and the window it slides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.record import record

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind

Shapes: TypeAlias = tuple[Shape, ...]
Named: TypeAlias = dict[str, Shape]
Caller: TypeAlias = Literal["module", "custom", "function", "method"]
"""What torch calls: a module of its own, a custom one that holds the weights of a function of
torch.nn.functional, such a function alone, or another, such as `x.relu()`."""


@record
class Window:
    """The input pixels that one output pixel sees, per spatial axis."""

    kernel: tuple[Dim, ...]
    stride: tuple[Dim, ...]
    before: tuple[Dim, ...]
    after: tuple[Dim, ...]
    dilation: tuple[Dim, ...]
    transposed: bool = False


@dataclass(slots=True)
class Effect:
    """Everything that one layer does to the tensors it is given."""

    outputs: Shapes
    weights: Named
    buffers: Named
    macs: Dim | None
    window: Window | None
    conditions: tuple[Requirement, ...] = ()
    params: Dim = field(init=False)
    buffer_count: Dim = field(init=False)
    elements: Dim = field(init=False)

    def __post_init__(self) -> None:
        self.params = count(self.weights)
        self.buffer_count = count(self.buffers) if self.buffers else 0
        self.elements = sum(map(product, self.outputs))


class Component(NamedTuple):
    """A layer inside a layer: its inputs there, and how many times it is there."""

    layer: Kind
    inputs: Shapes
    times: Dim = 1


def learned(tensors: Named, **wanted: bool) -> Named:
    """Return named tensors without those that are not wanted, by the last part of their names.

    >>> learned({"weight": (6, 3), "bias": (6,)}, bias=False)
    {'weight': (6, 3)}
    """
    if all(wanted.values()):
        return tensors
    return {name: shape for name, shape in tensors.items() if wanted.get(name.rpartition(".")[2], True)}


def replaced(x: Shape, axis: int, *sizes: Dim) -> Shape:
    """Return a shape with other sizes in place of an axis, which is counted from either end.

    >>> replaced((8, 3, 5), -1), replaced((8, 6), 1, 2, 3)
    ((8, 3), (8, 2, 3))
    """
    axis = axis % len(x)
    return (*x[:axis], *sizes, *x[axis + 1 :])


def count(tensors: Named) -> Dim:
    """Return how many numbers some named tensors hold.

    >>> count({"weight": (6, 1, 5, 5), "bias": (6,)})
    156
    """
    return sum(map(product, tensors.values()))
