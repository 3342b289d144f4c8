"""Calls of torch's functions during a trace: each a step by a rule or by its name, or `opaque`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from shapecalc.bridges.torch.tracer.call_log import called_name, note_call
from shapecalc.bridges.torch.tracer.callers import caller_of_function
from shapecalc.bridges.torch.tracer.function_rules import RULES, transposed
from shapecalc.bridges.torch.tracer.grouped_products import predicted_grouped_mm
from shapecalc.bridges.torch.tracer.integer_inputs import called
from shapecalc.bridges.torch.tracer.named_functions import by_kind, by_name
from shapecalc.bridges.torch.tracer.plain_names import is_in_place, plain_name
from shapecalc.bridges.torch.tracer.signatures import arguments
from shapecalc.bridges.torch.tracer.source_lines import frame_above
from shapecalc.bridges.torch.tracer.tensor_creation import pin_all, record_new
from shapecalc.bridges.torch.tracer.trace import Call, Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete, pinned, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import caller_location
from shapecalc.bridges.torch.tracer.value_reads import read_values, with_values

_empty = torch.empty  # while a trace runs, torch.empty is another function


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALIASES = _words(
    """
    alias as_subclass as_tensor bfloat16 bool clone contiguous cpu cuda data detach double float half int
    long real requires_grad tensor to type type_as
    """
)
"""Functions that return their tensor, or the same numbers in another form: no step."""

_NO_MACS = _words(
    "cummax getitem index_put masked_scatter masked_select max max_unpool1d max_unpool2d max_unpool3d min "
    "narrow nonzero quantile repeat_interleave setitem slice_scatter unfold unique"
)
"""Functions without a rule that pick, compare or copy: what they cost is known, their shapes are not."""

_KEEPING_NUMBERS = _words("add broadcast_to expand expand_as repeat reshape unsqueeze view")
"""Functions whose results have the numbers of their tensor, or a number more."""

_RESHAPING_IN_PLACE = _words("squeeze_ swapaxes_ swapdims_ t_ transpose_ unsqueeze_")
"""Functions that give their tensor itself another shape."""

_OF_MEMORY = _words(
    """
    as_strided as_strided_copy as_strided_scatter data_ptr storage storage_offset storage_type stride
    untyped_storage
    """
)
"""Functions of how a tensor lies in memory, from which a forward could compute any size."""


class RecordingFunctions(TorchFunctionMode):
    """Runs torch's functions and records them in a trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        with DisableTorchFunction():  # reading a size is a call for each mode as well
            args, kwargs = self.trace.copied(args), self.trace.copied(kwargs or {})
            args, kwargs = (self.trace.meta_twins.without_memory(each) for each in (args, kwargs))
            self.trace.forget_indices(caller_location())
            if getattr(function, "__name__", "") in _RESHAPING_IN_PLACE:
                before = args[0].detach()
                self.trace.alias(before, args[0])
                result = function(*concrete(args), **concrete(kwargs))
                return record(self.trace, function, (before, *args[1:]), kwargs, result)
            predicted = _PREDICTED.get(function)
            result = None if predicted is None else predicted(args, kwargs)
        if result is None:
            try:
                result = called(self.trace, function, concrete(args), concrete(kwargs))
            except (RuntimeError, TypeError):
                frame = frame_above(1)
                with DisableTorchFunction():
                    if (answer := read_values(self.trace, function, args, kwargs, frame)) is not None:
                        return answer[0]
                    args, kwargs = with_values(self.trace, function, args, kwargs)
                result = function(*concrete(args), **concrete(kwargs))
        self.trace.called = caller_of_function(function)
        try:
            with DisableTorchFunction():
                return record(self.trace, function, args, kwargs, result)
        finally:
            self.trace.called = "module"


def record(trace: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """Record a call with its result; return the result, sizes traced."""
    before = len(trace.steps)
    recorded = _recorded(trace, function, args, kwargs, result)
    note_call(trace, called_name(function), result, before)
    return recorded


def _recorded(trace: Trace, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    raw = getattr(function, "__name__", "function")
    writes = is_in_place(raw) or kwargs.get("inplace") is True
    trace.values.note(function, args, kwargs, result, writes=writes, sizes=trace.sizes)
    if raw == "__get__":
        return _property(Call(trace, function.__self__.__name__, {"input": args[0]}, result))
    name = plain_name(raw)
    if raw == "__rmatmul__":
        args = args[::-1]
    if name in ("size", "numel", "nelement") and isinstance(args[0], Tensor):
        sizes = trace.sizes(args[0])
        if name != "size":
            return sizes.numel()
        dim = arguments(function, args, kwargs).get("dim")
        return sizes if dim is None else sizes[dim]
    if name == "stride" and _is_laid_out_by_its_sizes(args[0]):
        strides = [trace.sizes(args[0])[axis + 1 :].numel() for axis in range(args[0].dim())]
        dim = arguments(function, args, kwargs).get("dim")
        return tuple(strides) if dim is None else strides[dim]
    if name in _OF_MEMORY:
        trace.has_unknown = True
        return result
    if name == "len":
        return pinned(trace.sizes(args[0])[0])
    if name == "iter":
        rows = [*result]
        trace.values.note(torch.unbind, args[:1], {}, rows, writes=False, sizes=trace.sizes)
        _record(Call(trace, "unbind", {"input": args[0], "dim": 0}, rows))
        return iter(rows)
    results = [*tensors_in(result)]
    if not results and name != "setitem":
        return result
    operands = [*tensors_in((args, kwargs))]
    call = Call(trace, name, arguments(function, args, kwargs), result)
    if raw.endswith("_") and operands and result is operands[0]:
        for operand in operands[1:]:
            trace.guard_expansion(operand, trace.name_of(result), result.shape)
    _record_tensors(call, operands, results)
    return result


def _is_laid_out_by_its_sizes(tensor: Tensor) -> bool:
    """Return whether a tensor is contiguous at any sizes: no view, and no size of 1 hides another order."""
    is_view = tensor._is_view()  # noqa: SLF001  (torch has no public name for it)
    return tensor.is_contiguous() and not is_view and 1 not in tensor.shape


def _record_tensors(call: Call, operands: Sequence[Tensor], results: Sequence[Tensor]) -> None:
    """Record a call that makes tensors: of numbers, by a rule, by its name, or as it was seen."""
    if call.name == "new_tensor" and len(operands) > 1:  # of a tensor
        call.trace.alias(call.result, operands[1])
    elif not operands or call.name.startswith("new_"):
        record_new(call)
    elif call.name in _ALIASES:
        call.trace.alias(call.result, operands[0])
    elif _record(call):
        _note_range(call, operands)
    else:
        pin_all(call.arguments)
        macs = 0 if call.name in _NO_MACS else None
        call.trace.append_opaque(call.name, operands, results, macs=macs)


def _record(call: Call) -> bool:
    """Record a call by a rule or by its name; return whether there was one."""
    try:
        if isinstance(call.result, (tuple, list)) and isinstance(call.arguments.get("input"), Tensor):
            _guard_count(call, len(call.result))
        rule = RULES.get(call.name)
        return rule(call) if rule is not None else by_name(call) or by_kind(call)
    except ValidationError:
        return False  # settings that the kind does not have


def _note_range(call: Call, operands: Sequence[Tensor]) -> None:
    """Note what the numbers of a result are less than, where they are those of a range."""
    trace, result = call.trace, call.result
    if call.name in _KEEPING_NUMBERS and operands and isinstance(result, Tensor):
        end = trace.ranges.get(trace.name_of(operands[0]))
        offset = call.arguments.get("other", 0) if call.name == "add" else 0
        if end is not None and isinstance(offset, int):
            trace.ranges[trace.name_of(result)] = end + offset


def _guard_count(call: Call, count: int) -> None:
    """Record what the number of results depends on, where it is a size."""
    name = call.name.removeprefix("unsafe_")
    if name not in ("unbind", "chunk", "split"):
        return
    size = call.trace.sizes(call.input)[concrete(call.arguments.get("dim", 0))]
    parts = call.first("chunks", "split_size", "split_size_or_sections", "split_sizes")
    if name == "chunk" and count == concrete(parts):
        _ = (count - 1) * -(-size // count) < size
    elif name != "split":
        pinned(size)
    elif isinstance(parts, int):
        _ = -(-size // parts) == count


def _property(call: Call) -> Any:
    """Return a property of a tensor: sizes traced; `.T` and its like are steps."""
    tensor, result = call.input, call.result
    if call.name == "nbytes":
        return call.trace.sizes(tensor).numel() * tensor.element_size()
    if isinstance(result, torch.Size):
        return call.trace.sizes(tensor)
    if isinstance(result, Tensor) and result is not tensor:
        if call.name in ("T", "H", "mT", "mH"):
            transposed(call)
        elif result.shape == tensor.shape:
            call.trace.alias(result, tensor)
    return result


def _predicted_cat(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the result of `torch.cat` on contiguous tensors alike in all but one size, else None."""
    if kwargs or len(args) not in (1, 2):
        return None
    tensors, dim = args[0], int.__index__(args[1]) if len(args) == 2 and isinstance(args[1], int) else 0
    if not isinstance(tensors, (tuple, list)) or not tensors:
        return None
    first = tensors[0]
    rank = first.dim() if type(first) is Tensor else 0
    if not -rank <= dim < rank or not all(
        type(tensor) is Tensor
        and tensor.dim() == rank
        and tensor.dtype is first.dtype
        and tensor.is_contiguous()
        for tensor in tensors
    ):
        return None
    shapes = [[*tensor.shape] for tensor in tensors]
    sizes = [shape.pop(dim) for shape in shapes]
    if any(shape != shapes[0] for shape in shapes) or 0 in sizes:
        return None
    shape = [*first.shape]
    shape[dim] = sum(sizes)
    return _empty(shape, dtype=first.dtype, device=first.device)


_PREDICTED: dict[Any, Callable[[tuple[Any, ...], dict[str, Any]], Tensor | None]] = {
    torch.cat: _predicted_cat,
    getattr(nn.functional, "grouped_mm", None): predicted_grouped_mm,  # since torch 2.10
    getattr(torch, "_grouped_mm", None): predicted_grouped_mm,
}
"""What gives the result of a function without a run, or None where torch has to."""
