"""Steps in the making: the layers inside a layer, each on tensors by number, and when these die."""

from dataclasses import replace

from shapecalc.layers.base import AnyShape, Joint, Kind, NoOperations, NoWeights, SameShape, Shapes
from shapecalc.layers.flatten import Rearranging
from shapecalc.layers.memory_rule import RETURNED
from shapecalc.layers.memory_traits import Input, Mode, Place, Step
from shapecalc.layers.requirement import Shape
from shapecalc.layers.strides import simplest


class Contiguous(SameShape, AnyShape, Rearranging):
    """`x.contiguous()`: the tensor itself, or a copy where it lies in another order."""

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape | None:
        return strides if simplest(x, strides) is None else None

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return (None if None in super().places(inputs, mode) else RETURNED,)


class Together(AnyShape, NoWeights, NoOperations, Joint):
    """Several tensors as the results of a layer."""

    saves = "nothing"

    def output(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def outputs(self, inputs: Shapes) -> Shapes:
        return inputs

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return tuple([Place(Input(number), "same") for number in range(len(inputs))])

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        return tuple([mode.strides_of(number) for number in range(results)])


class StepList:
    """Builds the steps of a layer; a tensor dies after its last use unless a variable keeps it to the end."""

    def __init__(self, inputs: Shapes) -> None:
        self.shapes = [*inputs]
        self.inputs = len(inputs)
        self.kept: set[int] = set()
        self.steps: list[Step] = []

    def add(self, layer: Kind, *sources: int, weights: tuple[str, ...] = (), keep: bool = False) -> int:
        """Add a layer and return the number of its first result."""
        first = len(self.shapes)
        self.shapes += layer.shapes_of_results(tuple([self.shapes[source] for source in sources]))
        self.steps.append(Step(layer, sources, weights))
        if keep:
            self.kept.update(range(first, len(self.shapes)))
        return first

    def finish(self, *results: int) -> tuple[Step, ...]:
        """Return the steps, each with the tensors that die after it."""
        if results != (len(self.shapes) - 1,):
            self.add(Together(), *results)
        last = {source: number for number, step in enumerate(self.steps) for source in step.sources}
        dying: dict[int, list[int]] = {}
        for source, number in last.items():
            if source >= self.inputs and source not in self.kept:
                dying.setdefault(number, []).append(source)
        pairs = enumerate(self.steps)
        return tuple([replace(step, drops=tuple(dying.get(number, ()))) for number, step in pairs])
