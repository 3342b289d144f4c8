"""From the layers of a graph to proposals: which text gives a field its value, and whom it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.graph import Graph, GraphNode
from shapecalc.errors import Place
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import Shape
from shapecalc.layers.roles import Makes, fields_with
from shapecalc.repair.field_changes import written
from shapecalc.repair.hypothetical import Change
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.source_map import Found, Spot, spots, trace
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.tree import Spec

_PRICE_OF_AN_OMISSION = 3
"""A number that is left out repairs nothing: it is no longer compared with what arrives."""
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

_Written = tuple[int | None, int | None]


class EditSites:
    """Knows for every layer the step that it comes from, and for every field where it is written."""

    def __init__(self, spec: Spec, graph: Graph, text: YamlText) -> None:
        self.spec = spec
        self.text = text
        self.nodes = graph.nodes
        self.framework = spec.framework
        self.producer = graph.producer
        self._found: dict[str, Found | None] = {}
        self._spots: dict[tuple[str, str, bool], list[Spot]] = {}
        self._same: dict[_Written, list[int]] = {}
        for index, node in enumerate(graph.nodes):
            self._same.setdefault(_written(node), []).append(index)

    def found(self, node: GraphNode) -> Found | None:
        """Return the step that became a layer."""
        if node.path not in self._found:
            self._found[node.path] = trace(self.spec, node.path)
        return self._found[node.path]

    def field(self, node: GraphNode, name: str, value: Any, *, by_force: bool = False) -> Iterator[Proposal]:
        """Yield the ways to give a field of a layer another value; by force, in place of a formula too."""
        for spot in self.spots(node, name, by_force=by_force):
            edit = spot.edit(self.text, written(value))
            if edit is not None:
                reached = tuple(
                    index
                    for index in self._same[_written(node)]
                    if any(map(spot.is_at, self.spots(self.nodes[index], name, by_force=by_force)))
                )
                change = Change(reached, name, _frozen(value))
                forced = by_force and not any(map(spot.is_at, self.spots(node, name)))
                price = _PRICE_OF_FORCE if forced else None
                yield Proposal((edit,), (f"{spot.key}: {written(value)}",), (change,), price=price)

    def spots(self, node: GraphNode, name: str, *, by_force: bool = False) -> list[Spot]:
        """Return where the value of a layer's field can be changed."""
        key = node.path, name, by_force
        if key not in self._spots:
            found = self.found(node)
            self._spots[key] = [] if found is None else [*spots(self.spec, found, name, by_force=by_force)]
        return self._spots[key]

    def omission(self, node: GraphNode, name: str) -> Iterator[Proposal]:
        """Yield that a field is left out, where it may be: a number in a layer in braces."""
        found = self.found(node)
        if found is None or type(node.layer).model_fields[name].is_required():
            return
        place = found.step.place.of(node.layer.kind, name)
        edit = self.text.drop_field(place) if self.text.key(place) == name else None
        if edit is not None:
            default = type(node.layer).model_fields[name].default
            change = Change(self._reached(node), name, default)
            yield Proposal((edit,), (f"leave {name} out",), (change,), price=_PRICE_OF_AN_OMISSION)

    def insertion(self, node: GraphNode, kind: str, told: str) -> Proposal | None:
        """Return that a layer of a kind is put before one."""
        found = self.found(node)
        edit = None if found is None else self.text.insert_step(found.step.place, kind)
        return None if edit is None else self._proposal(edit, told, Change(self._reached(node), before=kind))

    def projection(self, merge: GraphNode, number: int, channels: Dim, stride: int) -> Proposal | None:
        """Return that a 1x1 convolution is put at the end of a branch, to bring it to other sizes."""
        found = self.found(merge)
        branches = getattr(found.step.body, "branches", None) if found else None
        if found is None or branches is None or not isinstance(branches[number][1], tuple):
            return None
        name = branches[number][0]
        place = found.step.place.of(merge.layer.kind, int(name) if name.isdecimal() else name)
        layer = f"conv2d: {{out_channels: {channels}, kernel_size: 1, stride: {stride}}}"
        edit = self.text.append_step(place, layer)
        if edit is None:
            return None
        return Proposal((edit,), (f"a {layer} at the end of branch {name}",), price=_PRICE_OF_A_LAYER)

    def adapter(self, place: Place, x: Shape, channels: Dim) -> Iterator[Proposal]:
        """Yield that a 1x1 convolution or a linear layer before a step brings it its channels."""
        if self.framework != "torch" or len(x) not in _ADAPTERS:
            return
        layer = _ADAPTERS[len(x)].format(channels)
        edit = self.text.insert_step(place, layer)
        if edit is not None:
            yield Proposal((edit,), (f"a {layer} before it",), price=_PRICE_OF_AN_ADAPTER)

    def maker_of_channels(self, slot: int) -> GraphNode | None:
        """Return the layer above a tensor that says how many channels it has."""
        maker = self.producer(slot)
        while maker is not None and not fields_with(type(maker.layer), Makes):
            maker = self.producer(maker.sources[0]) if len(maker.sources) == 1 else None
        return maker

    def channels(self, maker: GraphNode, wanted: Dim) -> Iterator[Proposal]:
        """Yield that a layer makes so many channels."""
        for name in fields_with(type(maker.layer), Makes):
            yield from self.field(maker, name, wanted)

    def identity(self, node: GraphNode) -> Proposal | None:
        """Return that a layer does nothing, and keeps its place and name; not of the only one there is."""
        found = self.found(node)
        body = None if found is None else found.step.body
        if found is None or not isinstance(body, Kind) or body.kind == "identity" or len(self.nodes) == 1:
            return None
        edit = self.text.replace_entry(found.step.place.of(body.kind), "identity")
        if edit is None:
            return None
        return Proposal((edit,), (f"an identity in the place of {body.kind}",), price=_PRICE_OF_AN_IDENTITY)

    def omitted_step(self, node: GraphNode) -> Proposal | None:
        """Return that the step which became a layer is left out."""
        found = self.found(node)
        edit = None if found is None else self.text.drop_step(found.step.place)
        if edit is None:
            return None
        return self._proposal(edit, f"leave the {node.layer.kind} out", Change(self._reached(node)))

    def _proposal(self, edit: Edit, told: str, change: Change) -> Proposal:
        return Proposal((edit,), (told,), (change,))

    def _reached(self, node: GraphNode) -> tuple[int, ...]:
        return tuple(self._same[_written(node)])


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _written(node: GraphNode) -> _Written:
    return node.place.line, node.place.column
