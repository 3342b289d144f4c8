"""How far vectors are from one another, and losses of pairs and triples of vectors.

Tensors are broadcast, and one axis is summed over.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Merge, NoMacs, Shapes
from shapecalc.layers.counts import Operations, norm
from shapecalc.layers.dependence import EVERYTHING, Dependence, reduced, stretched
from shapecalc.layers.effect import replaced
from shapecalc.layers.extended_number import Extended, Positive
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Index, Real
from shapecalc.layers.loss import Loss, NotNegative
from shapecalc.layers.merge import broadcast, stretches
from shapecalc.layers.requirement import Requirement, Shape, arity, axis_exists, rank_between, shown

Norm = Annotated[Fraction | int | Literal["inf", "-inf"], Extended()]
_NORM = "The exponent of the norm."


def cosine(numbers: Dim, rows: Dim) -> Operations:
    """Return three sums of products for every row; two norms, held above eps, whose product divides."""
    sums = Operations(multiplications=3 * numbers, additions=3 * (numbers - rows))
    return sums + Operations(multiplications=1, roots=2, comparisons=2, divisions=1) * rows


def distance(pair: Shapes, power: object = 2) -> Operations:
    """Return the p-norm of x - y + eps over the last axis of two tensors that are broadcast."""
    shape = broadcast(pair)
    numbers = product(shape)
    return Operations(additions=2 * numbers) + norm(power, numbers, product(shape[:-1]))


class Comparing(NoMacs, Merge):
    """A distance of two tensors of vectors, which are broadcast."""

    framework = "torch"
    family = Family.DISTANCE
    remark = "Shapes are broadcast. Refuses sizes that differ where neither is 1."
    keeps_places = False

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 2)
        yield from stretches(self.kind, inputs)


class CosineSimilarity(Comparing, torch="torch.nn.CosineSimilarity"):
    """x·y/(|x|·|y|) along axis `dim`, which vanishes: `[N, D]`, `[N, D]` to `[N]`.

    A sum of products per element is no matrix product. Refuses an axis that does not exist, and an eps below
    0.

    >>> CosineSimilarity().output(((100, 128), (100, 128)))
    (100,)
    """

    dim: Index = 1
    eps: NotNegative = Fraction(1, 100_000_000)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from super().requirements(inputs)
        full = broadcast(inputs)
        yield from axis_exists(self.kind, "dim", self.dim, max(len(full), 1), full)

    def output(self, inputs: Shapes) -> Shape:
        full = broadcast(inputs)
        return replaced(full, self.dim) if full else ()

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        full = broadcast(inputs)
        return tuple([reduced(x, full, self.dim % max(len(full), 1)) for x in inputs])

    def operations(self, inputs: Shapes) -> Operations:
        return cosine(product(broadcast(inputs)), product(self.output(inputs)))


class PairwiseDistance(Comparing, torch="torch.nn.PairwiseDistance"):
    """The p-norm of x - y + eps over the last axis: `[N, D]`, `[N, D]` to `[N]`.

    With keepdim the axis stays, with size 1.

    >>> PairwiseDistance(keepdim=True).output(((100, 128), (100, 128)))
    (100, 1)
    """

    p: Norm = Field(2, description=_NORM)
    eps: Real = Fraction(1, 1_000_000)
    keepdim: Flag = False

    def output(self, inputs: Shapes) -> Shape:
        full = broadcast(inputs)
        return (*full[:-1], 1) if self.keepdim and full else full[:-1]

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        left_over = broadcast(inputs)[:-1]
        return tuple([of_vectors(x, left_over) for x in inputs])

    def operations(self, inputs: Shapes) -> Operations:
        return distance(inputs, self.p)


def of_vectors(x: Shape, output: Shape) -> Dependence:
    """Return what a result sees of vectors, its last axis, that are stretched along all others."""
    return (*stretched(x[:-1], output), EVERYTHING) if x else ()


class CosineEmbeddingLoss(Loss, torch="torch.nn.CosineEmbeddingLoss"):
    """1 - cos(x, y) where the target is 1, otherwise max(0, cos(x, y) - margin).

    Two inputs `[N, D]` and a target `[N]`; unbatched `[D]`, `[D]` and a single number. Shapes are broadcast.
    Refuses other ranks, and sizes that differ where neither is 1.

    >>> CosineEmbeddingLoss(reduction="none").output(((3, 5), (3, 5), (3,)))
    (3,)
    """

    keeps_places = False
    count = 3

    margin: Real = 0

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        *vectors, target = inputs
        yield from rank_between(f"{self.kind}: the target", target, 0, 1)
        for x in vectors:
            yield from rank_between(self.kind, x, len(target) + 1, len(target) + 1)
        yield from stretches(self.kind, tuple(vectors))
        yield from stretches(self.kind, (broadcast(tuple(vectors))[:-1], target))

    def losses(self, inputs: Shapes) -> Shape:
        *vectors, target = inputs
        return broadcast((broadcast(tuple(vectors))[:-1], target))

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        *vectors, target = inputs
        output = self.losses(inputs)
        return (*(of_vectors(x, output) for x in vectors), stretched(target, output))

    def unreduced(self, inputs: Shapes) -> Operations:
        vectors = broadcast(inputs[:2])
        chosen = Operations(additions=2, comparisons=2) * product(self.losses(inputs))
        return cosine(product(vectors), product(vectors[:-1])) + chosen


class MarginRankingLoss(Loss, torch="torch.nn.MarginRankingLoss"):
    """max(0, -t·(x - y) + margin) for each element: of two inputs and a target t of 1 or -1.

    Shapes are broadcast, but all have the same number of axes. Refuses sizes that differ where none is 1.

    >>> MarginRankingLoss(reduction="none").output(((3,), (3,), (3,)))
    (3,)
    """

    count = 3
    per_loss = Operations(additions=2, multiplications=1, comparisons=1)

    margin: Real = 0

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from of_one_rank(self.kind, inputs)
        yield from stretches(self.kind, inputs)

    def losses(self, inputs: Shapes) -> Shape:
        return broadcast(inputs)


def of_one_rank(kind: str, inputs: Shapes) -> Iterator[Requirement]:
    """Require that all tensors have as many axes as the first."""
    for x in inputs:
        says = f"{kind}: {shown(inputs[0])} and {shown(x)} differ in their number of axes"
        yield Requirement("rank", len(x), "==", len(inputs[0]), says)


class Triplet(Loss):
    """The rules of losses of an anchor, a positive and a negative example."""

    keeps_places = False
    count = 3

    margin: Positive = 1
    swap: Flag = False

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from of_one_rank(self.kind, inputs)
        for pair in self._pairs(inputs):
            yield from stretches(self.kind, pair)
        yield from stretches(self.kind, self._distances(inputs))

    def losses(self, inputs: Shapes) -> Shape:
        return broadcast(self._distances(inputs))

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        return tuple([of_vectors(x, self.losses(inputs)) for x in inputs])

    def _pairs(self, inputs: Shapes) -> tuple[Shapes, ...]:
        anchor, positive, negative = inputs
        pairs = ((anchor, positive), (anchor, negative))
        return (*pairs, (positive, negative)) if self.swap else pairs

    def _distances(self, inputs: Shapes) -> Shapes:
        return tuple(broadcast(pair)[:-1] for pair in self._pairs(inputs))

    def unreduced(self, inputs: Shapes) -> Operations:
        own = Operations(additions=2, comparisons=1 + self.swap) * product(self.losses(inputs))
        return sum((distance(pair, self.power()) for pair in self._pairs(inputs)), own)

    def power(self) -> Fraction | int | str:
        """Return the exponent of the distance, Euclidean unless a kind says otherwise."""
        return 2


class TripletMarginLoss(Triplet, torch="torch.nn.TripletMarginLoss"):
    """max(0, |a - p| - |a - n| + margin): of an anchor, a positive and a negative, `[N, D]` to `[N]`.

    The distance is that of `pairwise_distance` over the last axis; swap takes |p - n| where that is less than
    |a - n|. Shapes are broadcast, but all have the same number of axes. Refuses sizes that differ where
    neither is 1, and a margin that is not above 0.

    >>> TripletMarginLoss(reduction="none").output(((100, 128), (100, 128), (100, 128)))
    (100,)
    """

    p: Norm = Field(2, description=_NORM)
    eps: Real = Fraction(1, 1_000_000)

    def power(self) -> Fraction | int | str:
        return self.p


class TripletMarginWithDistanceLoss(Triplet, torch="torch.nn.TripletMarginWithDistanceLoss"):
    """`triplet_margin_loss` by a distance of one's own; here by the default, the Euclidean one.

    A function is nothing that a spec can hold. Refuses what `triplet_margin_loss` refuses.

    >>> TripletMarginWithDistanceLoss().output(((100, 128), (100, 128), (100, 128)))
    ()
    """
