"""Losses of a prediction against a target, element by element, as far as shapes go.

    reduction: none       one loss for each element
    reduction: mean, sum  a single number

A weight per element is data that a spec does not hold, and is left out.
"""

from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Merge, NoMacs, Shapes
from shapecalc.layers.counts import NOTHING, SOFTPLUS, Operations
from shapecalc.layers.dependence import Dependence, everywhere, stretched
from shapecalc.layers.extended_number import Positive
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Decimal, Flag, OneOf, Real
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.merge import broadcast, stretches
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped

Reduction = Annotated[str, OneOf(("none", "mean", "sum"))]
NotNegative = Annotated[Fraction | int, Decimal(0)]


def reduced_by(reduction: str, losses: Dim) -> Operations:
    """Return the operations of the mean or the sum of so many losses."""
    if reduction == "none":
        return NOTHING
    return Operations(additions=losses - 1, divisions=int(reduction != "sum"))


class Loss(NoMacs, Merge):
    """What losses share: how many tensors there are, and what becomes of the losses one by one."""

    family = Family.LOSS
    framework = "torch"
    example = '{name}(reduction="none").output(((8, 10), (8, 10)))\n(8, 10)'
    count: ClassVar[int] = 2
    per_loss: ClassVar[Operations | None] = None
    """The single operations for each loss; not known, unless a kind says otherwise."""

    reduction: Reduction = "mean"

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), self.count)
        yield from self.fitting(inputs)

    @abstractmethod
    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        """Yield how the tensors must fit one another."""

    @abstractmethod
    def losses(self, inputs: Shapes) -> Shape:
        """Return the shape of the losses before they are reduced."""

    def output(self, inputs: Shapes) -> Shape:
        return self.losses(inputs) if self.reduction == "none" else ()

    def operations(self, inputs: Shapes) -> Operations | None:
        own = self.unreduced(inputs)
        return None if own is None else own + reduced_by(self.reduction, product(self.losses(inputs)))

    def unreduced(self, inputs: Shapes) -> Operations | None:
        """Return the single operations of all losses, before they are reduced."""
        return None if self.per_loss is None else self.per_loss * product(self.losses(inputs))

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return self.each(inputs) if self.reduction == "none" else tuple([everywhere(x) for x in inputs])

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        """Return what each loss sees of every tensor, before they are reduced."""
        return tuple([stretched(x, self.losses(inputs)) for x in inputs])


class Stretching(Loss):
    """A loss of each element, for tensors that are broadcast; torch warns where they differ."""

    remark = "The tensors are broadcast. Refuses sizes that differ where neither is 1."

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        return stretches(self.kind, inputs)

    def losses(self, inputs: Shapes) -> Shape:
        return broadcast(inputs)


class Matching(Loss):
    """A loss of each element, for tensors of one shape."""

    remark = "Refuses a target of another shape than the input's."

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        return shaped(self.kind, "the target", inputs[1], inputs[0])

    def losses(self, inputs: Shapes) -> Shape:
        return inputs[0]


class L1Loss(Stretching, torch="torch.nn.L1Loss"):
    """|x - y| for each element, and by default their mean."""

    saves = "nothing"
    per_loss = Operations(additions=1, comparisons=1)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """X - y."""
        return (Own(self.losses(inputs)),)

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Its magnitude, if that is reduced."""
        difference = self.makes(inputs, mode)
        return ((*difference * (self.reduction != "none"), *difference * (not mode.learns)),)


class MSELoss(Stretching, torch="torch.nn.MSELoss"):
    """(x - y)² for each element, and by default their mean."""

    saves = "input"
    per_loss = Operations(additions=1, multiplications=1)


class SmoothL1Loss(Stretching, torch="torch.nn.SmoothL1Loss"):
    """(x - y)²/(2·beta) where |x - y| < beta, otherwise |x - y| - beta/2.

    Refuses a negative beta. Source: Girshick, Fast R-CNN, 2015.
    """

    per_loss = Operations(additions=2, comparisons=2, multiplications=1, divisions=1)

    beta: NotNegative = 1

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """Both tensors; not known for beta 0, which is `l1_loss`."""
        return (Input(0), Input(1)) if self.beta != 0 else None


class HuberLoss(Stretching, torch="torch.nn.HuberLoss"):
    """(x - y)²/2 where |x - y| <= delta, otherwise delta·(|x - y| - delta/2), delta > 0."""

    saves = "input"
    per_loss = Operations(additions=2, comparisons=2, multiplications=3)

    delta: Positive = 1


class PoissonNLLLoss(Stretching, torch="torch.nn.PoissonNLLLoss"):
    """eˣ - y·x for each element, or x - y·log(x + eps) if log_input is false."""

    log_input: Flag = True
    full: Flag = False
    eps: Real = Fraction(1, 100_000_000)

    def unreduced(self, inputs: Shapes) -> Operations | None:
        if self.full:
            return None  # Stirling's term goes by the values
        linear = Operations(additions=1, exponentials=1)
        own = linear if self.log_input else Operations(additions=2, logarithms=1)
        return (Operations(multiplications=1) + own) * product(self.losses(inputs))


class KLDivLoss(Stretching, torch="torch.nn.KLDivLoss"):
    """y·(log y - x) for each element, x being logarithms.

    With reduction batchmean the sum is divided by the size of the first axis, as in the definition of
    Kullback and Leibler.
    """

    reduction: Annotated[str, OneOf(("none", "mean", "sum", "batchmean"))] = "mean"
    log_target: Flag = False

    def unreduced(self, inputs: Shapes) -> Operations:
        own = Operations(exponentials=1) if self.log_target else Operations(logarithms=1)
        return (Operations(multiplications=1, additions=1) + own) * product(self.losses(inputs))


class HingeEmbeddingLoss(Stretching, torch="torch.nn.HingeEmbeddingLoss"):
    """x where y = 1, and max(0, margin - x) where y = -1."""

    per_loss = Operations(additions=1, comparisons=2)

    margin: Real = 1


class SoftMarginLoss(Stretching, torch="torch.nn.SoftMarginLoss"):
    """log(1 + e^(-y·x)) for each element, y being 1 or -1.

    The target is stretched to the input; torch does not stretch the input.
    """

    saves = "input"
    per_loss = SOFTPLUS + Operations(multiplications=1)

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        yield from super().fitting(inputs)
        yield from shaped(self.kind, "the input", inputs[0], broadcast(inputs))


class BCELoss(Matching, torch="torch.nn.BCELoss"):
    """-(y·log x + (1 - y)·log(1 - x)) for each element, x being probabilities."""

    saves = "input"
    per_loss = Operations(logarithms=2, multiplications=2, additions=3)


class BCEWithLogitsLoss(Matching, torch="torch.nn.BCEWithLogitsLoss"):
    """`bce_loss` of sigmoid(x), in one step that loses no digits."""

    saves = "input"
    per_loss = SOFTPLUS + Operations(comparisons=2, multiplications=1, additions=2)


class GaussianNLLLoss(Loss, torch="torch.nn.GaussianNLLLoss"):
    """(log v + (x - y)²/v)/2 for each element: of the input, the target and the variance.

    Input and target are broadcast. The variance has the shape of the input, or size 1 on one axis of it, or
    lacks its last axis. Refuses other shapes.

    >>> GaussianNLLLoss(reduction="none").output(((5, 2), (5, 2), (5,)))
    (5, 2)
    """

    count = 3

    full: Flag = False
    eps: Real = Fraction(1, 1_000_000)

    def fitting(self, inputs: Shapes) -> Iterator[Requirement]:
        x, _, variance = inputs
        yield from rank_between(f"{self.kind}: the variance", variance, max(len(x) - 1, 0), len(x))
        if len(variance) < len(x):
            yield from shaped(self.kind, "the variance", variance, x[:-1])
        else:
            stretched = [axis for axis, size in enumerate(variance) if size == 1 and x[axis] != 1]
            says = f"{self.kind}: the variance has size 1 on {len(stretched)} axes, where it may on one"
            yield Requirement("broadcast", 1, ">=", len(stretched), says)
            wanted = tuple(1 if axis in stretched else size for axis, size in enumerate(x))
            yield from shaped(self.kind, "the variance", variance, wanted)
        yield from stretches(self.kind, self._aligned(inputs))

    def losses(self, inputs: Shapes) -> Shape:
        return broadcast(self._aligned(inputs))

    def each(self, inputs: Shapes) -> tuple[Dependence, ...]:
        output, aligned = self.losses(inputs), self._aligned(inputs)
        return tuple([stretched(full, output)[: len(x)] for x, full in zip(inputs, aligned, strict=True)])

    def _aligned(self, inputs: Shapes) -> Shapes:
        x, target, variance = inputs
        return (x, target, variance if len(variance) == len(x) else (*variance, 1))

    def unreduced(self, inputs: Shapes) -> Operations:
        own = Operations(comparisons=1, logarithms=1, multiplications=2, divisions=1)
        return (own + Operations(additions=3 if self.full else 2)) * product(self.losses(inputs))
