"""Keras' merges of single elements beside sum and product, and the dot product of each sample.

Tensors of different ranks are aligned at their batch and at their last axes, as Keras does it.
"""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import product
from shapecalc.layers.base import Merge, Shapes
from shapecalc.layers.counts import Operations, norm, products
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Flag, Integer
from shapecalc.layers.merge import Broadcast
from shapecalc.layers.requirement import Requirement, Shape, arity, axis_exists, rank_between, shown


class KerasBroadcast(Broadcast):
    """Tensors of one batch, whose other axes are stretched to one another, the last ones aligned."""

    framework = "keras"

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        for x in inputs:
            yield from rank_between(self.kind, x, 1, None)
            says = f"{self.kind}: {shown(inputs[0])} and {shown(x)} are of different batches"
            yield Requirement("broadcast", x[0], "==", inputs[0][0], says)
        yield from super().requirements(_aligned(inputs))

    def output(self, inputs: Shapes) -> Shape:
        return super().output(_aligned(inputs))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        views = super().depends_on(_aligned(inputs), result)
        pairs = zip(inputs, views, strict=True)
        return tuple((view[0], *view[len(view) - len(x) + 1 :]) for x, view in pairs)


def _aligned(inputs: Shapes) -> Shapes:
    """Return the shapes with axes of 1 behind the batch, all of one rank."""
    rank = max(map(len, inputs), default=0)
    return tuple((*x[:1], *(1,) * (rank - len(x)), *x[1:]) for x in inputs)


class KerasAverage(KerasBroadcast, kind="average", keras="keras.layers.Average"):
    """The mean of tensors, element by element: sizes are equal, or 1 and stretched.

    Refuses different batches, and sizes that differ where neither is 1.

    >>> KerasAverage().output(((2, 7, 7, 64), (2, 64)))
    (2, 7, 7, 64)
    """

    per_pair = Operations(additions=1)

    def operations(self, inputs: Shapes) -> Operations:
        numbers = product(self.output(inputs))
        return Operations(additions=(len(inputs) - 1) * numbers, divisions=numbers)


class KerasMaximum(KerasBroadcast, kind="maximum", keras="keras.layers.Maximum"):
    """The greatest of tensors, element by element. Refuses what `average` refuses.

    >>> KerasMaximum().output(((2, 7, 64), (2, 1, 64)))
    (2, 7, 64)
    """

    per_pair = Operations(comparisons=1)


class KerasMinimum(KerasBroadcast, kind="minimum", keras="keras.layers.Minimum"):
    """The least of tensors, element by element. Refuses what `average` refuses.

    >>> KerasMinimum().output(((2, 7, 64), (2, 7, 64)))
    (2, 7, 64)
    """

    per_pair = Operations(comparisons=1)


class KerasSubtract(KerasBroadcast, kind="subtract", keras="keras.layers.Subtract"):
    """The first of two tensors less the second, element by element. Refuses what `average` refuses.

    >>> KerasSubtract().output(((2, 7, 64), (2, 7, 64)))
    (2, 7, 64)
    """

    symbol = "-"
    takes_any_number = False
    per_pair = Operations(additions=1)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        yield from super().requirements(inputs)


class KerasDot(Merge, kind="dot", framework="keras", keras="keras.layers.Dot"):
    """The dot product of two tensors along an axis of each: `[N, *a, *b]`, or `[N, 1]` of vectors.

    `dim` is the axis of both, or a list with that of each; normalize divides by the norms first. Every
    result costs as many MACs as the axis is long. Refuses the axis of the batch, axes of different sizes,
    and other numbers of tensors.

    >>> KerasDot(dim=[2, 1]).output(((8, 10, 64), (8, 64, 5)))
    (8, 10, 5)
    >>> KerasDot(dim=-1).output(((8, 64), (8, 64)))
    (8, 1)
    """

    family = Family.MATRIX_PRODUCT
    keeps_places = False

    dim: Annotated[int | tuple[int, int], Each(Integer(may_be_free=False), (2,))]
    normalize: Flag = False

    def _axes(self, inputs: Shapes) -> tuple[int, int]:
        first, second = self.dim if isinstance(self.dim, tuple) else (self.dim, self.dim)
        return first % len(inputs[0]), second % len(inputs[1])

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        dims = self.dim if isinstance(self.dim, tuple) else (self.dim, self.dim)
        for x, dim in zip(inputs, dims, strict=True):
            yield from rank_between(self.kind, x, 2, None)
            yield from axis_exists(self.kind, "dim", dim, len(x), x)
            says = f"{self.kind}: dim = {dim} is the axis of the batch of {shown(x)}"
            yield Requirement("axis", dim % len(x), ">=", 1, says)
        left, right = inputs
        says = f"{self.kind}: {shown(left)} and {shown(right)} are of different batches"
        yield Requirement("shape", right[0], "==", left[0], says)
        n, m = (x[axis] for x, axis in zip(inputs, self._axes(inputs), strict=True))
        says = f"{self.kind}: the axes of {shown(left)} and {shown(right)} are {n} and {m} long"
        yield Requirement("matmul", n, "==", m, says)

    def output(self, inputs: Shapes) -> Shape:
        left, right = (replaced(x, axis) for x, axis in zip(inputs, self._axes(inputs), strict=True))
        return (*left, *right[1:]) if len(left) + len(right) > 2 else (*left, 1)

    def operations(self, inputs: Shapes) -> Operations:
        results, long = product(self.output(inputs)), inputs[0][self._axes(inputs)[0]]
        total = products(results * long, results)
        for x, axis in zip(inputs, self._axes(inputs), strict=True) if self.normalize else ():
            rows = product(replaced(x, axis))
            total = total + norm(2, product(x), rows) + Operations(divisions=product(x))
        return total

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        views: list[Dependence] = []
        place = 1
        for x, summed in zip(inputs, self._axes(inputs), strict=True):
            kept = [axis for axis in range(1, len(x)) if axis != summed]
            own = {axis: Along(number) for number, axis in enumerate(kept, place)}
            views.append((Along(0), *(own.get(axis, EVERYTHING) for axis in range(1, len(x)))))
            place += len(kept)
        return tuple(views)
