"""How a kind states its memory: by a word, or by rules of its own. The base of every kind.

A kind that states nothing is not known: its `memory` is None, and a total says "at least".
"""

from typing import TYPE_CHECKING, ClassVar

from shapecalc.layers.effect import Shapes
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


class MemoryRule:
    """The rules of memory; each may be replaced, and all but what is saved have a default."""

    if TYPE_CHECKING:
        saves: ClassVar[Saves | None]

    def memory(self, inputs: Shapes, mode: Mode = INFERENCE) -> Memory | None:
        """Return what is saved, shared and made besides on these inputs; None where it is not known."""
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
            gradients=self.gradients(inputs, mode, places) if mode.learns else (None,) * len(inputs),
            forward=self.meanwhile(inputs, mode),
            backward=self.meanwhile_backward(inputs, mode) if mode.learns else (),
        )

    def steps(self, inputs: Shapes) -> tuple[Step, ...]:
        """Return the layers inside, in order, of one that is made of others."""
        return ()

    def shapes_of_results(self, inputs: Shapes) -> Shapes:
        """Return the shapes of the results."""
        raise NotImplementedError

    def overwrites(self, mode: Mode) -> bool:
        """Whether the first result is written over the first input."""
        return mode.in_place or getattr(self, "inplace", False) is True

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """Return what is saved for backward if something learns; None where it is not known."""
        saves = self.saves
        if saves is None:
            return None
        if saves == "nothing":
            return ()
        if saves == "result" or (saves == "input or result" and self.overwrites(mode)):
            return (Result(),)
        return inputs_of(inputs)

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

    def gradients(
        self, inputs: Shapes, mode: Mode, places: tuple[Place | None, ...]
    ) -> tuple[Place | None, ...]:
        """Return where the gradient of each input is: with the result's, where that is the input's tensor."""
        same = len(places) == 1 and places[0] == Place(Input(), "same")
        return (Place(Result(), "same") if same else None, *(None,) * (len(inputs) - 1))[: len(inputs)]

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Return alternatives of what else is there at the peak inside the forward."""
        return ()

    def meanwhile_backward(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Return alternatives of what else is there at the peak inside the backward."""
        return ()


def inputs_of(inputs: Shapes) -> tuple[Input, ...]:
    """Return all inputs as storages."""
    return tuple([Input(number) for number in range(len(inputs))])
