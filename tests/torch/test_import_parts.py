"""Parts of an axis and reductions over all axes keep their shapes at other sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from shapecalc import from_torch
from tests.support.broken_tracer import Forward


@pytest.mark.parametrize(
    ("forward", "output"),
    [
        (lambda _, x: x.narrow(1, 2, x.size(1) - 3), (1, 8, 4)),
        (lambda _, x: x.narrow(1, 2, 3) * 2, (1, 3, 4)),
        (lambda _, x: x + x.amax(keepdim=True), (1, 11, 4)),
        (lambda _, x: x.mean(), ()),
        (lambda _, x: x.sum(), ()),
    ],
)
def test_parts_and_reductions(forward: Callable[[Any, Tensor], Any], output: tuple[int, ...]) -> None:
    model = from_torch(Forward(forward), input=(8, 4))
    assert model.analyze(input=(11, 4)).output == output
