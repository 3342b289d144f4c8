"""Layers whose weight is computed from others each time it is used: weight norm and spectral norm."""

from fractions import Fraction
from typing import Annotated

from shapecalc.algebra import product
from shapecalc.layers.base import Named
from shapecalc.layers.counts import Operations, norm
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Count, Flag, Integer, Nullable, Real
from shapecalc.layers.requirement import Requirement, Shape, axis_exists
from shapecalc.layers.wrapper import Wrapper


class WeightNorm(Wrapper, torch="torch.nn.utils.parametrizations.weight_norm"):
    """A layer whose weight is g·v/|v|: a length and a direction are learned in place of the weight.

    The norm is taken of what is at each position of axis `dim`, or of the complete weight if dim is null or
    -1. The weight W becomes `parametrizations.weight.original0`, the lengths, W's shape with 1 on all axes
    but dim, and `parametrizations.weight.original1`, of W's shape; with legacy, torch's older function,
    `weight_g` and `weight_v`. Shapes and MACs are those of the layer. Refuses a weight that the layer does
    not have, and an axis that the weight does not have. Source: Salimans and Kingma, 2016.

    >>> from shapecalc.layers import Linear
    >>> WeightNorm(layer=Linear(out_features=40), legacy=True).apply(((1, 20),)).weights
    {'bias': (40,), 'weight_g': (40, 1), 'weight_v': (40, 20)}
    """

    dim: Annotated[int | None, Nullable(Integer(may_be_free=False))] = 0
    legacy: Flag = False

    def requirements(self, weight: Shape) -> list[Requirement]:
        if self.dim in (None, -1):
            return []
        return [*axis_exists(self.kind, "dim", self.dim, len(weight), weight)]

    def replaced(self, weight: Shape) -> Named:
        if self.legacy:
            return {f"{self.name}_g": self._lengths(weight), f"{self.name}_v": weight}
        original = f"parametrizations.{self.name}.original"
        return {f"{original}0": self._lengths(weight), f"{original}1": weight}

    def kept(self, weight: Shape) -> Named:
        return {}

    def _lengths(self, weight: Shape) -> Shape:
        if self.dim is None or self.dim == -1:
            return ()
        axis = self.dim % len(weight)
        return tuple(size if number == axis else 1 for number, size in enumerate(weight))

    def computing(self, weight: Shape) -> Operations:
        """g·v/|v|: the norm of every direction, the factor g/|v|, and every number times it."""
        numbers, lengths = product(weight), product(self._lengths(weight))
        return norm(2, numbers, lengths) + Operations(divisions=lengths, multiplications=numbers)


class SpectralNorm(Wrapper, torch="torch.nn.utils.parametrizations.spectral_norm"):
    """A layer whose weight is divided by its largest singular value, which is approximated step by step.

    The weight W is seen as a matrix with the axis `dim` as its rows: 0 if left out, 1 for transposed
    convolutions. It becomes `parametrizations.weight.original`, of W's shape, with the buffers
    `parametrizations.weight.0._u: [rows]` and `parametrizations.weight.0._v: [columns]`, which a weight of
    one axis does not need; with legacy, torch's older function, `weight_orig`, `weight_u` and `weight_v`.
    Shapes and MACs are those of the layer. Refuses what `weight_norm` refuses. Source: Miyato et al., 2018.

    >>> from shapecalc.layers import Conv2d
    >>> layer = SpectralNorm(layer=Conv2d(out_channels=64, kernel_size=3))
    >>> layer.apply(((1, 3, 32, 32),)).buffers
    {'parametrizations.weight.0._u': (64,), 'parametrizations.weight.0._v': (27,)}
    """

    n_power_iterations: Count = 1
    eps: Real = Fraction(1, 1_000_000_000_000)
    dim: Annotated[int | None, Nullable(Integer(may_be_free=False))] = None
    legacy: Flag = False

    def requirements(self, weight: Shape) -> list[Requirement]:
        needed = [*axis_exists(self.kind, "dim", self._axis(), len(weight), weight)]
        if self.legacy:
            says = f"{self.kind}: with legacy, axes count from the front, and dim = {self._axis()} does not"
            needed.append(Requirement("axis", self._axis(), ">=", 0, says))
        return needed

    def replaced(self, weight: Shape) -> Named:
        return {f"{self.name}_orig" if self.legacy else f"parametrizations.{self.name}.original": weight}

    def kept(self, weight: Shape) -> Named:
        axis = self._axis() % len(weight)
        columns = product(replaced(weight, axis))
        if self.legacy:
            return {f"{self.name}_u": (weight[axis],), f"{self.name}_v": (columns,)}
        if len(weight) == 1:
            return {}
        start = f"parametrizations.{self.name}.0."
        return {f"{start}_u": (weight[axis],), f"{start}_v": (columns,)}

    def _axis(self) -> int:
        if self.dim is not None:
            return self.dim
        return int(self.layer.kind.startswith("conv_transpose"))

    def computing(self, weight: Shape) -> Operations:
        """W/(uᵀ·W·v), u and v being kept; a weight of one axis is divided by its norm, held above eps."""
        numbers = product(weight)
        if not self.kept(weight):
            return norm(2, numbers, 1) + Operations(comparisons=1, divisions=numbers)
        rows = weight[self._axis() % len(weight)]
        return Operations(multiplications=numbers + rows, additions=numbers - 1, divisions=numbers)
