"""Calls of torch's functions that need the numbers of tensors: `item`, `bool`, `tolist` and others."""

from __future__ import annotations

import dis
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import tensors_in

_READS = (
    *("item", "tolist", "numpy", "__array__", "__bool__", "__int__", "__float__", "__index__", "__complex__"),
    *("__contains__", "is_nonzero", "equal", "allclose", "nonzero", "unique", "unique_consecutive"),
    *("masked_select", "bincount"),
)
_TRUTHS = ("__contains__", "equal", "allclose")
_TRUTHS_OF_ONE = ("__bool__", "is_nonzero")


class DependsOnData(RuntimeError):
    """A forward reads numbers that depend on those of the input, which a trace does not have."""

    hint = "decide by sizes, or compute what is read outside of the forward"


def read_values(
    trace: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType
) -> tuple[Any] | None:
    """Return the result of a call that failed without numbers, in a tuple; None where it is not of numbers.

    `frame` is that of the forward. Where the numbers depend on the input, and Python raises an error for one
    outcome, as `assert` does, the result is the other. A truth where both may go on is a decision of the
    trace. Raises `DependsOnData` for other numbers, and where decisions are not to be taken.
    """
    answer = trace.values.answer(function, args, kwargs)
    if answer is not None:
        trace.literals |= {id(tensor): tensor for tensor in tensors_in(answer)}
        return answer
    name = getattr(function, "__name__", "")
    if name not in _READS:
        masks = [*filter(is_mask, tensors_in(args[1:]))] if name == "__getitem__" else []
        if all(trace.values.read([mask], is_number=False) for mask in masks):
            return None
    if name == "__bool__" and args[0].numel() == 1 and (outcome := _outcome_that_goes_on(frame)) is not None:
        return (outcome,)
    if _is_truth(name, args) and (taken := trace.decisions.take()) is not None:
        return (taken,)
    raise DependsOnData(f"{name.strip('_')} reads them")


def _is_truth(name: str, args: tuple[Any, ...]) -> bool:
    is_of_one = name in _TRUTHS_OF_ONE or (name == "item" and args[0].dtype is torch.bool)
    return name in _TRUTHS or (is_of_one and args[0].numel() == 1)


def with_values(trace: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the arguments of a call with numbers for single ones, and places for masks in an index."""
    if getattr(function, "__name__", "") == "__getitem__":
        index = args[1] if isinstance(args[1], tuple) else args[1:]
        parts: list[Any] = []
        axis, left = 0, args[0].dim() - sum(map(axes_of_index, index))
        for part in index:
            picks = isinstance(part, Tensor) and is_mask(part)
            places = trace.values.answer(Tensor.nonzero, (part,), {"as_tuple": True}) if picks else None
            parts += places[0] if places else [part]
            trace.literals |= {id(tensor): tensor for tensor in tensors_in(places)}
            if places:
                _ = trace.sizes(args[0])[axis : axis + part.dim()] == tuple(part.shape)  # guards
            axis += left if part is Ellipsis else axes_of_index(part)
        args = (args[0], tuple(parts))
    return trace.values.with_numbers((args, kwargs))


def axes_of_index(part: Any) -> int:
    """Return how many axes a part of an index is about."""
    if isinstance(part, Tensor) and is_mask(part):
        return part.dim()
    return 0 if part is None or part is Ellipsis or isinstance(part, bool) else 1


def is_mask(tensor: Tensor) -> bool:
    """Return whether a tensor in an index picks what is true in it."""
    return tensor.dtype in (torch.bool, torch.uint8)


def _outcome_that_goes_on(frame: FrameType) -> bool | None:
    """Return the truth for which Python goes on, where it raises an error for the other."""
    instructions = [*dis.get_instructions(frame.f_code)]
    place = next(number for number, each in enumerate(instructions) if each.offset == frame.f_lasti)
    while instructions[place].opname in ("TO_BOOL", "CACHE"):
        place += 1
    jump = instructions[place]
    if "JUMP" not in jump.opname or not jump.opname.endswith(("IF_TRUE", "IF_FALSE")):
        return None
    if frame.f_code.co_exceptiontable:
        return None  # the error may be caught
    offsets = {each.offset: number for number, each in enumerate(instructions)}
    jumps_if = jump.opname.endswith("IF_TRUE")
    there, here = _raises(instructions[offsets[jump.argval] :]), _raises(instructions[place + 1 :])
    return None if there is here else jumps_if is here


def _raises(instructions: list[dis.Instruction]) -> bool:
    """Return whether code comes to `raise` without a decision before it."""
    for each in instructions:
        if each.opname == "RAISE_VARARGS":
            return True
        if "JUMP" in each.opname or each.opname.startswith(("RETURN", "FOR_ITER", "YIELD", "SEND")):
            return False
    return False
