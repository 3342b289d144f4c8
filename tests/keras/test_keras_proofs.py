"""Our shapes and Keras' own are equal for all sizes: `compute_output_shape` runs on sizes that are left free.

Its rules are integer arithmetic, which runs on expressions as ours does; whether two results are equal is decided.
A size is taken to be large enough where Keras asks, and not to be 1 where tensors are stretched to one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from shapecalc import symbol
from shapecalc.algebra import Dim, decide
from shapecalc.bridges.keras.keras_twins import called, twin_of
from shapecalc.layers import KerasMaxPool2d
from shapecalc.layers.index import KERAS
from shapecalc.layers.keras_recurrent import OverSteps
from shapecalc.layers.keras_wrapper import KerasBidirectional
from tests.keras.test_keras_kinds import ours, real_run
from tests.support.keras_twin import keras_cases
from tests.support.strategies import Case

NOT_COMPUTED = {
    **dict.fromkeys(("chunk", "split"), "Keras has no layer for it"),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), "its layer has no `compute_output_shape`"),
}
"""Kinds that are compared over ranges of sizes alone, and why."""


@dataclass(frozen=True, eq=False)
class Size:
    """A size for Keras to compute with, which it compares, and divides before it rounds down."""

    value: Dim

    def __add__(self, other: Any) -> Size:
        return Size(self.value + plain(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Size:
        return Size(self.value - plain(other))

    def __rsub__(self, other: Any) -> Size:
        return Size(plain(other) - self.value)

    def __mul__(self, other: Any) -> Size:
        return Size(self.value * plain(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Size:
        return Size(self.value // plain(other))

    def __truediv__(self, other: Any) -> Ratio:
        return Ratio(self.value, plain(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (int, Size)) and decide(self.value, "==", plain(other)) is True

    def __hash__(self) -> int:
        return hash(self.value)

    def __le__(self, other: Any) -> bool:
        return decide(plain(other), ">=", self.value) is True

    def __lt__(self, other: Any) -> bool:
        return decide(plain(other), ">=", self.value + 1) is True


class _Kept(type):
    """What stands for `int`: it knows integers, and leaves a size as it is."""

    def __call__(cls, size: Any) -> Any:
        return size

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, int)


class Kept(metaclass=_Kept):
    """See above."""


@dataclass(frozen=True)
class Ratio:
    """A size divided by a number, to be rounded down."""

    value: Dim
    divisor: Dim

    def __floor__(self) -> Size:
        return Size(self.value // self.divisor)


def plain(size: Any) -> Dim:
    """Return the number or the expression that a size is."""
    return size.value if isinstance(size, Size) else int(size)


def shapes_freed(case: Case, *, has_weights: bool) -> tuple[tuple[Dim, ...], ...]:
    """Return the shapes with free sizes; of several tensors, sizes that are equal stay so, and 1 stays.

    A layer that has weights was built for the features of its input.
    """
    if issubclass(case.cls, (OverSteps, KerasBidirectional)):
        return tuple(
            tuple(symbol(f"n{n}") if axis < 2 else n for axis, n in enumerate(x)) for x in case.inputs[:1]
        )
    if len(case.inputs) == 1:
        (x,) = case.inputs
        return (
            tuple(
                n if has_weights and axis == len(x) - 1 else symbol(f"n{axis}") for axis, n in enumerate(x)
            ),
        )
    return tuple(tuple(n if n == 1 else symbol(f"n{n}") for n in x) for x in case.inputs)


def theirs(case: Case, live: Any, shapes: tuple[tuple[Dim, ...], ...]) -> tuple[Any, ...]:
    """Return the shape of the first result by Keras' own rule."""
    sizes = [tuple(Size(n) if not isinstance(n, int) else n for n in x) for x in shapes]
    args, _ = called(live, sizes)
    said = twin_of(case.cls).call_settings(case.fields)
    said.pop("return_attention_scores", None)
    with pytest.MonkeyPatch.context() as patch:  # it makes integers of what was rounded down
        patch.setattr("keras.src.ops.operation_utils.int", Kept, raising=False)
        shape = live.compute_output_shape(*args, **said)
    return tuple(shape[0]) if isinstance(shape[0], (tuple, list)) else tuple(shape)


def prove(case: Case) -> bool:
    """Assert that both rules are equal for all sizes; return whether the case is legal."""
    answer, real = ours(case), real_run(case)
    if isinstance(answer, str) or isinstance(real, str):
        return False
    shapes = shapes_freed(case, has_weights=bool(answer[1].weights))
    effect = answer[0].apply(shapes)
    if any(condition.op == "==" for condition in effect.conditions):  # the layer itself says a size
        return False
    mine, known = effect.outputs[0], theirs(case, real[0], shapes)
    assert len(mine) == len(known), (case, mine, known)
    for own, other in zip(mine, known, strict=True):
        if other is not None:  # a size that a layer by an equation leaves to the input
            assert decide(own, "==", plain(other)) is True, (case, mine, known)
    return True


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", sorted({*KERAS} - {*NOT_COMPUTED}))
def test_shapes_are_those_of_keras_for_all_sizes(kind: str) -> None:
    draws: Callable[..., Any] = settings(max_examples=60, phases=[Phase.generate])
    proved = 0

    @draws
    @given(keras_cases(kind))
    def check(case: Case) -> None:
        nonlocal proved
        if proved < 6:  # of each many sizes at once
            proved += prove(case)

    check()
    assert proved >= 1


def test_a_rule_that_differs_for_some_sizes_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(KerasMaxPool2d, {"kernel_size": 2, "padding": "same"}, ((1, 8, 6, 3),))
    assert prove(case)
    monkeypatch.setattr(KerasMaxPool2d, "swept", lambda self, x: (x[1] // 2, x[2] // 2))
    with pytest.raises(AssertionError):
        prove(case)  # equal where both sizes are even, as they are here
