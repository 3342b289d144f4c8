"""Repeats whose number of passes is left free: one pass is walked for all of them.

Pass i is walked on x + i·d, where x is what arrives at the repeat and d what one pass adds to it, and must
yield x + (i + 1)·d; by induction every pass is then as that one, and n passes make x + n·d of x. Where
the first pass is another (a stride, a projection), it is walked by itself, and the induction starts after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shapecalc.algebra import Dim, Expr, decide, symbol
from shapecalc.algebra.rational import Value
from shapecalc.engine.evaluate import Evaluator
from shapecalc.engine.graph import Loop, over
from shapecalc.engine.graph_builder import Recorder
from shapecalc.engine.limits import TooLarge
from shapecalc.engine.parameters import BATCH
from shapecalc.engine.scope import Binding, Scope, UnknownSize
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.base import Effect
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.spec.tree import Step

if TYPE_CHECKING:
    from shapecalc.engine.repeats import Repeats

FIRST_PASSES = 2
"""At how many passes an induction may start: at the first, or at the second."""
COVERED = "not-covered"
"""The code of a condition under which a closed form was found: where it fails, the network may still hold."""


class FreeRepeat:
    """One repeat whose number of passes is left free."""

    def __init__(
        self, repeats: Repeats, frame: Scope, step: Step, path: str, count: Expr, counters: tuple[str, ...]
    ) -> None:
        self.repeats = repeats
        self.record: Recorder = repeats.record
        self.frame = frame
        self.step = step
        self.path = path
        self.count = count
        self.counters = counters
        self.index = self._unused_name()

    def run(self, sources: list[int]) -> Binding:
        """Return what all passes together yield."""
        mark = Binding(tuple(sources[:1]), passes=self.count)
        made: list[tuple[Shape | None, Shape | None]] = []
        why: Undecided | None = None
        for first in range(FIRST_PASSES):
            before = self.record.checkpoint()
            try:
                mark.slots = (self.together(first, sources),)
            except Undecided as undecided:
                self.record.roll_back(before)
                why = undecided
            else:
                return mark
            one = self.repeats.one_pass(
                self.frame, self.step, sources, f"{self.path}.{first}", dict.fromkeys(self.counters, first)
            )
            mark.inner[str(first)] = one
            mark.slots = (one.slots[0],)
            if len(self.record.failures) > before.failures:
                return self.failed(first, mark, self.record.failures[before.failures].message)
            made.append((self.record.shapes[sources[0]], self.record.shapes[one.slots[0]]))
            sources = [one.slots[0]]
        assert why is not None
        raise Undecided(
            f"the number of passes, {self.count}, cannot be left free: {why.message}",
            hint="; ".join(
                f"pass {number} makes {shown(y)} of {shown(x)}"
                for number, (x, y) in enumerate(made)
                if x is not None and y is not None
            ),
            at=("repeat",),
        )

    def failed(self, first: int, mark: Binding, message: str) -> Binding:
        """Go on after a pass that no size lets through, if there is such a pass whatever is left free."""
        if decide(self.count, ">", first) is True:
            return mark
        raise Undecided(
            f"the number of passes, {self.count}, cannot be left free: pass {first} is refused: {message}",
            at=("repeat",),
        )

    # ---- all passes as one

    def together(self, first: int, sources: Sequence[int]) -> int:
        """Return the result of all passes from `first` on; raise `Undecided` where they are not alike."""
        if len(sources) > 1:
            raise Undecided("the first pass takes several tensors")
        before = self.record.checkpoint()
        x = self.record.shapes[sources[0]]
        if x is None:
            raise UnknownSize
        loop = Loop(f"{self.path}.{self.index}", self.index, first, self.count - first)
        growth: Shape = (0,) * len(x)
        while True:
            result = self.any_pass(loop, sources[0], x, growth)
            y = self.record.shapes[result]
            assert y is not None
            arrived = _after(x, growth, symbol(self.index, first) - first)
            if _equal(y, _after(x, growth, symbol(self.index, first) - first + 1)):
                break
            told = f"pass {self.index} makes {shown(y)} of {shown(arrived)}"
            if any(more != 0 for more in growth) or len(x) != len(y):
                raise Undecided(told)
            growth = tuple(after - size for size, after in zip(x, y, strict=True))
            if any(isinstance(more, Expr) and self.index in more.free_symbols for more in growth):
                raise Undecided(told)
            self.record.roll_back(before)
        self.settle(loop, before.nodes, before.conditions)
        self.record.graph.loops.append(loop)
        if all(more == 0 for more in growth):
            return result
        return self.record.stand_in(_after(x, growth, loop.count), result)

    def any_pass(self, loop: Loop, source: int, x: Shape, growth: Shape) -> int:
        """Inference the pass that stands for all; return its result."""
        record = self.record
        index = symbol(loop.index, loop.first)
        failures = len(record.failures)
        grows = any(more != 0 for more in growth)
        arriving = record.stand_in(_after(x, growth, index - loop.first), source) if grows else source
        variables: dict[str, Value] = dict.fromkeys(self.counters, index)
        outer, evaluator = record.loops, record.evaluator
        record.loops = (*outer, loop)
        record.evaluator = Evaluator()  # another index of this name may have begun elsewhere
        try:
            one = self.repeats.one_pass(self.frame, self.step, [arriving], loop.path, variables)
        except TooLarge:
            raise
        except SpecError as error:
            raise Undecided(error.message) from None
        finally:
            record.loops, record.evaluator = outer, evaluator
        if len(record.failures) > failures:
            raise Undecided(f"in pass {loop.index}: {record.failures[failures].message}")
        return one.slots[0]

    def settle(self, loop: Loop, start: int, conditions: int) -> None:
        """Free what the pass asks for, and what it costs, of its index; say how many passes that takes."""
        record = self.record
        depth = len(record.loops)
        known = {one.relation for effect in record.effects[:start] if effect for one in effect.conditions}
        known |= {one.relation for _, one in record.graph.conditions[:conditions]}
        is_asking = False
        for position, effect in enumerate(record.effects[start:], start):
            if effect is None:
                continue
            _refuse_sums(effect, record.graph.nodes[position].loops[depth:])
            kept = tuple(found for one in effect.conditions for found in for_every(one, loop))
            is_asking |= any(one.relation not in known for one in effect.conditions)
            if kept != effect.conditions:
                record.effects[position] = replace(effect, conditions=kept)
        asked = record.graph.conditions[conditions:]
        is_asking |= any(one.relation not in known for _, one in asked)
        record.graph.conditions[conditions:] = [
            (path, found) for path, one in asked for found in for_every(one, loop)
        ]
        self.require_passes(0, "passes")
        if loop.first or is_asking:
            self.require_passes(loop.first + is_asking, COVERED)

    def require_passes(self, least: int, code: str) -> None:
        """Require a number of passes."""
        says = f"{self.path} has {self.count} passes, and needs at least {least}"
        require(self.record, self.path, Requirement(code, self.count, ">=", least, says))

    def _unused_name(self) -> str:
        taken = {*self.record.parameter_names, BATCH, *(loop.index for loop in self.record.loops)}
        dims = [self.count, *(size for shape in self.record.inputs for size in shape)]
        taken |= {name for size in dims if isinstance(size, Expr) for name in size.free_symbols}
        wanted = self.counters[0] if self.counters else "i"
        numbered = (f"{wanted}{number}" for number in range(2, len(taken) + 3))
        names: tuple[str, ...] = (wanted, *"ijklm", *numbered)
        return next(name for name in names if name not in taken)


def require(record: Recorder, path: str, one: Requirement) -> None:
    """Keep a requirement as a condition; raise where it never holds."""
    verdict = one.verdict()
    if verdict is False:
        raise Undecided(one.message) if one.code == COVERED else SpecError(one.message)
    if verdict is None:
        record.graph.conditions.append((path, one))


def for_every(one: Requirement, loop: Loop) -> Iterator[Requirement]:
    """Yield what makes a requirement hold in every pass: it at the passes where it holds least.

    A side that grows, or shrinks, from pass to pass is least at one end. Raises `Undecided` for others.
    """
    difference = one.left - one.right
    if not isinstance(difference, Expr) or loop.index not in difference.free_symbols:
        yield one
        return
    index = symbol(loop.index, loop.first)
    step = difference.subs(loop.index, index + 1) - difference
    grows, shrinks = decide(step, ">=", 0) is True, decide(step, "<=", 0) is True
    if one.op == "!=" or not (grows or shrinks):
        raise Undecided(f"whether {one} holds differs from pass to pass")
    at_first = one.op == "==" or grows == (one.op in {">", ">="})
    at_last = one.op == "==" or not at_first
    for end in (loop.first,) * at_first + (loop.last,) * at_last:
        found = replace(one, left=_at(one.left, loop, end), right=_at(one.right, loop, end))
        verdict = found.verdict()
        if verdict is False:
            raise Undecided(f"{one} does not hold in every pass")
        if verdict is None:
            yield found


def _at(value: Dim, loop: Loop, index: Dim) -> Dim:
    return value.subs(loop.index, index) if isinstance(value, Expr) else value


def _refuse_sums(effect: Effect, loops: Sequence[Loop]) -> None:
    """Raise `Undecided` where what a layer costs in all passes has no closed form."""
    for cost in (effect.params, effect.buffer_count, effect.elements, effect.macs):
        if cost is not None:
            over(cost, loops)


def _after(x: Shape, growth: Shape, passes: Dim) -> Shape:
    return tuple(size + passes * more for size, more in zip(x, growth, strict=True))


def _equal(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and all(
        a == b or decide(a, "==", b) is True for a, b in zip(one, other, strict=True)
    )
