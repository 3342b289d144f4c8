"""The torch counterpart of one of our layers, built for the shapes that arrive.

Nearly every kind names its counterpart in `cls.torch` and spells its fields as torch does: that
is one generic path. What torch has no single module for is composed, in `BUILDERS`, out of
torch's own modules, with parameter names as ours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import utils

from shapecalc.bridges.torch.twins.functional_modules import COUNTERPARTS
from shapecalc.bridges.torch.twins.generic_modules import (
    Builder,
    Fields,
    Function,
    Shapes,
    Sizes,
    generic,
    plain,
)
from shapecalc.bridges.torch.twins.multi_input import ARGUMENTS, OF_SEVERAL
from shapecalc.bridges.torch.twins.own_modules import (
    class_token,
    divisible,
    layer_scale,
    position_embedding,
    rbf,
    stochastic_depth,
    subsample,
)
from shapecalc.bridges.torch.twins.rearranging_modules import (
    chunk,
    concat,
    crop,
    folded,
    global_pool,
    one_number,
    over_last_axes,
    pad,
    reshape,
    sliced,
    split,
    squeeze,
)
from shapecalc.bridges.torch.twins.torch_convolutions import (
    convolution,
    depthwise,
    partly_connected,
    separable,
)
from shapecalc.layers.base import Kind


def build_kind(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a kind with these fields, or raise what torch raises."""
    fields = {name: plain(value) for name, value in fields.items()}
    builder: Builder = BUILDERS.get(cls.kind, generic)
    made = builder(cls, fields, shapes)
    if isinstance(made, Function):
        made.kind, made.fields = cls.kind, fields
    return made.eval()


def build_layer(layer: Kind, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a layer that exists."""
    return build_kind(type(layer), layer.fields_set(), shapes)


def arguments(kind: str, shapes: Shapes, device: str) -> list[Tensor]:
    """Return the tensors to call a counterpart with."""
    if kind in ARGUMENTS:
        return ARGUMENTS[kind](shapes, device)
    make = TENSORS.get(kind, torch.zeros if device == "meta" else torch.rand)
    return [make(shape, device=device) for shape in shapes]


def _indices(shape: Sizes, device: str) -> Tensor:
    return torch.zeros(shape, dtype=torch.long, device=device)


TENSORS: dict[str, Callable[..., Tensor]] = {"embedding": _indices}
"""Kinds that do not take floating point numbers."""


def normed(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build the layer, and let torch replace its weight, in the newer way or the older."""
    fields = dict(fields)
    layer, home = fields.pop("layer"), utils if fields.pop("legacy", False) else utils.parametrizations
    module = build_layer(layer, shapes)
    if fields.get("name", "weight") not in dict(module.named_parameters(recurse=False)):
        raise ValueError("no such weight")
    made: nn.Module = getattr(home, cls.kind)(module, **fields)
    return made


_RANKS = (1, 2, 3)

BUILDERS: dict[str, Builder] = {
    **{f"conv{rank}d": convolution for rank in _RANKS},
    **{f"depthwise_conv{rank}d": depthwise for rank in _RANKS},
    **{f"separable_conv{rank}d": separable for rank in _RANKS},
    **{f"crop{rank}d": crop for rank in _RANKS},
    **{f"global_avg_pool{rank}d": global_pool(torch.mean) for rank in _RANKS},
    **{f"global_max_pool{rank}d": global_pool(torch.amax) for rank in _RANKS},
    **{
        f"{name}_pad{rank}d": pad
        for name in ("zero", "constant", "reflection", "replication", "circular")
        for rank in _RANKS
    },
    "lp_pool1d": one_number,
    "reshape": reshape,
    "split": split,
    "chunk": chunk,
    "squeeze": squeeze,
    "slice": sliced,
    "layer_norm": over_last_axes,
    "rms_norm": over_last_axes,
    "subsample2d": subsample,
    "partial_conv2d": partly_connected,
    "rbf": rbf,
    "add": folded(torch.add),
    "multiply": folded(torch.mul),
    "concat": concat,
    "class_token": class_token,
    "position_embedding": position_embedding,
    "layer_scale": layer_scale,
    "divisible": divisible,
    "stochastic_depth": stochastic_depth,
    **OF_SEVERAL,
    "weight_norm": normed,
    "spectral_norm": normed,
    **COUNTERPARTS,
}
"""Kinds that are not one torch module with the same fields."""
