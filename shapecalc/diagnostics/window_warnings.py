"""Windows that look like a mistake although they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from shapecalc.diagnostics.violation import LayerViolation
from shapecalc.engine.unread_input import unread
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Window
from shapecalc.layers.requirement import Shape, shown
from shapecalc.layers.spatial import Spatial
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec

_UNITS = {"height": "row", "width": "column", "depth": "slice", "length": "element"}


class WindowViolation(LayerViolation):
    """A violation by a window over an input."""

    def __init__(self, node: Node, window: Window) -> None:
        super().__init__(node)
        self.window = window
        self.spans = tuple(extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True))
        self.input, self.output = node.inputs[0], node.output

    @classmethod
    def find(cls, _spec: Spec, report: Report) -> Iterator[Self]:
        windows = ((node, node.window) for node in report.nodes if node.window is not None)
        every = (cls(node, window) for node, window in windows if not window.transposed)
        yield from (violation for violation in every if violation.holds)

    @property
    def holds(self) -> bool:
        """Whether the window violates the rule."""
        return True

    @property
    def head(self) -> str:
        """How messages about the padding of a kernel begin."""
        return (
            f"{self.layer.kind}: a kernel of {shown(self.window.kernel)} with a padding of "
            f"{shown(self.window.before)} turns {shown(self.input)} into {shown(self.output)}"
        )


class SilentLoss(WindowViolation):
    """Rows at the end of the input that no window reaches, because the stride does not divide.

    A kernel shorter than its stride leaves pixels out by design and is passed over, and so are rows of
    zeros that a layer of its own has put there: a window with padding leaves as much of that unread.
    """

    code = "silent-loss"

    def __init__(self, node: Node, window: Window, rows: Mapping[int, int]) -> None:
        super().__init__(node, window)
        self.rows = rows
        """How many positions are unread, by the number of the axis."""

    @classmethod
    def find(cls, _spec: Spec, report: Report) -> Iterator[Self]:
        by_path = {node.path: node for node in report.nodes}
        for graph_node, unread_positions in unread(report.inference):
            node = by_path[graph_node.path]
            rows = {n: left for n, left in enumerate(unread_positions) if isinstance(left, int) and left > 0}
            if rows and node.window is not None:
                yield cls(node, node.window, rows)

    @property
    def message(self) -> str:
        window, layer = self.window, self.layer
        assert isinstance(layer, Spatial)
        units = {n: _UNITS[AXES[layer.rank][n]] for n in self.rows}
        lost = [f"{left} {units[n]}s" if left > 1 else units[n] for n, left in self.rows.items()]
        sizes = layer.sizes(self.input)
        sums = dict.fromkeys(
            f"({sizes[n]} + {window.before[n]} + {window.after[n]} - {self.spans[n]})/{window.stride[n]}"
            for n in self.rows
        )
        return (
            f"{layer.kind} never reads the last {' and '.join(lost)} of {shown(self.input)}: "
            f"{' and '.join(sums)} {'is not an integer' if len(sums) == 1 else 'are not integers'}"
        )


class SwappedPadding(WindowViolation):
    """An oblong kernel whose padding would fit it on the other axis."""

    code = "swapped-padding"

    @property
    def holds(self) -> bool:
        window, spans = self.window, self.spans
        return (
            set(window.stride) == {1}
            and len(spans) == 2
            and spans[0] != spans[1]
            and window.before == window.after
            and [span - 1 for span in reversed(spans)] == [2 * pad for pad in window.before]
        )

    @property
    def message(self) -> str:
        return f"{self.head}; that padding fits a kernel of {shown(self.window.kernel[::-1])}"

    @property
    def hint(self) -> str:
        return f"padding: [{', '.join(map(str, reversed(self.window.before)))}]"


class PaddedPointwise(WindowViolation):
    """A kernel of one position with padding: the border of its result has seen nothing of the input."""

    code = "padded-pointwise"
    hint = "padding: 0"

    @property
    def holds(self) -> bool:
        pads = (*self.window.before, *self.window.after)
        return set(self.window.kernel) == {1} and any(isinstance(pad, int) and pad > 0 for pad in pads)

    @property
    def message(self) -> str:
        return f"{self.head}: at the border it has seen nothing of the input"


class KernelOverInput(WindowViolation):
    """A kernel larger than its input: at no position do all of its weights meet the input."""

    code = "kernel-over-input"

    @property
    def sizes(self) -> Shape:
        """The sizes that the window moves over."""
        return self.layer.sizes(self.input) if isinstance(self.layer, Spatial) else ()

    @property
    def holds(self) -> bool:
        pairs = zip(self.sizes, self.spans, strict=False)
        return any(isinstance(n, int) and isinstance(span, int) and span > n for n, span in pairs)

    @property
    def message(self) -> str:
        head = f"{self.layer.kind}: the kernel spans {shown(self.spans)}"
        return f"{head}, more than its input of {shown(self.sizes)}"


class IdlePadding(WindowViolation):
    """A padding of `same` that pads nothing here, and would at a size that leaves a remainder."""

    code = "idle-padding"
    severity = "note"

    @property
    def holds(self) -> bool:
        window, pairs = self.window, zip(self.spans, self.window.stride, strict=True)
        return (
            getattr(self.layer, "padding", None) == "same"
            and set(window.before) == set(window.after) == {0}
            and any(isinstance(e, int) and isinstance(s, int) and min(e, s) > 1 for e, s in pairs)
        )

    @property
    def message(self) -> str:
        return (
            f"{self.layer.kind}: padding same adds nothing to {shown(self.input)}, of which a stride of "
            f"{shown(self.window.stride)} leaves no rest: valid gives the same, and they differ only "
            f"at other sizes"
        )
