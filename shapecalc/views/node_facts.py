"""One layer, or one group of layers, as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shapecalc.layers.requirement import Shape
from shapecalc.render.piece import Code, Facts, Line, Page, Sizes, amount, sizes
from shapecalc.report.node import NOT_COUNTED, Node
from shapecalc.report.outline import Item, window_text
from shapecalc.views.notes import memory


def entry_page(entry: Node | Item) -> Page:
    """Return what is known of a layer or a group of layers; shapes have the batch in front."""
    return (Facts(tuple(_of_group(entry) if isinstance(entry, Item) else _of_layer(entry))),)


def _of_layer(node: Node) -> Iterator[tuple[str, Line]]:
    yield "Layer", (Code(node.path), f", {node.kind}")
    yield from _shapes("Input", node.inputs)
    yield from _shapes("Output", node.outputs)
    if node.window:
        yield "Kernel", (Sizes(window_text(node.window)),)
    for label, tensors in (("Weights", node.weights), ("Buffers", node.buffers)):
        for number, (name, shape) in enumerate(tensors.items()):
            yield "" if number else label, (Code(name), " ", sizes(shape))
    if node.shares is not None:
        yield "Parameters", ("those of ", Code(node.shares), ", counted there")
    else:
        yield "Parameters", (amount(node.params),)
    yield "MACs", (NOT_COUNTED,) if node.macs is None else (amount(node.macs),)
    yield "Memory", memory(node.bytes)
    if node.place:
        yield "Written in", (str(node.place),)


def _shapes(label: str, shapes: Iterable[Shape]) -> Iterator[tuple[str, Line]]:
    for number, shape in enumerate(shapes):
        yield "" if number else label, (sizes(shape),)


def _of_group(item: Item) -> Iterator[tuple[str, Line]]:
    yield "Group", (Code(item.path), f", {item.kind}" if item.kind else "")
    yield from _shapes("Input", item.inputs)
    yield from _shapes("Output", item.outputs)
    yield "Parameters", (amount(item.params),)
    yield "MACs", ("" if item.complete else "at least ", amount(item.macs))
    for number, child in enumerate(child for child in item.children if child.nodes):
        yield "" if number else "Holds", (Code(child.path), f", {child.kind}" if child.kind else "")
