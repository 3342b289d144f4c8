"""ONNX's convolutions of small integers, with the scales and zero points that they take."""

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.layers import onnx_window
from shapecalc.layers.base import Layer
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count
from shapecalc.layers.onnx_operator import OnnxOperator, Operands
from shapecalc.layers.onnx_window import AutoPadding
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import Dilation, Stride


class IntegerConvolving(OnnxOperator):
    """A convolution whose weight is an operand, over one to three axes."""

    family = Family.CONVOLUTION

    stride: Stride = 1
    padding: AutoPadding = 0
    dilation: Dilation = 1
    groups: Count = 1

    def layer(self, x: Operands) -> Layer:
        """Return the convolution with a weight of its own."""
        weight = x["w"]
        cls: type[Layer] = getattr(onnx_window, f"OnnxConv{len(weight) - 2}d")
        names = ("stride", "padding", "dilation", "groups")
        fields: dict[str, Any] = {name: getattr(self, name) for name in names}
        fields |= {"out_channels": weight[0], "kernel_size": weight[2:], "bias": "B" in x}
        return cls.model_construct(**fields)

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from rank_between(f"{self.kind}: w", x["w"], 3, 5)
        yield from self.ranked(x, x=len(x["w"]), B=1)
        for name in ("stride", "padding", "dilation"):
            value = getattr(self, name)
            if isinstance(value, tuple):
                says = f"{self.kind}: {name} is not for the axes of {shown(x['w'])}"
                yield Requirement("axes", len(value), "==", len(x["w"]) - 2, says)
        says = f"{self.kind}: {shown(x['w'])} is for other channels than those of {shown(x['x'])}"
        yield Requirement("channels", x["w"][1] * self.groups, "==", x["x"][1], says)
        yield from self.equal(x, "B", 0, x["w"][0])
        layer = self.layer(x)
        for requirement in layer.requirements(x["x"]):
            yield requirement.saying(f"{self.kind}: {requirement.message}")

    def output(self, x: Operands) -> Shape:
        return self.layer(x).output(x["x"])

    def macs(self, x: Operands) -> Dim | None:
        return self.layer(x).macs(x["x"])


class OnnxQLinearConv(IntegerConvolving, kind="onnx_q_linear_conv"):
    """Convolution of quantized tensors, quantized again: a scale and a zero point for each of the three.

    Sizes and MACs are those of `onnx_conv2d` and its like. Refuses what they refuse. Source: ONNX,
    QLinearConv.

    >>> OnnxQLinearConv(padding=1).output({"x": (1, 3, 9, 9), "w": (8, 3, 3, 3)})
    (1, 8, 9, 9)
    """

    operands = "x x_scale x_zero_point w w_scale w_zero_point y_scale y_zero_point B?"


class OnnxConvInteger(IntegerConvolving, kind="onnx_conv_integer"):
    """Convolution of small integers, each tensor with a zero point or none, in integers.

    Sizes and MACs are those of `onnx_conv2d` and its like. Refuses what they refuse. Source: ONNX,
    ConvInteger.

    >>> OnnxConvInteger(stride=2).output({"x": (1, 3, 9, 9), "w": (8, 3, 3, 3)})
    (1, 8, 4, 4)
    """

    operands = "x w x_zero_point? w_zero_point?"
