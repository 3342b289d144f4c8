"""What a kind declares by a base class: that it has no weights, computes nothing, keeps the shape ..."""

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.dependence import Dependence, placed
from shapecalc.layers.effect import Named, Window
from shapecalc.layers.requirement import Requirement, Shape


class NoBuffers:
    """Declares that a kind has no buffers."""

    def buffers(self, x: Any) -> Named:
        """No buffers."""
        return {}


class NoWeights(NoBuffers):
    """Declares that a kind has no weights and no buffers."""

    def weights(self, x: Any) -> Named:
        """No learned tensors."""
        return {}


class NoMacs:
    """Declares that a kind does no multiply-accumulates: it copies, compares, or acts per element."""

    def macs(self, x: Any) -> Dim | None:
        """Zero."""
        return 0


class NoOperations(NoMacs):
    """Declares that a kind computes nothing: it copies or moves values, or hands them on."""

    def operations(self, x: Any) -> Operations | None:
        """Nothing."""
        return NOTHING


class NoWindow:
    """Declares that no window slides over the input: each output sees one position, or all."""

    def window(self, x: Shape) -> Window | None:
        """No window."""
        return None


class OwnPlace:
    """Declares that every result sees its own place in the input and no other."""

    def dependence(self, x: Shape, result: int) -> Dependence:
        """The place itself, on every axis."""
        return placed(len(x))


class SameShape:
    """Declares that the output has the shape of the input."""

    def output(self, x: Shape) -> Shape:
        """The input's shape."""
        return x


class AnyShape:
    """Declares that every input is accepted."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        """Nothing is required."""
        return iter(())
