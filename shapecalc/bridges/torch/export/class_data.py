"""The classes of an export and their arguments, as plain data."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapecalc.bridges.torch.export.bodies import Body
from shapecalc.bridges.torch.export.symbols import put

UNSAID = inspect.Parameter.empty
"""No value: an argument without a default, or a module that an instance lacks."""


@dataclass(eq=False)
class Parameter:
    """An argument of a class, with its value in every instance."""

    name: str
    values: dict[int, Any]
    default: Any = UNSAID
    is_module: bool = False
    """Whether its values are classes of modules."""
    origin: tuple[str, int] | None = None
    """The list among the block's arguments that it is an item of, and its place there."""
    holes: set[int] = field(default_factory=set)
    """The instances that do not need it."""


@dataclass(frozen=True)
class Argument:
    """An argument of a module as it is written in the class that holds the module."""

    name: str
    code: ast.expr
    default: Any

    @property
    def is_default(self) -> bool:
        """Whether the module takes this value when the argument is left out."""
        try:
            value = ast.literal_eval(self.code)
        except ValueError:
            return False
        return bool(value == self.default) and isinstance(value, bool) is isinstance(self.default, bool)


@dataclass(frozen=True)
class Made:
    """How one module is made."""

    callee: str
    arguments: tuple[Argument, ...] = ()
    inside: tuple[tuple[str, Made], ...] = ()

    def renamed(self, names: Mapping[str, ast.expr]) -> Made:
        """Return the same with other names in the arguments."""
        arguments = tuple(replace(argument, code=put(argument.code, names)) for argument in self.arguments)
        return Made(self.callee, arguments, tuple((key, made.renamed(names)) for key, made in self.inside))


@dataclass(eq=False)
class Class:
    """A class ready to be written; modules, conditions and counts are by the identity of their item."""

    name: str
    body: Body
    args: frozenset[str] = frozenset()
    """The arguments that the block itself has."""
    parameters: list[Parameter] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)
    conditions: dict[int, ast.expr] = field(default_factory=dict)
    """When an optional item is there."""
    counts: dict[int, ast.expr] = field(default_factory=dict)
    """How many passes a repeat has that has more in one instance than in another."""
    channels: dict[str, ast.expr] = field(default_factory=dict)
    """The channels of tensors."""

    def rename(self, names: Mapping[str, str]) -> None:
        """Give arguments other names wherever the code refers to them."""
        trees: dict[str, ast.expr] = {name: ast.Name(other) for name, other in names.items()}
        if trees:
            self.made = {number: made.renamed(trees) for number, made in self.made.items()}
            self.conditions = {number: put(tree, trees) for number, tree in self.conditions.items()}
            self.counts = {number: put(tree, trees) for number, tree in self.counts.items()}
            self.channels = {ref: put(tree, trees) for ref, tree in self.channels.items()}
