"""Other values for the fields of a layer, and what would come out of a chain of layers then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import Dim
from shapecalc.engine.plausible import plausible
from shapecalc.errors import ShapecalcError
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.base import Kind, Layer
from shapecalc.layers.requirement import Refused, Shape

_STRIDES = (1, 2, 3, 4)
_KERNELS = (1, 3, 5, 7)


def alternatives(layer: Kind, aim: Shape, axes: Sequence[int]) -> Iterator[tuple[str, Any]]:
    """Yield other values for the fields of a layer on which the size of its result depends."""
    fields = type(layer).model_fields
    if "kernel_size" in fields and "padding" in fields:
        rank = getattr(layer, "rank", 2)
        kernel = per_axis(getattr(layer, "kernel_size", 1), rank)
        dilation = per_axis(getattr(layer, "dilation", 1), rank)
        spans = [extent(k, d) for k, d in zip(kernel, dilation, strict=True)]
        if all(isinstance(span, int) and span % 2 for span in spans):
            yield "padding", [(span - 1) // 2 for span in spans]
    if "stride" in fields:
        yield from (("stride", stride) for stride in _STRIDES)
    if "kernel_size" in fields and "padding" in fields:
        yield from (
            ("padding", p) for p in range(max((k for k in kernel if isinstance(k, int)), default=0) // 2 + 1)
        )
    if "kernel_size" in fields:
        yield from (("kernel_size", size) for size in _KERNELS)
    if "out_channels" in fields and axes and axes[0] == 1 and isinstance(aim[0], int):
        yield "out_channels", aim[0]


def changed(layer: Kind, name: str, value: Any) -> Layer | None:
    """Return a layer with another value in a field, or None where that is not legal or changes nothing."""
    if not isinstance(layer, Layer) or per_axis(getattr(layer, name), 8) == per_axis(value, 8):
        return None
    try:
        return type(layer).model_validate({**layer.fields_set(), name: value})
    except ValidationError:
        return None


def result(layers: Sequence[Kind], x: Shape) -> Shape | None:
    """Return what comes out of layers one after the other, or None where one refuses."""
    for layer in layers:
        try:
            x = layer.apply((x,)).outputs[0]
        except Refused as refused:
            results, _ = plausible(layer, (x,), refused.requirement.code)
            if refused.requirement.code != "channels" or results is None:
                return None
            x = results[0]  # the wrong channels are a finding of their own
        except ShapecalcError:
            return None
    return x


def per_axis(value: Any, rank: int) -> tuple[Dim, ...]:
    """Return a value for each axis."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank


def written(value: Any) -> str:
    """Return a value as a spec writes it: one number where all are equal."""
    if isinstance(value, (list, tuple)):
        return str(value[0]) if len(set(value)) == 1 else f"[{', '.join(map(str, value))}]"
    return str(value)
