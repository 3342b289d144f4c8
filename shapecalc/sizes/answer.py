"""The public `Sizes`: a set of input sizes to test, iterate, combine and print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from operator import and_
from typing import Any

from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Point, Region, everything
from shapecalc.errors import Failure, SpecError, Undecided, quote
from shapecalc.layers.requirement import Shape, shown
from shapecalc.render.lines import LONGEST_LIST, Answer, IndentedLine
from shapecalc.render.piece import Line
from shapecalc.render.text_formula import formula
from shapecalc.sizes.nearest import Nearest, nearest
from shapecalc.sizes.question import Question
from shapecalc.sizes.region_text import plain_region, plain_shape, set_lines, written
from shapecalc.sizes.solver import Imposed
from shapecalc.sizes.stretching import solved


@dataclass(frozen=True, slots=True)
class Sizes(Answer):
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
    """The sizes that the network was built for; nothing when it is rebuilt, or where two differ."""
    region: Region = field(repr=False)
    usual: Region = field(repr=False)
    """The sizes that hold without a sum that stretches a map of one pixel."""
    stretched: Region = field(repr=False)
    """The sizes that hold only because torch stretches a map of one pixel in a sum."""
    reading: Region = field(repr=False)
    """The sizes at which every window reads its input to the end."""
    imposed: tuple[Imposed, ...] = field(default=(), repr=False)
    """The conditions that together exclude all that is excluded, each with the layer that imposes it."""
    front: int = field(default=1, repr=False)
    """How many axes of the inputs are the batch: none where the spec's shapes include it."""
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    """Why no size is legal, where a layer refuses them all."""
    outputs: str = "main"
    is_rebuilt: bool = field(default=False, repr=False)
    """Whether the network is rebuilt for each size."""
    unconfirmed: str = ""
    """Why the module that the network was imported from could not be run at other sizes, if it could not."""

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
        region = self.region & other.region
        return replace(
            self,
            title=f"{self.title} and {other.title}",
            built=self.built if self.built == other.built else {},
            region=region,
            usual=self.usual & other.usual,
            stretched=(self.stretched | other.stretched) & region,
            reading=self.reading & other.reading,
            imposed=deciding((*self.imposed, *other.imposed), self.names),
            failures=(*self.failures, *other.failures),
            outputs="main",
            is_rebuilt=self.is_rebuilt and other.is_rebuilt,
            unconfirmed="; ".join(dict.fromkeys(filter(None, (self.unconfirmed, other.unconfirmed)))),
        )

    @property
    def is_finite(self) -> bool:
        """Whether there are finitely many."""
        return self.region.is_finite

    @property
    def lossless(self) -> Sizes:
        """The sizes at which every window reads its input to the end, so that nothing is lost silently."""
        none, reading = Region(self.names), self.reading
        return replace(self, region=reading, usual=reading, stretched=none, imposed=(), failures=())

    @property
    def square(self) -> IntegerSet:
        """The numbers n such that n on every axis is legal; `Undecided` without a closed form."""
        return self.region.diagonal

    def nearest(self, point: Any) -> Nearest:
        """Return the nearest legal sizes none of which is larger, and none of which is smaller."""
        return nearest(self.region, self._point(point))

    def _point(self, point: Any) -> Point:
        if isinstance(point, Mapping):
            if set(point) != set(self.names):
                raise SpecError(f"sizes are named {', '.join(self.names)}, not {', '.join(map(str, point))}")
            point = [point[name] for name in self.names]
        elif isinstance(point, int):
            point = [point]
        if not isinstance(point, Sequence) or len(point) != len(self.names):
            example = "x".join("224" for _ in self.names) if len(self.names) > 1 else "224"
            raise SpecError(
                f"{quote(point)} is not one number for each of {', '.join(self.names)}",
                hint=f"write {example}",
            )
        if any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in point):
            raise SpecError(f"{quote(point)}: a size is an integer of at least 1")
        return tuple(point)

    # ---- output

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.title,
            "inputs": {name: plain_shape(shape[self.front :]) for name, shape in self.inputs.items()},
            "sizes": [*self.names],
            "built": self.built,
            "outputs": self.outputs,
            "legal": plain_region(self.region),
            "text": written(self.region),
            "stretched": plain_region(self.stretched),
            "lossless": plain_region(self.reading),
            "imposed": [
                {
                    "path": condition.path,
                    "kind": condition.node.layer.kind,
                    "file": condition.node.place.file,
                    "line": condition.node.place.of(condition.node.layer.kind).line,
                    "relation": str(condition.requirement),
                    "legal": plain_region(condition.region),
                }
                for condition in self.imposed
            ],
            "failures": [{"path": failure.path, "message": failure.message} for failure in self.failures],
            **({"unconfirmed": self.unconfirmed} if self.unconfirmed else {}),
        }

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        yield 0, (self._heading(),)
        yield 0, ()
        if self.failures:
            yield 0, ("No size is accepted:",)
            for failure in self.failures:
                yield 1, (f"{failure.place}: {failure.message}" if failure.place else failure.message,)
                yield 2, (f"in {failure.path}",)
            if self.region:
                yield 0, ("but for these, because a sum stretches a map of one pixel:",)
        elif not self.region:
            yield 0, ("No size is accepted: each of the conditions excludes what the others leave.",)
        else:
            yield 0, ("Accepted sizes",)
        yield from self._accepted()
        if self.imposed and not self.failures:
            yield 0, ()
            yield 0, ("Imposed by",)
            for path, group in groupby(self.imposed, lambda condition: condition.path):
                conditions = [*group]
                layer, at = (
                    conditions[0].node.layer,
                    conditions[0].node.place.of(conditions[0].node.layer.kind),
                )
                what = layer.kind if layer.condition is None else "a branch or loop of the forward, as traced"
                yield 1, (f"{path}: {what}" + (f" ({at.shown(column=True)})" if at else ""),)
                yield from ((2, _effect_of(condition)) for condition in conditions)
        if self.region:
            yield 0, ()
            yield from self._lossless()
        if self.unconfirmed:
            yield 0, ()
            yield 0, (f"As traced, not confirmed at other sizes: {self.unconfirmed}",)

    def _heading(self) -> str:
        shapes = {name: shown(shape[self.front :]) for name, shape in self.inputs.items()}
        inputs = ", ".join(shape if len(shapes) == 1 else f"{name} {shape}" for name, shape in shapes.items())
        built = ", ".join(f"{name} = {size}" for name, size in self.built.items())
        how = f", built at {built}" if built else ", rebuilt for each size" if self.is_rebuilt else ""
        return f"{self.title} on {inputs}{how}{', all outputs' if self.outputs == 'all' else ''}"

    def _accepted(self) -> Iterator[IndentedLine]:
        boxes = self.usual.boxes
        if boxes:
            yield from set_lines(self.usual)
            if len(self.names) > 1 and len(self.inputs) == 1 and (len(boxes) > 1 or boxes[0].relations):
                try:
                    yield 1, ("all sides equal: ", formula(self.usual.diagonal.text("n")))
                except Undecided:
                    yield 1, ("all sides equal: not decided for all n at once",)
        if self.stretched and not self.failures:
            yield 0, ("and because a sum stretches a map of one pixel",)
        if self.stretched:
            yield from set_lines(self.stretched)

    def _lossless(self) -> Iterator[IndentedLine]:
        if self.reading == self.region:
            yield 0, ("At each of them every window reads its input to the end: nothing is lost.",)
        elif not self.reading:
            yield 0, ("At each of them some window leaves the end of its input unread.",)
        else:
            yield 0, ("Every window reads its input to the end, so that nothing is lost, for",)
            yield from set_lines(self.reading)


def _effect_of(condition: Imposed) -> Line:
    """Return a condition with the sizes that it leaves, where these are one set per unknown."""
    region, needed = condition.region, formula(str(condition.requirement))
    if len(region.boxes) != 1 or region.boxes[0].relations:
        return (needed,)
    axes = zip(region.names, region.boxes[0].sets, strict=True)
    return needed, ", so ", formula("; ".join(axis.text(name) for name, axis in axes if axis != EVERY_SIZE))


def legal_sizes(question: Question) -> Sizes:
    """Return the input sizes for which a network holds."""
    solution = solved(question)
    return Sizes(
        title=question.title,
        names=question.names,
        inputs=solution.inputs,
        front=question.spec.front,
        built={} if question.rebuild else question.built,
        region=solution.region,
        usual=solution.usual,
        stretched=solution.stretched & solution.region,
        reading=solution.lossless,
        imposed=deciding(solution.imposed, question.names),
        failures=tuple(solution.failures),
        outputs=question.outputs,
        unconfirmed=solution.inference.unconfirmed,
        is_rebuilt=question.rebuild,
    )


def deciding(imposed: Sequence[Imposed], names: tuple[str, ...]) -> tuple[Imposed, ...]:
    """Return as few conditions as exclude what all of them exclude, later ones kept before earlier ones."""
    kept: dict[Region, Imposed] = {}
    for condition in imposed:
        kept.setdefault(condition.region, condition)
    allowed = _meeting(kept, names)
    for region in [*kept]:
        if _meeting([other for other in kept if other is not region], names) == allowed:
            del kept[region]
    return tuple(kept.values())


def _meeting(regions: Iterable[Region], names: tuple[str, ...]) -> Region:
    return reduce(and_, regions, everything(names))
