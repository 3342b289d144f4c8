"""Edit sites: reaching definitions of fields, and candidate fixes that edit one of them.

A layer's field is defined at a place of the text: in its step, as an argument of a block, as a parameter.
The same place may define the field of several layers, and an edit there reaches all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Fact, Place
from shapecalc.layers.base import Shapes
from shapecalc.layers.linear import Identity
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Makes, fields_with
from shapecalc.repair.candidate import Candidate, Change
from shapecalc.repair.field_changes import written
from shapecalc.repair.source_map import EditSite, SourceMap, body_place
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.tree import Spec

_PRICE_OF_AN_OMISSION = 3
"""A number that is left out fixes nothing: it is no longer compared with the input."""
_PRICE_OF_A_LAYER = 2
_PRICE_OF_AN_ADAPTER = 4
_PRICE_OF_AN_IDENTITY = 5
_PRICE_OF_FORCE = 4
"""A number in the place of a formula is right for one size only."""

_ADAPTERS = {
    4: "conv2d: {{out_channels: {}, kernel_size: 1}}",
    3: "conv1d: {{out_channels: {}, kernel_size: 1}}",
    5: "conv3d: {{out_channels: {}, kernel_size: 1}}",
    2: "linear: {{out_features: {}}}",
}
"""What changes only the channels of a tensor, by the number of its axes."""


class EditSites:
    """The spec, its text and its inference: where a field is written, and which layers an edit reaches."""

    def __init__(self, spec: Spec, inference: Inference, text: YamlText) -> None:
        self.spec = spec
        self.text = text
        self.source_map = SourceMap(spec, text)
        self.inference = inference
        self.graph = inference.graph
        self.nodes = inference.graph.nodes
        self.index = {node.path: number for number, node in enumerate(self.nodes)}
        self.facts: dict[str, Fact] = {
            failure.path: failure.fact
            for failure in inference.failures
            if isinstance(failure.fact, Requirement)
        }
        """What each layer refuses, by its path."""
        self._sites: dict[tuple[str, str, bool], list[EditSite]] = {}
        self._same_step: dict[tuple[int | None, int | None], list[int]] = {}
        for index, node in enumerate(self.nodes):
            self._same_step.setdefault((node.place.line, node.place.column), []).append(index)

    def inputs(self, node: GraphNode) -> Shapes:
        """Return the shapes that a layer reads, where all are known."""
        known = tuple(shape for slot in node.sources if (shape := self.inference.shapes[slot]) is not None)
        return known if len(known) == len(node.sources) else ()

    def sites(self, node: GraphNode, name: str, *, by_force: bool = False) -> list[EditSite]:
        """Return where the value of a layer's field can be changed."""
        key = node.path, name, by_force
        if key not in self._sites:
            self._sites[key] = [*self.source_map.field_sites(node, name, by_force=by_force)]
        return self._sites[key]

    def reached(self, node: GraphNode) -> tuple[int, ...]:
        """Return the layers that the step of a layer became."""
        return tuple(self._same_step[node.place.line, node.place.column])

    # ---- fields

    def field(self, node: GraphNode, name: str, value: Any, *, by_force: bool = False) -> Iterator[Candidate]:
        """Yield edits that give a field of a layer another value; by force, in place of a formula too."""
        for site in self.sites(node, name, by_force=by_force):
            edit = site.edit(self.text, written(value))
            if edit is None:
                continue
            nodes = [index for index in self.reached(node) if self._defines(site, index, name, by_force)]
            is_forced = by_force and not self._defines(site, self.index[node.path], name, by_force=False)
            yield Candidate(
                (edit,),
                (f"{site.key}: {written(value)}",),
                (Change(tuple(nodes), name, _frozen(value)),),
                price=_PRICE_OF_FORCE if is_forced else None,
            )

    def _defines(self, site: EditSite, index: int, name: str, by_force: bool) -> bool:
        sites = self.sites(self.nodes[index], name, by_force=by_force)
        return site.position in [other.position for other in sites]

    def omission(self, node: GraphNode, name: str) -> Iterator[Candidate]:
        """Yield the edit that leaves a field out, where it may be left out."""
        field, place = type(node.layer).model_fields[name], body_place(node).of(name)
        if not field.is_required() and self.text.key(place) == name:
            change = Change(self.reached(node), name, field.default)
            edit = self.text.drop_field(place)
            yield from _candidate(edit, f"leave {name} out", change, price=_PRICE_OF_AN_OMISSION)

    def channel_producer(self, slot: int) -> GraphNode | None:
        """Return the layer above a tensor that sets how many channels it has."""
        node = self.graph.producer(slot)
        while node is not None and not fields_with(type(node.layer), Makes):
            node = self.graph.producer(node.sources[0]) if len(node.sources) == 1 else None
        return node

    def channels(self, slot: int, wanted: Dim) -> Iterator[Candidate]:
        """Yield edits that give a tensor other channels, in the layer that sets them."""
        node = self.channel_producer(slot)
        for name in fields_with(type(node.layer), Makes) if node else ():
            assert node is not None
            yield from self.field(node, name, wanted)

    # ---- steps

    def insertion(self, node: GraphNode, kind: str) -> Iterator[Candidate]:
        """Yield the edit that puts a layer of a kind before one."""
        change = Change(self.reached(node), before=kind)
        yield from _candidate(self.text.insert_step(node.place, kind), f"a {kind} before it", change)

    def omitted_step(self, node: GraphNode) -> Iterator[Candidate]:
        """Yield the edit that leaves the step of a layer out."""
        change = Change(self.reached(node))
        yield from _candidate(self.text.drop_step(node.place), f"leave the {node.layer.kind} out", change)

    def identity(self, node: GraphNode) -> Iterator[Candidate]:
        """Yield the edit by which a layer, unless it is the only one, does nothing and keeps its name."""
        if self.text.key(body_place(node)) == node.layer.kind != Identity.kind and len(self.nodes) > 1:
            edit, text = (
                self.text.replace_entry(body_place(node), Identity.kind),
                "an identity in the place of",
            )
            yield from _candidate(edit, f"{text} {node.layer.kind}", price=_PRICE_OF_AN_IDENTITY)

    def adapter(self, place: Place, x: Shape, channels: Dim) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution or a linear layer before a step, for its channels."""
        if self.spec.framework == "torch" and len(x) in _ADAPTERS:
            layer = _ADAPTERS[len(x)].format(channels)
            edit = self.text.insert_step(place, layer)
            yield from _candidate(edit, f"a {layer} before it", price=_PRICE_OF_AN_ADAPTER)

    def projection(self, merge: GraphNode, number: int, channels: Dim, stride: int) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution at the end of a branch, for channels and sizes."""
        place, name = body_place(merge), str(number)
        if isinstance(place.parts, Mapping):
            name = [name for name in place.parts if name not in type(merge.layer).model_fields][number]
            place = place.of(name)
        else:
            place = place.of(number)
        layer = f"conv2d: {{out_channels: {channels}, kernel_size: 1, stride: {stride}}}"
        edit = self.text.append_step(place, layer)
        yield from _candidate(edit, f"a {layer} at the end of branch {name}", price=_PRICE_OF_A_LAYER)


def _candidate(
    edit: Edit | None, text: str, change: Change | None = None, *, price: int | None = None
) -> Iterator[Candidate]:
    if edit is not None:
        yield Candidate((edit,), (text,), () if change is None else (change,), price=price)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
