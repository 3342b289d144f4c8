"""The `forward` of a class: one statement a module, branches inside the expression that merges them."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from keyword import iskeyword

from shapecalc.bridges.torch.export.class_data import Class, Item
from shapecalc.bridges.torch.export.nesting import Nesting, at, numbered
from shapecalc.bridges.torch.export.symbols import names_in, put
from shapecalc.bridges.torch.twins.code import call, laid, text
from shapecalc.bridges.torch.twins.source import FunctionSource

LONGEST_INLINE = 60
LONGEST_SUM = 52
_TAKEN = {"self", "torch", "nn"}


def is_sequential(item: Item, reads: Counter[str]) -> bool:
    """Say whether modules run one after the other; only passes of a repeat are read elsewhere as well."""
    links = _links(item, reads)
    is_alone = all(reads[result] == 1 for _, result in links[:-1])
    return bool(links) and (is_alone or item.what == "repeat")


def is_chain(item: Item, reads: Counter[str]) -> bool:
    """Say whether modules run one after the other, and nothing else reads the results between them."""
    return is_sequential(item, reads) and all(reads[result] == 1 for _, result in _links(item, reads)[:-1])


def _links(item: Item, reads: Counter[str]) -> list[tuple[str, str]]:
    """Return what each module of a list reads and yields; nothing where they are no chain."""
    links: list[tuple[str, str]] = []
    for child in item.present if item.what in ("list", "repeat") else ():
        if child.is_module and len(child.sources) == len(child.results) == 1:
            links.append((child.sources[0], child.results[0]))
        elif is_chain(child, reads):
            inner = _links(child, reads)
            links.append((inner[0][0], inner[-1][1]))
        else:
            return []
    if any(after[0] != before[1] for before, after in pairwise(links)):
        return []
    return links


@dataclass
class Statement:
    """Tensors and the expression that yields them, in which tensors are names as well, such as `in:0`."""

    targets: tuple[str, ...]
    code: ast.expr
    hint: str
    number: dict[str, int] = field(init=False)
    """The number of each target, from 0."""

    def __post_init__(self) -> None:
        self.number = {ref: number for number, ref in enumerate(self.targets)}


class Forward:
    """The statements of one class in terms of tensors; `lines` names them."""

    def __init__(self, cls: Class) -> None:
        self.cls = cls
        self.reads = cls.reads
        self.statements: list[Statement] = []
        self.inline: dict[str, Statement] = {}
        nesting = Nesting(cls.outermost.present)
        for item in cls.outermost.present:
            self._item(item, nesting.access(item))

    # ---- statements

    def _item(self, item: Item, access: ast.expr) -> None:
        if item.is_module:
            self._call(item.results, access, item.sources, item.key)
        elif is_sequential(item, self.reads):
            self._slices(item, access)
        else:
            count = numbered([child.key for child in item.present if child.has_modules])
            for child in item.present:
                before = len(self.statements)
                self._item(child, at(access, count, child.key))
                if item.what == "merge":
                    self._put_inside(item, child.key, before)
            if item.what in ("leaf", "merge"):
                self._function(item)

    def _slices(self, item: Item, access: ast.expr) -> None:
        """Call modules that run one after the other, up to each result that is read elsewhere."""
        links = _links(item, self.reads)
        count = len(links)
        read = [index + 1 for index, (_, result) in enumerate(links[:-1]) if self.reads[result] != 1]
        for start, end in pairwise([0, *read, count]):
            part, hint = access, item.key
            if end - start < count:
                first = ast.Constant(start) if start else None
                last = ast.Constant(end) if end < count else None
                place = ast.Constant(start) if end == start + 1 else ast.Slice(first, last)
                part, hint = ast.Subscript(access, place), f"{item.key}_{end - 1}"
            self._call((links[end - 1][1],), part, (links[start][0],), hint)

    def _call(self, results: Sequence[str], access: ast.expr, sources: Sequence[str], hint: str) -> None:
        self.statements.append(Statement(tuple(results), call(access, *map(ast.Name, sources)), hint))

    def _function(self, item: Item) -> None:
        assert isinstance(item.source, FunctionSource)
        inside = {ref: self.inline.pop(ref) for ref in item.sources if ref in self.inline}
        operands = [inside[ref].code if ref in inside else ast.Name(ref) for ref in item.sources]
        code = item.source.write(operands)
        if isinstance(code, ast.BinOp) and _length(code) > LONGEST_SUM:
            for ref, statement in inside.items():
                statement.hint = _last_word(ref)
                self.statements.append(statement)
            code = item.source.write([*map(ast.Name, item.sources)])
        self.statements.append(Statement(item.results, code, item.key))

    def _put_inside(self, merge: Item, branch: str, before: int) -> None:
        """Move the only statement of a branch into the expression that merges it."""
        for statement in self.statements[before:]:
            if len(statement.targets) == 1 and not branch.isdecimal():
                statement.hint = branch
        if len(self.statements) != before + 1:
            return
        last = self.statements[-1]
        target = last.targets[0]
        is_read_once = self.reads[target] == merge.sources.count(target) == 1
        is_short = not isinstance(last.code, ast.BinOp) and _length(last.code) <= LONGEST_INLINE
        if len(last.targets) == 1 and is_read_once and is_short:
            self.inline[target] = self.statements.pop()

    # ---- names

    def lines(self, inputs: Sequence[str], output: ast.expr | None) -> list[str]:
        """Return the statements with names for the tensors, the last one the result."""
        names = {f"in:{index}": name for index, name in enumerate(inputs)}
        reads = enumerate(_tensors_in(statement.code) for statement in self.statements)
        last_read = {ref: index for index, refs in reads for ref in refs}
        outputs = self.cls.outputs
        last_read |= dict.fromkeys(outputs, len(self.statements))
        holders = {name: ref for ref, name in names.items()}
        lines: list[str] = []
        for index, statement in enumerate(self.statements):
            code = _named(statement.code, names)
            is_result = index == len(self.statements) - 1 and output is None
            if is_result and statement.targets == outputs:
                return [*lines, laid(code, 8, "return ")]
            for ref in statement.targets:
                name = self._name(ref, statement, index, last_read, holders)
                names[ref], holders[name] = name, ref
            targets = ", ".join(names[ref] for ref in statement.targets)
            lines.append(laid(code, 8, f"{targets} = "))
        if output is not None:
            return [*lines, laid(_named(output, names), 8, "return ")]
        return [*lines, f"        return {', '.join(names[ref] for ref in outputs)}"]

    def _name(
        self,
        ref: str,
        statement: Statement,
        index: int,
        last_read: dict[str, int],
        holders: dict[str, str],
    ) -> str:
        def is_free(name: str) -> bool:
            holder = holders.get(name)
            return holder is None or (last_read.get(holder, -1) <= index and holder not in statement.number)

        stays, targets = last_read.get(ref, index) > index + 1, statement.targets
        if not stays and len(targets) == 1 and is_free("x"):
            return "x"
        hint = _last_words(statement.hint)
        wanted = hint if len(targets) == 1 else f"{hint}_{statement.number[ref]}"
        if not wanted.isidentifier():
            wanted = f"x_{wanted}"
        elif wanted in _TAKEN or iskeyword(wanted) or hasattr(builtins, wanted):
            wanted = f"{wanted}_"
        name, number = wanted, 2
        while not is_free(name):
            name, number = f"{wanted}_{number}", number + 1
        return name


def _named(code: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """Return a code with names in place of the tensors."""
    return put(code, {ref: ast.Name(names[ref]) for ref in _tensors_in(code) if ref in names})


def _length(code: ast.expr) -> int:
    """Return about how long a code will be with names for its tensors."""
    return len(text(_named(code, dict.fromkeys(_tensors_in(code), "x"))))


def _tensors_in(code: ast.expr) -> set[str]:
    """Return the tensors in a code, whose names have a colon."""
    return {name for name in names_in(code) if ":" in name}


def _last_word(ref: str) -> str:
    """Return the last name in the place where a tensor comes about."""
    words = [word for word in ref.rpartition(":")[0].split(".") if word and not word.isdecimal()]
    return words[-1] if words else "x"


def _last_words(path: str) -> str:
    """Return the last name in a path, with the numbers after it.

    >>> _last_words("layer1.0.conv1"), _last_words("features.3"), _last_words("0")
    ('conv1', 'features_3', '0')
    """
    words = path.split(".")
    named = [place for place, word in enumerate(words) if not word.isdecimal()]
    return "_".join(words[named[-1] :] if named else words)
