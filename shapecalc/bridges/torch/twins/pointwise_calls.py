"""Functions of torch that keep a shape, called by name where a specification says nothing but the name."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shapecalc.bridges.torch.twins.generic_modules import REJECTIONS

STAND_INS: tuple[tuple[Any, ...], ...] = ((), (1,), (0,))
"""What a function is given beside its tensor, in the order of trial: no shape depends on it."""


@cache
def stand_in(name: str) -> tuple[Any, ...] | None:
    """Return what a function has to be given beside one tensor, None where it is no number or torch has none.

    >>> stand_in("exp"), stand_in("mul"), stand_in("masked_fill")
    ((), (1,), None)
    """
    function = _found(name)
    for given in STAND_INS if function is not None else ():
        for dtype in (torch.float32, torch.long):
            x = torch.ones((2, 3), dtype=dtype, device="meta")
            try:
                result = function(x, *given)
            except REJECTIONS:
                continue
            if isinstance(result, Tensor):
                return given
    return None


def of_each(name: str, x: Tensor) -> Any:
    """Call a function by its name: with a 1 where it takes a number that is not known; else hand `x` on."""
    given = stand_in(name)
    return x.clone() if given is None else _found(name)(x, *given)


def _found(name: str) -> Any:
    return getattr(torch, name, None) or getattr(functional, name, None)
