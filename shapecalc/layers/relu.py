"""Activations: what they share, and the rectifiers that most networks have."""

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import RELU, Operations
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


class ReLU6(InPlace, kind="relu6", torch="torch.nn.ReLU6", keras="keras.activations.relu6"):
    """min(max(x, 0), 6). Source: Howard et al., MobileNets, 2017."""

    saves = "input"
    per_element = Operations(comparisons=2)
