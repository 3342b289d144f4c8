"""What a picture of the graph holds: boxes, frames around them, and arrows between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from typing import NamedTuple, TypeVar

from shapecalc.layers.requirement import Shape
from shapecalc.report.node import Node
from shapecalc.report.outline import Item, lines, outline
from shapecalc.report.report import Report

T = TypeVar("T")
MOST_BOXES = 40
"""How many boxes a picture may have whose depth nobody chose."""


@dataclass(slots=True)
class Box:
    """A layer, or a group folded into one box; an input or an output where there is no item.

    `family` is the group of its layer's family, or `part`, `input` or `output`.
    """

    number: int
    name: str
    family: str
    output: Shape
    item: Item | None = None
    frame: int | None = None
    """The number of the frame that it is in."""

    @property
    def node(self) -> Node | None:
        """The layer, if the box is one."""
        return self.item.node if self.item is not None and self.family != "part" else None

    @property
    def kind(self) -> str:
        """The kind of the layer or the block; empty for an input and an output."""
        return self.node.kind if self.node is not None else self.item.kind if self.item is not None else ""


@dataclass(slots=True)
class Frame:
    """What encloses the boxes of a group that is not folded."""

    number: int
    item: Item
    parent: int | None


class Arrow(NamedTuple):
    """A tensor, from the box that produces it to one that reads it."""

    tail: int
    head: int


@dataclass(slots=True)
class Scene:
    """The boxes in order of execution, the frames from the outermost inwards, and the arrows."""

    report: Report
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    is_across: bool = False
    """Whether it is drawn from left to right, and not downwards."""

    @property
    def main(self) -> set[int]:
        """The boxes from which a path leads to the first output, itself among them."""
        ending = next((box.number for box in self.boxes if box.family == "output"), 0)
        return reaching(ending, self.arrows)

    def lines(
        self,
        begin: Callable[[Frame], Iterable[str]],
        end: str,
        write: Callable[[Box], str],
        frame: int | None = None,
        margin: str = "  ",
    ) -> Iterator[str]:
        """Yield lines for the frames, each around the lines of what it holds, and for the boxes."""
        for inner in self.frames:
            if inner.parent == frame:
                yield from (margin + line for line in begin(inner))
                yield from self.lines(begin, end, write, inner.number, margin + "  ")
                yield margin + end
        yield from (margin + write(box) for box in self.boxes if box.frame == frame)


def scene(report: Report, depth: int | None = None, *, folds: bool = True, most: int = MOST_BOXES) -> Scene:
    """Return the graph of a report, folded to a depth: by default as deep as boxes are not too many.

    At depth 0 neighbouring parts whose results have the same sides are one box: a U-Net is its levels.

    >>> import shapecalc
    >>> graph = scene(shapecalc.load("resnet50").analyze(), depth=1)
    >>> [box.name for box in graph.boxes][3:6], len(graph.arrows)
    (['max_pool2d', 'stage1', 'stage2'], 11)
    """
    if depth is not None:
        items = outline(report, depth, folds=folds) if depth else _levels(report)
        return _SceneBuilder(report, items).scene
    drawn = (scene(report, deeper, folds=folds) for deeper in depths(report, folds=folds))
    return last_fitting(drawn, lambda candidate: len(candidate.boxes) <= most)


def depths(report: Report, *, folds: bool = True) -> range:
    """Return the depths, from that of one box for each size to that at which nothing is folded."""
    return range(deepest(report, folds=folds) + 1)


def last_fitting(candidates: Iterator[T], fits: Callable[[T], bool]) -> T:
    """Return the last candidate before one that does not fit, the first in any case."""
    return [next(candidates), *takewhile(fits, candidates)][-1]


def deepest(report: Report, *, folds: bool = True) -> int:
    """Return the depth at which nothing is folded."""
    return 1 + max((item.depth for item in lines(outline(report, folds=folds))), default=0)


def _levels(report: Report) -> list[Item]:
    """Return the outermost parts, those one after another whose results have the same sides as one.

    Whatever they are, no arrow leads backwards: each is a stretch of the order of execution.
    """
    axis = report.graph.channel_axis

    def sides(item: Item) -> object:
        if item.count != 1:
            return item.path  # a repeat whose number of passes is free
        return item.output[1:-1] if axis < 0 else item.output[axis + 1 :]

    items = [item for item in outline(report, 1, folds=False) if item.nodes]
    runs = ([*run] for _, run in groupby(items, sides))
    return [run[0] if len(run) == 1 else _level(run) for run in runs]


def _level(run: list[Item]) -> Item:
    """Return parts one after another as one."""
    kinds = {item.kind for item in run}
    kind = f"{kinds.pop()} ×{len(run)}" if len(kinds) == 1 else f"{len(run)} parts"
    nodes = [node for item in run for node in item.nodes]
    return Item(run[0].path, f"{run[0].label} … {run[-1].label}", kind, nodes)


class _SceneBuilder:
    """Builds the scene of an outline; every node is kept with the box that shows it."""

    def __init__(self, report: Report, items: list[Item]) -> None:
        self.report = report
        self.scene = Scene(report)
        self.box_of: dict[str, int] = {}
        self.same: dict[str, str] = {}
        """Of a node in a folded pass: the same node in the pass that is shown."""
        self.passes: dict[str, list[tuple[int, int]]] = {}
        """In which pass of which repeats a node is."""
        self.input_box: dict[int, int] = {}
        for slot, (name, shape) in enumerate(report.inputs.items()):
            self.input_box[slot] = self._box(name, "input", shape).number
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
            # A merge follows its branches, as a box of its own.
            own = [item.node]
            item = Item(item.path, item.label, item.kind, own, item.depth, item.node, loops=item.loops)
        is_layer = item.node is not None and len(item.nodes) == 1
        box = self._box(item.label, family(item.nodes[0]) if is_layer else "part", item.output, item)
        box.frame = frame
        for node in item.nodes:
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
        arrows: dict[Arrow, None] = {}
        for node in graph.nodes:
            head = self._shown(node.path)
            for slot in map(self._original, node.sources):
                producer = graph.producer(slot)
                if producer is not None and self._are_other_passes(producer.path, node.path):
                    continue
                tail = self._tail(slot)
                if head is not None and tail is not None and tail < head:
                    arrows[Arrow(tail, head)] = None
        for name, slot in graph.outputs.items():
            tail = self._tail(self._original(slot))
            box = self._box(name, "output", self.report.outputs[name])
            if tail is not None:
                arrows[Arrow(tail, box.number)] = None
        self.scene.arrows = [*arrows]

    def _tail(self, slot: int) -> int | None:
        """Return the box that produces a tensor."""
        producer = self.report.graph.producer(slot)
        return self.input_box.get(slot) if producer is None else self._shown(producer.path)

    def _original(self, slot: int) -> int:
        aliases = self.report.graph.aliases
        while slot in aliases:
            slot = aliases[slot]
        return slot

    def _are_other_passes(self, producer: str, reader: str) -> bool:
        passes = dict(self.passes.get(producer, ()))
        return any(passes.get(item, number) != number for item, number in self.passes.get(reader, ()))


def family(node: Node) -> str:
    """Return the group of a layer's family, by which a picture colours it.

    >>> import shapecalc
    >>> [family(node) for node in shapecalc.load("lenet5").analyze()][:4]
    ['convolution', 'pointwise', 'pooling', 'convolution']
    """
    return str(node.layer.acts_as.group)


def reaching(number: int, arrows: Iterable[Arrow]) -> set[int]:
    """Return the numbers from which arrows lead to a number, itself among them."""
    numbers = {number}
    for tail, head in sorted(arrows, key=lambda arrow: -arrow.head):
        if head in numbers:
            numbers.add(tail)
    return numbers


def passed(numbers: list[int], arrows: Iterable[Arrow]) -> list[int]:
    """Return which numbers no arrow jumps over; every arrow leads from a smaller one to a larger.

    >>> passed([0, 1, 2, 3], [Arrow(0, 1), Arrow(1, 2), Arrow(1, 3), Arrow(2, 3)])
    [0, 1, 3]
    """
    furthest = 0
    heads: dict[int, int] = {}
    for tail, head in arrows:
        heads[tail] = max(head, heads.get(tail, 0))
    cuts = []
    for number in numbers:
        if number >= furthest:
            cuts.append(number)
        furthest = max(furthest, heads.get(number, 0))
    return cuts
