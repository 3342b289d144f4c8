"""The network built and run at once: what each of its layers makes of real tensors, against the report.

A hook on every layer looks at the shape that comes out, at the weights and buffers that it holds, and at what
torch's FlopCounterMode has counted meanwhile. The pass that counts has shapes only, for on the CPU torch runs
some layers in one piece, which it does not count; a network that is small enough is then run on numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc.algebra.expr_text import grouped
from shapecalc.bridges.torch.build import Part, build, numbers, shapes_before
from shapecalc.bridges.torch.proof.verdict import shapes_text
from shapecalc.bridges.torch.proof.verify_layer import difference, quiet, shapes_of
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.bridges.torch.twins.twin import flat, floats, twin_of
from shapecalc.errors import SpecError
from shapecalc.model import Model
from shapecalc.report.node import Node, total
from shapecalc.report.report import Report

MOST_PARAMS, MOST_MACS, MOST_BYTES = 30_000_000, 10_000_000_000, 1 << 30
"""How large a network may be to be run on numbers: a second or two, and 1.2 GB."""


@dataclass(frozen=True, slots=True)
class Forward:
    """What a forward of the built network showed; `why` it was not run, or not on numbers."""

    layers: int = 0
    on_numbers: bool = False
    why: str = ""
    differences: Mapping[str, str] = field(default_factory=dict)
    """By the path of a layer; what is not of one layer has no path."""
    what: str = "the built network"
    compared: str = ""
    """What of a module was compared at once, instead of layer by layer."""

    @property
    def is_refuted(self) -> bool:
        """Whether anything came out otherwise than reported."""
        return bool(self.differences)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.layers:
            return f"not run: {self.why}"
        how = "ran on numbers" if self.on_numbers else f"ran on shapes alone, for {self.why}"
        if self.differences:
            general = self.differences.get("")
            return f"{self.what} {how}; refuted{f': {general}' if general else ' where it is said'}"
        if self.compared:
            return f"{self.what} {how}: {self.compared} are those of the report"
        count = f"each of its {self.layers} layers" if self.layers > 1 else "its one layer"
        return f"{self.what} {how}: {count} has the shape, weights, buffers and MACs of the report"


def forward(model: Model, report: Report, shape: Any, values: Mapping[str, Any]) -> Forward:
    """Build a model, run it, and compare every layer with its line in the report.

    >>> from shapecalc import load
    >>> model = load("lenet5")
    >>> result = forward(model, model.analyze(), None, {})
    >>> result.layers, result.on_numbers, dict(result.differences)
    (12, True, {})
    """
    if not report.nodes:
        return Forward(why="it has no layers")
    try:
        bare = build(model, "meta", shape, values)
    except SpecError as error:
        return Forward(why=error.message)
    why = too_large(report)
    on_cpu = any(twin_of(node.layer).on_cpu for node in report.nodes)
    differences = {} if on_cpu else _run(bare, report, "meta")
    if not why and not differences:
        differences = _run(build(model, "cpu", shape, values), report, "cpu")
    return Forward(len(report.nodes), not why, why, differences)


def too_large(report: Report) -> str:
    """Return why a network is not run on numbers, or nothing."""
    sizes = (
        ("parameters", report.params, MOST_PARAMS),
        ("MACs", report.macs, MOST_MACS),
        ("bytes of results", total(node.bytes for node in report.nodes), MOST_BYTES),
    )
    for what, size, most in sizes:
        if not isinstance(size, int) or size > most:
            return f"it has {grouped(size)} {what}"
    return ""


def _run(network: nn.Module, report: Report, device: str) -> dict[str, str]:
    """Return how the layers of a network that runs differ from their lines in the report."""
    network.eval()
    differences: dict[str, str] = {}
    counter = FlopCounterMode(display=False)
    inputs = [*_inputs(report, device)]
    with quiet(), counter, _watched(network, report, counter, device, differences) as entered:
        try:
            result = network(*inputs)
        except REJECTIONS as error:
            message = str(error).strip().splitlines() or [""]
            return differences | {entered[-1] if entered else "": f"torch refuses it: {message[0]}"}
    outputs = [*result.values()] if isinstance(result, dict) else [result]
    ours, theirs = tuple(report.outputs.values()), shapes_of(outputs)
    if ours != theirs and not differences:
        differences[""] = f"the outputs are {shapes_text(theirs)}, and reported as {shapes_text(ours)}"
    return differences


@contextmanager
def _watched(
    network: nn.Module, report: Report, counter: FlopCounterMode, device: str, differences: dict[str, str]
) -> Iterator[list[str]]:
    """Hang a hook on every layer that compares it with the report; yield the layers that were entered."""
    entered: list[str] = []
    before: dict[str, int] = {}
    handles = []
    for node in report.nodes:

        def enter(_module: nn.Module, _args: Any, *, path: str = node.path) -> None:
            entered.append(path)
            before[path] = counter.get_total_flops()

        def leave(module: nn.Module, _args: Any, result: Any, *, node: Node = node) -> None:
            flops = counter.get_total_flops() - before[node.path]
            if text := _difference(node, module, flat(result), flops if device == "meta" else None):
                differences.setdefault(node.path, text)

        module = network.get_submodule(node.path)
        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield entered
    finally:
        for handle in handles:
            handle.remove()
    missed = [node.path for node in report.nodes if node.path not in entered]
    if missed and not differences:
        differences[missed[0]] = "the forward never reaches it"


def _difference(node: Node, module: nn.Module, results: tuple[Tensor, ...], flops: int | None) -> str:
    """Return how what a layer made, holds and cost differs from the report, or nothing."""
    shapes = shapes_of(results)
    if shapes != node.outputs:
        return f"output: ours {shapes_text(node.outputs)}, in the forward {shapes_text(shapes)}"
    held = module.merging[0] if isinstance(module, Part) else module
    return difference(node.layer, node.weights, node.buffers, node.macs, held, flops, "in the forward")


def _inputs(report: Report, device: str) -> Iterator[Tensor]:
    """Yield tensors of the kind that the first layer to read each input takes."""
    shapes = report.inference.shapes
    for slot, shape in enumerate(report.inputs.values()):
        reader = next((node for node in report.graph.nodes if slot in node.sources), None)
        if reader is None:
            yield floats(numbers(shape), device)
        else:
            tensors = twin_of(reader.layer).tensors(shapes_before(reader, shapes), device)
            yield tensors[reader.sources.index(slot)]
