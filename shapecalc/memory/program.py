"""A network as operations on storages: which tensors there are, where they are, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.memory_traits import Memory
from shapecalc.layers.requirement import Shape

HELD = 0
"""The storage of what a module holds: weights and buffers, which are counted by themselves."""
ACTIVATION, SAVED, INPUT, OUTPUT = "activations", "saved", "input", "output"

Key: TypeAlias = tuple[str, str]
"""A weight: the path of the layer that owns it, and its name there."""


class Weight(NamedTuple):
    """A weight that learns, and its bytes."""

    key: Key
    bytes: Dim


@dataclass(slots=True)
class Storage:
    """A piece of memory; `last` is the operation after which no variable holds it."""

    bytes: Dim
    part: str = ACTIVATION
    last: int = -1


@dataclass(slots=True)
class Tensor:
    """What a layer reads or makes; `grad` is the tensor that autograd knows it as."""

    shape: Shape
    storage: int
    item: int
    """The bytes of an element."""
    learns: bool = False
    strides: Shape | None = None
    grad: int = -1

    @property
    def bytes(self) -> Dim:
        """The bytes of its elements."""
        return product(self.shape) * self.item


@dataclass(slots=True)
class Operation:
    """A layer that runs: the tensors that it reads and makes."""

    path: str
    inputs: tuple[int, ...]
    memory: Memory
    results: tuple[int, ...] = ()
    weights: tuple[Weight, ...] = ()
    """Those that learn."""
    made: tuple[int, ...] = ()
    """The storages that it makes."""
    saved: tuple[int, ...] = ()
    """The storages that are held for its backward."""
    forward: Dim = 0
    """The bytes of what else is there during its forward, and during its backward."""
    backward: Dim = 0
    is_weight: bool = False
    """Whether its result is a learned tensor itself."""


@dataclass(slots=True)
class Program:
    """All operations of a network in the order of execution."""

    training: bool
    item: int
    """The bytes of a value."""
    tensors: list[Tensor] = field(default_factory=list)
    storages: list[Storage] = field(default_factory=lambda: [Storage(0, "held")])
    operations: list[Operation] = field(default_factory=list)
    outputs: tuple[int, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)
    """The kinds of the layers without a rule, by path."""

    def add(self, tensor: Tensor) -> int:
        """Add a tensor and return its number."""
        if tensor.grad < 0:
            tensor.grad = len(self.tensors)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def storage(self, size: Dim, part: str = ACTIVATION) -> int:
        """Add a storage and return its number."""
        self.storages.append(Storage(size, part))
        return len(self.storages) - 1

    def hold(self, tensor: int, last: int) -> None:
        """Let the storage of a tensor live until after an operation at least."""
        storage = self.storages[self.tensors[tensor].storage]
        storage.last = max(storage.last, last)
