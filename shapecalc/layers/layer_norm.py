"""Normalisation within each sample: over groups, over the last axes, and over neighbouring channels."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Layer, Named, NoBuffers, NoMacs, NoWeights, NoWindow, SameShape
from shapecalc.layers.counts import Operations, standardized
from shapecalc.layers.dependence import EVERYTHING, OF_GROUPS, Along, Dependence, over, placed
from shapecalc.layers.effect import Shapes, learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Decimal, Each, Flag, Integer, Nullable, Real
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.norm import EPS, enough
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between, shown
from shapecalc.layers.roles import Divides, InChannels, Inferred, declared, divided

NumGroups = Annotated[Count, Divides(of=("num_channels",))]


class GroupNorm(SameShape, NoBuffers, NoMacs, NoWindow, Layer, torch="torch.nn.GroupNorm"):
    """Group normalisation of `[N, C, ...]`: mean and variance over C/num_groups channels.

    Weights are `weight: [C]` and `bias: [C]` if affine. Refuses groups that do not divide the channels, a
    num_channels that is not C (compared if affine), and inputs with one value per group in all of the batch,
    N·C/num_groups·∏ sizes = 1. Source: Wu and He, 2018.

    >>> GroupNorm(num_groups=32).weights((1, 256, 14, 14))
    {'weight': (256,), 'bias': (256,)}
    """

    framework = "torch"
    keras = "keras.layers.GroupNormalization"
    family = Family.GROUP_NORM
    saves = "input"
    unknown_dependence = OF_GROUPS

    num_groups: NumGroups
    num_channels: InChannels = None
    eps: Real = EPS
    affine: Flag = True

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        if self.num_channels is not None:
            yield divides(self.kind, "num_groups", self.num_groups, "num_channels", self.num_channels)
        if self.affine:
            yield from declared(self, x)
        yield from divided(self, x)
        values = x[0] * (x[1] // self.num_groups) * product(x[2:])
        yield enough(self.kind, values, "values per group", x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        channels = EVERYTHING if self.num_groups == 1 else None
        return placed(len(x), dict.fromkeys(range(2, len(x)), EVERYTHING) | {1: channels})

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """A mean and a scale of each group."""
        statistic = Own((inputs[0][0] * self.num_groups,), "statistic")
        return (statistic, statistic)

    def weights(self, x: Shape) -> Named:
        return {"weight": (x[1],), "bias": (x[1],)} if self.affine else {}

    def operations(self, x: Shape) -> Operations:
        return standardized(product(x), x[0] * self.num_groups, scale=self.affine, shift=self.affine)


class NormalizedEnd(SameShape, NoBuffers, NoMacs, NoWindow, Layer):
    """The rules of normalisation over the last axes, with a weight for each position in them."""

    order = "normalized_shape eps ..."
    framework = "torch"
    saves = "input"
    takes_empty = True

    normalized_shape: Annotated[
        Dim | tuple[Dim, ...] | None, Nullable(Each(Integer(1))), Inferred("n", axis=-1)
    ] = None

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("E",) if len(x) < 4 else ()

    def normalized(self, x: Shape) -> Shape:
        """Return the sizes of the axes that are normalised: by default, of the last."""
        sizes = x[-1] if self.normalized_shape is None else self.normalized_shape
        return sizes if isinstance(sizes, tuple) else (sizes,)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        axes = 1 if self.normalized_shape is None else len(self.normalized(x))
        yield Requirement("normalized-shape", axes, ">=", 1, f"{self.kind}: normalized_shape is empty")
        yield from rank_between(self.kind, x, axes, None)
        for size, wanted in zip(x[-axes:], self.normalized(x), strict=True):
            yield Requirement("normalized-shape", wanted, "==", size, lambda: self._differs(x))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), range(len(x))[-len(self.normalized(x)) :])

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """A mean and a scale of each position."""
        statistic = Own((self.samples(inputs[0]),), "statistic")
        return (statistic, statistic)

    def samples(self, x: Shape) -> Dim:
        """Return how many positions there are before the axes that are normalised."""
        return product(x[: -len(self.normalized(x))])

    def _differs(self, x: Shape) -> str:
        wanted = self.normalized(x)
        end = f"the end of {shown(x)}, which is {shown(x[-len(wanted) :])}"
        return f"{self.kind}: normalized_shape {shown(wanted)} is not {end}"


class OverLastAxes(NormalizedEnd):
    """Normalisation over the last axes, the weights of which may be left out."""

    elementwise_affine: Flag = True


def root_mean_square(numbers: Dim, samples: Dim, *, scale: bool) -> Operations:
    """The mean of x² of every sample, then x·(1/√(mean + eps))·weight."""
    products = (2 + scale) * numbers
    return Operations(multiplications=products, additions=numbers, divisions=2 * samples, roots=samples)


class LayerNorm(OverLastAxes, torch="torch.nn.LayerNorm", keras="keras.layers.LayerNormalization"):
    """Layer normalisation over the last axes: (x - mean)/√(variance + eps) · weight + bias.

    Weights are `weight: normalized_shape` if elementwise_affine and `bias: normalized_shape` if bias too.
    Refuses a normalized_shape that is not the end of the input's shape; left out it is the last axis. Source:
    Ba et al., Layer Normalization, 2016.

    >>> LayerNorm(normalized_shape=[7, 7]).weights((1, 768, 7, 7))
    {'weight': (7, 7), 'bias': (7, 7)}
    """

    family = Family.LAYER_NORM

    eps: Real = EPS
    bias: Flag = True

    def weights(self, x: Shape) -> Named:
        size, scale = self.normalized(x), self.elementwise_affine
        return learned({"weight": size, "bias": size}, weight=scale, bias=scale and self.bias)

    def operations(self, x: Shape) -> Operations:
        scale, shift = self.elementwise_affine, self.elementwise_affine and self.bias
        return standardized(product(x), self.samples(x), scale=scale, shift=shift)


class RMSNorm(OverLastAxes, torch="torch.nn.RMSNorm", keras="keras.layers.RMSNormalization"):
    """Root-mean-square normalisation over the last axes: x/√(mean of x² + eps) · weight.

    The weight is `weight: normalized_shape` if elementwise_affine. Refuses what `layer_norm` refuses. Source:
    Zhang and Sennrich, 2019.

    >>> RMSNorm().weights((1, 128, 4096))
    {'weight': (4096,)}
    """

    family = Family.RMS_NORM

    eps: Annotated[Fraction | int | None, Nullable(Decimal())] = None

    def weights(self, x: Shape) -> Named:
        return {"weight": self.normalized(x)} if self.elementwise_affine else {}

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """The input and a scale of each position for its gradient, what is scaled for that of the weights.

        Not known of an input that is not contiguous.
        """
        if mode.strides_of(0) is not None:
            return None
        of_input = (Input(), self._scale(inputs[0])) if mode.wants(0) else ()
        return (*of_input, Own(inputs[0])) if mode.weights else of_input

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Scales and what is scaled, as far as they are not saved; without weights, the means of squares."""
        scale = self._scale(inputs[0])
        made = (scale, Own(inputs[0])) if self.elementwise_affine else (scale, scale)
        left = [*made]
        for held in self.saved(inputs, mode) or ():
            if isinstance(held, Own):
                left.remove(held)
        return (tuple(left),)

    def _scale(self, x: Shape) -> Own:
        return Own((*x[: -len(self.normalized(x))],), "statistic")

    def operations(self, x: Shape) -> Operations:
        return root_mean_square(product(x), self.samples(x), scale=self.elementwise_affine)


class LocalResponseNorm(
    SameShape, NoWeights, NoMacs, NoWindow, Layer, framework="torch", torch="torch.nn.LocalResponseNorm"
):
    """Division by the activity of neighbouring channels: x/(k + alpha/size · ∑ x²)^beta.

    The sum runs over `size` channels around each one; no pixel sees another. Takes `[N, C, ...]` of 3 or more
    dimensions. Source: Krizhevsky et al., ImageNet classification with deep convolutional neural networks,
    2012.

    >>> LocalResponseNorm(size=5).output((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    family = Family.RESPONSE_NORM

    size: Count
    alpha: Real = Fraction(1, 10_000)
    beta: Real = Fraction(3, 4)
    k: Real = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, None)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), {1: Along(1, ((-(self.size // 2), (self.size - 1) // 2),))})

    def operations(self, x: Shape) -> Operations:
        n = product(x)
        return Operations(multiplications=2 * n, additions=self.size * n, powers=n, divisions=n)


class CrossMapLRN2d(LocalResponseNorm, torch="torch.nn.CrossMapLRN2d"):
    """`local_response_norm` as torch had it first, for `[N, C, H, W]` alone.

    Refuses other ranks.

    >>> CrossMapLRN2d(size=5).output((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    unknown_dependence = ("channels", "torch's running sum never lets go of the first channel")

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 4, 4)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(4, {1: None})  # torch's running sum never lets go of channel 0
