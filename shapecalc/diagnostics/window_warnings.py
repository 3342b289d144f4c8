"""Windows that look like a mistake although they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from shapecalc.diagnostics.violation import Violation, of_layer
from shapecalc.engine.unread_input import unread
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Window
from shapecalc.layers.requirement import Shape
from shapecalc.layers.spatial import Spatial
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec

_UNITS = {"height": "row", "width": "column", "depth": "slice", "length": "element"}
_PADDED = "{kind}: a kernel of {kernel} with a padding of {padding} turns {input} into {output}"


def silent_loss(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find rows at the end of the input that no window reaches, because the stride does not divide.

    A kernel shorter than its stride leaves pixels out by design and is passed over, and so are rows of
    zeros that a layer of its own has put there: a window with padding leaves as much of that unread.
    """
    by_path = {node.path: node for node in report.nodes}
    for graph_node, unread_positions in unread(report.inference):
        node, layer = by_path[graph_node.path], graph_node.layer
        window = node.window
        rows = {n: left for n, left in enumerate(unread_positions) if isinstance(left, int) and left > 0}
        if not rows or window is None or not isinstance(layer, Spatial):
            continue
        x, spans = node.inputs[0], _spans(window)
        sizes, units = layer.sizes(x), [_UNITS[name] for name in AXES[layer.rank]]
        lost = [f"{left} {units[n]}s" if left > 1 else units[n] for n, left in rows.items()]
        sums = dict.fromkeys(
            f"({sizes[n]} + {window.before[n]} + {window.after[n]} - {spans[n]})/{window.stride[n]}"
            for n in rows
        )
        verb = "is not an integer" if len(sums) == 1 else "are not integers"
        template = f"{{kind}} never reads the last {{lost}} of {{input}}: {{sums}} {verb}"
        yield of_layer(
            "silent-loss", node, template, lost=" and ".join(lost), input=x, sums=" and ".join(sums)
        )


class _Sliding(NamedTuple):
    """A layer whose window slides over its input, with what the window spans and the facts for messages."""

    node: Node
    window: Window
    spans: Shape
    facts: dict[str, Any]


def _spans(window: Window) -> Shape:
    return tuple(extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True))


def _sliding(report: Report) -> Iterator[_Sliding]:
    for node in report.nodes:
        window = node.window
        if window is not None and not window.transposed:
            facts = {"kernel": window.kernel, "padding": window.before, "stride": window.stride}
            facts |= {"input": node.inputs[0], "output": node.output}
            yield _Sliding(node, window, _spans(window), facts)


def swapped_padding(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find oblong kernels whose padding would fit them on the other axis."""
    for node, window, spans, facts in _sliding(report):
        is_oblong = set(window.stride) == {1} and len(spans) == 2 and spans[0] != spans[1]
        fits_other = [span - 1 for span in reversed(spans)] == [2 * pad for pad in window.before]
        if is_oblong and window.before == window.after and fits_other:
            template = f"{_PADDED}; that padding fits a kernel of {{fitting}}"
            hint = f"padding: [{', '.join(map(str, reversed(window.before)))}]"
            yield of_layer("swapped-padding", node, template, hint=hint, fitting=window.kernel[::-1], **facts)


def padded_pointwise(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find kernels of one position with padding: the border of the result has seen nothing of the input."""
    template = f"{_PADDED}: at the border it has seen nothing of the input"
    for node, window, _, facts in _sliding(report):
        pads = (*window.before, *window.after)
        if set(window.kernel) == {1} and any(isinstance(pad, int) and pad > 0 for pad in pads):
            yield of_layer("padded-pointwise", node, template, hint="padding: 0", **facts)


def kernel_over_input(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find kernels larger than their input: at no position do all of the weights meet the input."""
    template = "{kind}: the kernel spans {spans}, more than its input of {sizes}"
    for node, _, spans, _ in _sliding(report):
        sizes = node.layer.sizes(node.inputs[0]) if isinstance(node.layer, Spatial) else ()
        pairs = zip(sizes, spans, strict=False)
        if any(isinstance(n, int) and isinstance(span, int) and span > n for n, span in pairs):
            yield of_layer("kernel-over-input", node, template, spans=spans, sizes=sizes)


def idle_padding(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find a padding of `same` that pads nothing here, and would at a size that leaves a remainder."""
    template = (
        "{kind}: padding same adds nothing to {input}, of which a stride of {stride} leaves no remainder: "
        "valid gives the same, and they differ only at other sizes"
    )
    for node, window, spans, facts in _sliding(report):
        pairs = zip(spans, window.stride, strict=True)
        is_same = getattr(node.layer, "padding", None) == "same"
        moves = any(isinstance(e, int) and isinstance(s, int) and min(e, s) > 1 for e, s in pairs)
        if is_same and moves and set(window.before) == set(window.after) == {0}:
            yield of_layer("idle-padding", node, template, severity="note", **facts)
