"""Every kind against the real torch layer: shape, named weights, cost, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given
from pydantic import ValidationError
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import SpecError, build, from_torch, loads
from shapecalc.bridges.torch.proof.verification import verify
from shapecalc.bridges.torch.proof.verify_layer import quiet, shapes_of
from shapecalc.bridges.torch.tracer.module_to_kind import classes_with_kinds
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers.base import Effect
from shapecalc.layers.family import Family
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.requirement import Refused
from shapecalc.layers.wrapper import Wrapper
from tests.support.draws import FEW, OF_OTHER_RANKS, QUICK, SOME
from tests.support.strategies import Case, case, cases

torch.set_num_threads(1)


def flat(value: Any) -> Iterator[int]:
    """Yield the numbers in nested tuples."""
    if isinstance(value, tuple):
        for item in value:
            yield from flat(item)
    else:
        yield value


def deliberately_stricter(case: Case, mine: str) -> bool:
    """Say whether a spec may not say this although torch may take it: it makes no sense.

    Refused as fields: counts of zero (an empty layer), and lists with the wrong number of entries (torch repeats a
    single entry where a list of one is given), a mean over no axis (torch takes all), and a negative
    padding of a convolution (torch crops, unless it pads with zeros), experts of which less than one is used,
    of which torch knows nothing. Nor do we follow torch where it
    reads memory that nobody wrote.
    """
    if case.fields.get("padding_mode", "zeros") != "zeros" and "kernel_size" in case.fields:
        if any(side < 0 for side in flat(case.fields.get("padding", 0)) if isinstance(side, int)):
            return True
    if case.cls.kind in ("mean", "reduce") and case.fields["dim"] == ():
        return True
    if case.cls.kind == "parameter" and (case.fields.get("active") or 1) < 1:
        return True
    if mine.startswith("Refused") and twin_of(case.cls).stricter(case.cls.model_validate(case.fields)):
        return True
    rank = getattr(case.cls, "rank", None)
    for value in case.fields.values() if mine.startswith("ValidationError") else ():
        if value == 0 and not isinstance(value, bool):
            return True
        if isinstance(value, tuple) and (0 in value or (rank is not None and len(value) != rank)):
            return True
    return False


def ours(case: Case) -> Effect | str:
    """Return what we answer, or why we refuse."""
    try:
        return case.cls.model_validate(case.fields).apply(case.inputs)
    except (ValidationError, Refused) as error:
        return f"{type(error).__name__}: {error}"


class Seen(NamedTuple):
    """What torch makes of a case in evaluation mode."""

    shapes: tuple[tuple[int, ...], ...]
    module: nn.Module
    flops: int


def run(case: Case, device: str) -> Seen:
    """Return what torch makes of a case on a device; raise what it raises."""
    twin, counter = twin_of(case.cls), FlopCounterMode(display=False)
    with quiet(), torch.no_grad(), torch.device(device) if device == "meta" else nullcontext():
        module = twin.module(case.fields, case.inputs)
        tensors = twin.tensors(case.inputs, device)
        with counter:
            shapes = shapes_of(module(*tensors))
    return Seen(shapes, module, counter.get_total_flops())


def theirs(case: Case) -> Seen | str:
    """Return what torch makes of real numbers, or why it refuses."""
    try:
        return run(case, "cpu")
    except REJECTIONS as error:
        return f"{type(error).__name__}: {error}"


def is_counted_on_cpu(case: Case) -> bool:
    """Say whether the products are counted where the numbers are real: on meta torch takes twice the time.

    The quick tier does so wherever no fused kernel hides them and no vector is multiplied to set up weights.
    """
    in_parts = case.cls.family in (Family.RECURRENT, Family.ATTENTION, Family.TRANSFORMER)
    return bool(twin_of(case.cls).on_cpu) or (QUICK and not in_parts and not issubclass(case.cls, Wrapper))


def compare(case: Case) -> None:
    """Assert that we and torch agree on a case, whether it is legal or not."""
    mine, real = ours(case), theirs(case)
    if isinstance(mine, str):
        if isinstance(real, str) or any(0 in shape for shape in real.shapes):
            return  # an output without elements is a result to torch, and to us a mistake
        if deliberately_stricter(case, mine):
            return
        raise AssertionError(f"{case}: torch accepts it and returns {real.shapes}; we refuse it: {mine}")
    assert not isinstance(real, str), f"{case}: torch refuses it ({real}); we return {mine.outputs}"
    assert mine.outputs == real.shapes, f"{case}: torch returns {real.shapes}; we return {mine.outputs}"
    compare_structure(case, mine, real if is_counted_on_cpu(case) else run(case, "meta"))


def compare_structure(case: Case, mine: Effect, real: Seen) -> None:
    """Assert that shapes on a device, named weights, buffers and cost agree."""
    twin, (shapes, module, flops) = twin_of(case.cls), real
    assert mine.outputs == shapes, f"{case}: torch returns {shapes}; we return {mine.outputs}"
    weights = {name: tuple(tensor.shape) for name, tensor in module.named_parameters()}
    assert mine.weights == weights, f"{case}: torch has {weights}; we have {mine.weights}"
    buffers = {name: tuple(tensor.shape) for name, tensor in module.named_buffers()}
    assert mine.buffers == buffers, f"{case}: torch has buffers {buffers}; we have {mine.buffers}"
    if flops == 0 and twin.macs_not_counted:
        return
    if twin.macs_unknown:
        assert mine.macs is None, f"{case}: we count {mine.macs} MACs, which nobody can know"
        return
    assert mine.macs is not None, f"{case}: torch counts {flops} flops; we count nothing"
    assert 2 * mine.macs == flops, f"{case}: torch counts {flops} flops; we count {mine.macs} MACs"


NEWER = {"linear_cross_entropy_loss"}
"""Kinds whose class torch 2.6, the oldest that we ask for, does not have."""
PRESENT = [kind for kind in kinds() if not twin_of(get(kind)).absent()]


def test_only_what_is_newer_is_left_out() -> None:
    """With the newest torch nothing is."""
    assert {*kinds()} - {*PRESENT} <= NEWER
    assert [*PRESENT] == kinds() or not hasattr(torch.nn, "LinearCrossEntropyLoss")


@pytest.mark.parametrize("kind", PRESENT)
def test_every_kind_is_torchs(kind: str) -> None:
    draws = FEW if kind.endswith(OF_OTHER_RANKS) else SOME
    draws(given(cases(kind))(compare))()


SCORED = """
input: {x: [4], y: []}
layers:
  - linear_cross_entropy_loss: {num_classes: 3}
    from: [x, y]
"""


def test_a_class_that_torch_is_too_old_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its costs and shapes are told all the same; what needs the class says so."""
    monkeypatch.delattr(torch.nn, "LinearCrossEntropyLoss", raising=False)
    classes_with_kinds.cache_clear()
    model = loads(SCORED)
    assert model.analyze().macs == 4 * 3
    with pytest.raises(SpecError, match=r"torch .* has no torch\.nn\.LinearCrossEntropyLoss"):
        build(model)
    verified = verify(model)
    assert verified.counts == {"uncovered": 1}
    assert "has no torch.nn.LinearCrossEntropyLoss" in str(verified.forward)
    assert from_torch(torch.nn.Linear(4, 3), input=(4,)).analyze().params == 15
    classes_with_kinds.cache_clear()


def test_norms_over_more_than_two_axes_are_torchs() -> None:
    """`torch.norm` refuses three axes; `torch.linalg.vector_norm` is the function of the kind."""
    compare(case("reduce", (2, 3, 4, 5), function="norm", dim=(1, 2, 3)))
    compare(case("reduce", (2, 3, 4, 5), function="norm", dim=(0, 2, 3), keepdim=True))


# ---- the comparison itself can fail

LEGAL = case("conv2d", (2, 4, 9, 8), out_channels=6, kernel_size=3, stride=2, groups=2)
MISMATCHED = case("conv2d", (2, 4, 9, 8), in_channels=3, out_channels=6, kernel_size=3)


def test_the_comparison_agrees_before_a_rule_is_broken() -> None:
    compare(LEGAL)
    compare(MISMATCHED)


def _off_by_one(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = conv.output
    monkeypatch.setattr(conv, "output", lambda self, x: (*honest(self, x)[:-1], honest(self, x)[-1] + 1))


def _renamed(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "weights", lambda self, x: {"kernel": (6, 2, 3, 3), "bias": (6,)})


def _transposed(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "weights", lambda self, x: {"weight": (2, 6, 3, 3), "bias": (6,)})


def _extra_buffer(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "buffers", lambda self, x: {"running": (6,)})


def _free_of_charge(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conv, "macs", lambda self, x: 0)


def _refuses_all(conv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers.requirement import Requirement

    monkeypatch.setattr(conv, "requirements", lambda self, x: iter([Requirement("no", 0, "==", 1, "no")]))


@pytest.mark.parametrize(
    "breakage", [_off_by_one, _renamed, _transposed, _extra_buffer, _free_of_charge, _refuses_all]
)
def test_a_broken_rule_is_noticed(breakage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv2d

    breakage(Conv2d, monkeypatch)
    with pytest.raises(AssertionError):
        compare(LEGAL)


def test_a_dropped_requirement_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv2d

    monkeypatch.setattr(Conv2d, "requirements", lambda self, x: iter(()))
    with pytest.raises(AssertionError, match="torch refuses it"):
        compare(MISMATCHED)


def test_random_cases_find_a_broken_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv1d

    _off_by_one(Conv1d, monkeypatch)
    with pytest.raises(AssertionError):
        given(cases("conv1d"))(compare)()
