"""How a kind states its memory: by a word, or by rules of its own. The base of every kind.

A kind that states nothing is not known: its `memory` is None, and a total says "at least".
"""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from shapecalc.layers.effect import Effect, Shapes
from shapecalc.layers.memory_of_steps import composed
from shapecalc.layers.memory_traits import (
    INFERENCE,
    DType,
    Input,
    Memory,
    Mode,
    Own,
    Place,
    Result,
    Saves,
    Step,
    Storage,
)
from shapecalc.layers.requirement import Shape

RETURNED = Place(Input(), "same")
"""The result is the very input."""

NO_GRADIENT = Place(Own((0,)))
"""No gradient reaches the input."""


class MemoryRule:
    """The rules of memory; each may be replaced, and all but what is saved have a default."""

    if TYPE_CHECKING:

        def apply(self, inputs: Shapes) -> Effect: ...

        framework: ClassVar[str | None]
        saves: ClassVar[Saves | None]

    def memory(self, inputs: Shapes, mode: Mode = INFERENCE) -> Memory | None:
        """Return what is saved, shared and made besides on these inputs; None where it is not known."""
        if self.framework in ("keras", "onnx"):
            return None
        if mode.weights and not self.has_weights(inputs):
            mode = replace(mode, weights=False)
        if steps := self.steps(inputs):
            return composed(steps, inputs, mode)
        saved = self.saved(inputs, mode)
        if saved is None:
            return None
        if self.overwrites(mode):  # autograd saves a copy of what is written over
            saved = tuple([Own(inputs[0]) if held == Input(0) else held for held in saved])
        places = self.places(inputs, mode)
        return Memory(
            saved=saved if mode.learns else (),
            results=places,
            dtypes=self.dtypes(inputs, len(places)),
            strides=self.result_strides(inputs, mode, len(places)),
            gradients=self.gradients(inputs, mode) if mode.learns else (None,) * len(inputs),
            forward=self.meanwhile(inputs, mode),
            backward=self.meanwhile_backward(inputs, mode) if mode.learns else (),
        )

    def steps(self, inputs: Shapes) -> tuple[Step, ...]:
        """Return the layers inside, in order, of one that is made of others."""
        return ()

    def shapes_of_results(self, inputs: Shapes) -> Shapes:
        """Return the shapes of the results."""
        return self.apply(inputs).outputs

    def has_weights(self, inputs: Shapes) -> bool:
        """Whether there is anything that can learn."""
        return bool(self.apply(inputs).weights)

    def overwrites(self, mode: Mode) -> bool:
        """Whether the first result is written over the first input."""
        return mode.in_place or getattr(self, "inplace", False) is True

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """Return what is saved for backward if something learns; None where it is not known."""
        saves, made = self.saves, self.makes(inputs, mode)
        if saves is None:
            return None
        if saves == "nothing":
            return made
        if saves == "result" or (saves == "input or result" and self.overwrites(mode)):
            return (Result(), *made)
        if saves == "weighted":
            return (Input(), *made) if mode.weights else made
        return (*[Input(number) for number in range(len(inputs))], *made)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """Return what is made beside the results and, if something learns, saved: statistics, masks."""
        return ()

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """Return where each result is."""
        if self.overwrites(mode):
            return (Place(Input(), "in place"),)
        return (None,) * len(self.shapes_of_results(inputs))

    def dtypes(self, inputs: Shapes, results: int) -> tuple[DType, ...]:
        """Return the dtype of each result."""
        value: DType = "value"
        return (value,) * results

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Return the strides of each result, None where it is contiguous."""
        return (None,) * results

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """Return where the gradient of each input is: with the result's, where that is the input's tensor."""
        places = self.places(inputs, mode)
        place = places[0] if len(places) == 1 else None
        shared = place is not None and place.of == Input() and place.how != "in place"
        first = Place(Result(), place.how) if place is not None and shared else None
        return (first, *[None for _ in inputs[1:]])

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Return alternatives of what else is there at the peak inside the forward."""
        made = () if mode.learns else self.makes(inputs, mode)
        return (made,) if made else ()

    def meanwhile_backward(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Return alternatives of what else is there at the peak inside the backward."""
        return ()
