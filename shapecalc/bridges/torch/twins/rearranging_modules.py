"""Counterparts without weights: merging, padding and cropping, reducing, rearranging and selecting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.generic_modules import Builder, Fields, Function, Shapes, generic, rank_of
from shapecalc.layers.base import Kind


def folded(operation: Callable[[Tensor, Tensor], Tensor]) -> Builder:
    """Combine the first tensor with each of the others in turn."""

    def merge(*inputs: Tensor) -> Tensor:
        total = inputs[0]
        for tensor in inputs[1:]:
            total = operation(total, tensor)
        return total

    return lambda cls, fields, shapes: Function(merge)


def concat(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Join along an axis."""
    return Function(lambda *inputs: torch.cat(inputs, dim=axis_of(cls, fields)))


# ---- sides: padding, cropping, global pooling


def pad(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Write the padding in torch's flat order, which begins with the last axis."""
    given, rank = fields["padding"], rank_of(cls)
    flat = isinstance(given, tuple) and len(given) == 2 * rank
    if isinstance(given, tuple) and not (flat and all(isinstance(side, int) for side in given)):
        if len(given) != rank:
            raise ValueError("padding has one entry per axis, or two numbers per axis")
        given = per_side(given)
    return generic(cls, {**fields, "padding": given}, shapes)


def per_side(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sides per axis in torch's flat order."""
    sides = [side if isinstance(side, tuple) else (side, side) for side in given]
    if any(len(side) != 2 for side in sides):
        raise ValueError("a side has a number before and one after")
    return tuple(number for side in reversed(sides) for number in side)


def crop(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Crop with a negative padding, which refuses to take away more than there is."""
    rank = rank_of(cls)
    given = fields["crop"] if isinstance(fields["crop"], tuple) else (fields["crop"],) * rank
    flat = per_side(given)
    if len(given) != rank or min(flat) < 0 or len(shapes[0]) not in (rank + 1, rank + 2):
        raise ValueError("cropping takes one non-negative entry per axis of a batched or unbatched input")
    return Function(lambda x: nn.functional.pad(x, [-side for side in flat]))


def global_pool(reduce: Callable[..., Tensor]) -> Builder:
    """Reduce all spatial axes at once."""

    def build_one(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
        rank = rank_of(cls)
        if len(shapes[0]) not in (rank + 1, rank + 2):
            raise ValueError("a batched or unbatched input")
        keepdim = fields.get("keepdim", False)
        return Function(lambda x: reduce(x, tuple(range(-rank, 0)), keepdim))

    return build_one


def one_number(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Take a list of one, which this module of torch does not know, as its entry."""
    unwrapped = {
        name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        for name, value in fields.items()
    }
    return generic(cls, unwrapped, shapes)


# ---- rearranging and selecting


def reshape(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Keep the first axis and reshape the others."""
    return Function(lambda x: x.reshape(x.shape[0], *fields["shape"]))


def split(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Cut into pieces; torch has another name for their size."""
    return Function(lambda x: torch.split(x, fields["split_size"], axis_of(cls, fields)))


def chunk(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Cut into pieces, of the channels unless told otherwise, where torch cuts the batch."""
    return Function(lambda x: torch.chunk(x, fields["chunks"], axis_of(cls, fields)))


def axis_of(cls: type[Kind], fields: Fields) -> int:
    """Return the axis, which is the channels' where torch's default is the batch."""
    axis: int = fields.get("dim", cls.model_fields["dim"].default)
    return axis


def squeeze(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Drop axes of size 1."""
    dim = fields.get("dim")
    return Function(lambda x: torch.squeeze(x) if dim is None else torch.squeeze(x, dim))


def sliced(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Index with a slice along one axis; an empty result counts as refused."""
    part = slice(fields.get("start", 0), fields.get("end"), fields.get("step", 1))

    def take(x: Tensor) -> Tensor:
        found = x.movedim(fields["dim"], 0)[part].movedim(0, fields["dim"])
        if found.numel() == 0:
            raise ValueError("nothing is left")
        return found

    return Function(take)


def over_last_axes(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Normalise over the last axis where no shape is given."""
    if fields.get("normalized_shape") is None:
        fields = {**fields, "normalized_shape": shapes[0][-1]}
    return generic(cls, fields, shapes)
