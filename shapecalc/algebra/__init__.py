"""Sizes as exact integer expressions, for numbers and symbols alike. Internal but for `Expr` and `symbol`."""

from shapecalc.algebra import expr_text  # it registers how expressions are written
from shapecalc.algebra.expr import (
    Dim,
    Expr,
    ceildiv,
    decide,
    floordiv,
    maximum,
    minimum,
    symbol,
)
from shapecalc.algebra.products import product, quotient

__all__ = [
    "Dim",
    "Expr",
    "ceildiv",
    "decide",
    "expr_text",
    "floordiv",
    "maximum",
    "minimum",
    "product",
    "quotient",
    "symbol",
]
