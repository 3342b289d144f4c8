"""The source map: from the path of a layer to its step, and from a field to where its value is defined."""

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

_MOST_SHARES = 50
"""How many steps may share one with another before it is given up."""


@dataclass(frozen=True, slots=True)
class StepList:
    """A list of steps in its scope: inside which other list, or by which call of which block."""

    steps: Sequence[Step]
    outer: StepList | None = None
    block: str = ""
    caller: Step | None = None
    """The step, in the list `outer`, that calls the block."""
    loop: frozenset[str] = frozenset()
    """The variables of a repeat."""


@dataclass(frozen=True, slots=True)
class ScopedStep:
    """A step, and the list that it is in."""

    scope: StepList
    step: Step


def step_of(spec: Spec, path: str) -> ScopedStep | None:
    """Return the step that became the layer with this path."""
    parts = path.split(".")
    scope = StepList(spec.layers)
    while parts:
        step = _named(scope.steps, parts.pop(0))
        if step is None:
            return None
        for _ in range(_MOST_SHARES):
            if step.repeat is not None:
                if parts and parts[0].isdigit():
                    parts.pop(0)
                names = step.repeat if isinstance(step.repeat, Mapping) else ()
                scope = StepList((), scope, loop=frozenset(names))
            if step.body is not None or step.share is None:
                break
            shared = _shared(scope, step.share)
            if shared is None:
                return None
            scope, step = shared.scope, shared.step
        if not parts:
            return ScopedStep(scope, step)
        inner = _inside(spec, scope, step, parts)
        if inner is None:
            return ScopedStep(scope, step) if isinstance(step.body, Call) else None
        scope = inner
    return None


def _inside(spec: Spec, scope: StepList, step: Step, parts: list[str]) -> StepList | None:
    body = step.body
    if isinstance(body, Call):
        block = body.callee if body.callee in spec.blocks else _callee(spec, scope, body.callee)
        return StepList(spec.blocks[block].layers, scope, block, step) if block in spec.blocks else None
    if isinstance(body, Sequential):
        return StepList(body.steps, scope)
    if isinstance(body, Merge):
        branch = dict(body.branches or ()).get(parts.pop(0))
        return None if branch is None or isinstance(branch, str) else StepList(branch, scope)
    return None


def _callee(spec: Spec, scope: StepList | None, name: str) -> str:
    """Return the block that an argument chooses."""
    while scope is not None and scope.caller is None:
        scope = scope.outer
    if scope is None or scope.caller is None:
        return name
    call = scope.caller.body
    assert isinstance(call, Call)
    chosen = call.arguments.get(name, spec.blocks[scope.block].args.get(name))
    if not isinstance(chosen, Formula):
        return name
    return chosen.text if chosen.text in spec.blocks else _callee(spec, scope.outer, chosen.text)


def _named(steps: Sequence[Step], key: str) -> Step | None:
    taken = dict.fromkeys((step.name for step in steps if step.name), 1)
    return next((step for step in steps if (step.name or automatic_name(step, taken)) == key), None)


def _shared(scope: StepList, reference: str) -> ScopedStep | None:
    inner: StepList | None = scope
    while inner is not None:
        step = _named(inner.steps, reference)
        if step is not None:
            return ScopedStep(inner, step)
        inner = None if inner.block else inner.outer
    return None


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


def field_sites(spec: Spec, found: ScopedStep, name: str, *, by_force: bool = False) -> Iterator[EditSite]:
    """Yield where the value of a layer's field can be changed, the likeliest first.

    A formula that is more than a name is left alone, unless by force.
    """
    body = found.step.body
    if isinstance(body, Kind):
        holder, arguments = found.step.place.of(body.kind), body.fields_set()
    elif isinstance(body, Call):  # a kind that an argument chose
        holder, arguments = found.step.place.of(body.callee), body.arguments
    else:
        return
    own = _site(holder, name)
    if name not in arguments:
        yield own
        return
    definitions = [*_definitions(spec, found.scope, arguments[name], own)]
    yield from definitions
    if by_force and own.place is not None and own.position not in [site.position for site in definitions]:
        yield own


def _site(holder: Place, name: str) -> EditSite:
    is_written = isinstance(holder.parts, Mapping) and name in holder.parts
    return EditSite(holder, name, holder.of(name) if is_written else None)


def _definitions(spec: Spec, scope: StepList | None, value: Any, site: EditSite) -> Iterator[EditSite]:
    """Follow a value that is nothing but a name back through arguments to where something is written."""
    if not isinstance(value, Formula) or not value.is_name:
        if site.place is not None and not isinstance(value, Formula):
            yield site
        return
    name = value.text
    while scope is not None and scope.caller is None:
        if name in scope.loop:
            return
        scope = scope.outer
    if scope is not None and scope.caller is not None:
        block, call = spec.blocks[scope.block], scope.caller.body
        assert isinstance(call, Call)
        holder = scope.caller.place.of(call.callee)
        if name in call.arguments:
            yield from _definitions(spec, scope.outer, call.arguments[name], _site(holder, name))
            return
        if name in block.args:
            yield EditSite(holder, name)
            args = spec.place.of("blocks", scope.block, "args")
            yield from _definitions(spec, None, block.args[name], _site(args, name))
            return
    if name in spec.parameters:
        yield from parameter_sites(spec, name)
    elif site.place is not None:
        yield site  # a word of its own


def parameter_sites(spec: Spec, name: str) -> Iterator[EditSite]:
    """Yield where the value of a parameter is written: in its variant, or as the default of the family."""
    site, value = _site(spec.place.of("parameters"), name), spec.parameters[name]
    if spec.is_member:
        own = _site(spec.place.of("variants", spec.name, "parameters"), name)
        site = own if own.place else site
    if value is not None and not (isinstance(value, Formula) and value.text == name):
        yield from _definitions(spec, None, value, site)
