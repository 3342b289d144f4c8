"""What recurrent layers are about: how often a gate is taken, and what tools count beside its products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shapecalc.algebra import Dim, product
from shapecalc.conventions.layer_call import LayerCall

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
