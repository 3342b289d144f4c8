"""The classes of an export and their arguments, as plain data."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapecalc.bridges.torch.export.bodies import Body
from shapecalc.bridges.torch.export.symbols import renamed

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
    """The argument of the block, a list, and the place in it that it stands for."""
    holes: set[int] = field(default_factory=set)
    """The instances that do not need it."""


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
    args: frozenset[str] = frozenset()
    """The arguments that the block itself has."""
    parameters: list[Parameter] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)
    """How the module of each item is made."""
    conditions: dict[int, ast.expr] = field(default_factory=dict)
    """When an optional item is there."""
    counts: dict[int, ast.expr] = field(default_factory=dict)
    """How many passes a repeat has that has more in one instance than in another."""
    channels: dict[str, ast.expr] = field(default_factory=dict)
    """The channels of tensors."""

    def rename(self, names: Mapping[str, str]) -> None:
        """Give the arguments that the code speaks of other names."""
        self.made = {number: _renamed(made, names) for number, made in self.made.items()}
        self.conditions = {number: renamed(tree, names) for number, tree in self.conditions.items()}
        self.counts = {number: renamed(tree, names) for number, tree in self.counts.items()}
        self.channels = {ref: renamed(tree, names) for ref, tree in self.channels.items()}


def _renamed(made: Made, names: Mapping[str, str]) -> Made:
    arguments = tuple(replace(one, code=renamed(one.code, names)) for one in made.arguments)
    return replace(
        made, arguments=arguments, inside=tuple((key, _renamed(one, names)) for key, one in made.inside)
    )
