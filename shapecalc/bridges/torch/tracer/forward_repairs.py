"""Repairs of a forward that fails: each was made on a copy of the module, whose forward then ran again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice, permutations
from math import gcd, prod
from typing import Any, TypeAlias

from shapecalc.bridges.torch.tracer.forward_attempt import Attempt
from shapecalc.bridges.torch.tracer.misfit import FailedCall, LayerCalled, Misfit
from shapecalc.bridges.torch.tracer.module_to_kind import as_layer
from shapecalc.diagnostics.diagnostic import Fix
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import DeclaredSize, Divisibility, EqualBranches, HalfKernel, shown
from shapecalc.layers.roles import Inferred, Makes, WindowField, fields_with
from shapecalc.repair.field_changes import alternatives, changed, every_alternative, per_axis, written

_MOST_RUNS = 80
_MOST_STEPS = 6_000
"""How many runs a search may take, and how many steps they may record together."""
_MOST_FIXES = 2
_FARTHEST = 24
"""How many layers above a misfit are looked at."""
_CASCADE = 3
"""How many layers behind a changed one may follow it."""
_LARGEST_SIDE = 1024
_NEAR = 32
"""How far from the input's size others are tried, where larger is not better."""


Change: TypeAlias = "Callable[[Attempt], Attempt | None]"


@dataclass
class Search:
    """Tries repairs of a misfit, within bounds."""

    start: Attempt
    misfit: Misfit
    runs: int = field(init=False)
    has_input: bool = False
    """Whether another input is among the repairs."""

    def __post_init__(self) -> None:
        self.runs = min(_MOST_RUNS, max(4, _MOST_STEPS // max(len(self.misfit.trace.steps), 1)))

    def best(self) -> list[tuple[Attempt, Misfit | None]]:
        """Return the best repairs, each with what fails then: of a layer's own sizes only the first."""
        progress: list[tuple[Attempt, Misfit | None]] = []
        complete: list[tuple[Attempt, Misfit | None]] = []
        for is_own, changes in ((True, self._own()), (False, self._others())):
            for change in changes:
                if self.runs <= 0 or len(complete) == _MOST_FIXES:
                    break
                attempt = change(self.start)
                if attempt is None:
                    continue
                attempt, left = self._followed(attempt, follows=not is_own)
                if left is None and attempt.steps not in [other.steps for other, _ in complete]:
                    complete.append((attempt, left))
                    self.has_input |= attempt.shapes is not None
                elif is_own and self._is_farther(left):
                    progress.append((attempt, left))
                if is_own and (complete or progress):
                    return [*complete, *progress][:1]
        return complete

    def _is_farther(self, left: Misfit | None) -> bool:
        return left is not None and len(left.trace.steps) > len(self.misfit.trace.steps)

    def _followed(self, attempt: Attempt, *, follows: bool) -> tuple[Attempt, Misfit | None]:
        """Run an attempt; where layers behind the changed one declare its old sizes, change these too."""
        left = None
        for _ in range(_CASCADE + 1 if follows else 1):
            self.runs -= 1
            left = attempt.misfit()
            fact = None if left is None else left.requirement
            if left is None or left.layer is None or not isinstance(fact, DeclaredSize) or not follows:
                break
            more = self._setting(left.layer, fact.name, fact.right)(attempt)
            if more is None:
                break
            attempt = more
        return attempt, left

    # ---- what may be changed

    def _own(self) -> Iterator[Change]:
        """Yield what gives the layer the sizes that came in."""
        layer, fact = self.misfit.layer, self.misfit.requirement
        if layer is None:
            return
        if isinstance(fact, DeclaredSize):
            if len(layer.x) > 2 and prod(layer.x[1:]) == fact.left:
                yield lambda attempt: attempt.before_layer(layer.module, "a flatten before it")
            yield self._setting(layer, fact.name, fact.right)
        elif isinstance(fact, Divisibility):
            yield from (self._setting(layer, fact.name, value) for value in _divisors(fact, layer.kind))
        elif isinstance(fact, HalfKernel) and isinstance(fact.kernel, int):
            yield self._setting(layer, "padding", fact.kernel // 2)
        elif fact is not None and fact.code == "normalized-shape":
            sizes = getattr(layer.kind, "normalized_shape", None)
            rank = len(sizes) if isinstance(sizes, tuple) else 1
            yield self._setting(layer, "normalized_shape", layer.x[-rank:])

    def _others(self) -> Iterator[Change]:
        """Yield other sizes of the call or input where these are likely, layers above, and other inputs."""
        misfit, fact = self.misfit, self.misfit.requirement
        if fact is None and not misfit.is_of_shapes:
            return
        if misfit.call is not None and misfit.layer is None:
            yield from _other_sizes(misfit.call)
        is_off_by_one = (
            isinstance(fact, EqualBranches)
            and fact.from_end > -3
            and fact.left in (fact.right + 1, fact.right - 1)
        )
        inputs_first = fact is not None and (fact.code == "too-small" or is_off_by_one)
        if inputs_first:
            yield from self._inputs()
        yield from self._above()
        if not inputs_first and isinstance(fact, EqualBranches):
            yield from self._inputs()

    def _above(self) -> Iterator[Change]:
        """Yield other settings of the layer and of those before it, the likely ones of all layers first."""
        misfit = self.misfit
        near = [*([] if misfit.layer is None else [misfit.layer]), *islice(_layers_before(misfit), _FARTHEST)]
        pairs = [*_disagreements(misfit)]
        for is_likely in (True, False):
            for layer in near:
                for name, value in _other_settings(layer.kind, pairs, is_likely=is_likely):
                    if _has_effect(layer, changed(layer.kind, name, value)):
                        yield self._setting(layer, name, value)

    def _inputs(self) -> Iterator[Change]:
        """Yield larger inputs where something is too small, else other inputs of a similar size."""
        run, misfit = self.start.run, self.misfit
        (first, *others) = run.shapes
        front = 2 if run.has_batch else len(first)
        if others or len(first) - front < 1:
            return

        def grown(more: int) -> Change:
            shape = (*first[:front], *(size + more for size in first[front:]))
            step = f"an input of {shown(shape[1:] if run.has_batch else shape)}"
            return lambda attempt: replace(attempt, shapes=(shape,), steps=(*attempt.steps, step))

        fact = misfit.requirement
        if fact is not None and fact.code == "too-small":
            sizes = range(1, _LARGEST_SIDE)
            more = bisect_left(sizes, 1, key=lambda more: self._is_enough(grown(more)))
            yield grown(sizes[more]) if more < len(sizes) else lambda _: None
        else:
            for more in (sign * by for by in range(1, _NEAR) for sign in (1, -1)):
                if not self.has_input and min(first[front:]) > -more:
                    yield grown(more)

    def _is_enough(self, change: Change) -> int:
        attempt = change(self.start)
        self.runs -= 1
        fact = None if attempt is None or (left := attempt.misfit()) is None else left.requirement
        return int(fact is None or fact.code != "too-small")

    # ---- changes

    def _setting(self, layer: LayerCalled, name: str, value: Any) -> Change:
        step = f"{name}: {written(value)}"
        step += "" if layer.path == self.misfit.path else f" (of {layer.path})"

        def change(attempt: Attempt) -> Attempt | None:
            kind = changed(_with_equals(layer.kind, name, value), name, value)
            return None if kind is None else attempt.with_layer(layer.module, kind, layer.x, step)

        return change


def _with_equals(kind: Kind, name: str, value: Any) -> Kind:
    """Return a layer with another value in the fields that are by default what the field of this name is."""
    own = getattr(kind, name)
    roles = fields_with(type(kind), Inferred).items()
    equal = [other for other, role in roles if role.same_as == name and getattr(kind, other) == own]
    return kind.model_copy(update=dict.fromkeys(equal, value))


def fixes_of(start: Attempt, misfit: Misfit) -> tuple[list[Fix], Attempt | None]:
    """Return fixes of a misfit, and the attempt from which to look for the next one, if any."""
    best = Search(start, misfit).best()
    fixes = [
        Fix("; ".join(new := attempt.steps[len(start.steps) :]), fixes_all=left is None, steps=new)
        for attempt, left in best
    ]
    is_sure = bool(best) and best[0][1] is not None
    return fixes, best[0][0] if is_sure else None


def _layers_before(misfit: Misfit) -> Iterator[LayerCalled]:
    """Yield the modules that became steps, the last first."""
    trace, source = misfit.trace, misfit.trace.inputs[0]
    sources: dict[str, str] = {}
    for step in trace.steps:
        sources[step.name or ""] = step.source[0] if step.source else source
        source = step.name or source
    for name, path in reversed(trace.leaves.items()):
        module = trace.module.get_submodule(path)
        kind, x = as_layer(module), misfit.shapes.get(sources.get(name, ""))
        if kind is not None and x is not None:
            yield LayerCalled(module, path, kind, x)


def _disagreements(misfit: Misfit) -> Iterator[tuple[int, int]]:
    """Yield the sizes of the tensors of a call that disagree, both ways."""
    shapes = misfit.call.shapes if misfit.call is not None else []
    for first, second in permutations(dict.fromkeys(shapes), 2):
        yield from (
            (a, b) for a, b in zip(first[::-1], second[::-1], strict=False) if a != b and 1 not in (a, b)
        )


def _other_settings(
    kind: Kind, pairs: list[tuple[int, int]], *, is_likely: bool
) -> Iterator[tuple[str, Any]]:
    """Yield the likely values of windows and of channels, or the others of these and of declared sizes."""
    cls, sizes = type(kind), {*chain(*pairs)}
    makes, windows = fields_with(cls, Makes), fields_with(cls, WindowField)
    known = [*alternatives(kind, (), ())]
    known += [
        (name, size)
        for name in windows
        for old in {*per_axis(getattr(kind, name), 1)}
        for size in (old - 1, old + 1)
    ]
    known += [pair for pair in every_alternative(kind, pairs) if pair[0] in makes]
    if is_likely:
        yield from known
        return
    for name, value in every_alternative(kind, pairs):
        if (name, value) not in known and (name in windows or (isinstance(value, int) and value in sizes)):
            yield name, value


def _has_effect(layer: LayerCalled, other: Kind | None) -> bool:
    """Return whether other settings of a layer make another result of what came in."""
    after = None if other is None else _result(other, layer)
    return after is not None and after != _result(layer.kind, layer)


def _result(kind: Kind, layer: LayerCalled) -> Any:
    try:
        return kind.apply((layer.x,)).outputs[0]
    except ShapecalcError:
        return None


def _divisors(fact: Divisibility, kind: Kind) -> list[int]:
    """Return the numbers nearest to one that divide what it has to."""
    n, outward = fact.n, getattr(kind, "out_channels", fact.n)
    if not (isinstance(n, int) and isinstance(outward, int) and isinstance(fact.divisor, int)):
        return []
    return divisors_near(gcd(n, outward), fact.divisor)


def divisors_near(n: int, divisor: int) -> list[int]:
    """Return the two divisors of a number that are nearest to another number.

    >>> divisors_near(64, 5)
    [4, 2]
    """
    legal = (size for size in range(1, n + 1) if n % size == 0)
    return sorted(legal, key=lambda size: (abs(size - divisor), size))[:2]


def _other_sizes(call: FailedCall) -> Iterator[Change]:
    """Yield a call with one of its sizes such that it holds the elements of its tensor, the last first."""
    is_listed = len(call.args) == 2 and isinstance(call.args[1], (tuple, list))
    sizes = [*(call.args[1] if is_listed else call.args[1:])]
    if call.name not in ("view", "reshape") or not all(type(size) is int for size in sizes):
        return
    x = call.shapes[0]
    for number, old in reversed([*enumerate(sizes)]):
        others = [*sizes[:number], *sizes[number + 1 :]]
        known = [size for size in others if size != -1] + ([*x[:1]] if -1 in others else [])
        new, rest = divmod(prod(x), prod(known) or 1)
        if old not in (-1, new) and new and not rest:
            after = [*sizes[:number], new, *sizes[number + 1 :]]
            yield _with_size(call, after, f"{new} in the place of {old} in {call.name}")


def _with_size(call: FailedCall, sizes: list[int], step: str) -> Change:
    is_listed = isinstance(call.args[1], (tuple, list))
    args = (call.args[0], *([sizes] if is_listed else sizes))
    return lambda attempt: replace(attempt, call=(call, args), steps=(*attempt.steps, step))
