"""What optimizers keep for each weight, and what is there while they change it.

As torch makes them with `foreach=False`, their other arguments at the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence

from shapecalc.algebra import Dim
from shapecalc.errors import unknown
from shapecalc.record import record


@record
class Optimizer:
    """State and temporaries of an optimizer, in copies of the weight that it changes."""

    copies: int = 0
    """How many tensors like the weight it keeps."""
    numbers: int = 0
    """How many single float32 numbers it keeps beside them."""
    temporaries: int = 0
    """How many tensors like the weight are there at once."""
    keeps_last: bool = False
    """Whether a local variable holds the last temporary until the next weight has one."""

    def state(self, weight: Dim) -> Dim:
        """Return the bytes kept for a weight."""
        return self.copies * weight + 4 * self.numbers

    def meanwhile(self, weights: Sequence[Dim]) -> list[Dim]:
        """Return the bytes of the temporaries while each of some weights is changed.

        >>> OPTIMIZERS["adamw"].meanwhile([100, 40]), OPTIMIZERS["momentum"].meanwhile([100, 40])
        ([200, 180], [0, 0])
        """
        before: list[Dim] = [0, *weights][: len(weights)] if self.keeps_last else [0] * len(weights)
        return [last + self.temporaries * size for last, size in zip(before, weights, strict=True)]


_ADAM = Optimizer(copies=2, numbers=1, temporaries=2, keeps_last=True)
OPTIMIZERS = {
    "sgd": Optimizer(),
    "momentum": Optimizer(copies=1),
    "nesterov": Optimizer(copies=1, temporaries=1),
    "adam": _ADAM,
    "adamw": _ADAM,
    "adamax": Optimizer(copies=2, numbers=1, temporaries=1),
    "nadam": Optimizer(copies=2, numbers=2, temporaries=2, keeps_last=True),
    "rmsprop": Optimizer(copies=1, numbers=1, temporaries=1, keeps_last=True),
    "adagrad": Optimizer(copies=1, numbers=1, temporaries=1, keeps_last=True),
}
"""`momentum` and `nesterov` are SGD with these."""


def optimizer_of(name: str) -> Optimizer:
    """Return the optimizer of a name; raise `SpecError` for another."""
    if name not in OPTIMIZERS:
        raise unknown("there is no optimizer", name, OPTIMIZERS, "optimizers")
    return OPTIMIZERS[name]
