"""How the values in a class are written: as the spec writes them wherever that holds for every instance.

A formula of the spec is taken only after it has been computed for every instance of the class and found
right; what no formula, no channel that arrives and no other argument explains becomes an argument itself.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from shapecalc.bridges.torch.export.class_data import UNSAID, Parameter
from shapecalc.bridges.torch.export.symbols import literal, names_in, value_of


class Values:
    """The arguments of one class, those that are known and those that turn out to be needed."""

    def __init__(
        self, instances: Sequence[int], known: Sequence[Parameter], reserved: Collection[str]
    ) -> None:
        self.instances = instances
        self.known = known
        self.reserved = reserved
        self.new: list[Parameter] = []
        self.used: set[str] = set()
        self.seen: list[ast.expr] = []
        self.names: list[dict[str, Any]] = [
            {one.name: one.values[number] for one in known} for number in instances
        ]

    @property
    def chosen(self) -> list[Parameter]:
        """The arguments that are used, those without a default first."""
        found = [one for one in [*self.known, *self.new] if one.name in self.used]
        return sorted(found, key=lambda one: one.default is not UNSAID)

    def settle(
        self, values: Sequence[Any], written: ast.expr | None, through: ast.expr | None, name: str
    ) -> ast.expr:
        """Return how a value is written that is this in each instance; `name` is for a new argument.

        `written` is what the spec says, `through` what arrives.
        """
        found = self._explained(values, written, through)
        if found is None:
            made = Parameter(self.free(name), self._column(values))
            self.new.append(made)
            for number, names in zip(self.instances, self.names, strict=True):
                names[made.name] = made.values[number]
            found = ast.Name(made.name)
        self.used |= names_in(found)
        if names_in(found) and found not in self.seen:
            self.seen.append(found)
        return found

    def settle_module(self, values: Sequence[Any], name: str) -> ast.expr:
        """Return how a class of modules is written that is this in each instance."""
        said = {value for value in values if value is not UNSAID}
        if len(said) == 1:
            return ast.parse(str(said.pop()), mode="eval").body
        column = self._column(values)
        for one in self.new:
            if one.is_module and one.values == column:
                return ast.Name(one.name)
        made = Parameter(self.free(name), column, is_module=True)
        self.new.append(made)
        self.used.add(made.name)
        return ast.Name(made.name)

    def _column(self, values: Sequence[Any]) -> dict[int, Any]:
        pairs = zip(self.instances, values, strict=True)
        return {number: None if value is UNSAID else value for number, value in pairs}

    def _explained(
        self, values: Sequence[Any], written: ast.expr | None, through: ast.expr | None
    ) -> ast.expr | None:
        for tree in (written, through):
            if tree is not None and names_in(tree) and self.holds(tree, values):
                return tree
        said = [value for value in values if value is not UNSAID]
        if all(_same(value, said[0]) for value in said):
            return literal(said[0])
        plain = [ast.Name(one.name) for one in [*self.known, *self.new] if not one.is_module]
        return next((one for one in [*plain, *self.seen] if self.holds(one, values)), None)

    def holds(self, tree: ast.expr, values: Sequence[Any]) -> bool:
        """Say whether an expression is right in every instance."""
        for names, value in zip(self.names, values, strict=True):
            if value is UNSAID:
                continue
            found = names.get(tree.id, UNSAID) if isinstance(tree, ast.Name) else value_of(tree, names)
            if not _same(found, value):
                return False
        return True

    def called(self, field_name: str, key: str) -> str:
        """Return a name for an argument: that of the field, behind that of the module if it is taken."""
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
        return {one.name for one in [*self.known, *self.new]}


def known_of(args: Mapping[str, Any], variables: Mapping[int, Mapping[str, Any]]) -> list[Parameter]:
    """Return the arguments of a block that are plain in every instance."""
    found = []
    for name, default in args.items():
        values = {number: own.get(name) for number, own in variables.items()}
        if all(isinstance(value, (int, Fraction)) for value in values.values()):
            unsaid = default if isinstance(default, (int, bool)) else UNSAID
            found.append(Parameter(name, values, unsaid))
    return found


def _same(a: Any, b: Any) -> bool:
    """Say whether values are the same to torch, to which fractions are floats."""
    if isinstance(a, Fraction) or isinstance(b, Fraction):
        return type(a) in (Fraction, float) and type(b) in (Fraction, float) and float(a) == float(b)
    return type(a) is type(b) and bool(a == b)
