"""What holds for every kind, whatever it computes."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.errors import Undecided
from shapecalc.layers.base import Effect, Kind
from shapecalc.layers.registry import kinds
from shapecalc.layers.requirement import Refused, Requirement
from tests.strategies import Case, cases

every_kind = pytest.mark.parametrize("kind", kinds())

MAY_BE_UNDECIDED = {
    "chunk": "the number of results depends on the size",
    "split": "the number of results depends on the size",
    "squeeze": "whether an axis is 1 decides whether it goes",
    "upsample": "a scale that is not exact in binary rounds as doubles do",
    "upsampling_bilinear2d": "a scale that is not exact in binary rounds as doubles do",
    "upsampling_nearest2d": "a scale that is not exact in binary rounds as doubles do",
}
"""Kinds that may answer `Undecided` for a symbolic size, and why."""

TAKEN_NOT_TO_BE_ONE = {"add", "multiply", "matmul"}
"""Kinds that broadcast: a free size is taken not to be 1, so only sizes above 1 are left free."""

RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def layer_of(case: Case) -> Kind | None:
    """Return the layer, or None where its fields are refused."""
    try:
        return case.cls.model_validate(case.fields)
    except ValidationError:
        return None


def applied(layer: Kind, shapes: tuple[tuple[Dim, ...], ...]) -> Effect | None:
    """Return what the layer does, or None where it refuses."""
    try:
        return layer.apply(shapes)
    except Refused:
        return None


def numbers(effect: Effect) -> Iterator[Any]:
    """Yield every number that an effect consists of."""
    yield from effect.outputs
    yield from effect.weights.values()
    yield from effect.buffers.values()
    yield from (effect.params, effect.buffer_count, effect.elements)
    if effect.macs is not None:
        yield effect.macs
    if effect.window is not None:
        window = effect.window
        yield from (window.kernel, window.stride, window.before, window.after, window.dilation)


def flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from flat(value)
        else:
            yield value


def put_in(value: Any, sizes: dict[str, int]) -> Any:
    """Return a size, or shapes of sizes, with the numbers put in for the symbols."""
    if isinstance(value, Expr):
        return value.subs(sizes)
    if isinstance(value, tuple):
        return tuple(put_in(item, sizes) for item in value)
    if isinstance(value, dict):
        return {name: put_in(item, sizes) for name, item in value.items()}
    return value


def holds(condition: Requirement, sizes: dict[str, int]) -> bool:
    left, right = put_in(condition.left, sizes), put_in(condition.right, sizes)
    return bool(RELATIONS[condition.relation](left, right))


def check_symbolic(case: Case, free: list[list[bool]]) -> None:
    """Assert that a rule answers for symbols what it answers for the numbers put in later."""
    layer = layer_of(case)
    if layer is None:
        return
    sizes: dict[str, int] = {}
    shapes: list[tuple[Dim, ...]] = []
    for number, (shape, chosen) in enumerate(zip(case.inputs, free, strict=True)):
        dims: list[Dim] = list(shape)
        for axis, is_free in enumerate(chosen):
            if is_free and not (shape[axis] == 1 and case.cls.kind in TAKEN_NOT_TO_BE_ONE):
                sizes[f"x{number}_{axis}"] = shape[axis]
                dims[axis] = symbol(f"x{number}_{axis}")
        shapes.append(tuple(dims))
    numeric = applied(layer, case.inputs)
    try:
        symbolic = applied(layer, tuple(shapes))
    except Undecided:
        assert case.cls.kind in MAY_BE_UNDECIDED, "undecided, and not among the kinds that may be"
        return
    if symbolic is None:
        assert numeric is None, "refused for every size, but accepted at these numbers"
        return
    broken = [str(condition) for condition in symbolic.conditions if not holds(condition, sizes)]
    if numeric is None:
        assert broken, "refused at these numbers, but no condition says so"
        return
    assert not broken, f"accepted at these numbers against the conditions {broken}"
    for name in ("outputs", "weights", "buffers", "macs", "params", "buffer_count", "elements"):
        put = put_in(getattr(symbolic, name), sizes)
        assert put == getattr(numeric, name), f"{name}: {getattr(symbolic, name)}"
    for condition in symbolic.conditions:
        assert condition.message
        assert str(condition)


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
        effect = layer and applied(layer, case.inputs)
        if effect:
            assert {type(number) for number in flat(numbers(effect))} <= {int}
            assert effect.conditions == ()
            assert all(size >= 1 for shape in effect.outputs for size in shape)

    check()


@every_kind
def test_fields_come_back(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        layer = layer_of(case)
        if layer is not None:
            again = case.cls.model_validate(layer.fields_set())
            assert again == layer
            assert again.fields_set() == layer.fields_set()
            assert hash(again) == hash(layer)
            assert layer.resolve(lambda formula: pytest.fail(f"{formula} in {layer}")) is layer

    check()


@every_kind
def test_a_refusal_says_something(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        try:
            layer = layer_of(case)
            if layer is not None:
                layer.apply(case.inputs)
        except Refused as refused:
            requirement = refused.requirement
            assert requirement.code
            assert kind in requirement.message
            assert "\n" not in requirement.message
            assert requirement.verdict() is False
            assert isinstance(requirement.advice, str)

    check()


def test_the_law_of_symbols_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv2d
    from tests.strategies import case

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
