"""Where the results of a layer look: the centre of what each sees, as a line through the positions.

Along every axis of a result, position i is centred on the input's position

    first + i·stride

which for a window with extent k_e = d·(k - 1) + 1 that moves by s over p₀ padded positions is
first = (k_e - 1)/2 - p₀ and stride = s, and for a transposed one, which spreads where the other
gathers, first = (p₀ - (k_e - 1)/2)/s and stride = 1/s. Source: Araujo, Norris and Sim, Computing
receptive fields of convolutional neural networks, 2019.
"""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from shapecalc.algebra import Dim
from shapecalc.layers.dependence import Along, Dependence, Everything


class Centre(NamedTuple):
    """What the positions along one axis of a result are centred on: `first + i·stride` of an axis."""

    axis: int
    stride: Fraction | int = 1
    first: Fraction | int = 0


Centres: TypeAlias = tuple[Centre | None, ...]
"""One centre for each axis of a result; None where positions mean nothing, or it is not known."""


def kept(rank: int, others: Mapping[int, Centre | None] = MappingProxyType({})) -> Centres:
    """Return the centres of a result whose axes are those of the input, all but the `others`.

    >>> kept(2, {1: None})
    (Centre(axis=0, stride=1, first=0), None)
    """
    return tuple(others[axis] if axis in others else Centre(axis) for axis in range(rank))


def middles(dependence: Dependence, rank: int, *, keeps_places: bool) -> Centres:
    """Return the centres of a result of `rank` axes: the middles of the windows that it sees.

    >>> middles((Along(0), Along(1, ((-1, 2),), 2)), 2, keeps_places=False)[1]
    Centre(axis=1, stride=2, first=Fraction(1, 2))
    """
    centres: list[Centre | None] = [None] * rank
    for axis, view in enumerate(dependence):
        match view:
            case Along(onto, ((int(first), int(last)),), stride):
                centres[onto] = Centre(axis, stride, Fraction(first + last, 2))
            case Everything() if keeps_places:
                centres[axis] = Centre(axis)
    return tuple(centres)


def spread_over(axis: int, kernel: Dim, stride: Dim, before: Dim, dilation: Dim) -> Centre | None:
    """Return the centre along an axis that a transposed window spreads over; None where one is left free.

    >>> spread_over(2, kernel=2, stride=2, before=0, dilation=1)
    Centre(axis=2, stride=Fraction(1, 2), first=Fraction(-1, 4))
    """
    match kernel, stride, before, dilation:
        case int(k), int(s), int(p), int(d):
            return Centre(axis, Fraction(1, s), (p - Fraction(d * (k - 1), 2)) / s)
    return None


def scaled_by(axis: int, factor: Fraction | int) -> Centre:
    """Return the centre along an axis that is stretched evenly: `factor` positions for each one.

    >>> scaled_by(2, 2)
    Centre(axis=2, stride=Fraction(1, 2), first=Fraction(-1, 4))
    """
    stride = 1 / Fraction(factor)
    return Centre(axis, stride, (stride - 1) / 2)
