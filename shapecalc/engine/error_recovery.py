"""Error recovery: the results to assume for a layer that refuses its input, so that inference goes on.

One run reports every independent mistake and none that only follows from another. So a refusal yields the
shape that its author most likely meant, and a result whose sizes are a guess is tainted by that guess: a
later complaint about them is not reported, unless branches disagree that carry the same taint. Where two
causes are equally likely, inference runs once with each, and what fails either way is reported.

A missing tensor is replaced by another one, and its channels are a guess too: no refusal of it is reported
until a layer makes channels of its own and only the sizes stay tainted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Kind, Layer, Merge, Shapes
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Broadcast, Concat
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.layers.roles import Makes, fields_with

Taint: TypeAlias = frozenset[int]
"""The guesses that the sizes of a tensor depend on, each named by the slot it was made for; a guess of a
complete shape, channels included, by the complement of the slot."""

UNTAINTED: Taint = frozenset()

OF_SIZES = frozenset({"too-small", "broadcast", "concat", "padding", "elements"})
"""The refusals that may only follow from sizes which are wrong already."""

_OUTPUT_IS_CLEAR = frozenset(
    {"channels", "divisibility", "too-small", "padding", "output-padding", "same-stride", "dilated-stride"}
)
"""The refusals of a layer whose formula says all the same what its author expected."""


def missing_tensor(slot: int) -> Taint:
    """Return the taint of a replacement for a missing tensor: its complete shape is a guess."""
    return frozenset({~slot})


def is_missing(taint: Iterable[int]) -> bool:
    """Say whether a tensor depends on a guess of a complete shape."""
    return any(guess < 0 for guess in taint)


def propagate_taint(layer: Kind, taints: Sequence[Taint], *, fixes_sizes: bool = True) -> Taint:
    """Return the taint of a layer's results; a layer with channels of its own clears that of the channels.

    A sum has the shape of any of its inputs, so that one with known channels is enough.
    """
    if not any(taints):
        return UNTAINTED
    if isinstance(layer, Merge) and layer.takes_any_number:
        taints = [taint for taint in taints if not is_missing(taint)] or taints
    guesses = UNTAINTED.union(*taints)
    if is_missing(guesses) and fields_with(type(layer), Makes):
        return frozenset(~guess if guess < 0 else guess for guess in guesses)
    if fixes_sizes and layer.fixes_sizes:
        return frozenset(guess for guess in guesses if guess < 0)
    return guesses


class TieBreaks:
    """The choices that one run makes between equally likely causes; the next run chooses otherwise."""

    def __init__(self, run: int = 0) -> None:
        self.run = run
        self.made = 0

    @property
    def runs(self) -> int:
        """How many runs there are in all: with two choices or more, each pair of them in every way."""
        return 1 << min(self.made, 2)

    def pick(self) -> int:
        """Return 0 or 1: which of the two this run takes."""
        self.made += 1
        return self.run >> (self.made - 1) % 2 & 1


def recover(
    layer: Kind,
    inputs: Shapes,
    refused: Refused,
    taints: Sequence[Taint],
    slot: int,
    ties: TieBreaks | None = None,
) -> tuple[Shapes | None, Taint, bool]:
    """Return assumed results, their taint, and whether to report the refusal.

    `taints` are those of the inputs; a guess that is made here is named by `slot`, the first result.
    """
    code = refused.requirement.code
    results, is_guess = assumed_results(layer, inputs, code, ties)
    taint = propagate_taint(layer, taints, fixes_sizes=not is_guess)
    return results, taint | {slot} if is_guess else taint, not is_consequence(layer, code, taints)


def assumed_results(
    layer: Kind, inputs: Shapes, code: str, ties: TieBreaks | None = None
) -> tuple[Shapes | None, bool]:
    """Return the most plausible results, or None, and whether their sizes are a guess."""
    from shapecalc.layers.wrapper import Wrapper  # only a refusal needs the class

    if isinstance(layer, Wrapper):
        return assumed_results(layer.layer, inputs, code)
    if isinstance(layer, Dense) and code == "channels":
        x = inputs[0]
        if len(x) > 2 and product(x[1:]) == layer.in_features:
            return ((x[0], layer.out_features),), False  # a flatten is missing
        return layer.outputs(x), False
    if isinstance(layer, Layer) and code in _OUTPUT_IS_CLEAR:
        return tuple(map(_at_least_one, layer.outputs(inputs[0]))), code in OF_SIZES
    if isinstance(layer, Joint) and not isinstance(layer, Merge) and code in _OUTPUT_IS_CLEAR:
        return layer.outputs(layer.taken(inputs)), code in OF_SIZES
    if isinstance(layer, (Concat, Broadcast)) and code in ("concat", "broadcast"):
        return _majority(layer, inputs, ties or TieBreaks())
    return None, False


def _at_least_one(shape: Shape) -> Shape:
    return tuple(max(size, 1) if isinstance(size, int) else size for size in shape)


def _majority(layer: Concat | Broadcast, inputs: Shapes, ties: TieBreaks) -> tuple[Shapes | None, bool]:
    """Let the branches vote on each axis where they disagree; the winner of a draw is a guess."""
    ranks = {len(x) for x in inputs}
    if len(ranks) != 1:
        return None, False
    rank = ranks.pop()
    voted: list[Dim] = []
    is_guess = False
    winner: int | None = None
    for axis in range(rank):
        sizes = [x[axis] for x in inputs]
        if isinstance(layer, Concat) and axis == layer.dim % rank:
            voted.append(sum(sizes))
            continue
        votes = Counter(size for size in sizes if size != 1 or isinstance(layer, Concat)).most_common(3)
        tied = [size for size, count in votes if count == votes[0][1]]
        if len(tied) > 1 and winner is None:
            winner = ties.pick()  # the same branch on every axis
        voted.append(tied[winner or 0] if len(tied) > 1 else tied[0] if tied else 1)
        is_guess |= len(tied) > 1
    return (tuple(voted),), is_guess


def is_consequence(layer: Kind, code: str, taints: Sequence[Taint]) -> bool:
    """Say whether a refusal may be due to tainted inputs, and so no mistake of its own."""
    if code in ("concat", "broadcast") and len({*taints}) == 1:
        return False  # whatever it should have been, the branches made different things of it
    if any(map(is_missing, taints)):
        return True
    return any(taints) and (code in OF_SIZES or (isinstance(layer, Dense) and code == "channels"))
