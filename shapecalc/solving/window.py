"""Which kernel, stride, padding and dilation turn one size into another.

For every kernel, stride and dilation within the bounds the layer's own closed form in its padding is
solved exactly, what the layer requires included; each answer is then put to the layer itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shapecalc.algebra import Dim, ceildiv, symbol
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import function_of, solve
from shapecalc.errors import SpecError, Undecided, quote
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.layers.spatial import ChannelsLast, Spatial
from shapecalc.render.lines import IndentedLine, Lines, as_text
from shapecalc.render.piece import Code
from shapecalc.solving.setting import (
    Bounds,
    Setting,
    bounds_of,
    has_numeric_padding,
    kind_of,
    needed,
    padding_words,
    takes_sides,
)

LONGEST_LIST = 10
_ANY = IntegerSet.at_least(0)
_PADDING = "padding"


@dataclass(frozen=True, slots=True)
class Variant:
    """What may be added to a window with a padding where it does not fit without."""

    uneven: bool = False
    output_padding: int | None = 0
    ceil_mode: bool = False


@dataclass(frozen=True, slots=True)
class Settings(Lines):
    """Every setting within the bounds that turns a size into another, simplest first.

    Settings differ in kernel, stride, padding or dilation. An output padding, a padding that is uneven and
    `ceil_mode` are in them only where the size is not reached without.
    """

    size: tuple[int, ...]
    wanted: tuple[int, ...]
    kind: str
    framework: str
    bounds: Bounds
    found: tuple[Setting, ...]
    reached: tuple[int | None, int | None] = field(default=(None, None))
    """Where nothing was found: the nearest sizes below and above that the bounds reach on the first axis."""

    def __iter__(self) -> Iterator[Setting]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, position: int) -> Setting:
        return self.found[position]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data for JSON."""
        return {
            "size": [*self.size],
            "wanted": [*self.wanted],
            "kind": self.kind,
            "framework": self.framework,
            "bounds": self.bounds.to_dict(),
            "settings": [one.to_dict() for one in self.found],
            "nearest": {"below": self.reached[0], "above": self.reached[1]},
        }

    def text(self, limit: int | None = LONGEST_LIST) -> str:
        """Return the settings as lines, at most `limit` of them."""
        return as_text(self.lines(limit))

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        """Yield what was asked, and at most `limit` settings."""
        sizes = f"{_sizes(self.size)} into {_sizes(self.wanted)}"
        within = self.bounds.told(kind_of(self.kind, self.framework))
        if not self.found:
            yield 0, (f"No {self.kind} turns {sizes} within these bounds: {within}.",)
            told = [
                f"{reached} is the nearest {side}"
                for side, reached in zip(("below", "above"), self.reached, strict=True)
                if reached is not None
            ]
            if told:
                yield 0, (f"On the first axis {' and '.join(told)}.",)
            return
        many = "1 setting turns" if len(self.found) == 1 else f"{len(self.found)} settings turn"
        yield 0, (f"{many} {sizes}, simplest first, within {within}:",)
        shown = self.found if limit is None else self.found[:limit]
        yield from ((1, (Code(str(one)), _left_out(one))) for one in shown)
        if len(shown) < len(self.found):
            yield 1, (f"and {len(self.found) - len(shown)} more",)


def solve_window(  # noqa: PLR0913  (one argument per option)
    size: int | Sequence[int],
    wanted: int | Sequence[int],
    *,
    kind: str | None = None,
    framework: str = "torch",
    kernel: int | None = None,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int | None = None,
    output_padding: int | None = None,
    max_kernel: int | None = None,
    max_stride: int | None = None,
    max_padding: int | None = None,
    max_dilation: int | None = None,
    uneven: bool = False,
) -> Settings:
    """Return every setting of a layer, within bounds, that turns one size into another, simplest first.

    A size is a number for every axis, or one number per axis; a setting is the same on each. The kind is by
    default `conv2d`, or `conv_transpose2d` where the size grows. What is not fixed is looked for: kernel and
    stride up to 7 (or to the step between the sizes, but not above 32), dilation up to 2, padding up to
    half of the window; `max_...` says otherwise. `uneven` also looks for a padding of one more after than
    before. Raises `SpecError` for a kind without a window and for bounds that hold too much.

    >>> print(solve_window(56, 28).text(limit=3))
    13 settings turn 56 into 28, simplest first, within kernel 1 to 7, stride 1 to 7, dilation 1 to 2, \
padding up to half of the window:
      conv2d: {kernel_size: 2, stride: 2}
      conv2d: {kernel_size: 3, stride: 2, padding: 1}
      conv2d: {kernel_size: 4, stride: 2, padding: 1}
      and 10 more
    >>> solve_window(28, 56, kernel=3)[0].fields
    {'kernel_size': 3, 'stride': 2, 'padding': 1, 'output_padding': 1}
    """
    start, goal = _numbers(size), _numbers(wanted)
    if kind is None:
        kind = "conv_transpose2d" if max(goal) > max(start) else "conv2d"
    cls = kind_of(kind, framework)
    sizes, targets = _per_axis(cls, start), _per_axis(cls, goal)
    step = max(ceildiv(max(a, b), min(a, b)) for a, b in zip(sizes, targets, strict=True))
    assert isinstance(step, int)
    bounds = bounds_of(
        cls,
        step,
        fixed={
            "kernel": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "output_padding": output_padding,
        },
        largest={
            "kernel": max_kernel,
            "stride": max_stride,
            "padding": max_padding,
            "dilation": max_dilation,
        },
        uneven=uneven,
    )
    search = _Search(cls, framework, bounds, sizes, targets)
    found = sorted((confirmed(one, sizes, targets) for one in search.settings()), key=lambda one: one.order)
    reached = (None, None) if found else search.nearest()
    return Settings(sizes, targets, kind, framework, bounds, tuple(found), reached=reached)


def _left_out(one: Setting) -> str:
    return f" (leaves {one.unread} at the end unread)" if one.unread else ""


def _numbers(given: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (given,) if isinstance(given, int) else tuple(given)
    if not sizes or any(not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 10**9 for n in sizes):
        raise SpecError(f"{quote(given)}: a size is a whole number from 1 to 10^9")
    return sizes


def _per_axis(cls: type[Spatial], sizes: tuple[int, ...]) -> tuple[int, ...]:
    if len(sizes) not in (1, cls.rank):
        raise SpecError(f"{_sizes(sizes)} has {len(sizes)} sizes, but {cls.kind} has {cls.rank} axes")
    return sizes * cls.rank if len(sizes) == 1 else sizes


def _sizes(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


def shape_of(cls: type[Spatial], sizes: Sequence[Dim]) -> Shape:
    """Return a shape with one channel and these sizes, as a kind's framework lays it out."""
    return (1, *sizes, 1) if issubclass(cls, ChannelsLast) else (1, 1, *sizes)


class _Search:
    """One question asked of every window within the bounds."""

    def __init__(
        self,
        cls: type[Spatial],
        framework: str,
        bounds: Bounds,
        sizes: tuple[int, ...],
        wanted: tuple[int, ...],
    ) -> None:
        self.cls, self.framework, self.bounds = cls, framework, bounds
        self.shape, self.wanted = shape_of(cls, sizes), wanted
        self.rest = needed(cls)

    def settings(self) -> Iterator[Setting]:
        """Yield the settings that answer, of each window with its padding the plainest variant."""
        for k, s, d in self.bounds.windows():
            for word in padding_words(self.cls):
                yield from self._first(k, s, d, word)
            if has_numeric_padding(self.cls):
                yield from self._padded(k, s, d)
            elif not padding_words(self.cls):
                yield from self._first(k, s, d, 0)

    def _first(self, k: int, s: int, d: int, padding: str | int) -> Iterator[Setting]:
        for variant in variants(self.cls, self.bounds, s, d):
            if 0 in self._solved(k, s, d, padding, variant):
                yield self._setting(k, s, d, padding, variant)
                return

    def _padded(self, k: int, s: int, d: int) -> Iterator[Setting]:
        left = set(self.bounds.paddings(k, d))
        for variant in variants(self.cls, self.bounds, s, d):
            solution = self._solved(k, s, d, symbol(_PADDING, 0), variant)
            for p in sorted(p for p in left if p in solution):
                left.remove(p)
                yield self._setting(k, s, d, p, variant)
            if not left:
                return

    def _setting(self, k: int, s: int, d: int, p: int | str, variant: Variant) -> Setting:
        sides = (p, p + 1) if variant.uneven and isinstance(p, int) else p
        op, ceil = variant.output_padding, variant.ceil_mode
        return Setting(self.cls.kind, k, s, sides, d, op, ceil, self.framework)

    def _layer(self, k: int, s: int, d: int, padding: Dim | str, variant: Variant) -> Spatial:
        """Return the layer, its padding free; the numbers are ours, so that nothing is checked."""
        fields: dict[str, Any] = {"kernel_size": k, "stride": s, "dilation": d, _PADDING: padding}
        fields |= {"output_padding": variant.output_padding, "ceil_mode": variant.ceil_mode}
        if variant.uneven and not isinstance(padding, str):
            fields[_PADDING] = ((padding, padding + 1),) * self.cls.rank
        known = {name: value for name, value in fields.items() if name in self.cls.model_fields}
        return self.cls.model_construct(None, **(known | self.rest))

    def _solved(self, k: int, s: int, d: int, padding: Dim | str, variant: Variant) -> IntegerSet:
        """Return the paddings with which the layer takes the size and returns the one that is wanted."""
        layer = self._layer(k, s, d, padding, variant)
        try:
            effect = layer.apply((self.shape,))
        except Refused:
            return IntegerSet()
        found = _ANY
        for got, size in set(zip(layer.sizes(effect.outputs[0]), self.wanted, strict=True)):
            found &= solutions(Relation(got, "==", size))
            if not found:
                return found
        for one in effect.conditions:
            found &= solutions(one.relation)
        return found

    def nearest(self) -> tuple[int | None, int | None]:
        """Return the sizes next to the wanted one that the bounds reach on the first axis."""
        below: int | None = None
        above: int | None = None
        for size in self._reached():
            if size < self.wanted[0] and (below is None or size > below):
                below = size
            if size > self.wanted[0] and (above is None or size < above):
                above = size
        return below, above

    def _reached(self) -> Iterator[int]:
        for k, s, d in self.bounds.windows():
            words: tuple[Dim | str, ...] = padding_words(self.cls) or (0,)
            if has_numeric_padding(self.cls):
                words = (symbol(_PADDING, 0),)
            for variant in variants(self.cls, self.bounds, s, d):
                for padding in words:
                    yield from self._sizes(k, s, d, padding, variant)

    def _sizes(self, k: int, s: int, d: int, padding: Dim | str, variant: Variant) -> Iterator[int]:
        layer = self._layer(k, s, d, padding, variant)
        try:
            effect = layer.apply((self.shape,))
        except Refused:
            return
        legal = _ANY
        for one in effect.conditions:
            legal &= solutions(one.relation)
        size = function_of(layer.sizes(effect.outputs[0])[0])
        yield from (size(p) for p in self.bounds.paddings(k, d) if p in legal)


def variants(cls: type[Spatial], bounds: Bounds, s: int, d: int) -> list[Variant]:
    """Return what may be added to a window, the plainest first."""
    paddings: list[int | None] = [0]
    if "output_padding" in cls.model_fields:
        paddings = [*bounds.output_paddings(s, d)]
        if padding_words(cls) and bounds.output_padding is None:
            paddings = [None, *paddings]
    sides = (False, True) if bounds.uneven and takes_sides(cls) else (False,)
    ceils = (False, True) if "ceil_mode" in cls.model_fields else (False,)
    return [Variant(uneven, op, ceil) for uneven in sides for op in paddings for ceil in ceils]


def solutions(relation: Relation) -> IntegerSet:
    """Return the values of the one unknown for which a relation holds; all or none where it has none."""
    if isinstance(relation.difference, int):
        return _ANY if relation.verdict() else IntegerSet()
    solved = solve(*relation)
    if solved is None:
        left, op, right = relation
        raise Undecided(f"for which numbers {left} {op} {right} holds is not decided here")
    return solved[1]


def confirmed(one: Setting, sizes: tuple[int, ...], wanted: tuple[int, ...]) -> Setting:
    """Put an answer to the layer itself, built as a spec builds it; tell what its windows leave unread."""
    layer = one.layer()
    x = shape_of(type(layer), sizes)
    effect = layer.apply((x,))
    got = layer.sizes(effect.outputs[0])
    if got != wanted:
        raise Undecided(f"{one} turns {_sizes(sizes)} into {got}, which its closed form does not say")
    unread = [left for left in layer.unread(effect.window, x, effect.outputs[0]) if isinstance(left, int)]
    return replace(one, unread=max([0, *unread]))
