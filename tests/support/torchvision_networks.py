"""The networks that torchvision has: how to build each without memory for its weights, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

import torch
import torchvision
from torch import nn
from torchvision.models.regnet import BlockParams

import shapecalc

IN_TORCHVISION: dict[str, str] = {
    name: theirs
    for name in shapecalc.names()
    if (theirs := name.removesuffix("_torchvision")) in torchvision.models.list_models()
    and name != "googlenet"
}
"""Our names with torchvision's. Our `googlenet` is the paper's: its biases and 5x5 convolutions torchvision's lacks."""

OPTIONS: dict[str, dict[str, Any]] = {
    **{family: {"init_weights": False} for family in ("vgg", "inception", "googlenet")},
    **{family: {"weights_backbone": None, "aux_loss": True} for family in ("fcn_", "deeplabv3")},
    "lraspp": {"weights_backbone": None},
}
"""By how a name begins, what its builder must be told to be quick, and to build all of it."""


@contextmanager
def on_meta() -> Iterator[None]:
    """Give tensors no memory, but to RegNet's builder, which finds the widths by arithmetic on tensors."""
    honest = BlockParams.from_init_params

    def with_numbers(**given: Any) -> BlockParams:
        with torch.device("cpu"):
            return honest(**given)

    with torch.device("meta"), mock.patch.object(BlockParams, "from_init_params", with_numbers):
        yield


@cache
def built(name: str, image_size: int | None = None) -> nn.Module:
    """Return a network as it is used, but with its heads on; a Vision Transformer is built for one size."""
    theirs = IN_TORCHVISION[name]
    options: dict[str, Any] = {"weights": None}
    for beginning, given in OPTIONS.items():
        if theirs.startswith(beginning):
            options |= given
    if image_size is not None:
        options["image_size"] = image_size
    with on_meta():
        module: nn.Module = torchvision.models.get_model(theirs, **options).eval()
    module.training = True  # the module itself only: batch norm keeps to its statistics
    return module


@dataclass(frozen=True)
class Told:
    """What torchvision writes beside trained weights."""

    weights: str
    size: int
    params: int
    giga_macs: float
    min_size: tuple[int, int] | None


def told(name: str) -> list[Told]:
    """Return what torchvision says of a network, once for each set of weights."""
    found: list[Told] = []
    for weights in torchvision.models.get_model_weights(IN_TORCHVISION[name]):
        transforms = weights.transforms()
        size, *_ = getattr(transforms, "crop_size", None) or transforms.resize_size
        meta = weights.meta
        found.append(Told(str(weights), size, meta["num_params"], meta["_ops"], meta.get("min_size")))
    return found
