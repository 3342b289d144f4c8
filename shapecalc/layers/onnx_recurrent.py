"""ONNX's recurrent layers, whose weights are tensors: a direction in front of each, gates in rows."""

from collections.abc import Iterator
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag
from shapecalc.layers.onnx_operator import OnnxOperator, Operands
from shapecalc.layers.requirement import Requirement, Shape, shaped, shown


class OnnxRecurrent(OnnxOperator):
    """Reads a sequence with D directions and a state of `hidden_size`, R's last axis.

    W is `[D, gates·hidden, input]`, R is `[D, gates·hidden, hidden]`. Every position meets every weight once.
    """

    family = Family.RECURRENT
    operands = "X W R B? sequence_lens? initial_h?"
    unknown_dependence = ("places and channels", "a recurrent layer of ONNX may read from either end")
    gates: ClassVar[int]
    states: ClassVar[int] = 1

    batch_first: Flag = False

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, X=3, W=3, R=3)
        directions, hidden = x["R"][0], x["R"][2]
        rows = self.gates * hidden
        yield from shaped(self.kind, "R", x["R"], (directions, rows, hidden))
        yield from shaped(self.kind, "W", x["W"], (directions, rows, x["X"][2]))
        says = f"{self.kind}: R, {shown(x['R'])}, has neither one nor two directions"
        yield Requirement("shape", directions, ">=", 1, says)
        yield Requirement("shape", 2, ">=", directions, says)
        _, batch = self._length_and_batch(x)
        wanted = {"B": (directions, 2 * rows), "sequence_lens": (batch,), "P": (directions, 3 * hidden)}
        wanted |= dict.fromkeys(("initial_h", "initial_c"), self._state(x))
        for name, shape in wanted.items():
            if name in x:
                yield from shaped(self.kind, name, x[name], shape)

    def _length_and_batch(self, x: Operands) -> tuple[Dim, Dim]:
        first, second, _ = x["X"]
        return (second, first) if self.batch_first else (first, second)

    def _state(self, x: Operands) -> Shape:
        (_, batch), directions, hidden = self._length_and_batch(x), x["R"][0], x["R"][2]
        return (batch, directions, hidden) if self.batch_first else (directions, batch, hidden)

    def output(self, x: Operands) -> Shape:
        (length, batch), directions, hidden = self._length_and_batch(x), x["R"][0], x["R"][2]
        if self.batch_first:
            return (batch, length, directions, hidden)
        return (length, directions, batch, hidden)

    def outputs(self, x: Operands) -> Shapes:
        return (self.output(x), *[self._state(x)] * self.states)

    def macs(self, x: Operands) -> Dim:
        length, batch = self._length_and_batch(x)
        return length * batch * (product(x["W"]) + product(x["R"]))


class OnnxRNN(OnnxRecurrent, kind="onnx_rnn"):
    """A recurrent layer: a sequence `[L, N, I]` to all states `[L, D, N, H]` and the last ones `[D, N, H]`.

    With batch_first `[N, L, I]`, `[N, L, D, H]` and `[N, D, H]`. Refuses weights, biases and initial states
    of other sizes. Source: ONNX, RNN.

    >>> OnnxRNN().outputs({"X": (5, 2, 3), "W": (1, 4, 3), "R": (1, 4, 4)})
    ((5, 1, 2, 4), (1, 2, 4))
    """

    gates = 1


class OnnxGRU(OnnxRecurrent, kind="onnx_gru"):
    """A gated recurrent unit, of three gates: shapes are those of `onnx_rnn`. Refuses what it refuses.

    Source: ONNX, GRU.

    >>> OnnxGRU(batch_first=True).outputs({"X": (2, 5, 3), "W": (2, 12, 3), "R": (2, 12, 4)})
    ((2, 5, 2, 4), (2, 2, 4))
    """

    gates = 3


class OnnxLSTM(OnnxRecurrent, kind="onnx_lstm"):
    """A long short-term memory, of four gates and a second state: shapes are those of `onnx_rnn`.

    The third result is the last cell state; P are the weights of peepholes. Refuses what `onnx_rnn` refuses.
    Source: ONNX, LSTM.

    >>> OnnxLSTM().outputs({"X": (5, 2, 3), "W": (1, 16, 3), "R": (1, 16, 4)})
    ((5, 1, 2, 4), (1, 2, 4), (1, 2, 4))
    """

    operands = "X W R B? sequence_lens? initial_h? initial_c? P?"
    gates = 4
    states = 2
