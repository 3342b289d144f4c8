"""Recurrent cells: one step of one layer, whose initial state is an input or zero."""

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Named, Shapes
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.family import Family
from shapecalc.layers.recurrent import Gated, Nonlinearity
from shapecalc.layers.requirement import Shape


class RecurrentCell(Gated):
    """What recurrent cells share: one position of one layer, the initial state an input or zero."""

    remark = (
        "Unbatched without N. Weights are `weight_ih: [G·H, input_size]`, `weight_hh: [G·H, H]`, "
        "`bias_ih: [G·H]` and `bias_hh: [G·H]`; a step costs G·H·(input_size + H) MACs. Refuses other ranks, "
        "features that do not match, a state of another shape, and a state without its cell."
    )
    family = Family.RECURRENT_CELL
    dimensions = (1, 2)

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H",) if number > 0 else ("E",)

    def output(self, inputs: Shapes) -> Shape:
        return (*inputs[0][:-1], self.hidden_size)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs),) * len(self.states)

    def last_states(self, inputs: Shapes) -> Shapes:
        return self.outputs(inputs)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        mixed = over(len(inputs[0]), [len(inputs[0]) - 1])
        return (mixed, mixed, placed(len(inputs[0])))[: len(inputs)]  # a cell keeps its own features

    def weights(self, inputs: Shapes) -> Named:
        return self.cell(inputs[0][-1])

    def macs(self, inputs: Shapes) -> Dim:
        return product(inputs[0][:-1]) * self.per_position(inputs[0][-1])

    def state_numbers(self, inputs: Shapes) -> Dim:
        return self.hidden_size * product(inputs[0][:-1])


class RNNCell(RecurrentCell, torch="torch.nn.RNNCell"):
    """One step of `rnn`, with G = 1 gate: `[N, input_size]`, maybe with the state, to the next `[N, H]`.

    >>> RNNCell(hidden_size=20).output(((3, 10), (3, 20)))
    (3, 20)
    """

    gates = 1

    nonlinearity: Nonlinearity = "tanh"


class LSTMCell(RecurrentCell, torch="torch.nn.LSTMCell"):
    """One step of `lstm`, with G = 4 gates: `[N, input_size]`, maybe with state and cell, to the next two.

    >>> LSTMCell(hidden_size=20).outputs(((3, 10),))
    ((3, 20), (3, 20))
    """

    gates = 4
    states = ("h_0", "c_0")


class GRUCell(RecurrentCell, torch="torch.nn.GRUCell"):
    """One step of `gru`, with G = 3 gates: `[N, input_size]`, maybe with the state, to the next `[N, H]`.

    >>> GRUCell(hidden_size=20).weights(((3, 10),))["weight_hh"]
    (60, 20)
    """

    gates = 3
