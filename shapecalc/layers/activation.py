"""Functions of single elements that saturate or shrink: sigmoid, tanh and their relatives.

The rectifiers are in `rectifier`, functions over an axis in `softmax`.
"""

from fractions import Fraction
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.layers.counts import SIGMOID, TANH, Operations
from shapecalc.layers.effect import Shapes
from shapecalc.layers.fields import Decimal, Real, complaint
from shapecalc.layers.memory_traits import Mode, Own
from shapecalc.layers.rectifier import HARD_SIGMOID, known
from shapecalc.layers.relu import Activation, InPlace


class Sigmoid(Activation, torch="torch.nn.Sigmoid", keras="keras.activations.sigmoid"):
    """1/(1 + e⁻ˣ)."""

    saves = "result"
    per_element = SIGMOID


class LogSigmoid(Activation, torch="torch.nn.LogSigmoid", keras="keras.activations.log_sigmoid"):
    """log(1/(1 + e⁻ˣ))."""

    saves = "input"
    per_element = SIGMOID + Operations(logarithms=1)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """A buffer of e^-|x|, as torch has on the CPU."""
        return (Own(inputs[0]),)


class Hardsigmoid(InPlace, torch="torch.nn.Hardsigmoid", keras="keras.activations.hard_sigmoid"):
    """min(max(x + 3, 0), 6)/6."""

    saves = "input"
    per_element = HARD_SIGMOID


class Tanh(Activation, torch="torch.nn.Tanh", keras="keras.activations.tanh"):
    """(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)."""

    saves = "result"
    per_element = TANH


class Hardtanh(InPlace, torch="torch.nn.Hardtanh", keras="keras.activations.hard_tanh"):
    """min(max(x, min_val), max_val). Refuses max_val <= min_val."""

    saves = "input"
    per_element = Operations(comparisons=2)

    min_val: Real = -1
    max_val: Real = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if known(self.min_val, self.max_val) and self.min_val >= self.max_val:
            raise complaint(f"max_val = {float(self.max_val)} is not more than {float(self.min_val)}")
        return self


class Hardshrink(Activation, torch="torch.nn.Hardshrink", keras="keras.activations.hard_shrink"):
    """x where |x| > lambd, otherwise 0."""

    saves = "input"
    per_element = Operations(comparisons=2)

    lambd: Real = Fraction(1, 2)


class Softshrink(Activation, torch="torch.nn.Softshrink", keras="keras.activations.soft_shrink"):
    """x moved toward 0 by lambd, and 0 where |x| <= lambd. Refuses lambd < 0."""

    saves = "input"
    per_element = Operations(comparisons=2, additions=1)

    lambd: Annotated[Fraction | int, Decimal(0)] = Fraction(1, 2)


class Tanhshrink(Activation, torch="torch.nn.Tanhshrink", keras="keras.activations.tanh_shrink"):
    """x - tanh(x)."""

    saves = "nothing"
    per_element = TANH + Operations(additions=1)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The tanh."""
        return (Own(inputs[0]),)


class Softsign(Activation, torch="torch.nn.Softsign", keras="keras.activations.softsign"):
    """x/(1 + |x|)."""

    saves = "input"
    per_element = Operations(comparisons=1, additions=1, divisions=1)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The denominator."""
        return (Own(inputs[0]),)
