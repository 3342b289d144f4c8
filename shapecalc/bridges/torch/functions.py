"""Torch's functions and tensor methods as steps: which kind each is, and how its arguments name the fields.

A function that no row and no rule here knows becomes `opaque`: named, with the shapes seen and no cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import Tensor

from shapecalc.bridges.torch.leaves import made
from shapecalc.bridges.torch.numbers import Size, plain, written
from shapecalc.bridges.torch.trace import Trace, tensors_in
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.merge import Add, Multiply
from shapecalc.layers.traced import Combine, Function

Handler: TypeAlias = Callable[[Trace, str, dict[str, Any], Any], bool]
"""Appends steps for a call with named arguments and its result; False where it has no rule after all."""

_POOL = "input kernel_size stride padding"

UNARY: dict[str, tuple[str, str]] = {
    **{
        name: (name, "input inplace")
        for name in ("relu", "relu6", "silu", "mish", "hardswish", "hardsigmoid", "selu", "sigmoid", "tanh")
    },
    "gelu": ("gelu", "input approximate"),
    "elu": ("elu", "input alpha inplace"),
    "celu": ("celu", "input alpha inplace"),
    "leaky_relu": ("leaky_relu", "input negative_slope inplace"),
    "hardtanh": ("hardtanh", "input min_val max_val inplace"),
    "softplus": ("softplus", "input beta threshold"),
    "softsign": ("softsign", "input"),
    "logsigmoid": ("log_sigmoid", "input"),
    "tanhshrink": ("tanhshrink", "input"),
    "softshrink": ("softshrink", "input lambd"),
    "hardshrink": ("hardshrink", "input lambd"),
    "softmax": ("softmax", "input dim"),
    "log_softmax": ("log_softmax", "input dim"),
    "softmin": ("softmin", "input dim"),
    "glu": ("glu", "input dim"),
    "dropout": ("dropout", "input p training inplace"),
    "dropout1d": ("dropout1d", "input p training inplace"),
    "dropout2d": ("dropout2d", "input p training inplace"),
    "dropout3d": ("dropout3d", "input p training inplace"),
    "alpha_dropout": ("alpha_dropout", "input p training inplace"),
    "feature_alpha_dropout": ("feature_alpha_dropout", "input p training inplace"),
    **{f"max_pool{n}d": (f"max_pool{n}d", f"{_POOL} dilation ceil_mode return_indices") for n in (1, 2, 3)},
    **{
        f"avg_pool{n}d": (f"avg_pool{n}d", f"{_POOL} ceil_mode count_include_pad divisor_override")
        for n in (1, 2, 3)
    },
    **{f"lp_pool{n}d": (f"lp_pool{n}d", "input norm_type kernel_size stride ceil_mode") for n in (1, 2, 3)},
    **{
        f"adaptive_{how}_pool{n}d": (f"adaptive_{how}_pool{n}d", "input output_size return_indices")
        for how in ("avg", "max")
        for n in (1, 2, 3)
    },
    "interpolate": ("upsample", "input size scale_factor mode align_corners recompute_scale_factor"),
    "upsample": ("upsample", "input size scale_factor mode align_corners"),
    "pixel_shuffle": ("pixel_shuffle", "input upscale_factor"),
    "pixel_unshuffle": ("pixel_unshuffle", "input downscale_factor"),
    "channel_shuffle": ("channel_shuffle", "input groups"),
    "local_response_norm": ("local_response_norm", "input size alpha beta k"),
    "flatten": ("flatten", "input start_dim end_dim"),
    "unflatten": ("unflatten", "input dim unflattened_size"),
    "transpose": ("transpose", "input dim0 dim1"),
    "swapaxes": ("transpose", "input dim0 dim1"),
    "swapdims": ("transpose", "input dim0 dim1"),
    "unsqueeze": ("unsqueeze", "input dim"),
    "select": ("select", "input dim index"),
    "chunk": ("chunk", "input chunks dim"),
    "split": ("split", "input split_size dim"),
    "split_with_sizes": ("split", "input split_size dim"),
}
"""Functions of one tensor: the kind, and the function's arguments, named as the kind's fields are."""

FROM_ZERO = {"chunk", "split", "split_with_sizes", "cat", "stack", "flatten", "unbind", "softmax"}
"""Functions whose `dim` or `start_dim` is 0 unless it is said."""

ELEMENTWISE = frozenset(
    """abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square sin cos tan asin acos atan sinh cosh erf erfc
    reciprocal sign floor ceil round trunc frac neg positive clamp clamp_min clamp_max clip logical_not
    bitwise_not isnan isinf isfinite cumsum cumprod flip roll fill zero masked_fill nan_to_num normalize
    zeros_like ones_like full_like empty_like rand_like randn_like tril triu sort argsort invert
    requires_grad_ threshold rrelu logit sigmoid_ bernoulli type_as_ rot90 float_power remainder
    fmod triu_ tril_ half_ detach_""".split()
)
SAME = frozenset(
    """contiguous clone detach to float double half bfloat16 int long bool type type_as cpu cuda requires_grad
    alias data requires_grad_ as_subclass real""".split()
)
"""What hands a tensor on: no step."""

BINARY: dict[str, str] = {
    "add": "add",
    "mul": "multiply",
    "multiply": "multiply",
    **{
        name: "combine"
        for name in (
            "sub subtract div divide true_divide floor_divide pow maximum minimum where eq ne lt le gt ge "
            "logical_and logical_or logical_xor bitwise_and bitwise_or atan2 lerp addcmul addcdiv remainder "
            "fmod copy floordiv mod xor"
        ).split()
    },
}
_SPELLED = {"truediv": "div", "and": "bitwise_and", "or": "bitwise_or"}

CREATED = frozenset(
    "zeros ones empty full arange linspace eye rand randn tensor new_zeros new_ones new_full new_empty meshgrid "
    "as_tensor scalar_tensor new_tensor full_like".split()
)


def normal(name: str) -> str:
    """Return the plain name of a function: no underscores of methods, no in-place, no reflection.

    >>> [normal(name) for name in ("__add__", "add_", "__iadd__", "__rsub__", "relu_", "masked_fill_")]
    ['add', 'add', 'add', 'sub', 'relu', 'masked_fill']
    """
    if name.startswith("__") and name.endswith("__"):
        inner = name.strip("_")
        for prefix in ("r", "i"):
            rest = inner.removeprefix(prefix)
            if rest != inner and (rest in BINARY or rest in _SPELLED or rest in ("matmul",)):
                inner = rest
        return _SPELLED.get(inner, inner)
    return name.removesuffix("_") if not name.endswith("__") else name


def value_of(value: Any) -> Any:
    """Return a value for a field: a size with its origin as spec arithmetic, others as they are."""
    if isinstance(value, Size):
        return written(value)
    if isinstance(value, (tuple, list)):
        return tuple(map(value_of, value))
    return plain(value)


NO_MACS = frozenset(
    "getitem gather index_select take take_along_dim where topk sort argsort argmax argmin scatter "
    "index_add index_copy index_put masked_select one_hot unfold fold repeat_interleave repeat tile max min "
    "setitem scatter_add cummax nonzero max_unpool1d max_unpool2d max_unpool3d grid_sample affine_grid "
    "median quantile unique diagonal diag narrow stack_ tensor_split hsplit vsplit meshgrid".split()
)
"""Operations that pick, compare or copy: they multiply nothing, though no rule tells their shapes."""


def field_values(kind: type[Kind], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that are fields of a kind, as values of fields."""
    return {
        name: value_of(value)
        for name, value in given.items()
        if name in kind.model_fields and value is not None
    }


def unary(trace: Trace, name: str, given: dict[str, Any], result: Any) -> bool:
    kind = registry.get(UNARY[name][0])
    x = given.get("input")
    if not isinstance(x, Tensor) or given.get("return_indices"):
        return False
    fields = field_values(kind, given)
    if name in FROM_ZERO:
        fields.setdefault("start_dim" if name == "flatten" else "dim", 0)
    layer = made(kind, fields)
    results = [result] if isinstance(result, Tensor) else [*result]
    step = trace.here(kind.kind)
    trace.emit(layer, [trace.ref(x)], results, step)
    if len(results) == 1 and not isinstance(result, Tensor):
        trace.settle(step, results)
    return True


def binary(trace: Trace, name: str, args: list[Any], kwargs: dict[str, Any], result: Any) -> bool:
    """Write down arithmetic on elements: of tensors a merge, with numbers a function of each element."""
    tensors = [one for one in tensors_in([args, [kwargs.get("other")]]) if one.dim() or one.requires_grad]
    if not isinstance(result, Tensor) or not tensors:
        return False
    title = {"add": "add", "multiply": "multiply"}.get(BINARY[name], name)
    if len(tensors) == 1:
        if tensors[0].shape != result.shape:
            return False
        trace.emit(Function(function=name), [trace.ref(tensors[0])], [result], trace.here(title))
        return True
    refs = [trace.ref(one) for one in tensors]
    layer = {"add": Add, "multiply": Multiply}.get(BINARY[name])
    trace.emit(layer() if layer else Combine(function=name), refs, [result], trace.here(title))
    return True
