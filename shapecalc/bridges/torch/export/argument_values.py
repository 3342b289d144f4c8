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
from shapecalc.bridges.torch.export.symbols import item_name, names_in, value_of
from shapecalc.bridges.torch.twins.code import literal


class Values:
    """The arguments of one class, those that are known and those that turn out to be needed."""

    def __init__(
        self,
        instances: Sequence[int],
        known: Sequence[Parameter],
        rows: Mapping[str, Mapping[int, Any]],
        reserved: Collection[str],
    ) -> None:
        self.instances = instances
        self.known = known
        self.reserved = reserved
        self.new: list[Parameter] = []
        self.used: set[str] = set()
        self.seen: list[ast.expr] = []
        self.wanted: dict[str, str] = {}
        """What an item of a list is first used for, as it is."""
        self.helped: dict[str, str] = {}
        """What an item of a list is first used for in arithmetic."""
        self.names: list[dict[str, Any]] = [
            {one.name: one.values[number] for one in known} for number in instances
        ]
        for name, lists in rows.items():
            for number, names in zip(instances, self.names, strict=True):
                names[name] = lists[number]

    @property
    def chosen(self) -> list[Parameter]:
        """The arguments that are used, those without a default first."""
        found = [one for one in [*self.known, *self.new] if one.name in self.used]
        return sorted(found, key=lambda one: one.default is not UNSAID)

    def settle(self, values: Sequence[Any], guesses: Sequence[ast.expr | None], name: str) -> ast.expr:
        """Return how a value is written that is this in each instance; `name` is for a new argument.

        Of the guesses, such as what the spec says and what arrives, the first that holds is taken.
        """
        found = self._explained(values, guesses) or self._filled(values, is_module=False)
        if found is None:
            found = self._made(values, name, is_module=False)
        for used in names_in(found):
            uses = self.wanted if isinstance(found, ast.Name) else self.helped
            uses.setdefault(used, name)
        self.used |= names_in(found)
        if names_in(found) and found not in self.seen:
            self.seen.append(found)
        return found

    def settle_module(self, values: Sequence[Any], name: str) -> ast.expr:
        """Return how a class of modules is written that is this in each instance."""
        said = {value for value in values if value is not UNSAID}
        if len(said) == 1:
            return ast.parse(str(said.pop()), mode="eval").body
        found = self._filled(values, is_module=True) or self._made(values, name, is_module=True)
        self.used |= names_in(found)
        return found

    def _made(self, values: Sequence[Any], name: str, *, is_module: bool) -> ast.expr:
        """Return an argument that has not been there."""
        pairs = [*zip(self.instances, values, strict=True)]
        column = {number: None if value is UNSAID else value for number, value in pairs}
        holes = {number for number, value in pairs if value is UNSAID}
        made = Parameter(self.free(name), column, is_module=is_module, holes=holes)
        self.new.append(made)
        for number, names in zip(self.instances, self.names, strict=True):
            names[made.name] = made.values[number]
        return ast.Name(made.name)

    def _filled(self, values: Sequence[Any], *, is_module: bool) -> ast.expr | None:
        """Return an argument that is this wherever both are needed."""
        pairs = [*zip(self.instances, values, strict=True)]
        for one in self.new:
            if one.is_module is is_module and all(
                value is UNSAID or number in one.holes or same(one.values[number], value)
                for number, value in pairs
            ):
                for (number, value), names in zip(pairs, self.names, strict=True):
                    if value is not UNSAID and number in one.holes:
                        one.values[number] = names[one.name] = value
                        one.holes.discard(number)
                return ast.Name(one.name)
        return None

    def named_items(self) -> dict[str, str]:
        """Give the items of lists that are used a name after what they are used for; return the names."""
        found: dict[str, str] = {}
        for one in self.known:
            if one.origin is not None and one.name in self.used:
                use = self.wanted.get(one.name) or self.helped[one.name]
                found[one.name] = self.free(use)
                one.name = found[one.name]
        self.used = {found.get(name, name) for name in self.used}
        return found

    def _explained(self, values: Sequence[Any], guesses: Sequence[ast.expr | None]) -> ast.expr | None:
        for tree in guesses:
            if tree is not None and names_in(tree) and self.holds(tree, values):
                return tree
        said = [value for value in values if value is not UNSAID]
        if all(same(value, said[0]) for value in said):
            return literal(said[0])
        own = [one for one in self.known if one.origin is None]
        plain = [ast.Name(one.name) for one in [*own, *self.new] if not one.is_module]
        return next((one for one in [*plain, *self.seen] if self.holds(one, values)), None)

    def holds(self, tree: ast.expr, values: Sequence[Any]) -> bool:
        """Say whether an expression is right in every instance."""
        for names, value in zip(self.names, values, strict=True):
            if value is UNSAID:
                continue
            found = names.get(tree.id, UNSAID) if isinstance(tree, ast.Name) else value_of(tree, names)
            if not same(found, value):
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


def rows_of(args: Mapping[str, Any], variables: Mapping[int, Mapping[str, Any]]) -> dict[str, dict[int, Any]]:
    """Return the arguments of a block that are lists in every instance, as long in one as in the other."""
    found = {}
    for name in args:
        values = {number: own.get(name) for number, own in variables.items()}
        lists = [value for value in values.values() if isinstance(value, list)]
        if len(lists) == len(values) and len({len(one) for one in lists}) == 1:
            found[name] = values
    return found


def items_of(rows: Mapping[str, Mapping[int, Any]]) -> list[Parameter]:
    """Return the items of lists that are plain in every instance, each as an argument."""
    found = []
    for name, lists in rows.items():
        for place in range(len(next(iter(lists.values())))):
            values = {number: own[place] for number, own in lists.items()}
            if all(isinstance(value, (int, Fraction)) for value in values.values()):
                found.append(Parameter(item_name(name, place), values, origin=(name, place)))
    return found


def same(a: Any, b: Any) -> bool:
    """Say whether values are the same to torch, to which fractions are floats."""
    if isinstance(a, Fraction) or isinstance(b, Fraction):
        return type(a) in (Fraction, float) and type(b) in (Fraction, float) and float(a) == float(b)
    return type(a) is type(b) and bool(a == b)
