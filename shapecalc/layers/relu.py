"""Activations: what they share, and the rectifier that most networks have."""

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import RELU
from shapecalc.layers.family import Family
from shapecalc.layers.roles import InPlaceFlag


class Activation(Pointwise):
    """A function of each element that networks put between layers."""

    family = Family.ACTIVATION


class InPlace(Activation):
    """An activation that torch can also write over its input."""

    order = "... inplace"

    inplace: InPlaceFlag = False


class ReLU(InPlace, kind="relu", torch="torch.nn.ReLU", keras="keras.layers.ReLU"):
    """max(x, 0). Source: Nair and Hinton, 2010."""

    saves = "result"
    per_element = RELU
