"""Functions of torch by their names: of each element, of several tensors, over axes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.errors import quote
from shapecalc.layers.base import Pointwise, Shapes
from shapecalc.layers.counts import NOTHING, SIGMOID, Operations, greatest, mean, norm
from shapecalc.layers.dependence import Dependence, unknown, unseen
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, OneOf, complaint
from shapecalc.layers.memory_rule import NO_GRADIENT
from shapecalc.layers.memory_traits import DType, Mode, Own, Place, Result, Storage
from shapecalc.layers.merge import Broadcast
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.layers.saved_by_name import DTYPES, NO_GRADIENT_OF, OF_ONE, OF_SEVERAL, REDUCED, WRITING, held
from shapecalc.layers.select import Mean


def _words(text: str) -> list[str]:
    return text.split()


def _counted(**names: str) -> dict[str, Operations]:
    """Return one operation of a part for each element, for functions that take just that."""
    return {name: Operations(**{part: 1}) for part, text in names.items() for name in text.split()}


POINTWISE: Mapping[str, Operations | None] = {
    **_counted(
        additions="add sub rsub subtract",
        multiplications="mul multiply square",
        divisions="div divide true_divide reciprocal",
        comparisons="maximum minimum abs absolute sign threshold eq ne lt le gt ge clamp_min clamp_max "
        "not_equal less less_equal greater greater_equal",
        exponentials="exp exp2 special_exp2",
        logarithms="log log2 log10",
        powers="pow float_power",
        error_functions="erf erfc special_erf special_erfc",
        roots="sqrt",
    ),
    **dict.fromkeys(_words("neg negative positive masked_fill tril triu"), NOTHING),
    **dict.fromkeys(("clamp", "clip"), Operations(comparisons=2)),
    **dict.fromkeys(("expm1", "special_expm1"), Operations(exponentials=1, additions=1)),
    **dict.fromkeys(("log1p", "special_log1p"), Operations(logarithms=1, additions=1)),
    "rsqrt": Operations(roots=1, divisions=1),
    "special_expit": SIGMOID,
    **dict.fromkeys(
        _words(
            """
            acos acosh addcdiv addcmul angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh
            atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
            bitwise_xor ceil conj_physical copysign cos cosh deg2rad digamma erfinv fix floor floor_divide
            fmax fmin fmod frac gcd heaviside hypot i0 igamma igammac isclose isfinite isinf isnan isneginf
            isposinf lcm ldexp lerp lgamma logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
            logit mvlgamma nan_to_num nextafter polygamma rad2deg remainder round sgn signbit sin sinc sinh
            tan trunc where xlogy special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0
            special_bessel_y1 special_chebyshev_polynomial_t special_chebyshev_polynomial_u
            special_chebyshev_polynomial_v special_chebyshev_polynomial_w special_digamma special_entr
            special_erfcx special_erfinv special_gammainc special_gammaincc special_gammaln
            special_hermite_polynomial_h special_hermite_polynomial_he special_i0 special_i0e special_i1
            special_i1e special_laguerre_polynomial_l special_legendre_polynomial_p special_log_ndtr
            special_logit special_modified_bessel_i0 special_modified_bessel_i1 special_modified_bessel_k0
            special_modified_bessel_k1 special_multigammaln special_ndtr special_ndtri special_psi
            special_round special_scaled_modified_bessel_k0 special_scaled_modified_bessel_k1
            special_shifted_chebyshev_polynomial_t special_shifted_chebyshev_polynomial_u
            special_shifted_chebyshev_polynomial_v special_shifted_chebyshev_polynomial_w special_sinc
            special_spherical_bessel_j0 special_xlog1py special_xlogy special_zeta
            """
        )
    ),
}
"""torch's functions of the elements at one place, of one tensor or several, and their operations for each.

None where they are not counted. A test holds the names to torch's tag `pointwise`, in both directions.
"""

BROADCASTING = frozenset([*POINTWISE, "normal"])
"""Functions whose tensors are broadcast; `torch.normal(mean, std)` draws a number for each place."""

MOVING: Mapping[str, Operations | None] = {
    **dict.fromkeys(_words("fft_fftshift fft_ifftshift flip fliplr flipud roll"), NOTHING),
    **dict.fromkeys(
        _words(
            "argsort bernoulli cumprod cumsum fill_diagonal gumbel_softmax logcumsumexp msort normal "
            "normalize poisson renorm"
        )
    ),
}
"""Functions that keep the shape of one tensor and move its elements or mix them."""

LIKE: Mapping[str, Operations | None] = {
    **dict.fromkeys(_words("empty_like fill full_like ones_like zero zeros_like"), NOTHING),
    **dict.fromkeys(
        _words("cauchy exponential geometric log_normal rand_like randint_like randn_like random uniform")
    ),
}
"""Functions that take a shape from their tensor and nothing else."""

PICKING: Mapping[str, Operations | None] = {
    **dict.fromkeys(
        _words(
            """
            affine_grid block_diag cartesian_prod combinations diag diag_embed diagonal dsplit embedding
            embedding_bag gather hsplit index index_copy index_fill index_put index_select masked_scatter
            one_hot repeat_interleave scatter select_scatter take take_along_dim tensor_split unfold
            view_as_complex view_as_real vsplit
            """
        ),
        NOTHING,
    ),
    **dict.fromkeys(
        _words(
            """
            bucketize cdist complex count_nonzero cross cummax cummin diff grid_sample histc index_add isin
            kron kthvalue linalg_cross median mode multinomial nanmean nanmedian nanquantile nansum polar
            quantile scatter_add scatter_reduce searchsorted sort topk trace
            """
        )
    ),
}
"""Functions that pick, compare or add elements and make no product of matrices: their MACs are 0.

None where the single operations are not counted; so they are where a function has a name but no entry.
"""

FUNCTIONS: Mapping[str, Operations | None] = {**POINTWISE, **MOVING, **LIKE}
"""The functions that keep a shape, by torch's names."""


def _operations(function: str, results: Dim) -> Operations | None:
    each = FUNCTIONS.get(function)
    return None if each is None else each * results


class Word(Annotation):
    """The name of a function, as in torch."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value, re.ASCII):
            return value
        raise complaint(f"{quote(value)} is not the name of a function")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_.]*$"}


class Elementwise(Pointwise, kind="elementwise"):
    """A function of each element that has no kind of its own, by its name.

    Source: torch's functions of one tensor, such as torch.exp.

    >>> Elementwise(function="exp").output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    family = Family.ELEMENTWISE
    unknown_dependence = ("places and channels", "a function such as roll keeps the shape and moves elements")

    function: Annotated[str, Word()]

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        return () if self.function in WRITING else held(OF_ONE.get(self.function), inputs, mode)

    def overwrites(self, mode: Mode) -> bool:
        return mode.in_place or self.function in WRITING

    def dtypes(self, inputs: Shapes, results: int) -> tuple[DType, ...]:
        return (DTYPES.get(self.function, "value"),)

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """None of a comparison; that of the result where a number is added."""
        if self.function in NO_GRADIENT_OF:
            return (NO_GRADIENT,)
        return (Place(Result(), "same") if self.function == "add" else None,)

    def dependence(self, x: Shape, result: int) -> Dependence:
        if self.function in POINTWISE:
            return super().dependence(x, result)
        return unseen(len(x)) if self.function in LIKE else unknown(len(x))

    def operations(self, x: Shape) -> Operations | None:
        return _operations(self.function, product(x))


class Combine(Broadcast, kind="combine"):
    """A function of the elements of several tensors, by its name, broadcast as `add` does.

    Refuses what `add` refuses. Source: torch.sub, torch.div, torch.maximum and others.

    >>> Combine(function="sub").output(((1, 64, 7, 7), (1, 64, 1, 1)))
    (1, 64, 7, 7)
    """

    unknown_dependence = (
        "places and channels",
        "a function that is not known to work on each element alone",
    )

    function: Annotated[str, Word()]

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        if self.function in WRITING:
            return ()
        expected = 3 if self.function == "where" else 2
        return held(OF_SEVERAL.get(self.function), inputs, mode) if len(inputs) == expected else None

    def dtypes(self, inputs: Shapes, results: int) -> tuple[DType, ...]:
        return (DTYPES.get(self.function, "value"),)

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """None of a comparison; that of the result where it is added to or subtracted from."""
        if self.function in NO_GRADIENT_OF:
            return (NO_GRADIENT,) * len(inputs)
        same = {"add": 2, "sub": 1, "subtract": 1}.get(self.function, 0)
        shape = self.output(inputs)
        shared = Place(Result(), "same")
        return tuple([shared if slot < same and x == shape else None for slot, x in enumerate(inputs)])

    def overwrites(self, mode: Mode) -> bool:
        return mode.in_place or self.function in WRITING

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """Nothing: one call makes the result of all tensors."""
        return ()

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        if self.function in POINTWISE:
            return super().depends_on(inputs, result)
        return tuple([unknown(len(x)) for x in inputs])

    def operations(self, inputs: Shapes) -> Operations | None:
        return _operations(self.function, product(self.output(inputs)))


def _sum(numbers: Dim, results: Dim) -> Operations:
    return Operations(additions=numbers - results)


def _variance(numbers: Dim, results: Dim) -> Operations:
    differences = Operations(additions=numbers, multiplications=numbers)
    return mean(numbers, results) + differences + mean(numbers, results)


_REDUCTIONS: Mapping[str, Callable[[Dim, Dim], Operations]] = {
    "sum": _sum,
    "amax": greatest,
    "amin": greatest,
    "var": _variance,
    "std": lambda numbers, results: _variance(numbers, results) + Operations(roots=results),
    "norm": partial(norm, 2),
    "logsumexp": lambda numbers, results: (
        _sum(numbers, results) + Operations(exponentials=numbers, logarithms=results)
    ),
    "prod": lambda numbers, results: Operations(multiplications=numbers - results),
    "any": lambda numbers, results: NOTHING,
    "all": lambda numbers, results: NOTHING,
    "argmax": greatest,
    "argmin": greatest,
}
"""Reductions with the operations that make a number of results out of all the numbers."""
_OF_SOME = ("amax", "amin", "argmax", "argmin")
"""Reductions of at least one number."""
_OF_ONE_AXIS = ("prod", "argmax", "argmin")


class Reduce(Mean, kind="reduce"):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim.

    `function` says how: their sum, greatest, least, Euclidean norm and so on; `prod`, `argmax` and `argmin`
    take one axis, a number. Refuses axes that do not exist or come twice.
    Source: torch.sum, torch.amax, torch.norm and others.

    >>> Reduce(function="amax", dim=[2, 3]).output((1, 1280, 7, 7))
    (1, 1280)
    """

    order = "function ..."

    torch = None
    function: Annotated[str, OneOf(tuple(_REDUCTIONS))]

    @model_validator(mode="after")
    def _one_axis(self) -> Self:
        if self.function in _OF_ONE_AXIS and isinstance(self.dim, tuple):
            raise complaint(f"{self.function} takes one axis; dim is a list")
        return self

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        if self.function in _OF_SOME and any(
            isinstance(x[axis], int) and x[axis] < 1 for axis in self.reduced(x)
        ):
            yield Requirement("empty", 0, ">=", 1, f"{self.kind}: {shown(x)} has no {self.function}")

    def operations(self, x: Shape) -> Operations:
        return _REDUCTIONS[self.function](product(x), product(self.output(x)))

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        return held(REDUCED[self.function], inputs, mode)

    def dtypes(self, inputs: Shapes, results: int) -> tuple[DType, ...]:
        return (DTYPES.get(self.function, "value"),)

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """That of a sum is expanded; none of what is no value."""
        if self.function in NO_GRADIENT_OF:
            return (NO_GRADIENT,)
        return (Place(Result()) if self.function == "sum" else None,)
