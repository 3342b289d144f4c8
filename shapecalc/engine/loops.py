"""Repeats whose number of passes is left free: inference runs over one pass for all of them.

Pass i is inferred on x + i·d, where x is the input of the repeat and d what one pass adds to it, and must
yield x + (i + 1)·d; by induction every pass is then like that one, and n passes make x + n·d of x. Where
the first pass differs (a stride, a projection), it is inferred alone, and the induction starts after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim, Expr, decide, symbol
from shapecalc.engine.carry import Carried, carried_shapes, handed_on
from shapecalc.engine.evaluate import Evaluator
from shapecalc.engine.graph import Loop, over
from shapecalc.engine.graph_builder import GraphBuilder
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
        self,
        repeats: Repeats,
        scope: Scope,
        step: Step,
        path: str,
        count: Expr,
        counters: tuple[str, ...],
        carried: Carried,
        own: tuple[str, Binding],
    ) -> None:
        self.repeats = repeats
        self.builder: GraphBuilder = repeats.builder
        self.scope = scope
        self.step = step
        self.path = path
        self.count = count
        self.counters = counters
        self.carried = carried
        self.own = own
        self.index = self._unused_name()

    def run(self, sources: list[int]) -> Binding:
        """Return what all passes together yield."""
        binding = Binding(tuple(sources[:1]), passes=self.count)
        seen: list[tuple[Shape | None, Shape | None]] = []
        reason: Undecided | None = None
        for first in range(FIRST_PASSES):
            before = self.builder.checkpoint()
            try:
                binding.slots = (self.all_passes(first, sources),)
            except Undecided as undecided:
                self.builder.roll_back(before)
                reason = undecided
            else:
                binding.inner |= self.carried
                return binding
            variables: dict[str, Any] = dict.fromkeys(self.counters, first) | self.carried
            single = self.repeats.one_pass(
                self.scope, self.step, sources, f"{self.path}.{first}", variables, self.own
            )
            binding.inner[str(first)] = single
            binding.slots = single.slots[:1]
            if len(self.builder.failures) > before.failures:
                return self.failed(first, binding, self.builder.failures[before.failures].message)
            self.carried = handed_on(self.carried, single)
            seen.append((self.builder.shapes[sources[0]], self.builder.shapes[single.slots[0]]))
            sources = [single.slots[0]]
        assert reason is not None
        raise Undecided(
            f"the number of passes, {self.count}, cannot be left free: {reason.message}",
            hint="; ".join(
                f"pass {number} makes {shown(y)} of {shown(x)}"
                for number, (x, y) in enumerate(seen)
                if x is not None and y is not None
            ),
            at=("repeat",),
        )

    def failed(self, first: int, binding: Binding, message: str) -> Binding:
        """Go on after a pass that is refused at every size, if there is such a pass whatever is left free."""
        if decide(self.count, ">", first) is True:
            return binding
        raise Undecided(
            f"the number of passes, {self.count}, cannot be left free: pass {first} is refused: {message}",
            at=("repeat",),
        )

    # ---- all passes as one

    def all_passes(self, first: int, sources: Sequence[int]) -> int:
        """Return the result of all passes from `first` on; raise `Undecided` where they are not alike."""
        if len(sources) > 1:
            raise Undecided("the first pass takes several tensors")
        before = self.builder.checkpoint()
        x = self.builder.shapes[sources[0]]
        if x is None:
            raise UnknownSize
        loop = Loop(f"{self.path}.{self.index}", self.index, first, self.count - first)
        growth: Shape = (0,) * len(x)
        while True:
            single = self.generic_pass(loop, sources[0], x, growth)
            result = single.slots[0]
            y = self.builder.shapes[result]
            assert y is not None
            earlier = symbol(self.index, first) - first
            if _equal(y, _after(x, growth, earlier + 1)):
                break
            differs = f"pass {self.index} makes {shown(y)} of {shown(_after(x, growth, earlier))}"
            if any(more != 0 for more in growth) or len(x) != len(y):
                raise Undecided(differs)
            growth = tuple(after - size for size, after in zip(x, y, strict=True))
            if any(isinstance(more, Expr) and self.index in more.free_symbols for more in growth):
                raise Undecided(differs)
            self.builder.roll_back(before)
        self.carried = self.carried_after(single)
        self.generalize(loop, before.nodes, before.conditions)
        self.builder.graph.loops.append(loop)
        if all(more == 0 for more in growth):
            return result
        return self.builder.alias(_after(x, growth, loop.count), result)

    def carried_after(self, single: Binding) -> Carried:
        """Return what all passes hand on; raise `Undecided` where its sizes differ from pass to pass."""
        following, shapes = handed_on(self.carried, single), self.builder.shapes
        for name, before in self.carried.items():
            old, new = (carried_shapes(each, shapes) for each in (before, following[name]))
            pairs = zip(old, new, strict=False)
            if len(old) != len(new) or not all(x == y or (x and y and _equal(x, y)) for x, y in pairs):
                raise Undecided(f"the sizes of {name}, which is carried, differ from pass to pass")
        return following

    def generic_pass(self, loop: Loop, source: int, x: Shape, growth: Shape) -> Binding:
        """Run inference over the pass that represents all."""
        builder = self.builder
        index = symbol(loop.index, loop.first)
        failures = len(builder.failures)
        grows = any(more != 0 for more in growth)
        entering = builder.alias(_after(x, growth, index - loop.first), source) if grows else source
        variables: dict[str, Any] = dict.fromkeys(self.counters, index) | self.carried
        outer, evaluator = builder.loops, builder.evaluator
        builder.loops = (*outer, loop)
        builder.evaluator = Evaluator()  # another index of this name may have begun elsewhere
        try:
            single = self.repeats.one_pass(self.scope, self.step, [entering], loop.path, variables, self.own)
        except TooLarge:
            raise
        except SpecError as error:
            raise Undecided(error.message) from None
        finally:
            builder.loops, builder.evaluator = outer, evaluator
        if len(builder.failures) > failures:
            raise Undecided(f"in pass {loop.index}: {builder.failures[failures].message}")
        return single

    def generalize(self, loop: Loop, start: int, conditions: int) -> None:
        """Remove the index from what the pass requires and costs; say how many passes that takes."""
        graph, effects = self.builder.graph, self.builder.effects
        depth = len(self.builder.loops)
        known = {each.relation for effect in effects[:start] if effect for each in effect.conditions}
        known |= {each.relation for _, each in graph.conditions[:conditions]}
        is_constrained = False
        for position, effect in enumerate(effects[start:], start):
            if effect is None:
                continue
            _refuse_sums(effect, graph.nodes[position].loops[depth:])
            kept = tuple(end for each in effect.conditions for end in in_every_pass(each, loop))
            is_constrained |= any(each.relation not in known for each in effect.conditions)
            if kept != effect.conditions:
                effects[position] = replace(effect, conditions=kept)
        added = graph.conditions[conditions:]
        is_constrained |= any(each.relation not in known for _, each in added)
        graph.conditions[conditions:] = [
            (path, end) for path, each in added for end in in_every_pass(each, loop)
        ]
        self.require_passes(0, "passes")
        if loop.first or is_constrained:
            self.require_passes(loop.first + is_constrained, COVERED)

    def require_passes(self, least: int, code: str) -> None:
        """Require a number of passes."""
        says = f"{self.path} has {self.count} passes, and needs at least {least}"
        require(self.builder, self.path, Requirement(code, self.count, ">=", least, says))

    def _unused_name(self) -> str:
        taken = {*self.builder.parameter_names, BATCH, *(loop.index for loop in self.builder.loops)}
        dims = [self.count, *(size for shape in self.builder.inputs for size in shape)]
        taken |= {name for size in dims if isinstance(size, Expr) for name in size.free_symbols}
        wanted = self.counters[0] if self.counters else "i"
        numbered = (f"{wanted}{number}" for number in range(2, len(taken) + 3))
        names: tuple[str, ...] = (wanted, *"ijklm", *numbered)
        return next(name for name in names if name not in taken)


def require(builder: GraphBuilder, path: str, requirement: Requirement) -> None:
    """Keep a requirement as a condition; raise where it never holds."""
    verdict = requirement.verdict()
    if verdict is False:
        kind = Undecided if requirement.code == COVERED else SpecError
        raise kind(requirement.message)
    if verdict is None:
        builder.graph.conditions.append((path, requirement))


def in_every_pass(requirement: Requirement, loop: Loop) -> Iterator[Requirement]:
    """Yield what makes a requirement hold in every pass: the requirement at the pass where it is strictest.

    A side that grows, or shrinks, from pass to pass is least at one end. Raises `Undecided` for others.
    """
    op, difference = requirement.op, requirement.relation.difference
    if not isinstance(difference, Expr) or loop.index not in difference.free_symbols:
        yield requirement
        return
    index = symbol(loop.index, loop.first)
    step = difference.subs(loop.index, index + 1) - difference
    grows, shrinks = decide(step, ">=", 0) is True, decide(step, "<=", 0) is True
    if op == "!=" or not (grows or shrinks):
        raise Undecided(f"whether {requirement} holds differs from pass to pass")
    at_first = op == "==" or grows == (op in {">", ">="})
    at_last = op == "==" or not at_first
    for end in (loop.first,) * at_first + (loop.last,) * at_last:
        left, _, right = requirement.relation.subs({loop.index: end})
        there = requirement.between(left, right)
        verdict = there.verdict()
        if verdict is False:
            raise Undecided(f"{requirement} does not hold in every pass")
        if verdict is None:
            yield there


def _refuse_sums(effect: Effect, loops: Sequence[Loop]) -> None:
    """Raise `Undecided` where what a layer costs in all passes has no closed form."""
    for cost in (effect.params, effect.buffer_count, effect.elements, effect.macs):
        if cost is not None:
            over(cost, loops)


def _after(x: Shape, growth: Shape, passes: Dim) -> Shape:
    return tuple(size + passes * more for size, more in zip(x, growth, strict=True))


def _equal(x: Shape, y: Shape) -> bool:
    return len(x) == len(y) and all(a == b or decide(a, "==", b) for a, b in zip(x, y, strict=True))
