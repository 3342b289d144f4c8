"""Losses whose cost or whose fit depends on numbers, not on shapes alone: CTC, and the adaptive softmax."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.errors import Undecided
from shapecalc.layers.arithmetic import scaled
from shapecalc.layers.base import Joint, Named, NoBuffers, Shapes
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence, everywhere, over, placed, unknown
from shapecalc.layers.extended_number import Positive
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Extent, Flag, Integer, Listed, complaint
from shapecalc.layers.loss import Loss
from shapecalc.layers.rectifier import known
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped, shown
from shapecalc.layers.roles import InFeatures, declared


class CTCLoss(Loss, torch="torch.nn.CTCLoss"):
    """-log of the sum over all alignments of a target: `[T, N, C]` logarithms, to a loss for each sequence.

    It takes four tensors: the logarithms; the targets, `[N, S]` or all in one row; how long each sequence is,
    `[N]`; and how long each target is, `[N]`. Unbatched `[T, C]`, and one target. Whether the lengths fit is
    in their numbers, not in their shapes, and is not checked. Refuses other ranks and numbers of lengths, and
    a blank that is none of the C classes. Source: Graves et al., 2006.

    >>> CTCLoss(reduction="none").output(((50, 16, 20), (16, 30), (16,), (16,)))
    (16,)
    """

    count = 4
    unknown_dependence = (
        "targets",
        "where the target of each sequence begins is in the lengths, which are numbers",
    )

    blank: Extent = 0
    zero_infinity: Flag = False

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        x, targets, *lengths = inputs
        yield from rank_between(self.kind, x, 2, 3)
        batch = x[1] if len(x) == 3 else 1
        yield from rank_between(f"{self.kind}: the target", targets, 1, 2)
        if len(targets) == 2:
            yield from shaped(self.kind, "the target", targets, (batch, targets[1]))
        for each in lengths:
            says = f"{self.kind}: {batch} lengths are needed, not {shown(each)}"
            yield Requirement("elements", product(each), "==", batch, says)
        says = f"{self.kind}: blank = {self.blank} is none of the {x[-1]} classes"
        yield Requirement("index", x[-1] - 1, ">=", self.blank, says)

    def losses(self, inputs: Shapes) -> Shape:
        return inputs[0][1:-1]

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        x, targets, *lengths = inputs
        if len(x) == 2:
            return tuple([everywhere(tensor) for tensor in inputs])
        if len(targets) == 1:  # the numbers say where the target of each sequence begins
            return ((EVERYTHING, Along(0), EVERYTHING), *(unknown(len(tensor)) for tensor in inputs[1:]))
        own = [(Along(0),) if len(each) == 1 else unknown(len(each)) for each in lengths]
        return ((EVERYTHING, Along(0), EVERYTHING), (Along(0), EVERYTHING), *own)


class AdaptiveLogSoftmaxWithLoss(
    NoBuffers, Joint, framework="torch", torch="torch.nn.AdaptiveLogSoftmaxWithLoss"
):
    """A softmax whose rare classes are scored by narrower layers: `[N, in_features]` and the classes `[N]`.

    The results are log p of the right class, `[N]`, and the mean of their negatives, a single number. cutoffs
    divide the classes, the most frequent first: those below the first are scored by `head.weight: [cutoffs[0]
    + clusters, in_features]`, cluster i by `tail.i.0.weight: [h, in_features]` and `tail.i.1.weight: [size of
    the cluster, h]`, h = ⌊in_features/div_value^(i + 1)⌋; with head_bias there is `head.bias`. How many rows
    go through a tail follows from the targets' numbers, so the MACs are not known. Refuses features and
    targets that do not match, and cutoffs that do not rise from 1 to below n_classes. Unbatched without N.
    Source: Grave et al., 2016.

    >>> layer = AdaptiveLogSoftmaxWithLoss(n_classes=10000, cutoffs=[1000, 5000])
    >>> layer.weights(((8, 64), (8,)))["tail.1.0.weight"]
    (4, 64)
    """

    family = Family.LOSS

    in_features: InFeatures = None
    n_classes: Count
    cutoffs: Annotated[tuple[Dim, ...], Listed(Integer(1), 1)]
    div_value: Positive = 4
    head_bias: Flag = False

    @model_validator(mode="after")
    def _rising(self) -> Self:
        ends = self.cutoffs
        if isinstance(ends, tuple) and known(*ends) and any(a >= b for a, b in pairwise(ends)):
            raise complaint(f"cutoffs must rise, not {list(ends)}")
        return self

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        last = self.cutoffs[-1]
        says = f"{self.kind}: the last of the cutoffs, {last}, is not below n_classes = {self.n_classes}"
        yield Requirement("cutoffs", self.n_classes - 1, ">=", last, says)
        yield arity(self.kind, len(inputs), 2)
        x, target = inputs
        yield from rank_between(self.kind, x, 1, 2)
        yield from declared(self, x)
        yield from shaped(self.kind, "the target", target, x[:-1])

    def output(self, inputs: Shapes) -> Shape:
        return inputs[1]

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), ())

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        x, target = inputs
        if result == 1:
            return (everywhere(x), everywhere(target))
        return (over(len(x), [len(x) - 1]), placed(len(target)))

    def weights(self, inputs: Shapes) -> Named:
        features = inputs[0][-1]
        ends = (*self.cutoffs, self.n_classes)
        rows = ends[0] + len(self.cutoffs)
        named: Named = {"head.weight": (rows, features)}
        if self.head_bias:
            named |= {"head.bias": (rows,)}
        for cluster, (start, end) in enumerate(pairwise(ends)):
            narrow = self._narrowed(features, cluster + 1)
            named |= {f"tail.{cluster}.0.weight": (narrow, features)}
            named |= {f"tail.{cluster}.1.weight": (end - start, narrow)}
        return named

    def operations(self, inputs: Shapes) -> None:
        """Unknown: they depend on which classes are right."""

    def _narrowed(self, features: Dim, power: int) -> Dim:
        """Return ⌊features/div_value^power⌋, in doubles for numbers, as torch does."""
        divisor = float(self.div_value) ** power
        if isinstance(features, int):
            return int(features // divisor)
        exact = Fraction(self.div_value) ** power
        if Fraction(divisor) != exact:
            raise Undecided(f"{self.kind}: ⌊{features}/{divisor}⌋ depends on how doubles round {divisor}")
        return scaled(features, exact.denominator, exact.numerator)
