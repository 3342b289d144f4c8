"""How one layer is written: by a rule of its kind, or as the class or function of torch that it names."""

from __future__ import annotations

import inspect
import re
from typing import Any

from shapecalc.bridges.torch.export.function_source import AS_FUNCTIONS, function
from shapecalc.bridges.torch.export.layer_source import Rule, Source, module
from shapecalc.bridges.torch.export.module_source import AS_MODULES
from shapecalc.bridges.torch.twins.generic_modules import Sizes, named, plain
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind

RULES: dict[str, Rule] = {**AS_MODULES, **AS_FUNCTIONS}

_AROUND = "torch makes it out of a layer"
_TRACED = "it notes what was seen of a forward, which is not its source"
REFUSED: dict[str, str] = {
    **dict.fromkeys(("weight_norm", "spectral_norm", "transformer_encoder", "transformer_decoder"), _AROUND),
    **dict.fromkeys(("opaque", "require", "constant", "parameter", "unused"), _TRACED),
}
"""Kinds that are never written, and why."""


def source_of(layer: Kind, shapes: tuple[Sizes, ...], written: dict[str, Any]) -> Source:
    """Return how a layer is written for the tensors that arrive.

    `written` are the fields as the spec has them, formulas among them; which are said is asked of it, for
    equal layers of a graph are one object, however each is written.
    """
    if layer.kind in REFUSED:
        raise SpecError(f"there is no source in torch for {layer.kind}: {REFUSED[layer.kind]}")
    said = (name for name in written if name in type(layer).model_fields and name != "branches")
    fields = {name: plain(getattr(layer, name)) for name in said}
    special = RULES.get(layer.kind) or RULES.get(re.sub("[123]d$", "", layer.kind))
    if special is not None:
        return special(layer, fields, shapes, written)
    if layer.torch is None or not inspect.isclass(named(layer.torch)):
        if layer.torch is None or layer.torch.split(".")[0] != "torch":
            raise SpecError(f"there is no source in torch for {layer.kind}")
        return function(layer, fields)
    return module(layer, fields, shapes, written)
