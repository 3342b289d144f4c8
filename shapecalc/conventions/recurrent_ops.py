"""What recurrent layers are about: how often a gate is taken, and what tools count beside its products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import ADD, COMPARE, MULTIPLY, SIGMOID, TANH, each, joined

_JOINING = {1: 1, 3: 7, 4: 10}
"""By the number of gates, what ptflops and calflops count for a number of the state: what joins the gates."""


@dataclass(frozen=True, slots=True)
class Steps:
    """A recurrent layer or cell: its gates, and the numbers of the state over all that it is run for."""

    gates: int
    hidden: Dim
    """H for every position, layer and direction."""
    bias: bool

    @classmethod
    def of(cls, asked: LayerCall) -> Self:
        """Return the steps of a recurrent layer or cell."""
        gates = {"rnn": 1, "gru": 3, "lstm": 4}[asked.kind.removesuffix("_cell")]
        runs = product(asked.x[:-1])
        if not asked.kind.endswith("_cell"):
            runs = runs * asked.whole("num_layers") * (2 if asked.flag("bidirectional") else 1)
        return cls(gates, runs * asked.whole("hidden_size"), asked.flag("bias"))

    @property
    def joining(self) -> int:
        """What joins the gates, for each number of the state."""
        return _JOINING[self.gates]

    @property
    def biases(self) -> int:
        """The additions of biases, for each number of the state: each gate has two."""
        return 2 * self.gates if self.bias else 0


def every_operation(asked: LayerCall) -> Counts | None:
    """Return every operation: gates of two sums of products each, what they are put through and joined by.

    A state begins with zeros, which are computed with. A projection is one sum of products more.
    """
    if asked.macs is None:
        return None
    steps = Steps.of(asked)
    function = {COMPARE: 1} if asked.word("nonlinearity") == "relu" else TANH
    state = {
        1: function,
        3: joined(SIGMOID, SIGMOID, TANH, {MULTIPLY: 3, ADD: 2}),  # r·(W h), (1 - z)·n + z·h
        4: joined(SIGMOID, SIGMOID, SIGMOID, TANH, TANH, {MULTIPLY: 3, ADD: 1}),  # f·c + i·g, o·tanh(c)
    }[steps.gates]
    found = each(state, steps.hidden)
    sums = (steps.gates - steps.biases) * steps.hidden + _projected(asked)
    return found | {
        MULTIPLY: asked.macs + found.get(MULTIPLY, 0),
        ADD: asked.macs - sums + found.get(ADD, 0),
    }


def _projected(asked: LayerCall) -> Dim:
    """Return how many numbers a projection makes over all that the layer is run for."""
    if not any("weight_hr" in name for name in asked.weights):
        return 0
    runs = product(asked.x[:-1]) * asked.whole("num_layers") * (2 if asked.flag("bidirectional") else 1)
    return runs * asked.whole("proj_size")
