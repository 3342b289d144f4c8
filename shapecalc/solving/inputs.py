"""Which inputs give a map of a wanted size, at the output or at an earlier layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import islice, product
from operator import or_
from typing import Any

from shapecalc.algebra.expr import Expr
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.region import Point, Region
from shapecalc.algebra.solution import solve
from shapecalc.engine.graph import Inference
from shapecalc.errors import SpecError, Undecided, quote
from shapecalc.layers.requirement import Shape, shown
from shapecalc.render.lines import LONGEST_LIST, Answer, IndentedLine
from shapecalc.render.piece import sizes
from shapecalc.sizes.question import Question
from shapecalc.sizes.region_text import plain_shape, set_lines, written
from shapecalc.sizes.solver import Solver
from shapecalc.sizes.stretching import solved

_MOST_CHECKED = 48


@dataclass(frozen=True, slots=True)
class Reached:
    """The size of one axis of the result at an input size next to those that were wanted."""

    name: str
    size: int
    becomes: int


@dataclass(frozen=True, slots=True)
class Inputs(Answer):
    """The input sizes for which a network holds up to a layer and its result has the wanted sizes.

    Exact: every such size is in it, and none besides. Points are written in the order of `names`.
    """

    title: str
    at: str | None
    wanted: tuple[int, ...]
    result: Shape
    """The result in closed form, the batch in front."""
    names: tuple[str, ...]
    region: Region = field(repr=False)
    legal: Region = field(repr=False)
    """The sizes that the network takes up to there, with any result."""
    beside: tuple[Reached, ...] = ()
    """Where there is no answer: the result at sizes next to where it should be."""

    def __bool__(self) -> bool:
        return bool(self.region)

    def __contains__(self, point: Sequence[int] | int) -> bool:
        return ((point,) if isinstance(point, int) else tuple(point)) in self.region

    def __iter__(self) -> Iterator[Point]:
        """Yield the sizes, those whose largest side is smallest first."""
        return iter(self.region)

    @property
    def never(self) -> list[int]:
        """The sizes of the result that no input changes and that are not what is wanted."""
        pairs = zip(reversed(self.result), reversed(self.wanted), strict=False)
        full = len(self.wanted) == len(self.result) - 1
        return [size for size, want in pairs if full and isinstance(size, int) and size != want]

    @property
    def smallest(self) -> dict[str, int] | None:
        """The first of the sizes, by name."""
        point = next(iter(self), None) if self.region else None
        return None if point is None else dict(zip(self.names, point, strict=True))

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.title,
            "at": self.at,
            "wanted": [*self.wanted],
            "result": plain_shape(self.result[1:]),
            "sizes": [*self.names],
            "text": written(self.region),
            "smallest": self.smallest,
            "legal": written(self.legal),
            "beside": [{"size": at.name, "is": at.size, "becomes": at.becomes} for at in self.beside],
        }

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        wanted = "x".join(map(str, self.wanted))
        where = f"the result of {self.at}" if self.at else "the output"
        yield 0, (f"{self.title}: {where} is ", sizes(self.result[1:]))
        if self.region:
            yield 0, (f"It is {wanted} exactly for",)
            yield from set_lines(self.region)
            return
        yield 0, (f"It is never {wanted}. Up to there the network takes",)
        yield from set_lines(self.legal)
        yield from ((0, (f"A size of {size} is the same for every input",)) for size in self.never)
        yield from ((0, (f"At {at.name} = {at.size} that side is {at.becomes}",)) for at in self.beside)


def solve_inputs(question: Question) -> Inputs:
    """Return the inputs for which the result of a question has its target."""
    target = question.target
    if not target or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in target):
        raise SpecError(f"{quote(target)} is not a size of a result, as (7, 7) is")
    built = question.infer_built()
    shape = question.result(built)
    if shape is not None:
        _refuse_other_rank(question, built, shape)
    solution = solved(question)
    result = question.result(solution.inference)
    if result is None:
        raise solution.failures[0].error(tuple(solution.failures))
    _confirm(Solver(question), solution.region)
    region = solution.region
    untargeted = solved(replace(question, target=None))
    legal = untargeted.region
    if untargeted.failures and not legal:
        raise untargeted.failures[0].error(tuple(untargeted.failures))
    beside = () if region else tuple(_beside(question, result, legal))
    return Inputs(question.title, question.at, target, result, question.names, region, legal, beside)


def _refuse_other_rank(question: Question, built: Inference, shape: Shape) -> None:
    """Refuse a target that the result cannot have; the hint names a layer whose result could."""
    try:
        question.targets(shape)
    except SpecError as error:
        axes = len(question.target or ()) + 2
        for node, effect in zip(reversed(built.graph.nodes), reversed(built.effects), strict=True):
            shape = effect.outputs[0] if effect else ()
            if len(shape) == axes and any(size != 1 for size, _ in question.targets(shape)):
                hint = f"name a layer: {node.path} is the last with maps, {shown(shape[1:])}"
                raise SpecError(error.message, hint=hint) from None
        raise


def _confirm(solver: Solver, region: Region) -> None:
    """Run inference at the ends of the answer, and just outside, in numbers."""
    corners = (point for box in region.boxes for point in product(*map(_edges, box.sets)))
    for point in islice(dict.fromkeys(corners), _MOST_CHECKED):
        holds = bool(solver.plain(dict(zip(solver.names, point, strict=True))).region)
        if holds != (point in region):
            at = "x".join(map(str, point))
            raise Undecided(f"at {at} the network says otherwise than its closed form")


def _edges(axis: IntegerSet) -> list[int]:
    first = axis.first_from(1)
    if first is None:
        return []
    last = axis.early[0][1] if axis.early and axis.early[0][0] == first else first
    edges = [first, last, last + 1, first - 1]
    if axis.residues:
        edges += [axis.start, axis.start + axis.modulus]
    return [n for n in dict.fromkeys(edges) if n >= 1]


def _beside(question: Question, result: Shape, legal: Region) -> Iterator[Reached]:
    """Yield what each side is at the last size where it is too small, and the first where it is too large."""
    pairs = question.targets(result)
    if any(isinstance(size, int) and size != wanted for size, wanted in pairs):
        return
    for size, wanted in pairs:
        if not isinstance(size, Expr) or len(size.free_symbols) != 1:
            continue
        (name,) = size.free_symbols
        smaller, larger = solve(size, "<", wanted), solve(size, ">", wanted)
        if smaller is None or larger is None:
            continue
        axis = question.names.index(name)
        own = reduce(or_, (box.sets[axis] for box in legal.boxes), IntegerSet())
        below, above = own & smaller[1], own & larger[1]
        last = below.last_until(below.start) if below.is_finite and below else None
        for n in (last, above.first_from(1)):
            becomes = None if n is None else size.subs(name, n)
            if n is not None and isinstance(becomes, int):
                yield Reached(name, n, becomes)
