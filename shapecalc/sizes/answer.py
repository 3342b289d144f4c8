"""The public `Sizes`: a set of input sizes that can be asked, walked through, combined and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from shapecalc.algebra.expr import symbol
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Point, Region, everything, where
from shapecalc.errors import Failure, SpecError, quote
from shapecalc.layers.requirement import Shape
from shapecalc.render.display import Shown
from shapecalc.sizes.question import Question
from shapecalc.sizes.solving import Imposed
from shapecalc.sizes.stretching import solved

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A legal size beside one that was asked for, and what to pad or crop on each side to reach it."""

    sizes: dict[str, int]
    change: dict[str, tuple[int, int]]
    """Rows or columns to pad (positive) or crop (negative), before and after."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest legal sizes below and above a size; None where there is none."""

    asked: dict[str, int]
    is_legal: bool
    below: Neighbour | None
    above: Neighbour | None


@dataclass(frozen=True, slots=True)
class Sizes(Shown):
    """The input sizes that a network accepts, exactly: every one in it, and none besides.

    Points are written in the order of `names`, or by name; with one unknown a number will do.

    >>> import shapecalc
    >>> sizes = shapecalc.load("unet").sizes()
    >>> sizes.names, (572, 572) in sizes, {"H": 572, "W": 570} in sizes
    (('H', 'W'), True, False)
    >>> sizes.nearest((600, 600)).below.sizes
    {'H': 588, 'W': 588}
    """

    title: str
    names: tuple[str, ...]
    inputs: dict[str, Shape]
    """The shapes of the inputs, the unknowns free, the batch in front."""
    built: dict[str, int]
    """The sizes that the network was built for; nothing when it is built anew for each size."""
    region: Region = field(repr=False)
    usual: Region = field(repr=False)
    """The sizes that hold without a sum that stretches a map of one pixel."""
    stretched: Region = field(repr=False)
    """The sizes that hold only because torch stretches a map of one pixel in a sum."""
    reading: Region = field(repr=False)
    imposed: tuple[Imposed, ...] = field(default=(), repr=False)
    front: int = field(default=1, repr=False)
    """How many axes of the inputs are the batch: none where the spec's shapes are whole."""
    """The conditions that together exclude all that is excluded, each with the layer that imposes it."""
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    """Why no size is legal, where a layer refuses them all."""
    outputs: str = "main"

    def __contains__(self, point: Any) -> bool:
        return self._point(point) in self.region

    def __iter__(self) -> Iterator[Any]:
        """Yield the legal sizes, those whose largest side is smallest first; bare numbers for one unknown."""
        for point in self.region:
            yield point[0] if len(point) == 1 else point

    def __bool__(self) -> bool:
        return bool(self.region)

    def __and__(self, other: Sizes) -> Sizes:
        """Return the sizes that two networks both accept."""
        if not isinstance(other, Sizes) or other.names != self.names:
            named = ", ".join(getattr(other, "names", ()))
            raise SpecError(f"sizes of {', '.join(self.names)} do not meet sizes of {named or 'nothing'}")
        return Sizes(
            title=f"{self.title} and {other.title}",
            names=self.names,
            inputs=self.inputs,
            front=self.front,
            built={},
            region=self.region & other.region,
            usual=self.usual & other.usual,
            stretched=(self.stretched | other.stretched) & (self.region & other.region),
            reading=self.reading & other.reading,
            imposed=deciding((*self.imposed, *other.imposed), self.names),
            failures=(*self.failures, *other.failures),
        )

    @property
    def is_finite(self) -> bool:
        """Whether there are finitely many."""
        return self.region.is_finite

    @property
    def lossless(self) -> Sizes:
        """The sizes at which every window reads its input to the end, so that nothing is lost silently."""
        return Sizes(
            self.title,
            self.names,
            self.inputs,
            self.built,
            self.reading,
            self.reading,
            Region(self.names),
            self.reading,
            outputs=self.outputs,
        )

    @property
    def square(self) -> IntegerSet:
        """The numbers n such that n on every axis is legal."""
        return diagonal(self.region)

    def nearest(self, point: Any) -> Nearest:
        """Return the nearest legal sizes none of which is larger, and none of which is smaller."""
        asked = self._point(point)
        below, above = self.region.below(asked), self.region.above(asked)
        return Nearest(
            dict(zip(self.names, asked, strict=True)),
            asked in self.region,
            None if below is None else self._neighbour(asked, below),
            None if above is None else self._neighbour(asked, above),
        )

    def _neighbour(self, asked: Point, found: Point) -> Neighbour:
        changes = [there - here for here, there in zip(asked, found, strict=True)]
        halves = [abs(change) // 2 * (1 if change > 0 else -1) for change in changes]
        sides = [(half, change - half) for half, change in zip(halves, changes, strict=True)]
        return Neighbour(dict(zip(self.names, found, strict=True)), dict(zip(self.names, sides, strict=True)))

    def _point(self, given: Any) -> Point:
        if isinstance(given, Mapping):
            if set(given) != set(self.names):
                raise SpecError(f"sizes are named {', '.join(self.names)}, not {', '.join(map(str, given))}")
            given = [given[name] for name in self.names]
        elif isinstance(given, int):
            given = [given]
        if not isinstance(given, Sequence) or len(given) != len(self.names):
            raise SpecError(
                f"{quote(given)} is not one number for each of {', '.join(self.names)}",
                hint=f"write {'x'.join(str(224) for _ in self.names)}"
                if len(self.names) > 1
                else "write 224",
            )
        if any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in given):
            raise SpecError(f"{quote(given)}: a size is a whole number of at least 1")
        return tuple(given)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        from shapecalc.sizes.sizes_text import to_dict

        return to_dict(self)

    def _page(self) -> Page:
        from shapecalc.sizes.sizes_text import sizes_page

        return sizes_page(self)

    def __str__(self) -> str:
        from shapecalc.sizes.sizes_text import text

        return text(self)


def diagonal(region: Region) -> IntegerSet:
    """Return the numbers n such that the point with n for every unknown lies in a region."""
    found = IntegerSet()
    side = symbol("n")
    for box in region.boxes:
        own = reduce(and_, box.sets, EVERY_SIZE)
        for relation in box.relations:
            boxes = where(("n",), relation.subs(dict.fromkeys(region.names, side))).boxes
            own &= reduce(or_, (both for one in boxes for both in one.sets), IntegerSet())
        found |= own
    return found


def legal_sizes(question: Question) -> Sizes:
    """Return the input sizes for which a network holds."""
    found = solved(question)
    spec = question.spec
    return Sizes(
        title=f"{spec.title} ({spec.name})" if spec.title else spec.name,
        names=question.names,
        inputs=found.inputs,
        front=question.spec.front,
        built={} if question.rebuild else question.built,
        region=found.region,
        usual=found.usual,
        stretched=found.stretched & found.region,
        reading=found.lossless,
        imposed=deciding(found.imposed, question.names),
        failures=tuple(found.failures),
        outputs=question.outputs,
    )


def deciding(imposed: Sequence[Imposed], names: tuple[str, ...]) -> tuple[Imposed, ...]:
    """Return as few conditions as exclude what all of them exclude, later ones kept before earlier ones."""
    kept: dict[Region, Imposed] = {}
    for one in imposed:
        kept.setdefault(one.region, one)
    whole = _meeting([*kept], names)
    for region in [*kept]:
        others = [one for one in kept if one is not region]
        if _meeting(others, names) == whole:
            del kept[region]
    return tuple(kept.values())


def _meeting(regions: Sequence[Region], names: tuple[str, ...]) -> Region:
    found = everything(names)
    for region in regions:
        found &= region
    return found
