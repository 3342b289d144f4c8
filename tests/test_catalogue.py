"""The catalogue against torch.nn: every class is a kind or has a reason, and costs that torch does not count."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import SpecError
from shapecalc.layers import GRU, LSTM, RNN, Bilinear
from shapecalc.layers.base import Joint
from shapecalc.layers.elsewhere import ELSEWHERE
from tools.catalogue import DOCUMENT, counterparts, document

CLASSES = sorted(
    name for name, found in vars(nn).items() if inspect.isclass(found) and issubclass(found, nn.Module)
)


def missing(names: Iterable[str]) -> list[str]:
    """Return the classes that are neither a kind nor listed with a reason."""
    return [name for name in names if name not in counterparts() and name not in ELSEWHERE]


def test_every_class_of_torch_is_a_kind_or_has_a_reason() -> None:
    assert len(CLASSES) > 150
    assert missing(CLASSES) == []


def test_a_class_that_is_neither_is_noticed() -> None:
    assert missing(["Linear", "Sequential", "Unheard"]) == ["Unheard"]


def test_no_class_is_both_and_every_reason_is_of_a_class() -> None:
    assert set(counterparts()) & set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= set(CLASSES)


def test_the_page_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("lazy_conv2d", "here conv2d always infers what is left out"),
        ("module_list", "a spec writes them as a list"),
        ("nll_loss2d", "write nll_loss"),
        ("rnn_base", "write rnn, lstm or gru"),
    ],
)
def test_an_error_tells_why_there_is_no_such_kind(kind: str, says: str) -> None:
    with pytest.raises(SpecError, match=f"unknown kind '{kind}'") as caught:
        shapecalc.loads(f"{{input: [3, 8, 8], layers: [{kind}]}}").analyze()
    assert says in (caught.value.hint or "")


# ---- where FlopCounterMode reads 0


def counted(call: Iterable[Tensor], module: nn.Module) -> int:
    """Return what torch counts as multiply-accumulates of one call."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*call)
    flops: int = counter.get_total_flops()
    return flops // 2


def test_bilinear_costs_its_two_products() -> None:
    """FlopCounterMode reads 0 for its one operation; the same written as two matrix products it counts as we do."""
    left, right, module = torch.rand(7, 4), torch.rand(7, 5), nn.Bilinear(4, 5, 3, bias=False)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        halves = left @ module.weight.permute(1, 0, 2).reshape(4, 15)
        result = torch.bmm(halves.reshape(7, 3, 5), right[:, :, None])[..., 0]
        assert torch.allclose(result, module(left, right))
    assert counter.get_total_flops() // 2 == Bilinear(out_features=3).macs(((7, 4), (7, 5))) > 0
    assert counted((left, right), module) == 0


@pytest.mark.parametrize("layer", [RNN(hidden_size=6), LSTM(hidden_size=6), GRU(hidden_size=6)])
def test_recurrent_layers_cost_the_same_on_every_device(layer: Joint) -> None:
    """FlopCounterMode counts them on the meta device, and may read 0 for a fused kernel of the CPU."""
    module, macs = getattr(nn, type(layer).__name__)(4, 6), layer.apply(((5, 2, 4),)).macs
    assert counted((torch.rand(5, 2, 4),), module) in (0, macs)
    assert counted((torch.rand(5, 2, 4, device="meta"),), module.to("meta")) == macs
