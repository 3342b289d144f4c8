"""What blocks have in common: instances that are built alike are instances of one class.

The steps of an instance are numbered by their place in it, and so are the tensors between them; two instances
are alike when these agree and only plain values differ. A module that one instance has and another leaves
out, by its `when`, is optional; a repeat may have more passes in one than in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from shapecalc.bridges.torch.export.class_data import Class, Item, Part
from shapecalc.bridges.torch.export.expansion_tree import Network
from shapecalc.bridges.torch.twins.source import FunctionSource, Source


def classes_of(network: Network, even: Collection[str] = ()) -> list[Class]:
    """Return the classes of a network, each after those that it uses, and the root last.

    Blocks that are named in `even` have as many passes in one instance as in the other.
    """
    root = network.root
    outputs = [*network.graph.outputs.values()]
    total = root.reads() + Counter(outputs)
    classes: list[Class] = []
    for part in root.parts():
        if part.what == "block":
            is_root = part is root
            part.results = tuple(outputs if is_root else _outputs(part, total))
            own = _class_of(part, [*range(len(network.inputs))] if is_root else [part.sources[0]])
            alike = (cls for cls in classes if _agree(cls, own, ragged=part.label not in even))
            part.cls = own if is_root else next(alike, own)
            if part.cls is own:
                classes.append(own)
            else:
                _join(part.cls.outermost, own.outermost)
                part.cls.instances.append(part)
    ordered: dict[Class, None] = {}

    def visit(cls: Class) -> None:
        for item in cls.items():
            if item.cls is not None and item.what == "block" and item.cls not in ordered:
                visit(item.cls)
        ordered[cls] = None

    visit(classes[-1])
    for cls in ordered:
        _resolve(cls)
    return [*ordered]


def _resolve(cls: Class) -> None:
    """Replace the results of repeats and of steps left out by the tensors that these are."""
    same: dict[str, str] = {}
    for item in cls.items():
        if item.what == "absent":
            same[item.results[0]] = item.sources[0]
        if item.what == "repeat" and item.children:
            last = zip(item.results, item.children[-1].results, strict=False)
            same |= {ref: result for ref, result in last if ref != result}

    def of(ref: str) -> str:
        return of(same[ref]) if ref in same else ref

    for item in cls.items():
        item.sources, item.results = tuple(map(of, item.sources)), tuple(map(of, item.results))
    cls.outputs = tuple(map(of, cls.outputs))
    cls.reads = Counter([*cls.outputs, *(ref for item in cls.items() for ref in item.reads)])


def _outputs(part: Part, total: Counter[int]) -> list[int]:
    """Return the tensors that leave a block: its result, and what else is read outside of it."""
    inside, result = part.reads(), part.results[0]
    read = (slot for slot in dict.fromkeys(part.produces()) if total[slot] > inside[slot])
    return [result, *(slot for slot in read if slot != result)]


def _class_of(part: Part, inputs: list[int]) -> Class:
    builder = _Builder(inputs)
    outermost = builder.items(part, "")
    outermost.what = "body"
    outputs = tuple(map(builder.ref, part.results))
    part.sources = tuple(builder.inputs)
    return Class(part.label, outermost, len(part.sources), outputs, [part])


class _Builder:
    """Writes one instance, its tensors named by where they come about."""

    def __init__(self, inputs: list[int]) -> None:
        self.inputs = inputs
        self.names = {slot: f"in:{number}" for number, slot in enumerate(inputs)}

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
        if part.what == "repeat":  # what follows must not depend on how many passes there are
            made = {ref for child in children for ref in child.results}
            for index, slot in enumerate(part.results):
                if self.ref(slot) in made:
                    self.names[slot] = f"{place}:{index}"
        results = tuple(map(self.ref, part.results)) if place else ()
        return Item(part.key, part.what, sources, results, [part], children)

    def item(self, part: Part, place: str) -> Item:
        if part.what not in ("block", "absent"):
            return self.items(part, place)
        sources = tuple(map(self.ref, part.sources))
        if not any(True for _ in part.produces()):
            return Item(part.key, "nothing", (), tuple(map(self.ref, part.results)), [part])
        return Item(part.key, part.what, sources, self._produced(part.results, place), [part])

    def _produced(self, slots: Sequence[int], place: str) -> tuple[str, ...]:
        names = tuple(f"{place}:{index}" for index in range(len(slots)))
        for slot, name in zip(slots, names, strict=True):
            self.names.setdefault(slot, name)
        return names


def _agree(a: Class, b: Class, *, ragged: bool) -> bool:
    same = (a.label, a.inputs, a.outputs) == (b.label, b.inputs, b.outputs)
    return same and _alike(a.outermost, b.outermost, ragged=ragged, is_outermost=True)


def _alike(a: Item, b: Item, *, ragged: bool, is_outermost: bool = False) -> bool:
    if (a.key != b.key and not is_outermost) or a.sources != b.sources or a.results != b.results:
        return False
    if "absent" in (a.what, b.what):
        return all(item.what == "absent" or (item.is_module and len(item.sources) == 1) for item in (a, b))
    if a.what != b.what or (a.what == "block" and a.cls is not b.cls):
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
    if a.what == "absent":
        a.what = b.what
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
        missing = [Part(first.key, first.path, "missing", label=first.label) for _ in range(count)]
        inner.parts[place:place] = missing
