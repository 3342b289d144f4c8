"""The `forward` of a class: one statement a module, branches inside the expression that merges them."""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from keyword import iskeyword

from shapecalc.bridges.torch.export.bodies import Body, Item
from shapecalc.bridges.torch.export.nesting import Nesting
from shapecalc.bridges.torch.twins.code import Call, Code, Infix, flat, laid
from shapecalc.bridges.torch.twins.source import FunctionSource

LONGEST_INLINE = 60
LONGEST_SUM = 52
_TAKEN = {"self", "torch", "nn"}


def is_chain(item: Item, reads: Counter[str]) -> bool:
    """Say whether modules run one after the other, each on what the one before it yields and nothing else."""
    links = _links(item, reads)
    return links is not None and all(reads[link[-1]] == 1 for link in links[:-1])


def is_sliceable(item: Item, reads: Counter[str]) -> bool:
    """Say whether passes of a repeat are a chain, of which a result in the middle may be read elsewhere."""
    return item.what == "repeat" and _links(item, reads) is not None


def _links(item: Item, reads: Counter[str]) -> list[tuple[str, str]] | None:
    """Return what each module of a list reads and yields, or None where it is no chain."""
    if item.what not in ("list", "repeat"):
        return None
    links: list[tuple[str, str]] = []
    for child in present(item):
        if child.is_module and len(child.sources) == len(child.results) == 1:
            links.append((child.sources[0], child.results[0]))
        elif is_chain(child, reads):
            inner = _links(child, reads)
            assert inner
            links.append((inner[0][0], inner[-1][1]))
        else:
            return None
    if not links or any(after[0] != before[1] for before, after in pairwise(links)):
        return None
    if item.what == "repeat":
        links[-1] = (links[-1][0], item.results[0])
    return links


def _passed_on(item: Item) -> dict[str, str]:
    """Return which results of its last pass a repeat that is written out hands on."""
    last = item.children[-1].results if item.children else ()
    return {ref: one for ref, one in zip(item.results, last, strict=False) if ref != one}


def present(item: Item) -> list[Item]:
    """Return the pieces inside that any instance has."""
    return [one for one in item.children if one.what not in ("absent", "nothing")]


def is_numbered(item: Item) -> bool:
    """Say whether the modules in a container are called by their numbers, from 0 on."""
    keys = [one.key for one in present(item) if one.has_modules]
    return keys == [str(index) for index in range(len(keys))]


@dataclass
class Statement:
    """Names for tensors and the expression that yields them."""

    targets: tuple[str, ...]
    code: Code
    reads: Counter[str]
    hint: str


class Forward:
    """Writes the statements of one class in terms of tensors, then gives these names."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.reads = body.reads()
        self.nesting = Nesting(present(body.items))
        self.statements: list[Statement] = []
        self.inline: dict[str, tuple[Code, Counter[str]]] = {}
        self.alias: dict[str, str] = {}
        for item in body.items.items():
            if item.what == "absent":
                self.alias[item.results[0]] = item.sources[0]
            if item.what == "repeat" and _links(item, self.reads) is None:
                self.alias |= _passed_on(item)
        for item in body.items.items():
            if item.what in ("leaf", "block", "merge"):
                for ref in item.sources:
                    self._pass_reading_on(ref)
        for ref in body.outputs:
            self._pass_reading_on(ref)

    def _pass_reading_on(self, ref: str) -> None:
        if ref in self.alias:
            self.reads[ref] -= 1
            self.reads[self.of(ref)] += 1

    def of(self, ref: str) -> str:
        """Return the tensor itself for one that a step left out has handed on."""
        while ref in self.alias:
            ref = self.alias[ref]
        return ref

    # ---- statements

    def write(self, item: Item, access: str) -> None:
        """Write what stands in a list, a merge or a repeat."""
        for child in present(item):
            self._one(child, self.nesting.access(child) if access == "self" else _at(access, item, child))

    def _one(self, item: Item, access: str) -> None:
        if item.is_module:
            self._say(item.results, access, item.sources, item.key)
        elif item.what == "leaf":
            self._function(item)
        elif is_chain(item, self.reads):
            links = _links(item, self.reads)
            assert links
            self._say((links[-1][1],), access, (links[0][0],), item.key)
        elif is_sliceable(item, self.reads):
            self._slices(item, access)
        elif item.what == "merge":
            for branch in present(item):
                before = len(self.statements)
                self._one(branch, _at(access, item, branch))
                for one in self.statements[before:]:
                    if len(one.targets) == 1 and not branch.key.isdecimal():
                        one.hint = branch.key
                self._put_inside(item, before)
            self._function(item)
        else:
            self.write(item, access)

    def _slices(self, item: Item, access: str) -> None:
        links = _links(item, self.reads)
        assert links
        start = 0
        for index, (_, result) in enumerate(links):
            last = index == len(links) - 1
            if not last and self.reads[result] == 1:
                continue
            part = f"{access}[{start or ''}:{'' if last else index + 1}]"
            if start == index:
                part = f"{access}[{index}]"
            self._say((result,), part, (links[start][0],), f"{item.key}_{index}")
            start = index + 1

    def _say(self, results: Sequence[str], access: str, sources: Sequence[str], hint: str) -> None:
        refs = [self.of(ref) for ref in sources]
        code = Call(access, tuple(("", f"{{{ref}}}") for ref in refs))
        self.statements.append(Statement(tuple(results), code, Counter(refs), hint))

    def _function(self, item: Item) -> None:
        assert isinstance(item.source, FunctionSource)
        refs = [*map(self.of, item.sources)]
        inside = {ref: self.inline.pop(ref) for ref in refs if ref in self.inline}
        code = item.source.write([inside[ref][0] if ref in inside else f"{{{ref}}}" for ref in refs])
        if isinstance(code, Infix) and len(_shown(code)) > LONGEST_SUM:
            for ref, (own, reading) in inside.items():
                self.statements.append(Statement((ref,), own, reading, _last_word(ref)))
            code, inside = item.source.write([f"{{{ref}}}" for ref in refs]), {}
        reads: Counter[str] = Counter()
        for ref in refs:
            reads += inside[ref][1] if ref in inside else Counter([ref])
        self.statements.append(Statement(item.results, code, reads, item.key))

    def _put_inside(self, merge: Item, before: int) -> None:
        """Let the one statement of a branch stand inside the expression that merges it."""
        if len(self.statements) != before + 1:
            return
        one = self.statements[-1]
        refs = [self.of(ref) for ref in merge.sources]
        if len(one.targets) != 1 or self.reads[one.targets[0]] != 1 or refs.count(one.targets[0]) != 1:
            return
        if isinstance(one.code, Infix) or len(_shown(one.code)) > LONGEST_INLINE:
            return
        self.inline[one.targets[0]] = (one.code, one.reads)
        self.statements.pop()

    # ---- names

    def lines(self, inputs: Sequence[str], output: Code | None) -> list[str]:
        """Return the statements with names for the tensors, the last one the result."""
        names = {f"in:{index}": name for index, name in enumerate(inputs)}
        last_read: dict[str, int] = {}
        for index, one in enumerate(self.statements):
            last_read |= dict.fromkeys(one.reads, index)
        outputs = [self.of(ref) for ref in self.body.outputs]
        last_read |= dict.fromkeys(outputs, len(self.statements))
        holders = {name: ref for ref, name in names.items()}
        lines: list[str] = []
        for index, one in enumerate(self.statements):
            code = _named(one.code, names)
            is_result = index == len(self.statements) - 1 and output is None
            if is_result and list(one.targets) == outputs:
                return [*lines, laid(code, 8, "return ")]
            for ref in one.targets:
                name = self._name(ref, one, index, last_read, holders)
                names[ref], holders[name] = name, ref
            told = ", ".join(names[ref] for ref in one.targets)
            lines.append(laid(code, 8, f"{told} = "))
        if output is not None:
            return [*lines, laid(_named(output, names), 8, "return ")]
        return [*lines, f"        return {', '.join(names[ref] for ref in outputs)}"]

    def _name(
        self, ref: str, one: Statement, index: int, last_read: dict[str, int], holders: dict[str, str]
    ) -> str:
        def is_free(name: str) -> bool:
            holder = holders.get(name)
            return holder is None or (last_read.get(holder, -1) <= index and holder not in one.targets)

        stays = last_read.get(ref, index) > index + 1
        if not stays and len(one.targets) == 1 and is_free("x"):
            return "x"
        hint = _last_words(one.hint)
        wanted = hint if len(one.targets) == 1 else f"{hint}_{one.targets.index(ref)}"
        if wanted.isdecimal() or wanted in _TAKEN or iskeyword(wanted) or hasattr(builtins, wanted):
            wanted = f"{wanted}_" if wanted.isidentifier() else f"x_{wanted}"
        name, number = wanted, 2
        while not is_free(name):
            name, number = f"{wanted}_{number}", number + 1
        return name


def _shown(code: Code) -> str:
    """Return a code about as it will be with names for its tensors."""
    return re.sub(r"\{[^}]*\}", "x", flat(code))


def _last_word(ref: str) -> str:
    """Return the last name in the place where a tensor comes about."""
    words = [word for word in ref.rpartition(":")[0].split(".") if word and not word.isdecimal()]
    return words[-1] if words else "x"


def _last_words(path: str) -> str:
    """Return the end of a path that says something: its last word, with what a number is a number of.

    >>> _last_words("layer1.0.conv1"), _last_words("features.3"), _last_words("0")
    ('conv1', 'features_3', '0')
    """
    words = path.split(".")
    named = [place for place, word in enumerate(words) if not word.isdecimal()]
    return "_".join(words[named[-1] :] if named else words)


def _at(access: str, holder: Item, item: Item) -> str:
    """Return how a part of a container is reached."""
    return f"{access}[{item.key}]" if is_numbered(holder) else f'{access}["{item.key}"]'


def _named(code: Code, names: dict[str, str]) -> Code:
    """Return a code with names in place of the tensors."""
    if isinstance(code, Call):
        arguments = tuple((before, _named(one, names)) for before, one in code.arguments)
        return Call(_put(code.name, names), arguments, code.brackets)
    if isinstance(code, Infix):
        return Infix(code.sign, tuple(_named(one, names) for one in code.operands))
    assert isinstance(code, str)
    return _put(code, names)


def _put(text: str, names: dict[str, str]) -> str:
    while "{" in text:
        start, end = text.index("{"), text.index("}")
        text = text[:start] + names[text[start + 1 : end]] + text[end + 1 :]
    return text
