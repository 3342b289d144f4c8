"""How the modules of a class are made: calls, containers of them, and loops where passes are alike."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, takewhile

from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.export.class_data import Class, Made
from shapecalc.bridges.torch.export.forward import is_chain, is_numbered, is_sliceable, present
from shapecalc.bridges.torch.export.nesting import Nesting, refuse_meanings
from shapecalc.bridges.torch.twins.code import Call, Choice, Code, Loop, call, code_of, flat, laid, text

_POSITIONAL = ("in_channels", "out_channels", "in_features", "out_features", "num_features", "embed_dim")


class Maker:
    """Writes how the modules of one class are made."""

    def __init__(self, one: Class, reads: Counter[str]) -> None:
        self.one = one
        self.reads = reads

    def assigned(self) -> Iterator[str]:
        """Yield the lines that make the modules of the class, in the order in which they run first."""
        items = present(self.one.body.items)
        nesting = Nesting(items)
        nested = {id(item): lines for item, lines in nesting.made(self.code)}
        for item in items:
            if nesting.is_attribute(item) and item.has_modules:
                yield from self._assigned(item)
            yield from nested.get(id(item), ())

    def _assigned(self, item: Item) -> list[str]:
        if item.is_optional and item.is_module:
            made = self._plain(item)
            return [
                f"        if {text(self.one.conditions[id(item)])}:",
                laid(made, 12, f"self.{item.key} = "),
                "        else:",
                f"            self.{item.key} = nn.Identity()",
            ]
        return [laid(self.code(item), 8, f"self.{item.key} = ")]

    def code(self, item: Item) -> Code:
        """Return how an item is made."""
        if item.is_module:
            made = self._plain(item)
            if item.is_optional:
                return Choice(text(self.one.conditions[id(item)]), made, "nn.Identity()")
            return made
        inside = [one for one in present(item) if one.has_modules]
        codes = [self.code(one) for one in inside]
        if is_chain(item, self.reads) or is_sliceable(item, self.reads):
            if is_numbered(item):
                passes = self._passes(item, codes) if item.is_ragged else looped(codes)
                return Call("nn.Sequential", tuple(("", one) for one in passes))
            return call("nn.Sequential", _keywords("OrderedDict", inside, codes))
        if is_numbered(item):
            return call("nn.ModuleList", Call("", tuple(("", one) for one in looped(codes)), "[]"))
        for one in inside:
            refuse_meanings([one.key], one)
        pairs = tuple((f'"{one.key}": ', code) for one, code in zip(inside, codes, strict=True))
        return call("nn.ModuleDict", Call("", pairs, "{}"))

    def is_written(self, item: Item) -> bool:
        """Say whether passes that not every instance has can be counted in a loop."""
        if not (is_chain(item, self.reads) and is_numbered(item)):
            return False
        inside = [one for one in present(item) if one.has_modules]
        return len(inside) == len(item.children) and self._looped_from(item, [*map(self.code, inside)]) >= 0

    def _passes(self, item: Item, codes: list[Code]) -> list[Code]:
        """Return the passes that differ, and a loop over those that are alike, as many as there are."""
        start = self._looped_from(item, codes)
        count = self.one.counts[id(item)]
        times = count if start == 0 else ast.BinOp(count, ast.Sub(), ast.Constant(start))
        return [*looped(codes[:start]), Loop(codes[-1], "_", text(times))]

    def _looped_from(self, item: Item, codes: list[Code]) -> int:
        """Return from which pass on all are alike, -1 if some instance ends before."""
        start = len(codes) - 1
        while start > 0 and codes[start - 1] == codes[-1]:
            start -= 1
        return start if start <= min(count for count in item.passes if count) else -1

    def _plain(self, item: Item) -> Code:
        return made_code(self.one.made[id(item)])


def _keywords(name: str, inside: list[Item], codes: list[Code]) -> Call:
    return Call(name, tuple((f"{one.key}=", code) for one, code in zip(inside, codes, strict=True)))


def made_code(made: Made) -> Code:
    """Return the call that makes a module."""
    if made.inside:
        inner = tuple((f"{name}=", made_code(one)) for name, one in made.inside)
        return call(made.callee, Call("OrderedDict", inner))
    first = [one.name for one in takewhile(lambda one: one.name in _POSITIONAL, made.arguments)]
    said = [one for one in made.arguments if not one.is_unsaid]
    names = ("" if one.name in first else f"{one.name}=" for one in said)
    return Call(made.callee, tuple((name, code_of(one.code)) for name, one in zip(names, said, strict=True)))


def looped(codes: list[Code]) -> list[Code]:
    """Return codes with runs of equal ones, or of ones that grow by a step, as loops."""
    found: list[Code] = []
    start = 0
    while start < len(codes):
        end, loop = _run(codes, start)
        found.append(codes[start] if loop is None else loop)
        start = end
    return found


def _run(codes: list[Code], start: int) -> tuple[int, Loop | None]:
    """Return where the longest run from a place ends, and the loop that it is."""
    end = start + 1
    while end < len(codes) and codes[end] == codes[start]:
        end += 1
    if end - start > 1:
        return end, Loop(codes[start], "_", str(end - start))
    best = start + 1
    for stop in range(start + 3, len(codes) + 1):
        if _growing(codes[start:stop]) is None:
            break
        best = stop
    if best - start < 3:
        return start + 1, None
    element = _growing(codes[start:best])
    assert element is not None
    return best, Loop(element, "i", str(best - start))


def _growing(codes: list[Code]) -> Code | None:
    """Return the element of a loop over `i` that comes to these codes, or None."""
    first = codes[0]
    if not all(isinstance(one, Call) for one in codes) or not isinstance(first, Call):
        return None
    calls = [one for one in codes if isinstance(one, Call)]
    names = [[before for before, _ in one.arguments] for one in calls]
    if any(one.name != first.name or names[0] != own for one, own in zip(calls, names, strict=True)):
        return None
    arguments: list[tuple[str, Code]] = []
    for index, before in enumerate(names[0]):
        column = [one.arguments[index][1] for one in calls]
        if all(one == column[0] for one in column):
            arguments.append((before, column[0]))
            continue
        if not all(isinstance(one, str) and one.isdecimal() for one in column):
            return None
        numbers = [int(flat(one)) for one in column]
        step = numbers[1] - numbers[0]
        if step == 0 or any(b - a != step for a, b in pairwise(numbers)):
            return None
        times = "i" if abs(step) == 1 else f"{abs(step)} * i"
        arguments.append((before, f"{numbers[0]} {'+' if step > 0 else '-'} {times}"))
    return Call(first.name, tuple(arguments))
