"""Sizes as exact integer expressions: one rule for numbers and for symbols."""

from shapecalc.algebra.expr import (
    Dim,
    Expr,
    ceildiv,
    floordiv,
    maximum,
    minimum,
    product,
    symbol,
)

__all__ = ["Dim", "Expr", "ceildiv", "floordiv", "maximum", "minimum", "product", "symbol"]
