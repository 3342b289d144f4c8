"""The rows of the layer table as data: blocks over their layers, equal passes of a repeat folded into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Convention
from shapecalc.engine.graph import Group
from shapecalc.layers.base import Named, Window
from shapecalc.render.display import Shown
from shapecalc.report.node import D_co, Node, number, plain
from shapecalc.report.receptive_field import ReceptiveField, compact
from shapecalc.report.totals import Totals

if TYPE_CHECKING:
    from shapecalc.report.report import Report


@dataclass(slots=True)
class Item(Shown, Totals[D_co]):
    """One row of the outline: a layer, or a group (a block, branch or repeat) with the items inside it.

    A group has the input of its first layer and the output of its last; its counts are sums, of which `macs`
    leaves out what is not counted, as in the report.
    """

    _view: ClassVar[str] = "shapecalc.views.node_facts:entry_page"

    path: str
    label: str
    kind: str
    nodes: list[Node[D_co]]
    depth: int = 0
    node: Node[D_co] | None = None
    children: list[Item[D_co]] = field(default_factory=list)
    times: int = 1
    alike: list[list[Node[D_co]]] = field(default_factory=list)
    """The nodes of the folded passes, the first pass left out."""
    passes: Dim = 1
    """How many passes of a repeat it is where that was left free."""
    loops: int = 0
    is_dotted: bool = False
    """Whether it is what dotted names have in common."""

    @property
    def count(self) -> Dim:
        """How many passes of a repeat this item is."""
        return self.times * self.passes

    @property
    def is_shared(self) -> bool:
        """Whether this is a layer that uses another one's weights."""
        return self.node is not None and self.node.shares is not None and bool(self.node.weights)

    @property
    def is_group(self) -> bool:
        """Whether there may be other items inside."""
        return self.node is None or bool(self.children)

    def cost(self, convention: Convention) -> tuple[D_co | None, bool]:
        """Return what everything inside costs, None if none of it is known, and whether all of it is."""
        costs = [node.cost(convention, self.loops) for node in self.nodes]
        known = [cost for cost in costs if cost is not None]
        return self._sum(known) if known or not self.nodes else None, len(known) == len(costs)

    @property
    def inputs(self) -> tuple[tuple[D_co, ...], ...]:
        """The shapes of the inputs of the first layer inside."""
        return self.nodes[0].inputs

    @property
    def output(self) -> tuple[D_co, ...]:
        """The shape of the (first) output of the last layer inside."""
        return self.nodes[-1].output_after(self.loops)

    @property
    def outputs(self) -> tuple[tuple[D_co, ...], ...]:
        """The shapes of all outputs of the last layer inside."""
        return (self.output, *self.nodes[-1].outputs[1:])

    @property
    def weights(self) -> Named:
        """The learned tensors of everything inside, by their paths in it."""
        start = len(self.path) + 1
        tensors = ((node.path[start:], node.weights) for node in self.nodes if node.shares is None)
        return {f"{path}.{name}".lstrip("."): shape for path, own in tensors for name, shape in own.items()}

    @property
    def window(self) -> Window | None:
        """The window of a single layer."""
        return self.node.window if self.node else None

    @property
    def field(self) -> ReceptiveField | None:
        """The receptive field of the last layer inside."""
        return self.nodes[-1].field if self.nodes else None

    def signature(self, *, fields: bool = False) -> tuple[object, ...]:
        """Return what two passes must have in common to be folded into one; with `fields`, those as well."""
        return (
            self.kind,
            tuple(node.field for node in self.nodes) if fields else (),
            tuple((node.kind, node.inputs, node.outputs, node.params, node.macs) for node in self.nodes),
            tuple((child.label, child.kind) for child in self.children),
        )

    def __iter__(self) -> Iterator[Node[D_co]]:
        return iter(self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """Return the item as plain data for JSON, the items inside it as `children`."""
        return {
            "path": self.path,
            "kind": self.kind,
            "inputs": [plain(shape) for shape in self.inputs],
            "output": plain(self.output),
            "params": number(self.params),
            "macs": number(self.macs),
            "complete": self.complete,
            "children": [child.to_dict() for child in self.children if child.nodes],
        }

    def __repr__(self) -> str:
        return f"<{self.path}: {self.kind}, {len(self.nodes)} layers>"


def outline(
    report: Report[D_co], depth: int | None = None, *, fields: bool = False, folds: bool = True
) -> list[Item[D_co]]:
    """Return the outline of a report, groups deeper than `depth` as one item each.

    With `fields`, passes of a repeat with different receptive fields are not folded into one; unless
    `folds`, no passes are.
    """
    root = tree(report)
    repeats = {group.path for group in report.graph.groups if group.passes > 1}
    for item in lines(root.children):
        if folds and item.path in repeats:
            item.children = _folded(item.children, fields=fields)
    return _cut([_collapsed(item) for item in root.children], depth, 0)


def tree(report: Report[D_co]) -> Item[D_co]:
    """Return all layers of a report as one item, with an item inside it for each group and layer.

    A group that is left and entered again, as dotted names may have it, is one item; conditions are none.
    """
    by_path = {node.path: node for node in report.nodes}
    graph_paths = [node.path for node in report.graph.nodes]
    root: Item[D_co] = Item("", "", "", report.nodes)
    holders = [root]
    known: dict[str, Item[D_co]] = {}
    opened: dict[int, list[Group]] = {}
    for group in report.graph.groups:
        opened.setdefault(group.start, []).append(group)
    for index in range(len(graph_paths) + 1):
        for group in opened.get(index, ()):
            parent = _holder(holders, group.path)
            nodes = [by_path[path] for path in graph_paths[index : group.end] if path in by_path]
            if group.path in known:
                known[group.path].nodes += nodes
            else:
                item = Item(group.path, _last(group.path), group.label, nodes, is_dotted=group.is_dotted)
                known[group.path] = item
                parent.children.append(known[group.path])
            holders.append(known[group.path])
        if index < len(graph_paths) and graph_paths[index] in by_path:
            node = by_path[graph_paths[index]]
            if node.layer.condition:
                continue
            parent = _holder(holders, node.path)
            if holders[-1].path == node.path:  # a merge: its group has the row, with its own output
                parent.node = node
                continue
            parent.children.append(Item(node.path, _last(node.path), node.kind, [node], node=node))
    loops = {loop.path: loop for loop in report.graph.loops}
    for item in lines(root.children):
        if item.path in loops:
            item.passes = loops[item.path].count
        item.loops = sum(item.path.startswith(f"{loop}.") for loop in loops)
    return root


def _holder(holders: list[Item[D_co]], path: str) -> Item[D_co]:
    while holders[-1].path and holders[-1].path != path and not path.startswith(f"{holders[-1].path}."):
        holders.pop()
    return holders[-1]


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _folded(passes: list[Item[D_co]], *, fields: bool) -> list[Item[D_co]]:
    folded: list[Item[D_co]] = []
    for item in passes:
        if folded and folded[-1].signature(fields=fields) == item.signature(fields=fields):
            folded[-1].times += 1
            folded[-1].alike.append(item.nodes)
        else:
            folded.append(item)
    for item in folded:
        if item.times > 1:
            item.label = f"{item.label}-{int(item.label) + item.times - 1}"
    return folded


def _collapsed(item: Item[D_co]) -> Item[D_co]:
    """Give a group with only one item in it the row of that item: it would say the same twice.

    The name has both where dotted names make the group.
    """
    item.children = [_collapsed(child) for child in item.children]
    if not item.nodes:
        item.kind = "identity"  # a branch without layers
    if item.node is None and len(item.children) == 1 and 1 in (item.count, item.children[0].count):
        only = item.children[0]
        if item.is_dotted:
            item.path, item.label = only.path, f"{item.label}.{only.label}"
        item.children, item.node, item.nodes = only.children, only.node, only.nodes
        item.times *= only.times
        item.alike += only.alike
        item.passes = item.passes * only.passes
        if only.node is not None and not only.children:
            item.kind = only.kind
    return item


def _cut(items: list[Item[D_co]], depth: int | None, level: int) -> list[Item[D_co]]:
    for item in items:
        item.depth = level
        if depth is not None and level + 1 >= depth:
            item.children = []
        _cut(item.children, depth, level + 1)
    return items


def lines(items: list[Item[D_co]]) -> Iterator[Item[D_co]]:
    """Yield the items of an outline from top to bottom."""
    for item in items:
        yield item
        yield from lines(item.children)


def window_text(window: Window | None, write: Callable[[Dim], str] = str) -> str:
    """Return a window as `7x7 s2 p3`, leaving out a stride of 1 and a padding of 0; `write` writes a size."""
    if window is None:
        return ""
    parts = ["x".join(map(write, window.kernel))]
    if any(size != 1 for size in window.stride):
        parts.append(f"s{compact([*map(write, window.stride)])}")
    if any(size != 0 for size in (*window.before, *window.after)):
        sides = [
            write(before) if before == after else f"{write(before)}:{write(after)}"
            for before, after in zip(window.before, window.after, strict=True)
        ]
        free = any(len(side) > _LONGEST_SIDE for side in sides)  # Keras' `same` depends on the size
        parts.append("p…" if free else f"p{compact(sides)}")
    if any(size != 1 for size in window.dilation):
        parts.append(f"d{compact([*map(write, window.dilation)])}")
    return " ".join(parts)


_LONGEST_SIDE = 12
