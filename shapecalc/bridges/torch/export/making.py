"""How the modules of a class are made: calls, containers of them, and loops where passes are alike."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, takewhile

from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.export.class_data import Class, Made
from shapecalc.bridges.torch.export.forward import is_chain, is_sliceable
from shapecalc.bridges.torch.export.nesting import Nesting, container, is_numbered, present
from shapecalc.bridges.torch.twins.code import Call, Choice, Code, Loop, call, code_of, laid, text

_POSITIONAL = ("in_channels", "out_channels", "in_features", "out_features", "num_features", "embed_dim")


class Maker:
    """Writes how the modules of one class are made."""

    def __init__(self, owner: Class, reads: Counter[str]) -> None:
        self.owner = owner
        self.reads = reads

    def assigned(self) -> Iterator[str]:
        """Yield the lines that make the modules of the class, in the order in which they run first."""
        items = present(self.owner.body.items)
        nested = {id(item): lines for item, lines in Nesting(items).made(self.code)}
        for item in items:
            if item.key.isidentifier() and item.has_modules:
                yield from self._assigned(item)
            yield from nested.get(id(item), ())

    def _assigned(self, item: Item) -> list[str]:
        if item.is_optional and item.is_module:
            return [
                f"        if {text(self.owner.conditions[id(item)])}:",
                laid(made_code(self.owner.made[id(item)]), 12, f"self.{item.key} = "),
                "        else:",
                f"            self.{item.key} = nn.Identity()",
            ]
        return [laid(self.code(item), 8, f"self.{item.key} = ")]

    def code(self, item: Item) -> Code:
        """Return how an item is made."""
        if item.is_module:
            made = made_code(self.owner.made[id(item)])
            if item.is_optional:
                return Choice(text(self.owner.conditions[id(item)]), made, "nn.Identity()")
            return made
        inside = {child.key: self.code(child) for child in present(item) if child.has_modules}
        codes = [*inside.values()]
        if is_chain(item, self.reads) or is_sliceable(item, self.reads):
            if is_numbered(item):
                passes = self._passes(item, codes) if item.is_ragged else looped(codes)
                return Call("nn.Sequential", tuple(("", code) for code in passes))
            return call("nn.Sequential", _ordered(inside))
        return container(inside, item, looped(codes))

    def is_written(self, item: Item) -> bool:
        """Say whether passes that not every instance has can be counted in a loop."""
        if not (is_chain(item, self.reads) and is_numbered(item)):
            return False
        inside = [child for child in present(item) if child.has_modules]
        return len(inside) == len(item.children) and self._looped_from(item, [*map(self.code, inside)]) >= 0

    def _passes(self, item: Item, codes: list[Code]) -> list[Code]:
        """Return the passes that differ, and a loop over those that are alike, as many as there are."""
        start = self._looped_from(item, codes)
        count = self.owner.counts[id(item)]
        times = count if start == 0 else ast.BinOp(count, ast.Sub(), ast.Constant(start))
        return [*looped(codes[:start]), Loop(codes[-1], "_", text(times))]

    def _looped_from(self, item: Item, codes: list[Code]) -> int:
        """Return from which pass on all are alike, -1 if some instance ends before."""
        start = len(codes) - 1
        while start > 0 and codes[start - 1] == codes[-1]:
            start -= 1
        return start if start <= min(count for count in item.passes if count) else -1


def _ordered(inside: dict[str, Code]) -> Call:
    return Call("OrderedDict", tuple((f"{name}=", code) for name, code in inside.items()))


def made_code(made: Made) -> Code:
    """Return the call that makes a module."""
    if made.inside:
        return call(made.callee, _ordered({name: made_code(inner) for name, inner in made.inside}))
    first = takewhile(lambda argument: argument.name in _POSITIONAL, made.arguments)
    positional = {argument.name for argument in first}
    return Call(
        made.callee,
        tuple(
            ("" if argument.name in positional else f"{argument.name}=", code_of(argument.code))
            for argument in made.arguments
            if not argument.is_default
        ),
    )


def looped(codes: list[Code]) -> list[Code]:
    """Return codes with runs of equal ones, or of ones that grow by a step, as loops."""
    written: list[Code] = []
    start = 0
    while start < len(codes):
        end, code = _run(codes, start)
        written.append(code)
        start = end
    return written


def _run(codes: list[Code], start: int) -> tuple[int, Code]:
    """Return where the longest run from a place ends, and the loop that it is, or the one code."""
    first, end = codes[start], start + 1
    while end < len(codes) and codes[end] == first:
        end += 1
    if end - start > 1:
        return end, Loop(first, "_", str(end - start))
    element: Code | None = None
    for stop in range(start + 3, len(codes) + 1):
        grown = _growing(codes[start:stop])
        if grown is None:
            break
        element, end = grown, stop
    return end, first if element is None else Loop(element, "i", str(end - start))


def _growing(codes: list[Code]) -> Code | None:
    """Return the element of a loop over `i` that gives these codes, or None."""
    calls = [code for code in codes if isinstance(code, Call)]
    forms = {(each.name, *(before for before, _ in each.arguments)) for each in calls}
    if len(calls) < len(codes) or len(forms) > 1:
        return None
    arguments: list[tuple[str, Code]] = []
    for (before, first), *others in zip(*(each.arguments for each in calls), strict=True):
        column = [first, *(code for _, code in others)]
        if any(code != first for code in column):
            numbers = [int(code) for code in column if isinstance(code, str) and code.isdecimal()]
            steps = {b - a for a, b in pairwise(numbers)}
            if len(numbers) < len(column) or len(steps) > 1:
                return None
            step = steps.pop()
            times = "i" if abs(step) == 1 else f"{abs(step)} * i"
            first = f"{numbers[0]} {'+' if step > 0 else '-'} {times}"  # noqa: PLW2901
        arguments.append((before, first))
    return Call(calls[0].name, tuple(arguments))
