"""What a kind declares by a base class: that it has no weights, computes nothing, keeps the shape ..."""

from collections.abc import Iterator
from typing import Any, ClassVar

from shapecalc.algebra import Dim
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.dependence import Dependence, placed
from shapecalc.layers.effect import Named, Shapes, Window
from shapecalc.layers.memory_rule import RETURNED, MemoryRule
from shapecalc.layers.memory_traits import Mode, Place, Result, Saves
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.strides import channels_last, has_channels_last, ordered


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


class ReturnsInput:
    """Declares that the result is the input itself."""

    saves: ClassVar[Saves | None] = "nothing"

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """The input."""
        return (RETURNED,)


class KeepsOrder(MemoryRule):
    """Declares that the axes of the results lie in memory as those of the first input do."""

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Those of the input where the result is the input, else of a dense tensor in that order."""
        strides = mode.strides_of(0)
        if self.overwrites(mode) or RETURNED in self.places(inputs, mode):
            return (strides,)
        return tuple([ordered(shape, (inputs[0], strides)) for shape in self.shapes_of_results(inputs)])


class KeepsChannelsLast(MemoryRule):
    """Declares that the results have torch's `channels_last` where the input has, and else are contiguous."""

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Those of channels last, or None."""
        same = has_channels_last(inputs[0], mode.strides_of(0))
        return tuple([channels_last(shape) if same else None for shape in self.shapes_of_results(inputs)])


class GradientOfResult:
    """Declares that the gradient of each input is a view of that of the result, or a part of it."""

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """A view each."""
        return (Place(Result()),) * len(inputs)


class GradientAsResult(MemoryRule):
    """Declares that the gradient of an input is that of the result, unless the input is stretched."""

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """The very tensor, or a new one."""
        shape = self.shapes_of_results(inputs)[0]
        return tuple([Place(Result(), "same") if x == shape else None for x in inputs])


class AnyShape:
    """Declares that every input is accepted."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        """Nothing is required."""
        return iter(())
