"""Layers that are written as modules, but not as one class of torch with the same fields."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import torch

from shapecalc.bridges.torch.export.layer_source import (
    UNSAID,
    Argument,
    ModuleSource,
    Rule,
    arguments,
    module,
)
from shapecalc.bridges.torch.export.symbols import translated
from shapecalc.bridges.torch.tracer.module_to_kind import OWN
from shapecalc.bridges.torch.twins.build_layer import build_layer
from shapecalc.bridges.torch.twins.generic_modules import inferred, named, rank_of
from shapecalc.bridges.torch.twins.rearranging_modules import per_side
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind


def _convolution(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    target = named(f"torch.nn.Conv{rank_of(layer)}d")
    _whole_padding(fields)
    if layer.kind.startswith("depthwise"):
        channels = fields.get("in_channels") or inferred(type(layer), "in_channels", shapes[0])
        multiplier = fields.pop("depth_multiplier", 1)
        fields |= {"in_channels": channels, "out_channels": channels * multiplier, "groups": channels}
        written = {**written, "in_channels": None}
    found = arguments(target, type(layer), fields, shapes[0], written)
    if layer.kind.startswith("depthwise"):
        tied = ("groups", "out_channels") if fields["in_channels"] == fields["out_channels"] else ("groups",)
        found = tuple(
            Argument(one.name, one.value, None, one.default, inward=True) if one.name in tied else one
            for one in found
        )
    return ModuleSource(f"nn.{target.__name__}", found)


def _whole_padding(fields: Any) -> None:
    padding = fields.get("padding", 0)
    if isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding):
        raise SpecError("a convolution padded side by side has no single module in torch: pad before it")


def _separable(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    rank = rank_of(layer)
    _whole_padding(fields)
    channels = fields.get("in_channels") or inferred(type(layer), "in_channels", shapes[0])
    middle = channels * fields.get("depth_multiplier", 1)
    out, bias = fields.pop("out_channels"), fields.pop("bias", True)
    fields.pop("depth_multiplier", None)
    target = named(f"torch.nn.Conv{rank}d")
    inner = {**fields, "in_channels": channels, "out_channels": middle, "groups": channels, "bias": False}
    first = tuple(
        Argument(one.name, one.value, None if one.inward else one.written, one.default, one.inward)
        for one in arguments(target, type(layer), inner, shapes[0], {**written, "bias": None})
    )
    second = (
        Argument("in_channels", middle),
        Argument("out_channels", out, translated(written.get("out_channels"))),
        Argument("kernel_size", 1),
        Argument("bias", bias, translated(written.get("bias")), default=True),
    )
    return ModuleSource(
        "nn.Sequential",
        inside=(
            ("depthwise", ModuleSource(f"nn.Conv{rank}d", first)),
            ("pointwise", ModuleSource(f"nn.Conv{rank}d", second)),
        ),
    )


def _crop(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    rank = rank_of(layer)
    given, formula = fields["crop"], translated(written.get("crop"))
    if isinstance(given, tuple):
        return ModuleSource(
            f"nn.ZeroPad{rank}d", (Argument("padding", tuple(-side for side in per_side(given))),)
        )
    less = None if formula is None else ast.UnaryOp(ast.USub(), formula)
    return ModuleSource(f"nn.ZeroPad{rank}d", (Argument("padding", -given, less),))


def _pad(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    given, rank = fields["padding"], rank_of(layer)
    flat_sides = (
        isinstance(given, tuple) and len(given) == 2 * rank and all(isinstance(x, int) for x in given)
    )
    if isinstance(given, tuple) and not flat_sides:
        fields["padding"] = per_side(given)
    return module(layer, fields, shapes, written)


def _one_number(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    unwrapped = {
        name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        for name, value in fields.items()
    }
    return module(layer, unwrapped, shapes, written)


def _normalised(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    target = named(str(layer.torch))
    if fields.get("normalized_shape") is None:
        rest = arguments(target, type(layer), fields, shapes[0], written)
        last = Argument("normalized_shape", shapes[0][-1], inward=True)
        rest = (last, *(one for one in rest if one.name != "normalized_shape"))
        return ModuleSource(f"nn.{target.__name__}", rest)
    return module(layer, fields, shapes, written)


def _recurrent(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    """Write out the arguments that torch takes as `*args`; an LSTM has its states flat."""
    sizes = {"input_size": fields.get("input_size") or shapes[0][-1]}
    names = ["input_size", "hidden_size", *(name for name in fields if name not in _RECURRENT_SIZES)]
    found = tuple(
        Argument(
            name,
            {**fields, **sizes}[name],
            translated(written.get(name)),
            UNSAID if name in _RECURRENT_SIZES else type(layer).model_fields[name].default,
            name == "input_size",
        )
        for name in names
    )
    callee = f"nn.{str(layer.torch).rpartition('.')[2]}"
    return ModuleSource(callee.replace("nn.LSTM", "FlatLSTM"), found)


_RECURRENT_SIZES = ("input_size", "hidden_size")


def _transformer(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    return module(layer, {**fields, "d_model": fields.get("d_model") or shapes[0][-1]}, shapes, written)


def _bilinear(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    sizes = {f"in{place}_features": shape[-1] for place, shape in enumerate(shapes, 1)}
    return module(layer, {**fields, **sizes}, shapes, written)


def _loss(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    if fields.pop("weight", False):
        raise SpecError("weights of classes are numbers, which a spec does not have")
    return module(layer, fields, shapes, written)


def _unpool(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    if fields.pop("output_size", None) is not None:
        raise SpecError("unpooling to a given size has no module in torch: it is an argument of its forward")
    return module(layer, fields, shapes, written)


def _own(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    """Write a class that torch lacks with the settings that its module was built with."""
    with torch.device("meta"):
        made = build_layer(layer, shapes)
    target = type(made)
    if target is not OWN[layer.kind] or made._forward_pre_hooks:  # noqa: SLF001  (torch has no question)
        raise SpecError(f"there is no source in torch for {layer.kind} with these settings")
    settled = {} if isinstance(made, torch.nn.MultiheadAttention) else vars(made)
    found: list[Argument] = []
    for name, parameter in inspect.signature(target).parameters.items():
        if name in settled:
            value = settled[name]
        elif name in fields or parameter.default is UNSAID:
            value = fields.get(name) or getattr(made, name)
        else:
            continue
        inward = name in ("channels", "embed_dim", "in_features") and name not in fields
        found.append(Argument(name, value, translated(written.get(name)), parameter.default, inward))
    return ModuleSource(target.__name__, tuple(found))


AS_MODULES: dict[str, Rule] = {
    "conv": _convolution,
    "depthwise_conv": _convolution,
    "separable_conv": _separable,
    "crop": _crop,
    **{f"{name}_pad": _pad for name in ("zero", "constant", "reflection", "replication", "circular")},
    "lp_pool1d": _one_number,
    "layer_norm": _normalised,
    "rms_norm": _normalised,
    **dict.fromkeys(("rnn", "lstm", "gru", "rnn_cell", "lstm_cell", "gru_cell"), _recurrent),
    **dict.fromkeys(("transformer", "transformer_encoder_layer", "transformer_decoder_layer"), _transformer),
    "bilinear": _bilinear,
    **dict.fromkeys(
        (
            "nll_loss",
            "cross_entropy_loss",
            "multi_margin_loss",
            "multi_label_soft_margin_loss",
            "linear_cross_entropy_loss",
        ),
        _loss,
    ),
    "max_unpool": _unpool,
    **dict.fromkeys(OWN, _own),
}
"""By the kind, or the kind without its rank."""
