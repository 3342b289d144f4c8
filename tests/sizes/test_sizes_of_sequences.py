"""Which axis of an input of two axes is its size: the length of a sequence, or that of a row of channels."""

from __future__ import annotations

import pytest

from shapecalc import Sizes, loads

LINEAR = "- linear: {out_features: 3}"
CONV = "- conv1d: {out_channels: 3, kernel_size: 3}"


def sizes(shape: str, layers: str, parameters: str = "{T: 10, C: 4}", free: tuple[str, ...] = ()) -> Sizes:
    model = loads(f"parameters: {parameters}\ninput: {shape}\nlayers:\n{layers}\n")
    return model.sizes(free=free) if free else model.sizes()


@pytest.mark.parametrize(
    ("shape", "layers", "name", "legal", "illegal"),
    [
        ("[10, 8]", LINEAR, "L", 77, None),
        ("[T, 8]", f"- relu\n{LINEAR}", "T", 77, None),
        ("[T, 8]", "- gru: {hidden_size: 5}", "T", 77, None),
        ("[T, 8]", f"- transpose: {{dim0: 1, dim1: 2}}\n{CONV}", "T", 77, 2),
        ("[C, 30]", f"- tanh\n{CONV}", "L", 77, 2),
        ("[8, 10]", CONV, "L", 77, 2),
        ("[3, 10]", f"- flatten\n{LINEAR}", "L", 10, 11),
    ],
)
def test_the_size_of_two_axes(shape: str, layers: str, name: str, legal: int, illegal: int | None) -> None:
    result = sizes(shape, layers)
    assert result.names == (name,)
    assert legal in result
    assert illegal is None or illegal not in result


@pytest.mark.parametrize("shape", ["[4, 30]", "[C, 30]", "[T, 30]"])
@pytest.mark.parametrize(("layer", "axis"), [(CONV, 2), (LINEAR, 1)])
@pytest.mark.parametrize("merge", ["add", "concat"])
def test_inputs_that_meet_have_the_same_axis(shape: str, layer: str, axis: int, merge: str) -> None:
    result = sizes(f"{{a: {shape}, b: {shape}}}", f"- {merge}:\n  from: [a, b]\n{layer}")
    for x in result.inputs.values():
        assert [number for number, size in enumerate(x) if not isinstance(size, int)] == [axis]


def test_any_axis_that_is_a_parameter_can_be_left_free() -> None:
    assert 4 in sizes("[C, 30]", CONV, free=("C",))
    result = sizes("[C, 30, 30]", "- max_pool2d: {kernel_size: 2}", free=("C",))
    assert 77 in result
    assert result.inputs["input"][2:] == (30, 30)
