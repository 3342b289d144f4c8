"""What a picture of the graph holds: boxes, frames around them, and arrows between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from shapecalc.layers.base import Joint
from shapecalc.layers.requirement import Shape
from shapecalc.report.node import Node
from shapecalc.report.outline import Item, lines, outline
from shapecalc.report.report import Report

MOST_BOXES = 40
"""How many boxes a picture may have whose depth nobody chose."""


@dataclass(slots=True)
class Box:
    """A layer, or a part folded into one box; an input or an output where there is no item."""

    number: int
    name: str
    family: str
    output: Shape
    item: Item | None = None
    frame: int | None = None
    """The number of the frame that it stands in."""

    @property
    def node(self) -> Node | None:
        """The layer, if the box is one."""
        return self.item.node if self.item is not None and self.family != "part" else None


@dataclass(slots=True)
class Frame:
    """What goes around the boxes of a part that is shown opened."""

    number: int
    item: Item
    parent: int | None


@dataclass(frozen=True, slots=True)
class Arrow:
    """A tensor's way from the box that makes it to one that reads it."""

    tail: int
    head: int


@dataclass(slots=True)
class Scene:
    """The boxes in order of execution, the frames from the outermost inwards, and the arrows."""

    report: Report
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What network this is, on which input."""
        return self.report.heading()

    def reaching(self, number: int) -> set[int]:
        """Return the boxes from which a way leads to a box, itself among them."""
        found = {number}
        for arrow in sorted(self.arrows, key=lambda one: -one.head):
            if arrow.head in found:
                found.add(arrow.tail)
        return found


def scene(report: Report, depth: int | None = None, *, folds: bool = True, most: int = MOST_BOXES) -> Scene:
    """Return the graph of a report, folded to a depth: by default as deep as not too many boxes come out.

    >>> import shapecalc
    >>> found = scene(shapecalc.load("resnet50").analyze(), depth=1)
    >>> [box.name for box in found.boxes][3:6], len(found.arrows)
    (['max_pool2d', 'stage1', 'stage2'], 11)
    """
    if depth is not None:
        return _Making(report, outline(report, depth, folds=folds)).scene
    best = _Making(report, outline(report, 1, folds=folds)).scene
    for deeper in range(2, deepest(report, folds=folds) + 1):
        found = _Making(report, outline(report, deeper, folds=folds)).scene
        if len(found.boxes) > most:
            break
        best = found
    return best


def deepest(report: Report, *, folds: bool = True) -> int:
    """Return the depth at which nothing is hidden in a part."""
    return 1 + max((item.depth for item in lines(outline(report, folds=folds))), default=0)


class _Making:
    """Gathers the scene of an outline; every node is kept with the box that shows it."""

    def __init__(self, report: Report, items: list[Item]) -> None:
        self.report = report
        self.scene = Scene(report)
        self.box_of: dict[str, int] = {}
        self.same: dict[str, str] = {}
        """Of a node in a pass that is not shown: the same node in the pass that is."""
        self.passes: dict[str, list[tuple[int, int]]] = {}
        """In which pass of which repeats a node is."""
        self.producer: dict[int, int] = {}
        for slot, (name, shape) in enumerate(report.inputs.items()):
            self.producer[slot] = self._box(name, "input", shape).number
        for item in items:
            self._open(item, None, is_branch=False)
        self._connect()

    def _box(self, name: str, family: str, shape: Shape, item: Item | None = None) -> Box:
        box = Box(len(self.scene.boxes), name, family, shape, item)
        self.scene.boxes.append(box)
        return box

    def _open(self, item: Item, frame: int | None, *, is_branch: bool) -> None:
        if not item.nodes:
            return  # a branch without layers is the arrow itself
        if item.times > 1:
            self._fold(item)
        if item.children:
            is_merge = item.node is not None
            if item.count != 1 or not (is_merge or is_branch):
                self.scene.frames.append(Frame(len(self.scene.frames), item, frame))
                frame = self.scene.frames[-1].number
            for child in item.children:
                self._open(child, frame, is_branch=is_merge)
            if item.node is None:
                return
            # A merge stands behind its branches, for itself.
            item = Item(
                item.path, item.label, item.kind, [item.node], item.depth, item.node, loops=item.loops
            )
        nodes = item.nodes
        is_layer = item.node is not None and len(nodes) == 1
        box = self._box(
            item.label,
            family(nodes[0]) if is_layer and item.count == 1 else _part(nodes, item),
            item.output,
            item,
        )
        box.frame = frame
        for node in nodes:
            self.box_of[node.path] = box.number

    def _fold(self, item: Item) -> None:
        for number, nodes in enumerate([item.nodes, *item.alike]):
            for first, node in zip(item.nodes, nodes, strict=True):
                self.passes.setdefault(node.path, []).append((id(item), number))
                if number:
                    self.same[node.path] = first.path

    def _shown(self, path: str) -> int | None:
        while path in self.same:
            path = self.same[path]
        return self.box_of.get(path)

    def _connect(self) -> None:
        graph = self.report.graph
        maker = {
            slot: node.path
            for node in graph.nodes
            for slot in range(node.first_slot, node.first_slot + node.results)
        }
        found: dict[Arrow, None] = {}
        for node in graph.nodes:
            head = self._shown(node.path)
            for slot in map(self._original, node.sources):
                if slot in maker and self._are_other_passes(maker[slot], node.path):
                    continue
                tail = self._shown(maker[slot]) if slot in maker else self.producer.get(slot)
                if head is not None and tail is not None and tail < head:
                    found[Arrow(tail, head)] = None
        for name, slot in graph.outputs.items():
            original = self._original(slot)
            tail = self._shown(maker[original]) if original in maker else self.producer.get(original)
            box = self._box(name, "output", self.report.outputs[name])
            if tail is not None:
                found[Arrow(tail, box.number)] = None
        self.scene.arrows = [*found]

    def _original(self, slot: int) -> int:
        aliases = self.report.graph.aliases
        while slot in aliases:
            slot = aliases[slot]
        return slot

    def _are_other_passes(self, one: str, other: str) -> bool:
        passes = dict(self.passes.get(one, ()))
        return any(passes.get(item, number) != number for item, number in self.passes.get(other, ()))


def _part(nodes: list[Node], item: Item) -> str:
    return family(nodes[0]) if len(nodes) == 1 and item.node is not None else "part"


def family(node: Node) -> str:
    """Return what sort of layer this is, by what it does: the families that a picture tells apart.

    >>> import shapecalc
    >>> [family(node) for node in shapecalc.load("lenet5").analyze()][:4]
    ['convolution', 'pointwise', 'pooling', 'convolution']
    """
    if isinstance(node.layer, Joint):
        return "merge" if not node.weights else "dense"
    if node.window is not None:
        return "convolution" if node.weights else "pooling"
    if node.weights:
        return "norm" if node.macs == 0 and node.inputs[:1] == (node.output,) else "dense"
    if node.inputs[:1] == (node.output,):
        return "pointwise"
    if node.inputs and len(node.inputs[0]) == len(node.output) > 2 and node.layer.settles_sizes:
        return "pooling"
    return "reshape"


def bottlenecks(scene: Scene) -> list[int]:
    """Return the boxes that every way from the first input to the first output goes through, in order."""
    ends = [box.number for box in scene.boxes if box.family == "output"]
    if not ends or 0 not in (used := scene.reaching(ends[0])):
        return []
    after = {0}
    for arrow in sorted(scene.arrows, key=lambda one: one.head):
        if arrow.tail in after:
            after.add(arrow.head)
    arrows = [one for one in scene.arrows if one.tail in after and one.head in used]
    return passed(sorted(after & used), [(one.tail, one.head) for one in arrows])


def passed(numbers: list[int], arrows: list[tuple[int, int]]) -> list[int]:
    """Return which numbers no arrow jumps over; every arrow leads from a smaller one to a larger.

    >>> passed([0, 1, 2, 3], [(0, 1), (1, 2), (1, 3), (2, 3)])
    [0, 1, 3]
    """
    furthest = 0
    heads: dict[int, int] = {}
    for tail, head in arrows:
        heads[tail] = max(head, heads.get(tail, 0))
    found = []
    for number in numbers:
        if number >= furthest:
            found.append(number)
        furthest = max(furthest, heads.get(number, 0))
    return found
