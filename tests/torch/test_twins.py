"""Twins: every one is found where its kind is needed, and a kind of a user's own can bring its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import shapecalc
from shapecalc import SpecError, loads
from shapecalc.bridges.counterpart import Counterpart
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import FunctionTwin, Missing, ModuleTwin, Twin, twin_of
from shapecalc.layers import Conv2d
from shapecalc.layers.base import AnyShape, Kind, Layer, NoMacs, NoWeights, NoWindow, SameShape
from shapecalc.layers.fields import Count
from shapecalc.layers.registry import get, kinds, unregister


class Doubler(nn.Module):
    """Multiplies by a number."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        return x * self.times


class Doubled(SameShape, AnyShape, NoWeights, NoMacs, NoWindow, Layer):
    """The input, times a number."""

    kind: ClassVar[str] = "doubled"
    torch: ClassVar[str | None] = "tests.torch.test_twins.DoubledTwin"

    times: Count = 2


class DoubledTwin(ModuleTwin[Doubled]):
    """The module above."""

    own = Doubler

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {"times": fields.get("times", 2)}


@pytest.fixture
def doubled() -> Iterator[None]:
    shapecalc.register(Doubled)
    yield
    unregister("doubled")


TEXT = "{input: [3, 4], layers: [doubled: {times: 3}, linear: {out_features: 2}]}"


def test_a_users_twin_builds_reads_and_proves(doubled: None) -> None:
    model = loads(TEXT)
    module = shapecalc.build(model)
    assert isinstance(module.get_submodule("doubled"), Doubler)
    back = shapecalc.from_torch(module, input=(3, 4)).analyze()
    assert next(node.layer for node in back) == Doubled(times=3)
    assert shapecalc.verify(model).counts == {"proved": 2}
    with pytest.raises(SpecError, match=r"tests\.torch\.test_twins is not a part of torch"):
        shapecalc.export(model)


def test_a_module_that_lacks_a_setting_is_not_read(doubled: None) -> None:
    module = Doubler(3)
    assert twin_of(Doubled).from_module(module) == {"times": 3}
    del module.times
    assert twin_of(Doubled).from_module(module) is None


def test_a_twin_is_found_by_the_name_that_the_kind_has(doubled: None) -> None:
    class Other(SameShape, AnyShape, NoWeights, NoMacs, NoWindow, Layer):
        kind: ClassVar[str] = "other"
        torch: ClassVar[str | None] = Doubled.torch

    assert type(twin_of(Other)) is DoubledTwin


def test_a_kind_derived_from_another_has_its_twin() -> None:
    class Mine(Conv2d):
        kind: ClassVar[str] = "mine"

    assert type(twin_of(Mine)) is type(twin_of(Conv2d))


def test_twins_are_found_on_demand() -> None:
    """Each module of twins is loaded by the kinds that it has twins for, whichever comes first."""
    twins: dict[type[Kind], type[Twin[Kind]]] = Twin.all_defined()
    for kind, twin in twins.items():
        home = kind.__module__.rpartition(".")[2]
        if kind.__module__.startswith("shapecalc.layers."):
            assert home in Twin.families[twin.__module__], f"{twin.__name__} is not found by {home}"


def test_every_kind_has_a_twin_of_one_sort() -> None:
    for name in kinds():
        assert isinstance(twin_of(get(name)), (ModuleTwin, FunctionTwin, Twin)), name
        assert not isinstance(twin_of(get(name)), Missing), name
    assert isinstance(twin_of(get("conv2d", "keras")), Missing)


def test_a_twin_that_forgets_a_method_cannot_be_made() -> None:
    class Forgetful(Twin[Doubled]):
        """Says how to build and not how to write."""

        def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
            return nn.Identity()

    try:
        with pytest.raises(TypeError, match="abstract"):
            twin_of(Doubled)
    finally:
        Twin._defined[Doubled] = DoubledTwin
    assert issubclass(Forgetful, Counterpart)


def test_answers_about_a_spec_need_no_torch() -> None:
    code = "import shapecalc, sys; shapecalc.load('resnet18').analyze(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_indices_and_numbers_are_told_apart() -> None:
    table, unpool = twin_of(get("embedding")), twin_of(get("max_unpool2d"))
    assert [x.dtype for x in table.tensors(((2, 3),), "meta")] == [torch.int64]
    shapes = ((1, 2, 3, 3), (1, 2, 3, 3))
    assert [x.dtype for x in unpool.tensors(shapes, "meta")] == [torch.float32, torch.int64]
