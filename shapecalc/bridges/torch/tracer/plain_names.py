"""The names of torch's functions without what says that they are operators or write in place."""

from __future__ import annotations

_OPERATORS = {
    "and": "bitwise_and",
    "floordiv": "floor_divide",
    "invert": "bitwise_not",
    "lshift": "bitwise_left_shift",
    "mod": "remainder",
    "or": "bitwise_or",
    "rshift": "bitwise_right_shift",
    "truediv": "div",
    "xor": "bitwise_xor",
}
"""torch's functions for Python's operators that have another name."""
_REFLECTED = frozenset([*_OPERATORS, "add", "div", "matmul", "mul", "pow", "sub"])


def plain_name(name: str) -> str:
    """Return the name of a function for that of a method: of an operator, in place, or reflected.

    >>> [plain_name(name) for name in ("__add__", "add_", "__iadd__", "__rsub__", "relu_", "__rmod__")]
    ['add', 'add', 'add', 'sub', 'relu', 'remainder']
    """
    if not (name.startswith("__") and name.endswith("__")):
        return name.removesuffix("_")
    inner = name.strip("_")
    if inner[0] in "ri" and inner[1:] in _REFLECTED:
        inner = inner[1:]
    return _OPERATORS.get(inner, inner)


def is_in_place(name: str) -> bool:
    """Return whether a function of this name changes its first tensor."""
    if name.startswith("__"):
        return name.startswith(("__i", "__set"))
    return name.endswith("_")
