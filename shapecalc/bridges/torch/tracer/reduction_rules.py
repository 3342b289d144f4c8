"""Reductions: over the axes of the call, all of them by default."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.named_functions import by_name
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in


def _reduced(call: Call, function: str, source: Tensor | str, results: list[Any]) -> str:
    """Append a reduction over the axes of the call, all of them by default; return its name."""
    rank, dim = call.input.dim(), concrete(call.arguments.get("dim"))
    axes: Any = tuple(range(rank)) if dim in (None, [], ()) else dim
    fields = {"dim": axes, "keepdim": bool(call.arguments.get("keepdim"))}
    if function in ("prod", "argmax", "argmin") and not isinstance(axes, int):
        source, fields["dim"] = call.step(layers.View(shape=(-1,)), source), 0
        if fields["keepdim"]:
            fields["keepdim"] = False
            reduced = call.step(canonical(layers.Reduce, {"function": function, **fields}), source)
            return call.step(layers.View(shape=[1] * rank), reduced, results=results)
    kind = layers.Mean if function == "mean" else layers.Reduce
    return call.step(canonical(kind, {"function": function, **fields}), source, results=results)


def _reduce(call: Call) -> bool:
    if not isinstance(call.result, Tensor) or not call.input.dim():
        return False
    return bool(_reduced(call, call.name, call.input, [call.result]))


def _greatest(call: Call) -> bool:
    """The greatest or least: of two tensors, of all numbers, or along an axis with its place."""
    if len(tensors_in(call.arguments)) > 1 or not call.input.dim():
        return by_name(call)
    if isinstance(call.result, Tensor):
        return bool(_reduced(call, f"a{call.name}", call.input, [call.result]))
    values, places = call.result
    _reduced(call, f"a{call.name}", call.input, [values])
    return bool(_reduced(call, f"arg{call.name}", call.input, [places]))


def _two_reductions(call: Call) -> bool:
    """A variance or deviation with the mean, or the least with the greatest."""
    first, second = ("amin", "amax") if call.name == "aminmax" else call.name.split("_")
    for function, result in zip((first, second), call.result, strict=True):
        _reduced(call, function, call.input, [result])
    return True


def _vector_norm(call: Call) -> bool:
    """A norm of vectors: Euclidean, or a sum of powers, of which the first and the infinite need none."""
    order, x = call.first("p", "ord"), call.input
    if not isinstance(call.result, Tensor) or not x.dim() or call.arguments.get("dtype") is not None:
        return False
    if call.name == "linalg_norm" and order is not None and not isinstance(call.arguments["dim"], int):
        return False  # perhaps of matrices
    if order in (None, 2, "fro"):
        return bool(_reduced(call, "norm", x, [call.result]))
    if not isinstance(order, (int, float)) or not order:
        return False
    source = call.step(layers.Elementwise(function="abs"), x, name="abs")
    if abs(order) == float("inf"):
        return bool(_reduced(call, "amax" if order > 0 else "amin", source, [call.result]))
    if order == 1:
        return bool(_reduced(call, "sum", source, [call.result]))
    powers = call.step(layers.Elementwise(function="pow"), source, name="pow")
    total = _reduced(call, "sum", powers, [])
    return call.ends(layers.Elementwise(function="pow"), total, name="pow")


REDUCTIONS: dict[str, Rule] = {
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std"), _reduce),
    **dict.fromkeys(("prod", "any", "all", "argmax", "argmin", "logsumexp"), _reduce),
    **dict.fromkeys(("max", "min"), _greatest),
    **dict.fromkeys(("norm", "linalg_norm", "linalg_vector_norm"), _vector_norm),
    **dict.fromkeys(("var_mean", "std_mean", "aminmax"), _two_reductions),
}
"""By the name of the function."""
