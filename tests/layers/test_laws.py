"""What holds for every kind, whatever it computes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shapecalc.algebra import Dim
from shapecalc.layers.base import Kind
from shapecalc.layers.registry import kinds
from shapecalc.testing import applied, check_fields, check_integers, check_refusal, check_symbols
from tests.support.strategies import Case, cases
from tests.support.strategies_more import BROADCAST

every_kind = pytest.mark.parametrize("kind", kinds())

MAY_BE_UNDECIDED = {
    "adaptive_log_softmax_with_loss": "a divisor that is not exact in binary rounds as doubles do",
    "chunk": "the number of results depends on the size",
    "cross_entropy_loss": "whether a list is as long as the classes are many tells what it holds",
    "fractional_max_pool2d": "a ratio that is not exact in binary rounds as doubles do",
    "fractional_max_pool3d": "a ratio that is not exact in binary rounds as doubles do",
    "linear_cross_entropy_loss": "whether a list is as long as the classes are many tells what it holds",
    "multihead_attention": "whether kdim is the width of the query decides which weights there are",
    "opaque": "nothing is known of sizes that were not seen",
    "split": "the number of results depends on the size",
    "squeeze": "whether an axis is 1 decides whether it goes",
    "upsample": "a scale that is not exact in binary rounds as doubles do",
    "upsampling_bilinear2d": "a scale that is not exact in binary rounds as doubles do",
    "upsampling_nearest2d": "a scale that is not exact in binary rounds as doubles do",
}
"""Kinds that may answer `Undecided` for a symbolic size, and why."""

TAKEN_NOT_TO_BE_ONE = {"add", "multiply", "matmul", "combine", "einsum", "broadcast_to", *BROADCAST}
"""Kinds that broadcast: a free size is taken not to be 1, so only sizes above 1 are left free."""


def layer_of(case: Case) -> Kind | None:
    """Return the layer, or None where its fields are refused."""
    try:
        return case.cls.model_validate(case.fields)
    except ValidationError:
        return None


def check_symbolic(case: Case, free: list[list[bool]]) -> None:
    """Assert that a rule answers for symbols what it answers for the numbers put in later."""
    layer = layer_of(case)
    if layer is None:
        return
    chosen = [
        (number, axis)
        for number, (shape, frees) in enumerate(zip(case.inputs, free, strict=True))
        for axis, is_free in enumerate(frees)
        if is_free and not (shape[axis] == 1 and case.cls.kind in TAKEN_NOT_TO_BE_ONE)
    ]
    decided = check_symbols(layer, case.inputs, chosen)
    assert decided or case.cls.kind in MAY_BE_UNDECIDED, "undecided, and not among the kinds that may be"


@st.composite
def freed(draw: st.DrawFn, kind: str) -> tuple[Case, list[list[bool]]]:
    """Draw a case and which of its sizes are left free."""
    case = draw(cases(kind))
    return case, [[draw(st.booleans()) for _ in shape] for shape in case.inputs]


@every_kind
def test_symbols_then_numbers_is_numbers(kind: str) -> None:
    @given(freed(kind))
    def check(drawn: tuple[Case, list[list[bool]]]) -> None:
        check_symbolic(*drawn)

    check()


@every_kind
def test_integers_stay_integers(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        layer = layer_of(case)
        if layer is not None:
            check_integers(layer, case.inputs)

    check()


@every_kind
def test_fields_come_back(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        layer = layer_of(case)
        if layer is not None:
            check_fields(layer)

    check()


@every_kind
def test_a_refusal_says_something(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        layer = layer_of(case)
        if layer is not None:
            check_refusal(layer, case.inputs)

    check()


def test_the_law_of_symbols_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv2d
    from tests.support.strategies import case

    example = case("conv2d", (1, 1, 7, 7), out_channels=1, kernel_size=3, stride=2)
    free = [[False, False, True, False]]
    check_symbolic(example, free)
    honest = Conv2d.output

    def blind(self: Conv2d, x: tuple[Dim, ...]) -> tuple[Dim, ...]:
        shape = honest(self, x)
        return shape if isinstance(x[2], int) else (*shape[:2], shape[2] + 1, *shape[3:])

    monkeypatch.setattr(Conv2d, "output", blind)
    with pytest.raises(AssertionError, match="outputs"):
        check_symbolic(example, free)


@pytest.mark.sample(8)
@every_kind
def test_the_strategies_reach_what_is_legal(kind: str) -> None:
    """A law that holds because nothing was ever accepted would say nothing."""
    seen = {"accepted": 0, "free": 0}

    @settings(max_examples=150, derandomize=True, database=None)
    @given(freed(kind))
    def look(drawn: tuple[Case, list[list[bool]]]) -> None:
        case, free = drawn
        layer = layer_of(case)
        if layer is not None and applied(layer, case.inputs) is not None:
            seen["accepted"] += 1
            seen["free"] += any(map(any, free))

    look()
    assert seen["accepted"] >= 15
    assert seen["free"] >= 10
