"""From located data to the tree, with the file, line and column in every error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shapecalc.errors import Place, SpecError, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.spec.text import DEEPEST, FLOW_HINT, Map, place_of
from shapecalc.spec.tree import Block, Call, Expect, Paper, Sequential, Side, Spec, Step, Variant

MODIFIERS = ("name", "repeat", "when", "from", "share", "trainable")
STRUCTURES: dict[str, type[Sequential]] = {"sequential": Sequential, "side": Side}

_S = TypeVar("_S", bound=Spec)
_M = TypeVar("_M", bound=BaseModel)


def read(data: Any, cls: type[_S], file: str | None = None) -> _S:
    """Return the model that plain or located data describe; raise `SpecError` otherwise."""
    if not isinstance(data, Mapping):
        place = place_of(data) or (Place(file, 1, 1) if file else None)
        raise SpecError(f"a spec is a mapping, not {quote(data)}", place=place)
    if not isinstance(data, Map):
        _refuse_odd(data, 0)
    return _Reader(data, file).model(cls)


class _Reader:
    """Knows the blocks and parameters of one spec while its steps are read."""

    def __init__(self, data: Mapping[str, Any], file: str | None) -> None:
        self.data = data
        self.file = file
        self.blocks: Mapping[str, Any] = {}
        self.parameters: frozenset[str] = frozenset()
        self.framework = "torch"

    def model(self, cls: type[_S]) -> _S:
        data = self.data
        self.fields(data, cls, "", {"place"})
        for needed in ("input", "layers"):
            if data.get(needed) is None:
                place = place_of(data, needed) or Place(self.file)
                raise SpecError(f"the spec has no {needed}", place=place, hint=_NEEDED[needed])
        framework = data.get("framework")
        if framework in registry.FRAMEWORKS:  # the model refuses anything else
            self.framework = str(framework)
        parameters = self.mapping(data, "parameters")
        self.parameters = frozenset(map(str, parameters))
        self.blocks = self.mapping(data, "blocks")
        values = {key: value for key, value in data.items() if value is not None}
        values["parameters"] = parameters
        values["blocks"] = {name: self.block(name) for name in self.blocks}
        values["layers"] = self.steps(data, "layers", self.parameters, "layers")
        for key, kind in (("paper", Paper), ("expect", Expect)):
            if key in values:
                values[key] = self.node(data, key, kind, "")
        variants = self.mapping(data, "variants")
        values["variants"] = {name: self.variant(variants, name) for name in variants}
        values["place"] = place_of(data) or Place(self.file)
        model = self.build(cls, values, data, "")
        blocks_in_order(model.blocks)
        return model

    def block(self, name: str) -> Block:
        path = f"blocks.{name}"
        data = self.blocks[name]
        place = place_of(self.blocks, name)
        if registry.is_known(name) or name in STRUCTURES or name in MODIFIERS:
            raise SpecError(f"the block {quote(name)} has the name of a kind", place=place, path=path)
        if not isinstance(data, Mapping):
            raise SpecError(f"a block is a mapping with layers, not {quote(data)}", place=place, path=path)
        self.fields(data, Block, path, {"place"})
        if data.get("layers") is None:
            raise SpecError("the block has no layers", place=place, path=path)
        args = self.mapping(data, "args", path)
        scope = self.parameters | set(map(str, args))
        values = {"args": args, "layers": self.steps(data, "layers", scope, path), "place": place}
        return self.build(Block, values, data, path)

    def variant(self, variants: Mapping[str, Any], name: str) -> Variant:
        path = f"variants.{name}"
        data = self.mapping(variants, name, "variants")
        self.fields(data, Variant, path)
        values = dict(data)
        for key, kind in (("paper", Paper), ("expect", Expect)):
            if values.get(key) is not None:
                values[key] = self.node(data, key, kind, path)
        overridden = self.mapping(data, "parameters", path)
        for key in overridden:
            if key not in self.parameters:
                known = sorted(self.parameters)
                raise SpecError(
                    f"unknown parameter {quote(key)}{nearest(key, known)}",
                    place=place_of(overridden, key),
                    path=path,
                    hint=f"parameters: {', '.join(known[:20]) or 'none'}",
                )
        values["parameters"] = overridden
        return self.build(Variant, values, data, path)

    def node(self, data: Any, key: str, cls: type[_M], path: str) -> _M:
        values = self.mapping(data, key, path)
        path = f"{path}.{key}" if path else key
        self.fields(values, cls, path)
        return self.build(cls, dict(values), values, path, place_of(data, key))

    # ---- steps

    def steps(self, holder: Any, key: Any, scope: frozenset[str], path: str) -> tuple[Step, ...]:
        data = holder[key]
        if not isinstance(data, (list, tuple)):
            what = f"{key} must be" if isinstance(key, str) else "a branch is"
            raise SpecError(
                f"{what} a list of layers, not {quote(data)}",
                place=place_of(holder, key),
                path="" if path == key else path,
            )
        return tuple(
            self.step(one, scope, f"{path}[{index}]", place_of(data, index)) for index, one in enumerate(data)
        )

    def step(self, data: Any, scope: frozenset[str], path: str, place: Place) -> Step:
        if isinstance(data, str):
            return self.build(
                Step,
                {"body": self.body(data, None, {}, scope, path, place), "place": place},
                data,
                path,
                place,
            )
        if not isinstance(data, Mapping):
            raise SpecError(
                f"a layer is a kind or a mapping with a kind, not {quote(data)}", place=place, path=path
            )
        values: dict[str, Any] = {key: data[key] for key in MODIFIERS if key in data}
        loops = values.get("repeat")
        if isinstance(loops, Mapping):
            scope |= set(map(str, loops))
        kinds = [key for key in data if key not in values]
        if len(kinds) > 1:
            raise self.several_kinds(data, kinds, scope, path)
        if kinds:
            values["body"] = self.body(
                kinds[0], data[kinds[0]], data, scope, path, place_of(data, kinds[0]) or place
            )
        return self.build(Step, {**values, "place": place}, data, path)

    def several_kinds(self, data: Any, kinds: list[str], scope: frozenset[str], path: str) -> SpecError:
        """Return the error for a step with several keys that could be its kind."""
        names = self.callable_names(scope)
        known, unknown = [key for key in kinds if key in names], [key for key in kinds if key not in names]
        if not unknown:
            message = f"a step has one kind, but here stand {' and '.join(map(quote, known))}"
            hint = "start each layer with a dash of its own"
        elif known and unknown[0] in self.fields_of(known[0]):
            message = f"{quote(unknown[0])} stands beside {known[0]}, but belongs under it"
            hint = f"indent it further, or write {known[0]}: {{{unknown[0]}: ...}}"
        else:
            message = f"unknown key {quote(unknown[0])}{nearest(unknown[0], MODIFIERS if known else names)}"
            hint = f"a step has one kind, and may have {', '.join(MODIFIERS)}"
        return SpecError(message, place=place_of(data, (unknown or known[1:])[0]), path=path, hint=hint)

    def fields_of(self, name: str) -> Iterable[str]:
        """Return the fields of a kind, or the arguments of a block."""
        block = self.blocks.get(name)
        if isinstance(block, Mapping):
            args = block.get("args")
            return args if isinstance(args, Mapping) else ()
        cls = registry.find(name, self.framework)
        return cls.model_fields if cls else ()

    def callable_names(self, scope: Iterable[str]) -> list[str]:
        return [*registry.kinds(self.framework), *STRUCTURES, *map(str, self.blocks), *scope]

    def body(
        self, name: Any, value: Any, holder: Any, scope: frozenset[str], path: str, place: Place
    ) -> Kind | Call | Sequential:
        holder_path, path = path, f"{path}.{name}"
        if name in STRUCTURES:
            if not isinstance(holder, Mapping) or value is None:
                raise SpecError(f"{name} needs a list of layers", place=place, path=path)
            return self.build(STRUCTURES[name], {"steps": self.steps(holder, name, scope, path)}, value, path)
        if name in self.blocks or (name in scope and not registry.is_known(name)):
            return self.call(name, value, path, place)
        cls = registry.find(name, self.framework)
        if cls is None:
            try:
                registry.belongs(name, self.framework)
            except SpecError as error:
                raise SpecError(error.message, place=place, path=holder_path, hint=error.hint) from None
            known = self.callable_names(scope)
            raise SpecError(
                f"unknown kind {quote(name)}{nearest(name, known)}", place=place, path=holder_path
            )
        if issubclass(cls, Merge):
            return self.merge(cls, value, scope, path, place)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise SpecError(
                f"{name} takes its fields as a mapping, not {quote(value)}",
                place=place,
                path=path,
                hint=_known(name, f"fields of {name}", list(cls.model_fields)),
            )
        return self.layer(cls, value, path, place)

    def layer(self, cls: type[Kind], value: Mapping[str, Any], path: str, place: Place) -> Kind:
        self.fields(value, cls, path, {"branches"})
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in value:
                hint = f"fields of {cls.kind}: {', '.join(cls.model_fields)}"
                raise SpecError(f"{cls.kind} needs {name}", place=place, path=path, hint=hint)
        return self.build(cls, dict(value), value, path, place)

    def merge(self, cls: type[Merge], value: Any, scope: frozenset[str], path: str, place: Place) -> Kind:
        if value is None:
            return self.layer(cls, {}, path, place)
        if isinstance(value, (list, tuple)):
            branches = tuple(
                (str(index), self.branch(value, index, scope, f"{path}[{index}]"))
                for index in range(len(value))
            )
            own: dict[str, Any] = {}
        elif isinstance(value, Mapping):
            own = {key: value[key] for key in value if key in cls.model_fields and key != "branches"}
            branches = tuple(
                (self.branch_name(value, key, cls, path), self.branch(value, key, scope, f"{path}.{key}"))
                for key in value
                if key not in own
            )
            if not branches:
                return self.build(cls, own, value, path, place)
        else:
            hint = f"as in {cls.kind}: [[relu], earlier_step]"
            raise SpecError(
                f"{cls.kind} takes branches, not {quote(value)}", place=place, path=path, hint=hint
            )
        if not branches:
            raise SpecError(f"{cls.kind} has no branches", place=place, path=path)
        return self.build(cls, {**own, "branches": branches}, value, path, place)

    def branch_name(self, value: Any, key: Any, cls: type[Merge], path: str) -> str:
        name = str(key)
        if not (name.isidentifier() or name.isdigit()) or not name.isascii():
            raise SpecError(
                f"{quote(name)} cannot name a branch", place=place_of(value, key), path=path, hint=FLOW_HINT
            )
        if not isinstance(value[key], (list, tuple, str)):
            fields = [field for field in cls.model_fields if field != "branches"]
            raise SpecError(
                f"the branch {name!r} must be a list of layers or the name of an earlier step, "
                f"not {quote(value[key])}{nearest(name, fields)}",
                place=place_of(value, key),
                path=path,
            )
        return name

    def branch(self, holder: Any, key: Any, scope: frozenset[str], path: str) -> tuple[Step, ...] | str:
        data = holder[key]
        if isinstance(data, str):
            return data
        if isinstance(data, Mapping):
            return (self.step(data, scope, path, place_of(holder, key)),)
        return self.steps(holder, key, scope, path)

    def call(self, name: str, value: Any, path: str, place: Place) -> Call:
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise SpecError(
                f"{name} takes its arguments as a mapping, not {quote(value)}", place=place, path=path
            )
        if name in self.blocks:
            block = self.blocks[name]
            args = block.get("args") if isinstance(block, Mapping) else None
            args = args if isinstance(args, Mapping) else {}
            known = list(args)
            for key in value:
                if key not in known:
                    raise SpecError(
                        f"the block {name} has no argument {quote(key)}{nearest(key, known)}",
                        place=place_of(value, key),
                        path=path,
                        hint=_known(key, f"arguments of {name}", known),
                    )
            for key in known:
                if args[key] is None and value.get(key) is None:
                    hint = f"arguments of {name}: {', '.join(known)}"
                    message = f"the block {name} needs the argument {key}"
                    raise SpecError(message, place=place, path=path, hint=hint)
        return self.build(Call, {"callee": name, "arguments": dict(value)}, value, path, place)

    # ---- helpers

    def mapping(self, holder: Any, key: str, path: str = "") -> Mapping[str, Any]:
        value = holder.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise SpecError(
                f"{key} must be a mapping, not {quote(value)}", place=place_of(holder, key), path=path
            )
        return value

    def fields(
        self, data: Mapping[str, Any], cls: type[BaseModel], path: str, hidden: Iterable[str] = ()
    ) -> None:
        """Refuse keys that a class does not have, with the nearest one that it has."""
        known = [name for name in cls.model_fields if name not in set(hidden)]
        for key in data:
            if key not in known:
                kind = cls.kind if issubclass(cls, Kind) else ""
                what = f"{kind} has no field" if kind else "unknown key"
                raise SpecError(
                    f"{what} {quote(key)}{nearest(key, known)}",
                    place=place_of(data, key),
                    path=path,
                    hint=_known(key, f"fields of {kind}" if kind else "known", known),
                )

    def build(
        self, cls: Callable[..., _M], values: dict[str, Any], data: Any, path: str, place: Place | None = None
    ) -> _M:
        """Make one node of the tree; the first thing wrong with it becomes a `SpecError`."""
        try:
            return cls(**values)
        except ValidationError as error:
            keys, message = complaint_of(error)
            located = place_of(data).of(*keys) if keys else place or place_of(data)
            raise SpecError(message, place=located or place or Place(self.file), path=path) from None


def _known(key: str, what: str, known: Sequence[str]) -> str:
    """Return the hint for a key that is not known, which may be half of an expression."""
    return f"{what}: {', '.join(known[:30]) or 'none'}" if key.isidentifier() else FLOW_HINT


_NEEDED = {
    "input": "give the sizes without the batch, as in input: [3, 224, 224]",
    "layers": "list them, as in layers: [{conv2d: {out_channels: 8, kernel_size: 3}}, relu]",
}
_PLAINLY = {
    "bool_type": "is not true or false",
    "dict_type": "is not a mapping",
    "int_type": "is not a whole number",
    "string_type": "is not text",
    "tuple_type": "is not a list",
}


def complaint_of(error: ValidationError) -> tuple[tuple[str | int, ...], str]:
    """Return where and what the first complaint of a validation error is."""
    first = error.errors(include_url=False)[0]
    at = first.get("ctx", {}).get("at", ())
    keys = (*takewhile(lambda key: isinstance(key, int) or key.isidentifier(), first["loc"]), *at)
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)[1:]
    message = first["msg"]
    if first["type"] in _PLAINLY:
        message = f"{quote(first['input'])} {_PLAINLY[first['type']]}"
    elif first["type"] == "missing":
        return keys, f"{dotted} is missing"
    return keys, f"{dotted}: {message}" if dotted else message


def _refuse_odd(data: Any, depth: int) -> None:
    """Refuse what no spec file could hold: endless nesting, and keys that are not text."""
    if depth > DEEPEST:
        raise SpecError(f"values are nested more than {DEEPEST} deep")
    if isinstance(data, Mapping):
        for key in data:
            if not isinstance(key, str):
                raise SpecError(f"the key {quote(key)} is not text")
        data = data.values()
    elif not isinstance(data, (list, tuple)):
        return
    for value in data:
        _refuse_odd(value, depth + 1)


def blocks_in_order(blocks: Mapping[str, Block]) -> list[str]:
    """Return the names of blocks, each after the blocks that it calls; refuse blocks that call themselves."""
    calls = {name: _called(block.layers) & blocks.keys() for name, block in blocks.items()}
    try:
        return [*TopologicalSorter(calls).static_order()]
    except CycleError as error:
        circle = error.args[1][::-1]
        told = "a block calls itself" if len(circle) == 2 else "blocks call each other in a circle"
        place = blocks[circle[0]].place
        raise SpecError(
            f"{told}: {' -> '.join(circle[:10])}", place=place, path=f"blocks.{circle[0]}"
        ) from None


def _called(steps: Iterable[Step]) -> set[str]:
    found: set[str] = set()
    for step in steps:
        body = step.body
        if isinstance(body, Call):
            found.add(body.callee)
        elif isinstance(body, Sequential):
            found |= _called(body.steps)
        elif isinstance(body, Merge):
            for _, branch in body.branches or ():
                if not isinstance(branch, str):
                    found |= _called(branch)
    return found
