"""A call of one of torch's functions, as rules see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.layers.base import Kind


@dataclass(slots=True)
class Call:
    """The name of a function, its arguments by name, and its result."""

    trace: Trace
    name: str
    arguments: dict[str, Any]
    result: Any

    @property
    def input(self) -> Tensor:
        """The first tensor."""
        tensor: Tensor = self.arguments["input"]
        return tensor

    def first(self, *names: str) -> Any:
        """Return the first of some arguments that is given, or None."""
        return next((self.arguments[name] for name in names if self.arguments.get(name) is not None), None)

    def step(
        self, layer: Kind, *operands: Tensor | str, results: Sequence[Any] = (), name: str | None = None
    ) -> str:
        """Append a layer that reads tensors or steps; return its name, by default that of the kind."""
        trace = self.trace
        sources = [operand if isinstance(operand, str) else trace.name_of(operand) for operand in operands]
        return trace.append(layer, sources, results, trace.local(name or layer.kind))

    def ends(self, layer: Kind, *operands: Tensor | str, name: str | None = None) -> bool:
        """Append the layer that gives the result of the call."""
        self.step(layer, *operands, results=[self.result], name=name)
        return True


Rule: TypeAlias = Callable[[Call], bool]
"""Appends the steps of a call; returns False where the call is not as the rule has it."""
