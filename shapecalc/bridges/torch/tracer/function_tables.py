"""Which kind each of torch's functions is, by its name, and how its arguments are called."""

from __future__ import annotations

from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_POOL = "input kernel_size stride padding"
_CONV = "input weight bias stride padding dilation groups"
_UP = "input weight bias stride padding output_padding groups dilation"

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

FROM_ZERO = _words(
    """
    cat chunk flatten softmax split split_with_sizes stack unbind
    """
)
"""Functions whose `dim` or `start_dim` is 0 unless it is said."""

ELEMENTWISE = _words(
    """
    abs acos argsort asin atan bernoulli bitwise_not ceil clamp clamp_max clamp_min clip cos cosh
    cumprod cumsum detach_ empty_like erf erfc exp exp2 expm1 fill flip float_power floor fmod frac
    full_like half_ invert isfinite isinf isnan log log10 log1p log2 logical_not logit masked_fill
    nan_to_num neg normalize ones_like positive rand_like randn_like reciprocal remainder requires_grad_
    roll rot90 round rrelu rsqrt sigmoid_ sign sin sinh sort sqrt square tan threshold tril tril_ triu
    triu_ trunc type_as_ zero zeros_like
    """
)
"""Functions of each element that no kind of their own stands for."""

SAME = _words(
    """
    alias as_subclass bfloat16 bool clone contiguous cpu cuda data detach double float half int long
    real requires_grad requires_grad_ to type type_as
    """
)
"""What hands a tensor on: no step."""

_COMBINING = _words(
    """
    _weight_norm
    addcdiv addcmul atan2 bitwise_and bitwise_or copy div divide eq floor_divide floordiv fmod ge gt le
    lerp logical_and logical_or logical_xor lt maximum minimum mod ne pow remainder sub subtract
    true_divide where xor
    """
)
BINARY: dict[str, str] = {
    **dict.fromkeys(_COMBINING, "combine"),
    "add": "add",
    "mul": "multiply",
    "multiply": "multiply",
}
"""Functions of the elements of several tensors, each with its kind."""

_SPELLED = {"truediv": "div", "and": "bitwise_and", "or": "bitwise_or"}

CREATED = _words(
    """
    arange as_tensor empty eye full full_like linspace meshgrid new_empty new_full new_ones new_tensor
    new_zeros ones rand randn scalar_tensor tensor zeros
    """
)
"""What makes a tensor of nothing."""

NO_MACS = _words(
    """
    affine_grid argmax argmin argsort cummax diag diagonal fold gather getitem grid_sample hsplit
    index_add index_copy index_put index_select masked_select max max_unpool1d max_unpool2d max_unpool3d
    median meshgrid min narrow nonzero one_hot quantile repeat repeat_interleave scatter scatter_add
    setitem sort stack_ take take_along_dim tensor_split tile topk unfold unique vsplit where
    """
)
"""Operations that pick, compare or copy: they multiply nothing, though no rule tells their shapes."""

ARGUMENTS: dict[str, str] = {
    **{name: arguments for name, (_, arguments) in UNARY.items()},
    **{f"conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _UP for n in (1, 2, 3)},
    "linear": "input weight bias",
    "layer_norm": "input normalized_shape weight bias eps",
    "rms_norm": "input normalized_shape weight eps",
    "group_norm": "input num_groups weight bias eps",
    "batch_norm": "input running_mean running_var weight bias training momentum eps",
    "embedding": "input weight padding_idx",
    "cat": "tensors dim",
    "concat": "tensors dim",
    "concatenate": "tensors dim",
    "stack": "tensors dim",
    "pad": "input pad mode value",
    "squeeze": "input dim",
    "mean": "input dim keepdim",
    **dict.fromkeys(("sum", "amax", "amin", "var", "std"), "input dim keepdim"),
    "permute": "input dims",
    "view": "input shape",
    "reshape": "input shape",
    "expand": "input shape",
    "broadcast_to": "input shape",
    "expand_as": "input other",
    "view_as": "input other",
    "reshape_as": "input other",
    "t": "input",
    "unbind": "input dim",
    "movedim": "input source destination",
    "narrow": "input dim start length",
    "matmul": "left right",
    "mm": "left right",
    "bmm": "left right",
    "mv": "left right",
    "baddbmm": "input left right",
    "addmm": "input left right",
    "multi_head_attention_forward": (
        "query key value embed_dim num_heads in_proj_weight in_proj_bias bias_k bias_v add_zero_attn "
        "dropout_p out_proj_weight out_proj_bias training"
    ),
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal scale",
    "getitem": "input index",
    "setitem": "input index value",
    "einsum": "equation operands",
    "normalize": "input p dim eps",
}
"""The arguments of functions, in order, `input` first."""

_SPREAD = _words(
    """
    broadcast_to einsum expand flip permute reshape squeeze view
    """
)
"""Functions that take their last argument as a list or spread out."""

_OTHERWISE = {
    "self": "input",
    "axis": "dim",
    "size": "shape",
    "sizes": "shape",
    "split_size_or_sections": "split_size",
    "mat2": "right",
    "other": "right",
    "tensor1": "left",
}
"""What some functions call an argument that others call otherwise."""


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


def bound(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name."""
    names = ARGUMENTS.get(name, "input").split()
    if name in _SPREAD and len(args) > len(names):
        args = (*args[: len(names) - 1], args[len(names) - 1 :])
    given = dict(zip(names, args, strict=False))
    for key, value in kwargs.items():
        other = _OTHERWISE.get(key, key)
        given[key if key in names else other if other in names else key] = value
    return given
