"""Sizes as exact integer expressions: one rule for numbers and for symbols."""

from shapecalc.algebra.canonical import ceildiv, floordiv, maximum, minimum, product, quotient
from shapecalc.algebra.expr import Dim, Expr, symbol

__all__ = ["Dim", "Expr", "ceildiv", "floordiv", "maximum", "minimum", "product", "quotient", "symbol"]
