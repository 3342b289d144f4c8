"""Recurrent cells: one step of one layer, whose state is given or zero."""

from collections.abc import Iterator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Named, Shapes
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Flag
from shapecalc.layers.recurrent import Gated, Nonlinearity, gated
from shapecalc.layers.requirement import Requirement, Shape, arity, rank_between, shaped
from shapecalc.layers.roles import InFeatures, declared


class RecurrentCell(Gated):
    """What recurrent cells share: one position of one layer, the state given or zero."""

    family = Family.RECURRENT_CELL

    input_size: InFeatures = None
    hidden_size: Count
    bias: Flag = True

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H",) if number > 0 else ("E",)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 1, 1 + len(self.states))
        x, *states = inputs
        yield from rank_between(self.kind, x, 1, 2)
        yield from declared(self, x)
        for name, state in zip(self.states, states, strict=False):
            yield from shaped(self.kind, name, state, self.output(inputs))

    def output(self, inputs: Shapes) -> Shape:
        return (*inputs[0][:-1], self.hidden_size)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs),) * len(self.states)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        mixed = over(len(inputs[0]), [len(inputs[0]) - 1])
        return (mixed, mixed, placed(len(inputs[0])))[: len(inputs)]  # a cell keeps its own features

    def weights(self, inputs: Shapes) -> Named:
        return gated(self.gates, inputs[0][-1], self.hidden_size, self.hidden_size, bias=self.bias)

    def macs(self, inputs: Shapes) -> Dim:
        *batch, features = inputs[0]
        count = batch[0] if batch else 1
        return count * self.gates * self.hidden_size * (features + self.hidden_size)

    def state_numbers(self, inputs: Shapes) -> Dim:
        return self.hidden_size * product(inputs[0][:-1])

    def biases(self) -> int:
        return 2 * self.gates if self.bias else 0


class RNNCell(RecurrentCell, torch="torch.nn.RNNCell"):
    """One step of `rnn`: `[N, input_size]`, and maybe the state `[N, H]`, to the next state `[N, H]`.

    Unbatched without N. Weights are `weight_ih: [H, input_size]`, `weight_hh: [H, H]`, `bias_ih: [H]` and
    `bias_hh: [H]`; a step costs H·(input_size + H) MACs. Refuses other ranks, features that do not match and
    a state of another shape.

    >>> RNNCell(hidden_size=20).output(((3, 10), (3, 20)))
    (3, 20)
    """

    gates = 1

    nonlinearity: Nonlinearity = "tanh"

    @property
    def rectified(self) -> bool:
        return self.nonlinearity == "relu"


class LSTMCell(RecurrentCell, torch="torch.nn.LSTMCell"):
    """One step of `lstm`: `[N, input_size]`, maybe with state and cell, to the next of both, `[N, H]`.

    Unbatched without N. Weights are `weight_ih: [4·H, input_size]`, `weight_hh: [4·H, H]`, `bias_ih: [4·H]`
    and `bias_hh: [4·H]`; a step costs 4·H·(input_size + H) MACs. Refuses what `rnn_cell` refuses, and a state
    without a cell.

    >>> LSTMCell(hidden_size=20).outputs(((3, 10),))
    ((3, 20), (3, 20))
    """

    gates = 4
    states = ("h_0", "c_0")


class GRUCell(RecurrentCell, torch="torch.nn.GRUCell"):
    """One step of `gru`: `[N, input_size]`, and maybe the state `[N, H]`, to the next state `[N, H]`.

    Unbatched without N. Weights are `weight_ih: [3·H, input_size]`, `weight_hh: [3·H, H]`, `bias_ih: [3·H]`
    and `bias_hh: [3·H]`; a step costs 3·H·(input_size + H) MACs. Refuses what `rnn_cell` refuses.

    >>> GRUCell(hidden_size=20).weights(((3, 10),))["weight_hh"]
    (60, 20)
    """

    gates = 3
