"""Layers that keep every element and change only how they are arranged in axes.

Axis numbers count the batch axis and may be negative, as in torch. Sizes that are left as -1 are
computed by exact division.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from shapecalc.algebra import Dim, decide, product, quotient
from shapecalc.algebra.relation import Relation
from shapecalc.errors import Undecided
from shapecalc.layers.dependence import Along, Dependence
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Each, Index, Integer, Listed, Nullable, complaint
from shapecalc.layers.flatten import Rearranging
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, rank_between, shown
from shapecalc.layers.roles import AsNumbers


class _WithRest(Listed):
    """Sizes of at least 1, one of which may be -1 for what is left."""

    def check(self, value: Any) -> Any:
        sizes = super().check(value)
        if isinstance(sizes, tuple) and 0 in sizes:
            raise complaint(f"{list(sizes)} holds a 0; sizes are at least 1, or -1 for the rest")
        if isinstance(sizes, tuple) and sum(size == -1 for size in sizes) > 1:
            raise complaint(f"{list(sizes)} leaves more than one size open with -1")
        return sizes

    def left_open(self, value: Any) -> Iterator[Relation]:
        return Each(Integer(1)).left_open(tuple(size for size in value if size != -1))


Axes = Annotated[int | tuple[int, ...], Each(Integer(may_be_free=False))]
"""One axis or a list of them, each counted from the end when negative."""
Sizes = Annotated[tuple[Dim, ...], _WithRest(Integer(-1)), AsNumbers()]
"""A list of sizes, one of which may be -1: whatever is left."""


class Unflatten(Rearranging, torch="torch.nn.Unflatten"):
    """Splits axis `dim` into the axes of `unflattened_size`; one of them may be -1.

    Refuses sizes whose product is not that of the axis, or does not divide it where one of them is -1.

    >>> Unflatten(dim=1, unflattened_size=[2, -1]).output((1, 64, 28, 28))
    (1, 2, 32, 28, 28)
    """

    dim: Index
    unflattened_size: Annotated[tuple[Dim, ...], _WithRest(Integer(-1), 1), AsNumbers()]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield from axis_exists(self.kind, "dim", self.dim, len(x), x)
        yield fits(self.kind, self.unflattened_size, x[self.dim], f"axis {self.dim} of {shown(x)}")

    def output(self, x: Shape) -> Shape:
        return replaced(x, self.dim, *completed(self.unflattened_size, x[self.dim]))


class Reshape(Rearranging, torch="torch.reshape", keras="keras.layers.Reshape"):
    """Arranges the elements of every sample anew: `[N, ...]` to `[N, *shape]`; one size may be -1.

    `shape` leaves out the first axis, which is kept whatever it is (so of a tensor without a batch, the
    channels are kept). Refuses a shape that does not hold as many elements. In torch it is
    x.reshape(x.shape[0], *shape).

    >>> Reshape(shape=[8, -1]).output((1, 64, 7, 7))
    (1, 8, 392)
    """

    shape: Sizes

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield fits(self.kind, self.shape, product(x[1:]), f"{shown(x)} without its first axis")

    def output(self, x: Shape) -> Shape:
        return (x[0], *completed(self.shape, product(x[1:])))


class Permute(Rearranging, torch="torch.permute", keras="keras.layers.Permute"):
    """Puts the axes in the order `dims`, which names every axis once, the batch included.

    Refuses anything but a permutation of the axes.

    >>> Permute(dims=[0, 2, 3, 1]).output((1, 96, 56, 57))
    (1, 56, 57, 96)
    """

    dims: Annotated[tuple[int, ...], Listed(Integer(may_be_free=False))]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        says = f"{self.kind}: dims names {len(self.dims)} axes, but {shown(x)} has {len(x)}"
        yield Requirement("rank", len(self.dims), "==", len(x), says)
        yield from axes_exist(self.kind, "dims", self.dims, x)

    def output(self, x: Shape) -> Shape:
        return tuple(x[axis] for axis in self.dims)

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape:
        return self.output(strides)

    def dependence(self, x: Shape, result: int) -> Dependence:
        order = [axis % len(x) for axis in self.dims]
        return tuple(Along(order.index(axis)) for axis in range(len(x)))


class Transpose(Rearranging, torch="torch.transpose"):
    """Exchanges two axes. Refuses axes that do not exist.

    >>> Transpose(dim0=1, dim1=2).output((1, 768, 196))
    (1, 196, 768)
    """

    dim0: Index
    dim1: Index

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        rank = max(len(x), 1)
        yield from axis_exists(self.kind, "dim0", self.dim0, rank, x)
        yield from axis_exists(self.kind, "dim1", self.dim1, rank, x)

    def output(self, x: Shape) -> Shape:
        sizes = list(x)
        if sizes:
            sizes[self.dim0], sizes[self.dim1] = sizes[self.dim1], sizes[self.dim0]
        return tuple(sizes)

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape:
        return self.output(strides)

    def dependence(self, x: Shape, result: int) -> Dependence:
        views = [Along(axis) for axis in range(len(x))]
        if views:
            views[self.dim0], views[self.dim1] = views[self.dim1], views[self.dim0]
        return tuple(views)


class Squeeze(Rearranging, torch="torch.squeeze"):
    """Drops the axes in `dim` that have size 1 and keeps the others; without `dim`, all of size 1.

    Without `dim` a batch of 1 goes as well. Refuses axes that do not exist or come twice; a free size that
    may or may not be 1 is Undecided.

    >>> Squeeze(dim=[2, 3]).output((1, 512, 1, 1))
    (1, 512)
    """

    dim: Annotated[int | tuple[int, ...] | None, Nullable(Each(Integer(may_be_free=False)))] = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return axes_exist(self.kind, "dim", () if self.dim is None else listed(self.dim), x)

    def output(self, x: Shape) -> Shape:
        return tuple([x[axis] for axis in self._kept(x)])

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape:
        return tuple([strides[axis] for axis in self._kept(x)])

    def _kept(self, x: Shape) -> list[int]:
        candidates = range(len(x)) if self.dim is None else listed(self.dim)
        axes = {axis % max(len(x), 1) for axis in candidates}
        return [axis for axis, n in enumerate(x) if axis not in axes or not self._is_one(n, axis, x)]

    def _is_one(self, n: Dim, axis: int, x: Shape) -> bool:
        verdict = decide(n, "==", 1)
        if verdict is None:
            raise Undecided(f"{self.kind}: whether axis {axis} of {shown(x)} is 1 depends on what is free")
        return verdict


class Unsqueeze(Rearranging, torch="torch.unsqueeze"):
    """Inserts an axis of size 1 at `dim`, from -(rank + 1) to rank.

    >>> Unsqueeze(dim=-1).output((1, 512))
    (1, 512, 1)
    """

    dim: Index

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return axis_exists(self.kind, "dim", self.dim, len(x) + 1, x)

    def output(self, x: Shape) -> Shape:
        axis = self.dim % (len(x) + 1)
        return (*x[:axis], 1, *x[axis:])

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape:
        axis = self.dim % (len(x) + 1)
        return (*strides[:axis], 1, *strides[axis:])


def listed(dim: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes as a tuple, also a single axis."""
    return dim if isinstance(dim, tuple) else (dim,)


def axes_exist(kind: str, name: str, axes: Sequence[int], x: Shape) -> Iterator[Requirement]:
    """Require that every axis exists and that none is named twice."""
    rank = max(len(x), 1)
    for axis in axes:
        yield from axis_exists(kind, name, axis, rank, x)
    distinct = {axis % rank for axis in axes}
    says = f"{kind}: {name} = {list(axes)} names an axis of {shown(x)} twice"
    yield Requirement("axis", len(distinct), "==", len(axes), says)


def _known(sizes: Sequence[Dim]) -> Dim:
    return product(size for size in sizes if size != -1)


def fits(kind: str, sizes: Sequence[Dim], total: Dim, what: str) -> Requirement:
    """Require that sizes hold a number of elements, or divide it where one is left open."""
    known, text = _known(sizes), shown(tuple(sizes))
    if -1 in sizes:
        says = f"{kind}: {what} has {total} elements, which {known}, needed for {text}, does not divide"
        return Requirement("elements", total % known, "==", 0, says)
    says = f"{kind}: {what} has {total} elements, but {text} holds {known}"
    return Requirement("elements", known, "==", total, says)


def completed(sizes: Sequence[Dim], total: Dim) -> Shape:
    """Return the sizes with -1 replaced by what is left of the total.

    >>> completed((2, -1, 4), 24)
    (2, 3, 4)
    """
    return tuple(quotient(total, _known(sizes)) if size == -1 else size for size in sizes)
