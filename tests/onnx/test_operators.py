"""Operators at sizes that are put in after the import: against ONNX's inference, and onnxruntime's own by hand."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper

from shapecalc import Model, ShapeError
from shapecalc.bridges.onnx import from_onnx
from tests.support.onnx_models import ints, node, number, onnx_model, weight
from tests.support.onnx_node_cases import inferred, resized

Inputs: TypeAlias = "dict[str, list[int | str | None]]"

IMAGE: Inputs = {"x": ["N", 4, "H", "W"]}
ROWS: Inputs = {"x": ["N", "L", 12]}


def floats(name: str, *values: float) -> TensorProto:
    """Return an initializer of floats."""
    return helper.make_tensor(name, TensorProto.FLOAT, [len(values)], values)


def op(name: str, inputs: str = "x", outputs: str = "y", **attributes: Any) -> NodeProto:
    return node(name, inputs, outputs, "op", **attributes)


W3 = weight("w", 8, 4, 3, 3)
NODES: dict[str, tuple[NodeProto, Inputs, list[TensorProto], int]] = {
    **{
        f"convolution {auto} {strides} {dilations}": (
            op("Conv", "x w", auto_pad=auto, strides=[strides] * 2, dilations=[dilations] * 2),
            IMAGE,
            [W3],
            17,
        )
        for auto in ("SAME_UPPER", "SAME_LOWER", "VALID")
        for strides, dilations in ((1, 2), (2, 1), (3, 2))
    },
    "asymmetric": (op("Conv", "x w", pads=[0, 1, 2, 3], strides=[2, 2]), IMAGE, [W3], 17),
    "a computed weight": (
        op("Conv", "x v", pads=[0, 1, 2, 3]),
        {**IMAGE, "v": [8, 4, 3, 3]},
        [],
        17,
    ),
    "transposed": (
        op("ConvTranspose", "x v", pads=[0, 1, 2, 0], strides=[3, 2], output_padding=[2, 1]),
        IMAGE,
        [weight("v", 4, 5, 3, 3)],
        17,
    ),
    "transposed same": (
        op("ConvTranspose", "x v", auto_pad="SAME_UPPER", strides=[2, 2]),
        IMAGE,
        [weight("v", 4, 5, 3, 3)],
        17,
    ),
    "sides of a pool": (
        op("MaxPool", "x", kernel_shape=[3, 3], pads=[0, 2, 1, 2], strides=[2, 2], ceil_mode=1),
        IMAGE,
        [],
        22,
    ),
    "dilated mean": (
        op("AveragePool", kernel_shape=[2, 3], dilations=[3, 2], count_include_pad=1, ceil_mode=1),
        IMAGE,
        [],
        19,
    ),
    "power pool": (
        op("LpPool", kernel_shape=[3, 3], auto_pad="SAME_LOWER", strides=[2, 2]),
        IMAGE,
        [],
        18,
    ),
    "resized": (op("Resize", "x _ scales"), IMAGE, [floats("scales", 1, 1, 0.5, 2.5)], 17),
    "resized axes": (
        op("Resize", "x _ scales", mode="cubic", axes=[3]),
        IMAGE,
        [floats("scales", 1.75)],
        18,
    ),
    "backwards": (
        op("Slice", "x from to axes steps"),
        IMAGE,
        [ints("from", -1, 100), ints("to", -1000, 1), ints("axes", 2, -1), ints("steps", -2, -3)],
        17,
    ),
    "cut": (
        op("Slice", "x from to axes"),
        IMAGE,
        [ints("from", 1, -5), ints("to", 2**62, -1), ints("axes", 2, 3)],
        17,
    ),
    "pieces": (op("Split", "x", "a b c", axis=3, num_outputs=3), IMAGE, [], 18),
    "tiled": (op("Tile", "x times"), ROWS, [ints("times", 1, 2, 3)], 17),
    "stretched": (op("Expand", "x to"), {"x": ["L", 1, 3]}, [ints("to", 2, 1, 5, 1)], 17),
    "padded": (
        op("Pad", "x pads", mode="edge"),
        ROWS,
        [ints("pads", 0, 1, 0, 0, 2, -3)],
        17,
    ),
    "vectors": (op("Gather", "table x"), {"x": ["N", "L"]}, [weight("table", 50, 16)], 17),
    "gathered": (op("Gather", "x i", axis=1), ROWS, [ints("i", 0, 2, 1)], 17),
    "the last": (op("Gather", "x i", axis=1), ROWS, [number("i", -1)], 17),
    "elements": (op("GatherElements", "x i"), {**ROWS, "i": ["N", 2, 3]}, [], 17),
    "slices": (op("GatherND", "x i", batch_dims=1), {**ROWS, "i": ["N", 5, 1]}, [], 17),
    "put": (op("ScatterND", "x i u"), {**ROWS, "i": [3, 1], "u": [3, "L", 12]}, [], 17),
    "best": (op("TopK", "x k", "a b", axis=2), ROWS, [ints("k", 5)], 17),
    "hot": (op("OneHot", "x d v"), {"x": ["N", "L"]}, [ints("d", 9), floats("v", 0, 1)], 17),
    "product": (op("ReduceProd", axes=[1, -1]), ROWS, [], 17),
    "squares": (op("ReduceSumSquare", "x axes", keepdims=0), ROWS, [ints("axes", 1)], 18),
    "all": (op("ReduceL1"), ROWS, [], 18),
    "nothing": (op("ReduceMax", noop_with_empty_axes=1), ROWS, [], 18),
    "greatest": (op("ArgMax", axis=2, keepdims=0), ROWS, [], 17),
    "repeated letters": (op("Einsum", equation="nii->n"), {"x": ["N", "L", "L"]}, [], 17),
    "an ellipsis": (
        op("Einsum", "x v", equation="...ij,jk"),
        {**ROWS, "v": [12, 7]},
        [],
        17,
    ),
    "space": (op("SpaceToDepth", blocksize=2), {"x": ["N", 3, 8, "W"]}, [], 17),
    "depth": (op("DepthToSpace", blocksize=2), IMAGE, [], 17),
    "a matrix": (op("Flatten", axis=3), IMAGE, [], 17),
    "statistics": (
        op("LayerNormalization", "x s", "a b c", axis=1),
        {"x": ["N", 6, 12]},
        [weight("s", 6, 12)],
        17,
    ),
    "recurrent": (
        op("LSTM", "x w r _ _ h", "a b c", hidden_size=5, direction="bidirectional"),
        {"x": ["L", "N", 6], "h": [2, "N", 5]},
        [weight("w", 2, 20, 6), weight("r", 2, 20, 5)],
        17,
    ),
    "gemm": (
        op("Gemm", "x v c", transA=1),
        {"x": [6, "N"], "v": [6, "L"], "c": ["N", 1]},
        [],
        17,
    ),
    "quantized": (
        op("QLinearMatMul", "x s z v s z s z"),
        {**ROWS, "v": [12, 7], "s": [], "z": []},
        [],
        17,
    ),
    "grid": (op("GridSample", "x g"), {**IMAGE, "g": ["N", "L", 5, 2]}, [], 17),
    "loss": (
        op("SoftmaxCrossEntropyLoss", "x t", "a b", reduction="none"),
        {"x": ["N", 5, "L"], "t": ["N", "L"]},
        [],
        17,
    ),
    "attention": (
        op("Attention", "q k v _ pk pv", "a b c", q_num_heads=4, kv_num_heads=2),
        {
            "q": ["N", "L", 32],
            "k": ["N", "M", 16],
            "v": ["N", "M", 20],
            "pk": ["N", 2, "P", 8],
            "pv": ["N", 2, "P", 10],
        },
        [],
        23,
    ),
}
CASES: dict[str, ModelProto] = {
    name: onnx_model([made], inputs, held, outputs=" ".join(made.output), opset=opset)
    for name, (made, inputs, held, opset) in NODES.items()
}

SIZES = [
    {"N": 3, "H": 9, "W": 14, "L": 7, "M": 6, "P": 4},
    {"N": 2, "H": 31, "W": 22, "L": 11, "M": 13, "P": 8},
]


def answers(model: Model, sizes: dict[str, int]) -> list[tuple[int, ...]]:
    """Return the shapes of the results; `N` may be the batch, which has no name in a model."""
    chosen: dict[str, Any] = {name: size for name, size in sizes.items() if name in model.parameters}
    if model.batched:
        chosen["batch"] = sizes["N"]
    return [tuple(shape) for shape in model.analyze(**chosen).outputs.values()]


@pytest.mark.parametrize("name", CASES)
def test_sizes_are_those_that_onnx_infers(name: str) -> None:
    model = from_onnx(CASES[name])
    for sizes in SIZES:
        plain = resized(CASES[name], {})
        for declared in plain.graph.input:
            for dim in declared.type.tensor_type.shape.dim:
                if dim.dim_param:
                    dim.dim_value = sizes[dim.dim_param]
        theirs = inferred(plain)
        assert theirs is not None
        assert answers(model, sizes) == theirs


def test_a_window_that_begins_in_the_padding_is_left_out() -> None:
    """So do the runtimes in every operator set; ONNX's inference does from 22 on."""
    made = op("MaxPool", kernel_shape=[3, 3], pads=[0, 2, 1, 2], strides=[2, 2], ceil_mode=1)
    assert answers(from_onnx(onnx_model([made], IMAGE)), SIZES[0]) == [(3, 4, 5, 8)]


# ---- onnxruntime's operators, as its documentation has them

MICROSOFT: dict[
    str, tuple[NodeProto, dict[str, list[int | str | None]], list[TensorProto], list[str], int]
] = {
    "few bits": (
        op("MatMulNBits", "x b s", K=12, N=20, bits=4, block_size=16),
        {"x": ["N", "L", 12]},
        [weight("b", 20, 1, 8), weight("s", 20)],
        ["N L 20"],
        180,
    ),
    "grouped queries": (
        op("GroupQueryAttention", "q k v pk pv n t", "a b c", num_heads=4, kv_num_heads=2),
        {
            "q": ["N", "L", 32],
            "k": ["N", "L", 16],
            "v": ["N", "L", 16],
            "pk": ["N", 2, "P", 8],
            "pv": ["N", 2, "P", 8],
            "n": ["N"],
            "t": [],
        },
        [],
        ["N L 32", "N 2 P+L 8", "N 2 P+L 8"],
        0,
    ),
    "packed queries": (
        op("GroupQueryAttention", "q _ _ pk pv n t", "a b c", num_heads=4, kv_num_heads=2),
        {"q": ["N", "L", 64], "pk": ["N", 2, "P", 8], "pv": ["N", 2, "P", 8], "n": ["N"], "t": []},
        [],
        ["N L 32", "N 2 P+L 8", "N 2 P+L 8"],
        0,
    ),
    "heads": (
        op("MultiHeadAttention", "q k v", num_heads=4),
        {"q": ["N", "L", 32], "k": ["N", "M", 32], "v": ["N", "M", 20]},
        [],
        ["N L 20"],
        0,
    ),
    "sum and norm": (
        op("SkipSimplifiedLayerNormalization", "x s g", "a _ _ b"),
        {"x": ["N", "L", 12], "s": ["N", "L", 12]},
        [weight("g", 12)],
        ["N L 12", "N L 12"],
        12,
    ),
    "rotated": (
        op("RotaryEmbedding", "x p c s"),
        {"x": ["N", "L", 12], "p": ["N", "L"]},
        [weight("c", 50, 3), weight("s", 50, 3)],
        ["N L 12"],
        300,
    ),
    "fused": (
        op("Attention", "x w b", num_heads=4, qkv_hidden_sizes=[16, 16, 8]),
        {"x": ["N", "L", 12]},
        [weight("w", 12, 40), weight("b", 40)],
        ["N L 8"],
        13 * 40,
    ),
    "embedded": (
        op("EmbedLayerNormalization", "i _ w p _ g b", "a c"),
        {"i": ["N", "L"]},
        [weight("w", 30, 8), weight("p", 50, 8), weight("g", 8), weight("b", 8)],
        ["N L 8", "N"],
        82 * 8,
    ),
    "turned": (op("FusedMatMul", "x v", transB=1), {"x": ["N", "L", 12], "v": ["M", 12]}, [], ["N L M"], 0),
}


@pytest.mark.parametrize("name", MICROSOFT)
def test_operators_of_onnxruntime(name: str) -> None:
    made, inputs, held, wanted, params = MICROSOFT[name]
    made.domain = "com.microsoft"
    outputs = " ".join(filter(None, made.output))
    model = from_onnx(onnx_model([made], inputs, held, outputs=outputs, domains=["com.microsoft"]))
    for sizes in SIZES:
        expected = [
            tuple(sum(sizes.get(part) or int(part) for part in size.split("+")) for size in text.split())
            for text in wanted
        ]
        assert answers(model, sizes) == expected
    assert model.analyze().params == params


def test_the_macs_of_grouped_queries() -> None:
    made, inputs, *_ = MICROSOFT["grouped queries"]
    made.domain = "com.microsoft"
    model = from_onnx(onnx_model([made], inputs, outputs="a b c", domains=["com.microsoft"]))
    assert not model.batched
    assert model.analyze(N=1, L=1, P=9).macs == 2 * 4 * 1 * 10 * 8  # scores and mean, of every head


def test_quantized_weights_are_parameters() -> None:
    nodes = [
        node("DequantizeLinear", "w s", "v", "weights"),
        node("MatMul", "x v", "y", "product"),
    ]
    small = helper.make_tensor("w", TensorProto.INT8, [12, 7], bytes(84), raw=True)
    report = from_onnx(onnx_model(nodes, ROWS, [small, floats("s", 0.5)])).analyze()
    assert (report.params, report.macs) == (12 * 7 + 1, 224 * 12 * 7)


REFUSED: dict[str, tuple[NodeProto, list[TensorProto], str]] = {
    "another kernel": (op("Conv", "x w", kernel_shape=[2, 3]), [W3], r"kernel_shape is \[2, 3\]"),
    "a channel less": (op("Conv", "x w", auto_pad="SAME_UPPER"), [weight("w", 8, 3, 3, 3)], "channels"),
    "no block": (op("DepthToSpace", blocksize=3), [], "does not divide"),
    "too many": (op("TopK", "x k", "a b", axis=1), [ints("k", 5)], "has fewer than 5"),
    "not one": (op("Squeeze", "x axes"), [ints("axes", 1)], "is 4, not 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx_refuses_is_refused(name: str) -> None:
    made, held, says = REFUSED[name]
    with pytest.raises(ShapeError if "kernel" not in name else Exception, match=says):
        from_onnx(onnx_model([made], IMAGE, held, outputs=made.output[0])).analyze()
