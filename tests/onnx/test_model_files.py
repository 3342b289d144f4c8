"""Files: read by their structure, hostile ones refused, and the commands that take them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType

import onnx
import pytest
from click.testing import CliRunner
from onnx import ModelProto, TensorProto, helper

from shapecalc import Model, ShapecalcError, SpecError, from_onnx, load, loads
from shapecalc.bridges.onnx import imported_steps, model_file
from shapecalc.cli import main
from tests.support.onnx_models import ints, node, number, onnx_model, tensor, weight


def classifier() -> ModelProto:
    """Return a model whose weights are larger than what is copied from a file."""
    return onnx_model(
        [
            node("Conv", "x w b", "c", "/features/conv", pads=[1, 1, 1, 1]),
            node("Relu", "c", "r", "/features/relu"),
            node("MaxPool", "r", "p", "/features/pool", kernel_shape=[2, 2], strides=[2, 2]),
            node("GlobalAveragePool", "p", "g", "/pool"),
            node("Flatten", "g", "f", "/flatten"),
            node("Gemm", "f fw fb", "y", "/head", transB=1),
        ],
        {"x": ["batch", 3, "H", "W"]},
        [weight("w", 256, 3, 7, 7), weight("b", 256), weight("fw", 1000, 256), weight("fb", 1000)],
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    onnx.save(classifier(), path)
    return path


def test_a_file_is_read_without_its_weights(file: Path) -> None:
    read = model_file.read_model(file)
    assert read.ByteSize() < 10_000 < file.stat().st_size
    whole = onnx.load(file)
    assert [each.name for each in read.graph.node] == [each.name for each in whole.graph.node]
    assert [(each.name, [*each.dims]) for each in read.graph.initializer] == [
        (each.name, [*each.dims]) for each in whole.graph.initializer
    ]


def test_small_tensors_in_nodes_and_branches_keep_their_numbers(tmp_path: Path) -> None:
    """Messages around a large tensor are written anew, so that theirs are to be the same."""

    def body(name: str) -> onnx.GraphProto:
        nodes = [node("MatMul", f"x {name}", "m"), node("Reshape", "m s", "o")]
        return helper.make_graph(
            nodes, name, [], [tensor("o", None)], [weight(name, 300, 300), ints("s", 0, 3, 100)]
        )

    table = node("Constant", "", "t", "table", value=weight("", 300, 300))
    branch = node("If", "c", "z", "branch", then_branch=body("u"), else_branch=body("v"))
    nodes = [table, branch, node("Add", "z z", "y")]
    held = [helper.make_tensor("c", TensorProto.BOOL, [], [False])]
    path = tmp_path / "net.onnx"
    onnx.save(onnx_model(nodes, {"x": ["N", 300]}, held), path)
    assert model_file.read_model(path).ByteSize() < 1500
    report = load(path).analyze()
    assert (report.output, report.params) == ((1, 3, 100), 300 * 300)


@pytest.mark.parametrize("open_", [load, from_onnx, lambda path: load(str(path))])
def test_every_door_opens_a_file(file: Path, open_: Callable[[Path], Model]) -> None:
    model = open_(file)
    assert (model.name, model.analyze().params) == ("net", 256 * 147 + 256 + 257_000)
    assert loads(model.to_yaml()) == model


COMMANDS = {
    "show": "global_avg_pool2d",
    "show --symbolic": "256×(⌊H/2⌋ - 2)×(⌊W/2⌋ - 2)",
    "show --source": "net.onnx",
    "sizes": "H, W ≥ 6",
    "derive head": "weight = F_out·F_in = 1,000·256",
    "check": "nothing to complain about",
    "diff net.onnx": "do not differ",
    "draw": "features",
    "solve input 256x1x1 --at features.pool": "H",
    "export --to yaml": "global_avg_pool2d",
    "value macs": "1,821,644,800",
    "value params": "294,888",
}


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_take_a_file(file: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.chdir(file.parent)
    command, *rest = words.split()
    at = 1 if command == "solve" else 0
    result = CliRunner().invoke(main, [command, *rest[:at], "net.onnx", *rest[at:]])
    assert (result.exit_code, COMMANDS[words] in result.output) == (0, True), result.output


def test_a_file_is_no_text_to_repair(file: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--fix", str(file)])
    assert (result.exit_code, "export" in result.output) == (2, True)


def test_a_page_of_a_file(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "net.html"
    result = CliRunner().invoke(main, ["html", str(file), "-o", str(page)])
    assert (result.exit_code, "features" in page.read_text("utf-8")) == (0, True)


def test_numbers_need_neither_torch_nor_sympy(file: Path) -> None:
    code = f"import sys, shapecalc\nshapecalc.load({str(file)!r}).analyze()\nprint([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert "onnx" in done.stdout
    assert not {"'torch'", "'sympy'", "'onnxruntime'", "'keras'"} & {*done.stdout.strip("[]\n").split(", ")}


# ---- hostile files


def external(location: str, kind: int, *sizes: int) -> TensorProto:
    """Return a tensor whose numbers are said to be in a file."""
    held = TensorProto(name="w", data_type=kind, dims=sizes, data_location=TensorProto.EXTERNAL)
    held.external_data.add(key="location", value=location)
    return held


def of(
    *nodes: onnx.NodeProto, held: tuple[TensorProto, ...] = (), x: tuple[int | str, ...] = ("N", 8)
) -> bytes:
    data: bytes = onnx_model(nodes, {"x": x}, held).SerializeToString()
    return data


RELU = node("Relu", "x", "y", "act")
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "text": (b"layers:\n  - relu\n" * 9, "no ONNX model, or not all of one"),
    "pickle": (pickle.dumps({"weights": [0.5] * 99}), "no ONNX model"),
    "archive": (b"PK\x03\x04" + bytes(60), "no ONNX model"),
    "cut off": (of(RELU)[:-7], "not all of one"),
    "without a graph": (ModelProto(ir_version=8).SerializeToString(), "it has no graph"),
    "a cycle": (of(node("Add", "x b", "a", "first"), node("Relu", "a", "b"), node("Relu", "b", "y")), "Add reads 'b', which nothing before it makes\n  in first"),
    "an undefined input": (of(node("Relu", "nope", "y", "act")), "Relu reads 'nope', which nothing before it makes\n  in act"),
    "no output": (of(node("Relu", "x", "z")), "no node makes the output 'y'"),
    "huge sizes": (of(RELU, x=(2**40, 2**40)), "more than 10^18 elements\n  in act"),
    "a negative weight": (of(node("MatMul", "x w", "y"), held=(TensorProto(name="w", data_type=1, dims=[-8, 2]),)), "the tensor 'w' has a negative size"),
    "a huge weight": (of(node("MatMul", "x w", "y", "fc"), held=(TensorProto(name="w", data_type=1, dims=[8, 2**62]),)), "a number is larger than 10^18\n  in fc"),
    "a tensor of no numbers": (of(node("Reshape", "x w", "y", "view"), held=(TensorProto(name="w", data_type=7, dims=[2], raw_data=b"123"),)), "the tensor 'w' cannot be read"),
    "an operand that is missing": (of(node("Conv", "x", "y", "conv")), "Conv has no operand 1\n  in conv"),
    "an attribute that is wrong": (of(node("Conv", "x w", "y", "conv", strides=[0, 0]), held=(weight("w", 4, 8, 3, 3),), x=(1, 8, 9, 9)), "does not fit its operands and attributes: stride: 0 is less than 1\n  in conv"),
    "a shape in another file": (of(node("Reshape", "x w", "y", "view"), held=(external("/etc/passwd", 7, 2),)), "whose value depends on the input's data\n  in view"),
    "a huge constant": (of(node("ConstantOfShape", "w", "c"), node("Add", "x c", "y", "add"), held=(ints("w", 10**12, 10**12),)), "more than 10^18 elements"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_none_is_refused(tmp_path: Path, case: str) -> None:
    data, message = FILES[case]
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    result = CliRunner().invoke(main, ["show", str(path)])
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert str(path.name) in result.output


@pytest.mark.parametrize("limit", [(model_file, "MOST_NODES"), (imported_steps, "MOST_LAYERS")])
def test_a_long_graph_is_refused_while_it_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: tuple[ModuleType, str]
) -> None:
    monkeypatch.setattr(*limit, 50)
    chain = [node("Relu", f"t{n}" if n else "x", f"t{n + 1}") for n in range(51)]
    path = tmp_path / "net.onnx"
    path.write_bytes(of(*chain, held=(weight("w", 200, 200),)))
    with pytest.raises(SpecError, match="more than 50"):
        load(path)


def test_external_data_is_never_opened(tmp_path: Path) -> None:
    """A weight needs no more than its shape."""
    path = tmp_path / "net.onnx"
    path.write_bytes(of(node("MatMul", "x w", "y"), held=(external("../../../nowhere.bin", 1, 8, 4),)))
    assert load(path).analyze().params == 32


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        load(tmp_path / "net.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(SpecError, match="cannot be read"):
        load(tmp_path / "folder.onnx")


def test_no_broken_byte_gets_a_traceback(tmp_path: Path) -> None:
    random = Random(1)
    held = (weight("w", 8, 8), ints("s", 0, 2, 4), number("k", 1))
    nodes = [node("MatMul", "x w", "a", "fc"), node("Reshape", "a s", "y", "view")]
    whole = of(*nodes, held=held)
    path = tmp_path / "net.onnx"
    refused = 0
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            data[random.randrange(len(data))] = random.randrange(256)
        path.write_bytes(bytes(data))
        try:
            load(path)
        except ShapecalcError:
            refused += 1
    assert 50 < refused < 200
