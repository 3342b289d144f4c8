"""Calls of modules during a trace: one step where the module has a kind, else its own forward is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any
from unittest import mock

import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.nn.modules import module as hooks
from torch.nn.modules.loss import _Loss

from shapecalc.bridges.torch.tracer.call_log import MODULE, note_call
from shapecalc.bridges.torch.tracer.callers import is_of_torch
from shapecalc.bridges.torch.tracer.integer_inputs import called
from shapecalc.bridges.torch.tracer.module_to_kind import as_layer, kind_of
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Effect

_empty = torch.empty  # while a trace runs, torch.empty is another function
_HOOKS = ("forward_hooks", "forward_pre_hooks")


@contextmanager
def recording_modules(trace: Trace) -> Iterator[None]:
    """Record each call of a module in a trace; those of other threads are none of it."""
    original = nn.Module.__call__

    def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if get_ident() != trace.thread:
            return original(module, *args, **kwargs)
        module = trace.module_copies.get(id(module), module)
        with DisableTorchFunction():
            if trace.inside_leaf:
                return original(module, *args, **kwargs)
            if not args and [*kwargs] == ["input"]:
                args, kwargs = (kwargs["input"],), {}
            trace.called = "module" if is_of_torch(type(module)) else "custom"
            operands = _operands(module, args, kwargs)
            before = len(trace.steps)
            effect = _append(trace, module, operands, kwargs) if operands else None
            trace.called = "module"
            if effect is not None:
                args, kwargs = trace.meta_twins.without_memory((args, kwargs))
                if getattr(module, "inplace", False):
                    trace.values.lose(args[0])
                result = _predicted(module, args[0], effect) if len(operands) == 1 else None
                if result is None:
                    trace.inside_leaf = True
                    try:
                        result = called(trace, original, (module, *concrete(args)), concrete(kwargs))
                    finally:
                        trace.inside_leaf = False
                trace.bind_layer(trace.last, [*tensors_in(result)][: len(effect.outputs)])
                note_call(trace, f"{MODULE}{trace.paths.get(id(module))}", result, before)
                return result
        trace.log.next(f"{MODULE}{trace.paths.get(id(module))}")
        trace.scope.append(trace.paths.get(id(module), trace.scope[-1] if trace.scope else ""))
        trace.running.append(type(module))
        try:
            return original(module, *args, **kwargs)
        finally:
            trace.scope.pop()
            trace.running.pop()

    with mock.patch.object(nn.Module, "__call__", call):
        yield


def _operands(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """Return the tensors that a layer reads: one, and initial states; none where the call is of more.

    Attention may have the same tensor three times.
    """
    if not args or not isinstance(args[0], Tensor):
        return []
    if isinstance(module, nn.MultiheadAttention) and len(args) > 1:
        masks = [value for name, value in kwargs.items() if "mask" in name]
        is_plain = all(mask is None or isinstance(mask, bool) for mask in masks)
        is_of_self = len(args) == 3 and args[0] is args[1] is args[2]
        return [args[0]] if is_of_self and is_plain else []
    if isinstance(module, (nn.RNNBase, nn.RNNCellBase)) and [*kwargs] in ([], ["hx"]):
        return tensors_in((args, kwargs))
    if isinstance(module, (nn.Bilinear, _Loss)) and not kwargs:
        return [*args] if all(isinstance(item, Tensor) for item in args) else []
    return [args[0]] if len(args) == 1 and not kwargs else []


def _append(
    trace: Trace, module: nn.Module, operands: Sequence[Tensor], kwargs: dict[str, Any]
) -> Effect | None:
    """Append the step that a module is, if it is one, and return its effect; its result is not bound yet."""
    layer = as_layer(module)
    if layer is None:
        return None
    if isinstance(module, nn.MultiheadAttention) and kwargs.get("need_weights", True):
        is_average = kwargs.get("average_attn_weights", True)
        fields = {"need_weights": True} | ({} if is_average else {"average_attn_weights": False})
        layer = type(layer)(**layer.fields_set() | fields)
    own = dict(module.named_parameters()) if vars(module)["_modules"] else direct_parameters(module)
    try:
        effect = layer.apply(tuple([tuple(x.shape) for x in operands]))
    except (ShapecalcError, ValidationError):
        return None  # torch raises an error of its own for what it does not take
    is_own = all(id(parameter) in trace.parameters for parameter in own.values())
    if not is_own or effect.weights != {name: tuple(item.shape) for name, item in own.items()}:
        return None  # weights that are computed, as under a parametrization
    weighting = {name for name, item in vars(module)["_buffers"].items() if item is not None}
    if isinstance(module, _Loss) and weighting != {*effect.buffers}:
        return None
    path = trace.paths.get(id(module)) or layer.kind
    if not trace.claim(layer, own.values(), [*map(trace.name_of, operands)], (), path):
        return None
    if id(module) in trace.paths:
        trace.leaves[trace.last] = trace.paths[id(module)]
    if effect.buffers:
        trace.own_buffers(
            *(module.buffers() if vars(module)["_modules"] else vars(module)["_buffers"].values())
        )
    return effect


def direct_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of a module itself, by name."""
    return {name: item for name, item in vars(module)["_parameters"].items() if item is not None}


def _predicted(module: nn.Module, x: Tensor, effect: Effect) -> Tensor | None:
    """Return a module's result for a tensor, the tensor itself where in place; None where it has to run.

    On the meta device torch does much work for a shape: a batch normalization is a dozen operations of
    Python. The rule of a kind is proved equal to torch's (tests/torch/test_proofs.py), so it serves where
    the result is a new tensor like the input.
    """
    kind = kind_of(module)
    if kind is None or type(x) is not Tensor:
        return None
    twin = twin_of(kind)
    sizes = [size for size in effect.outputs[0] if isinstance(size, int)]
    if (
        not twin.returns_new_tensor()
        or not x.is_floating_point()
        or not (twin.returns_contiguous() or x.is_contiguous())
        or len(sizes) != len(effect.outputs[0])
        or module.training
        or "forward" in vars(module)
        or any(vars(module)[f"_{name}"] or vars(hooks)[f"_global_{name}"] for name in _HOOKS)
        or any(weight.dtype is not x.dtype for weight in direct_parameters(module).values())
    ):
        return None
    return x if getattr(module, "inplace", False) else _empty(sizes, dtype=x.dtype, device=x.device)
