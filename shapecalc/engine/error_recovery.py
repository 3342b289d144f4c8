"""What most likely comes out of a layer that refuses its input, for an inference to go on by.

One run is to list every independent mistake and none that only follows from another. So a refusal
yields the shape that its author most likely meant, and a result whose sizes are a guess is marked: a
later complaint about them is not told, unless it is that branches disagree which begin with the same
guess. Where two guesses are as likely, the inference is made with each, and what fails either way is told.

In the place of a tensor that is not there another one stands, as a guess in all, its channels too: no
refusal of it is told, until a layer makes channels of its own and only the sizes are a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Kind, Layer, Merge, Shapes
from shapecalc.layers.linear import Dense
from shapecalc.layers.merge import Broadcast, Concat
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.layers.roles import Makes, fields_with
from shapecalc.layers.wrapper import Wrapper

OF_SIZES = frozenset({"too-small", "broadcast", "concat", "padding", "elements"})
"""The refusals that may only follow from sizes which are wrong already."""

_OUTPUT_IS_MEANT = frozenset(
    {"channels", "divisibility", "too-small", "padding", "output-padding", "same-stride", "dilated-stride"}
)


NO_DOUBT: frozenset[int] = frozenset()
"""Sizes that rest on no guess."""


def whole(slot: int) -> frozenset[int]:
    """Return the doubt about a tensor that is not there: a guess in all, its channels too.

    Guesses are named by the tensor that they were made for, and those of a whole shape by its complement.
    """
    return frozenset({~slot})


def is_whole(doubt: Iterable[int]) -> bool:
    """Say whether a tensor rests on a guess of a whole shape."""
    return any(guess < 0 for guess in doubt)


def resting(layer: Kind, doubts: Sequence[frozenset[int]], *, settles: bool = True) -> frozenset[int]:
    """Return on which guesses the results of a layer rest: what makes its own channels settles those.

    A sum has the shape of any tensor in it, so what is known of one is known of the sum.
    """
    if not any(doubts):
        return NO_DOUBT
    if isinstance(layer, Merge) and layer.takes_any_number:
        doubts = [doubt for doubt in doubts if not is_whole(doubt)] or doubts
    guesses = NO_DOUBT.union(*doubts)
    if is_whole(guesses) and fields_with(type(layer), Makes):
        return frozenset(~guess if guess < 0 else guess for guess in guesses)
    if settles and layer.settles_sizes:
        return frozenset(guess for guess in guesses if guess < 0)
    return guesses


class Guesses:
    """The choices that one inference makes between equally likely causes; the next one chooses otherwise."""

    def __init__(self, inference: int = 0) -> None:
        self.inference = inference
        self.made = 0

    @property
    def walks(self) -> int:
        """How many walks there are in all: with two choices or more, each pair of them in every way."""
        return 1 << min(self.made, 2)

    def pick(self) -> int:
        """Return 0 or 1: which of the two is taken in this inference."""
        self.made += 1
        return self.inference >> (self.made - 1) % 2 & 1


def carried_on(
    layer: Kind,
    inputs: Shapes,
    refused: Refused,
    doubts: Sequence[frozenset[int]],
    mark: int,
    guesses: Guesses | None = None,
) -> tuple[Shapes | None, frozenset[int], bool]:
    """Return assumed results, the guesses that taint their sizes, and whether to report the failure.

    `doubts` says for each input on which guesses its sizes rest already; `mark` names a guess made here.
    """
    code = refused.requirement.code
    results, own = plausible(layer, inputs, code, guesses)
    doubt = resting(layer, doubts, settles=not own)
    return results, doubt | {mark} if own else doubt, not only_follows(layer, code, doubts)


def plausible(
    layer: Kind, inputs: Shapes, code: str, guesses: Guesses | None = None
) -> tuple[Shapes | None, bool]:
    """Return the most plausible results, or None, and whether their sizes are a guess."""
    if isinstance(layer, Wrapper):
        return plausible(layer.layer, inputs, code)
    if isinstance(layer, Dense) and code == "channels":
        x = inputs[0]
        if len(x) > 2 and product(x[1:]) == layer.in_features:
            return ((x[0], layer.out_features),), False  # a flatten is missing
        return layer.outputs(x), False
    if isinstance(layer, Layer) and code in _OUTPUT_IS_MEANT:
        return tuple(map(_at_least_one, layer.outputs(inputs[0]))), code in OF_SIZES
    if isinstance(layer, Joint) and not isinstance(layer, Merge) and code in _OUTPUT_IS_MEANT:
        return layer.outputs(inputs), code in OF_SIZES
    if isinstance(layer, (Concat, Broadcast)) and code in ("concat", "broadcast"):
        return _outvoted(layer, inputs, guesses or Guesses())
    return None, False


def _at_least_one(shape: Shape) -> Shape:
    return tuple(max(size, 1) if isinstance(size, int) else size for size in shape)


def _outvoted(layer: Concat | Broadcast, inputs: Shapes, guesses: Guesses) -> tuple[Shapes | None, bool]:
    """Let the branches vote on each axis where they disagree; the winner of a draw is a guess."""
    ranks = {len(x) for x in inputs}
    if len(ranks) != 1:
        return None, False
    rank = ranks.pop()
    voted: list[Dim] = []
    guessed = False
    winner: int | None = None
    for axis in range(rank):
        sizes = [x[axis] for x in inputs]
        if isinstance(layer, Concat) and axis == layer.dim % rank:
            voted.append(_sum(sizes))
            continue
        votes = Counter(size for size in sizes if size != 1 or isinstance(layer, Concat)).most_common(3)
        tied = [size for size, count in votes if count == votes[0][1]]
        if len(tied) > 1 and winner is None:
            winner = guesses.pick()  # the same branch on every axis
        voted.append(tied[winner or 0] if len(tied) > 1 else tied[0] if tied else 1)
        guessed |= len(tied) > 1
    return (tuple(voted),), guessed


def _sum(sizes: Iterable[Dim]) -> Dim:
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def only_follows(layer: Kind, code: str, guesses: Sequence[frozenset[int]]) -> bool:
    """Say whether a refusal may be due to sizes that were a guess, and so no mistake of its own.

    `guesses` says for each input on which guesses its sizes rest.
    """
    if code in ("concat", "broadcast") and len({*guesses}) == 1:
        return False  # whatever it should have been, the branches made different things of it
    if any(map(is_whole, guesses)):
        return True
    return any(guesses) and (code in OF_SIZES or (isinstance(layer, Dense) and code == "channels"))
