"""Edit sites: reaching definitions of fields, and candidate fixes that edit one of them.

A layer's field is defined at a place of the text: in its step, as an argument of a block, as a parameter.
The same place may define the field of several layers, and an edit there reaches all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Fact, Place
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.linear import Identity
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Makes, fields_with
from shapecalc.repair.candidate import Candidate, Change
from shapecalc.repair.field_changes import written
from shapecalc.repair.source_map import EditSite, ScopedStep, field_sites, step_of
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
        self._steps: dict[str, ScopedStep | None] = {}
        self._sites: dict[tuple[str, str, bool], list[EditSite]] = {}
        self._same_step: dict[tuple[int | None, int | None], list[int]] = {}
        for index, node in enumerate(self.nodes):
            self._same_step.setdefault((node.place.line, node.place.column), []).append(index)

    def inputs(self, node: GraphNode) -> Shapes:
        """Return the shapes that a layer reads, where all are known."""
        known = tuple(shape for slot in node.sources if (shape := self.inference.shapes[slot]) is not None)
        return known if len(known) == len(node.sources) else ()

    def step(self, node: GraphNode) -> ScopedStep | None:
        """Return the step that became a layer."""
        if node.path not in self._steps:
            self._steps[node.path] = step_of(self.spec, node.path)
        return self._steps[node.path]

    def sites(self, node: GraphNode, name: str, *, by_force: bool = False) -> list[EditSite]:
        """Return where the value of a layer's field can be changed."""
        key = node.path, name, by_force
        if key not in self._sites:
            step = self.step(node)
            self._sites[key] = (
                [] if step is None else [*field_sites(self.spec, step, name, by_force=by_force)]
            )
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
        step, field = self.step(node), type(node.layer).model_fields[name]
        if step is None or field.is_required():
            return
        place = step.step.place.of(node.layer.kind, name)
        edit = self.text.drop_field(place) if self.text.key(place) == name else None
        change = Change(self.reached(node), name, field.default)
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
        step = self.step(node)
        edit = None if step is None else self.text.insert_step(step.step.place, kind)
        yield from _candidate(edit, f"a {kind} before it", Change(self.reached(node), before=kind))

    def omitted_step(self, node: GraphNode) -> Iterator[Candidate]:
        """Yield the edit that leaves the step of a layer out."""
        step = self.step(node)
        edit = None if step is None else self.text.drop_step(step.step.place)
        yield from _candidate(edit, f"leave the {node.layer.kind} out", Change(self.reached(node)))

    def identity(self, node: GraphNode) -> Iterator[Candidate]:
        """Yield the edit by which a layer, unless it is the only one, does nothing and keeps its name."""
        step = self.step(node)
        body = None if step is None else step.step.body
        if step is None or not isinstance(body, Kind) or isinstance(body, Identity) or len(self.nodes) == 1:
            return
        edit = self.text.replace_entry(step.step.place.of(body.kind), Identity.kind)
        yield from _candidate(edit, f"an identity in the place of {body.kind}", price=_PRICE_OF_AN_IDENTITY)

    def adapter(self, place: Place, x: Shape, channels: Dim) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution or a linear layer before a step, for its channels."""
        if self.spec.framework == "torch" and len(x) in _ADAPTERS:
            layer = _ADAPTERS[len(x)].format(channels)
            edit = self.text.insert_step(place, layer)
            yield from _candidate(edit, f"a {layer} before it", price=_PRICE_OF_AN_ADAPTER)

    def projection(self, merge: GraphNode, number: int, channels: Dim, stride: int) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution at the end of a branch, for channels and sizes."""
        step = self.step(merge)
        branches = getattr(step.step.body, "branches", None) if step else None
        if step is None or branches is None or not isinstance(branches[number][1], tuple):
            return
        name = branches[number][0]
        place = step.step.place.of(merge.layer.kind, int(name) if name.isdecimal() else name)
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
