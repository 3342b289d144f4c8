"""The nodes of a report as an outline: blocks over their layers, equal passes of a repeat folded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Convention
from shapecalc.layers.base import Window
from shapecalc.layers.requirement import Shape
from shapecalc.report.node import Node, total
from shapecalc.report.receptive_field import Field
from shapecalc.report.report import Report


@dataclass(slots=True)
class Item:
    """One line of the outline: a layer, or a part with the items inside it."""

    label: str
    kind: str
    nodes: list[Node]
    depth: int = 0
    node: Node | None = None
    children: list[Item] = field(default_factory=list)
    times: int = 1
    """How many equal passes of a repeat this item stands for."""
    alike: list[list[Node]] = field(default_factory=list)
    """The nodes of the equal passes that are not shown, pass by pass."""
    passes: Dim = 1
    """How many passes of a repeat it stands for where that was left free."""
    loops: int = 0
    """How many loops the item is inside of: it is shown in one pass of them."""

    @property
    def count(self) -> Dim:
        """How many passes of a repeat this item stands for."""
        return self.times * self.passes

    @property
    def params(self) -> Dim:
        """The parameters of everything inside, all passes together."""
        return self.times * total(node.params_inside(self.loops) for node in self.nodes)

    @property
    def is_shared(self) -> bool:
        """Whether this is a layer that uses another one's weights."""
        return self.node is not None and self.node.shares is not None and bool(self.node.weights)

    def cost(self, convention: Convention) -> tuple[Dim | None, bool]:
        """Return what everything inside costs, None when nothing inside is known, and whether that is all."""
        found = [node.cost(convention, self.loops) for node in self.nodes]
        known = [cost for cost in found if cost is not None]
        return self.times * total(known) if known or not self.nodes else None, len(known) == len(found)

    @property
    def output(self) -> Shape | None:
        """What leaves the last layer inside."""
        return self.nodes[-1].output_after(self.loops) if self.nodes else None

    @property
    def window(self) -> Window | None:
        """The window of a single layer."""
        return self.node.window if self.node else None

    @property
    def field(self) -> Field | None:
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


def outline(
    report: Report, depth: int | None = None, *, fields: bool = False, folds: bool = True
) -> list[Item]:
    """Return the outline of a report, parts deeper than `depth` folded into one line each.

    With `fields`, passes of a repeat with different receptive fields are not folded into one; unless
    `folds`, no passes are.
    """
    by_path = {node.path: node for node in report.nodes}
    graph_paths = [node.path for node in report.graph.nodes]
    root = Item("", "", report.nodes)
    holders: list[tuple[str, Item]] = [("", root)]
    opened: dict[int, list[tuple[str, str, int, int]]] = {}
    for group in report.groups:
        opened.setdefault(group.start, []).append((group.path, group.label, group.end, group.passes))
    repeats = {group.path for group in report.groups if group.passes > 1}
    for index in range(len(graph_paths) + 1):
        for path, label, end, _ in opened.get(index, ()):
            parent = _holder(holders, path)
            nodes = [by_path[name] for name in graph_paths[index:end] if name in by_path]
            item = Item(_last(path), label, nodes, len(holders) - 1)
            parent.children.append(item)
            holders.append((path, item))
        if index < len(graph_paths) and graph_paths[index] in by_path:
            node = by_path[graph_paths[index]]
            parent = _holder(holders, node.path)
            if holders[-1][0] == node.path:  # a merge: its part has the line, with its own output
                parent.node = node
                continue
            parent.children.append(Item(_last(node.path), node.kind, [node], len(holders) - 1, node))
    loops = {loop.path: loop for loop in report.graph.loops}
    for path, item in _walked(root, ""):
        if folds and path in repeats:
            item.children = _folded(item.children, fields=fields)
        if path in loops:
            item.passes = loops[path].count
        item.loops = sum(path.startswith(f"{loop}.") for loop in loops)
    return _cut([_collapsed(item) for item in root.children], depth, 0)


def _holder(holders: list[tuple[str, Item]], path: str) -> Item:
    while holders[-1][0] and holders[-1][0] != path and not path.startswith(f"{holders[-1][0]}."):
        holders.pop()
    return holders[-1][1]


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _walked(item: Item, path: str) -> Iterator[tuple[str, Item]]:
    for child in item.children:
        inner = f"{path}.{child.label}" if path else child.label
        yield inner, child
        yield from _walked(child, inner)


def _folded(passes: list[Item], *, fields: bool) -> list[Item]:
    folded: list[Item] = []
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


def _collapsed(item: Item) -> Item:
    """Give a part with only one thing in it the line of that thing: it would say the same twice."""
    item.children = [_collapsed(child) for child in item.children]
    if not item.nodes:
        item.kind = "identity"  # a branch without layers
    if item.node is None and len(item.children) == 1 and 1 in (item.count, item.children[0].count):
        only = item.children[0]
        item.children, item.node, item.nodes = only.children, only.node, only.nodes
        item.times *= only.times
        item.alike += only.alike
        item.passes = item.passes * only.passes
        if only.node is not None and not only.children:
            item.kind = only.kind
    return item


def _cut(items: list[Item], depth: int | None, level: int) -> list[Item]:
    for item in items:
        item.depth = level
        if depth is not None and level + 1 >= depth:
            item.children = []
        _cut(item.children, depth, level + 1)
    return items


def lines(items: list[Item]) -> Iterator[Item]:
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
        parts.append(f"s{_compact([*map(write, window.stride)])}")
    if any(size != 0 for size in (*window.before, *window.after)):
        sides = [
            write(before) if before == after else f"{write(before)}:{write(after)}"
            for before, after in zip(window.before, window.after, strict=True)
        ]
        free = any(len(side) > _LONGEST_SIDE for side in sides)  # Keras' `same` depends on the size
        parts.append("p…" if free else f"p{_compact(sides)}")
    if any(size != 1 for size in window.dilation):
        parts.append(f"d{_compact([*map(write, window.dilation)])}")
    return " ".join(parts)


_LONGEST_SIDE = 12


def _compact(sizes: list[str]) -> str:
    return sizes[0] if len(set(sizes)) == 1 else "x".join(sizes)
