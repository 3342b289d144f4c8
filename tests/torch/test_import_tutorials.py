"""The tutorials' networks, imported from other code than the printed one, against their specs and torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import Report, from_torch
from shapecalc.layers.requirement import Shape
from tests.support.tutorial_modules import TUTORIALS
from tests.torch.test_tutorials_torch import RUNNING

Weighing = list[tuple[int, Shape]]


def module_of(name: str) -> nn.Module:
    with torch.device("meta"):
        return TUTORIALS[name]().eval()


def in_numbers(report: Report) -> tuple[int, ...]:
    """Return the input without its batch."""
    return tuple(size for size in report.input[1:] if isinstance(size, int))


def weighing(report: Report) -> Weighing:
    """Return what each layer that has MACs costs, and the shape that it gives, in the order of cost."""
    return sorted((node.macs, node.output[1:]) for node in report if isinstance(node.macs, int) and node.macs)


def test_every_network_that_runs_is_here() -> None:
    assert TUTORIALS.keys() == RUNNING.keys()


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorials_network_is_its_spec_and_torchs(name: str) -> None:
    module, written = module_of(name), shapecalc.load(f"tutorials/{name}")
    expected = written.analyze()
    sizes = in_numbers(expected)
    report = from_torch(module, input=sizes).analyze()
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), torch.device("meta"):
        result = module(torch.empty(1, *sizes))
    by_torch = (
        sum(one.numel() for one in module.parameters()),
        counter.get_total_flops() // 2,
        tuple(result.shape),
        sum(one.numel() for one in module.buffers()),
    )
    for found in (report, expected):
        assert (found.params, found.macs, found.output, found.buffer_count) == by_torch
    assert report.complete
    assert weighing(report) == weighing(expected)
    assert not any(node.kind in ("unused", "opaque") for node in report)


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", TUTORIALS)
def test_it_takes_the_sizes_that_its_spec_takes(name: str) -> None:
    module, written = module_of(name), shapecalc.load(f"tutorials/{name}")
    model = from_torch(module, input=in_numbers(written.analyze()))
    assert model.agreement(written).is_whole
