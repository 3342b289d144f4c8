"""What most likely comes out of a layer that refuses its input, for a walk to go on by.

One run is to list every independent mistake and none that only follows from another. So a refusal
yields the shape that its author most likely meant, and a result whose sizes are a guess is marked:
a later complaint about the sizes of such a result is not a mistake of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Kind, Layer, Merge, Shapes
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Broadcast, Concat
from shapecalc.layers.requirement import Shape
from shapecalc.layers.wrapper import Wrapper

_OF_SIZES = frozenset({"too-small", "broadcast", "concat", "padding", "elements"})
"""The refusals that may only follow from sizes which are wrong already."""

_OUTPUT_IS_MEANT = frozenset(
    {"channels", "divisibility", "too-small", "padding", "output-padding", "same-stride", "dilated-stride"}
)


def plausible(layer: Kind, inputs: Shapes, code: str) -> tuple[Shapes | None, bool]:
    """Return the most plausible results, or None, and whether their sizes are a guess."""
    if isinstance(layer, Wrapper):
        return plausible(layer.layer, inputs, code)
    if isinstance(layer, Dense) and code == "channels":
        x = inputs[0]
        if len(x) > 2 and product(x[1:]) == layer.in_features:
            return ((x[0], layer.out_features),), False  # a flatten is missing
        return layer.outputs(x), False
    if isinstance(layer, Layer) and code in _OUTPUT_IS_MEANT:
        return tuple(map(_at_least_one, layer.outputs(inputs[0]))), code in _OF_SIZES
    if isinstance(layer, Joint) and not isinstance(layer, Merge) and code in _OUTPUT_IS_MEANT:
        return layer.outputs(inputs), code in _OF_SIZES
    if isinstance(layer, (Concat, Broadcast)) and code in ("concat", "broadcast"):
        return _outvoted(layer, inputs)
    return None, False


def _at_least_one(shape: Shape) -> Shape:
    return tuple(max(size, 1) if isinstance(size, int) else size for size in shape)


def _outvoted(layer: Concat | Broadcast, inputs: Shapes) -> tuple[Shapes | None, bool]:
    """Let the branches vote on each axis where they disagree; the first wins a draw, as a guess."""
    ranks = {len(x) for x in inputs}
    if len(ranks) != 1:
        return None, False
    rank = ranks.pop()
    voted: list[Dim] = []
    guessed = False
    for axis in range(rank):
        sizes = [x[axis] for x in inputs]
        if isinstance(layer, Concat) and axis == layer.dim % rank:
            voted.append(_sum(sizes))
            continue
        votes = Counter(size for size in sizes if size != 1 or isinstance(layer, Concat)).most_common(2)
        voted.append(votes[0][0] if votes else 1)
        guessed |= len(votes) > 1 and votes[0][1] == votes[1][1]
    return (tuple(voted),), guessed


def _sum(sizes: Iterable[Dim]) -> Dim:
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def only_follows(layer: Kind, code: str) -> bool:
    """Say whether a refusal may be due to sizes that were a guess, and so no mistake of its own."""
    return code in _OF_SIZES or (isinstance(layer, Dense) and code == "channels")
