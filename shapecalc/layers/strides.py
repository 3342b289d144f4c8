"""Strides in elements, as torch computes them: which rearrangements are views, and which copy.

A tensor that is contiguous has None for strides. A free size is taken not to be 1.
"""

from collections.abc import Sequence

from shapecalc.algebra import Dim
from shapecalc.layers.requirement import Shape


def contiguous(shape: Shape) -> Shape:
    """Return the strides of a contiguous tensor.

    >>> contiguous((8, 3, 5))
    (15, 5, 1)
    """
    strides: list[Dim] = []
    step: Dim = 1
    for n in reversed(shape):
        strides.append(step)
        step = step * n
    return tuple(reversed(strides))


def simplest(shape: Shape, strides: Shape | None) -> Shape | None:
    """Return the strides, None where they are those of a contiguous tensor; an axis of 1 may have any.

    >>> simplest((8, 1, 5), (5, 40, 1)), simplest((5, 8), (1, 5))
    (None, (1, 5))
    """
    if strides is None or 0 in shape:
        return None
    step: Dim = 1
    for n, stride in zip(reversed(shape), reversed(strides), strict=True):
        if n != 1:
            if stride != step:
                return strides
            step = step * n
    return None


def viewed(shape: Shape, strides: Shape | None, new: Shape) -> Shape | None:
    """Return the strides of a view of another shape; None where torch has to copy.

    >>> viewed((8, 6), None, (8, 2, 3)), viewed((6, 8), (1, 6), (48,)), viewed((6, 8), (1, 6), (2, 3, 8))
    ((6, 3, 1), None, (3, 1, 6))
    """
    if strides is None or 0 in shape:
        return contiguous(new)
    made: list[Dim] = []
    left = [*new]
    for chunk, base in _chunks(shape, strides):
        taken: Dim = 1
        while left and (taken != chunk or left[-1] == 1):
            made.append(taken * base)
            taken = taken * left.pop()
        if taken != chunk:
            return None
    return None if left else tuple(reversed(made))


def _chunks(shape: Shape, strides: Shape) -> Sequence[tuple[Dim, Dim]]:
    """Return the groups of axes that lie as one, the last first, each with its size and least stride."""
    groups: list[tuple[Dim, Dim]] = []
    for n, stride in zip(reversed(shape), reversed(strides), strict=True):
        if groups and (n == 1 or stride == groups[-1][0] * groups[-1][1]):
            size, base = groups.pop()
            groups.append((size * n, base))
        else:
            groups.append((n, stride))
    return groups or [(1, 1)]


def channels_last(shape: Shape) -> Shape | None:
    """Return the strides of a batch of maps whose channels lie last, torch's `channels_last`.

    >>> channels_last((2, 3, 4, 5))
    (60, 1, 15, 3)
    """
    outer, *inner = contiguous((shape[0], *shape[2:], shape[1]))
    return simplest(shape, (outer, inner[-1], *inner[:-1]))


def has_channels_last(shape: Shape, strides: Shape | None) -> bool:
    """Whether a tensor of four or five axes lies so, and not contiguously."""
    return strides is not None and len(shape) in (4, 5) and strides == channels_last(shape)


def ordered(shape: Shape, *operands: tuple[Shape, Shape | None]) -> Shape | None:
    """Return the strides of a new tensor that an elementwise function makes of operands, given with theirs.

    Its axes lie in memory as those of the first operand do, and where that is stretched, of the next.

    >>> ordered((4, 3, 5), ((4, 3, 5), (60, 1, 12)))
    (15, 1, 3)
    >>> ordered((4, 3, 5), ((3, 1), None), ((4, 3, 5), None))
    """
    if all(strides is None for _, strides in operands):
        return None
    columns = [
        [*map(_at_large_sizes, stretched_strides(shape, x, contiguous(x) if strides is None else strides))]
        for x, strides in operands
    ]
    axes = [*reversed(range(len(shape)))]
    for number in range(1, len(axes)):
        here = number
        for before in reversed(range(number)):
            verdict = _further(axes[before], axes[here], shape, columns)
            if verdict > 0:
                axes[before], axes[here] = axes[here], axes[before]
                here = before
            elif verdict < 0:
                break
    made: list[Dim] = [0] * len(shape)
    step: Dim = 1
    for axis in axes:
        made[axis] = step
        step = step * shape[axis]
    return simplest(shape, tuple(made))


def stretched_strides(shape: Shape, x: Shape, strides: Shape) -> Shape:
    """Return the strides of a tensor that is stretched to a shape: 0 where it is.

    >>> stretched_strides((8, 3, 5), (3, 1), (1, 1))
    (0, 1, 0)
    """
    new = len(shape) - len(x)
    sizes = zip(shape[new:], x, strides, strict=True)
    return (*(0,) * new, *[stride if size == n else 0 for size, n, stride in sizes])


def _further(axis: int, other: int, shape: Shape, columns: Sequence[Sequence[int]]) -> int:
    """Return 1 where an axis has larger steps than another, -1 where it has smaller ones, otherwise 0."""
    for strides in columns:
        one, two = strides[axis], strides[other]
        if one and two and one != two:
            return 1 if one > two else -1
        if one and two and _at_large_sizes(shape[axis]) > _at_large_sizes(shape[other]):
            return 1
    return 0


def _at_large_sizes(stride: Dim) -> int:
    """Return a stride with a large number for each free size, by which strides are compared."""
    value = stride if isinstance(stride, int) else stride.subs(dict.fromkeys(stride.symbols(), 10_007))
    assert isinstance(value, int)
    return value
