"""The torch counterpart of one of our layers, built for the shapes that arrive.

Nearly every kind names its counterpart in `cls.torch` and spells its fields as torch does: that
is one generic path. What torch has no single module for is composed here, in `BUILDERS`, out of
torch's own modules, with parameter names as ours.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.layers.base import Kind
from tests.strategies import Fields, Sizes
from tests.torch_twin_more import ARGUMENTS, MORE_BUILDERS

torch.set_num_threads(1)

Shapes = tuple[Sizes, ...]
Builder = Callable[[type[Kind], Fields, Shapes], nn.Module]

REJECTIONS = (
    RuntimeError,
    ValueError,
    IndexError,
    NotImplementedError,
    AssertionError,
    TypeError,
    ZeroDivisionError,
    OverflowError,
)
"""What torch raises, depending on where it notices, for a layer or an input that is not legal."""


class Function(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


class Chain(nn.Module):
    """Named modules one after another; names become the prefix of their weights."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Any:
        for module in self.children():
            x = module(x)
        return x


def build(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a kind with these fields, or raise what torch raises."""
    fields = {name: plain(value) for name, value in fields.items()}
    builder: Builder = BUILDERS.get(cls.kind, generic)
    return builder(cls, fields, shapes).eval()


def twin(layer: Kind, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a layer that exists."""
    return build(type(layer), layer.fields_set(), shapes)


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


def plain(value: Any) -> Any:
    """Return a field's value as torch takes it: fractions and infinities as floats."""
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value


def generic(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Call what `cls.torch` names with our fields under the same names."""
    if cls.torch is None:
        raise LookupError(f"{cls.kind} names no counterpart in torch and has no builder")
    target = named(cls.torch)
    if not inspect.isclass(target):
        return Function(lambda *inputs: target(*inputs, **fields))
    wanted = inspect.signature(target).parameters
    missing = {
        name: inferred(cls, name, shapes[0])
        for name in ("in_channels", "in_features", "num_features", "num_channels")
        if name in wanted and fields.get(name) is None
    }
    module: Any = target(**{**fields, **missing})
    assert isinstance(module, nn.Module)
    return module


def named(path: str) -> Any:
    """Return what a dotted name stands for."""
    module, _, attribute = path.rpartition(".")
    return getattr(import_module(module), attribute)


def inferred(cls: type[Kind], name: str, x: Sizes) -> int:
    """Return the size that torch must be told and that we infer from what arrives."""
    if name == "in_features":
        return x[-1]
    rank = getattr(cls, "rank", None)
    axis = 1 if rank is None or cls.kind.startswith("batch_norm") else len(x) - rank - 1
    return x[axis] if 0 <= axis < len(x) else 1


# ---- convolutions


def convolution(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a convolution; padding per side is a pad in front of it."""
    fields = dict(fields)
    rank: int = cls.rank  # type: ignore[attr-defined]
    if fields.get("in_channels") is None:
        fields["in_channels"] = inferred(cls, "in_channels", shapes[0])
    module_type = getattr(nn, f"Conv{rank}d")
    padding = fields.get("padding", 0)
    if not (isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding)):
        made: nn.Module = module_type(**fields)
        return made
    sides = [side if isinstance(side, tuple) else (side, side) for side in padding]
    if len(sides) != rank or any(len(side) != 2 or min(side) < 0 for side in sides):
        raise ValueError("per-side padding has one non-negative pair per axis")
    flat = [number for side in reversed(sides) for number in side]
    mode = fields.pop("padding_mode", "zeros")
    fields["padding"] = 0
    made = module_type(**fields)
    made.register_forward_pre_hook(
        lambda _module, args: (nn.functional.pad(args[0], flat, "constant" if mode == "zeros" else mode),)
    )
    return made


def depthwise(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a convolution with a group for every channel."""
    fields = dict(fields)
    channels = fields.pop("in_channels", None) or inferred(cls, "in_channels", shapes[0])
    multiplier = fields.pop("depth_multiplier", 1)
    sizes = {"in_channels": channels, "out_channels": channels * multiplier, "groups": channels}
    return convolution(cls, {**fields, **sizes}, shapes)


def separable(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a depthwise convolution without bias, then a pointwise one."""
    fields = dict(fields)
    channels = fields.get("in_channels") or inferred(cls, "in_channels", shapes[0])
    out, bias = fields.pop("out_channels"), fields.pop("bias", True)
    middle = channels * fields.get("depth_multiplier", 1)
    first = depthwise(cls, {**fields, "bias": False}, shapes)
    rank: int = cls.rank  # type: ignore[attr-defined]
    second = getattr(nn, f"Conv{rank}d")(middle, out, 1, bias=bias)
    return Chain(depthwise=first, pointwise=second)


# ---- several tensors


def _folded(operation: Callable[[Tensor, Tensor], Tensor]) -> Builder:
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
    given, rank = fields["padding"], cls.rank  # type: ignore[attr-defined]
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
    rank: int = cls.rank  # type: ignore[attr-defined]
    given = fields["crop"] if isinstance(fields["crop"], tuple) else (fields["crop"],) * rank
    flat = per_side(given)
    if len(given) != rank or min(flat) < 0 or len(shapes[0]) not in (rank + 1, rank + 2):
        raise ValueError("cropping takes one non-negative entry per axis of a batched or unbatched input")
    return Function(lambda x: nn.functional.pad(x, [-side for side in flat]))


def global_pool(reduce: Callable[..., Tensor]) -> Builder:
    """Reduce all spatial axes at once."""

    def build_one(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
        rank: int = cls.rank  # type: ignore[attr-defined]
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


# ---- attention, and learned tensors that join the data


class SelfAttention(nn.MultiheadAttention):
    """Attention of a sequence to itself, without the weights that nobody looks at."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        found, _ = super().forward(x, x, x, need_weights=False)
        return found


def attention(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Infer embed_dim, which torch must be told, and check dropout, which torch does in training only."""
    if not 0 <= fields.get("dropout", 0) <= 1:
        raise ValueError("a probability")
    dim = fields.get("embed_dim")
    return SelfAttention(**{**fields, "embed_dim": shapes[0][-1] if dim is None else dim})


class Joined(nn.Module):
    """A learned tensor of some shape, and how it joins the data."""

    def __init__(self, shape: Sizes, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        return self.join(x, self.weight)


def _a_sequence(fields: Fields, x: Sizes) -> None:
    if len(x) != 3 or fields.get("embed_dim") not in (None, x[2]) or fields.get("length") not in (None, x[1]):
        raise ValueError("a batch of sequences, as long and as wide as declared")


def class_token(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Put the token in front, as torchvision's VisionTransformer does."""
    _a_sequence(fields, shapes[0])
    shape = (1, 1, shapes[0][2])
    return Joined(shape, lambda x, token: torch.cat([token.expand(x.shape[0], -1, -1), x], dim=1))


def position_embedding(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Add the embedding, as torchvision's Encoder does."""
    _a_sequence(fields, shapes[0])
    return Joined((1, *shapes[0][1:]), torch.add)


def layer_scale(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Multiply by a tensor that has the channels first and then as many axes as follow them."""
    following = torch.zeros(shapes[0], device="meta").movedim(fields.get("dim", 1), 0).dim() - 1
    axis = range(len(shapes[0]))[fields.get("dim", 1)]
    return Joined((shapes[0][axis], *(1,) * (following - axis)), torch.mul)


def divisible(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Assert what the kind requires."""
    dim = fields.get("dim", (-2, -1))
    axes = dim if isinstance(dim, tuple) else (dim,)
    if fields["divisor"] < 1 or len({axis % len(shapes[0]) for axis in axes}) < len(axes):
        raise ValueError("a divisor of at least 1, and no axis twice")

    def check(x: Tensor) -> Tensor:
        for axis in axes:
            torch._assert(x.shape[axis] % fields["divisor"] == 0, "indivisible")
        return x

    return Function(check)


def stochastic_depth(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Name the mode, for which torchvision has no default."""
    return generic(cls, {"mode": "row", **fields}, shapes)


# ---- the LeNet-5 of 1998, whose layers torch lacks


class Subsampling(nn.Module):
    """The sum over windows, times a coefficient per channel, plus a bias per channel."""

    def __init__(self, channels: int, kernel: Any, stride: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.pool = nn.LPPool2d(1, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        sums: Tensor = self.pool(x)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


def subsample(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    if len(shapes[0]) not in (3, 4):
        raise ValueError("a batched or unbatched image")
    return Subsampling(shapes[0][-3], fields["kernel_size"], fields.get("stride"))


class PartlyConnected(nn.Module):
    """One convolution per output channel, over the input channels it is connected to."""

    def __init__(self, connections: Any, kernel: Sizes, bias: bool, convolve: Callable[..., Tensor]) -> None:
        super().__init__()
        self.connections = connections
        self.weight = nn.Parameter(torch.zeros(sum(map(len, connections)), *kernel))
        self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None
        self.convolve = convolve

    def forward(self, x: Tensor) -> Tensor:
        planes, first = [], 0
        for number, channels in enumerate(self.connections):
            kernels = self.weight[first : first + len(channels)][None]
            first += len(channels)
            bias = None if self.bias is None else self.bias[number : number + 1]
            planes.append(self.convolve(torch.stack([x[..., c, :, :] for c in channels], -3), kernels, bias))
        return torch.cat(planes, -3)


def partly_connected(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Convolve group by group with torch's own convolution, its padding rules included."""
    fields = dict(fields)
    connections, bias = fields.pop("connections"), fields.pop("bias", True)
    if len(shapes[0]) not in (3, 4) or not connections or any(len(set(c)) < len(c) for c in connections):
        raise ValueError("an image, and no connection twice")
    kernel = (
        fields["kernel_size"] if isinstance(fields["kernel_size"], tuple) else (fields["kernel_size"],) * 2
    )

    def convolve(x: Tensor, weight: Tensor, offset: Tensor | None) -> Tensor:
        one = {**fields, "in_channels": weight.shape[1], "out_channels": 1, "bias": offset is not None}
        module = convolution(cls, one, shapes)
        given = {"weight": weight} | ({} if offset is None else {"bias": offset})
        found: Tensor = torch.func.functional_call(module, given, (x,))
        return found

    return PartlyConnected(connections, kernel, bias, convolve)


class Centers(nn.Module):
    """The squared distance to centres that are drawn by hand."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(outward, inward))

    def forward(self, x: Tensor) -> Tensor:
        centers = self.get_buffer("centers")
        if x.shape[-1] != centers.shape[-1]:
            raise ValueError("features differ")
        return (x[..., None, :] - centers).square().sum(-1)


def rbf(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    return Centers(fields.get("in_features") or shapes[0][-1], fields["out_features"])


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
    "add": _folded(torch.add),
    "multiply": _folded(torch.mul),
    "concat": concat,
    "multihead_attention": attention,
    "class_token": class_token,
    "position_embedding": position_embedding,
    "layer_scale": layer_scale,
    "divisible": divisible,
    "stochastic_depth": stochastic_depth,
}
"""Kinds that are not one torch module with the same fields."""

BUILDERS |= MORE_BUILDERS
