"""From the path of a layer back to the steps of its spec, and from a field to where its value stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.engine.step_names import automatic_name
from shapecalc.errors import Place
from shapecalc.layers.base import Kind, Merge
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.tree import Call, Sequential, Spec, Step


@dataclass(frozen=True, slots=True)
class Scope:
    """A list of steps as it runs: inside which list, or by which call of which block."""

    steps: Sequence[Step]
    outer: Scope | None = None
    block: str = ""
    caller: Step | None = None
    """The step that calls the block; it stands in the list `outer`."""
    loop: frozenset[str] = frozenset()
    """The variables of a repeat."""


@dataclass(frozen=True, slots=True)
class Found:
    """The step that a path leads to, and the list that it stands in."""

    scope: Scope
    step: Step


def trace(spec: Spec, path: str) -> Found | None:
    """Return the step that became the layer with this path."""
    parts = path.split(".")
    scope = Scope(spec.layers)
    while parts:
        step = _named(scope.steps, parts.pop(0))
        if step is None:
            return None
        for _ in range(50):
            if step.repeat is not None:
                if parts and parts[0].isdigit():
                    parts.pop(0)
                names = step.repeat if isinstance(step.repeat, Mapping) else ()
                scope = Scope((), scope, loop=frozenset(names))
            if step.body is not None or step.share is None:
                break
            shared = _shared(scope, step.share)
            if shared is None:
                return None
            scope, step = shared.scope, shared.step
        if not parts:
            return Found(scope, step)
        inner = _inside(spec, scope, step, parts)
        if inner is None:
            return Found(scope, step) if isinstance(step.body, Call) else None
        scope = inner
    return None


def _inside(spec: Spec, scope: Scope, step: Step, parts: list[str]) -> Scope | None:
    body = step.body
    if isinstance(body, Call):
        block = body.callee if body.callee in spec.blocks else _word(spec, scope, body.callee)
        if block not in spec.blocks:
            return None
        return Scope(spec.blocks[block].layers, scope, block, step)
    if isinstance(body, Sequential):
        return Scope(body.steps, scope)
    if isinstance(body, Merge):
        name = parts.pop(0)
        branch = dict(body.branches or ()).get(name)
        return None if branch is None or isinstance(branch, str) else Scope(branch, scope)
    return None


def _named(steps: Sequence[Step], key: str) -> Step | None:
    taken = dict.fromkeys((step.name for step in steps if step.name), 1)
    for step in steps:
        if (step.name or automatic_name(step, taken)) == key:
            return step
    return None


def _shared(scope: Scope, reference: str) -> Found | None:
    inner: Scope | None = scope
    while inner is not None:
        step = _named(inner.steps, reference)
        if step is not None:
            return Found(inner, step)
        inner = None if inner.block else inner.outer
    return None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value is written, or where it can be: under a key that may not be there yet."""

    holder: Place
    key: str
    place: Place | None = None
    """The key itself, where it is written."""

    def is_at(self, other: Spot) -> bool:
        """Say whether both are the same piece of text; places themselves always compare equal."""
        mine, theirs = self.place or self.holder, other.place or other.holder
        return (self.key, mine.line, mine.column) == (other.key, theirs.line, theirs.column)

    def edit(self, text: YamlText, value: str) -> Edit | None:
        """Return the change that gives the value."""
        if self.place is not None:
            return text.replace_value(self.place, value)
        return text.add_field(self.holder, self.key, value)


def spots(spec: Spec, found: Found, name: str, *, by_force: bool = False) -> Iterator[Spot]:
    """Yield where the value of a layer's field can be changed, the likeliest first.

    A formula that is more than a name is left alone, unless by force.
    """
    body = found.step.body
    if isinstance(body, Kind):
        holder, given = found.step.place.of(body.kind), body.fields_set()
    elif isinstance(body, Call):  # a kind that an argument chose
        holder, given = found.step.place.of(body.callee), body.arguments
    else:
        return
    if name in given:
        own = Spot(holder, name, _part(holder, name))
        origins = [*_origin(spec, found.scope, given[name], own)]
        yield from origins
        if by_force and own.place is not None and not any(map(own.is_at, origins)):
            yield own
    else:
        yield Spot(holder, name)


def _part(holder: Place, name: str) -> Place | None:
    return holder.of(name) if isinstance(holder.parts, Mapping) and name in holder.parts else None


def _origin(spec: Spec, scope: Scope | None, value: Any, spot: Spot) -> Iterator[Spot]:
    """Follow a value that is nothing but a name back through arguments to where something is written."""
    if not isinstance(value, Formula) or not value.is_name:
        if spot.place is not None and not isinstance(value, Formula):
            yield spot
        return
    name = value.text
    while scope is not None:
        if name in scope.loop:
            return
        caller = scope.caller
        if caller is None:
            scope = scope.outer
            continue
        block, call = spec.blocks[scope.block], caller.body
        assert isinstance(call, Call)
        if name not in block.args:
            scope = None
            break
        holder = caller.place.of(call.callee)
        if name in call.arguments:
            passed = call.arguments[name]
            yield from _origin(spec, scope.outer, passed, Spot(holder, name, _part(holder, name)))
            return
        yield Spot(holder, name)
        args = spec.place.of("blocks", scope.block, "args")
        yield from _origin(spec, None, block.args[name], Spot(args, name, _part(args, name)))
        return
    if name in spec.parameters:
        yield from origin_of_parameter(spec, name)
    elif spot.place is not None:
        yield spot  # a word of its own


def origin_of_parameter(spec: Spec, name: str) -> Iterator[Spot]:
    """Yield where the value of a parameter is written: in its variant, or as the default of the family."""
    holder, value = spec.place.of("parameters"), spec.parameters[name]
    if spec.is_member:
        own = spec.place.of("variants", spec.name, "parameters")
        holder = own if _part(own, name) else holder
    if value is not None and not (isinstance(value, Formula) and value.text == name):
        yield from _origin(spec, None, value, Spot(holder, name, _part(holder, name)))


def _word(spec: Spec, scope: Scope | None, name: str) -> str:
    """Return the block that an argument chooses."""
    while scope is not None:
        if scope.caller is not None:
            call = scope.caller.body
            assert isinstance(call, Call)
            args = spec.blocks[scope.block].args
            chosen = call.arguments.get(name, args.get(name))
            if isinstance(chosen, Formula):
                return chosen.text if chosen.text in spec.blocks else _word(spec, scope.outer, chosen.text)
            return name
        scope = scope.outer
    return name
