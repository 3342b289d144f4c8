"""Keras' recurrent cells, which are one position of a layer, and the layer that is made of cells."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from shapecalc.algebra import Dim
from shapecalc.layers.base import Component, Named, Shapes
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import EVERYTHING, Along, Dependence
from shapecalc.layers.effect import replaced
from shapecalc.layers.fields import Annotation, complaint
from shapecalc.layers.keras_recurrent import GRUGated, KerasGated, LSTMGated, OverSteps
from shapecalc.layers.recurrent_cells import RecurrentCell
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import Holds
from shapecalc.layers.wrapper import Held, apply_inside


class KerasCell(KerasGated, RecurrentCell):
    """What Keras' cells share: they take the states, and return the output and the new states."""

    remark = (
        "Weights are `kernel: [input_size, G·H]`, `recurrent_kernel: [H, G·H]` and `bias: [G·H]`; a step "
        "costs G·H·(input_size + H) MACs. Refuses other ranks, features that do not match, and states of "
        "another number or shape."
    )
    dimensions = (2, 2)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 1 + len(self.states))
        yield from super().requirements(inputs)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), *self.last_states(inputs))

    def last_states(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs),) * len(self.states)


class KerasRNNCell(KerasCell, kind="rnn_cell", keras="keras.layers.SimpleRNNCell"):
    """One step of `rnn`, with G = 1 gate: `[N, input_size]` and a state to output and state, `[N, H]`.

    >>> KerasRNNCell(hidden_size=20).outputs(((3, 10), (3, 20)))
    ((3, 20), (3, 20))
    """

    gates = 1


class KerasLSTMCell(LSTMGated, KerasCell, kind="lstm_cell", keras="keras.layers.LSTMCell"):
    """One step of `lstm`, with G = 4 gates: `[N, input_size]`, state and cell to the output and both again.

    >>> KerasLSTMCell(hidden_size=20).outputs(((3, 10), (3, 20), (3, 20)))
    ((3, 20), (3, 20), (3, 20))
    """


class KerasGRUCell(GRUGated, KerasCell, kind="gru_cell", keras="keras.layers.GRUCell"):
    """One step of `gru`, with G = 3 gates: `[N, input_size]` and a state to output and state, `[N, H]`.

    The bias is `[2, 3·H]` with reset_after.

    >>> KerasGRUCell(hidden_size=20).weights(((3, 10), (3, 20)))["bias"]
    (2, 60)
    """


class _Cells(Annotation):
    """One recurrent cell, or several that read one another's outputs."""

    def check(self, value: Any) -> tuple[KerasCell, ...]:
        cells = tuple(map(Held("keras").check, value if isinstance(value, (list, tuple)) else [value]))
        if not cells or not all(isinstance(cell, KerasCell) for cell in cells):
            raise complaint("cells are rnn_cell, lstm_cell or gru_cell, one or a list of them")
        return cells

    def json_schema(self) -> dict[str, Any]:
        one = Held("keras").json_schema()
        return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}


class KerasRNNOfCells(OverSteps, kind="rnn_of_cells", keras="keras.layers.RNN"):
    """A layer of recurrent cells: `[N, L, F]` to what the last cell puts out, `[N, H]` or `[N, L, H]`.

    Each cell reads what the one below puts out. With return_state the last states of all cells follow;
    further tensors are the initial states, all of them or none. Weights are those of the cells, named
    `cells.0.kernel` and so on; a position costs what the cells cost. Refuses other ranks, what a cell
    refuses, and states of another number or shape.

    >>> KerasRNNOfCells(cells=[{"lstm_cell": {"hidden_size": 20}}, {"gru_cell": {"hidden_size": 8}}]).outputs(
    ...     ((3, 5, 10),)
    ... )
    ((3, 8),)
    """

    cells: Annotated[tuple[KerasCell, ...], _Cells(), Holds()] = Field(
        description="The cells, the first below: each as a step would write it."
    )

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        x, *states = inputs or ((),)
        yield arity(self.kind, len(inputs), 1, 1 + sum(len(cell.states) for cell in self.cells))
        yield from rank_between(self.kind, x, 3, 3)
        wanted = self.last_states(inputs)
        for state, last in zip(states, wanted, strict=False):
            yield from shaped(self.kind, "an initial state", state, last)
        for cell, step in self._steps(inputs):
            yield from apply_inside(self.kind, cell, step).conditions

    def _steps(self, inputs: Shapes) -> Iterator[tuple[KerasCell, Shapes]]:
        """Yield every cell with what it takes at one position."""
        x = replaced(inputs[0], 1)
        for cell in self.cells:
            state = (x[0], cell.hidden_size)
            yield cell, (x, *(state,) * len(cell.states))
            x = state

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H",) if number > 0 else ("L", "E")

    def step_output(self, inputs: Shapes) -> Shape:
        return (inputs[0][0], self.cells[-1].hidden_size)

    def last_states(self, inputs: Shapes) -> Shapes:
        return tuple((inputs[0][0], cell.hidden_size) for cell in self.cells for _ in cell.states)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        states: Dependence = (Along(0), None)
        return ((Along(0), self.steps_seen(result), EVERYTHING), *(states,) * (len(inputs) - 1))

    def weights(self, inputs: Shapes) -> Named:
        named = ((number, cell.weights(step)) for number, (cell, step) in enumerate(self._steps(inputs)))
        return {f"cells.{number}.{name}": shape for number, own in named for name, shape in own.items()}

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return tuple(Component(cell, step, inputs[0][1]) for cell, step in self._steps(inputs))

    def macs(self, inputs: Shapes) -> Dim:
        return sum(cell.macs(step) for cell, step in self._steps(inputs)) * inputs[0][1]

    def operations(self, inputs: Shapes) -> Operations:
        total = Operations()
        for cell, step in self._steps(inputs):
            total = total + cell.operations(step) * inputs[0][1]
        return total
