"""What blocks have in common: instances that are built alike are instances of one class.

The steps of an instance are numbered by where they stand in it, and so are the tensors between them;
two instances are alike when these agree and only plain values differ. A module that one instance has and
another leaves out, by its `when`, is optional; a repeat may have more passes in one than in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shapecalc.bridges.torch.export.expansion_tree import Network, Part
from shapecalc.bridges.torch.twins.source import FunctionSource, ModuleSource, Source


@dataclass(eq=False)
class Item:
    """A piece of a class: what stands there in each of its instances."""

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
        return [
            sum(child.parts[index].what != "missing" for child in self.children)
            for index in range(len(self.parts))
        ]

    @property
    def is_module(self) -> bool:
        """Whether it is a single module of the class."""
        return self.what == "block" or (self.what == "leaf" and isinstance(self.source, ModuleSource))

    def items(self) -> Iterator[Item]:
        """Yield all pieces in order, what is inside before what holds it."""
        for child in self.children:
            yield from child.items()
        yield self

    @property
    def has_modules(self) -> bool:
        """Whether any module stands in it."""
        return any(one.is_module for one in self.items())


@dataclass(eq=False)
class Body:
    """A class in the making: the steps that its instances have in common."""

    label: str
    items: Item
    inputs: int
    outputs: tuple[str, ...]
    instances: list[Part]

    def reads(self) -> Counter[str]:
        """Return how often each tensor is read."""
        found = Counter(self.outputs)
        for item in self.items.items():
            if item.what in ("leaf", "block", "merge"):
                found.update(item.sources)
        return found


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
        """Return the classes, each after those that it uses, and that of the whole network last."""
        ordered: dict[int, Body] = {}

        def visit(body: Body) -> None:
            for item in body.items.items():
                if item.body is not None and id(item.body) not in ordered:
                    visit(item.body)
            ordered[id(body)] = body

        visit(self.of[id(self.network.root)])
        return [*ordered.values()]

    def _add(self, part: Part) -> None:
        builder = _Builder(self, part)
        items = builder.items(part, "")
        items.what = "body"
        for slot in self._outputs(part):
            builder.ref(slot)
        outputs = tuple(builder.names[slot] for slot in self._outputs(part))
        self.inputs[id(part)] = builder.inputs
        self.outputs[id(part)] = self._outputs(part)
        body = Body(part.label, items, len(builder.inputs), outputs, [part])
        for other in self.found:
            is_same = other.label == body.label and part is not self.network.root
            if is_same and _agree(other, body, ragged=body.label not in self.even):
                _join(other.items, items)
                other.instances.append(part)
                self.of[id(part)] = other
                return
        self.found.append(body)
        self.of[id(part)] = body

    def _outputs(self, part: Part) -> list[int]:
        """Return what leaves a block: its result, and what else is read outside of it."""
        if part is self.network.root:
            return [*self.network.graph.outputs.values()]
        inside = part.reads()
        produced = dict.fromkeys(part.produces())
        out = [slot for slot in produced if self.total[slot] > inside[slot] and slot != part.results[0]]
        return [part.results[0], *out]


class _Builder:
    """Writes one instance with its tensors named by where they come about."""

    def __init__(self, bodies: Bodies, part: Part) -> None:
        self.bodies = bodies
        self.inputs = [part.sources[0]]
        self.names: dict[int, str] = {part.sources[0]: "in:0"}
        if part is bodies.network.root:
            self.inputs = [*range(len(bodies.network.inputs))]
            self.names = {slot: f"in:{slot}" for slot in self.inputs}

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
            sources = tuple(self.ref(slot) for slot in part.node.sources)
            self._produced(part.results, place)
        if part.what == "repeat" and any(child.results for child in children):
            made = {ref for child in children for ref in child.results}
            results = tuple(f"{place}:{index}" for index in range(len(part.results)))
            for slot, name in zip(part.results, results, strict=True):
                if self.ref(slot) in made:  # so that what follows does not say how many passes there were
                    self.names[slot] = name
        results = tuple(self.ref(slot) for slot in part.results) if place else ()
        source = self.bodies.sources.get(id(part))
        return Item(part.key, part.what, sources, results, [part], children, source=source)

    def item(self, part: Part, place: str) -> Item:
        if part.what == "block":
            body = self.bodies.of[id(part)]
            sources = tuple(self.ref(slot) for slot in self.bodies.inputs[id(part)])
            outputs = self.bodies.outputs[id(part)]
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
    if a.inputs != b.inputs or a.outputs != b.outputs:
        return False
    return _alike(a.items, b.items, ragged=ragged, is_outermost=True)


def _alike(a: Item, b: Item, *, ragged: bool, is_outermost: bool = False) -> bool:
    if (a.key != b.key and not is_outermost) or a.sources != b.sources or a.results != b.results:
        return False
    if "absent" in (a.what, b.what):
        return all(one.what == "absent" or (one.is_module and len(one.sources) == 1) for one in (a, b))
    if a.what != b.what or a.body is not b.body:
        return False
    if len(a.children) != len(b.children) and not (
        ragged and a.what == "repeat" and a.children and b.children
    ):
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
    for mine, theirs in zip(a.children, b.children, strict=False):
        _join(mine, theirs)
    for more in a.children[len(b.children) :]:
        _miss(more, before, len(b.parts))
    for more in b.children[len(a.children) :]:
        _miss(more, 0, before)
        a.children.append(more)


def _miss(item: Item, place: int, count: int) -> None:
    """Note that so many instances lack a pass, and all in it."""
    for one in item.items():
        real = one.parts[0]
        one.parts[place:place] = [
            Part(real.key, real.path, "missing", label=real.label) for _ in range(count)
        ]
