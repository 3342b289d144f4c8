"""Functions of single elements that are linear on one side: the relatives of `relu`.

Parameters such as slopes are exact decimals and never change a shape.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Named
from shapecalc.layers.counts import GELU_BY_ERF, GELU_BY_TANH, SIGMOID, SOFTPLUS, TANH, Operations
from shapecalc.layers.effect import Shapes
from shapecalc.layers.fields import Count, OneOf, Real, complaint
from shapecalc.layers.memory_traits import Mode, Own
from shapecalc.layers.relu import Activation, InPlace
from shapecalc.layers.requirement import DeclaredSize, Requirement, Shape, rank_between
from shapecalc.layers.roles import Declares

SLOPED = Operations(comparisons=2, multiplications=1, additions=1)
"""max(x, 0) + slope·min(x, 0)"""
EXPONENTIAL = Operations(comparisons=2, exponentials=1, multiplications=1, additions=2)
"""max(x, 0) + min(alpha·(eˣ - 1), 0)"""
HARD_SIGMOID = Operations(additions=1, comparisons=2, divisions=1)
"""min(max(x + 3, 0), 6)/6"""


class LeakyReLU(InPlace, kind="leaky_relu", torch="torch.nn.LeakyReLU", keras="keras.layers.LeakyReLU"):
    """max(x, 0) + negative_slope · min(x, 0). Source: Maas et al., 2013."""

    saves = "input or result"
    per_element = SLOPED

    negative_slope: Real = Fraction(1, 100)


class PReLU(Activation, kind="prelu", framework="torch", torch="torch.nn.PReLU"):
    """max(x, 0) + weight · min(x, 0), with one trained slope for all or one per channel.

    The weight is `weight: [num_parameters]`. With more than one, axis 1 must be as long (an input of one
    dimension has one channel). Source: He et al., Delving deep into rectifiers, 2015.

    >>> PReLU(num_parameters=64).weights((1, 64, 32, 32))
    {'weight': (64,)}
    """

    saves = "input"
    per_element = SLOPED

    num_parameters: Annotated[Count, Declares("P")] = 1
    init: Real = Fraction(1, 4)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        if self.num_parameters != 1:
            yield from rank_between(self.kind, x, 1, None)
            channels: Dim = x[1] if len(x) > 1 else 1
            hint = f"num_parameters: {channels}, or 1 for a slope that all channels share"
            yield DeclaredSize(
                self.kind, "num_parameters", self.num_parameters, channels, x, "channels", hint
            )

    def weights(self, x: Shape) -> Named:
        return {"weight": (self.num_parameters,)}


class RReLU(InPlace, kind="rrelu", torch="torch.nn.RReLU"):
    """max(x, 0) + a · min(x, 0), a random in [lower, upper] in training, their mean in evaluation.

    Refuses lower > upper. Source: Xu et al., 2015.
    """

    saves = "input or result"
    per_element = SLOPED

    lower: Real = Fraction(1, 8)
    upper: Real = Fraction(1, 3)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if known(self.lower, self.upper) and self.lower > self.upper:
            raise complaint(f"lower = {float(self.lower)} is more than upper = {float(self.upper)}")
        return self

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The slopes that are drawn."""
        return (Own(inputs[0]),)


class ELU(InPlace, torch="torch.nn.ELU", keras="keras.layers.ELU"):
    """max(x, 0) + min(alpha(eˣ - 1), 0). Source: Clevert et al., 2015."""

    saves = "input or result"
    per_element = EXPONENTIAL

    alpha: Real = 1


class SELU(InPlace, torch="torch.nn.SELU", keras="keras.activations.selu"):
    """1.0507(max(x, 0) + min(1.6733(eˣ - 1), 0)). Source: Klambauer et al., 2017."""

    saves = "input or result"
    per_element = EXPONENTIAL + Operations(multiplications=1)


class CELU(InPlace, torch="torch.nn.CELU", keras="keras.activations.celu"):
    """max(x, 0) + min(alpha(e^(x/alpha) - 1), 0). Refuses alpha = 0."""

    saves = "input or result"
    per_element = EXPONENTIAL + Operations(divisions=1)

    alpha: Real = 1

    @model_validator(mode="after")
    def _no_division_by_zero(self) -> Self:
        if self.alpha == 0:
            raise complaint("alpha may not be 0: celu divides by it")
        return self


class GELU(Activation, torch="torch.nn.GELU", keras="keras.activations.gelu"):
    """x · Φ(x), Φ the normal distribution, exactly or through tanh.

    `approximate` is none or tanh. Source: Hendrycks and Gimpel, 2016.
    """

    saves = "input"
    approximate: Annotated[str, OneOf(("none", "tanh"))] = "none"

    def operations(self, x: Shape) -> Operations:
        return (GELU_BY_TANH if self.approximate == "tanh" else GELU_BY_ERF) * product(x)


class SiLU(InPlace, kind="silu", torch="torch.nn.SiLU", keras="keras.activations.silu"):
    """x · sigmoid(x), also called swish. Source: Ramachandran et al., 2017."""

    saves = "input"
    per_element = SIGMOID + Operations(multiplications=1)


class Mish(InPlace, torch="torch.nn.Mish", keras="keras.activations.mish"):
    """x · tanh(log(1 + eˣ)). Source: Misra, 2019."""

    saves = "input"
    per_element = SOFTPLUS + TANH + Operations(multiplications=1)


class Hardswish(InPlace, torch="torch.nn.Hardswish", keras="keras.activations.hard_silu"):
    """x · min(max(x + 3, 0), 6)/6. Source: Howard et al., MobileNetV3, 2019."""

    saves = "input"
    per_element = HARD_SIGMOID + Operations(multiplications=1)


class Softplus(Activation, torch="torch.nn.Softplus", keras="keras.activations.softplus"):
    """log(1 + e^(beta·x))/beta, and x itself where beta·x > threshold."""

    saves = "input"
    per_element = SOFTPLUS + Operations(comparisons=1, multiplications=1, divisions=1)

    beta: Real = 1
    threshold: Real = 20


class Threshold(InPlace, torch="torch.nn.Threshold"):
    """x where x > threshold, otherwise `value`.

    >>> Threshold(threshold=0.1, value=0).output((1, 10))
    (1, 10)
    """

    saves = "input"
    per_element = Operations(comparisons=1)

    threshold: Real
    value: Real


def known(*values: object) -> bool:
    """Return whether all values are numbers already, none a formula."""
    return all(isinstance(value, (int, Fraction)) for value in values)
