"""Exact integer expressions under one set of rules for numbers and symbols, and integer sets. Internal."""

from shapecalc.algebra.canonical import ceildiv, floordiv, maximum, minimum, product, quotient
from shapecalc.algebra.expr import Dim, Expr, symbol

__all__ = ["Dim", "Expr", "ceildiv", "floordiv", "maximum", "minimum", "product", "quotient", "symbol"]
