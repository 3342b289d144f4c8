"""How the values in a class are written: as the spec writes them wherever that holds for every instance.

A formula of the spec is used only if its value is right for every instance of the class. A
value that no formula, no channel count and no other argument explains becomes an argument itself.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from shapecalc.bridges.torch.export.class_data import NO_VALUE, Callee, Parameter, Part
from shapecalc.bridges.torch.export.symbols import item_name, names_in, value_of
from shapecalc.bridges.torch.twins.code import expression, literal

Columns = Mapping[str, Mapping[Part, Any]]
"""The arguments of a block: by name, then by instance."""


class Values:
    """The arguments of one class, those that are known and those that turn out to be needed."""

    def __init__(
        self, instances: Sequence[Part], known: Sequence[Parameter], rows: Columns, reserved: Collection[str]
    ) -> None:
        self.instances = instances
        self.known = known
        self.reserved = reserved
        self.new: list[Parameter] = []
        self.used: set[str] = set()
        self.formulas: list[ast.expr] = []
        self.uses: dict[str, str] = {}
        """What an argument is first used for as it is."""
        self.uses_in_formulas: dict[str, str] = {}
        columns: Columns = {**{parameter.name: parameter.values for parameter in known}, **rows}
        self.names: list[dict[str, Any]] = [
            {name: column[instance] for name, column in columns.items()} for instance in instances
        ]

    def chosen(self) -> list[Parameter]:
        """Return the arguments that are used, those without a default first."""
        used = [parameter for parameter in [*self.known, *self.new] if parameter.name in self.used]
        for parameter in used:
            values = parameter.values.items()
            parameter.values = {instance: None if value is NO_VALUE else value for instance, value in values}
        return sorted(used, key=lambda parameter: parameter.default is not NO_VALUE)

    def written(self, values: Sequence[Any], guesses: Sequence[ast.expr | None], name: str) -> ast.expr:
        """Return the expression for a value, one in each instance; `name` is for a new argument.

        Of the guesses, such as the formula of the spec or the input's channels, the first that holds wins.
        """
        tree = self._explained(values, guesses) or self._argument(values, name)
        names = names_in(tree) & self._taken()
        for used in names:
            (self.uses if isinstance(tree, ast.Name) else self.uses_in_formulas).setdefault(used, name)
        self.used |= names
        if names and tree not in self.formulas:
            self.formulas.append(tree)
        return tree

    def _argument(self, values: Sequence[Any], name: str) -> ast.expr:
        """Return an argument that has this value in every instance where both are needed, or a new one."""
        pairs = [*zip(self.instances, values, strict=True)]
        is_module = any(isinstance(value, Callee) for value in values)
        for parameter in self.new:
            if parameter.is_module is is_module and all(
                value is NO_VALUE
                or parameter.values[instance] is NO_VALUE
                or same(parameter.values[instance], value)
                for instance, value in pairs
            ):
                break
        else:
            parameter = Parameter(self.free(name), dict.fromkeys(self.instances, NO_VALUE))
            self.new.append(parameter)
        for (instance, value), names in zip(pairs, self.names, strict=True):
            if value is not NO_VALUE:
                parameter.values[instance] = names[parameter.name] = value
        return ast.Name(parameter.name)

    def name_items(self) -> dict[str, str]:
        """Name the list items that are used after what they are used for; return the new names."""
        names: dict[str, str] = {}
        for parameter in self.known:
            if parameter.origin is not None and parameter.name in self.used:
                use = self.uses.get(parameter.name) or self.uses_in_formulas[parameter.name]
                names[parameter.name] = self.free(use)
                parameter.name = names[parameter.name]
        self.used = {names.get(name, name) for name in self.used}
        return names

    def _explained(self, values: Sequence[Any], guesses: Sequence[ast.expr | None]) -> ast.expr | None:
        for tree in guesses:
            if tree is not None and names_in(tree) and self.holds(tree, values):
                return tree
        known = [value for value in values if value is not NO_VALUE]
        if all(same(value, known[0]) for value in known):
            return expression(known[0]) if isinstance(known[0], Callee) else literal(known[0])
        own = [parameter for parameter in self.known if parameter.origin is None]
        plain = [ast.Name(parameter.name) for parameter in [*own, *self.new]]
        return next((tree for tree in [*plain, *self.formulas] if self.holds(tree, values)), None)

    def holds(self, tree: ast.expr, values: Sequence[Any]) -> bool:
        """Say whether an expression is right in every instance."""
        return all(
            value is NO_VALUE
            or same(
                names.get(tree.id, NO_VALUE) if isinstance(tree, ast.Name) else value_of(tree, names), value
            )
            for names, value in zip(self.names, values, strict=True)
        )

    def argument_name(self, field_name: str, key: str) -> str:
        """Return a name for an argument: that of the field, with the module's in front if it is taken."""
        return field_name if field_name not in self._taken() else f"{key}_{field_name}"

    def free(self, name: str) -> str:
        """Return a name that no argument has, and that hides nothing."""
        taken = self._taken() | {*self.reserved}
        number, free = 2, name
        while free in taken:
            free = f"{name}_{number}"
            number += 1
        return free

    def _taken(self) -> set[str]:
        return {parameter.name for parameter in [*self.known, *self.new]}


def block_arguments(args: Mapping[str, Any], instances: Sequence[Part]) -> tuple[list[Parameter], Columns]:
    """Return the arguments of a block that are plain values in every instance, and those that are lists.

    Where lists are as long in every instance, their items are arguments as well.
    """
    plain: list[Parameter] = []
    items: list[Parameter] = []
    rows: Columns = {}
    for name, default in args.items():
        column: dict[Part, Any] = {part: part.variables.get(name) for part in instances}
        lengths = {len(value) if isinstance(value, list) else -1 for value in column.values()}
        if _are_plain(column.values()):
            plain.append(Parameter(name, column, default if isinstance(default, int) else NO_VALUE))
        elif len(lengths) == 1 and lengths != {-1}:
            rows = {**rows, name: column}
            for place in range(max(lengths)):
                values = {part: row[place] for part, row in column.items()}
                if _are_plain(values.values()):
                    items.append(Parameter(item_name(name, place), values, origin=(name, place)))
    return [*plain, *items], rows


def _are_plain(values: Collection[Any]) -> bool:
    return all(isinstance(value, (int, Fraction)) for value in values)


def same(a: Any, b: Any) -> bool:
    """Say whether values are the same to torch, to which fractions are floats."""
    if isinstance(a, Fraction) or isinstance(b, Fraction):
        return type(a) in (Fraction, float) and type(b) in (Fraction, float) and float(a) == float(b)
    return type(a) is type(b) and bool(a == b)
