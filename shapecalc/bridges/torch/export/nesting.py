"""Modules whose names are paths, as those of an import: nested containers, and how each module is reached."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from torch import nn

from shapecalc.bridges.torch.export.class_data import Item
from shapecalc.bridges.torch.twins.code import call, expression, laid, quoted
from shapecalc.errors import SpecError, quote


def is_numbered(item: Item) -> bool:
    """Say whether the modules in a container are called by their numbers, from 0 on."""
    return numbered([child.key for child in item.present if child.has_modules]) is not None


def numbered(keys: Sequence[str]) -> int | None:
    """Return how many keys there are if they are the numbers from 0 on, else None."""
    return len(keys) if [*keys] == [str(index) for index in range(len(keys))] else None


def container(inside: dict[str, ast.expr], item: Item, codes: Sequence[ast.expr]) -> ast.expr:
    """Return a container of modules by their names: a list, maybe of loops, where these are numbers."""
    if numbered([*inside]) is not None:
        return call("nn.ModuleList", ast.List([*codes]))
    for name in inside:
        if hasattr(nn.ModuleDict, name):
            message = f"the name {quote(name)} has a meaning of its own in torch's ModuleDict"
            raise SpecError(message, path=item.parts[0].path, hint="name the step otherwise")
    return call("nn.ModuleDict", ast.Dict([*map(ast.Constant, inside)], [*inside.values()]))


Tree: TypeAlias = dict[str, "Item | Tree"]
"""Modules by the words of their names: an item, or a container of others."""


class Nesting:
    """The modules of a class by their paths.

    A name that Python takes is an attribute; `layer1.0.conv` is in a container called `layer1`, and a module
    called `0` is added by that name.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.root: Tree = {}
        self.numbered: dict[int, int | None] = {}
        """How many modules are in each container of the tree that is a list."""
        for item in items:
            if item.has_modules:
                self._put(item)

    def _put(self, item: Item) -> None:
        *above, last = item.key.split(".")
        place: Item | Tree = self.root
        for word in above:
            place = place.setdefault(word, {}) if isinstance(place, dict) else place
        if not isinstance(place, dict) or last in place:
            message = f"a module called {quote(item.key)} cannot be written: another is in it or around it"
            raise SpecError(message, path=item.parts[0].path, hint="give either another name")
        place[last] = item

    def made(self, code: Callable[[Item], ast.expr]) -> Iterator[tuple[Item, str]]:
        """Yield how every container is made, each with the first of the modules in it."""
        for name, place in self.root.items():
            first = _first(place)
            if first.key.isidentifier():
                continue
            made = _code(place, code)
            if name.isidentifier():
                yield first, laid(made, 8, f"self.{name} = ")
            else:
                yield first, laid(call("self.add_module", ast.Constant(name), made), 8)

    def access(self, item: Item) -> ast.expr:
        """Return how an item of the class is reached."""
        first, *others = item.key.split(".")
        reached = expression(
            f"self.{first}" if first.isidentifier() else f"self.get_submodule({quoted(first)})"
        )
        place = self.root.get(first, {})
        for word in others:
            inside = place if isinstance(place, dict) else {}
            if id(inside) not in self.numbered:
                self.numbered[id(inside)] = numbered([*inside])
            reached, place = at(reached, self.numbered[id(inside)], word), inside.get(word, {})
        return reached


def _first(place: Item | Tree) -> Item:
    return place if isinstance(place, Item) else _first(next(iter(place.values())))


def _code(place: Item | Tree, code: Callable[[Item], ast.expr]) -> ast.expr:
    if isinstance(place, Item):
        return code(place)
    inside = {name: _code(inner, code) for name, inner in place.items()}
    return container(inside, _first(place), [*inside.values()])


def at(container: ast.expr, count: int | None, key: str) -> ast.expr:
    """Return how a module in a container is reached: by its number in a list of so many, or by its name."""
    is_number = count is not None and key.isdecimal() and int(key) < count
    return ast.Subscript(container, ast.Constant(int(key) if is_number else key))
