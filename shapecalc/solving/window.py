"""Which kernel, stride, padding and dilation turn one size into another.

For every kernel, stride and dilation within the bounds the layer's own closed form in its padding is solved
exactly, what the layer requires included; each answer is then verified with the layer itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shapecalc.algebra import ceildiv, symbol
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import function_of
from shapecalc.errors import SpecError, quote
from shapecalc.layers import Conv2d
from shapecalc.layers.conv_transpose import ConvTranspose2d
from shapecalc.layers.spatial import Spatial
from shapecalc.render.lines import LONGEST_LIST, IndentedLine, Listing, cut
from shapecalc.render.piece import Code
from shapecalc.solving.bounds import Bounds, bounds_of
from shapecalc.solving.setting import (
    Padding,
    Setting,
    has_numeric_padding,
    kind_of,
    meeting,
    padding_words,
    sizes_text,
    solutions,
)

_FREE_PADDING = symbol("padding", 0)


@dataclass(frozen=True, slots=True)
class Settings(Listing[Setting]):
    """Every setting within the bounds that turns a size into another, simplest first.

    Settings differ in kernel, stride, padding or dilation. An output padding, a padding that is uneven and
    `ceil_mode` are in them only where the size is not reached without.
    """

    size: tuple[int, ...]
    wanted: tuple[int, ...]
    kind: str
    framework: str
    bounds: Bounds
    entries: tuple[Setting, ...]
    reached: tuple[int | None, int | None] = field(default=(None, None))
    """Where there is no setting: the nearest sizes below and above that are reached on the first axis."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "size": [*self.size],
            "wanted": [*self.wanted],
            "kind": self.kind,
            "framework": self.framework,
            "bounds": self.bounds.to_dict(),
            "settings": [setting.to_dict() for setting in self.entries],
            "nearest": {"below": self.reached[0], "above": self.reached[1]},
        }

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        sizes = f"{sizes_text(self.size)} into {sizes_text(self.wanted)}"
        within = self.bounds.text(kind_of(self.kind, self.framework))
        if not self.entries:
            yield 0, (f"No {self.kind} turns {sizes} within these bounds: {within}.",)
            sides = zip(("below", "above"), self.reached, strict=True)
            nearest = [f"{reached} is the nearest {side}" for side, reached in sides if reached is not None]
            if nearest:
                yield 0, (f"On the first axis {' and '.join(nearest)}.",)
            return
        many = "1 setting turns" if len(self.entries) == 1 else f"{len(self.entries)} settings turn"
        yield 0, (f"{many} {sizes}, simplest first, within {within}:",)
        yield from cut([[(1, (Code(str(setting)), _unread(setting)))] for setting in self.entries], limit)


def _unread(setting: Setting) -> str:
    return f" (leaves {setting.unread} at the end unread)" if setting.unread else ""


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
        kind = (ConvTranspose2d if max(goal) > max(start) else Conv2d).kind
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
    settings = [setting.confirmed(sizes, targets) for setting in search.settings()]
    settings.sort(key=lambda setting: setting.order)
    reached = (None, None) if settings else search.nearest()
    return Settings(sizes, targets, kind, framework, bounds, tuple(settings), reached)


def _numbers(written: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (written,) if isinstance(written, int) else tuple(written)
    if not sizes or any(not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 10**9 for n in sizes):
        raise SpecError(f"{quote(written)}: a size is an integer from 1 to 10^9")
    return sizes


def _per_axis(cls: type[Spatial], sizes: tuple[int, ...]) -> tuple[int, ...]:
    if len(sizes) not in (1, cls.rank):
        raise SpecError(f"{sizes_text(sizes)} has {len(sizes)} sizes, but {cls.kind} has {cls.rank} axes")
    return sizes * cls.rank if len(sizes) == 1 else sizes


@dataclass(frozen=True, slots=True)
class _Search:
    """A search of every window within the bounds."""

    cls: type[Spatial]
    framework: str
    bounds: Bounds
    sizes: tuple[int, ...]
    wanted: tuple[int, ...]

    def windows(self) -> Iterator[tuple[list[Setting], set[int]]]:
        """Yield the variants of each window, plainest first, with the paddings that are looked for.

        A padding that is a number is left free in them; for a word, or for none, 0 takes its place.
        """
        is_free = has_numeric_padding(self.cls)
        paddings: tuple[Padding, ...] = (_FREE_PADDING,) if is_free else padding_words(self.cls) or (0,)
        for k, s, d in self.bounds.windows():
            for padding in paddings:
                base = Setting(self.cls.kind, k, s, padding, d, framework=self.framework)
                yield base.variants(self.bounds), {*self.bounds.paddings(k, d)} if is_free else {0}

    def settings(self) -> Iterator[Setting]:
        """Yield the settings that answer, of each window with its padding the plainest variant."""
        for variants, left in self.windows():
            for variant in variants:
                solution = self.solved(variant)
                for p in sorted(p for p in left if p in solution):
                    left.remove(p)
                    yield variant.padded(p)
                if not left:
                    break

    def solved(self, variant: Setting) -> IntegerSet:
        """Return the paddings with which the layer takes the size and returns the wanted one."""
        made = variant.outputs(self.sizes)
        if made is None:
            return IntegerSet()
        (outputs, conditions), paddings = made, IntegerSet.at_least(0)
        for size, wanted in set(zip(outputs, self.wanted, strict=True)):
            paddings &= solutions(Relation(size, "==", wanted))
            if not paddings:
                return paddings
        return paddings & meeting(conditions)

    def nearest(self) -> tuple[int | None, int | None]:
        """Return the sizes next to the wanted one that the bounds reach on the first axis."""
        reached = {size for variants, left in self.windows() for size in self.reached(variants, left)}
        below = max((size for size in reached if size < self.wanted[0]), default=None)
        return below, min((size for size in reached if size > self.wanted[0]), default=None)

    def reached(self, variants: list[Setting], paddings: set[int]) -> Iterator[int]:
        for variant in variants:
            if made := variant.outputs(self.sizes):
                (first, *_), conditions = made
                legal, size = meeting(conditions), function_of(first)
                yield from (size(p) for p in paddings if p in legal)
