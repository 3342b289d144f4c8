"""einops in imported forwards, as functions of its module and as layers: sizes are free."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.torch.test_import_functions import LENGTHS, SIDES, Forward, Forwarding, assert_agrees

einops: Any = pytest.importorskip("einops")
layers: Any = pytest.importorskip("einops.layers.torch")

ON_SEQUENCES: dict[str, Forward] = {
    "heads": lambda x: einops.rearrange(x, "b n (h d) -> b h n d", h=2),
    "pairs": lambda x: einops.rearrange(x, "b (n p) d -> (b n) (p d)", p=2),
    "copies": lambda x: einops.repeat(x, "b n d -> (r b) n d", r=x.size(1)),
    "copies of the first": lambda x: einops.repeat(x[:, :1], "b 1 d -> b n d", n=x.size(1)) + x,
    "greatest of pairs": lambda x: einops.reduce(x, "b (n p) d -> b n d", "max", p=2),
    "packed": lambda x: einops.unpack(
        einops.pack([x, x[:, :1]], "b * d")[0] * 2, [(x.size(1),), (1,)], "b * d"
    ),
    "einsum": lambda x: einops.einsum(x, x, "b i d, b j d -> b i j"),
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", ON_SEQUENCES)
def test_on_sequences(name: str) -> None:
    assert_agrees(ON_SEQUENCES[name], (10, 8), LENGTHS)


ON_MAPS: dict[str, Forward] = {
    "patches": lambda x: einops.rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=4, q=4),
    "and back": lambda x: einops.rearrange(
        einops.rearrange(x, "b c h w -> b (h w) c") + 1, "b (h w) c -> b c h w", h=x.size(2)
    ),
    "layers": nn.Sequential(
        layers.Rearrange("b c (h p) w -> b h w (p c)", p=2), layers.Reduce("b h w c -> b c", "mean")
    ),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ON_MAPS)
def test_on_maps(name: str) -> None:
    assert_agrees(ON_MAPS[name], (4, 12, 12), SIDES)


def test_its_caches_hold_no_tensors_of_a_trace() -> None:
    net = Forwarding(ON_SEQUENCES["heads"]).eval()
    assert_agrees(net.function, (10, 8), LENGTHS)
    assert net(torch.zeros(2, 10, 8)).device.type == "cpu"
