"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar

import pytest

from shapecalc.record import record


@record
class Point:
    """A point of the plane."""

    unit: ClassVar[str] = "px"

    x: int
    y: int = 0

    @property
    def sum(self) -> int:
        return self.x + self.y


@record
class Named(Point):
    name: str = ""


@record
class Nothing:
    """No field at all."""


@dataclass(frozen=True, slots=True)
class Model:
    """The same point as the standard library makes it."""

    x: int
    y: int = 0


def test_values_by_position_by_name_and_by_default() -> None:
    assert (Point(1), Point(y=2, x=1)) == (Point(1, 0), Point(1, 2))
    assert (Point(1, 2).sum, Named(1, name="a").sum, Point.unit) == (3, 1, "px")


@pytest.mark.parametrize(
    ("values", "names"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"y": 1})]
)
def test_other_arguments_are_refused(values: tuple[int, ...], names: dict[str, int]) -> None:
    for cls in (Point, Model):
        with pytest.raises(TypeError):
            cls(*values, **names)


def test_equality_and_hash_are_those_of_the_values_and_the_class() -> None:
    assert Point(1) == Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert Nothing() == Nothing()
    assert len({Point(1), Point(1, 0), Named(1), Nothing(), Nothing()}) == 3


def test_nothing_can_be_changed() -> None:
    for point in (Point(1), Model(1)):
        for name in ("x", "y"):
            with pytest.raises(FrozenInstanceError):
                setattr(point, name, 2)
            with pytest.raises(FrozenInstanceError):
                delattr(point, name)
    assert not hasattr(Named(1), "__dict__")


def test_text() -> None:
    assert (repr(Point(1)), repr(Nothing())) == (repr(Model(1)).replace("Model", "Point"), "Nothing()")


@pytest.mark.parametrize("value", [Point(1), Named(1, 2, "a"), Nothing()])
def test_copies_are_equal(value: Any) -> None:
    assert value == copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value))


def test_the_functions_of_dataclasses_take_records() -> None:
    assert is_dataclass(Point)
    assert replace(Named(1, name="a"), x=2) == Named(2, 0, "a")
    assert asdict(Named(1)) == {"x": 1, "y": 0, "name": ""}
    assert [item.name for item in fields(Named)] == ["x", "y", "name"]


def test_patterns() -> None:
    match Named(1, 2, "a"):
        case Named(x, y, name):
            assert (x, y, name) == (1, 2, "a")


@pytest.mark.parametrize("default", [field(default_factory=list), [], {}])
def test_a_default_is_immutable(default: Any) -> None:
    with pytest.raises(TypeError, match="a record has no `field`, only an immutable default"):

        @record
        class _Listed:
            items: Any = default


def test_a_field_without_a_default_comes_before_those_with_one() -> None:
    with pytest.raises(TypeError, match="Late: a field without a default follows one with a default"):
        record(type("Late", (Point,), {"__annotations__": {"label": str}}))
