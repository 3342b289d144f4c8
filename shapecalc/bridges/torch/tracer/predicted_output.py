"""What a module of torch returns, told by our rule instead of by torch.

On the meta device torch works much for a shape: a batch normalization alone is a dozen operations in Python.
The rule of a kind is proved equal to torch's (tests/torch/test_proofs.py), so its answer is as good, for
the modules whose result is a new tensor like the one that arrives. All others run.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

from shapecalc.bridges.torch.tracer.module_to_kind import kind_of
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers.base import Effect


def foretold(module: nn.Module, x: Tensor, effect: Effect) -> Tensor | None:
    """Return a module's result for a tensor, in place where the module says so; None where it has to run."""
    kind = kind_of(module)
    sizes = [size for size in effect.outputs[0] if isinstance(size, int)]
    if (
        kind is None
        or not (twin := twin_of(kind)).returns_new_tensor()
        or type(x) is not Tensor
        or not x.is_floating_point()
        or not (x.is_contiguous() or twin.returns_contiguous())
        or len(sizes) != len(effect.outputs[0])
        or _is_watched(module)
        or module.training
        or any(one.dtype is not x.dtype for one in vars(module)["_parameters"].values() if one is not None)
    ):
        return None
    return x if getattr(module, "inplace", False) else x.new_empty(sizes)


def _is_watched(module: nn.Module) -> bool:
    """Whether something else would see the call, or answer it."""
    return bool(
        any(
            vars(module)[f"_{one}"] or vars(hooks)[f"_global_{one}"]
            for one in ("forward_hooks", "forward_pre_hooks")
        )
        or "forward" in vars(module)
    )


def joined(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the result of `torch.cat` on contiguous tensors alike in all but one size, else None."""
    if kwargs or len(args) not in (1, 2):
        return None
    tensors, dim = args[0], int.__index__(args[1]) if len(args) == 2 and isinstance(args[1], int) else 0
    if not isinstance(tensors, (tuple, list)) or not tensors:
        return None
    first = tensors[0]
    rank = first.dim() if type(first) is Tensor else 0
    if not -rank <= dim < rank or not all(
        type(one) is Tensor and one.dim() == rank and one.dtype is first.dtype and one.is_contiguous()
        for one in tensors
    ):
        return None
    shapes = [[*one.shape] for one in tensors]
    sizes = [shape.pop(dim) for shape in shapes]
    if any(shape != shapes[0] for shape in shapes) or 0 in sizes:
        return None
    shape = [*first.shape]
    shape[dim] = sum(sizes)
    made: Tensor = first.new_empty(shape)
    return made
