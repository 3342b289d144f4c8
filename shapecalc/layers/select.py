"""Layers that take a part of a tensor, cut it into pieces, or average axes away.

Axis numbers count the batch axis and may be negative, as in torch.
"""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, Expr, ceildiv, decide, maximum, minimum, product, quotient
from shapecalc.errors import Undecided
from shapecalc.layers.base import Layer, NoMacs, NoOperations, NoWeights, NoWindow, Shapes
from shapecalc.layers.centre import Centres, kept
from shapecalc.layers.counts import Operations, mean
from shapecalc.layers.dependence import Along, Dependence, Fixed, placed, without
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Each, Flag, Index, Integer, Nullable, complaint
from shapecalc.layers.memory_traits import Input, Mode, Place, Result
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, rank_between, shown
from shapecalc.layers.reshape import Axes, axes_exist, listed
from shapecalc.layers.roles import Lettered
from shapecalc.layers.strides import contiguous, simplest

Position = Annotated[Dim, Integer()]
"""A place along an axis, counted from the end when negative; it may be an expression."""

MOST_PIECES = 65_536
"""An axis is not cut into more pieces than this."""


class AlongAxis(NoWeights, NoOperations, NoWindow, Layer):
    """A layer that cuts along one axis."""

    family = Family.RESHAPE
    saves = "nothing"
    takes_empty = True

    dim: Index

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return (Place(Input()),) * len(self.shapes_of_results(inputs))

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        given = mode.strides_of(0)
        strides = self.cut_strides(contiguous(inputs[0]) if given is None else given)
        return tuple([simplest(shape, strides) for shape in self.shapes_of_results(inputs)])

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """A new tensor, zero where nothing was taken."""
        return (None,)

    def cut_strides(self, strides: Shape) -> Shape:
        """Return the strides of the results."""
        return strides

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield from axis_exists(self.kind, "dim", self.dim, len(x), x)

    def resized(self, x: Shape, *sizes: Dim) -> Shape:
        """Return the shape with the axis replaced by these sizes, of which there may be none."""
        return replaced(x, self.dim, *sizes)


class Cutting(AlongAxis):
    """A layer that cuts an axis into pieces of one size, the last maybe smaller."""

    takes_empty = False
    remark = (
        "The axis is that of the channels unless `dim` says otherwise (torch's own default is the batch)."
    )

    def output(self, x: Shape) -> Shape:
        return self.outputs(x)[0]

    def centres(self, x: Shape) -> Centres:
        """Each piece begins elsewhere, so that nothing is said along the axis that is cut."""
        return kept(len(x), {self.dim % len(x): None})

    def dependence(self, x: Shape, result: int) -> Dependence:
        axis = self.dim % len(x)
        first: Dim = sum(piece[axis] for piece in self.outputs(x)[:result])
        return placed(len(x), {axis: Along(axis, ((first, first),))})

    def pieces(self, x: Shape, size: Dim) -> Shapes:
        """Return the shapes of the pieces along the axis."""
        n = x[self.dim]
        count = self.count(n, size)
        if not isinstance(count, int):
            raise Undecided(f"{self.kind}: how many pieces of {size} make up {n} depends on what is free")
        return (self.resized(x, size),) * (count - 1) + (self.resized(x, n - (count - 1) * size),)

    def count(self, n: Dim, size: Dim) -> Dim:
        """Return how many pieces there are: ⌈n/size⌉, in the simplest form."""
        return quotient(n, size) if n % size == 0 else ceildiv(n, size)

    def few(self, x: Shape, size: Dim) -> Iterator[Requirement]:
        """Require a number of pieces that can be listed."""
        count = self.count(x[self.dim], size)
        if isinstance(count, int):
            says = f"{self.kind}: axis {self.dim} of {shown(x)} makes {count} pieces, more than {MOST_PIECES}"
            yield Requirement("pieces", MOST_PIECES, ">=", count, says)


class Select(AlongAxis, torch="torch.select"):
    """Takes position `index` of axis `dim`, which vanishes: x[:, index] for dim 1.

    Refuses an index outside the axis; a negative one counts from the end.

    >>> Select(dim=1, index=0).output((1, 197, 768))
    (1, 768)
    """

    index: Position

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        n = x[self.dim]
        says = f"{self.kind}: index = {self.index} is outside axis {self.dim} of {shown(x)}"
        yield Requirement("index", n, ">=", self.index + 1, says)
        yield Requirement("index", self.index, ">=", -n, says)

    def output(self, x: Shape) -> Shape:
        return self.resized(x)

    def cut_strides(self, strides: Shape) -> Shape:
        return replaced(strides, self.dim)

    def dependence(self, x: Shape, result: int) -> Dependence:
        axis = self.dim % len(x)
        place = x[axis] + self.index if _is_negative("index", self.index) else self.index
        return (*placed(axis), Fixed(place, place), *(Along(after - 1) for after in range(axis + 1, len(x))))


class Slice(AlongAxis, kind="slice"):
    """x[start:end:step] along axis `dim`: ⌈(end - start)/step⌉ positions stay.

    A negative start or end counts from the end of the axis; what lies outside is cut off, as in Python.
    Refuses a slice that is empty. Source: Python's and torch's indexing.

    >>> Slice(dim=1, start=1).output((1, 197, 768))
    (1, 196, 768)
    >>> Slice(dim=2, start=-5, end=100, step=2).output((1, 3, 4))
    (1, 3, 2)
    """

    start: Annotated[Position, Lettered(neutral=0)] = 0
    end: Annotated[Dim | None, Nullable(Integer())] = None
    step: Annotated[Count, Lettered(neutral=1)] = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        end = "its end" if self.end is None else self.end
        says = f"{self.kind}: nothing of axis {self.dim} of {shown(x)} lies from {self.start} to {end}"
        yield Requirement("empty", self._length(x[self.dim]), ">=", 1, says)

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self._length(x[self.dim]))

    def cut_strides(self, strides: Shape) -> Shape:
        return replaced(strides, self.dim, strides[self.dim] * self.step)

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """A new tensor, zero where nothing was taken; torch takes all by a view."""
        takes_all = self.step == 1 and self.output(inputs[0]) == inputs[0]
        return (Place(Result()) if takes_all else None,)

    def dependence(self, x: Shape, result: int) -> Dependence:
        axis, start = self.dim % len(x), self._first(x[self.dim])
        sees = Along(axis, ((start, start),), self.step) if isinstance(self.step, int) else None
        return placed(len(x), {axis: sees})

    def _first(self, n: Dim) -> Dim:
        return maximum(n + self.start, 0) if _is_negative("start", self.start) else self.start

    def _length(self, n: Dim) -> Dim:
        """Return the length, exact wherever it is at least 1: no other slice is accepted."""
        if self.end is None:
            end = n
        else:
            end = n + self.end if _is_negative("end", self.end) else minimum(self.end, n)
        return ceildiv(end - self._first(n), self.step)


def _is_negative(name: str, position: Dim) -> bool:
    verdict = decide(position, "<", 0)
    if verdict is None:
        raise Undecided(f"slice: whether {name} = {position} counts from the end depends on what is free")
    return verdict


class EmptySlice(AlongAxis, kind="empty_slice", framework="torch"):
    """Takes nothing of axis `dim`: x[:, :0] for dim 1, whatever the size of the axis.

    Only layers that torch is known to run on no elements take the result. Source: torch's indexing.

    >>> EmptySlice(dim=1).output((1, 197, 768))
    (1, 0, 768)
    """

    def output(self, x: Shape) -> Shape:
        return self.resized(x, 0)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x))


class Split(Cutting, framework="torch", torch="torch.split"):
    """Cuts axis `dim` into pieces: of `split_size` each, the last maybe smaller, or as listed.

    Refuses a list whose sum is not the size of the axis. How many pieces of one size a free size gives is
    Undecided unless the one divides the other.

    >>> Split(split_size=2, dim=1).outputs((1, 5, 8))
    ((1, 2, 8), (1, 2, 8), (1, 1, 8))
    """

    order = "split_size ..."

    split_size: Annotated[Dim | tuple[Dim, ...], Each(Integer(1)), Lettered("b")]
    dim: Index = 1

    @model_validator(mode="after")
    def _some_piece(self) -> Self:
        if self.split_size == ():
            raise complaint("split_size is an empty list")
        return self

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        sizes, n = self.split_size, x[self.dim]
        if isinstance(sizes, tuple):
            total: Dim = sum(sizes)
            adds = f"the sizes {list(sizes)} add up to {total}"
            says = f"{self.kind}: {adds}, but axis {self.dim} of {shown(x)} is {n}"
            yield Requirement("elements", total, "==", n, says)
        else:
            yield from self.few(x, sizes)

    def outputs(self, x: Shape) -> Shapes:
        size = self.split_size
        if isinstance(size, tuple):
            return tuple(self.resized(x, piece) for piece in size)
        return self.pieces(x, size)


class Chunk(Cutting, framework="torch", torch="torch.chunk"):
    """Cuts axis `dim` into pieces of ⌈n/chunks⌉, the last maybe smaller: at most `chunks` of them.

    A size of 5 in 4 chunks gives 3, of 2, 2 and 1, as in torch. For a free size the answer is Undecided
    unless it gives all the chunks whatever it is.

    >>> Chunk(chunks=2, dim=1).outputs((1, 64, 28, 28))
    ((1, 32, 28, 28), (1, 32, 28, 28))
    """

    order = "chunks ..."

    chunks: Annotated[Count, Lettered("c")]
    dim: Index = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        yield from self.few(x, ceildiv(x[self.dim], self.chunks))

    def outputs(self, x: Shape) -> Shapes:
        return self.pieces(x, ceildiv(x[self.dim], self.chunks))

    def count(self, n: Dim, size: Dim) -> Dim:
        full = isinstance(n, Expr) and decide((self.chunks - 1) * size, "<", n)
        return self.chunks if full else super().count(n, size)


class Mean(NoWeights, NoMacs, NoWindow, Layer, torch="torch.mean"):
    """The mean over the axes in `dim`, which vanish, or become 1 with keepdim.

    Refuses axes that do not exist or come twice.

    >>> Mean(dim=[2, 3]).output((1, 1280, 7, 7))
    (1, 1280)
    """

    family = Family.REDUCTION
    saves = "nothing"
    takes_empty = True

    dim: Axes
    keepdim: Flag = False

    @model_validator(mode="after")
    def _some_axis(self) -> Self:
        if self.dim == ():
            raise complaint("dim is an empty list; name the axes to average")
        return self

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return axes_exist(self.kind, "dim", listed(self.dim), x)

    def output(self, x: Shape) -> Shape:
        axes = self.reduced(x)
        if self.keepdim:
            return tuple(1 if axis in axes else n for axis, n in enumerate(x))
        return tuple(n for axis, n in enumerate(x) if axis not in axes)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return without(len(x), self.reduced(x), keepdim=self.keepdim)

    def reduced(self, x: Shape) -> set[int]:
        """Return the axes that are reduced, counted from the first."""
        return {axis % max(len(x), 1) for axis in listed(self.dim)}

    def operations(self, x: Shape) -> Operations:
        return mean(product(x), product(self.output(x)))
