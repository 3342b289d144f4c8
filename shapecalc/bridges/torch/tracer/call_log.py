"""Which step each result of a recorded call is, so that a plain run of the same calls can be compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.bridges.torch.tracer.traced_number import tensors_in

if TYPE_CHECKING:
    from shapecalc.bridges.torch.tracer.trace import Trace

Key: TypeAlias = tuple[str, int]
"""A call: what is called, and which of its calls it is."""
MODULE = "module "
"""What the path of a module has in front, among the names of functions."""


def called_name(function: Any) -> str:
    """Return the name of a function; of one that reads a property, that of the property."""
    name: str = getattr(function, "__name__", "function")
    return str(function.__self__.__name__) if name == "__get__" else name


@dataclass(slots=True)
class Logged:
    """The results of a call by their names in the spec, their shapes, and the steps that it became."""

    names: list[str]
    shapes: list[tuple[int, ...]]
    steps: list[str]


@dataclass
class CallLog:
    """The calls of one run, in order."""

    counts: Counter[str] = field(default_factory=Counter)
    calls: dict[Key, Logged] = field(default_factory=dict)
    partial: set[int] = field(default_factory=set)
    """The numbers of the steps that do not read a single number, which a tensor is an operand for."""

    def next(self, name: str) -> Key:
        """Return the key of the next call of a name."""
        self.counts[name] += 1
        return name, self.counts[name]


def note_call(trace: Trace, name: str, result: Any, before: int) -> None:
    """Note a call with its result; before it, the trace had so many steps."""
    key = trace.log.next(name)
    results = tensors_in(result)
    known = [trace.tensors.get(id(trace.meta_twins.of(tensor)), (tensor, ""))[1] for tensor in results]
    steps = [step.name or "" for step in trace.steps[before:]]
    if steps or any(known):
        trace.log.calls[key] = Logged(known, [tuple(tensor.shape) for tensor in results], steps)
