"""Tensors whose numbers do not depend on their sizes: all are the same, or they count up from a number.

A mask of ones is true whatever its length, and so is what is made of it number by number; positions from 0
differ by 1. A decision by such a number holds at any size. Each rule is checked with the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from shapecalc.bridges.torch.tracer.plain_names import plain_name
from shapecalc.bridges.torch.tracer.traced_number import traced_in
from shapecalc.bridges.torch.tracer.traced_sizes import field_value
from shapecalc.layers.by_name import POINTWISE
from shapecalc.record import record


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEW = _words("zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full")
_SAME = _words(
    """
    to type type_as bool int long float double half bfloat16 cpu clone contiguous detach data alias view
    reshape expand expand_as broadcast_to repeat unsqueeze squeeze flatten transpose permute t T mT swapaxes
    movedim getitem narrow select index_select gather unbind split chunk cat stack all any amax amin max min
    """
)
"""Functions whose results have no other numbers than their tensors, where all of these are the same."""
_BY_NUMBER = _words(
    """
    where masked_fill logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not
    bitwise_xor
    """
).union(POINTWISE.keys() - {"tril", "triu"})
_NEAREST = _words("nearest nearest-exact")
_SUMS = _words("sum cumsum")
_KEEPING = _words("to long int float double clone contiguous detach unsqueeze expand")
"""Functions whose results count up as their tensor does."""
_PICKING = _words("getitem index_select gather")
_EQUAL = _words("eq ne")
_AFFINE = _words("add sub mul")


@record
class Form:
    """Numbers from `start` in steps along one axis; all are the same where the step is 0.

    With `extent` the number is `start` times this product of sizes: the sum of ones.
    """

    start: float
    step: float = 0
    extent: str = ""

    @property
    def is_same(self) -> bool:
        """Whether all numbers are the same, whatever the sizes."""
        return not self.step and not self.extent


Operand = tuple[Tensor, Form | None]


def uniform(number: Tensor) -> Form | None:
    """Return the form of a tensor all of whose numbers are the same, else None."""
    if not number.numel() or number.is_complex():
        return None
    first = number.flatten()[0]
    return Form(first.item()) if bool((number == first).all()) else None


def form_of(
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    operands: Sequence[Operand],
    number: Tensor,
    hidden: Sequence[str],
    extent: str,
) -> Form | None:
    """Return the form that a result has at any sizes, or None; `number` is the result in the trace.

    `hidden` are the sizes that the call takes as ordinary numbers, `extent` is that of its first tensor.
    """
    raw = getattr(function, "__name__", "")
    name = function.__self__.__name__ if raw == "__get__" else plain_name(raw)
    if name in _NEW:
        filled = (args[1:] if "full" in name else (), kwargs.get("fill_value"))
        return None if hidden or traced_in(filled) else uniform(number)
    if name == "arange":
        return _range(args, kwargs, number)
    forms = [form for _, form in operands if form is not None]
    counting = [form for form in forms if form.step]
    if not forms or len(forms) < len(operands) or len(counting) > 1:
        return None
    numbers = [*hidden, *map(field_value, traced_in((args, kwargs)))]
    if any(form.extent for form in forms):
        is_complete = name in _EQUAL and len(numbers) == 1 and forms == [Form(1, 0, numbers[0])]
        return uniform(number) if is_complete else None
    if name == "sum" and len(args) == 1 and not kwargs and forms == [Form(1)] and extent:
        return Form(1, 0, extent)
    is_fixed = not numbers
    if counting:
        if name in _PICKING and operands[0][1] == uniform(number):  # of numbers that are all the same
            return uniform(number)
        if name in _KEEPING:
            return counting[0] if _counted(number) == counting[0] else None
        return _of_counting(name, args, kwargs, operands, number) if is_fixed else None
    is_copied = name == "interpolate" and len(args) < 4 and kwargs.get("mode", "nearest") in _NEAREST
    same = is_copied or name in _SAME or (name in _BY_NUMBER and is_fixed)
    return uniform(number) if same or (name in _SUMS and not any(form.start for form in forms)) else None


def _of_counting(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], operands: Sequence[Operand], number: Tensor
) -> Form | None:
    """Return the form of what is made of numbers that count up, and of others that are all the same."""
    (source, form), *others = operands
    if name in _AFFINE:
        return _counted(number)
    if form is None or not form.step:
        return None
    if name == "getitem":
        return _part(form, args[1], source, number)
    if name == "diff" and len(args) == 1 and {*kwargs} <= {"prepend", "dim"} and kwargs.get("dim", -1) == -1:
        before = form.start - form.step
        if all(other == Form(before) and tensor.shape[-1] == 1 for tensor, other in others):
            return uniform(number)
    return None


def _range(args: tuple[Any, ...], kwargs: dict[str, Any], number: Tensor) -> Form | None:
    """Return the form of `arange`, where only its end is a size."""
    start = kwargs.get("start", args[0] if len(args) > 1 else 0)
    step = kwargs.get("step", args[2] if len(args) > 2 else 1)
    form = _counted(number)
    return form if type(start) is int and type(step) is int and form == Form(start, step) else None


def _counted(number: Tensor) -> Form | None:
    """Return the form of numbers that count up along an axis of at least 2."""
    if number.dtype is torch.bool or number.is_complex():
        return None
    for axis, size in enumerate(number.shape):
        if size > 1 and number.numel():
            row = number.movedim(axis, -1).reshape(-1, size)
            start, step = row[0, 0].item(), (row[0, 1] - row[0, 0]).item()
            if step and bool((row == start + step * torch.arange(size)).all()):
                return Form(start, step)
    return None


def _part(form: Form, index: Any, source: Tensor, number: Tensor) -> Form | None:
    """Return the form of a part of counting numbers, the last axis of which is cut."""
    parts = [part for part in (index if isinstance(index, tuple) else (index,)) if part is not None]
    last = parts.pop() if len(parts) == source.dim() else None
    if (
        any(part != slice(None) for part in parts)
        or _counted(source.reshape(-1, source.shape[-1])[0]) != form
    ):
        return None
    if last is None:
        return form if _counted(number) == form else None
    first = last.start or 0 if isinstance(last, slice) else last
    if type(first) is not int or first < 0 or (isinstance(last, slice) and last.step is not None):
        return None
    start = form.start + first * form.step
    is_single = not isinstance(last, slice) or last.stop == first + 1
    result = uniform(number) if is_single else _counted(number)
    return result if result == Form(start, 0 if is_single else form.step) else None
