"""What torch's functions of elements save for backward, by their names; of a name not here it is not known.

With a number in place of a tensor, what that would save falls away: `x * 2` saves nothing, `x * y` both.
"""

from collections.abc import Mapping

from shapecalc.layers.effect import Shapes
from shapecalc.layers.memory_traits import DType, Input, Mode, Result, Storage


def _each(value: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), value)


_COMPARISONS = "eq ne lt le gt ge not_equal less less_equal greater greater_equal"

OF_ONE: Mapping[str, str] = {
    **_each("nothing", f"{_COMPARISONS} isinf isnan isneginf isposinf logical_not signbit bitwise_not"),
    **_each("nothing", "add sub rsub subtract neg negative mul multiply div divide true_divide floor_divide"),
    **_each("nothing", "sign ceil floor trunc fix round frac deg2rad rad2deg tril triu masked_fill"),
    **_each("nothing", "roll flip fliplr flipud fft_fftshift fft_ifftshift"),
    **_each("nothing", "empty_like full_like ones_like rand_like randn_like zeros_like"),
    **_each("result", "exp exp2 special_exp2 expm1 special_expm1 sqrt rsqrt reciprocal tan special_expit"),
    **_each(
        "input", "square pow abs absolute log log2 log10 log1p special_log1p clamp clamp_min clamp_max clip"
    ),
    **_each("input", "erf erfc special_erf special_erfc erfinv lgamma digamma logit nan_to_num sinc"),
    **_each("input", "acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh"),
    **_each("input", "cos cosh sin sinh"),
}
"""Of functions of one tensor: nothing, the input or the result."""
OF_SEVERAL: Mapping[str, str] = {
    **_each("nothing", f"{_COMPARISONS} logical_and logical_or logical_xor floor_divide"),
    **_each("nothing", "add sub rsub subtract bitwise_and bitwise_or bitwise_xor"),
    **_each("others", "mul multiply"),
    **_each("quotient", "div divide true_divide"),
    **_each("both", "maximum minimum fmax fmin atan2 arctan2 logaddexp logaddexp2 xlogy"),
    **_each("condition", "where"),
    **_each("mask", "masked_fill"),
}
"""Of functions of several tensors: for the gradient of each the others, or as their names say."""
REDUCED: Mapping[str, str] = {
    **_each("nothing", "sum any all argmax argmin"),
    **_each("input", "var"),
    **_each("input and result", "amax amin std norm logsumexp prod"),
}
"""Of reductions: nothing, the input, or the input and the result."""
_TRUTHS = (
    f"{_COMPARISONS} isinf isnan isneginf isposinf logical_and logical_not logical_or logical_xor signbit"
)
DTYPES: Mapping[str, DType] = {
    **dict.fromkeys(f"{_TRUTHS} any all".split(), "bool"),
    **dict.fromkeys(("argmax", "argmin"), "int64"),
}
"""The dtype of results that have none of a value."""
WRITING = frozenset(("fill", "setitem", "zero"))
"""Functions that write over their first tensor, whatever their name, and save nothing."""
NO_GRADIENT_OF = frozenset(
    [*DTYPES, "empty_like", "full_like", "ones_like", "rand_like", "randn_like", "zeros_like"]
)
"""Functions through which no gradient passes."""


def held(rule: str | None, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
    """Return the storages that a rule says; None without one.

    >>> held("others", ((2, 3), (2, 3)), Mode(inputs=(True, False)))
    (Input(number=1),)
    """
    first, second = mode.wants(0), mode.wants(1)
    rules: dict[str | None, tuple[Storage, ...]] = {
        "nothing": (),
        "input": (Input(),),
        "result": (Result(),),
        "input and result": (Input(), Result()),
        "both": tuple(map(Input, range(len(inputs)))),
        "others": (*(Input(),) * second, *(Input(1),) * first),
        "quotient": (*(Input(),) * second, Input(1)),
        "condition": (Input(),),
        "mask": (Input(1),),
    }
    return rules.get(rule)
