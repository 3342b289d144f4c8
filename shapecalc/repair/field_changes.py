"""Other values for the fields of a layer, and the output of a chain of layers with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import Dim
from shapecalc.engine.error_recovery import assumed_results
from shapecalc.errors import ShapecalcError
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.layers.roles import Makes, WindowField, fields_with

_STRIDES = (1, 2, 3, 4)
_KERNELS = (1, 3, 5, 7)
_SMALL = (1, 2, 3, 4, 0, -1, -2)
_MOST_VALUES = 40


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


def every_alternative(layer: Kind, pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[str, Any]]:
    """Yield the likely values first, then others for every field that holds integers.

    `pairs` are sizes that disagree: the actual and the needed size. The number of channels
    that a layer makes is moved by their difference or by their ratio.
    """
    pairs = [*pairs]
    yield from alternatives(layer, (), ())
    cls = type(layer)
    for name, field in cls.model_fields.items():
        value = getattr(layer, name)
        if isinstance(value, bool):
            yield name, not value
            continue
        if isinstance(value, int) and name in fields_with(cls, Makes):
            yield from ((name, new) for new in dict.fromkeys(_moved(value, pairs)) if new > 0)
            continue
        is_small = name in fields_with(cls, WindowField)
        if not is_small and name not in layer.model_fields_set:
            continue  # what nobody wrote is seldom what is wrong
        near = [field.default] if isinstance(field.default, int) else []
        needed = [] if is_small else [size for pair in pairs for size in pair[::-1]]
        for number, new in enumerate(_varied(value, [*near, *needed, *_SMALL])):
            if number >= _MOST_VALUES:
                break
            yield name, new


def _moved(value: int, pairs: Iterable[tuple[int, int]]) -> Iterator[int]:
    for actual, needed in pairs:
        yield value + needed - actual
        if actual and value * needed % actual == 0:
            yield value * needed // actual
        yield needed


def _varied(value: Any, others: Sequence[int]) -> Iterator[Any]:
    """Yield a value with one of the numbers in it replaced."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield from (other for other in (*others, value - 1, value + 1) if other != value)
    elif isinstance(value, (list, tuple)):
        for other in others:
            for number, item in enumerate(value):
                for new in _varied(item, (other,)):
                    yield [*value[:number], new, *value[number + 1 :]]


def changed(layer: Kind, name: str, value: Any) -> Kind | None:
    """Return a layer with another value in a field, or None where that is not legal or changes nothing."""
    if per_axis(getattr(layer, name), 8) == per_axis(value, 8):
        return None
    try:
        return type(layer).model_validate({**layer.fields_set(), name: value})
    except (ValidationError, ShapecalcError, TypeError):
        return None


def chain_output(layers: Sequence[Kind], x: Shape) -> Shape | None:
    """Return the output of layers one after the other, or None where one refuses."""
    for layer in layers:
        try:
            x = layer.apply((x,)).outputs[0]
        except Refused as refused:
            results, _ = assumed_results(layer, (x,), refused.requirement.code)
            if refused.requirement.code != "channels" or results is None:
                return None
            x = results[0]  # wrong channels are a finding of their own
        except ShapecalcError:
            return None
    return x


def per_axis(value: Any, rank: int) -> tuple[Dim, ...]:
    """Return a value for each axis."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank


def written(value: Any) -> str:
    """Return a value as a spec writes it: one number where all are equal."""
    if isinstance(value, (list, tuple)):
        texts = [*map(written, value)]
        return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
