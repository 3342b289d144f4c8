"""Results that the rule of a kind predicts, so that torch need not run.

On the meta device torch does much work for a shape: a batch normalization is a dozen operations in Python.
The rule of a kind is proved equal to torch's (tests/torch/test_proofs.py), so it serves for the modules
whose result is a new tensor like their input. All others run.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from shapecalc.bridges.torch.tracer.module_to_kind import kind_of
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers.base import Effect

_empty = torch.empty  # while a trace runs, torch.empty is another function
_HOOKS = ("forward_hooks", "forward_pre_hooks")


def predicted_output(module: nn.Module, x: Tensor, effect: Effect) -> Tensor | None:
    """Return a module's result for a tensor, the tensor itself where in place; None where it has to run."""
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
        or any(one.dtype is not x.dtype for one in vars(module)["_parameters"].values() if one is not None)
    ):
        return None
    return x if getattr(module, "inplace", False) else _empty(sizes, dtype=x.dtype, device=x.device)


def predicted_cat(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
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
