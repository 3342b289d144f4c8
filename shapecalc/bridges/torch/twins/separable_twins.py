"""Twins of depthwise and separable convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from shapecalc.bridges.torch.twins.convolution_twins import ConvolutionTwin
from shapecalc.bridges.torch.twins.source import ModuleSource
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import Twin
from shapecalc.layers.separable_conv import Depthwise, Separable


class DepthwiseTwin(ConvolutionTwin, Twin[Depthwise]):
    """A convolution with a group for every channel."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return grouped(super().arguments(fields, shapes))


class SeparableTwin(ConvolutionTwin, Twin[Separable]):
    """A depthwise convolution without bias, then a pointwise convolution."""

    def call(self, fields: Fields, shapes: Shapes, written: Mapping[str, Any]) -> ModuleSource:
        arguments = self.arguments(fields, shapes)
        last: Fields = {"out_channels": arguments.pop("out_channels"), "kernel_size": 1}
        last["bias"] = arguments.pop("bias", True)
        first = grouped({**arguments, "bias": False})
        of_first = {name: value for name, value in written.items() if name in arguments}
        of_last = {name: written[name] for name in ("out_channels", "bias") if name in written}
        last = {"in_channels": first["out_channels"], **last}
        inside = {
            "depthwise": ModuleSource(self.kind, self.target(), first, of_first, shapes),
            "pointwise": ModuleSource(self.kind, self.target(), last, of_last, shapes),
        }
        return ModuleSource(self.kind, nn.Sequential, inside=inside)


def grouped(fields: Fields) -> Fields:
    """Return the arguments of a convolution with a group for every channel."""
    rest = {name: value for name, value in fields.items() if name != "depth_multiplier"}
    channels = rest["in_channels"]
    return {**rest, "out_channels": channels * fields.get("depth_multiplier", 1), "groups": channels}
