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
    steps = [_steps(code, following) for code, following in pairwise(codes)]
    start = 0
    while start < len(codes):
        end = start + 1
        while end < len(codes) and texts[end] == texts[start]:
            end += 1
        code, variable = codes[start], "_"
        if end == start + 1 and end < len(codes) and (step := steps[start]) is not None:
            stop = (
                next((number for number in range(end, len(steps)) if steps[number] != step), len(steps)) + 1
            )
            if stop - start > 2:
                code, variable, end = _growing(code, step), "i", stop
        written.append(code if end == start + 1 else loop(code, variable, ast.Constant(end - start)))
        start = end
    return written


def _steps(code: ast.expr, following: ast.expr) -> tuple[int, ...] | None:
    """Return by how much each argument of a call grows to the next call; None where that is no number."""
    if not (isinstance(code, ast.Call) and isinstance(following, ast.Call)):
        return None
    (form, arguments), (other, others) = _parts(code), _parts(following)
    if form != other:
        return None
    steps = [*map(_step, arguments, others)]
    known = tuple(step for step in steps if step is not None)
    return known if len(known) == len(steps) else None


def _parts(code: ast.Call) -> tuple[tuple[object, ...], list[ast.expr]]:
    """Return what is called with which arguments, and their values."""
    form = (text(code.func), len(code.args), *(named.arg for named in code.keywords))
    return form, [*code.args, *(named.value for named in code.keywords)]


def _step(code: ast.expr, following: ast.expr) -> int | None:
    match code, following:
        case ast.Constant(int(start)), ast.Constant(int(end)) if bool not in (type(start), type(end)):
            return end - start
    return 0 if text(code) == text(following) else None


def _growing(code: ast.expr, steps: Sequence[int]) -> ast.expr:
    """Return the element of a loop over `i` that begins with a call, whose arguments grow by these steps."""
    assert isinstance(code, ast.Call)
    grown = [*map(_element, _parts(code)[1], steps)]
    count = len(code.args)
    named = {str(each.arg): value for each, value in zip(code.keywords, grown[count:], strict=True)}
    return call(code.func, *grown[:count], **named)


def _element(first: ast.expr, step: int) -> ast.expr:
    """Return the expression in `i` that begins with a code and grows by a step."""
    if step == 0:
        return first
    times: ast.expr = ast.Name("i")
    if abs(step) > 1:
        times = ast.BinOp(ast.Constant(abs(step)), ast.Mult(), times)
    return ast.BinOp(first, ast.Add() if step > 0 else ast.Sub(), times)
