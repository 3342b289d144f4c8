"""How one layer is written: as a module with arguments, or as a function of tensors."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from shapecalc.bridges.torch.export.code import Call, Code, Infix, call, text
from shapecalc.bridges.torch.export.symbols import literal, translated
from shapecalc.bridges.torch.modules import Sizes, inferred, named, plain
from shapecalc.bridges.torch.rearranging import axis_of, per_side
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind

_UNSAID = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of a module: its value, how the spec writes it, and what torch takes for it if unsaid."""

    name: str
    value: Any
    written: ast.expr | None = None
    default: Any = _UNSAID
    inward: bool = False
    """Whether it is the number of channels or features that arrive."""


@dataclass(frozen=True)
class ModuleSource:
    """A layer that is a module: `callee(arguments)`."""

    callee: str
    arguments: tuple[Argument, ...] = ()
    inside: tuple[tuple[str, ModuleSource], ...] = ()
    """Named modules that it runs one after the other, in place of arguments."""


@dataclass(frozen=True)
class FunctionSource:
    """A layer that is a function of tensors; equal keys write equal code."""

    key: tuple[Any, ...]
    write: Callable[[Sequence[Code]], Code] = field(compare=False)


Source: TypeAlias = ModuleSource | FunctionSource


def source_of(layer: Kind, shapes: tuple[Sizes, ...], written: dict[str, Any]) -> Source:
    """Return how a layer is written for the tensors that arrive.

    `written` are the fields as the spec has them, formulas among them.
    """
    fields = {name: plain(value) for name, value in layer.fields_set().items()}
    fields.pop("branches", None)
    special = _SPECIAL.get(re.sub("[123]d$", "", layer.kind)) or _SPECIAL.get(layer.kind)
    if special is not None:
        found: Source = special(layer, fields, shapes, written)
        return found
    if layer.torch is None or not inspect.isclass(named(layer.torch)):
        if layer.torch is None or layer.torch.split(".")[0] != "torch":
            raise SpecError(f"there is no source in torch for {layer.kind}")
        return _function(layer, fields)
    return _module(layer, fields, shapes, written)


def _key(layer: Kind, fields: dict[str, Any]) -> tuple[Any, ...]:
    return (layer.kind, *fields.items())


def _number(value: Any) -> str:
    return text(literal(value))


def _function(layer: Kind, fields: dict[str, Any]) -> FunctionSource:
    settings = {name: _number(value) for name, value in fields.items()}
    target = str(layer.torch)
    return FunctionSource(_key(layer, fields), lambda given: call(target, *given, **settings))


def _module(
    layer: Kind, fields: dict[str, Any], shapes: tuple[Sizes, ...], written: dict[str, Any]
) -> ModuleSource:
    target = named(str(layer.torch))
    return ModuleSource(f"nn.{target.__name__}", _arguments(target, type(layer), fields, shapes[0], written))


_INWARD = ("in_channels", "in_features", "num_features", "num_channels")


def _arguments(
    target: Any, cls: type[Kind], fields: dict[str, Any], x: Sizes, written: dict[str, Any]
) -> tuple[Argument, ...]:
    """Return the arguments of a class of torch in its own order, what must be inferred among them."""
    found: list[Argument] = []
    for name, parameter in inspect.signature(target).parameters.items():
        default = _UNSAID if parameter.default is _UNSAID else parameter.default
        if name in fields and not (name in _INWARD and fields[name] is None):
            inward = name in _INWARD
            found.append(Argument(name, fields[name], translated(written.get(name)), default, inward))
        elif name in _INWARD and default is _UNSAID:
            found.append(Argument(name, inferred(cls, name, x), None, default, inward=True))
    return tuple(found)


# ---- layers that are not one module of torch with the same fields


def _convolution(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    target = named(f"torch.nn.Conv{layer.rank}d")  # type: ignore[attr-defined]
    padding = fields.get("padding", 0)
    if isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding):
        raise SpecError("a convolution padded side by side has no single module in torch: pad before it")
    if layer.kind.startswith("depthwise"):
        channels = fields.get("in_channels") or inferred(type(layer), "in_channels", shapes[0])
        multiplier = fields.pop("depth_multiplier", 1)
        fields |= {"in_channels": channels, "out_channels": channels * multiplier, "groups": channels}
        written = {**written, "in_channels": None}
    found = _arguments(target, type(layer), fields, shapes[0], written)
    if layer.kind.startswith("depthwise"):
        tied = ("groups", "out_channels") if fields["in_channels"] == fields["out_channels"] else ("groups",)
        found = tuple(
            Argument(one.name, one.value, None, one.default, inward=True) if one.name in tied else one
            for one in found
        )
    return ModuleSource(f"nn.{target.__name__}", found)


def _separable(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    rank: int = layer.rank  # type: ignore[attr-defined]
    channels = fields.get("in_channels") or inferred(type(layer), "in_channels", shapes[0])
    middle = channels * fields.get("depth_multiplier", 1)
    out, bias = fields.pop("out_channels"), fields.pop("bias", True)
    fields.pop("depth_multiplier", None)
    target = named(f"torch.nn.Conv{rank}d")
    inner = {**fields, "in_channels": channels, "out_channels": middle, "groups": channels, "bias": False}
    first = tuple(
        Argument(one.name, one.value, None if one.inward else one.written, one.default, one.inward)
        for one in _arguments(target, type(layer), inner, shapes[0], {**written, "bias": None})
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
    rank: int = layer.rank  # type: ignore[attr-defined]
    given, formula = fields["crop"], translated(written.get("crop"))
    if isinstance(given, tuple):
        return ModuleSource(
            f"nn.ZeroPad{rank}d", (Argument("padding", tuple(-side for side in per_side(given))),)
        )
    less = None if formula is None else ast.UnaryOp(ast.USub(), formula)
    return ModuleSource(f"nn.ZeroPad{rank}d", (Argument("padding", -given, less),))


def _pad(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    given, rank = fields["padding"], layer.rank  # type: ignore[attr-defined]
    flat_sides = (
        isinstance(given, tuple) and len(given) == 2 * rank and all(isinstance(x, int) for x in given)
    )
    if isinstance(given, tuple) and not flat_sides:
        fields["padding"] = per_side(given)
    return _module(layer, fields, shapes, written)


def _one_number(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    unwrapped = {
        name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
        for name, value in fields.items()
    }
    return _module(layer, unwrapped, shapes, written)


def _normalised(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    target = named(str(layer.torch))
    if fields.get("normalized_shape") is None:
        rest = _arguments(target, type(layer), fields, shapes[0], written)
        last = Argument("normalized_shape", shapes[0][-1], inward=True)
        rest = (last, *(one for one in rest if one.name != "normalized_shape"))
        return ModuleSource(f"nn.{target.__name__}", rest)
    return _module(layer, fields, shapes, written)


def _attention(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    own = [
        Argument(name, value, translated(written.get(name)), default)
        for name, default in (
            ("num_heads", _UNSAID),
            ("dropout", 0.0),
            ("bias", True),
            ("batch_first", False),
        )
        if (value := fields.get(name)) is not None
    ]
    return ModuleSource("SelfAttention", (Argument("embed_dim", shapes[0][-1], inward=True), *own))


def _class_token(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    return ModuleSource("ClassToken", (Argument("embed_dim", shapes[0][2], inward=True),))


def _position_embedding(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    x = shapes[0]
    return ModuleSource(
        "PositionEmbedding", (Argument("length", x[1]), Argument("embed_dim", x[2], inward=True))
    )


def _layer_scale(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    axis = range(len(shapes[0]))[fields.get("dim", 1)]
    own = (
        Argument("channels", shapes[0][axis], inward=True),
        Argument("following", len(shapes[0]) - axis - 1),
        Argument("init", fields.get("init", 1e-6), default=1e-6),
    )
    return ModuleSource("LayerScale", own)


def _stochastic_depth(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    return ModuleSource(
        "StochasticDepth",
        (
            Argument("p", fields.get("p", layer.p), translated(written.get("p")), 0.5),  # type: ignore[attr-defined]
            Argument("mode", fields.get("mode", "row"), None, "row"),
        ),
    )


def _divisible(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    dim = fields.get("dim", (-2, -1))
    return ModuleSource(
        "Divisible",
        (
            Argument("divisor", fields["divisor"], translated(written.get("divisor"))),
            Argument("dim", dim if isinstance(dim, tuple) else (dim,), None, (-2, -1)),
        ),
    )


def _subsample(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    return ModuleSource(
        "Subsample2d",
        (
            Argument("channels", shapes[0][-3], inward=True),
            Argument("kernel_size", fields["kernel_size"], translated(written.get("kernel_size"))),
            Argument("stride", fields.get("stride") or fields["kernel_size"], None, 2),
        ),
    )


def _partial(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    kernel = fields["kernel_size"]
    known = {"connections", "kernel_size", "stride", "padding", "dilation", "bias"}
    if fields.get("padding") == "valid":
        fields["padding"] = 0
    if (
        fields.keys() - known
        or fields.get("padding") == "same"
        or any(isinstance(side, tuple) for side in _items(fields.get("padding")))
    ):
        raise SpecError("a partial convolution padded like this has no source in torch")
    fields["kernel_size"] = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    order = ("connections", "kernel_size", "bias", "stride", "padding", "dilation")
    defaults = {"bias": True, "stride": 1, "padding": 0, "dilation": 1}
    return ModuleSource(
        "PartialConv2d",
        tuple(
            Argument(name, fields[name], None, defaults.get(name, _UNSAID))
            for name in order
            if name in fields
        ),
    )


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _rbf(layer: Kind, fields: Any, shapes: Any, written: Any) -> ModuleSource:
    width = fields.get("in_features") or shapes[0][-1]
    out = Argument("out_features", fields["out_features"], translated(written.get("out_features")))
    return ModuleSource("Rbf", (Argument("in_features", width, inward=True), out))


# ---- functions


def _folded(sign: str) -> Any:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        return FunctionSource(_key(layer, fields), lambda given: Infix(sign, tuple(given)))

    return write


def _concat(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    axis = str(axis_of(type(layer), fields))
    return FunctionSource(
        _key(layer, fields),
        lambda given: call("torch.cat", Call("", tuple(("", one) for one in given), "[]"), dim=axis),
    )


def _cut(name: str, size: str) -> Any:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        amount, axis = fields[size], str(axis_of(type(layer), fields))
        return FunctionSource(
            _key(layer, fields), lambda given: call(name, *given, _number(amount), dim=axis)
        )

    return write


def _reshape(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    sizes = [_number(size) for size in fields["shape"]]

    def write(given: Sequence[Code]) -> Code:
        return call(f"{given[0]}.reshape", f"{given[0]}.shape[0]", *sizes)

    return FunctionSource(_key(layer, fields), write)


def _squeeze(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    settings = {} if fields.get("dim") is None else {"dim": _number(fields["dim"])}
    return FunctionSource(_key(layer, fields), lambda given: call("torch.squeeze", *given, **settings))


def _slice(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    axis = range(len(shapes[0]))[fields["dim"]]
    ends = ["" if value is None else str(value) for value in (fields.get("start"), fields.get("end"))]
    step = fields.get("step", 1)
    taken = ":".join([*ends, str(step)] if step != 1 else ends)
    return FunctionSource(_key(layer, fields), lambda given: f"{given[0]}[{':, ' * axis}{taken}]")


def _global(name: str) -> Any:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        axes = _number(tuple(range(-layer.rank, 0)))  # type: ignore[attr-defined]
        settings = {"keepdim": "True"} if fields.get("keepdim") else {}
        return FunctionSource(_key(layer, fields), lambda given: call(name, *given, dim=axes, **settings))

    return write


_SPECIAL: dict[str, Any] = {
    "conv": _convolution,
    "depthwise_conv": _convolution,
    "separable_conv": _separable,
    "crop": _crop,
    **{f"{name}_pad": _pad for name in ("zero", "constant", "reflection", "replication", "circular")},
    "lp_pool1d": _one_number,
    "layer_norm": _normalised,
    "rms_norm": _normalised,
    "multihead_attention": _attention,
    "class_token": _class_token,
    "position_embedding": _position_embedding,
    "layer_scale": _layer_scale,
    "stochastic_depth": _stochastic_depth,
    "divisible": _divisible,
    "subsample": _subsample,
    "partial_conv": _partial,
    "rbf": _rbf,
    "add": _folded("+"),
    "multiply": _folded("*"),
    "concat": _concat,
    "split": _cut("torch.split", "split_size"),
    "chunk": _cut("torch.chunk", "chunks"),
    "reshape": _reshape,
    "squeeze": _squeeze,
    "slice": _slice,
    "global_avg_pool": _global("torch.mean"),
    "global_max_pool": _global("torch.amax"),
}
"""Kinds, without their rank, that are not written as a module of torch with the same fields."""
