"""The arguments of the classes: each value is written as the spec writes it wherever that holds.

A formula of the spec is taken only after it has been computed for every instance of the class and found
right; what no formula, no channel that arrives and no other argument explains becomes an argument itself.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from shapecalc.bridges.torch.export.bodies import Body, Item
from shapecalc.bridges.torch.export.layers import Argument, FunctionSource, ModuleSource, Source
from shapecalc.bridges.torch.export.symbols import (
    folded,
    literal,
    names_in,
    substituted,
    translated,
    value_of,
)
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Block

UNSAID = object()


@dataclass(eq=False)
class Parameter:
    """An argument of a class, with its value in every instance."""

    name: str
    values: dict[int, Any]
    default: Any = UNSAID
    is_module: bool = False
    """Whether its values are classes of modules."""


@dataclass(frozen=True)
class Given:
    """An argument of a module as it is written in the class that holds it."""

    name: str
    code: ast.expr
    default: Any

    @property
    def is_unsaid(self) -> bool:
        """Whether the module takes just this when nothing is said."""
        if not isinstance(self.code, ast.Constant) and not isinstance(self.code, (ast.Tuple, ast.UnaryOp)):
            return False
        try:
            value = ast.literal_eval(self.code)
        except ValueError:
            return False
        return bool(value == self.default) and isinstance(value, bool) is isinstance(self.default, bool)


@dataclass(frozen=True)
class Made:
    """How one module is made."""

    callee: str
    arguments: tuple[Given, ...] = ()
    inside: tuple[tuple[str, Made], ...] = ()


@dataclass(eq=False)
class Class:
    """A class ready to be written."""

    name: str
    body: Body
    parameters: list[Parameter] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)
    """How the module of each item is made."""
    conditions: dict[int, ast.expr] = field(default_factory=dict)
    """When an optional item is there."""
    channels: dict[str, ast.expr] = field(default_factory=dict)
    """The channels of tensors."""


class Writer:
    """Works out the arguments of one class; the classes of the blocks in it are worked out already."""

    def __init__(
        self,
        made: Class,
        block: Block | None,
        classes: Mapping[int, Class],
        sources: Mapping[int, Source],
        shapes: Sequence[Shape | None],
        reserved: Collection[str],
    ) -> None:
        self.made = made
        self.body = made.body
        self.classes = classes
        self.sources = sources
        self.shapes = shapes
        self.reserved = reserved
        self.instances = [id(part) for part in self.body.instances]
        self.known: list[Parameter] = []
        self.used: set[str] = set()
        self.seen: list[ast.expr] = []
        self.new: list[Parameter] = []
        if block is not None:
            self._known_from(block)
        self.names: list[dict[str, Any]] = [
            {one.name: one.values[number] for one in self.known} for number in self.instances
        ]

    def _known_from(self, block: Block) -> None:
        """Gather what a block is given: its arguments that are plain, and the channels that arrive."""
        if "in_channels" not in block.args:
            column = self._column("in:0")
            if column is not None:
                self.known.append(Parameter("in_channels", dict(zip(self.instances, column, strict=True))))
                self.made.channels["in:0"] = ast.Name("in_channels")
        for name, default in block.args.items():
            values = {id(part): part.variables.get(name) for part in self.body.instances}
            if name in self.reserved:
                continue
            if all(isinstance(value, (int, Fraction)) for value in values.values()):
                unsaid = default if isinstance(default, (int, bool)) else UNSAID
                self.known.append(Parameter(name, values, unsaid))

    def work_out(self) -> None:
        """Work out every module of the class, in the order in which they run."""
        for item in self.body.items.items():
            if item.is_module:
                self._module(item)
            self._follow(item)
        used = self.used
        chosen = [one for one in [*self.known, *self.new] if one.name in used]
        self.made.parameters = sorted(chosen, key=lambda one: one.default is not UNSAID)

    # ---- one module

    def _module(self, item: Item) -> None:
        if item.is_optional:
            present = [part.what != "absent" for part in item.parts]
            written = next(part.step.when for part in item.parts if part.step is not None)
            self.made.conditions[id(item)] = self._settle(
                present, translated(written), "", f"has_{_label(item)}"
            )
        if item.body is not None:
            self.made.made[id(item)] = self._block(item, self.classes[id(item.body)])
            return
        own = [self.sources.get(id(part)) for part in item.parts]
        layers = [one if isinstance(one, ModuleSource) else None for one in own]
        self.made.made[id(item)] = self._layer(item, layers, _label(item))

    def _layer(self, item: Item, layers: Sequence[ModuleSource | None], key: str) -> Made:
        first = next(one for one in layers if one is not None)
        callees = [None if one is None else one.callee for one in layers]
        callee = first.callee
        if len({one for one in callees if one is not None}) > 1:
            callee = self._chosen_module(item, callees)
        arguments = []
        for index, argument in enumerate(first.arguments):
            column = [None if one is None else one.arguments[index] for one in layers]
            arguments.append(self._argument(item, column, argument, key))
        inside = tuple(
            (name, self._layer(item, [None if one is None else one.inside[index][1] for one in layers], name))
            for index, (name, _) in enumerate(first.inside)
        )
        return Made(callee, tuple(arguments), inside)

    def _argument(self, item: Item, column: list[Argument | None], first: Argument, key: str) -> Given:
        values = [UNSAID if one is None else one.value for one in column]
        written = next((one.written for one in column if one is not None and one.written is not None), None)
        wide = item.sources[0] if first.inward else ""
        code = self._settle(values, written, wide, self._called(first.name, key))
        return Given(first.name, code, first.default)

    def _chosen_module(self, item: Item, callees: Sequence[str | None]) -> str:
        label = item.parts[0].label
        name = self._free(label if label.isidentifier() else _label(item))
        values = dict(zip(self.instances, callees, strict=True))
        for one in self.new:
            if one.is_module and one.values == values:
                return one.name
        self.new.append(Parameter(name, values, is_module=True))
        self.used.add(name)
        return name

    def _block(self, item: Item, inner: Class) -> Made:
        given = []
        for one in inner.parameters:
            values = [one.values[id(part)] if part.what != "absent" else UNSAID for part in item.parts]
            if one.is_module:
                code = self._settle_module(item, one, values)
            else:
                written = next(
                    (part.written[one.name] for part in item.parts if one.name in part.written), None
                )
                wide = item.sources[0] if one.name == "in_channels" else ""
                code = self._settle(values, translated(written), wide, self._called(one.name, _label(item)))
            given.append(Given(one.name, code, one.default))
        return Made(inner.name, tuple(given))

    def _settle_module(self, item: Item, inner: Parameter, values: Sequence[Any]) -> ast.expr:
        said = {value for value in values if value is not UNSAID}
        if len(said) == 1:
            return ast.parse(str(said.pop()), mode="eval").body
        column = {
            number: None if value is UNSAID else value
            for number, value in zip(self.instances, values, strict=True)
        }
        for one in self.new:
            if one.is_module and one.values == column:
                return ast.Name(one.name)
        made = Parameter(self._free(inner.name), column, is_module=True)
        self.new.append(made)
        self.used.add(made.name)
        return ast.Name(made.name)

    # ---- one value

    def _settle(self, values: Sequence[Any], written: ast.expr | None, wide: str, name: str) -> ast.expr:
        """Return how a value is written that is this in each instance."""
        found = self._explained(values, written, wide)
        if found is None:
            column = {
                number: None if value is UNSAID else value
                for number, value in zip(self.instances, values, strict=True)
            }
            made = Parameter(self._free(name), column)
            self.new.append(made)
            for number, names in zip(self.instances, self.names, strict=True):
                names[made.name] = column[number]
            found = ast.Name(made.name)
        self.used |= names_in(found)
        if names_in(found) and found not in self.seen:
            self.seen.append(found)
        return found

    def _explained(self, values: Sequence[Any], written: ast.expr | None, wide: str) -> ast.expr | None:
        if written is not None and names_in(written) and self._holds(written, values):
            return written
        through = self.made.channels.get(wide)
        if through is not None and names_in(through) and self._holds(through, values):
            return through
        said = [value for value in values if value is not UNSAID]
        if all(_same(value, said[0]) for value in said):
            return literal(said[0])
        plain = [ast.Name(one.name) for one in [*self.known, *self.new] if not one.is_module]
        return next((one for one in [*plain, *self.seen] if self._holds(one, values)), None)

    def _holds(self, tree: ast.expr, values: Sequence[Any]) -> bool:
        """Say whether an expression is right in every instance."""
        for names, value in zip(self.names, values, strict=True):
            if value is UNSAID:
                continue
            found = names.get(tree.id, UNSAID) if isinstance(tree, ast.Name) else value_of(tree, names)
            if not _same(found, value):
                return False
        return True

    def _called(self, field_name: str, key: str) -> str:
        taken = {one.name for one in [*self.known, *self.new]}
        return field_name if field_name not in taken else f"{key}_{field_name}"

    def _free(self, name: str) -> str:
        taken = {one.name for one in [*self.known, *self.new]} | {*self.reserved}
        number, free = 2, name
        while free in taken:
            free = f"{name}_{number}"
            number += 1
        return free

    # ---- channels

    def _column(self, ref: str, item: Item | None = None) -> list[int] | None:
        """Return the channels of a tensor in every instance."""
        slots: list[int] = []
        if item is None:
            slots = [part.sources[0] for part in self.body.instances]
        else:
            index = item.results.index(ref)
            slots = [part.results[index] for part in item.parts if index < len(part.results)]
        shapes = [self.shapes[slot] or () for slot in slots]
        column = [shape[1] for shape in shapes if len(shape) > 1 and isinstance(shape[1], int)]
        return column if len(column) == len(self.instances) else None

    def _follow(self, item: Item) -> None:
        """Find how the channels of a result are written."""
        if item.what not in ("leaf", "block", "merge") or not item.results:
            return
        ref = item.results[0]
        column = self._column(ref, item)
        if column is None:
            return
        for tree in self._guesses(item):
            if tree is not None and self._holds(tree, column):
                self.made.channels[ref] = tree
                return
        if len(set(column)) == 1:
            self.made.channels[ref] = ast.Constant(column[0])

    def _guesses(self, item: Item) -> list[ast.expr | None]:
        guesses: list[ast.expr | None] = []
        made = self.made.made.get(id(item))
        if made is not None and item.body is None:
            last = made.inside[-1][1] if made.inside else made
            guesses += [one.code for one in last.arguments if one.name in ("out_channels", "out_features")]
        if made is not None and item.body is not None:
            through = self.classes[id(item.body)].channels.get(item.body.outputs[0])
            if through is not None:
                guesses.append(substituted(through, {one.name: one.code for one in made.arguments}))
        if item.sources:
            guesses.append(self.made.channels.get(item.sources[0]))
        if isinstance(item.source, FunctionSource) and item.source.key[0] == "concat":
            parts = [self.made.channels.get(ref) for ref in item.sources]
            total = parts[0]
            for one in parts[1:]:
                total = None if total is None or one is None else folded(ast.BinOp(total, ast.Add(), one))
            guesses.append(total)
        return guesses


def _label(item: Item) -> str:
    """Return a word for an item: its name, behind that of its repeat where it is one pass."""
    words: list[str] = []
    for part in reversed(item.parts[0].path.split(".")):
        words.insert(0, part)
        if not part.isdecimal():
            break
    return "_".join(words) if not words[0].isdecimal() else f"layer_{item.key}"


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
