"""Layers that take several tensors: sums, products, concatenation, and the matrix product.

Shapes are broadcast as torch does: aligned at their last axes, and an axis of size 1 stretches.
A free size is taken not to be 1, so two sizes of which one is free must be equal.
"""

from collections.abc import Iterator
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Merge, NoMacs, NoOperations, Shapes
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence, Scattered, placed, stretched
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Index
from shapecalc.layers.memory_rule import RETURNED
from shapecalc.layers.memory_traits import Input, Mode, Own, Place, Storage
from shapecalc.layers.mixins import GradientAsResult, GradientOfResult
from shapecalc.layers.requirement import EqualBranches, Requirement, Shape, arity, axis_exists, shown
from shapecalc.layers.strides import (
    channels_last,
    contiguous,
    has_channels_last,
    ordered,
    stretched_strides,
    viewed,
)


def broadcast(inputs: Shapes) -> Shape:
    """Return the shape that several shapes stretch to.

    >>> broadcast(((1, 64, 7, 7), (1, 64, 1, 1), (7,)))
    (1, 64, 7, 7)
    """
    rank = max(map(len, inputs))
    return tuple(_leading(inputs, axis)[0] for axis in range(-rank, 0))


def _leading(inputs: Shapes, axis: int) -> tuple[Dim, int]:
    """Return the first size on this axis that is not 1, and the number of its input."""
    present = [(x[axis], number) for number, x in enumerate(inputs) if len(x) >= -axis]
    return next((pair for pair in present if pair[0] != 1), present[0])


def stretches(kind: str, inputs: Shapes, skip: int = 0) -> Iterator[Requirement]:
    """Require that all shapes stretch to one, their last `skip` axes aside."""
    shapes = tuple(x[: len(x) - skip] for x in inputs)
    rank = max(map(len, shapes))
    same_rank = all(len(x) == rank for x in shapes)
    for axis in range(-rank, 0):
        size, leader = _leading(shapes, axis)
        for number, x in enumerate(shapes):
            if number > leader and len(x) >= -axis and x[axis] not in (1, size):
                name = f"axis {axis + rank if same_rank else axis - skip}"
                yield EqualBranches("broadcast", kind, inputs, (number, leader), name, axis - skip)


def some(kind: str, inputs: Shapes) -> Requirement:
    """Require that there is a tensor."""
    return Requirement("arity", len(inputs), ">=", 1, f"{kind} needs at least one tensor")


class Broadcast(NoMacs, Merge):
    """The rules of an operation on each element of tensors that are broadcast."""

    family = Family.MERGE
    takes_empty = takes_any_number = True
    per_pair: ClassVar[Operations | None] = None
    """The single operations for each element of two tensors; not known, unless a kind says otherwise."""

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield some(self.kind, inputs)
        yield from stretches(self.kind, inputs)

    def output(self, inputs: Shapes) -> Shape:
        return broadcast(inputs)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return tuple([stretched(x, self.output(inputs)) for x in inputs])

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        operands = [(x, mode.strides_of(number)) for number, x in enumerate(inputs)]
        return (operands[0][1] if self.overwrites(mode) else ordered(self.output(inputs), *operands),)

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return (RETURNED,) if len(inputs) == 1 else super().places(inputs, mode)

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """What is made of all tensors but the last."""
        return ((Own(broadcast(inputs[:-1])),),) if len(inputs) > 2 else ()

    def operations(self, inputs: Shapes) -> Operations | None:
        pairs = (len(inputs) - 1) * product(self.output(inputs))
        return None if self.per_pair is None else self.per_pair * pairs


class Add(GradientAsResult, Broadcast, torch="torch.add", keras="keras.layers.Add"):
    """The sum of tensors, element by element: sizes are equal, or 1 and stretched.

    Refuses sizes that differ where neither is 1.

    >>> Add().output(((1, 256, 56, 56), (1, 256, 56, 56)))
    (1, 256, 56, 56)
    """

    saves = "nothing"
    symbol = "+"
    per_pair = Operations(additions=1)


class Multiply(Broadcast, torch="torch.mul", keras="keras.layers.Multiply"):
    """The product of tensors, element by element: sizes are equal, or 1 and stretched.

    Refuses what `add` refuses.

    >>> Multiply().output(((1, 64, 56, 56), (1, 64, 1, 1)))
    (1, 64, 56, 56)
    """

    symbol = "×"
    per_pair = Operations(multiplications=1)

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """For the gradient of one of two factors, the other."""
        held: list[Storage] = []
        for number in range(1, len(inputs)):
            first = number == 1
            if mode.wants(number):
                held.append(Input() if first else Own(broadcast(inputs[:number])))
            if any(map(mode.wants, range(number))):
                held.append(Input(number))
        return tuple(held)

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """As of a sum, unless the last product is saved."""
        return () if mode.wants(len(inputs) - 1) else super().meanwhile(inputs, mode)

    def meanwhile_backward(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """For the gradient of a factor that is stretched, the product that is then summed."""
        output = broadcast(inputs)
        stretched = [x for number, x in enumerate(inputs) if mode.wants(number) and x != output]
        return (tuple([Own(output)] * len(stretched)),) if stretched else ()


class Concat(
    GradientOfResult,
    NoOperations,
    Merge,
    framework="torch",
    torch="torch.cat",
    keras="keras.layers.Concatenate",
):
    """Puts tensors behind one another along axis `dim`, whose sizes add up.

    Refuses tensors that differ in rank or on another axis, and single numbers.

    >>> Concat().output(((1, 64, 28, 28), (1, 128, 28, 28), (1, 32, 28, 28)))
    (1, 224, 28, 28)
    """

    family = Family.MERGE
    saves = "nothing"
    takes_empty = True

    dim: Index = 1

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield some(self.kind, inputs)
        first = inputs[0]
        rank = len(first)
        yield Requirement("rank", rank, ">=", 1, f"{self.kind} needs an axis, not a single number")
        for number, x in enumerate(inputs):
            branches = f"branch {number + 1} is {shown(x)} but branch 1 is {shown(first)}"
            says = f"{self.kind}: {branches}: the numbers of axes differ ({len(x)} against {rank})"
            yield Requirement("rank", len(x), "==", rank, says)
        yield from axis_exists(self.kind, "dim", self.dim, rank, first)
        for number, x in enumerate(inputs):
            for axis in range(rank):
                if axis != self.dim % rank and x[axis] != first[axis]:
                    pair, name = (number, 0), f"axis {axis}"
                    yield EqualBranches("concat", self.kind, inputs, pair, name, axis - rank)

    def output(self, inputs: Shapes) -> Shape:
        return replaced(inputs[0], self.dim, sum(x[self.dim] for x in inputs))

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        same = all(has_channels_last(x, mode.strides_of(number)) for number, x in enumerate(inputs))
        return (channels_last(self.output(inputs)) if same else None,)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        joined = self.dim % len(inputs[0])
        side_by_side = Scattered(frozenset({joined})) if len(inputs) > 1 else Along(joined)
        return (placed(len(inputs[0]), {joined: side_by_side}),) * len(inputs)


class Matmul(Merge, torch="torch.matmul"):
    """The matrix product of two tensors: `[..., n, k]` and `[..., k, m]` to `[..., n, m]`.

    The axes before the last two are broadcast; a tensor of one axis is a row on the left and a column on the
    right, and that axis vanishes. Every output costs k MACs. Refuses single numbers and inner sizes that
    differ.

    >>> Matmul().output(((1, 12, 197, 64), (1, 12, 64, 197)))
    (1, 12, 197, 197)
    >>> Matmul().macs(((8, 64), (64, 10)))
    5120
    """

    family = Family.MATRIX_PRODUCT
    keeps_places = False
    takes_empty = True

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        if len(x) == 1:
            return ("k",)
        return ("n", "k") if number == 0 else ("k", "m")

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        for number, x in enumerate(inputs):
            says = f"{self.kind}: tensor {number + 1} is a single number, which has no axis to sum over"
            yield Requirement("rank", len(x), ">=", 1, says)
        left, right = inputs
        inner, rows = left[-1], right[-2:][0]
        differ = f"the last axis of the first is {inner}, but the second has {rows} rows"
        says = f"{self.kind}: {shown(left)} by {shown(right)}: {differ}"
        yield Requirement("matmul", inner, "==", rows, says)
        yield from stretches(self.kind, (_matrix(left, row=True), _matrix(right, row=False)), skip=2)

    def output(self, inputs: Shapes) -> Shape:
        left, right = inputs
        batch = broadcast((left[:-2], right[:-2])) if len(left) > 2 or len(right) > 2 else ()
        return (*batch, *left[-2:-1], *(right[-1:] if len(right) > 1 else ()))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        left, right = inputs
        output = self.output(inputs)
        ends = (1 if len(left) > 1 else 0) + (1 if len(right) > 1 else 0)
        batch = output[: len(output) - ends]
        rows, columns = Along(len(batch)), Along(len(output) - 1)
        of_left = (*stretched(left[:-2], batch), rows, EVERYTHING) if len(left) > 1 else (EVERYTHING,)
        of_right = (*stretched(right[:-2], batch), EVERYTHING, columns) if len(right) > 1 else (EVERYTHING,)
        return (of_left, of_right)

    def operations(self, inputs: Shapes) -> Operations:
        results = product(self.output(inputs))
        return products(results * inputs[0][-1], results)

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """For the gradient of each factor the other, as torch multiplies it: as it is, or as a copy."""
        factors = self._factors(inputs, mode)
        if factors is None:
            return None
        left, right = factors
        return (*(right,) * mode.wants(0), *(left,) * mode.wants(1))

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """The copies that are not saved."""
        kept = (self.saved(inputs, mode) or ()) if mode.learns else ()
        factors = self._factors(inputs, mode) or ()
        return (tuple([made for made in factors if isinstance(made, Own) and made not in kept]),)

    def _factors(self, inputs: Shapes, mode: Mode) -> tuple[Storage, Storage] | None:
        """Return what torch multiplies; None where it is not known how it folds the axes."""
        left, right = inputs
        if len(left) < 3 and len(right) < 3:
            return Input(0), Input(1)
        if len(right) < 3:
            folded = (product(left[:-1]), left[-1])
            as_view = viewed(left, mode.strides_of(0), folded)
            if as_view is None and not mode.wants(1):
                return None
            return Own(left) if as_view is None else Input(0), Input(1)
        if len(left) < 3:
            return None
        batch = self.output(inputs)[:-2]
        return _batched(left, batch, 0, mode), _batched(right, batch, 1, mode)


def _batched(x: Shape, batch: Shape, number: int, mode: Mode) -> Storage:
    """Return a factor of a batch of products: a view of the input, or a copy where that cannot be."""
    strides = mode.strides_of(number)
    shape = (*batch, *x[-2:])
    spread = stretched_strides(shape, x, contiguous(x) if strides is None else strides)
    as_view = viewed(shape, spread, (product(batch), *x[-2:]))
    return Own(shape) if as_view is None else Input(number)


def _matrix(x: Shape, *, row: bool) -> Shape:
    """Return a shape of at least two axes, a vector as the row or the column that it is."""
    if len(x) > 1:
        return x
    return (1, *x) if row else (*x, 1)
