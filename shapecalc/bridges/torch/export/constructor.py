"""How the modules of a class are made: calls, containers of them, and loops where passes are alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from shapecalc.bridges.torch.export.class_data import Class, Item, Made
from shapecalc.bridges.torch.export.forward import is_chain, is_sequential
from shapecalc.bridges.torch.export.nesting import Nesting, container, is_numbered
from shapecalc.bridges.torch.twins.code import call, laid, loop, text

IDENTITY = call("nn.Identity")


class Constructor:
    """Writes how the modules of one class are made."""

    def __init__(self, cls: Class) -> None:
        self.items = cls.outermost.present
        self.reads = cls.reads

    def assigned(self) -> Iterator[str]:
        """Yield the lines that make the modules of the class, in the order in which they run first."""
        nested = dict(Nesting(self.items).made(self.code))
        for item in self.items:
            if item.key.isidentifier() and item.has_modules:
                yield from self._assigned(item)
            elif item in nested:
                yield nested[item]

    def _assigned(self, item: Item) -> list[str]:
        if item.condition is not None and item.made is not None:
            return [
                f"        if {text(item.condition)}:",
                laid(made_code(item.made), 12, f"self.{item.key} = "),
                "        else:",
                f"            self.{item.key} = {text(IDENTITY)}",
            ]
        return [laid(self.code(item), 8, f"self.{item.key} = ")]

    def code(self, item: Item) -> ast.expr:
        """Return how an item is made."""
        if item.made is not None:
            made = made_code(item.made)
            return made if item.condition is None else ast.IfExp(item.condition, made, IDENTITY)
        inside = {child.key: self.code(child) for child in item.present if child.has_modules}
        codes = [*inside.values()]
        if is_sequential(item, self.reads):
            if is_numbered(item):
                return call("nn.Sequential", *(looped(codes) if item.count is None else _passes(item, codes)))
            return call("nn.Sequential", call("OrderedDict", **inside))
        return container(inside, item, looped(codes))

    def is_written(self, item: Item) -> bool:
        """Say whether passes that not every instance has can be counted in a loop."""
        if not (is_chain(item, self.reads) and is_numbered(item)):
            return False
        inside = [child for child in item.present if child.has_modules]
        return len(inside) == len(item.children) and _looped_from(item, [*map(self.code, inside)]) >= 0


def _passes(item: Item, codes: Sequence[ast.expr]) -> list[ast.expr]:
    """Return the passes that differ, and a loop over those that are alike, as many as there are."""
    assert item.count is not None
    start = _looped_from(item, codes)
    times = item.count if start == 0 else ast.BinOp(item.count, ast.Sub(), ast.Constant(start))
    return [*looped(codes[:start]), loop(codes[-1], "_", times)]


def _looped_from(item: Item, codes: Sequence[ast.expr]) -> int:
    """Return from which pass on all are alike, -1 if some instance ends before."""
    texts = [*map(text, codes)]
    alike = [*takewhile(lambda code: code == texts[-1], reversed(texts))]
    start = len(texts) - len(alike)
    return start if start <= min(count for count in item.passes if count) else -1


def made_code(made: Made) -> ast.expr:
    """Return the call that makes a module: sizes come first and by position, defaults are left out."""
    if made.inside:
        inside = {name: made_code(inner) for name, inner in made.inside.items()}
        return call(made.callee, call("OrderedDict", **inside))
    first = [*takewhile(lambda argument: argument.is_size, made.arguments)]
    others = made.arguments[len(first) :]
    unnamed = [argument.code for argument in first if not argument.is_default]
    return call(made.callee, *unnamed, **{each.name: each.code for each in others if not each.is_default})


def looped(codes: Sequence[ast.expr]) -> list[ast.expr]:
    """Return codes with runs of equal codes, or of calls whose numbers grow by a step, as loops."""
    written: list[ast.expr] = []
    texts = [*map(text, codes)]
    start = 0
    while start < len(codes):
        end = start + 1
        while end < len(codes) and texts[end] == texts[start]:
            end += 1
        code, variable = codes[start], "_"
        if end == start + 1:
            for stop in range(start + 3, len(codes) + 1):
                grown = _growing(codes[start:stop])
                if grown is None:
                    break
                code, variable, end = grown, "i", stop
        written.append(code if end == start + 1 else loop(code, variable, ast.Constant(end - start)))
        start = end
    return written


def _growing(codes: Sequence[ast.expr]) -> ast.expr | None:
    """Return the element of a loop over `i` that gives these codes, or None."""
    calls = [code for code in codes if isinstance(code, ast.Call)]
    forms = {(text(each.func), len(each.args), *(named.arg for named in each.keywords)) for each in calls}
    if len(calls) < len(codes) or len(forms) > 1:
        return None
    grown: list[ast.expr] = []
    for column in zip(
        *([*each.args, *(named.value for named in each.keywords)] for each in calls), strict=True
    ):
        element = _element(column)
        if element is None:
            return None
        grown.append(element)
    first = calls[0]
    count = len(first.args)
    named = {str(each.arg): code for each, code in zip(first.keywords, grown[count:], strict=True)}
    return call(first.func, *grown[:count], **named)


def _element(column: Sequence[ast.expr]) -> ast.expr | None:
    """Return the expression in `i` whose values are these codes, or None."""
    if len({*map(text, column)}) == 1:
        return column[0]
    numbers = [code.value for code in column if isinstance(code, ast.Constant) and type(code.value) is int]
    steps = {b - a for a, b in pairwise(numbers)}
    if len(numbers) < len(column) or len(steps) > 1:
        return None
    step = steps.pop()
    times: ast.expr = ast.Name("i")
    if abs(step) > 1:
        times = ast.BinOp(ast.Constant(abs(step)), ast.Mult(), times)
    return ast.BinOp(ast.Constant(numbers[0]), ast.Add() if step > 0 else ast.Sub(), times)
