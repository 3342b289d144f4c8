"""A rule proved equal to torch's for all sizes, by cases; or refuted by the smallest counter-example.

All sizes are cut into cells until on each of them our conditions hold throughout or nowhere, and the
guards of one of torch's symbolic answers hold. There the two answers are compared in canonical form:
both refuse, or both give the same shapes. The first number of every cell is tried on the real module
as well, for the proof trusts torch's symbolic code, which the module itself does not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count, islice

from shapecalc.algebra.relation import Relation
from shapecalc.bridges.torch.proof.cells import (
    Cell,
    Condition,
    Every,
    Progression,
    Some,
    cell_text,
    divided,
    everywhere,
    holds,
    smallest_points,
)
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer
from shapecalc.bridges.torch.proof.verdict import Counterexample, Verdict, shapes_text
from shapecalc.errors import Undecided
from shapecalc.layers.base import Shapes

MOST_RUNS = 128
"""Symbolic runs of torch for one proof."""
MOST_CELLS = 600
MOST_NUMBERS = 4_000
"""Numbers in bounded progressions of all cells of one proof, each of which may be gone through."""
MOST_TRIED = 32
"""Sizes at which the real module is run, when nothing is to be refuted."""

Sizes = Mapping[str, int]
Numbers = Callable[[Sizes], "Shapes | str"]


@dataclass(frozen=True)
class Question:
    """Whether our answer in letters is torch's.

    `sizes` gives each free size as it is in the example, `held` those that our rule cannot leave free;
    `ours` and `theirs` answer in numbers, with the reason when they refuse, and `symbolic` is torch's
    answer for free sizes with these hints.
    """

    sizes: Sizes
    held: Sizes
    outputs: Shapes
    conditions: Condition
    symbolic: Callable[[Sizes], Answer]
    ours: Numbers
    theirs: Numbers
    stricter: str = ""
    """Why we refuse on purpose what torch accepts, if we do."""
    least: bool = True
    """Whether to look for the smallest counter-example, by many runs."""


def prove(question: Question, most_runs: int = MOST_RUNS, most_tried: int = MOST_TRIED) -> Verdict:
    """Return the verdict on a question, after at most so many runs of torch with letters and with numbers."""
    work = _Work(question, most_runs)
    work.go()
    letters = tuple(question.sizes)
    tried = [*islice(work.points(), most_tried)]
    refuted = work.counterexample or _first_difference(question, tried)
    if refuted is not None:
        return Verdict("refuted", letters, counterexample=refuted)
    why = work.open[0][1] if work.open else ""
    cases, tries = len(work.proved), len(tried)
    if question.held and work.proved:
        held = ", ".join(f"{name} = {n}" for name, n in question.held.items())
        why = why or f"no answer with {' or '.join(question.held)} left free"
        guard = f"{held}, {_guard(work.proved)}" if work.open else f"{held} and all {', '.join(letters)}"
        return Verdict("guarded", letters, cases, guard=guard if letters else held, tried=tries, why=why)
    if not work.open:
        return Verdict("proved", letters, cases, is_unguarded=work.is_unguarded, tried=tries)
    if any(accepted for _, accepted in work.proved):
        return Verdict("guarded", letters, cases, guard=_guard(work.proved), tried=tries, why=why)
    return Verdict("sampled", letters, cases, tried=tries, why=why, specialized=work.specialized)


@dataclass
class _Work:
    """The cells of one proof: those to do, those proved, and those left open with the reason."""

    question: Question
    most_runs: int
    answers: list[Answer] = field(default_factory=list)
    proved: list[tuple[Cell, bool]] = field(default_factory=list)
    open: list[tuple[Cell, str]] = field(default_factory=list)
    counterexample: Counterexample | None = None
    runs: int = 0
    specialized: str = ""

    @property
    def is_unguarded(self) -> bool:
        return self.runs == 1 and len(self.proved) == 1

    def go(self) -> None:
        """Decide cells until none is left or the budget is spent."""
        todo: list[Cell] = [everywhere([*self.question.sizes])]
        numbers = 0
        for number in count(1):
            if not todo or self.counterexample is not None:
                return
            cell = todo.pop()
            numbers += sum(progression.count or 0 for progression in cell.values())
            try:
                if number > MOST_CELLS or numbers > MOST_NUMBERS:
                    raise Undecided("too many cases")
                undecided = self._decide(cell)
                if undecided is not None:
                    parts = divided(cell, undecided)
                    if len(parts) == 1:
                        raise Undecided("a guard of torch's cannot be decided")
                    todo += parts
            except Undecided as error:
                self.open.append((cell, error.message))

    def _decide(self, cell: Cell) -> Condition | None:
        """Decide a cell, or return the condition by which to cut it."""
        accepted = holds(cell, self.question.conditions)
        if accepted is None:
            return self.question.conditions
        answer = next((answer for answer in self.answers if _is_true(cell, answer)), None)
        if answer is None:
            answer, guards = self._answer_within(cell)
            if guards:
                return Every(guards)
        same = _same(self.question.outputs if accepted else None, answer.outputs)
        verdict = holds(cell, same)
        if verdict is None:
            return same
        if verdict:
            self.proved.append((cell, accepted))
            return None
        if not accepted and self.question.stricter:
            raise Undecided(self.question.stricter)
        self.counterexample = _smallest(self.question, cell)
        if self.counterexample is None:
            raise Undecided("torch's symbolic answer differs from what its module gives")
        return None

    def _answer_within(self, cell: Cell) -> tuple[Answer, tuple[Condition, ...]]:
        """Return an answer for a point of the cell, and those of its guards that do not hold all over it.

        A hint may be a number that torch compares with; if two in a row are, torch specializes the size.
        """
        fixed = ""
        for further in (0, 5):
            answer = self._answer_at(_hints(cell, self.question.sizes, further))
            guards = tuple(guard for guard in answer.guards if holds(cell, guard) is not True)
            fixed = _fixed(cell, guards)
            if not fixed:
                return answer, guards
        self.specialized = fixed
        raise Undecided(f"torch's symbolic code specializes {fixed}: it answers for one number at a time")

    def _answer_at(self, point: dict[str, int]) -> Answer:
        """Return torch's answer for a point, as it was given before or by another run."""
        here = {name: Progression(n, 1, 1) for name, n in point.items()}
        answer = next((answer for answer in self.answers if _is_true(here, answer)), None)
        if answer is None:
            if self.runs >= self.most_runs:
                raise Undecided(f"more cases than {self.most_runs} of torch's answers cover")
            self.runs += 1
            answer = self.question.symbolic(point)
            self.answers.append(answer)
            if not _is_true(here, answer):
                raise Undecided("a guard of torch's cannot be decided")
        return answer

    def points(self) -> Iterator[dict[str, int]]:
        """Yield the sizes to try on the real module: the example, and where cells begin and end."""
        cells = [cell for cell, _ in (*self.open, *self.proved)]
        example = dict(self.question.sizes)
        others = (_beside(example, self.question.held), map(smallest_points, cells), _beyond(self.open))
        known: list[dict[str, int]] = []
        for point in chain([example], *others):
            if point not in known:
                known.append(point)
                yield point


def _is_true(cell: Cell, answer: Answer) -> bool:
    return all(holds(cell, guard) is True for guard in answer.guards)


def _fixed(cell: Cell, guards: tuple[Condition, ...]) -> str:
    """Return the free size that a guard puts down to one number among infinitely many, if there is one."""
    for guard in guards:
        if isinstance(guard, Relation) and guard.op == "==" and isinstance(guard.right, int):
            name = str(guard.left)
            if name in cell and cell[name].count is None:
                return name
    return ""


def _same(ours: Shapes | None, theirs: Shapes | None) -> Condition:
    """Return the condition under which two answers are the same; an empty result counts as a refusal."""
    if theirs is None:
        return Every(()) if ours is None else Some(())
    if ours is None:
        return Some(tuple(Relation(dim, "<=", 0) for shape in theirs for dim in shape))
    if [*map(len, ours)] != [*map(len, theirs)]:
        return Some(())
    pairs = zip(chain(*ours), chain(*theirs), strict=True)
    return Every(tuple(Relation(mine, "==", other) for mine, other in pairs))


def _hints(cell: Cell, sizes: Sizes, further: int = 0) -> dict[str, int]:
    """Return a point of a cell beyond the example, no two sizes equal, for torch would wonder about that."""
    return {
        name: progression.at(7 + further + 4 * number + sizes[name] // progression.step)
        for number, (name, progression) in enumerate(cell.items())
    }


def _beside(example: Sizes, held: Sizes) -> Iterator[dict[str, int]]:
    """Yield points at which one of the sizes that are held is another."""
    for n in range(1, MOST_TRIED // 2):
        for name in held:
            yield {**example, name: n}


def _beyond(cells: list[tuple[Cell, str]]) -> Iterator[dict[str, int]]:
    """Yield points further on in the cells that are not proved."""
    for step in range(1, MOST_TRIED):
        for cell, _ in cells:
            yield {name: progression.at(step) for name, progression in cell.items()}


# ---- refuting


def _difference(question: Question, point: Sizes) -> Counterexample | None:
    """Return what the two say of some sizes, if that is not the same."""
    ours, theirs = question.ours(point), question.theirs(point)
    if ours != theirs and isinstance(theirs, tuple) and any(0 in shape for shape in theirs):
        theirs = "an empty result"
    if ours == theirs or (isinstance(ours, str) and (isinstance(theirs, str) or question.stricter)):
        return None
    return Counterexample(point, shapes_text(ours), shapes_text(theirs))


def _first_difference(question: Question, points: list[dict[str, int]]) -> Counterexample | None:
    """Return the counter-example nearest to a point at which the two differ, if there is one."""
    for point in points:
        if _difference(question, point) is not None:
            return _smallest(question, {name: Progression(n, 1, 1) for name, n in point.items()})
    return None


def _smallest(question: Question, cell: Cell) -> Counterexample | None:
    """Return a counter-example in which no size can be made smaller alone, on the real module.

    It is looked for along each size, the others as in the example, as far as the cell's second number;
    and at points of the cell.
    """
    example = dict(question.sizes)
    if not question.least:
        points = (_difference(question, point) for point in (smallest_points(cell), _hints(cell, example)))
        return next(filter(None, points), None)
    along = (_least(question, example, name, progression.at(1)) for name, progression in cell.items())
    candidates = sorted(filter(None, along), key=lambda point: sum(point.values()))
    for candidate in (*candidates, smallest_points(cell), _hints(cell, example)):
        point = candidate
        if _difference(question, point) is not None:
            for name in [*point, *point]:
                point = _least(question, point, name, point[name]) or point
            return _difference(question, point)
    return None


def _least(question: Question, point: dict[str, int], name: str, last: int) -> dict[str, int] | None:
    """Return a point with the least of one size at which the two answers differ, the other sizes kept."""
    tried = ({**point, name: n} for n in range(1, last + 1))
    return next((smaller for smaller in tried if _difference(question, smaller) is not None), None)


def _guard(proved: list[tuple[Cell, bool]]) -> str:
    """Return the cells on which a layer's answer is proved, the endless ones first."""
    accepted = [cell for cell, accepts in proved if accepts]
    accepted.sort(key=lambda cell: sum(sizes.count is not None for sizes in cell.values()))
    texts = [cell_text(cell) or "all sizes" for cell in accepted]
    return " or ".join(texts[:2]) + (f" and {len(texts) - 2} more cases" if len(texts) > 2 else "")
