"""The size formulas, each written once, for numbers, for symbols and for the written derivation.

Every function is plain `+ - * //` on its arguments, so it accepts integers and expressions alike,
and traced sizes too, which show the formula that was computed and the numbers put in.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor

from shapecalc.algebra import Dim, ceildiv, maximum, minimum
from shapecalc.algebra.expr import Recording
from shapecalc.algebra.expr_text import grouped


def extent(k: Dim, d: Dim) -> Dim:
    """The input pixels that a dilated kernel spans: d(k - 1) + 1.

    >>> extent(3, 2)
    5
    """
    return d * (k - 1) + 1


def window(n: Dim, k: Dim, s: Dim, d: Dim, p0: Dim, p1: Dim) -> Dim:
    """⌊(n + p0 + p1 - (d(k - 1) + 1))/s⌋ + 1, the (W - F + 2P)/S + 1 of the textbooks.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.

    >>> window(224, k=7, s=2, d=1, p0=3, p1=3)
    112
    """
    return (n + p0 + p1 - extent(k, d)) // s + 1


def window_ceil(n: Dim, k: Dim, s: Dim, d: Dim, p0: Dim, p1: Dim) -> Dim:
    """⌊(n + min(p0 + p1 - (d(k - 1) + 1) + s - 1, p0 - 1))/s⌋ + 1: torch's ceil_mode.

    The minimum is torch's rule that the last window starts inside the input or its left padding.

    >>> window_ceil(112, k=3, s=2, d=1, p0=0, p1=0)
    56
    """
    return (n + minimum(p0 + p1 - extent(k, d) + s - 1, p0 - 1)) // s + 1


def unread(n: Dim, out: Dim, k: Dim, s: Dim, d: Dim, p0: Dim) -> Dim:
    """What the last window leaves of the input: n + p0 - ((out - 1)s + d(k - 1) + 1), below 0 in padding.

    >>> unread(224, out=54, k=11, s=4, d=1, p0=0)
    1
    """
    return n + p0 - ((out - 1) * s + extent(k, d))


def same_padding(k: Dim, d: Dim) -> Dim:
    """d(k - 1), the total padding with which a stride of one keeps the size.

    >>> same_padding(k=5, d=1)
    4
    """
    return d * (k - 1)


def same(n: Dim, s: Dim) -> Dim:
    """⌈n/s⌉: Keras' and TensorFlow's `same` padding, whatever the kernel.

    >>> same(15, s=2)
    8
    """
    return ceildiv(n, s)


def same_total(n: Dim, k: Dim, s: Dim, d: Dim) -> Dim:
    """max((⌈n/s⌉ - 1)s + d(k - 1) + 1 - n, 0), the padding in all; the odd pixel comes after.

    >>> same_total(224, k=7, s=2, d=1)
    5
    """
    return maximum((same(n, s) - 1) * s + extent(k, d) - n, 0)


def transposed(n: Dim, k: Dim, s: Dim, d: Dim, p0: Dim, p1: Dim, op: Dim) -> Dim:
    """(n - 1)s - p0 - p1 + d(k - 1) + 1 + op.

    >>> transposed(28, k=2, s=2, d=1, p0=0, p1=0, op=0)
    56
    """
    return (n - 1) * s - p0 - p1 + extent(k, d) + op


def transposed_same(n: Dim, s: Dim) -> Dim:
    """Keras' transposed `same` without output padding: n·s.

    >>> transposed_same(14, s=2)
    28
    """
    return n * s


def transposed_valid(n: Dim, k: Dim, s: Dim, d: Dim) -> Dim:
    """Keras' transposed `valid` without output padding: n·s + max(d(k - 1) + 1 - s, 0).

    >>> transposed_valid(14, k=3, s=2, d=1)
    29
    """
    return n * s + maximum(extent(k, d) - s, 0)


def padded(n: Dim, p0: Dim, p1: Dim) -> Dim:
    """Pad: n + p0 + p1; a negative side crops.

    >>> padded(28, p0=2, p1=-1)
    29
    """
    return n + p0 + p1


def cropped(n: Dim, c0: Dim, c1: Dim) -> Dim:
    """Crop: n - c0 - c1.

    >>> cropped(28, c0=2, c1=1)
    25
    """
    return n - c0 - c1


def uncropped(n: Dim, p0: Dim, p1: Dim) -> Dim:
    """Crop by negative padding alone: n + min(p0, 0) + min(p1, 0).

    >>> uncropped(28, p0=2, p1=-1)
    27
    """
    return n + minimum(p0, 0) + minimum(p1, 0)


def scaled(n: Dim, a: Dim, b: Dim) -> Dim:
    """⌊n·a/b⌋, resizing by the scale a/b.

    >>> scaled(7, a=3, b=2)
    10
    """
    return n * a // b


def scaled_by_doubles(n: int, scale: Fraction | int) -> Dim:
    """⌊n·scale⌋ multiplied in double precision, as torch resizes.

    >>> scaled_by_doubles(100, Fraction(29, 100))
    28
    """
    for factor in (n, scale):
        if isinstance(factor, Recording):
            return factor.record("scale", scaled_by_doubles, n, scale)
    return floor(float(n) * float(scale))


def written(rule: Callable[..., Dim], **values: Dim) -> str:
    """Return a formula, the numbers put in, and the result.

    >>> written(window, n=5, k=7, s=1, d=1, p0=0, p1=0)
    '⌊(n + p0 + p1 - (d·(k - 1) + 1))/s⌋ + 1 = ⌊(5 + 0 + 0 - (1·(7 - 1) + 1))/1⌋ + 1 = -1'
    """
    from shapecalc.algebra.provenance import lettered, term_of
    from shapecalc.algebra.term import inserted, text

    formula = term_of(rule(**{name: lettered(name, value) for name, value in values.items()}))
    return f"{text(formula)} = {text(inserted(formula))} = {grouped(rule(**values))}"
