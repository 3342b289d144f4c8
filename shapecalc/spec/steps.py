"""Reading layer lists: which key of a step is its kind, and what stands under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shapecalc.errors import Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.spec.located_text import FLOW_HINT, place_of
from shapecalc.spec.tree import Call, Sequential, Side, Step
from shapecalc.spec.tree_node import build, known_hint, refuse_unknown

MODIFIERS = ("name", "repeat", "when", "from", "share", "trainable", "called")
STRUCTURES: dict[str, type[Sequential]] = {"sequential": Sequential, "side": Side}


class StepReader:
    """Knows the blocks of a spec and whose rules it follows while layer lists are read."""

    def __init__(self, blocks: Mapping[str, Any], framework: str) -> None:
        self.blocks = blocks
        self.framework = framework

    def steps(self, holder: Any, key: Any, scope: frozenset[str], path: str) -> tuple[Step, ...]:
        """Read the list of layers that stands under a key."""
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
            return build(
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
        return build(Step, {**values, "place": place}, data, path)

    def several_kinds(self, data: Any, kinds: list[str], scope: frozenset[str], path: str) -> SpecError:
        """Return the error for a step with several keys that could be its kind."""
        names = self.callable_names(scope)
        known, unknown = [key for key in kinds if key in names], [key for key in kinds if key not in names]
        fact = None
        if not unknown:
            message = f"a step has one kind, but here stand {' and '.join(map(quote, known))}"
            hint = "start each layer with a dash of its own"
        elif known and unknown[0] in self.fields_of(known[0]):
            message = f"{quote(unknown[0])} stands beside {known[0]}, but belongs under it"
            hint = f"indent it further, or write {known[0]}: {{{unknown[0]}: ...}}"
        else:
            fact = WrongWord(unknown[0], MODIFIERS if known else names)
            message = f"unknown key {quote(unknown[0])}{nearest(fact.word, fact.known)}"
            hint = f"a step has one kind, and may have {', '.join(MODIFIERS)}"
        place = place_of(data, (unknown or known[1:])[0])
        return SpecError(message, place=place, path=path, hint=hint, fact=fact)

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
            return build(STRUCTURES[name], {"steps": self.steps(holder, name, scope, path)}, value, path)
        if name in self.blocks or (name in scope and not registry.is_known(name)):
            return self.call(name, value, path, place)
        cls = registry.find(name, self.framework)
        if cls is None:
            try:
                registry.belongs(name, self.framework)
            except SpecError as other:
                raise SpecError(other.message, place=place, path=holder_path, hint=other.hint) from None
            error = registry.unknown(str(name), self.callable_names(scope))
            error.place, error.path = place, holder_path
            raise error
        if issubclass(cls, Merge):
            return self.merge(cls, value, scope, path, place)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise SpecError(
                f"{name} takes its fields as a mapping, not {quote(value)}",
                place=place,
                path=path,
                hint=known_hint(name, f"fields of {name}", list(cls.model_fields)),
            )
        return self.layer(cls, value, path, place)

    def layer(self, cls: type[Kind], value: Mapping[str, Any], path: str, place: Place) -> Kind:
        refuse_unknown(value, cls, path, {"branches"})
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in value:
                hint = f"fields of {cls.kind}: {', '.join(cls.model_fields)}"
                raise SpecError(f"{cls.kind} needs {name}", place=place, path=path, hint=hint)
        return build(cls, dict(value), value, path, place)

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
                return build(cls, own, value, path, place)
        else:
            hint = f"as in {cls.kind}: [[relu], earlier_step]"
            raise SpecError(
                f"{cls.kind} takes branches, not {quote(value)}", place=place, path=path, hint=hint
            )
        if not branches:
            raise SpecError(f"{cls.kind} has no branches", place=place, path=path)
        return build(cls, {**own, "branches": branches}, value, path, place)

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
                fact=WrongWord(name, fields),
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
                        hint=known_hint(key, f"arguments of {name}", known),
                        fact=WrongWord(key, known),
                    )
            for key in known:
                if args[key] is None and value.get(key) is None:
                    hint = f"arguments of {name}: {', '.join(known)}"
                    message = f"the block {name} needs the argument {key}"
                    raise SpecError(message, place=place, path=path, hint=hint)
        return build(Call, {"callee": name, "arguments": dict(value)}, value, path, place)
