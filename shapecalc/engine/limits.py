"""How large a network may become, estimated before it is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.errors import FormulaError, SpecError, Undecided
from shapecalc.layers.base import Merge
from shapecalc.spec.read import blocks_in_order
from shapecalc.spec.tree import MOST_LAYERS, Call, Sequential, Spec, Step


class TooLarge(SpecError):
    """The network would not fit in memory; nothing after this is tried."""


MOST_WRITTEN = 4_000
"""How many layers a derivation, a page or exported source may have: each costs a millisecond or two."""


def refuse_too_long(layers: int, what: str, hint: str = "") -> None:
    """Raise `TooLarge` for what would be written of too many layers."""
    if layers > MOST_WRITTEN:
        raise TooLarge(f"{what} of {layers:,} layers is too long; {MOST_WRITTEN:,} are allowed", hint=hint)


def refuse_too_large(spec: Spec, parameter: Callable[[str], Value]) -> None:
    """Raise `TooLarge` for a model whose parameters alone make it larger than is allowed."""
    least = _LeastSize(spec, parameter).of(spec.layers)
    if least > MOST_LAYERS:
        raise TooLarge(
            f"the model has at least {min(least, 10**18):,} layers; {MOST_LAYERS:,} are allowed",
            place=spec.place.of("layers"),
        )


class _LeastSize:
    """How many layers a model has at the least, by what its parameters alone decide."""

    def __init__(self, spec: Spec, parameter: Callable[[str], Value]) -> None:
        self.spec = spec
        self.parameter = parameter
        self.known: dict[str, int] = {}
        self.hidden: frozenset[str] = frozenset()
        for name in blocks_in_order(spec.blocks):
            self.hidden = frozenset({*spec.blocks[name].args, *spec.blocks[name].uses})
            self.known[name] = self.of(spec.blocks[name].layers)
        self.hidden = frozenset()

    def of(self, steps: Sequence[Step]) -> int:
        """Return the least size of a list of steps."""
        return min(sum(map(self.step, steps)), 10**30)

    def step(self, step: Step) -> int:
        if step.when is not None and self.value(step.when) is not True:
            return 0
        times = 1 if step.repeat is None else self.value(step.repeat)
        return times * self.body(step) if isinstance(times, int) and times > 0 else 0

    def body(self, step: Step) -> int:
        body = step.body
        if isinstance(body, Call):
            return self.known[body.callee] if body.callee in self.spec.blocks else 1
        if isinstance(body, Sequential):
            return self.of(body.steps)
        if isinstance(body, Merge):
            inner = [branch for _, branch in body.branches or () if not isinstance(branch, str)]
            return 1 + sum(map(self.of, inner))
        return 1

    def value(self, given: Any) -> Any:
        """Return the value of a number or formula, or None where parameters alone do not determine it."""
        if not isinstance(given, Formula):
            return given
        try:
            return given.evaluate(self)
        except (SpecError, Undecided):
            return None

    def lookup(self, name: str) -> Value:
        if name in self.hidden or name not in self.spec.parameters:
            raise FormulaError(f"{name} is not known yet")
        return self.parameter(name)

    def size(self, tensor: str | None, axis: int) -> Dim:
        raise FormulaError("no tensor is known yet")
