"""A lower bound on time: what a device computes and moves for each layer, at the peak of its datasheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from shapecalc.errors import SpecError, unknown
from shapecalc.layers.effect import Window
from shapecalc.layers.family import Family, Group
from shapecalc.layers.memory_traits import INFERENCE
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.report.totals import item_bits

_READ = {Group.CONVOLUTION, Group.DENSE, Group.RECURRENT, Group.ATTENTION, Group.NORM, Group.POINTWISE}
"""Groups of families whose layers read all of their inputs, windows apart."""
_READ_TOO = {
    *(Family.MERGE, Family.MATRIX_PRODUCT, Family.MAX_POOL, Family.AVERAGE_POOL, Family.GLOBAL_POOL),
    *(Family.ADAPTIVE_AVERAGE_POOL, Family.ADAPTIVE_MAX_POOL),
}
"""Families besides that do; of all others no reading is counted."""


@dataclass(frozen=True)
class Device:
    """What a device does at most: multiplications and additions per second by dtype, and bytes per second."""

    title: str
    flops: Mapping[str, float]
    bandwidth: float
    source: str = ""

    def peak(self, dtype: str) -> float:
        """Return the operations per second in a dtype; raise `SpecError` for one without a figure."""
        bits = item_bits(dtype)
        names = [name for name in self.flops if name == dtype or name in _SAME.get(dtype, ())]
        if not names:
            known = ", ".join(self.flops)
            raise SpecError(
                f"{self.title} has no figure for {dtype} ({bits} bits)",
                hint=f"it has {known}; or give --flops",
            )
        return self.flops[names[0]]


_SAME = {
    **dict.fromkeys(("bf16", "bfloat16", "fp16", "half"), ("float16",)),
    **dict.fromkeys(("fp32", "float"), ("float32",)),
    **dict.fromkeys(("fp64", "double"), ("float64",)),
    **dict.fromkeys(("fp8",), ("float8",)),
}
DEVICES = {
    "v100": Device(
        "V100 SXM2", {"float32": 15.7e12, "float16": 125e12}, 900e9, "NVIDIA V100 datasheet, 2020"
    ),
    "a100": Device(
        "A100 SXM 80 GB",
        {"float64": 19.5e12, "float32": 19.5e12, "float16": 312e12, "int8": 624e12},
        2039e9,
        "NVIDIA A100 datasheet, 2022: dense, float32 without TF32",
    ),
    "h100": Device(
        "H100 SXM",
        {"float64": 67e12, "float32": 67e12, "float16": 989.4e12, "float8": 1978.9e12, "int8": 1978.9e12},
        3350e9,
        "NVIDIA H100 datasheet, 2024: dense, float32 without TF32",
    ),
}
"""Datasheet figures: dense matrix products, no sparsity."""


def device_named(name: str | None, dtype: str, flops: float | None, bandwidth: float | None) -> Device:
    """Return a device of the table, or one of given figures; what is given replaces what the table has."""
    if name is None:
        if flops is None or bandwidth is None:
            raise SpecError("a roofline needs a device, or its operations and bytes per second")
        return Device("the device", {dtype: flops}, bandwidth)
    if name not in DEVICES:
        raise unknown("unknown device", name, DEVICES)
    device = DEVICES[name]
    rates = device.flops if flops is None else {dtype: flops}
    return Device(device.title, rates, bandwidth or device.bandwidth, device.source)


@dataclass(frozen=True)
class LayerBound:
    """What one layer computes and moves at least, and the seconds that this takes."""

    path: str
    kind: str
    flops: int | None
    """Twice its MACs; None where the kind has no rule, which counts as none."""
    bytes: int
    compute_seconds: float
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The greater of both: computing and moving may overlap."""
        return max(self.compute_seconds, self.memory_seconds)

    @property
    def intensity(self) -> float | None:
        """Operations per byte; None where nothing is moved."""
        return (self.flops or 0) / self.bytes if self.bytes else None

    @property
    def is_bound_by_memory(self) -> bool:
        """Whether moving takes longer than computing."""
        return self.memory_seconds > self.compute_seconds


@dataclass(frozen=True)
class Roofline:
    """A lower bound on the time of layers that run one after another, their tensors in the device's memory.

    It is no prediction: real kernels come near the peaks of a datasheet for large products only. Layers that
    are fused, or whose tensors stay in a cache, may move less than is counted here.
    """

    report: Report[int] = field(repr=False)
    device: Device

    @cached_property
    def layers(self) -> tuple[LayerBound, ...]:
        """The bound of each layer, in order of execution."""
        peak = self.device.peak(self.report.dtype)
        return tuple(_bound(node, peak, self.device.bandwidth) for node in self.report.nodes)

    @property
    def seconds(self) -> float:
        """The sum over all layers."""
        return sum(layer.seconds for layer in self.layers)

    @property
    def memory_share(self) -> float:
        """The share of the time that is spent in layers bound by memory."""
        bound = sum(layer.seconds for layer in self.layers if layer.is_bound_by_memory)
        return bound / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, object]:
        """Return the bound as plain data for JSON."""
        device, dtype = self.device, self.report.dtype
        return {
            "name": self.report.name,
            "device": {"title": device.title, "source": device.source, "bandwidth": device.bandwidth}
            | {"flops": device.peak(dtype), "dtype": dtype},
            "seconds_at_least": self.seconds,
            "memory_share": self.memory_share,
            "layers": [
                {
                    "path": layer.path,
                    "kind": layer.kind,
                    "flops": layer.flops,
                    "bytes": layer.bytes,
                    "intensity": layer.intensity,
                    "seconds_at_least": layer.seconds,
                    "bound_by": "memory" if layer.is_bound_by_memory else "compute",
                }
                for layer in self.layers
            ],
        }


def _bound(node: Node[int], peak: float, bandwidth: float) -> LayerBound:
    flops = None if node.macs is None else 2 * node.macs
    moved = bytes_moved(node)
    return LayerBound(node.path, node.kind, flops, moved, (flops or 0) / peak, moved / bandwidth)


def bytes_moved(node: Node[int]) -> int:
    """Return the bytes that a layer reads and writes at least: none for a view, nothing twice.

    A kind whose memory is not known counts its weights alone.
    """
    how = node.layer.memory(tuple(node.inputs), INFERENCE)
    results = () if how is None else how.results
    made = [
        prod(shape)
        for shape, place in zip(node.outputs, results, strict=False)
        if place is None or place.how == "in place"
    ]
    family = node.layer.acts_as
    if family is Family.TENSOR:  # read by the layers that it is an input of
        return 0
    weights: Any = (*node.weights.values(), *node.buffers.values())
    read: list[int] = []
    if made and (family.group in _READ or family in _READ_TOO) and family is not Family.EMBEDDING:
        read = [prod(shape) for shape in node.inputs]
        read[0] = _seen(node.inputs[0], node.outputs[0], node.window)
    if family is not Family.EMBEDDING and (made or read):  # of a table only the rows that are looked up
        read += map(prod, weights)
    elif family is Family.EMBEDDING:
        read = [*made]
    return -(-(sum(made) + sum(read)) * node.bits // 8)


def _seen(x: tuple[int, ...], result: tuple[int, ...], window: Window | None) -> int:
    """Return how many numbers of an input its windows read at least."""
    if window is None or window.transposed:
        return prod(x)
    seen = [*x]
    for axis in range(-len(window.kernel), 0):
        numbers: Any = (window.kernel[axis], window.stride[axis], window.dilation[axis])
        around: Any = (window.before[axis], window.after[axis])
        (kernel, stride, steps), (before, after), n, out = numbers, around, x[axis], result[axis]
        if steps == 1 and kernel >= stride:
            last = (out - 1) * stride + kernel - before
            seen[axis] = min(n, max(last, 0))
        else:
            seen[axis] = min(n, max(out - before - after, 0))
    return prod(seen)
