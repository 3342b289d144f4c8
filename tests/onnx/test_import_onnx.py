"""What nodes become: names, weights, sizes by name, arithmetic over shapes, functions and branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper

from shapecalc import Model, ShapeError, SpecError, Undecided, from_onnx
from shapecalc.algebra import symbol
from shapecalc.algebra.formula import Formula, NamedValues
from tests.support.onnx_models import INTS, ints, node, number, onnx_model, tensor, weight

IMAGE: dict[str, Sequence[int | str | None]] = {"x": ["batch", 3, "H", "W"]}


def dims(text: str, *names: str) -> tuple[Any, ...]:
    """Return sizes that are written as arithmetic, separated by semicolons, over free names."""
    scope = NamedValues({name: symbol(name) for name in names})
    return tuple(Formula.parse(each).evaluate(scope) for each in text.split(";"))


# ---- names and weights


def stem() -> ModelProto:
    return onnx_model(
        [
            node("Conv", "x w b", "c", "/stem/conv/Conv", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("BatchNormalization", "c s t m v", "n", "/stem/bn/BatchNormalization", epsilon=1e-3),
            node("Identity", "n", "i", "/stem/Identity"),
            node("Relu", "i", "r"),
            node("Relu", "r", "y", "/stem/conv/Conv"),
        ],
        IMAGE,
        [weight("w", 8, 3, 3, 3), weight("b", 8), *(weight(name, 8) for name in "stmv")],
    )


def test_steps_have_the_names_of_nodes_or_of_their_results() -> None:
    model = from_onnx(stem())
    assert [step.name for step in model.layers] == [
        "stem.conv.Conv",
        "stem.bn.BatchNormalization",
        "r",
        "stem.conv.Conv_2",
    ]
    report = model.analyze(symbolic=True)
    assert report["stem.conv.Conv"].weights == {"weight": (8, 3, 3, 3), "bias": (8,)}
    assert (report.params, report.output[1:]) == (
        8 * 27 + 8 + 16,
        dims("8; (H + 1)//2; (W + 1)//2", "H", "W"),
    )
    assert model.to_yaml().count("eps: 0.001") == 1


def test_an_initializer_is_counted_once() -> None:
    tied = onnx_model(
        [
            node("MatMul", "x w", "a", "first"),
            node("MatMul", "a w", "b", "second"),
            node("Transpose", "w", "u", "turned", perm=[1, 0]),
            node("MatMul", "b u", "c", "third"),
            node("Add", "c bias", "d", "add"),
            node("Mul", "d bias", "y", "mul"),
        ],
        {"x": ["N", 8]},
        [weight("w", 8, 8), weight("bias", 8)],
    )
    report = from_onnx(tied).analyze()
    assert (report.params, report.macs) == (64 + 8, 3 * 64)


@pytest.mark.parametrize(
    ("held", "params"),
    [
        (weight("c", 4), 4),
        (weight("scale", 1), 1),
        (number("logit_scale", 0.5), 1),
        (number("val_7", 0.5), 0),  # as torch's exporter calls a number that it folded
        (ints("c", 1, 2, 3, 4), 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_numbers_that_an_exporter_folded_are_no_parameters(held: TensorProto, params: int) -> None:
    report = from_onnx(onnx_model([node("Mul", f"x {held.name}", "y")], {"x": ["N", 4]}, [held])).analyze()
    assert report.params == params


def test_constants_are_no_parameters_unless_they_are_weights_of_a_layer() -> None:
    table = node("Constant", "", "t", value=weight("", 8, 8))
    for use, params in ((node("Add", "x t", "y"), 0), (node("MatMul", "x t", "y"), 64)):
        assert from_onnx(onnx_model([table, use], {"x": [8, 8]})).analyze().params == params


def test_initializers_that_nothing_reads_are_counted() -> None:
    model = from_onnx(onnx_model([node("Relu", "x", "y")], {"x": ["N", 4]}, [weight("lost", 3, 5)]))
    assert model.analyze().params == 15


# ---- sizes by name


@pytest.mark.parametrize(
    ("inputs", "written", "batched"),
    [
        ({"x": ["batch", 3, "H", "W"]}, {"x": "3 H W"}, True),
        ({"x": [1, 3, 32, 48]}, {"x": "3 32 48"}, True),
        ({"x": [2, 3, 32, 48]}, {"x": "2 3 32 48"}, False),
        ({"x": ["rows", 8]}, {"x": "rows 8"}, False),
        ({"x": [None, 8, None]}, {"x": "8 x_2"}, True),
        ({"x": ["N", "L"], "m": ["N", "L"]}, {"x": "L", "m": "L"}, True),
        ({"x": ["N", "L"], "m": ["L", "L"]}, {"x": "N L", "m": "L L"}, False),
        ({"x": ["N", "L"], "m": ["N", "L + 1"]}, {"x": "L", "m": "L + 1"}, True),
        ({"input.1": ["N", "a-b"]}, {"input_1": "a_b"}, True),
        ({"x": ["N", "input"]}, {"x": "input_"}, True),
    ],
)
def test_names_of_sizes_are_free(inputs: Any, written: dict[str, str], *, batched: bool) -> None:
    model = from_onnx(onnx_model([node("Relu", next(iter(inputs)), "y")], inputs))
    shapes = {name: " ".join(map(str, shape)) for name, shape in model.input.items()}
    assert (shapes, model.batched) == (written, batched)


def test_a_size_left_open_is_at_first_one_that_all_layers_take() -> None:
    held = [weight("w", 5, 3, 1, 1), ints("shape", 0, 5 * 99 * 99)]
    nodes = [node("Conv", "x w", "c"), node("Reshape", "c shape", "y")]
    assert from_onnx(onnx_model(nodes, IMAGE, held)).parameters == {"H": 224, "W": 224}  # none is
    held[1] = ints("shape", 0, 5 * 96 * 96)
    assert from_onnx(onnx_model(nodes, IMAGE, held)).parameters == {"H": 96, "W": 96}


def test_what_does_not_fit_is_a_finding() -> None:
    nodes = [node("MatMul", "x w", "a", "fc"), node("Relu", "a", "y")]
    model = from_onnx(onnx_model(nodes, {"x": ["N", 9]}, [weight("w", 8, 4)]))
    with pytest.raises(ShapeError, match="declares in_features: 8, but the input 1x9 has 9"):
        model.analyze()
    assert [finding.path for finding in model.check()] == ["fc"]


# ---- arithmetic over shapes

HALF = number("half", 0.5)
SHAPES = [ints("m1", -1), ints("one", 1), ints("two", 2), ints("zero", 0), ints("three", 3), number("k", 2)]

ARITHMETIC: dict[str, tuple[list[NodeProto], str]] = {
    "gather and concat": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s zero", "n"),
            node("Concat", "n m1", "shape", axis=0),
        ],
        "batch; 3*H*W",
    ),
    "part of a shape": (
        [node("Shape", "x", "p", start=2), node("Concat", "m1 p", "shape", axis=0)],
        "3*batch; H; W",
    ),
    "slice": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s two three", "h"),
            node("Concat", "h m1", "shape", axis=0),
        ],
        "H; 3*W*batch",
    ),
    "products": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s two m1", "h"),
            node("Mul", "h three", "q"),
            node("Concat", "q m1", "shape", axis=0),
        ],
        "3*H; W*batch",
    ),
    "all of it": (
        [
            node("Shape", "x", "s"),
            node("ReduceProd", "s", "q", keepdims=1),
            node("Concat", "q one", "shape", axis=0),
        ],
        "3*batch*H*W; 1",
    ),
    "numbers of elements": (
        [node("Size", "x", "n"), node("Unsqueeze", "n zero", "q"), node("Concat", "one q", "shape", axis=0)],
        "1; 3*batch*H*W",
    ),
    "minus one where it was": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s zero two", "a"),
            node("Concat", "a m1", "t", axis=0),
            node("Equal", "t m1", "e"),
            node("Constant", "", "c", value_ints=[7, 7, -1]),
            node("Where", "e c t", "shape"),
        ],
        "batch; 3; H*W",
    ),
    "through floats": (
        [
            node("Shape", "x", "s"),
            node("Slice", "s two three", "h"),
            node("Cast", "h", "f", to=TensorProto.FLOAT),
            node("Constant", "", "t", value_float=2.0),
            node("Mul", "f t", "g"),
            node("Floor", "g", "g2"),
            node("Cast", "g2", "i", to=INTS),
            node("Div", "i k", "j"),
            node("Concat", "j m1", "shape", axis=0),
        ],
        "H; 3*W*batch",
    ),
}


@pytest.mark.parametrize("case", ARITHMETIC)
def test_shape_computations_become_arithmetic(case: str) -> None:
    nodes, expected = ARITHMETIC[case]
    model = from_onnx(onnx_model([*nodes, node("Reshape", "x shape", "y", "out")], IMAGE, SHAPES))
    report = model.analyze(symbolic=["batch", "H", "W"])
    assert report.output == dims(expected, "batch", "H", "W")
    assert len(model.layers) == 1


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node("Div", "h k", "n")], "H//2"),
        ([node("Sub", "h k", "m"), node("Div", "m k", "n")], "(H - 2)//2"),
        ([node("Mod", "h k", "m"), node("Add", "m h", "n")], "H + H % 2"),
        ([node("Max", "h k", "n")], "max(H, 2)"),
        ([node("Cast", "h", "f", to=1), node("Mul", "f half", "g"), node("Ceil", "g", "n")], "ceil(H / 2)"),
    ],
)
def test_a_range_is_as_long_as_arithmetic_says(nodes: list[NodeProto], expected: str) -> None:
    first = [node("Shape", "x", "s"), node("Gather", "s z", "h")]
    last = [node("Range", "z n o", "r", "positions"), node("Add", "r o", "y", "moved")]
    held = [number("k", 2), number("z", 0), number("o", 1), HALF]
    nodes = [*first, *nodes, *last]
    nodes[1] = node("Gather", "s k", "h")
    model = from_onnx(onnx_model(nodes, IMAGE, held))
    assert model.analyze(symbolic=True)["positions"].output == dims(expected, "H")


def test_positions_are_no_more_than_the_rows_of_their_table() -> None:
    nodes = [
        *(node("Shape", "x", "s"), node("Gather", "s k", "h"), node("Range", "z h o", "r")),
        node("Unsqueeze", "r first", "p"),
        node("Gather", "table p", "y", "places"),
    ]
    held = [number("k", 2), number("z", 0), number("o", 1), ints("first", 0), weight("table", 100, 8)]
    model = from_onnx(onnx_model(nodes, IMAGE, held))
    assert model.parameters["H"] == 64
    assert [model.sizes(free=["H"]).text().count("H ≤ 100")] == [1]
    assert model.analyze(H=100).output == (1, 100, 8)
    with pytest.raises(ShapeError, match="101 is not at most 100"):
        model.analyze(H=101)


def test_numbers_that_shapes_do_not_depend_on_make_no_condition() -> None:
    nodes = [
        node("Shape", "x", "s", start=1),
        node("Cast", "s", "f", to=1),
        node("Sqrt", "f", "q"),
        node("Div", "x q", "y", "scaled"),
    ]
    model = from_onnx(onnx_model(nodes, {"x": ["N", "L"]}))
    assert [step.name for step in model.layers] == ["scaled"]
    assert model.analyze(symbolic=True).output == dims("1; L", "L")


# ---- branches and functions


def branches(condition: list[NodeProto]) -> ModelProto:
    """Return a model that squeezes, or does not, by a condition that nodes make."""

    def body(*nodes: NodeProto) -> Any:
        return helper.make_graph([*nodes], "body", [], [tensor("o", None)])

    chosen = node(
        *("If", "c", "y", "chosen"),
        then_branch=body(node("Relu", "x", "o", "then")),
        else_branch=body(node("Flatten", "x", "f", "first"), node("Flatten", "f", "o", "otherwise")),
    )
    return onnx_model([*condition, chosen], IMAGE, [number("k", 2), number("limit", 64), *SHAPES[1:4]])


def test_a_branch_that_is_known_is_read_in_place() -> None:
    for limit, names in ((2, ["chosen.then"]), (5, ["chosen.first", "chosen.otherwise"])):
        rank = [node("Shape", "x", "s"), node("Size", "s", "r"), node("Constant", "", "l", value_int=limit)]
        model = from_onnx(branches([*rank, node("Greater", "r l", "c")]))
        assert [step.name for step in model.layers] == names


def test_a_branch_by_a_free_size_is_a_condition() -> None:
    by_size = [node("Shape", "x", "s"), node("Gather", "s k", "h"), node("Greater", "h limit", "c")]
    model = from_onnx(branches(by_size))
    assert [step.name for step in model.layers] == ["require", "chosen.then"]
    with pytest.raises(ShapeError, match="not more than 64"):
        model.analyze(H=64)


def test_a_branch_by_data_has_the_shape_of_the_file_or_none() -> None:
    with pytest.raises(SpecError, match="'If' has no rule"):
        from_onnx(branches([node("Greater", "x k", "c")]))


def test_functions_are_read_in_place_with_their_attributes() -> None:
    inner = helper.make_function(
        "mine", "Inner", ["a"], ["b"], [node("LeakyRelu", "a", "b", "leaky")], [helper.make_opsetid("", 17)]
    )
    inner.attribute.append("slope")
    inner.node[0].attribute.append(
        AttributeProto(name="alpha", ref_attr_name="slope", type=AttributeProto.FLOAT)
    )
    outer = helper.make_function(
        *("mine", "Outer", ["a", "w"], ["c"]),
        [node("MatMul", "a w", "b", "product"), node("Inner", "b", "c", "inside", domain="mine", slope=0.25)],
        [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)],
    )
    calls = [node("Outer", "x w", "h", "one", domain="mine"), node("Outer", "h w", "y", "two", domain="mine")]
    model = from_onnx(
        onnx_model(calls, {"x": ["N", 8]}, [weight("w", 8, 8)], functions=[inner, outer], domains=["mine"])
    )
    assert [step.name for step in model.layers] == [
        *("one.product", "one.inside.leaky"),
        *("two.product", "two.inside.leaky"),
    ]
    assert model.analyze().params == 64
    assert model.to_yaml().count("negative_slope: 0.25") == 2


def test_a_function_that_calls_itself_is_refused() -> None:
    again = helper.make_function(
        *("mine", "Again", ["a"], ["b"]),
        [node("Again", "a", "b", domain="mine")],
        [helper.make_opsetid("mine", 1)],
    )
    call = node("Again", "x", "y", "call", domain="mine")
    with pytest.raises(SpecError, match="nested more than 40 deep"):
        from_onnx(onnx_model([call], {"x": ["N", 8]}, functions=[again], domains=["mine"]))


# ---- operators without a rule


def unknown(*sizes: int | str) -> ModelProto:
    return onnx_model(
        [node("Mystery", "x", "m", "odd", domain="theirs"), node("Relu", "m", "y")],
        {"x": ["batch", "L", 8]},
        shapes=[tensor("m", sizes)] if sizes else [],
        domains=["theirs"],
    )


def test_an_operator_without_a_rule_has_the_shape_of_the_file() -> None:
    model: Model = from_onnx(unknown("batch", "L", 16))
    report = model.analyze(batch=5)
    assert report.output == (5, 224, 16)
    assert "Not counted: odd (opaque)" in str(report)
    with pytest.raises(Undecided, match="Mystery has no rule"):
        model.analyze(L=100)


def test_without_any_shape_an_operator_is_refused() -> None:
    with pytest.raises(
        SpecError, match=r"'theirs.Mystery' has no rule, and the file does not say the shape"
    ) as info:
        from_onnx(unknown())
    assert info.value.path == "odd"


# ---- versions of the operator sets


@pytest.mark.parametrize(
    ("opset", "nodes", "held", "output"),
    [
        (7, [node("Squeeze", "x", "y", axes=[1])], [], (2, 6)),
        (13, [node("Squeeze", "x one", "y")], [ints("one", 1)], (2, 6)),
        (11, [node("Unsqueeze", "x", "y", axes=[0, 4])], [], (1, 2, 1, 6, 1)),
        (13, [node("Unsqueeze", "x at", "y")], [ints("at", -1, 0)], (1, 2, 1, 6, 1)),
        (12, [node("Softmax", "x", "y")], [], (2, 1, 6)),
        (13, [node("Softmax", "x", "y", axis=1)], [], (2, 1, 6)),
        (1, [node("Reshape", "x", "y", shape=[0, -1])], [], (2, 6)),
        (21, [node("Reshape", "x s", "y", allowzero=1)], [ints("s", 6, 2)], (6, 2)),
        (9, [node("Clip", "x", "y", min=0.0, max=6.0)], [], (2, 1, 6)),
    ],
)
def test_what_was_an_attribute_is_an_operand_later(
    opset: int, nodes: list[NodeProto], held: list[TensorProto], output: tuple[int, ...]
) -> None:
    model = from_onnx(onnx_model(nodes, {"x": [2, 1, 6]}, held, opset=opset))
    assert model.analyze().output == output


def test_what_is_behind_a_layer_that_refuses_is_not_known_at_other_sizes() -> None:
    """No usual size is 100: the model ends at the layer that refuses, and has no answer at 100 either."""
    nodes = [node("Split", "x parts", "a b", "cut", axis=1), node("Relu", "b", "y")]
    model = from_onnx(onnx_model(nodes, {"x": [1, "P"]}, [ints("parts", 40, 60)]))
    with pytest.raises(ShapeError, match="the sizes \\[40, 60\\] add up to 100"):
        model.analyze()
    with pytest.raises(ShapeError, match="100 is not equal"):
        model.analyze(P=100)


def test_a_size_of_zero_is_nothing_of_an_axis() -> None:
    model = from_onnx(onnx_model([node("ReduceMax", "x", "y", "most", axes=[1])], {"x": [2, 0, 4]}))
    assert model.analyze().output == (2, 1, 4)
