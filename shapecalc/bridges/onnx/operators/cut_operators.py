"""Operators that cut, repeat, pad and fold tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import Size, concrete, field_value, plain

_FAR = 2**31 - 1
"""A place from here on is meant to be behind the end of any axis."""


def _shaped(node: Node, kind: Any, **fields: Any) -> None:
    """Append an operator on the first operand, whose others are fields."""
    append_operator(node, kind, [node.operand(0)], holds=False, **fields)


@operator("Slice")
def _slice(node: Node) -> None:
    x = node.operand(0)
    starts, ends = node.numbers(1, "starts"), node.numbers(2, "ends")
    axes = node.integers(3, "axes", [*range(len(starts))])
    steps = node.integers(4, None, [1] * len(starts))
    axes = [axis % max(x.rank, 1) for axis in axes]
    starts = [_near(start, step) for start, step in zip(starts, steps, strict=True)]
    ends = [_near(end, step) for end, step in zip(ends, steps, strict=True)]
    parts = [*zip(axes, starts, ends, steps, strict=True)]
    if parts and all(_is_torchs(x, *part) for part in parts):
        for number, (axis, start, end, step) in enumerate(parts, start=1):
            fields = {"dim": axis, "start": field_value(start or 0), "end": field_value(end), "step": step}
            layer = canonical(layers.Slice, fields)
            if number < len(parts):
                x = node.step(layer, x)
            else:
                node.ends(layer, x)
        return
    own = {
        "dims": tuple(axes),
        "start": tuple(map(field_value, starts)),
        "end": tuple(map(field_value, ends)),
    }
    _shaped(node, layers.OnnxSlice, **own, step=None if {*steps} <= {1} else tuple(steps))


def _near(place: Any, step: int) -> Any:
    """Return a place; None for one behind the end, in the direction of the step."""
    far = not isinstance(place, Size) and (place >= _FAR if step > 0 else place <= -_FAR)
    if not isinstance(place, Size) and step < 0 and place >= _FAR:
        return None
    return None if far else place


def _is_torchs(x: Operand, axis: int, start: Any, end: Any, step: int) -> bool:
    """Say whether torch's slicing is meant: forwards, and something is left of it at these sizes."""
    places = slice(concrete(start), concrete(end), step)
    return step > 0 and len(range(x.shape[axis])[places]) > 0


@operator("Split")
def _split(node: Node) -> None:
    x, axis = node.operand(0), node.attribute("axis", 0)
    sizes = node.numbers(1, "split")
    count = len(node.proto.output)
    if sizes is None:
        even = node.version < 18 or "num_outputs" not in node.attributes
        _shaped(node, layers.OnnxSplit, dim=axis, chunks=node.attribute("num_outputs", count), even=even)
    elif all(isinstance(size, Size) or size > 0 for size in sizes):
        node.ends(canonical(layers.Split, {"split_size": tuple(map(field_value, sizes)), "dim": axis}), x)
    else:
        _shaped(node, layers.OnnxSplit, dim=axis, sizes=tuple(map(field_value, sizes)))


@operator("Expand")
def _expand(node: Node) -> None:
    _shaped(node, layers.OnnxExpand, shape=field_value(node.numbers(1)))


@operator("Tile")
def _tile(node: Node) -> None:
    x = node.operand(0)
    if node.version < 6:
        repeats: list[Any] = [1] * x.rank
        repeats[node.integers(2)[0]] = node.numbers(1)[0]
    else:
        repeats = node.numbers(1)
    _shaped(node, layers.OnnxTile, repeats=field_value(repeats))


@operator("Pad")
def _pad(node: Node) -> None:
    x, mode = node.operand(0), node.attribute("mode", "constant")
    pads = node.numbers(1, "pads")
    axes = node.integers(3, None, [*range(x.rank)])
    axes = [axis % x.rank for axis in axes]
    value = node.numbers(2, "value", [0])
    is_zero = not any(value if isinstance(value, list) else [value])
    before, after = pads[: len(axes)], pads[len(axes) :]
    left = [x.shape[axis] + concrete(b) + concrete(a) for axis, b, a in zip(axes, before, after, strict=True)]
    if mode == "constant" and is_zero and axes and min([*left, *x.shape], default=1) > 0:
        sides = dict(zip(axes, zip(before, after, strict=True), strict=True))
        flat = [side for axis in range(x.rank - 1, min(axes) - 1, -1) for side in sides.get(axis, (0, 0))]
        node.ends(layers.Pad(pad=field_value(flat)), x)
    else:
        dims = None if axes == [*range(x.rank)] else tuple(axes)
        _shaped(node, layers.OnnxPad, pads=field_value(pads), dims=dims, mode=mode)


@operator("DepthToSpace")
def _depth_to_space(node: Node) -> None:
    size = node.attribute("blocksize")
    if node.attribute("mode", "DCR") == "CRD" and node.operand(0).rank == 4:
        node.ends(layers.PixelShuffle(upscale_factor=size), node.operand(0))
    else:
        _shaped(node, layers.OnnxDepthToSpace, block_size=size)


@operator("SpaceToDepth")
def _space_to_depth(node: Node) -> None:
    _shaped(node, layers.OnnxSpaceToDepth, block_size=node.attribute("blocksize"))


@operator("CenterCropPad")
def _center_crop_pad(node: Node) -> None:
    axes = node.attribute("axes", [*range(node.operand(0).rank)])
    _shaped(node, layers.OnnxCenterCropPad, shape=field_value(node.numbers(1)), dims=tuple(axes))


@operator("Col2Im")
def _columns_to_image(node: Node) -> None:
    lists = {name: node.attribute(name) for name in ("strides", "dilations", "pads")}
    fields = {name: tuple(value) for name, value in lists.items() if value}
    sizes = {"output_size": field_value(node.numbers(1)), "block": field_value(node.numbers(2))}
    _shaped(node, layers.OnnxCol2Im, **sizes, **fields)


@operator("Resize", "Upsample")
def _resize(node: Node) -> None:
    first = 2 if node.op == "Resize" and node.version >= 11 else 1
    scales, sizes = node.numbers(first, "scales") or None, node.numbers(first + 1) or None
    axes = node.attribute("axes")
    fields: dict[str, Any] = {"mode": node.attribute("mode", "nearest"), "dims": axes and tuple(axes)}
    if fields["mode"] not in ("nearest", "linear", "cubic"):
        fields["mode"] = {"bilinear": "linear"}.get(fields["mode"], "nearest")
    if sizes is not None:
        fields |= {
            "sizes": field_value(sizes),
            "policy": node.attribute("keep_aspect_ratio_policy", "stretch"),
        }
    else:
        fields["scales"] = tuple(_single(plain(scale)) for scale in scales or ())
    _shaped(node, layers.OnnxResize, **fields)


def _single(value: float) -> float:
    """Return the decimal that is meant by a number of single precision."""
    return float(str(np.float32(value)))
