"""Modules whose names are paths, as those of an import: containers inside containers, and the way to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.twins.code import Call, Code, call, laid
from shapecalc.errors import SpecError, quote


@dataclass
class _Place:
    """What stands at a path: a module, or others by their names."""

    item: Item | None = None
    inside: dict[str, _Place] = field(default_factory=dict)

    @property
    def is_numbered(self) -> bool:
        return [*self.inside] == [str(index) for index in range(len(self.inside))]

    def first(self) -> Item:
        return self.item or next(iter(self.inside.values())).first()


class Nesting:
    """The modules of a class by their paths.

    A name that Python takes is an attribute, as ever; `layer1.0.conv` stands in a container called `layer1`,
    and a module called `0` is added by that name.
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
            told = f"a module called {quote(item.key)} cannot be written: one stands inside the other"
            raise SpecError(told, path=item.parts[0].path, hint="name one of the two otherwise")
        place.item = item

    def is_attribute(self, item: Item) -> bool:
        """Say whether the name of an item is one that Python takes."""
        return item.key.isidentifier()

    def made(self, code: Callable[[Item], Code]) -> Iterator[tuple[Item, list[str]]]:
        """Yield how every container is made, each with the first of the modules in it."""
        for name, place in self.root.inside.items():
            first = place.first()
            if self.is_attribute(first):
                continue
            made = self._code(place, code)
            if name.isidentifier():
                yield first, [laid(made, 8, f"self.{name} = ")]
            else:
                yield first, [laid(Call("self.add_module", (("", f'"{name}"'), ("", made))), 8)]

    def _code(self, place: _Place, code: Callable[[Item], Code]) -> Code:
        if place.item is not None:
            return code(place.item)
        inside = {name: self._code(one, code) for name, one in place.inside.items()}
        if place.is_numbered:
            return call("nn.ModuleList", Call("", tuple(("", one) for one in inside.values()), "[]"))
        refuse_meanings(place.inside, place.first())
        return call(
            "nn.ModuleDict", Call("", tuple((f'"{key}": ', one) for key, one in inside.items()), "{}")
        )

    def access(self, item: Item) -> str:
        """Return how an item of the class is reached."""
        first, *others = item.key.split(".")
        reached = f"self.{first}" if first.isidentifier() else f'self.get_submodule("{first}")'
        place = self.root.inside.get(first, _Place())
        for word in others:
            reached += f"[{word}]" if place.is_numbered else f'["{word}"]'
            place = place.inside.get(word, _Place())
        return reached


def refuse_meanings(names: Iterable[str], item: Item) -> None:
    """Raise `SpecError` for a name that torch's ModuleDict does not take."""
    for name in names:
        if hasattr(nn.ModuleDict, name):
            told = f"the name {quote(name)} has a meaning of its own in torch's ModuleDict"
            raise SpecError(told, path=item.parts[0].path, hint="name the step otherwise")
