"""Idioms of torch code, traced at one size and requested at others, against torch itself.

An answer is torch's own or a refusal, and what torch refuses is refused. The idioms in `PINNED` are those
whose other sizes are still refused: one that answers shows as XPASS.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeAlias

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from shapecalc import Model, ShapecalcError, from_torch
from tests.support.idioms import IMAGES, SEQUENCES

Shape: TypeAlias = "tuple[int, ...]"

IDIOMS = {f"sequence: {name}": make for name, make in SEQUENCES.items()} | {
    f"image: {name}": make for name, make in IMAGES.items()
}
PINNED = frozenset(
    [
        "sequence: cell over time",
        "sequence: odd lengths are padded",
        "sequence: view of a fixed length",
        "sequence: torch.tensor of sizes",
        "sequence: torch.tensor of a range",
        "sequence: numpy of a size",
        "sequence: strides",
        "sequence: storage as a size",
        "sequence: vmap",
        "sequence: split",
        "sequence: power of two",
        "sequence: root",
        "sequence: decimal product",
        "sequence: squeeze all",
        "image: until it is small",
        "image: branch by size",
        "image: rot90 by a size",
        "image: chunks of rows",
        "image: rows",
        "image: rows in a loop",
        "image: loop over sizes",
        "image: tensor of sizes",
    ]
)

SIDES = st.integers(1, 26)


def is_image(name: str) -> bool:
    return name.startswith("image")


@cache
def module_of(name: str) -> nn.Module:
    return IDIOMS[name]().eval()


@cache
def model_of(name: str) -> Model | None:
    """Return the model traced at one size, or None where that is refused."""
    try:
        return from_torch(module_of(name), input=(3, 12, 12) if is_image(name) else (10, 8))
    except ShapecalcError:
        return None


def shapes(value: Any) -> list[Shape]:
    if isinstance(value, Tensor):
        return [tuple(value.shape)]
    if is_dataclass(value):
        value = vars(value)
    items = value.values() if isinstance(value, Mapping) else value
    return [shape for item in items for shape in shapes(item)]


def by_torch(module: nn.Module, shape: Shape) -> list[Shape] | None:
    """Return the shapes of the outputs, or None where torch refuses."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return shapes(module(torch.zeros(shape)))
        except (RuntimeError, IndexError, ValueError, AssertionError):
            return None


def by_model(model: Model | None, shape: Shape) -> list[Shape] | None:
    """Return the shapes of the outputs, or None where they are refused."""
    if model is None:
        return None
    try:
        return [*model.analyze(input=shape[1:], batch=shape[0]).outputs.values()]
    except ShapecalcError:
        return None


@pytest.mark.sample(24)
@pytest.mark.parametrize("name", IDIOMS)
@settings(derandomize=os.environ.get("SHAPECALC_PROFILE") != "thorough")
@given(batch=st.integers(1, 4), height=SIDES, width=SIDES)
def test_no_answer_is_wrong(name: str, batch: int, height: int, width: int) -> None:
    shape = (batch, 3, height, width) if is_image(name) else (batch, height, 8)
    ours = by_model(model_of(name), shape)
    if ours is not None:
        assert ours == by_torch(module_of(name), shape)


@pytest.mark.sample(12)
@pytest.mark.parametrize("name", IDIOMS)
def test_parameters_are_counted_once(name: str) -> None:
    model = model_of(name)
    if model is not None:
        with suppress(ShapecalcError):
            assert model.analyze().params == sum(item.numel() for item in module_of(name).parameters())


@pytest.mark.sample(12)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.xfail(strict=False) if name in PINNED else ()) for name in IDIOMS],
)
def test_other_sizes_are_answered(name: str) -> None:
    for batch, height, width in ((1, 12, 12), (3, 10, 16), (2, 6, 12), (4, 20, 15), (2, 13, 12)):
        shape = (batch, 3, height, width) if is_image(name) else (batch, height, 8)
        assert by_model(model_of(name), shape) == by_torch(module_of(name), shape)
