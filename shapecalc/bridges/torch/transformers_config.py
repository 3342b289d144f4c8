"""A network of the transformers library by its configuration file, `config.json`, built without memory."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch

from shapecalc.bridges import need
from shapecalc.errors import Place, SpecError, nearest, quote
from shapecalc.spec.find import read_file, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn

TOKENS = 128
"""The length of the text of a language model, where none is asked for."""
MOST_LAYERS = 1_000
"""Larger numbers in a configuration would be built, layer by layer."""


def configured(file: str, settings: Mapping[str, Any]) -> nn.Module:
    """Return the module that a configuration describes, of the class that it names, with other settings.

    Nothing is fetched, no code but that of the library runs, and weights have no memory. Raises `SpecError`
    where the file is no configuration, or the library has no such network.
    """
    place = Place(short(Path(file)))
    try:
        fields = json.loads(read_file(Path(file))) | settings
    except (json.JSONDecodeError, RecursionError) as error:
        raise SpecError(f"the configuration is not JSON: {error}", place=place) from None
    need("transformers")
    import transformers

    kind, names = fields.get("model_type"), fields.get("architectures") or []
    if kind not in transformers.CONFIG_MAPPING:
        near = nearest(str(kind), [*transformers.CONFIG_MAPPING])
        raise SpecError(f"transformers has no model_type {quote(str(kind))}{near}", place=place)
    if (deep := _too_deep(fields)) is not None:
        raise SpecError(f"{deep} is more than {MOST_LAYERS:,} layers", place=place)
    name = names[0] if isinstance(names, list) and names else ""
    cls: Any = getattr(transformers, str(name)) if hasattr(transformers, str(name)) else None
    if name and not (isinstance(cls, type) and issubclass(cls, transformers.PreTrainedModel)):
        raise SpecError(f"transformers has no network {quote(str(name))}", place=place)
    with _offline(), torch.device("meta"):
        try:
            config = transformers.CONFIG_MAPPING[kind].from_dict(fields)
            made: Any = cls if name else transformers.AutoModel.from_config
            module: nn.Module = made(config)
        except Exception as error:  # whatever the library raises of numbers that do not fit
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise SpecError(f"the network does not build: {lines[0]}"[:400], place=place) from error
    return module.eval()


def usual_input(module: nn.Module) -> dict[str, tuple[int, ...]] | None:
    """Return the input of a network where its configuration says it: so many tokens, or an image."""
    config: Any = module.config
    main = getattr(module, "main_input_name", "")
    if main == "input_ids":
        longest = getattr(config, "max_position_embeddings", None) or TOKENS
        return {main: (min(TOKENS, longest),)}
    side = getattr(config, "image_size", None)
    if main == "pixel_values" and side is not None:
        sides = (side, side) if isinstance(side, int) else tuple(side)
        return {main: (getattr(config, "num_channels", 3), *sides)}
    return None


def _too_deep(fields: Any) -> str | None:
    """Return the first field of a configuration that would make too many modules."""
    for key, value in fields.items():
        if isinstance(value, dict):
            deep = _too_deep(value)
            if deep is not None:
                return f"{key}.{deep}"
        elif isinstance(value, int) and value > MOST_LAYERS and ("layer" in key or "expert" in key):
            return f"{key}: {value:,}"
    return None


@contextmanager
def _offline() -> Iterator[None]:
    with mock.patch.dict(os.environ, {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}):
        yield
