"""Which sizes of a layer's inputs are left free in a proof, and what they are called.

Free is every axis that the layer's weights do not depend on and that no declared size determines. Merges
get one letter for sizes that must agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.bridges.torch.build import numbers
from shapecalc.bridges.torch.twins.torch_names import Sizes
from shapecalc.errors import ShapecalcError
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.layers.base import Effect, Kind, Merge, Shapes
from shapecalc.layers.merge import Concat, Matmul

Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Lettered:
    """The inputs of a layer with letters for sizes: `free` ones, and those `held` at their number.

    A size is held when our rule or torch has no answer in letters for it; one that the weights or a
    declaration determines has no letter at all.
    """

    shapes: Shapes
    free: dict[str, int]
    held: dict[str, int]

    def holding(self, names: Collection[str]) -> Lettered:
        """Return the same shapes with more sizes held, by torch."""
        free = {name: n for name, n in self.free.items() if name not in names}
        held = self.held | {name: self.free[name] for name in names}
        return Lettered(self.shapes, free, held)

    @property
    def proved(self) -> Shapes:
        """The shapes with letters for what is free, and numbers for what is held."""
        return self._replaced(self.held)

    def at(self, point: Mapping[str, int]) -> tuple[Sizes, ...]:
        """Return the shapes in numbers; sizes that the point lacks are as in the example."""
        return tuple(map(numbers, self._replaced({**self.free, **self.held, **point})))

    def _replaced(self, sizes: Mapping[str, int]) -> Shapes:
        return tuple(tuple(sizes.get(str(dim), dim) for dim in shape) for shape in self.shapes)


def lettered(layer: Kind, shapes: tuple[Sizes, ...]) -> Lettered:
    """Return the shapes with letters for what may vary.

    >>> from shapecalc.layers import Conv2d
    >>> letters = lettered(Conv2d(out_channels=8, kernel_size=3), ((2, 3, 32, 48),))
    >>> letters.proved, letters.free
    (((N, 3, H, W),), {'N': 2, 'H': 32, 'W': 48})
    """
    names = _named(layer, shapes)
    sizes = dict(zip(chain(*names), chain(*shapes), strict=True))
    sizes.pop("", None)
    alone = {name: _is_free(layer, shapes, names, {name}) for name in sizes}
    free = {name: size for name, size in sizes.items() if alone[name]}
    while free and not _is_free(layer, shapes, names, free.keys()):
        free.popitem()
    held = {name: sizes[name] for name, verdict in alone.items() if verdict is not False and name not in free}
    return Lettered(_with_letters(shapes, names, {*free, *held}), free, held)


def _with_letters(shapes: tuple[Sizes, ...], names: Names, letters: Collection[str]) -> Shapes:
    return tuple(
        tuple(symbol(name) if name in letters else size for size, name in zip(shape, row, strict=True))
        for shape, row in zip(shapes, names, strict=True)
    )


def _is_free(layer: Kind, shapes: tuple[Sizes, ...], names: Names, letters: Collection[str]) -> bool | None:
    """Say whether the layer has an answer in these letters, None when its rule cannot give one."""
    try:
        effect = layer.apply(_with_letters(shapes, names, letters))
    except ShapecalcError:
        return None
    return not _determines(effect)


def _determines(effect: Effect) -> bool:
    """Say whether the weights, or a declared size, determine one of the free sizes."""
    held = [*effect.weights.values(), *effect.buffers.values()]
    if any(isinstance(size, Expr) for shape in held for size in shape):
        return True
    return any(
        condition.op == "==" and {_plain(condition.left), _plain(condition.right)} == {"letter", "number"}
        for condition in effect.conditions
    )


def _plain(dim: Dim) -> str:
    if isinstance(dim, int):
        return "number"
    return "letter" if str(dim) in dim.free_symbols else "formula"


# ---- names


def _named(layer: Kind, shapes: tuple[Sizes, ...]) -> Names:
    if isinstance(layer, Merge):
        if isinstance(layer, Concat):
            return _joined(layer, shapes)
        return _multiplied(layer, shapes) if isinstance(layer, Matmul) else _agreeing(layer, shapes)
    if len(shapes) > 1:
        return _separate(layer, shapes)
    return tuple(_axes(layer, len(shape)) for shape in shapes)


def _separate(layer: Kind, shapes: tuple[Sizes, ...]) -> Names:
    """Give each size of several tensors a name of its own, and one name to those that only vary together.

    Of equal sizes that are not free alone, two are tried together, then all.
    """
    names = tuple(
        tuple(f"{name}{number}" for name in _axes(layer, len(shape)))
        for number, shape in enumerate(shapes, 1)
    )
    bound: dict[int, list[str]] = {}
    for name, size in zip(chain(*names), chain(*shapes), strict=True):
        if _is_free(layer, shapes, names, {name}) is not True:
            bound.setdefault(size, []).append(name)
    common: dict[str, str] = {}
    for alike in bound.values():
        for group in (*combinations(alike, 2), *([tuple(alike)] if len(alike) > 2 else [])):
            first = common.get(group[0], group[0])
            joined = common | dict.fromkeys(group, first)
            if _is_free(layer, shapes, _renamed(names, joined), {first}):
                common = joined
    return _renamed(names, common)


def _renamed(names: Names, common: Mapping[str, str]) -> Names:
    return tuple(tuple(common.get(name, name) for name in row) for row in names)


def _axes(layer: Kind, rank: int) -> tuple[str, ...]:
    """Return the names of the axes of a tensor: batch, channels, and what spatial axes there are."""
    spatial = getattr(layer, "rank", None) or max(rank - 2, 0)
    letters = spatial_letters(spatial)
    if not letters or rank not in (spatial + 1, spatial + 2):
        return ("N", "C")[:rank] + tuple(f"n{axis}" for axis in range(2, rank))
    return (*("N", "C")[-(rank - spatial) :], *letters)


def _agreeing(layer: Kind, shapes: tuple[Sizes, ...]) -> Names:
    """Align the last axes; a size of 1 that is stretched stays 1."""
    rank = max(map(len, shapes))
    names = _axes(layer, rank)
    largest = [
        max((s[axis - rank] for s in shapes if rank - axis <= len(s)), default=1) for axis in range(rank)
    ]
    return tuple(
        tuple(
            names[axis] if shape[axis - rank] == largest[axis] else ""
            for axis in range(rank - len(shape), rank)
        )
        for shape in shapes
    )


def _joined(layer: Kind, shapes: tuple[Sizes, ...]) -> Names:
    """Give every tensor a size of its own along the axis of joining."""
    names = _axes(layer, len(shapes[0]))
    at = range(len(names))[getattr(layer, "dim", 1)]
    return tuple(
        tuple(
            f"{name}{number}" if axis == at and len(shapes) > 1 else name for axis, name in enumerate(names)
        )
        for number, _ in enumerate(shapes, 1)
    )


def _multiplied(layer: Kind, shapes: tuple[Sizes, ...]) -> Names:
    """Name the rows, the inner size and the columns; the axes before them broadcast."""
    left, right = shapes
    rows = (*("n",)[: len(left) - 1], "k")
    columns = ("k", *("m",)[: len(right) - 1])
    before = _agreeing(layer, (left[:-2], right[:-2])) if len(left) > 2 or len(right) > 2 else ((), ())
    return (*before[0], *rows), (*before[1], *columns)
