"""The types that users' code is checked with: each line holds for strict mypy, and at run time.

What must be refused stands with a `type: ignore` of the code it is refused with: strict mypy reports one that
is not needed.
"""

from __future__ import annotations

from typing import assert_type

import pytest

import shapecalc
from shapecalc import Expr, Model, Report, symbol
from shapecalc.layers import Conv2d


def test_what_comes_out_of_the_front_door() -> None:
    model = assert_type(shapecalc.load("lenet5"), Model)
    report = assert_type(model.analyze(), Report[int])
    assert isinstance(assert_type(symbol("n"), Expr), Expr)
    assert isinstance(report, Report)


def test_numbers_fit_fields_of_numbers() -> None:
    layer = Conv2d(out_channels=8, kernel_size=3, stride=(2, 1))
    assert layer.out_channels == 8


def test_a_name_is_no_field() -> None:
    with pytest.raises(ValueError, match="out_chanels"):
        Conv2d(out_chanels=8, kernel_size=3)  # type: ignore[call-arg]
