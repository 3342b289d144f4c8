"""Losses and bilinear layers that a module calls with several tensors are the layers that they are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from shapecalc import from_torch

X, Y, SIGNS = torch.rand(4, 6), torch.rand(4, 6), torch.ones(4)
NUMBERS, MAPS = torch.zeros(4, dtype=torch.long), torch.rand(2, 5, 3, 3)
TARGETS = torch.zeros(2, 3, 3, dtype=torch.long)
EACH: dict[str, Any] = {"reduction": "none"}

CALLED: list[tuple[nn.Module, tuple[Tensor, ...], str]] = [
    (nn.CosineEmbeddingLoss(**EACH), (X, Y, SIGNS), "cosine_embedding_loss"),
    (nn.MarginRankingLoss(), (SIGNS, SIGNS, SIGNS), "margin_ranking_loss"),
    (nn.TripletMarginLoss(**EACH), (X, Y, X), "triplet_margin_loss"),
    (nn.MultiLabelMarginLoss(), (torch.rand(1), torch.zeros(1, dtype=torch.long)), "multi_label_margin_loss"),
    (nn.MultiMarginLoss(weight=torch.ones(6)), (X, NUMBERS), "multi_margin_loss"),
    (nn.CrossEntropyLoss(weight=torch.ones(5), **EACH), (MAPS, TARGETS), "cross_entropy_loss"),
    (nn.NLLLoss(weight=torch.ones(5)), (MAPS, TARGETS), "nll_loss"),
    (nn.Bilinear(6, 6, 3), (X, Y), "bilinear"),
]


@pytest.mark.parametrize(("module", "args", "kind"), CALLED, ids=[kind for _, _, kind in CALLED])
def test_a_layer_of_several_tensors(module: nn.Module, args: tuple[Tensor, ...], kind: str) -> None:
    report = from_torch(module, args=args).analyze()
    assert [node.kind for node in report] == [kind]
    assert report.output == tuple(module(*args).shape)
    assert report.complete
    assert report.params == sum(item.numel() for item in module.parameters())
    assert report.buffer_count == sum(item.numel() for item in module.buffers())


def test_a_weight_for_each_entry_is_no_weight_for_each_class() -> None:
    """The weight of a binary cross entropy is broadcast against the scores; the rule has no operand for it."""
    report = from_torch(nn.BCELoss(weight=torch.ones(6), **EACH), args=(X, Y)).analyze()
    assert report.output == (4, 6)
    assert report.buffer_count == 6
    assert not report.complete
