"""Twins of convolutions, plain and transposed."""

from __future__ import annotations

from torch import nn

from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, per_side
from shapecalc.bridges.torch.twins.twin import ModuleTwin, gather
from shapecalc.layers.sliding import Windowed


class ConvolutionTwin(ModuleTwin[Windowed]):
    """A convolution of torch; padding per side, which it does not take, is a pad in front of it by a hook."""

    path = "torch.nn.Conv{}d"

    def around(self, fields: Fields) -> list[int] | None:
        """Return what is padded in front, in torch's flat order; None where the module pads."""
        padding = fields.get("padding", 0)
        if not (isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding)):
            return None
        flat = [*per_side(padding)]
        if len(padding) != self.kind.rank or min(flat) < 0:
            raise ValueError("per-side padding has one non-negative pair per axis")
        return flat

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        before, mode = self.around(fields), fields.get("padding_mode", "zeros")
        if before is None:
            return super().build(fields, shapes)
        module = super().build({**fields, "padding": 0, "padding_mode": "zeros"}, shapes)
        how = "constant" if mode == "zeros" else mode
        return gather(module, lambda x: ((nn.functional.pad(x, before, how),), {}))

    def from_module(self, module: nn.Module) -> Fields | None:
        fields = super().from_module(module)
        if fields is None or fields.get("padding_mode", "zeros") == "zeros":
            return fields
        flat: list[int] = vars(module)["_reversed_padding_repeated_twice"]  # kept when the attributes change
        pairs = tuple(zip(flat[-2::-2], flat[-1::-2], strict=True))
        spans = [d * (k - 1) for d, k in zip(fields["dilation"], fields["kernel_size"], strict=True)]
        words = {
            "same": tuple((span // 2, span - span // 2) for span in spans),
            "valid": ((0, 0),) * len(spans),
        }
        padding = fields["padding"]
        declared = words[padding] if isinstance(padding, str) else tuple((side, side) for side in padding)
        return fields if declared == pairs else {**fields, "padding": pairs}

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        if self.around(fields) is not None:
            return "padded side by side it is no single module, so pad before it"
        return super().unwritten(fields, shapes)
