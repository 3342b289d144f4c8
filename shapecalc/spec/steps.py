"""Reading layer lists: which key of a step is its kind, and what is under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shapecalc.errors import FormulaError, Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.declaration import positions
from shapecalc.spec.located_text import FLOW_HINT, Map, place_of
from shapecalc.spec.reference import Reference
from shapecalc.spec.spec_part import Part, renamed
from shapecalc.spec.spec_values import is_step_name
from shapecalc.spec.tree import Call, Sequential, Side, Step, Unread

MODIFIERS = registry.MODIFIERS
STRUCTURES: dict[str, type[Sequential]] = {"layers": Sequential, "sequential": Sequential, "side": Side}


class StepReader:
    """Reads layer lists, with the blocks of a spec and the framework whose rules it follows."""

    def __init__(self, blocks: Mapping[str, Any], framework: str) -> None:
        self.blocks = blocks
        self.framework = framework

    def steps(self, part: Part, scope: frozenset[str], what: str) -> tuple[Step, ...]:
        """Read a list of layers; `what` begins the message where it is none."""
        if not isinstance(part.data, (list, tuple)):
            raise part.error(f"{what} a list of layers, not {quote(part.data)}")
        return tuple(self.step(part.part(index), scope) for index in range(len(part.data)))

    def step(self, part: Part, scope: frozenset[str]) -> Step:
        """Read a step; where that fails, keep the error and return a step of which only the name is known."""
        try:
            return self._step(part, scope)
        except SpecError as error:
            part.keep(error)
        data = part.data if isinstance(part.data, Mapping) else {str(part.data): None}
        names = [name for name in data if isinstance(name, str) and name.isidentifier()]
        label = next((name for name in names if name not in MODIFIERS), "step")
        name = data.get("name")
        known = name if isinstance(name, str) and is_step_name(name) else None
        return Step(Unread(label=label), name=known, place=part.place)

    def _step(self, part: Part, scope: frozenset[str]) -> Step:
        data = part.data
        if isinstance(data, str):
            body = self.body(data, part, part.holding(None, f"{part.path}.{data}"), scope)
            return part.build(Step, {"body": body, "place": part.place})
        if not isinstance(data, Mapping):
            raise part.error(f"a layer is a kind or a mapping with a kind, not {quote(data)}")
        values: dict[str, Any] = {key: data[key] for key in MODIFIERS if key in data}
        loops = values.get("repeat")
        if isinstance(loops, Mapping):
            scope |= set(map(str, loops))
        kinds = [key for key in data if key not in values]
        if len(kinds) > 1:
            error = self.several_kinds(part, kinds, scope)
            known = [key for key in kinds if key in self.callable_names(scope)]
            words = {key: WrongWord(key, MODIFIERS).meant for key in kinds if key not in known}
            if len(known) != 1 or not all(meant and meant[0] not in data for meant in words.values()):
                raise error
            part.keep(error)
            return self._step(
                part.holding(renamed(data, {key: meant[0] for key, meant in words.items()})), scope
            )
        if kinds:
            values["body"] = self.body(kinds[0], part, part.part(kinds[0]), scope)
        return part.build(Step, {**values, "place": part.place})

    def several_kinds(self, part: Part, kinds: list[str], scope: frozenset[str]) -> SpecError:
        """Return the error for a step with several keys that could be its kind."""
        names = self.callable_names(scope)
        known, unknown = [key for key in kinds if key in names], [key for key in kinds if key not in names]
        if not unknown:
            message = f"a step has one kind, but this one has {' and '.join(map(quote, known))}"
            return part.error(message, "start each layer with a dash of its own", at=known[1])
        key = unknown[0]
        if known and key in self.fields_of(known[0]):
            message = f"{quote(key)} is beside {known[0]}, but belongs under it"
            return part.error(message, f"indent it further, or write {known[0]}: {{{key}: ...}}", at=key)
        fact = WrongWord(key, MODIFIERS if known else names)
        hint = f"a step has one kind, and may have {', '.join(MODIFIERS)}"
        return part.error(f"unknown key {quote(key)}{nearest(key, fact.known)}", hint, fact, at=key)

    def fields_of(self, name: str) -> Iterable[str]:
        if name in self.blocks:
            return self.arguments_of(name)
        cls = registry.find(name, self.framework)
        return cls.model_fields if cls else ()

    def arguments_of(self, block: str) -> Mapping[str, Any]:
        data = self.blocks[block]
        args = data.get("args") if isinstance(data, Mapping) else None
        return args if isinstance(args, Mapping) else {}

    def callable_names(self, scope: Iterable[str]) -> list[str]:
        return [*registry.kinds(self.framework), *STRUCTURES, *map(str, self.blocks), *scope]

    def body(
        self, name: Any, step: Part, part: Part, scope: frozenset[str]
    ) -> Kind | Call | Sequential | Unread:
        """Read what is under the kind, the block or the structure of a step."""
        if name in STRUCTURES:
            if part.data is None:
                raise part.error(f"{name} needs a list of layers")
            return part.build(STRUCTURES[name], {"steps": self.steps(part, scope, f"{name} must be")})
        if name in self.blocks or (name in scope and not registry.is_known(name)):
            return self.call(name, part)
        cls = registry.find(name, self.framework)
        if cls is None:
            try:
                registry.belongs(name, self.framework)
            except SpecError as other:
                error = other
            else:
                error = registry.unknown(str(name), self.callable_names(scope), self.framework)
            refused = part.holding(None, step.path).error(error.message, error.hint, error.fact)
            meant = error.fact.meant if isinstance(error.fact, WrongWord) else ()
            if not meant:
                raise refused
            step.keep(refused)
            return self.body(meant[0], step, part, scope)
        if issubclass(cls, Merge):
            return self.merge(cls, part, scope)
        if not isinstance(part.data, Mapping | None):
            part = self.positional(cls, part)
        return self.layer(cls, part)

    def positional(self, cls: type[Kind], part: Part) -> Part:
        """Return the fields that a value or a list of values gives by position, as in torch, by name."""
        values = part.data if isinstance(part.data, (list, tuple)) else [part.data]
        names = positions(cls)
        if len(values) > len(names):
            known, many = ", ".join(names) or "none", "" if len(names) == 1 else "s"
            message = f"{cls.kind} takes {len(names)} field{many} by position ({known}), not {len(values)}"
            raise part.error(
                message, f"where a field is a list, it has brackets of its own: [{quote(values)}]"
            )
        places = [place_of(part.data, index) or part.place for index in range(len(values))]
        fields = Map(zip(names, values, strict=False))
        fields.places = dict(zip(names, places, strict=False))
        fields.place = Place(part.place.file, part.place.line, part.place.column, fields.places)
        return part.holding(fields)

    def layer(self, cls: type[Kind], part: Part) -> Kind | Unread:
        part = part.holding(part.data or {})
        is_known = part.refuse_unknown(cls, {"branches"})
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in part.data:
                hint = f"fields of {cls.kind}: {', '.join(cls.model_fields)}"
                if not is_known:
                    return Unread(label=cls.kind)
                raise part.error(f"{cls.kind} needs {name}", hint)
        layer = part.build(cls, dict(part.data))
        return layer if is_known else Unread(label=cls.kind)

    def merge(self, cls: type[Merge], part: Part, scope: frozenset[str]) -> Kind | Unread:
        data, own = part.data, dict[str, Any]()
        if data is None:
            return self.layer(cls, part)
        if isinstance(data, Mapping):
            own = {key: data[key] for key in data if key in cls.model_fields and key != "branches"}
            names = [key for key in data if key not in own]
            branches = [(self.branch_name(part, key, cls), self.branch(part, key, scope)) for key in names]
            if not branches:
                return part.build(cls, own)
        elif isinstance(data, (list, tuple)):
            branches = [(str(index), self.branch(part, index, scope)) for index in range(len(data))]
        else:
            hint = f"as in {cls.kind}: [[relu], earlier_step]"
            raise part.error(f"{cls.kind} takes branches, not {quote(data)}", hint)
        if not branches:
            raise part.error(f"{cls.kind} has no branches")
        return part.build(cls, {**own, "branches": tuple(branches)})

    def branch_name(self, part: Part, key: Any, cls: type[Merge]) -> str:
        name, branch = str(key), part.data[key]
        if not (name.isidentifier() or name.isdigit()) or not name.isascii():
            raise part.error(f"{quote(name)} cannot name a branch", FLOW_HINT, at=key)
        if not isinstance(branch, (list, tuple, str)):
            fields = [field for field in cls.model_fields if field != "branches"]
            message = f"the branch {name!r} must be a list of layers or the name of an earlier step"
            fact = WrongWord(name, fields)
            raise part.error(f"{message}, not {quote(branch)}{nearest(name, fields)}", fact=fact, at=key)
        return name

    def branch(self, part: Part, key: Any, scope: frozenset[str]) -> tuple[Step, ...] | str:
        branch = part.part(key)
        if isinstance(branch.data, str):
            try:
                Reference.parse(branch.data)
            except FormulaError as error:
                raise branch.error(error.message) from None
            return branch.data
        if isinstance(branch.data, Mapping):
            return (self.step(branch, scope),)
        return self.steps(branch, scope, f"{key} must be" if isinstance(key, str) else "a branch is")

    def call(self, name: str, part: Part) -> Call | Unread:
        if not isinstance(part.data, Mapping | None):
            raise part.error(f"{name} takes its arguments as a mapping, not {quote(part.data)}")
        part = part.holding(part.data or {})
        if name in self.blocks:
            args = self.arguments_of(name)
            if not part.refuse_others([*args], f"the block {name} has no argument", f"arguments of {name}"):
                return Unread(label=name)
            for key, default in args.items():
                if default is None and part.data.get(key) is None:
                    hint = f"arguments of {name}: {', '.join(args)}"
                    raise part.error(f"the block {name} needs the argument {key}", hint)
        return part.build(Call, {"callee": name, "arguments": dict(part.data)})
