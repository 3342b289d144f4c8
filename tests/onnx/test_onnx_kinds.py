"""The kinds with rules of ONNX keep the laws of all kinds, and are found by specs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shapecalc
from shapecalc.layers.index import ONNX
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
from tests.support.draws import FEW
from tests.support.strategies import Case, cases

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


@every_kind
def test_the_laws_of_every_kind(kind: str) -> None:
    @FEW
    @given(freed(kind))
    def look(drawn: tuple[Case, list[tuple[int, int]]]) -> None:
        check(drawn)

    look()


@pytest.mark.sample(4)
@every_kind
def test_the_strategies_reach_what_is_legal(kind: str) -> None:
    accepted = 0

    @settings(max_examples=100, derandomize=True, database=None)
    @given(freed(kind))
    def look(drawn: tuple[Case, list[tuple[int, int]]]) -> None:
        nonlocal accepted
        accepted += check(drawn)

    look()
    assert accepted >= 15
