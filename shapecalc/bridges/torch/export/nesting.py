"""Modules whose names are paths, as those of an import: nested containers, and how each module is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.twins.code import Call, Code, call, laid
from shapecalc.errors import SpecError, quote


def present(item: Item) -> list[Item]:
    """Return the pieces inside that any instance has."""
    return [child for child in item.children if child.what not in ("absent", "nothing")]


def is_numbered(item: Item) -> bool:
    """Say whether the modules in a container are called by their numbers, from 0 on."""
    return _are_numbers([child.key for child in present(item) if child.has_modules])


def _are_numbers(keys: Sequence[str]) -> bool:
    return [*keys] == [str(index) for index in range(len(keys))]


def container(inside: dict[str, Code], item: Item, codes: Sequence[Code] | None = None) -> Call:
    """Return a container of modules by their names: a list, maybe of loops, where these are numbers."""
    if _are_numbers([*inside]):
        codes = [*inside.values()] if codes is None else codes
        return call("nn.ModuleList", Call("", tuple(("", code) for code in codes), "[]"))
    for name in inside:
        if hasattr(nn.ModuleDict, name):
            message = f"the name {quote(name)} has a meaning of its own in torch's ModuleDict"
            raise SpecError(message, path=item.parts[0].path, hint="name the step otherwise")
    pairs = tuple((f'"{name}": ', code) for name, code in inside.items())
    return call("nn.ModuleDict", Call("", pairs, "{}"))


@dataclass
class _Place:
    """A path's module, or others by their names."""

    item: Item | None = None
    inside: dict[str, _Place] = field(default_factory=dict)

    def first(self) -> Item:
        return self.item or next(iter(self.inside.values())).first()


class Nesting:
    """The modules of a class by their paths.

    A name that Python takes is an attribute; `layer1.0.conv` is in a container called `layer1`, and a module
    called `0` is added by that name.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.root = _Place()
        for item in items:
            if item.has_modules:
                self._put(item)

    def _put(self, item: Item) -> None:
        place = self.root
        for word in item.key.split("."):
            if place.item is not None:
                break
            place = place.inside.setdefault(word, _Place())
        if place.item is not None or place.inside:
            message = f"a module called {quote(item.key)} cannot be written: one stands inside the other"
            raise SpecError(message, path=item.parts[0].path, hint="name one of the two otherwise")
        place.item = item

    def made(self, code: Callable[[Item], Code]) -> Iterator[tuple[Item, list[str]]]:
        """Yield how every container is made, each with the first of the modules in it."""
        for name, place in self.root.inside.items():
            first = place.first()
            if first.key.isidentifier():
                continue
            made = self._code(place, code)
            if name.isidentifier():
                yield first, [laid(made, 8, f"self.{name} = ")]
            else:
                yield first, [laid(Call("self.add_module", (("", f'"{name}"'), ("", made))), 8)]

    def _code(self, place: _Place, code: Callable[[Item], Code]) -> Code:
        if place.item is not None:
            return code(place.item)
        return container(
            {name: self._code(inner, code) for name, inner in place.inside.items()}, place.first()
        )

    def access(self, item: Item) -> str:
        """Return how an item of the class is reached."""
        first, *others = item.key.split(".")
        reached = f"self.{first}" if first.isidentifier() else f'self.get_submodule("{first}")'
        place = self.root.inside.get(first, _Place())
        for word in others:
            reached += f"[{word}]" if _are_numbers([*place.inside]) else f'["{word}"]'
            place = place.inside.get(word, _Place())
        return reached
