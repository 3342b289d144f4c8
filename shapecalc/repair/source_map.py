"""The source map: from a field of a layer to where its value is defined in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Place
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.steps import MODIFIERS
from shapecalc.spec.tree import Block, Spec


@dataclass(frozen=True, slots=True)
class EditSite:
    """Where a value is written, or where it can be: under a key that may not be there yet."""

    holder: Place
    key: str
    place: Place | None = None
    """The key itself, where it is written."""

    @property
    def position(self) -> tuple[str, int | None, int | None]:
        """What tells two sites apart; places themselves always compare equal."""
        at = self.place or self.holder
        return self.key, at.line, at.column

    def edit(self, text: YamlText, value: str) -> Edit | None:
        """Return the edit that gives the value."""
        if self.place is not None:
            return text.replace_value(self.place, value)
        return text.add_field(self.holder, self.key, value)


def body_place(node: GraphNode) -> Place:
    """Return where the kind of a layer is written in its step, or the argument that chooses the kind."""
    parts = node.place.parts
    keys = [key for key in parts if key not in MODIFIERS] if isinstance(parts, Mapping) else []
    return node.place.of(*map(str, keys[:1]))


class SourceMap:
    """The spec and its text, in which names are followed to their definitions."""

    def __init__(self, spec: Spec, text: YamlText) -> None:
        self.spec = spec
        self.text = text

    def field_sites(self, node: GraphNode, name: str, *, by_force: bool = False) -> Iterator[EditSite]:
        """Yield where the value of a layer's field can be changed, the likeliest first.

        A formula that is more than a name is left alone, unless by force.
        """
        own = _site(body_place(node), name)
        if own.place is None:
            yield own
            return
        definitions = [*self._definitions(own, node.calls)]
        yield from definitions
        if by_force and own.position not in [site.position for site in definitions]:
            yield own

    def parameter_sites(self, name: str) -> Iterator[EditSite]:
        """Yield where the value of a parameter is written: in its variant, or as the family's default."""
        site = _site(self.spec.place.of("parameters"), name)
        if self.spec.is_member:
            own = _site(self.spec.place.of("variants", self.spec.name, "parameters"), name)
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
            argument = _site(call, value)
            if argument.place is not None:
                yield from self._definitions(argument, outer)
                return
            if block is not None and value in block.args:
                yield argument
                yield from self._definitions(_site(block.place.of("args"), value), ())
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
            argument, block = _site(outer[-1], name), self._block(outer)
            place = argument.place or (_site(block.place.of("args"), name).place if block else None)
            name = str(self.text.data(place)) if place else name
        return self.spec.blocks.get(name)


def _site(holder: Place, name: str) -> EditSite:
    is_written = isinstance(holder.parts, Mapping) and name in holder.parts
    return EditSite(holder, name, holder.of(name) if is_written else None)
