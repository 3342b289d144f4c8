"""Keras' recurrent layers: `[N, L, input_size]` to the last output, or to that of every position.

One position in one direction costs what it costs in torch: G·H·(I + H) MACs for G gates, an input of I and a
state of H. Weights are laid out in the other direction, and there is one bias for each gate: Keras' GRU alone
has two, where the reset comes after the product.
"""

from abc import abstractmethod
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Named, NoBuffers, Shapes
from shapecalc.layers.counts import NOTHING, RELU, SIGMOID, TANH, Operations
from shapecalc.layers.dependence import EVERYTHING, Along, AxisDependence, Before, Dependence, unseen
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, OneOf, Probability, complaint
from shapecalc.layers.rectifier import HARD_SIGMOID
from shapecalc.layers.recurrent import Gated
from shapecalc.layers.requirement import Shape

FUNCTIONS = {
    "tanh": TANH,
    "sigmoid": SIGMOID,
    "hard_sigmoid": HARD_SIGMOID,
    "relu": RELU,
    "linear": NOTHING,
}
"""The functions of a gate or a state, with what one costs for each number."""
GateFunction = Annotated[str, OneOf(tuple(FUNCTIONS))]


class KerasGated(Gated):
    """What Keras' recurrent layers and cells share: their weights, and the functions of gates and state."""

    framework = "keras"
    order = "input_size hidden_size * ..."

    nonlinearity: GateFunction = "tanh"
    dropout: Probability = 0
    recurrent_dropout: Probability = 0

    def cell(self, features: Dim) -> Named:
        rows = self.gates * self.hidden_size
        named: Named = {"kernel": (features, rows), "recurrent_kernel": (self.hidden_size, rows)}
        return learned(named | {"bias": (rows,)}, bias=self.bias)

    def biases(self) -> int:
        return self.gates if self.bias else 0

    def joined(self) -> Operations:
        return FUNCTIONS[self.nonlinearity]


class ManyGated(KerasGated):
    """What layers with gates share: a function of the gates beside that of the state."""

    recurrent_nonlinearity: GateFunction = "sigmoid"


def lstm_joined(state: str, gate: str) -> Operations:
    """f·c + i·g, o·tanh(c): what makes a number of the state, with its function and that of the gates."""
    return FUNCTIONS[gate] * 3 + FUNCTIONS[state] * 2 + Operations(multiplications=3, additions=1)


class LSTMGated(ManyGated):
    """The gates and states of a long short-term memory."""

    gates = 4
    states = ("h_0", "c_0")

    def joined(self) -> Operations:
        return lstm_joined(self.nonlinearity, self.recurrent_nonlinearity)


class GRUGated(ManyGated):
    """The gates of gated recurrent units."""

    gates = 3

    reset_after: Flag = True

    def cell(self, features: Dim) -> Named:
        named = super().cell(features)
        return named | {"bias": (2, *named["bias"])} if self.bias and self.reset_after else named

    def biases(self) -> int:
        return super().biases() * (2 if self.reset_after else 1)

    def joined(self) -> Operations:
        """r·(W·h) or W·(r·h), and (1 - z)·n + z·h."""
        own = FUNCTIONS[self.recurrent_nonlinearity] * 2 + FUNCTIONS[self.nonlinearity]
        return own + Operations(multiplications=3, additions=2)


class OverSteps(NoBuffers, Joint):
    """What goes through a sequence `[N, L, ...]` step by step: it puts out the last step, or every one."""

    framework = "keras"
    family = Family.RECURRENT
    unknown_dependence = ("positions", "read backwards, position i sees those from the end to i")

    return_sequences: Flag = False
    return_state: Flag = False
    go_backwards: Flag = False

    @property
    def directions(self) -> int:
        """One, or two if the sequence is read from both ends."""
        return 1

    @abstractmethod
    def last_states(self, inputs: Shapes) -> Shapes:
        """Return the shapes of the last states, which are those of the initial ones."""

    @abstractmethod
    def step_output(self, inputs: Shapes) -> Shape:
        """Return the shape of what one step puts out."""

    def output(self, inputs: Shapes) -> Shape:
        n, *sizes = self.step_output(inputs)
        return (n, *inputs[0][1:2], *sizes) if self.return_sequences else (n, *sizes)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), *(self.last_states(inputs) if self.return_state else ()))

    def steps_seen(self, result: int) -> AxisDependence:
        """Return what a result sees along the axis of positions."""
        if result or not self.return_sequences or self.directions == 2:
            return EVERYTHING
        return None if self.go_backwards else Before(1)


class KerasRecurrent(KerasGated, OverSteps):
    """What Keras' recurrent layers share: one direction, or two whose results lie side by side."""

    dimensions = (3, 3)
    both: ClassVar[tuple[str, ...]] = ("forward", "backward")

    bidirectional: Flag = False

    @model_validator(mode="after")
    def _opposite_ways(self) -> Self:
        if self.bidirectional is True and self.go_backwards is True:
            raise complaint("both directions would go backwards: leave go_backwards out", "go_backwards")
        return self

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("H",) if number > 0 else ("L", "E")

    def state_names(self) -> tuple[str, ...]:
        return self.states * self.directions

    def step_output(self, inputs: Shapes) -> Shape:
        return (inputs[0][0], self.directions * self.hidden_size)

    def last_states(self, inputs: Shapes) -> Shapes:
        return ((inputs[0][0], self.hidden_size),) * len(self.state_names())

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        views: list[Dependence] = [(Along(0), self.steps_seen(result), EVERYTHING)]
        for number in range(len(inputs) - 1):
            direction, state = divmod(number, len(self.states))
            own = result == 0 or direction == (result - 1) // len(self.states)
            views.append((Along(0), None if state else EVERYTHING) if own else unseen(2))
        return tuple(views)

    def weights(self, inputs: Shapes) -> Named:
        cell = self.cell(inputs[0][-1])
        if not self.bidirectional:
            return cell
        return {f"{way}.{name}": shape for way in self.both for name, shape in cell.items()}

    def macs(self, inputs: Shapes) -> Dim:
        x = inputs[0]
        return product(x[:-1]) * self.directions * self.per_position(x[-1])

    def state_numbers(self, inputs: Shapes) -> Dim:
        return self.hidden_size * self.directions * product(inputs[0][:-1])


class KerasRNN(KerasRecurrent, kind="rnn", keras="keras.layers.SimpleRNN"):
    """Elman's recurrent layer: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences.

    h' = tanh(W·x + U·h + b), H = hidden_size. With return_state the last state `[N, H]` is a second result.
    A second tensor, if there is one, is the initial state `[N, H]`. Weights are `kernel: [input_size, H]`,
    `recurrent_kernel: [H, H]` and `bias: [H]`; a position costs H·(input_size + H) MACs. If bidirectional,
    a second layer reads from the end: names begin with `forward.` and `backward.`, the results lie side by
    side, and there is a state for each. Refuses other ranks, features that do not match and a state of
    another shape. Source: Elman, 1990.

    >>> KerasRNN(hidden_size=20).outputs(((3, 5, 10),))
    ((3, 20),)
    >>> KerasRNN(hidden_size=32, bidirectional=True).weights(((1, 200, 16),))["backward.kernel"]
    (16, 32)
    """

    gates = 1


class KerasLSTM(LSTMGated, KerasRecurrent, kind="lstm", keras="keras.layers.LSTM"):
    """Long short-term memory: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences.

    With return_state the last state and the last cell `[N, H]` are further results; initial ones are both
    there or neither. Weights are `kernel: [input_size, 4·H]`, `recurrent_kernel: [H, 4·H]` and `bias:
    [4·H]`; a position costs 4·H·(input_size + H) MACs. All else is as for `rnn`. Source: Hochreiter and
    Schmidhuber, 1997.

    >>> KerasLSTM(hidden_size=20, return_sequences=True, return_state=True).outputs(((3, 5, 10),))
    ((3, 5, 20), (3, 20), (3, 20))
    >>> KerasLSTM(hidden_size=20).weights(((3, 5, 10),))
    {'kernel': (10, 80), 'recurrent_kernel': (20, 80), 'bias': (80,)}
    """


class KerasGRU(GRUGated, KerasRecurrent, kind="gru", keras="keras.layers.GRU"):
    """Gated recurrent units: `[N, L, input_size]` to `[N, H]`, or to `[N, L, H]` with return_sequences.

    Weights are `kernel: [input_size, 3·H]`, `recurrent_kernel: [H, 3·H]` and `bias: [2, 3·H]`: two biases,
    as cuDNN has them, because the reset comes after the product. Without reset_after it is `bias: [3·H]`. A
    position costs 3·H·(input_size + H) MACs. All else is as for `rnn`. Source: Cho et al., 2014.

    >>> KerasGRU(hidden_size=32, bidirectional=True).apply(((1, 200, 16),)).params
    9600
    >>> KerasGRU(hidden_size=20, reset_after=False).weights(((3, 5, 10),))["bias"]
    (60,)
    """
