"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapecalc.layers.conv import Conv1d as Conv1d
    from shapecalc.layers.conv import Conv2d as Conv2d
    from shapecalc.layers.conv import Conv3d as Conv3d
    from shapecalc.layers.conv import DepthwiseConv1d as DepthwiseConv1d
    from shapecalc.layers.conv import DepthwiseConv2d as DepthwiseConv2d
    from shapecalc.layers.conv import DepthwiseConv3d as DepthwiseConv3d
    from shapecalc.layers.conv import SeparableConv1d as SeparableConv1d
    from shapecalc.layers.conv import SeparableConv2d as SeparableConv2d

KINDS: dict[str, str] = {
    "conv1d": "shapecalc.layers.conv:Conv1d",
    "conv2d": "shapecalc.layers.conv:Conv2d",
    "conv3d": "shapecalc.layers.conv:Conv3d",
    "depthwise_conv1d": "shapecalc.layers.conv:DepthwiseConv1d",
    "depthwise_conv2d": "shapecalc.layers.conv:DepthwiseConv2d",
    "depthwise_conv3d": "shapecalc.layers.conv:DepthwiseConv3d",
    "separable_conv1d": "shapecalc.layers.conv:SeparableConv1d",
    "separable_conv2d": "shapecalc.layers.conv:SeparableConv2d",
}
