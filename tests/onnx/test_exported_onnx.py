"""A second witness: torch writes its own expressions for sizes into a file that it exports, and ours equal them."""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import cache
from pathlib import Path

import onnx
import pytest
import torch
from onnx import ModelProto, ValueInfoProto

from shapecalc import Dim, Expr, Model, export, from_onnx, from_torch, load, verify
from shapecalc.algebra import symbol
from shapecalc.algebra.formula import Formula, NamedValues
from tests.support.exported_modules import FREE, MODULES

pytestmark = pytest.mark.ci  # torch takes its time to export
NAMES = [*MODULES]
WRITTEN_MORE = {"words": 1600, "sound": 8}
"""Numbers that torch writes beside the weights: a table again, transposed; scales of 1 and shifts of 0."""


@cache
def module_of(name: str) -> torch.nn.Module:
    """Return a module whose weights all differ: equal ones are one in a file."""
    torch.manual_seed(0)
    module = MODULES[name][0]().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-1, 1)
    return module


def example(name: str, batch: int = 2) -> torch.Tensor:
    shape = (batch, *MODULES[name][1])
    return torch.zeros(shape, dtype=torch.long) if name == "words" else torch.zeros(shape)


@cache
def exported(name: str) -> ModelProto:
    sizes = {0: "batch"} | {axis + 1: f"n{axis}" for axis in FREE[name]}
    open_sizes = dict.fromkeys(sizes, torch.export.Dim.DYNAMIC)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            *(module_of(name), (example(name),)), dynamo=True, dynamic_shapes=(open_sizes,), verbose=False
        )
    assert program is not None
    model: ModelProto = program.model_proto
    return model


@cache
def imported(name: str) -> Model:
    return from_onnx(exported(name))


def integer(value: object) -> Dim:
    assert isinstance(value, (int, Expr))
    return value


def sizes_in_file(value: ValueInfoProto, scope: NamedValues) -> list[Dim | None]:
    """Return the sizes of a tensor as the file has them; None where it has none."""
    dims = value.type.tensor_type.shape.dim
    # torch's functions of sizes begin with a capital letter
    texts = [dim.dim_param or str(dim.dim_value or "") for dim in dims]
    return [
        integer(Formula.parse(text.replace("M", "m")).evaluate(scope)) if text else None for text in texts
    ]


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_the_expressions_that_torch_wrote(name: str) -> None:
    file, model = exported(name), imported(name)
    report = model.analyze(symbolic=[*model.free_names(), "batch"])
    batch = file.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    scope = NamedValues({free: symbol(free) for free in model.free_names()} | {batch: symbol("batch")})
    values = {value.name: value for value in (*file.graph.value_info, *file.graph.output)}
    layers = {node.path: node for node in report.nodes}
    compared = 0
    for node in file.graph.node:
        for title, shape in zip(
            node.output, layers[node.name].outputs if node.name in layers else (), strict=False
        ):
            for theirs, ours in zip(sizes_in_file(values[title], scope), shape, strict=True):
                assert theirs is None or theirs == ours, (node.name, theirs, ours)
                compared += theirs is not None
    assert compared >= 3 * len(layers) - 20


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_the_module_that_it_was_exported_from(name: str) -> None:
    """The same weights, and for every size the same shapes and multiply-accumulates, or the same refusal."""
    proof = from_torch(module_of(name), input=MODULES[name][1]).agreement(imported(name))
    assert proof.is_whole, str(proof)
    assert (proof.costs, proof.weights[1] - proof.weights[0]) == (None, WRITTEN_MORE.get(name, 0))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_puts_out_what_the_module_does(name: str) -> None:
    shape, free = MODULES[name][1], FREE[name]
    for more in (0, 3, 4):
        other = tuple(size + more * (axis in free) for axis, size in enumerate(shape))
        x = torch.zeros(3, *other, dtype=example(name).dtype)
        report = imported(name).analyze(input=other, batch=3)
        assert report.output == tuple(module_of(name)(x).shape)


def test_a_file_is_proved_and_written_as_torch_would_have_it() -> None:
    model = load(Path(__file__).parents[2] / "docs" / "examples" / "skip.onnx")
    assert verify(model).counts == {"proved": 8}
    source = export(model)
    assert "nn.ConvTranspose2d(16, 8, kernel_size=2, stride=2)" in source
    assert "torch.cat" in source


def test_the_smallest_size_where_a_file_and_a_module_part() -> None:
    changed = onnx.ModelProto()
    changed.CopyFrom(exported("wider"))
    conv = next(node for node in changed.graph.node if node.op_type == "Conv")
    next(each for each in conv.attribute if each.name == "pads").ints[:] = [1, 1, 1, 1]
    proof = from_torch(module_of("wider"), input=MODULES["wider"][1]).agreement(from_onnx(changed))
    assert proof.accepted is not None
    assert proof.shapes is not None
    assert max(proof.shapes.sizes.values()) == 3
