"""Names in torch, sides as torch takes them, and the exceptions that it raises."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

import torch

Sizes: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = tuple[Sizes, ...]
Fields: TypeAlias = dict[str, Any]

REJECTIONS = (RuntimeError, ValueError, TypeError, IndexError, AssertionError, ArithmeticError)
"""What torch raises, depending on where it notices, for a layer or an input that is not legal."""


def named(path: str) -> Any:
    """Return the object of a dotted name; raise `ImportError` where it is not installed, or too old."""
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError as error:
        raise ImportError(f"torch {torch.__version__} has no {path}, which newer versions have") from error


def per_side(sides: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sides per axis in the order of `torch.nn.functional.pad`, which begins with the last axis.

    >>> per_side((1, (2, 3)))
    (2, 3, 1, 1)
    """
    pairs = [side if isinstance(side, tuple) else (side, side) for side in sides]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("a side has a number before and one after")
    return tuple(number for pair in reversed(pairs) for number in pair)
