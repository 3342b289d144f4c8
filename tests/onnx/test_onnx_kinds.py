"""The kinds with rules of ONNX keep the laws of all kinds, and are found by specs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import shapecalc
from shapecalc import layers
from shapecalc.algebra import Dim, symbol
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.cli import main
from shapecalc.layers.index import ONNX
from shapecalc.layers.onnx_operator import Operands
from shapecalc.layers.onnx_shape import OnnxTile
from shapecalc.layers.registry import find, get, kinds
from shapecalc.layers.requirement import Refused
from shapecalc.testing import (
    applied,
    check_fields,
    check_inferred,
    check_integers,
    check_operations,
    check_refusal,
    check_symbols,
)
from tests.layers.test_laws import layer_of
from tests.support.strategies import Case, case, cases

MAY_BE_UNDECIDED = {
    "onnx_gather_nd": "how many axes are indexed decides how many axes the result has",
    "onnx_resize": "a scale that is not exact in binary is rounded in one of two ways",
    "onnx_scatter_nd": "how many axes are indexed decides how many axes the updates have",
}
"""Kinds that may answer `Undecided` for a symbolic size, and why."""
BROADCAST = {"onnx_einsum", "onnx_expand", "onnx_gemm", "onnx_layer_norm", "onnx_skip_layer_norm"}
BROADCAST |= {"onnx_mat_mul_integer", "onnx_q_linear_mat_mul"}
"""Kinds that broadcast: a free size is taken not to be 1."""

OF_OTHER_RANKS = tuple(f"{rank}d" for rank in (1, 3))
every_kind = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.ci if kind.endswith(OF_OTHER_RANKS) else ()) for kind in ONNX],
)


@st.composite
def freed(draw: st.DrawFn, kind: str) -> tuple[Case, list[tuple[int, int]]]:
    """Draw a case, and which sizes of its inputs are left free."""
    case = draw(cases(kind))
    places = [
        (number, axis)
        for number, shape in enumerate(case.inputs)
        for axis, size in enumerate(shape)
        if not (size == 1 and kind in BROADCAST)
    ]
    return case, draw(st.lists(st.sampled_from(places), unique=True)) if places else []


def check(drawn: tuple[Case, list[tuple[int, int]]]) -> bool:
    """Assert the laws for a case, and say whether it is accepted."""
    case, free = drawn
    layer = layer_of(case)
    if layer is None:
        return False
    check_fields(layer)
    check_refusal(layer, case.inputs)
    if case.cls.kind in MAY_BE_UNDECIDED:
        try:
            layer.apply(case.inputs)
        except shapecalc.Undecided:
            return False
        except shapecalc.ShapecalcError:
            pass
    check_integers(layer, case.inputs)
    check_operations(layer, case.inputs)
    check_inferred(layer, case.inputs)
    assert check_symbols(layer, case.inputs, free) or case.cls.kind in MAY_BE_UNDECIDED
    return applied(layer, case.inputs) is not None


DRAWN = 5 if settings().max_examples == 10 else 40
"""How many cases of a kind; of the many, some must be legal, so that the strategies reach what is."""


@every_kind
def test_the_laws_of_every_kind(kind: str) -> None:
    accepted = 0

    @settings(max_examples=DRAWN, derandomize=True, database=None)
    @given(freed(kind))
    def look(drawn: tuple[Case, list[tuple[int, int]]]) -> None:
        nonlocal accepted
        accepted += check(drawn)

    look()
    assert accepted >= (2 if DRAWN == 40 else 0)


def test_a_law_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = OnnxTile.output
    example = (case("onnx_tile", (2, 3), repeats=(1, 2)), [(0, 0)])
    assert check(example)

    def blind(self: OnnxTile, x: Operands) -> tuple[Dim, ...]:
        first, *others = honest(self, x)
        return (first if isinstance(first, int) else first + 1, *others)

    monkeypatch.setattr(OnnxTile, "output", blind)
    with pytest.raises(AssertionError, match="outputs"):
        check(example)


# ---- in specs


def test_a_spec_with_the_layout_of_torch_may_use_them() -> None:
    text = """
input: [3, H, W]
parameters: {H: 224, W: 224}
layers:
  - onnx_conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: same_lower}
  - onnx_avg_pool2d: {kernel_size: 3, dilation: 2}
"""
    model = shapecalc.loads(text)
    assert model.analyze().output == (1, 8, 108, 108)
    assert [*map(str, model.analyze(symbolic=True).output[2:])] == ["⌈H/2⌉ - 4", "⌈W/2⌉ - 4"]
    assert "onnx_conv2d" in shapecalc.loads(text).to_yaml()


def test_keras_has_none_of_them_and_torch_no_counterpart() -> None:
    spec = "input: [9, 9, 3]\nlayers: [onnx_tile: {repeats: [1, 1, 1, 2]}]\n"
    with pytest.raises(shapecalc.SpecError, match="onnx_tile follows the rules of torch"):
        shapecalc.loads(f"framework: keras\n{spec}")
    assert find("onnx_tile", "keras") is None
    assert twin_of(get("onnx_tile")).absent() == "a rule of ONNX, and the proofs are against torch"
    with pytest.raises(shapecalc.SpecError, match="onnx_tile"):
        shapecalc.export(shapecalc.loads(spec))


def test_they_are_listed_apart() -> None:
    assert kinds("onnx") == sorted(ONNX)
    assert not {*kinds()} & {*ONNX}
    assert "onnx_top_k" in CliRunner().invoke(main, ["kinds", "--framework", "onnx"]).output
    assert "ONNX, TopK" in CliRunner().invoke(main, ["kinds", "onnx_top_k"]).output


def test_held_operands_are_weights_and_skipped_ones_are_named() -> None:
    layer = layers.OnnxLSTM(held={"W": [1, 16, 3], "R": [1, 16, 4]}, skipped=["B", "sequence_lens"])
    effect = layer.apply(((5, 2, 3), (1, 2, 4)))
    assert effect.outputs == ((5, 1, 2, 4), (1, 2, 4), (1, 2, 4))
    assert effect.weights == {"W": (1, 16, 3), "R": (1, 16, 4)}
    assert (effect.params, effect.macs) == (16 * 7, 5 * 2 * 16 * 7)
    with pytest.raises(Refused, match="onnx_lstm takes 1 or 2 or 3 or 4 tensors, not 0"):
        layer.apply(())


def test_a_refusal_of_several_tensors_does_not_stop_the_analysis() -> None:
    model = shapecalc.loads("{input: [2, 4], layers: [onnx_resize: {scales: [1, 0.1, 1]}, relu]}")
    with pytest.raises(shapecalc.ShapeError, match="onnx_resize: nothing of axis 1 of 1x2x4 is left"):
        model.analyze()


SCALES = [(100, 0.5, 50), (7, 1.5, 10), (10, 0.3, 3)]


@pytest.mark.parametrize(("size", "scale", "result"), SCALES)
def test_a_scale_is_of_single_precision(size: int, scale: float, result: int) -> None:
    assert layers.OnnxResize(scales=[scale]).apply(((size,),)).outputs == ((result,),)


@pytest.mark.parametrize("size", [10, symbol("n")])
def test_a_product_that_is_rounded_in_two_ways_is_undecided(size: Dim) -> None:
    with pytest.raises(shapecalc.Undecided):
        layers.OnnxResize(scales=[0.7]).apply(((size,),))
