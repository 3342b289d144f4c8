"""The data of a page: rows, conditions, derivations; every size is an index into its formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra import term as terms
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.rational import LARGEST
from shapecalc.algebra.region import Region
from shapecalc.algebra.term import ATOM, Term, TextWriter, Value
from shapecalc.engine.limits import refuse_too_long
from shapecalc.errors import ShapecalcError
from shapecalc.layers.requirement import Requirement
from shapecalc.page.formulas import Formulas
from shapecalc.page.free import FreeModel
from shapecalc.report.derivation import Axes, Content, LayerDerivation, Step
from shapecalc.report.node import packed
from shapecalc.report.outline import Item, lines, outline, window_text
from shapecalc.views.derivation_page import fields_of

_LONGEST_SETS = 20_000
"""Sets of sizes with more numbers than this are left to the search."""


class Inserted(TextWriter):
    """Writes a term with a mark `{17}` in place of each number that the page computes."""

    def __init__(self, formulas: Formulas) -> None:
        self.formulas = formulas

    def number(self, value: Value) -> tuple[str, int]:
        if isinstance(value, Expr):
            return f"{{{self.formulas.index(value)}}}", ATOM
        return super().number(value)


class Data:
    """Collects the data of the page of a network."""

    def __init__(self, network: FreeModel) -> None:
        self.network = network
        self.report = network.report
        self.formulas = Formulas([control.name for control in network.controls])
        self.index = self.formulas.index
        self.writer = Inserted(self.formulas)
        self.positions = {node.path: number for number, node in enumerate(self.report.nodes)}
        self.texts: dict[str, int] = {}

    def indices(self, sizes: Iterable[Dim]) -> list[int]:
        """Return the indices of the sizes of a shape."""
        return [self.index(size) for size in sizes]

    def text(self, text: str) -> int:
        """Return the index of a text; equal layers share their texts."""
        return self.texts.setdefault(text, len(self.texts))

    def gathered(self) -> dict[str, Any]:
        """Return everything as plain data for JSON; `javascript` of the formulas belongs to it."""
        report = self.report
        refuse_too_long(len(report.nodes), "a page")
        rows = [self.row(item) for item in lines(outline(report))]
        derivations = [self.derivation(layer) for layer in report.derive(batch=True).layers]
        outputs = {name: self.indices(shape) for name, shape in report.outputs.items()}
        inputs = {name: self.indices(shape) for name, shape in report.inputs.items()}
        totals = {
            "params": self.index(report.params),
            "trainable": self.index(report.trainable_params),
            "buffers": self.index(report.buffer_count),
            "macs": self.index(report.macs),
            "weights": self.index(packed(report.params, report.bits)),
        }
        return {
            "name": report.name,
            "controls": [
                {name: str(getattr(control, name)) for name in ("name", "default", "least", "role")}
                for control in self.network.controls
            ],
            "fixed": [[fixed.name, fixed.value, fixed.why] for fixed in self.network.fixed],
            "inputs": inputs,
            "outputs": outputs,
            "totals": totals,
            "notCounted": report.not_counted,
            "rows": rows,
            "paths": [node.path for node in report.nodes],
            "conditions": self.conditions(),
            "derivations": derivations,
            "sizes": self.sizes(),
            "texts": [*self.texts],
        }

    # ---- rows

    def row(self, item: Item) -> dict[str, Any]:
        """Return a line of the table."""
        cost, is_all = item.cost(self.report.convention)
        inside = [self.positions[node.path] for node in item.nodes]
        return {
            "depth": item.depth,
            "label": item.label,
            "kind": item.kind,
            "times": item.times,
            "kernel": window_text(item.window, self.size_text),
            "output": self.indices(item.output) if item.nodes else None,
            "params": self.index(item.params),
            "macs": None if cost is None else self.index(cost),
            "bytes": None if item.node is None else self.index(item.node.bytes_inside(item.loops)),
            "complete": is_all,
            "shared": item.is_shared,
            "node": None if item.node is None else self.positions[item.node.path],
            "last": max(inside, default=-1),
            "first": min(inside, default=-1),
            "parent": bool(item.children),
        }

    def size_text(self, size: Dim) -> str:
        """Return a number, or the mark of a number that the page computes."""
        return f"{{{self.index(size)}}}" if isinstance(size, Expr) else str(size)

    # ---- conditions

    def conditions(self) -> list[list[Any]]:
        """Return the conditions in order: layer, left side, relation, right side, and the sentence.

        A repeat's own come first. A size that no machine holds is refused by the engine, and so here.
        """
        rows = [[-1, *self.condition(needed, ())] for _, needed in self.report.graph.conditions]
        largest = self.index(LARGEST)
        for number, node in enumerate(self.report.nodes):
            sizes = [size for shape in node.inputs for size in shape]
            rows += [[number, *self.condition(needed, sizes)] for needed in node.conditions]
            elements = node.elements
            if isinstance(elements, Expr):
                says = self.text(f"{node.kind}: the output has more than 10^18 elements")
                rows.append([number, self.index(elements), "<=", largest, says, ""])
        return rows

    def condition(self, needed: Requirement, sizes: Sequence[Dim]) -> list[Any]:
        """Return a requirement, its sentence with marks in place of sizes."""
        says = self.marked(needed.message, [needed.left, needed.right, *sizes])
        code = "broadcast" if needed.code == "broadcast" else ""
        return [self.index(needed.left), needed.op, self.index(needed.right), self.text(says), code]

    def marked(self, text: str, sizes: Sequence[Dim]) -> str:
        """Return a text with a mark in place of every size that is not part of a formula."""
        free = {size for size in sizes if isinstance(size, Expr)}
        for size in sorted(free, key=lambda size: (-len(str(size)), str(size))):
            written = re.escape(str(size))
            alone = rf"\({written}\)|(?<![\w·/⌊⌈({{]){written}(?![\w·/⌋⌉)}}])"
            text = re.sub(alone, f"{{{self.index(size)}}}", text)
        return text

    # ---- derivations

    def derivation(self, layer: LayerDerivation) -> dict[str, Any]:
        """Return the derivation of a layer: its lines, grouped by label."""
        blocks = [
            [label, [self.line(content) for _, content in lines]]
            for label, lines in groupby(layer.lines, lambda line: line[0])
        ]
        return {"path": layer.path, "kind": layer.kind, "blocks": blocks}

    def line(self, content: Content) -> list[int]:
        """Return the parts of a line, which are equal in value, each text once."""
        return [self.text(part) for part in dict.fromkeys(self.parts(content)) if part]

    def parts(self, content: Content) -> Iterator[str]:
        """Yield the parts of a line, with marks for the numbers that the page computes."""
        if isinstance(content, str):
            yield content
        elif isinstance(content, Step):
            yield from (content.name, content.formula, self.inserted(content.term))
            yield self.writer.number(content.value)[0]
        elif isinstance(content, Axes):
            yield "×".join(map(terms.text, content.letters))
            shape = "×".join(map(self.size_text, content.shape))
            yield f"{shape}, {content.note}" if content.note else shape
        else:
            yield ", ".join(
                f"{field} {setting.letter.name} = {self.inserted(setting.letter)}".lstrip()
                for field, setting in fields_of(content)
            )

    def inserted(self, term: Term) -> str:
        """Return a formula with its numbers."""
        return self.writer.write(terms.inserted(term))

    # ---- sizes

    def sizes(self) -> dict[str, Any]:
        """Return the exact sets of legal sizes: of the network rebuilt for each size, and built once."""
        controls = self.network.controls
        names = tuple(control.name for control in controls if control.role == "size" and control.axis is None)
        if not names:
            return {"names": [], "anew": None, "built": None, "imposed": []}
        anew, _ = self.legal(names, rebuild=True, outputs="all")
        built, imposed = self.legal(names, rebuild=False, outputs="main")
        return {"names": names, "anew": anew, "built": built, "imposed": imposed}

    def legal(
        self, names: tuple[str, ...], *, rebuild: bool, outputs: str
    ) -> tuple[list[Any] | None, list[list[str]]]:
        """Return a set of sizes as boxes, None where it has no exact answer, and what imposes it."""
        try:
            sizes = self.network.model.sizes(
                free=names, rebuild=rebuild, outputs=outputs, **self.network.parameters
            )
        except ShapecalcError:
            return None, []
        return _boxes(sizes.region), [[cause.path, str(cause.requirement)] for cause in sizes.imposed]


def _boxes(region: Region) -> list[Any] | None:
    """Return the boxes of a region as data, None where they hold a relation that is not solved."""
    if any(box.relations for box in region.boxes):
        return None
    size = sum(len(sizes.residues) + len(sizes.early) for box in region.boxes for sizes in box.sets)
    return [[*map(_set, box.sets)] for box in region.boxes] if size <= _LONGEST_SETS else None


def _set(sizes: IntegerSet) -> list[Any]:
    return [[[*stretch] for stretch in sizes.early], sizes.start, sizes.modulus, sorted(sizes.residues)]
