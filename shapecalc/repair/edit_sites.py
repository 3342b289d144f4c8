"""Edit sites: reaching definitions of fields, and candidate fixes that edit one of them.

A layer's field is defined at a place of the text: in its step, as an argument of a block, as a parameter.
The same place may define the field of several layers, and an edit there reaches all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Fact, Place
from shapecalc.layers.base import Shapes
from shapecalc.layers.linear import Identity
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Makes, fields_with
from shapecalc.layers.traced import Require
from shapecalc.repair.candidate import Candidate, Change, single
from shapecalc.repair.field_changes import written
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.steps import MODIFIERS
from shapecalc.spec.tree import Block, Spec

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


@dataclass(frozen=True, slots=True)
class EditSite:
    """Where a value is written, or where it can be: under a key that may not be there yet."""

    holder: Place
    key: str
    place: Place | None = None
    """The key itself, where it is written."""

    @classmethod
    def of(cls, holder: Place, key: str) -> EditSite:
        is_written = isinstance(holder.parts, Mapping) and key in holder.parts
        return cls(holder, key, holder.of(key) if is_written else None)

    @property
    def position(self) -> tuple[str, int | None, int | None]:
        """The identity of a site; places themselves always compare equal."""
        at = self.place or self.holder
        return self.key, at.line, at.column

    def edit(self, text: YamlText, value: str) -> Edit | None:
        if self.place is not None:
            return text.replace_value(self.place, value)
        return text.add_field(self.holder, self.key, value)


def body_place(node: GraphNode) -> Place:
    """Return where the kind of a layer is written in its step, or the argument that chooses the kind."""
    parts = node.place.parts
    keys = [key for key in parts if key not in MODIFIERS] if isinstance(parts, Mapping) else []
    return node.place.of(*map(str, keys[:1]))


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
        self._sites: dict[tuple[str, str, bool], list[EditSite]] = {}
        self._same_step: dict[tuple[int | None, int | None], list[int]] = {}
        for index, node in enumerate(self.nodes):
            self._same_step.setdefault((node.place.line, node.place.column), []).append(index)

    def inputs(self, node: GraphNode) -> Shapes:
        """Return the shapes that a layer reads, where all are known."""
        known = tuple(shape for slot in node.sources if (shape := self.inference.shapes[slot]) is not None)
        return known if len(known) == len(node.sources) else ()

    def reached(self, node: GraphNode) -> tuple[int, ...]:
        """Return the layers that the step of a layer became."""
        return tuple(self._same_step[node.place.line, node.place.column])

    # ---- the source map: names followed to their definitions

    def sites(self, node: GraphNode, name: str, *, by_force: bool = False) -> list[EditSite]:
        """Return where the value of a layer's field can be changed, the likeliest first.

        A formula that is more than a name is left alone, unless by force.
        """
        key = node.path, name, by_force
        if key not in self._sites:
            own = EditSite.of(body_place(node), name)
            sites = [*self._definitions(own, node.calls)] if own.place else [own]
            if by_force and own.position not in [site.position for site in sites]:
                sites.append(own)
            self._sites[key] = sites
        return self._sites[key]

    def parameter_sites(self, name: str) -> Iterator[EditSite]:
        """Yield where the value of a parameter is written: in its variant, or as the family's default."""
        site = EditSite.of(self.spec.place.of("parameters"), name)
        if self.spec.is_member:
            own = EditSite.of(self.spec.place.of("variants", self.spec.name, "parameters"), name)
            site = own if own.place else site
        if site.place is not None and self.text.data(site.place) != name:
            yield from self._definitions(site, ())

    def _definitions(self, site: EditSite, calls: Sequence[Place]) -> Iterator[EditSite]:
        """Follow a value that is nothing but a name back through arguments to where something is written."""
        assert site.place is not None
        value = self.text.data(site.place)
        if not isinstance(value, str):
            if value is not None:
                yield site
            return
        if not value.isidentifier() or self.text.is_loop_variable(value, site.place):
            return
        if calls:
            *outer, call = calls
            block = self._block(calls)
            argument = EditSite.of(call, value)
            if argument.place is not None:
                yield from self._definitions(argument, outer)
                return
            if block is not None and value in block.args:
                yield argument
                yield from self._definitions(EditSite.of(block.place.of("args"), value), ())
                return
        if value in self.spec.parameters:
            yield from self.parameter_sites(value)
        else:
            yield site  # a word of its own

    def _block(self, calls: Sequence[Place]) -> Block | None:
        """Return the block that the last of some calls is of, which an argument of another may choose."""
        *outer, call = calls
        name = str(self.text.key(call))
        if name not in self.spec.blocks and outer:
            argument, block = EditSite.of(outer[-1], name), self._block(outer)
            place = argument.place or (EditSite.of(block.place.of("args"), name).place if block else None)
            name = str(self.text.data(place)) if place else name
        return self.spec.blocks.get(name)

    # ---- fields

    def field(self, node: GraphNode, name: str, value: Any, *, by_force: bool = False) -> Iterator[Candidate]:
        """Yield edits that give a field of a layer another value; by force, in place of a formula too.

        A condition that a trace recorded is no setting of the network.
        """
        if isinstance(node.layer, Require):
            return
        for site in self.sites(node, name, by_force=by_force):
            nodes = [index for index in self.reached(node) if self._defines(site, index, name, by_force)]
            is_forced = by_force and not self._defines(site, self.index[node.path], name, by_force=False)
            change = Change(tuple(nodes), name, _frozen(value))
            price = _PRICE_OF_FORCE if is_forced else None
            text = written(value)
            yield from single(site.edit(self.text, text), f"{site.key}: {text}", change, price=price)

    def _defines(self, site: EditSite, index: int, name: str, by_force: bool) -> bool:
        sites = self.sites(self.nodes[index], name, by_force=by_force)
        return site.position in [other.position for other in sites]

    def omission(self, node: GraphNode, name: str) -> Iterator[Candidate]:
        """Yield the edit that leaves a field out, where it may be left out."""
        field, place = type(node.layer).model_fields[name], body_place(node).of(name)
        if not field.is_required() and self.text.key(place) == name:
            change = Change(self.reached(node), name, field.default)
            edit = self.text.drop_field(place)
            yield from single(edit, f"leave {name} out", change, price=_PRICE_OF_AN_OMISSION)

    def channels(self, slot: int, wanted: Dim) -> Iterator[Candidate]:
        """Yield edits that give a tensor other channels, in the layer above it that sets them."""
        node = self.graph.producer(slot)
        while node is not None and not fields_with(type(node.layer), Makes):
            node = self.graph.producer(node.sources[0]) if len(node.sources) == 1 else None
        if node is not None:
            for name in fields_with(type(node.layer), Makes):
                yield from self.field(node, name, wanted)

    # ---- steps

    def insertion(self, node: GraphNode, kind: str) -> Iterator[Candidate]:
        change = Change(self.reached(node), before=kind)
        return single(self.text.insert_step(node.place, kind), f"a {kind} before it", change)

    def omitted_step(self, node: GraphNode) -> Iterator[Candidate]:
        if isinstance(node.layer, Require):
            return
        change = Change(self.reached(node))
        yield from single(self.text.drop_step(node.place), f"leave the {node.layer.kind} out", change)

    def identity(self, node: GraphNode) -> Iterator[Candidate]:
        """Yield the edit by which a layer, unless it is the only one, does nothing and keeps its name."""
        kind, place = node.layer.kind, body_place(node)
        if isinstance(node.layer, Require):
            return
        if self.text.key(place) == kind != Identity.kind and len(self.nodes) > 1:
            edit = self.text.replace_entry(place, Identity.kind)
            yield from single(edit, f"an identity in the place of {kind}", price=_PRICE_OF_AN_IDENTITY)

    def adapter(self, place: Place, x: Shape, channels: Dim) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution or a linear layer before a step, for its channels."""
        if self.spec.framework == "torch" and len(x) in _ADAPTERS:
            layer = _ADAPTERS[len(x)].format(channels)
            edit = self.text.insert_step(place, layer)
            yield from single(edit, f"a {layer} before it", price=_PRICE_OF_AN_ADAPTER)

    def projection(self, merge: GraphNode, number: int, channels: Dim, stride: int) -> Iterator[Candidate]:
        """Yield the edit that puts a 1x1 convolution at the end of a branch, for channels and sizes."""
        place, branch = body_place(merge), str(number)
        if isinstance(place.parts, Mapping):
            branch = [name for name in place.parts if name not in type(merge.layer).model_fields][number]
            place = place.of(branch)
        else:
            place = place.of(number)
        layer = f"conv2d: {{out_channels: {channels}, kernel_size: 1, stride: {stride}}}"
        edit = self.text.append_step(place, layer)
        return single(edit, f"a {layer} at the end of branch {branch}", price=_PRICE_OF_A_LAYER)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value
