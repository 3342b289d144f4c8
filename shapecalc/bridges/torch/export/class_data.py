"""The data of an export: the tree of a network, and the classes whose instances are alike."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shapecalc.algebra.rational import Value
from shapecalc.bridges.torch.export.symbols import put
from shapecalc.bridges.torch.twins.source import ModuleSource, Source
from shapecalc.engine.graph import GraphNode
from shapecalc.spec.tree import Step

NO_VALUE = inspect.Parameter.empty
"""No value: an argument without a default, or a module that an instance lacks."""


@dataclass(eq=False)
class Part:
    """A piece of a network: a leaf, block, list, merge or repeat, or a step that is absent by its `when`.

    Of a block, the sources are all tensors from outside, and the results all that are read outside. A pass of
    a repeat may be missing in an instance of a class.
    """

    key: str
    path: str
    what: str = "list"
    sources: tuple[int, ...] = ()
    results: tuple[int, ...] = ()
    children: list[Part] = field(default_factory=list)
    label: str = ""
    step: Step | None = None
    node: GraphNode | None = None
    written: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a layer, or the arguments of a block, as the spec has them."""
    variables: Mapping[str, Value] = field(default_factory=dict)
    source: Source | None = None
    cls: Class | None = None

    @property
    def is_here(self) -> bool:
        """Whether there is a module: the step is neither left out nor a pass that others have."""
        return self.what not in ("absent", "missing")

    def parts(self) -> Iterator[Part]:
        """Yield this part and all in it, what is inside before what holds it."""
        for child in self.children:
            yield from child.parts()
        yield self

    def reads(self) -> Counter[int]:
        nodes = (part for part in self.parts() if part.node is not None or part.what == "absent")
        return Counter(slot for part in nodes for slot in (part.node or part).sources)

    def produces(self) -> Iterator[int]:
        for part in self.parts():
            if part.node is not None or part.what == "absent":
                yield from part.results


@dataclass(eq=False)
class Parameter:
    """An argument of a class, with its value in every instance that needs it."""

    name: str
    values: dict[Part, Any]
    default: Any = NO_VALUE
    origin: tuple[str, int] | None = None
    """The list among the block's arguments that it is an item of, and its place there."""

    @property
    def is_module(self) -> bool:
        return any(isinstance(value, Callee) for value in self.values.values())


class Callee(str):
    """The name of a class of modules, as a value."""

    __slots__ = ()


@dataclass(frozen=True)
class Argument:
    """An argument of a module as it is written in the class that holds the module."""

    name: str
    code: ast.expr
    default: Any
    is_size: bool = False
    """Whether it is a size of the input or the result, which is passed by position."""
    is_made: bool = False
    """Whether it is the channels or features of the result."""

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

    callee: ast.expr
    arguments: tuple[Argument, ...] = ()
    inside: Mapping[str, Made] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, ast.expr]) -> Made:
        arguments = tuple(replace(argument, code=put(argument.code, names)) for argument in self.arguments)
        return Made(self.callee, arguments, {key: made.renamed(names) for key, made in self.inside.items()})


@dataclass(eq=False)
class Item:
    """A piece of a class with its part in each instance; tensors are called by the places that make them."""

    key: str
    what: str
    sources: tuple[str, ...]
    results: tuple[str, ...]
    parts: list[Part]
    children: list[Item] = field(default_factory=list)
    made: Made | None = None
    condition: ast.expr | None = None
    """When an optional item is there."""
    count: ast.expr | None = None
    """How many passes a repeat has that has more in one instance than in another."""

    @property
    def example(self) -> Part:
        """The first part that is there, which says what the item is."""
        return next((part for part in self.parts if part.is_here), self.parts[0])

    @property
    def source(self) -> Source | None:
        return self.example.source

    @property
    def cls(self) -> Class | None:
        return self.example.cls

    @property
    def step(self) -> Step | None:
        return next((part.step for part in self.parts if part.step is not None), None)

    @property
    def is_optional(self) -> bool:
        """Whether some instance leaves it out."""
        return self.what in ("leaf", "block") and any(part.what == "absent" for part in self.parts)

    @property
    def is_ragged(self) -> bool:
        """Whether it is a repeat that has more passes in one instance than in another."""
        return self.what == "repeat" and any(
            part.what == "missing" for child in self.children for part in child.parts
        )

    @property
    def passes(self) -> list[int]:
        """How many passes of a repeat each instance has, 0 where the repeat itself is one too many."""
        columns = zip(*(child.parts for child in self.children), strict=True)
        return [sum(part.what != "missing" for part in column) for column in columns]

    @property
    def is_module(self) -> bool:
        return self.what == "block" or (self.what == "leaf" and isinstance(self.source, ModuleSource))

    @property
    def reads(self) -> tuple[str, ...]:
        """The tensors that it reads itself, other than by what is inside."""
        return self.sources if self.what in ("leaf", "block", "merge") else ()

    @property
    def has_modules(self) -> bool:
        return any(item.is_module for item in self.items())

    @property
    def present(self) -> list[Item]:
        """The pieces inside that any instance has."""
        return [child for child in self.children if child.what not in ("absent", "nothing")]

    def items(self) -> Iterator[Item]:
        """Yield all pieces in order, what is inside before what holds it."""
        for child in self.children:
            yield from child.items()
        yield self


@dataclass(eq=False)
class Class:
    """What instances that are built alike have in common."""

    label: str
    outermost: Item
    inputs: int
    outputs: tuple[str, ...]
    instances: list[Part]
    name: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that the block itself has, with their defaults."""
    parameters: list[Parameter] = field(default_factory=list)
    channels: dict[str, ast.expr] = field(default_factory=dict)
    """How the channels of tensors are written."""
    reads: Counter[str] = field(default_factory=Counter)
    """How often each tensor is read."""

    @property
    def is_root(self) -> bool:
        """Whether it is the class of the complete network."""
        return not self.instances[0].path

    def items(self) -> Iterator[Item]:
        return self.outermost.items()

    def rename(self, names: Mapping[str, str]) -> None:
        """Give arguments other names wherever the code refers to them."""
        trees: dict[str, ast.expr] = {name: ast.Name(other) for name, other in names.items()}
        for item in self.items() if trees else ():
            item.made = item.made and item.made.renamed(trees)
            item.condition = item.condition and put(item.condition, trees)
            item.count = item.count and put(item.count, trees)
        self.channels = {ref: put(tree, trees) for ref, tree in self.channels.items()}
