"""What looks like a mistake although it runs: one function per warning, each over a whole report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.diagnostic import Diagnostic, Severity
from shapecalc.diagnostics.misaligned_branches import drifting_centres
from shapecalc.engine.unread_input import unread
from shapecalc.errors import Place
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.linear import Dense
from shapecalc.layers.requirement import shown
from shapecalc.layers.reshape import Permute, Transpose
from shapecalc.layers.spatial import Spatial
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.tree import Call, Spec

Rule = Callable[[Spec, Report], Iterator[Diagnostic]]


def silent_loss(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """Rows at the end of the input that no window reaches, because the stride does not divide.

    A kernel shorter than its stride leaves pixels out by design and is passed over, and so are rows of
    zeros that a layer of its own has put there: a window with padding leaves as much of that unread.
    """
    by_path = {node.path: node for node in report.nodes}
    for graph_node, rows in unread(report.inference):
        node = by_path[graph_node.path]
        window, layer = node.window, node.layer
        lost: list[str] = []
        sums: list[str] = []
        for number, left in enumerate(rows):
            if window is not None and isinstance(layer, Spatial) and isinstance(left, int) and left > 0:
                lost.append(_count(left, AXES[layer.rank][number]))
                sides = f"{window.before[number]} + {window.after[number]}"
                span = extent(window.kernel[number], window.dilation[number])
                n = layer.sizes(node.inputs[0])[number]
                sums.append(f"({n} + {sides} - {span})/{window.stride[number]}")
        if lost:
            yield _about(
                node,
                "silent-loss",
                f"{node.kind} never reads the last {' and '.join(lost)} of {shown(node.inputs[0])}: "
                f"{' and '.join(dict.fromkeys(sums))} {'is' if len(set(sums)) == 1 else 'are'} not whole",
            )


def linear_on_map(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A linear layer that reads a map: a flatten is missing.

    In torch it mixes along the width, in Keras the channels of each position. Only where the map comes
    from a layer that keeps the channels where they are; after a permutation the last axis may well be
    the one that is meant.
    """
    maps: set[int] = set()
    by_path = {node.path: node for node in report.nodes}
    for graph_node in report.graph.nodes:
        node = by_path.get(graph_node.path)
        if node is None or len(node.output) < 4:
            continue
        from_map = not maps.isdisjoint(graph_node.sources)
        if isinstance(node.layer, Spatial) or (from_map and not isinstance(node.layer, (Permute, Transpose))):
            maps.add(graph_node.first_slot)
        if from_map and isinstance(node.layer, Dense):
            x = node.inputs[0]
            if spec.framework == "torch":
                message = (
                    f"linear mixes the last axis of the map {shown(x)}, its width of {x[-1]}, at every "
                    f"position of every channel"
                )
            else:
                message = (
                    f"linear mixes the {x[-1]} channels of the map {shown(x)} at each of its "
                    f"{shown(x[1:-1])} positions, so that its result is a map too"
                )
            yield _about(node, "linear-on-map", message, "put a flatten before it")


def swapped_padding(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """An oblong kernel whose padding would fit it if it stood on the other axis."""
    for node in report.nodes:
        window = node.window
        if window is None or window.transposed or set(window.stride) != {1} or len(window.kernel) != 2:
            continue
        spans = [extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True)]
        if (
            spans[0] != spans[1]
            and window.before == window.after
            and [span - 1 for span in reversed(spans)] == [2 * before for before in window.before]
        ):
            yield _about(
                node,
                "swapped-padding",
                f"{node.kind}: a kernel of {shown(tuple(window.kernel))} with a padding of "
                f"{shown(tuple(window.before))} turns {shown(node.inputs[0])} into {shown(node.output)}; "
                f"that padding fits a kernel of {shown(tuple(reversed(window.kernel)))}",
                f"padding: [{', '.join(map(str, reversed(window.before)))}]",
            )


def padded_pointwise(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A kernel of one position with padding: the border of its result has seen nothing of the input."""
    for node in report.nodes:
        window = node.window
        if window is None or window.transposed or set(window.kernel) != {1}:
            continue
        if any(isinstance(pad, int) and pad > 0 for pad in (*window.before, *window.after)):
            yield _about(
                node,
                "padded-pointwise",
                f"{node.kind}: a kernel of {shown(tuple(window.kernel))} with a padding of "
                f"{shown(tuple(window.before))} turns {shown(node.inputs[0])} into {shown(node.output)}: "
                f"at the border it has seen nothing of the input",
                "padding: 0",
            )


def map_as_output(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """Outputs that disagree: a map beside vectors, or heads with different numbers of classes."""
    if len(report.outputs) < 2:
        return
    main, *others = report.outputs.items()
    for name, shape in others:
        if len(shape) != len(main[1]):
            message = (
                f"the output {name} is {shown(shape)}, with {len(shape)} axes, but {main[0]} is "
                f"{shown(main[1])}, with {len(main[1])}"
            )
        elif len(shape) == 2 and shape[-1] != main[1][-1]:
            message = f"the output {name} has {shape[-1]} classes, but {main[0]} has {main[1][-1]}"
        else:
            continue
        yield Diagnostic("heads-disagree", "warning", message, _deciding(spec, report, name), (name,))


def _deciding(spec: Spec, report: Report, output: str) -> Place:
    """Return where the last layer with weights on the way to an output is written."""
    producer = report.graph.producer
    weighty = {node.path for node in report.nodes if node.weights}
    node = producer(report.graph.outputs[output])
    while node is not None and node.path not in weighty:
        node = producer(node.sources[0]) if node.sources else None
    return node.place.of(node.layer.kind) if node is not None else spec.place


def dropped_outputs(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """Results that nothing reads and that are no output of the model."""
    read = {slot for node in report.graph.nodes for slot in node.sources}
    read |= set(report.graph.outputs.values())
    for graph_node in report.graph.nodes:
        if not read.intersection(graph_node.slots):
            yield Diagnostic(
                "unused-result",
                "warning",
                f"{graph_node.layer.kind} is computed, but nothing reads its result and it is no output",
                graph_node.place.of(graph_node.layer.kind),
                (graph_node.path,),
            )


def shared_at_other_sizes(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """Weights used again on an input of other sizes: sometimes meant, often a layer too few."""
    by_path = {node.path: node for node in report.nodes}
    for node in report.nodes:
        owner = by_path.get(node.shares or "")
        if owner is not None and node.weights and owner.inputs != node.inputs:
            yield _about(
                node,
                "shared-weights",
                f"{node.kind} uses the weights of {owner.path} on {shown(node.inputs[0])}, "
                f"which they first met as {shown(owner.inputs[0])}",
                severity="note",
            )


def bias_before_norm(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A bias that the batch normalization behind it takes away again."""
    readers: dict[int, list[int]] = {}
    nodes = report.graph.nodes
    for index, graph_node in enumerate(nodes):
        for slot in graph_node.sources:
            readers.setdefault(slot, []).append(index)
    by_path = {node.path: node for node in report.nodes}
    for graph_node in nodes:
        node = by_path.get(graph_node.path)
        found = readers.get(graph_node.first_slot, [])
        if (
            node is None
            or len(found) != 1
            or "bias" not in {name.rpartition(".")[2] for name in node.weights}
        ):
            continue
        if nodes[found[0]].layer.kind.startswith("batch_norm") and node.kind != nodes[found[0]].layer.kind:
            yield _about(
                node,
                "bias-before-norm",
                f"{node.kind} adds a bias that the {nodes[found[0]].layer.kind} behind it takes away again",
                "bias: false",
                severity="note",
            )


def kernel_over_input(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A kernel larger than its input: at no position do all of its weights meet the input."""
    for node in report.nodes:
        window = node.window
        if window is None or window.transposed or not isinstance(node.layer, Spatial):
            continue
        sizes = node.layer.sizes(node.inputs[0])
        spans = [extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True)]
        if any(
            isinstance(n, int) and isinstance(e, int) and e > n for n, e in zip(sizes, spans, strict=True)
        ):
            yield _about(
                node,
                "kernel-over-input",
                f"{node.kind}: the kernel spans {shown(tuple(spans))}, more than its input of {shown(sizes)}",
            )


def idle_padding(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A padding of `same` that pads nothing here, and would at a size that leaves a rest."""
    for node in report.nodes:
        window = node.window
        if window is None or window.transposed or getattr(node.layer, "padding", None) != "same":
            continue
        spans = [extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True)]
        would = any(
            isinstance(e, int) and isinstance(s, int) and min(e, s) > 1
            for e, s in zip(spans, window.stride, strict=True)
        )
        if would and set(window.before) == set(window.after) == {0}:
            yield _about(
                node,
                "idle-padding",
                f"{node.kind}: padding same adds nothing to {shown(node.inputs[0])}, of which a stride of "
                f"{shown(tuple(window.stride))} leaves no rest: valid gives the same, and they differ only "
                f"at other sizes",
                severity="note",
            )


def unused_parts(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """Blocks that no step uses, and parameters that nothing reads."""
    if spec.is_member:
        return  # what it leaves unused is for another member of its family
    budgets = [spec.budget, *(variant.budget for variant in spec.variants.values())]
    used = set(_words((spec.layers, spec.blocks, spec.parameters, spec.input, budgets)))
    for what, names in (("block", spec.blocks), ("parameter", spec.parameters)):
        for name in names:
            if name not in used:
                place = spec.place.of(f"{what}s", name)
                yield Diagnostic(f"unused-{what}", "warning", f"nothing uses the {what} {name}", place)


RULES: tuple[Rule, ...] = (
    silent_loss,
    linear_on_map,
    swapped_padding,
    padded_pointwise,
    map_as_output,
    dropped_outputs,
    shared_at_other_sizes,
    bias_before_norm,
    kernel_over_input,
    idle_padding,
    drifting_centres,
    unused_parts,
)


def _about(node: Node, code: str, message: str, hint: str = "", severity: Severity = "warning") -> Diagnostic:
    return Diagnostic(code, severity, message, node.place.of(node.kind), (node.path,), hint)


def _count(number: int, axis: str) -> str:
    unit = {"height": "row", "width": "column", "depth": "slice", "length": "element"}[axis]
    return f"{number} {unit}s" if number > 1 else unit


def _words(value: Any) -> Iterator[str]:
    """Yield every name that a part of the tree reads or calls."""
    if isinstance(value, Formula):
        yield from value.names
    elif isinstance(value, Call):
        yield value.callee
        yield from _words(value.arguments)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _words(getattr(value, name))
    elif isinstance(value, Mapping):
        yield from _words(tuple(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _words(item)
