"""Steps that repeat: how many passes there are, and running them one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.engine.carry import first_carried, handed_on
from shapecalc.engine.error_context import ErrorContext, has_value
from shapecalc.engine.graph_builder import GraphBuilder
from shapecalc.engine.limits import TooLarge
from shapecalc.engine.scope import Binding, Scope
from shapecalc.engine.step_names import label_of
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.requirement import Requirement
from shapecalc.record import record
from shapecalc.spec.tree import MOST_LAYERS, Step

if TYPE_CHECKING:
    from shapecalc.engine.loops import FreeRepeat

DEEPEST_FREE = 5
RunOnce: TypeAlias = Callable[[Scope, Step, list[int], str], Binding]
Read: TypeAlias = Callable[[Scope, Step, int, str], list[int]]


@record
class Passes:
    """The passes of a repeat: the variables of each, or how many there are where that is left free."""

    listed: list[dict[str, Value]]
    free: Expr | None = None
    counters: tuple[str, ...] = ()
    """The variables that count the passes, where how many there are is left free."""
    equal: tuple[tuple[Dim, Dim], ...] = ()
    """What else must be the number of passes."""


class Repeats:
    """Runs the steps of one expansion that repeat."""

    def __init__(self, builder: GraphBuilder, run_once: RunOnce, read: Read) -> None:
        self.builder = builder
        self.run_once = run_once
        self.read = read
        self.multiplicity = 1
        self.free_depth = 0
        """How many repeats with a free number of passes the inference is inside of."""

    def run(self, scope: Scope, step: Step, sources: list[int], path: str, key: str) -> Binding:
        """Run all passes of a step, each on what the one before it yields."""
        carried = first_carried(scope, step, self.builder.spec.input)
        with ErrorContext("repeat"):
            passes = self.passes(scope, step.repeat)
            for count, wanted in passes.equal:
                self._require_equal(step, count, wanted, path)
        group = self.builder.open(path, label_of(step), max(len(passes.listed), 1))
        position = len(self.builder.graph.groups)
        with self._multiplied(len(passes.listed), step, path):
            if passes.free is not None:
                from shapecalc.engine.loops import FreeRepeat

                own = Binding(tuple(sources[:1]), passes=passes.free)
                repeat = FreeRepeat(
                    self, scope, step, path, passes.free, passes.counters, carried, (key, own)
                )
                binding = self._free(repeat, sources)
            else:
                binding = Binding(tuple(sources[:1]), count=len(passes.listed))
                for index, variables in enumerate(passes.listed):
                    own = Binding(binding.slots, binding.inner, count=index)
                    single = self.one_pass(
                        scope, step, sources, f"{path}.{index}", variables | carried, (key, own)
                    )
                    binding.inner[str(index)] = single
                    sources = [single.slots[0]]
                    binding.slots = single.slots[:1]
                    carried = handed_on(carried, single)
                binding.inner |= carried
        self.builder.close(group)
        groups = self.builder.graph.groups
        if position < len(groups) and groups[position].path.rpartition(".")[0] == path:
            group.label = groups[position].label  # the block that an argument chose, rather than the argument
        return binding

    def one_pass(
        self,
        scope: Scope,
        step: Step,
        sources: list[int],
        path: str,
        variables: dict[str, Any],
        own: tuple[str, Binding],
    ) -> Binding:
        """Run one pass with its variables; `own` is the repeat's name and its passes so far."""
        self.builder.count_work()
        inner = Scope(self.builder, scope, (), variables)
        inner.input, inner.own = sources[0], own
        if step.reads_in_every_pass:
            sources = self.read(inner, step, sources[0], path)
            inner.input = sources[0]
        start = len(self.builder.graph.nodes)
        single = self.run_once(inner, step, sources, path)
        single.step, single.scope, single.is_pass = step, inner, True
        single.start, single.end = start, len(self.builder.graph.nodes)
        return single

    def _free(self, repeat: FreeRepeat, sources: list[int]) -> Binding:
        """Run a repeat that tries its passes several times, so that what is nested multiplies."""
        if self.free_depth >= DEEPEST_FREE:
            raise Undecided(
                f"free numbers of passes are nested more than {DEEPEST_FREE} deep", at=("repeat",)
            )
        self.free_depth += 1
        try:
            return repeat.run(sources)
        finally:
            self.free_depth -= 1

    @contextmanager
    def _multiplied(self, passes: int, step: Step, path: str) -> Iterator[None]:
        outer, self.multiplicity = self.multiplicity, self.multiplicity * max(passes, 1)
        if self.multiplicity > MOST_LAYERS:
            raise TooLarge(
                f"repeats within repeats come to {self.multiplicity:,} passes, "
                f"more than the {MOST_LAYERS:,} layers allowed",
                place=step.place.of("repeat"),
                path=path,
            )
        try:
            yield
        finally:
            self.multiplicity = outer

    # ---- how many

    def passes(self, scope: Scope, repeat: Any) -> Passes:
        """Return the passes of a `repeat`."""
        if not isinstance(repeat, Mapping):
            count = self.times(repeat, repeat.evaluate(scope) if isinstance(repeat, Formula) else repeat)
            return Passes([], count) if isinstance(count, Expr) else Passes([{}] * count)
        lists: dict[str, list[Value]] = {}
        counts: dict[str, Expr] = {}
        for name, written in repeat.items():
            value = scope.argument(written)
            if isinstance(value, Binding) and value.count is not None:
                value = value.items
            if isinstance(value, list):
                lists[name] = value
            elif isinstance(count := self.times(written, value), Expr):
                counts[name] = count
            else:
                lists[name] = [*range(count)]
        lengths = {name: len(column) for name, column in lists.items()}
        if len(set(lengths.values())) > 1 or not repeat:
            listed = ", ".join(f"{name} has {length}" for name, length in lengths.items()) or "no variable"
            raise SpecError(f"the lists differ in length ({listed})")
        if not lists:
            first, *others = counts.values()
            return Passes([], first, tuple(counts), tuple((other, first) for other in others))
        length = next(iter(lengths.values()))
        columns = lists | {name: [*range(length)] for name in counts}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return Passes(rows, equal=tuple((count, length) for count in counts.values()))

    def times(self, written: Any, count: Any) -> int | Expr:
        """Return a number of passes; raise `SpecError` for anything else."""
        if isinstance(count, Expr):
            return count
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise SpecError(f"{has_value(written, count)} not a number of passes")
        if count > MOST_LAYERS - len(self.builder.graph.nodes):
            raise SpecError(f"{count:,} passes are more than the {MOST_LAYERS:,} layers allowed")
        return count

    def _require_equal(self, step: Step, count: Dim, wanted: Dim, path: str) -> None:
        from shapecalc.engine.loops import require

        says = f"the lists of a repeat must be equally long: {count} and {wanted}"
        require(self.builder, path, Requirement("passes", count, "==", wanted, says))
