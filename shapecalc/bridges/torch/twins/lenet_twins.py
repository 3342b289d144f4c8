"""Twins of the layers of the LeNet-5 of 1998, apart so that other convolutions do not load them."""

from __future__ import annotations

import torch
from torch import nn

from shapecalc.bridges.torch.twins.convolution_twins import ConvolutionTwin
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import ModuleTwin, Twin
from shapecalc.layers.lenet import PartialConv2d, Subsample2d


class PartialConv2dTwin(ConvolutionTwin, Twin[PartialConv2d]):
    """A convolution of which each output channel sees some input channels."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        connections = fields["connections"]
        if len(shapes[0]) not in (3, 4) or not connections or any(len(set(c)) < len(c) for c in connections):
            raise ValueError("an image, and no connection twice")
        arguments = {"connections": connections, "kernel_size": _checked(fields).kernel_size}
        arguments |= {
            name: fields[name] for name in ("stride", "padding", "dilation", "bias") if name in fields
        }
        return arguments | ({"padding": 0} if arguments.get("padding") == "valid" else {})

    def around(self, fields: Fields) -> list[int] | None:
        sides = super().around(fields)
        if sides is None and (
            fields.get("padding_mode", "zeros") != "zeros" or fields.get("padding") == "same"
        ):
            return _checked(fields)._reversed_padding_repeated_twice  # noqa: SLF001  (torch knows its odd side)
        return sides

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        is_hooked = self.around(fields) is not None
        return (
            "padding per side, to the same size, or other than zeros is done by a hook" if is_hooked else ""
        )


def _checked(fields: Fields) -> nn.Conv2d:
    """Return torch's own convolution with these settings, which it checks."""
    with torch.device("meta"):
        return nn.Conv2d(1, 1, **{name: value for name, value in fields.items() if name != "connections"})


class Subsample2dTwin(ModuleTwin[Subsample2d]):
    """A sum over windows, with one coefficient and one bias a channel."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        if len(shapes[0]) not in (3, 4):
            raise ValueError("a batched or unbatched image")
        return {"channels": shapes[0][-3], **fields}
