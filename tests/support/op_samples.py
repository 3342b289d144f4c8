"""Samples of torch's op database as modules whose forward takes the first tensor of a sample."""

from __future__ import annotations

import random
import sys
import unittest
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from shapecalc import Model, ShapecalcError, from_torch
from shapecalc.bridges.torch.tracer.module_run import error_text, outcome, outputs

Shape: TypeAlias = "tuple[int, ...]"


@cache
def operations() -> list[Any]:
    """Return torch's op database, which takes a second to make; its module needs a test case of a package that is not needed here."""
    if "expecttest" not in sys.modules:
        sys.modules["expecttest"] = ModuleType("expecttest")
        vars(sys.modules["expecttest"])["TestCase"] = unittest.TestCase
    database: list[Any] = import_module("torch.testing._internal.common_methods_invocations").op_db
    return database


class Operation(nn.Module):
    """An operation with the further arguments of a sample."""

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.function, self.args, self.kwargs = function, args, kwargs

    def forward(self, x: Tensor) -> Any:
        return self.function(x, *self.args, **self.kwargs)


@dataclass(frozen=True)
class Sample:
    """A module and the tensor that it is imported with."""

    name: str
    module: Operation
    x: Tensor

    def by_torch(self, shape: Shape) -> list[Shape] | str:
        """Return the shapes of the results for a tensor of numbers, or the error."""
        with torch.no_grad(), warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            result = outcome(lambda: outputs(self.module(torch.rand(shape))))
        if isinstance(result, Exception):
            return error_text(result)
        return [tuple(y.shape) for y in result.values()]

    def imported(self, *, batched: bool) -> Model:
        """Return the import, with the first axis as the batch or without a batch."""
        if batched:
            return from_torch(self.module, input=tuple(self.x.shape[1:]))
        return from_torch(self.module, args=(self.x,))


def samples(name: str, most: int) -> Iterator[Sample]:
    """Yield samples of the operations with a name that have a first tensor of floats with axes."""
    for op in operations():
        if op.name == name and torch.float32 in op.dtypes:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for sample in islice(op.sample_inputs("cpu", torch.float32), most):
                    x = sample.input
                    if isinstance(x, Tensor) and x.dim() and 0 not in x.shape:
                        yield Sample(name, Operation(op.op, sample.args, sample.kwargs), x.detach())


def other_shapes(shape: Shape, count: int, seed: str) -> Iterator[Shape]:
    """Yield shapes of which some axes are other than in a sample, deterministically."""
    draw = random.Random(seed)
    for _ in range(count):
        sizes = [*shape]
        for axis in range(len(sizes)):
            if draw.random() < 0.6:
                sizes[axis] = draw.choice(
                    [1, 2, 3, sizes[axis] + 1, 2 * sizes[axis], max(1, sizes[axis] - 1), 7]
                )
        yield tuple(sizes)


def by_model(model: Model, shape: Shape, *, batched: bool) -> list[Shape] | None:
    """Return the shapes that a model answers with, or None where it refuses."""
    try:
        report = model.analyze(input=shape[1:], batch=shape[0]) if batched else model.analyze(input=shape)
    except ShapecalcError:
        return None
    return [*report.outputs.values()]
