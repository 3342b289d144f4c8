"""What blocks have in common: instances that are built alike are instances of one class.

The steps of an instance are numbered by their place in it, and so are the tensors between them; two instances
are alike when these agree and only plain values differ. A module that one instance has and another leaves
out, by its `when`, is optional; a repeat may have more passes in one than in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shapecalc.bridges.torch.export.expansion_tree import Network, Part
from shapecalc.bridges.torch.twins.source import FunctionSource, ModuleSource, Source


@dataclass(eq=False)
class Item:
    """A piece of a class: a step, a list, a merge or a repeat, with the part that it is in each instance."""

    key: str
    what: str
    sources: tuple[str, ...]
    results: tuple[str, ...]
    parts: list[Part]
    children: list[Item] = field(default_factory=list)
    body: Body | None = None
    """The class of a block."""
    source: Source | None = None

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
        """Whether it is a single module of the class."""
        return self.what == "block" or (self.what == "leaf" and isinstance(self.source, ModuleSource))

    @property
    def reads(self) -> tuple[str, ...]:
        """The tensors that it reads itself, other than by what is inside."""
        return self.sources if self.what in ("leaf", "block", "merge") else ()

    @property
    def has_modules(self) -> bool:
        """Whether any module is in it."""
        return any(item.is_module for item in self.items())

    def items(self) -> Iterator[Item]:
        """Yield all pieces in order, what is inside before what holds it."""
        for child in self.children:
            yield from child.items()
        yield self


@dataclass(eq=False)
class Body:
    """The steps that the instances of a class have in common."""

    label: str
    items: Item
    inputs: int
    outputs: tuple[str, ...]
    instances: list[Part]

    def reads(self) -> Counter[str]:
        """Return how often each tensor is read."""
        return Counter([*self.outputs, *(ref for item in self.items.items() for ref in item.reads)])


class Bodies:
    """Finds the classes of a network, those of inner blocks first."""

    def __init__(self, network: Network, sources: Mapping[int, Source], even: Collection[str] = ()) -> None:
        """Find them; blocks that are named in `even` have as many passes in one instance as in the other."""
        self.network = network
        self.even = even
        self.sources = sources
        self.found: list[Body] = []
        self.of: dict[int, Body] = {}
        self.inputs: dict[int, list[int]] = {}
        self.outputs: dict[int, list[int]] = {}
        self.total = network.root.reads() + Counter(network.graph.outputs.values())
        for part in network.root.parts():
            if part.what == "block":
                self._add(part)

    def in_order(self) -> list[Body]:
        """Return the classes, each after those that it uses, and the root last."""
        ordered: dict[int, Body] = {}

        def visit(body: Body) -> None:
            for item in body.items.items():
                if item.body is not None and id(item.body) not in ordered:
                    visit(item.body)
            ordered[id(body)] = body

        visit(self.of[id(self.network.root)])
        return [*ordered.values()]

    def _add(self, part: Part) -> None:
        builder, slots = _Builder(self, part), self._outputs(part)
        items = builder.items(part, "")
        items.what = "body"
        outputs = tuple(map(builder.ref, slots))
        self.inputs[id(part)], self.outputs[id(part)] = builder.inputs, slots
        body = Body(part.label, items, len(builder.inputs), outputs, [part])
        for other in self.found if part is not self.network.root else ():
            if _agree(other, body, ragged=body.label not in self.even):
                _join(other.items, items)
                other.instances.append(part)
                self.of[id(part)] = other
                return
        self.found.append(body)
        self.of[id(part)] = body

    def _outputs(self, part: Part) -> list[int]:
        """Return the tensors that leave a block: its result, and what else is read outside of it."""
        if part is self.network.root:
            return [*self.network.graph.outputs.values()]
        inside, result = part.reads(), part.results[0]
        read = (slot for slot in dict.fromkeys(part.produces()) if self.total[slot] > inside[slot])
        return [result, *(slot for slot in read if slot != result)]


class _Builder:
    """Writes one instance, its tensors named by where they come about."""

    def __init__(self, bodies: Bodies, part: Part) -> None:
        self.bodies = bodies
        is_root = part is bodies.network.root
        self.inputs = [*range(len(bodies.network.inputs))] if is_root else [part.sources[0]]
        self.names = {slot: f"in:{number}" for number, slot in enumerate(self.inputs)}

    def ref(self, slot: int) -> str:
        if slot not in self.names:
            self.names[slot] = f"in:{len(self.inputs)}"
            self.inputs.append(slot)
        return self.names[slot]

    def items(self, part: Part, place: str) -> Item:
        """Return the pieces of a block, a list, a merge or a repeat."""
        children = [self.item(child, f"{place}.{child.key}") for child in part.children]
        sources: tuple[str, ...] = ()
        if part.node is not None:
            sources = tuple(map(self.ref, part.node.sources))
            self._produced(part.results, place)
        if part.what == "repeat":
            made = {ref for child in children for ref in child.results}
            for index, slot in enumerate(part.results):
                if (
                    self.ref(slot) in made
                ):  # so that what follows does not depend on how many passes there are
                    self.names[slot] = f"{place}:{index}"
        results = tuple(map(self.ref, part.results)) if place else ()
        return Item(
            part.key, part.what, sources, results, [part], children, source=self.bodies.sources.get(id(part))
        )

    def item(self, part: Part, place: str) -> Item:
        if part.what == "block":
            body, outputs = self.bodies.of[id(part)], self.bodies.outputs[id(part)]
            sources = tuple(map(self.ref, self.bodies.inputs[id(part)]))
            if not any(True for _ in part.produces()):
                return Item(part.key, "nothing", (), tuple(map(self.ref, outputs)), [part])
            return Item(part.key, "block", sources, self._produced(outputs, place), [part], body=body)
        if part.what == "absent":
            sources = (self.ref(part.sources[0]),)
            return Item(part.key, "absent", sources, self._produced(part.results, place), [part])
        return self.items(part, place)

    def _produced(self, slots: Sequence[int], place: str) -> tuple[str, ...]:
        names = tuple(f"{place}:{index}" for index in range(len(slots)))
        for slot, name in zip(slots, names, strict=True):
            self.names.setdefault(slot, name)
        return names


def _agree(a: Body, b: Body, *, ragged: bool) -> bool:
    same = (a.label, a.inputs, a.outputs) == (b.label, b.inputs, b.outputs)
    return same and _alike(a.items, b.items, ragged=ragged, is_outermost=True)


def _alike(a: Item, b: Item, *, ragged: bool, is_outermost: bool = False) -> bool:
    if (a.key != b.key and not is_outermost) or a.sources != b.sources or a.results != b.results:
        return False
    if "absent" in (a.what, b.what):
        return all(item.what == "absent" or (item.is_module and len(item.sources) == 1) for item in (a, b))
    if a.what != b.what or a.body is not b.body:
        return False
    may_differ = ragged and a.what == "repeat" and a.children and b.children
    if len(a.children) != len(b.children) and not may_differ:
        return False
    if a.source is not None and b.source is not None and not same_form(a.source, b.source):
        return False
    return all(_alike(x, y, ragged=ragged) for x, y in zip(a.children, b.children, strict=False))


def same_form(a: Source, b: Source) -> bool:
    """Say whether two layers differ in plain values only."""
    if isinstance(a, FunctionSource) or isinstance(b, FunctionSource):
        return a == b
    if not (a.arguments or b.arguments or a.inside or b.inside):
        return True
    return (
        a.callee == b.callee
        and a.arguments.keys() == b.arguments.keys()
        and a.inside.keys() == b.inside.keys()
        and all(same_form(a.inside[name], b.inside[name]) for name in a.inside)
    )


def _join(a: Item, b: Item) -> None:
    """Add an instance to a class that it is like."""
    if a.what == "absent" and b.what != "absent":
        a.what, a.body, a.source = b.what, b.body, b.source
    before = len(a.parts)
    a.parts += b.parts
    for mine, other in zip(a.children, b.children, strict=False):
        _join(mine, other)
    for more in a.children[len(b.children) :]:
        _add_missing(more, before, len(b.parts))
    for more in b.children[len(a.children) :]:
        _add_missing(more, 0, before)
        a.children.append(more)


def _add_missing(item: Item, place: int, count: int) -> None:
    """Note that so many instances lack a pass, and all in it."""
    for inner in item.items():
        first = inner.parts[0]
        inner.parts[place:place] = [
            Part(first.key, first.path, "missing", label=first.label) for _ in range(count)
        ]
