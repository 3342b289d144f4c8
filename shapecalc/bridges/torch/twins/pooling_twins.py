"""Twins of pooling, unpooling, padding and cropping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.twins.source import ModuleSource, Operation, TorchCall
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, per_side
from shapecalc.bridges.torch.twins.twin import FunctionTwin, ModuleTwin, Twin, gather
from shapecalc.layers import LPPool1d
from shapecalc.layers.base import Kind
from shapecalc.layers.crop import Crop
from shapecalc.layers.global_pool import GlobalMaximum, GlobalPool
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.pad_input import CircularPad
from shapecalc.layers.unpool import MaxUnpool


class LPPool1dTwin(ModuleTwin[LPPool1d]):
    """A module that does not take a list of length 1: it takes its entry."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {
            name: value[0] if isinstance(value, tuple) and len(value) == 1 else value
            for name, value in fields.items()
        }


class GlobalPoolTwin(FunctionTwin[GlobalPool]):
    """A reduction of all spatial axes at once, to their mean or their maximum."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        rank = self.kind.rank
        if len(shapes[0]) not in (rank + 1, rank + 2):
            raise ValueError("a batched or unbatched input")
        reduction = "torch.amax" if issubclass(self.kind, GlobalMaximum) else "torch.mean"
        keepdim = {"keepdim": True} if fields.get("keepdim") else {}
        return TorchCall(reduction, settings={"dim": tuple(range(-rank, 0)), **keepdim})


class MaxUnpoolTwin(ModuleTwin[MaxUnpool]):
    """torch's unpooling, which takes the size of its result as an argument of its forward."""

    first_index = 1

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {name: value for name, value in fields.items() if name != "output_size"}

    def connected(self, module: nn.Module, fields: Fields, shapes: Shapes) -> nn.Module:
        size = fields.get("output_size")
        if size is not None:
            sizes = size if isinstance(size, tuple) else (size,) * self.kind.rank
            gather(module, lambda x, indices: ((x, indices, sizes), {}))
        return module

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        is_sized = fields.get("output_size") is not None
        return "unpooling to a given size is an argument of forward, not of the module" if is_sized else ""


# ---- padding and cropping


class PadTwin(ModuleTwin[SpatialPad]):
    """torch's padding, which takes sides in its flat order, beginning with the last axis."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        sides, rank = fields["padding"], self.kind.rank
        is_flat = isinstance(sides, tuple) and len(sides) == 2 * rank
        if not isinstance(sides, tuple) or (is_flat and all(isinstance(side, int) for side in sides)):
            return fields
        if len(sides) != rank:
            raise ValueError("padding has one entry per axis, or two numbers per axis")
        return {**fields, "padding": per_side(sides)}


class CircularPadTwin(PadTwin, Twin[CircularPad]):
    """Circular padding."""

    def stricter(self, layer: Kind) -> str:
        crops = _is_negative(getattr(layer, "padding", 0))
        return "refused on purpose where torch may return memory that it never wrote" if crops else ""


def _is_negative(value: object) -> bool:
    """Say whether a number, or one inside nested tuples, is negative."""
    return any(map(_is_negative, value)) if isinstance(value, tuple) else isinstance(value, int) and value < 0


class CropTwin(ModuleTwin[Crop]):
    """Padding by negative numbers, which refuses to take away more than there is."""

    path = "torch.nn.ZeroPad{}d"

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        rank, crop = self.kind.rank, fields["crop"]
        sides = per_side(crop if isinstance(crop, tuple) else (crop,) * rank)
        if len(sides) != 2 * rank or min(sides) < 0 or len(shapes[0]) not in (rank + 1, rank + 2):
            raise ValueError("cropping takes one non-negative entry per axis of a batched or unbatched input")
        return {"padding": tuple(-side for side in sides) if isinstance(crop, tuple) else -crop}

    def call(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> ModuleSource:
        crop = written.get("crop")
        negative = {"padding": Formula.parse(f"-({crop.text})")} if isinstance(crop, Formula) else {}
        return super().call(fields, shapes, negative)
