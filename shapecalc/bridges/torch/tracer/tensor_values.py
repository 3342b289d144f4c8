"""The numbers of tensors that no input went into, such as masks of sizes, buffers and ranges.

A trace runs on tensors without memory. What is made of numbers, of sizes and of the module's own tensors is
noted, and computed on the CPU once a forward reads a number of it, as in `if mask.all()`. A number that
depends on sizes pins them, unless all numbers of the tensor are the same at any size (see `uniform_values`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.traced_number import (
    TracedNumber,
    concrete,
    mapped,
    passed,
    tensors_in,
    traced_in,
)
from shapecalc.bridges.torch.tracer.traced_sizes import Sizes, field_value
from shapecalc.bridges.torch.tracer.uniform_values import Form, form_of, uniform

_LARGEST = 2**22
"""Tensors with more elements are not computed."""
_LARGEST_PARAMETER = 2**12
_RANDOM = ("rand", "normal", "bernoulli", "multinomial", "dropout", "uniform_", "exponential_", "poisson")
"""Parts of the names of functions whose results are other numbers each time."""
_EXPANDING = ("expand", "expand_as", "broadcast_to", "unsqueeze")
_BY_SHAPE = ("new_", "_like")
"""Parts of the names of functions that read the shape and dtype of their first tensor alone."""


def is_small(tensor: Tensor) -> bool:
    """Return whether the numbers of a tensor are at hand and few enough to compute with."""
    most = _LARGEST_PARAMETER if isinstance(tensor, torch.nn.Parameter) else _LARGEST
    return not tensor.is_meta and tensor.numel() <= most


@dataclass(eq=False)
class Value:
    """What is known of the numbers of a tensor."""

    number: Tensor | None = None
    """The same tensor on the CPU, once it is computed."""
    sizes: dict[int, TracedNumber] = field(default_factory=dict)
    """The traced numbers that went into it, by identity."""
    form: Form | None = None
    expands: Tensor | None = None
    """The tensor that it is a view of, with the same numbers."""


class Values:
    """The tensors of a trace whose numbers are known; `originals` has the module's own, by their copies."""

    def __init__(self, originals: Mapping[int, Tensor]) -> None:
        self.originals = originals
        self.known: dict[int, tuple[Tensor, Value]] = {}
        self.pending: list[Callable[[], None]] = []
        """What is to be computed, in the order of the forward, with what is written in place."""
        self.kept: set[int] = set()
        """The memory of the user's tensors, which is not written to."""
        self.lost: set[int] = set()
        """The memory into which numbers of the input were written."""
        self.written: dict[int, dict[int, TracedNumber]] = {}
        """The traced numbers that went into memory in place, by its address."""

    # ---- noting

    def keep(self, twin: Tensor, tensor: Tensor) -> None:
        """Note that a tensor without memory has the numbers of one of the user's."""
        if is_small(tensor):
            self.known[id(twin)] = twin, self._of_user(tensor)

    def _of_user(self, tensor: Tensor) -> Value:
        number = tensor.detach().cpu()
        self.kept.add(_memory(number))
        return Value(number)

    def value_of(self, tensor: Tensor) -> Value | None:
        """Return what is known of a tensor's numbers; None where an input went into them."""
        if id(tensor) not in self.known:
            original = tensor if not tensor.is_meta else self.originals.get(id(tensor))
            if original is None or not is_small(original):
                return None
            self.known[id(tensor)] = tensor, self._of_user(original)
        return self.known[id(tensor)][1]

    def note(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        result: Any,
        *,
        writes: bool,
        sizes: Callable[[Tensor], Sizes],
    ) -> None:
        """Note a call; `sizes` returns the traced sizes of a tensor."""
        name, operands = getattr(function, "__name__", ""), tensors_in((args, kwargs))
        results = [tensor for tensor in tensors_in(result) if tensor.is_meta]
        target = kwargs.get("out", operands[0] if writes and operands else None)
        if not results and target is None:
            return
        hidden = passed()
        traced = {id(number): number for number in (*traced_in((args, kwargs)), *hidden)}
        first = operands[0] if operands and any(part in name for part in _BY_SHAPE) else None
        values = [None if tensor is first else self.value_of(tensor) for tensor in operands]
        is_known = all(value or tensor is first for tensor, value in zip(operands, values, strict=True))
        if not is_known or any(part in name for part in _RANDOM):
            if target is not None:
                self.lose(target)
            return
        if first is not None and "_like" in name:
            traced |= {id(number): number for number in traced_in(tuple(sizes(first)))}
        for value in filter(None, values):
            traced |= value.sizes
        made = []
        for tensor in results:
            _, value = self.known.setdefault(id(tensor), (tensor, Value(sizes=traced)))
            if name in _EXPANDING:
                value.expands = operands[0]
            made.append(value)
        extent = sizes(operands[0]).numel() if name == "sum" else 0
        seen = [*map(field_value, hidden)], field_value(extent) if traced_in(extent) else ""
        self.pending.append(lambda: self._compute(function, args, kwargs, made, target, traced, seen))

    # ---- computing

    def lose(self, tensor: Tensor) -> None:
        """Note that numbers of the input are written into the memory of a tensor."""
        if value := self.value_of(tensor):
            self.pending.append(lambda: self._lose(value))

    def _lose(self, value: Value) -> None:
        if value.number is not None:
            self.lost.add(_memory(value.number))

    def _compute(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        made: list[Value],
        target: Tensor | None,
        traced: dict[int, TracedNumber],
        seen: tuple[list[Any], Any],
    ) -> None:
        """Compute the results of a call, where all its numbers are known."""
        operands = [self.value_of(tensor) for tensor in tensors_in((args, kwargs))]
        written = None if target is None else self.value_of(target)
        numbers = [value.number for value in operands if value]
        is_lost = any(number is None or _memory(number) in self.lost for number in numbers)
        if written and written.number is not None:
            memory = _memory(written.number)
            if is_lost or memory in self.kept:
                self.lost.add(memory)
                return
            self.written.setdefault(memory, {}).update(traced)
        if is_lost:
            return
        try:
            result = _on_cpu(function, self._numbers(args), self._numbers(kwargs))
        except Exception:  # noqa: BLE001  (what does not run here has no numbers)
            if written:
                self._lose(written)
            return
        forms = [self._form(value) for value in operands if value]
        for value, number in zip(made, tensors_in(result), strict=False):
            value.number = number if number.numel() <= _LARGEST else None
            value.form = None if written else form_of(function, args, kwargs, forms, number, *seen)

    def _form(self, value: Value) -> tuple[Tensor, Form | None]:
        """Return the numbers of a tensor and how they depend on sizes; None where it was written to."""
        assert value.number is not None
        if _memory(value.number) in self.written:
            return value.number, None
        return value.number, value.form or (None if value.sizes else uniform(value.number))

    def _numbers(self, value: Any) -> Any:
        """Return nested arguments with tensors on the CPU and ordinary numbers."""
        return mapped(self._number, concrete(value))

    def _number(self, leaf: Any) -> Any:
        if isinstance(leaf, (torch.device, str)):
            return "cpu" if isinstance(leaf, torch.device) or leaf.split(":")[0] in ("cuda", "meta") else leaf
        if not isinstance(leaf, Tensor):
            return leaf
        value = self.value_of(leaf)
        if value is None:  # only its shape and dtype are read
            return torch.empty(leaf.shape, dtype=leaf.dtype, device="cpu")
        return value.number

    # ---- reading

    def read(self, tensors: list[Tensor], *, is_number: bool) -> bool:
        """Compute tensors and pin the sizes that went into them; return whether their numbers are known.

        With `is_number` nothing is pinned by tensors that are the same number at any size.
        """
        pending, self.pending = self.pending, []
        with DisableTorchFunction():
            for compute in pending:
                compute()
        values = [self.value_of(tensor) for tensor in tensors]
        pinned: list[TracedNumber] = []
        for value, tensor in zip(values, tensors, strict=True):
            if value is None or value.number is None or value.number.shape != tensor.shape:
                return False
            if (memory := _memory(value.number)) in self.lost:
                return False
            if not (is_number and value.form and value.form.is_same) or memory in self.written:
                pinned += (*value.sizes.values(), *self.written.get(memory, {}).values())
        for number in pinned:
            number.pin()
        return True

    def extremes(self, tensor: Tensor) -> list[int] | None:
        """Return the least and the greatest of integers that no size went into, of none where there are none.

        Return None where they are not known.
        """
        value = self.value_of(tensor)
        if value and value.expands is not None:
            return self.extremes(value.expands)
        if value is None or value.sizes or not self.read([tensor], is_number=False):
            return None
        assert value.number is not None
        return [int(end) for end in value.number.aminmax()] if value.number.numel() else []

    def answer(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any] | None:
        """Return the result of a call that needs numbers, in a tuple; None where they are not known."""
        tensors = tensors_in((args, kwargs))
        is_number = getattr(function, "__name__", "") in _NUMBERS
        if not tensors or not self.read(tensors, is_number=is_number):
            return None
        with DisableTorchFunction():
            result = _on_cpu(function, self._numbers(args), self._numbers(kwargs))
            if type(result).__module__ == "numpy":
                result = result.copy()
            return (mapped(self._entered, result),)

    def with_numbers(self, arguments: Any) -> Any:
        """Return nested arguments with numbers for the tensors of a single one that is known."""

        def number(leaf: Any) -> Any:
            is_single = isinstance(leaf, Tensor) and not leaf.dim()
            if not is_single or not self.read([leaf], is_number=True):
                return leaf
            with DisableTorchFunction():
                return self._number(leaf).item()

        return mapped(number, arguments)

    def _entered(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        twin = torch.empty_like(leaf, device="meta")
        self.known[id(twin)] = twin, Value(leaf)
        return twin


_NUMBERS = (
    "item",
    "__bool__",
    "__int__",
    "__float__",
    "__index__",
    "__complex__",
    "__contains__",
    "is_nonzero",
)
"""Functions that return a number for which the shape of their tensor does not matter."""


def _memory(number: Tensor) -> int:
    return number.untyped_storage().data_ptr() or id(number)


def _on_cpu(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if getattr(function, "__name__", "") == "cuda":
        return args[0]
    return function(*args, **{name: value for name, value in kwargs.items() if name != "device"})
