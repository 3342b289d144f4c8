"""Which width, depth or resolution brings a network to a number of parameters or multiply-accumulates.

Where the cost has a closed form in the free parameter it is solved exactly, over all whole numbers or all
multiples; where it has none (a number of repeats, a multiplier such as 0.75, an entry of a list) every
candidate within stated bounds is analysed. Either way the answers are analysed once more in numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shapecalc.algebra import Dim, symbol
from shapecalc.algebra.expr import Expr
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import function_of
from shapecalc.errors import ShapeError, SpecError, Undecided, nearest, quote
from shapecalc.report.report import Report
from shapecalc.solving.budget_answer import WORDS, Budget, Hit, Number
from shapecalc.solving.window import solutions
from shapecalc.spec.tree import Spec

AIMS = ("nearest", "at_most", "at_least")

CANDIDATES = 64
"""How many multiples are tried where no bounds are given and there is no closed form."""
MOST_TRIED = 1_000
MOST_EVALUATED = 200_000
"""How many values of a closed form are compared where it does not only grow."""
MOST_LISTED = 10_000


@dataclass(frozen=True)
class BudgetQuery:
    """A question about a cost, with a way to analyse the network."""

    spec: Spec
    analyze: Callable[[Mapping[str, Any], Sequence[str]], Report]
    """Takes values of parameters and the names that are left free."""
    quantity: str
    target: int
    names: tuple[str, ...]
    multiple_of: Number = 1
    between: tuple[Number, Number] | None = None
    aim: str = "nearest"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.aim not in AIMS:
            raise SpecError(f"the aim is {', '.join(AIMS[:-1])} or {AIMS[-1]}, not {quote(self.aim)}")
        if not isinstance(self.target, int) or isinstance(self.target, bool) or self.target < 1:
            raise SpecError(f"{quote(self.target)}: a budget is a whole number of at least 1")
        if not self.names:
            raise SpecError("a budget needs a parameter that is free")
        for name in self.names:
            own, _ = _entry(name)
            if own not in self.spec.parameters:
                known = [*self.spec.parameters]
                raise SpecError(
                    f"{self.spec.name} has no parameter {quote(own)} to leave free{nearest(own, known)}",
                    hint=f"parameters: {', '.join(known) or 'none'}",
                )
            self.assigned(1)  # refuses an entry that a list does not have
            if own in self.settings:
                raise SpecError(f"the parameter {own} is both set and left free: choose one")
        if self.multiple_of <= 0:
            raise SpecError(f"a value is a multiple of a number above 0, not of {quote(self.multiple_of)}")
        if self.between is not None and not 0 <= self.between[0] <= self.between[1]:
            raise SpecError(f"nothing lies between {quote(self.between[0])} and {quote(self.between[1])}")

    @property
    def title(self) -> str:
        """What the network is called."""
        return f"{self.spec.title} ({self.spec.name})" if self.spec.title else self.spec.name

    @property
    def name(self) -> str:
        """What the free parameters are called together."""
        return " = ".join(self.names)

    def amount(self, report: Report) -> Dim:
        """Return the cost; raise `Undecided` where a layer cannot be counted."""
        if self.quantity == "params":
            return report.params
        if not report.complete:
            left_out = ", ".join(report.not_counted[:3])
            raise Undecided(f"the multiply-accumulates are only known to be at least a number: {left_out}")
        return report.macs

    def at(self, value: Number) -> int:
        """Return the cost with a value in place; raise where it is no network."""
        found = self.amount(self.analyze({**self.settings, **self.assigned(value)}, ()))
        assert isinstance(found, int)
        return found

    def assigned(self, value: Number) -> dict[str, Any]:
        """Return the parameters with a value in place; `depths[2]` is one entry of a list."""
        found: dict[str, Any] = {}
        for name in self.names:
            own, position = _entry(name)
            if position is None:
                found[own] = value
                continue
            known = found.get(own, self.spec.parameters[own])
            if not isinstance(known, list) or position >= len(known):
                raise SpecError(f"{own} is {quote(known)}, which has no entry {position}")
            found[own] = [value if at == position else one for at, one in enumerate(known)]
        return found


def _entry(name: str) -> tuple[str, int | None]:
    own, bracket, rest = name.partition("[")
    if not bracket:
        return own, None
    digits = rest.removesuffix("]")
    if not (rest.endswith("]") and digits.isascii() and digits.isdigit() and len(digits) < 5):
        raise SpecError(f"{quote(name)} is neither a parameter nor an entry of one, as depths[2]")
    return own, int(digits)


def solve_budget(asked: BudgetQuery) -> Budget:
    """Return what the free parameter must be; raise `SpecError` where the cost does not depend on it."""
    if asked.multiple_of == int(asked.multiple_of) and not any("[" in name for name in asked.names):
        try:
            found = _ClosedForm(asked).answer()
        except Undecided:
            found = None
        except SpecError:
            if all(isinstance(asked.spec.parameters[name], int) for name in asked.names):
                raise
            found = None  # what is not a whole number by default cannot be left free, but can be tried
        if found is not None:
            return found
    return _tried(asked)


class _ClosedForm:
    """The cost as an expression in one unknown, and the values for which the network holds."""

    def __init__(self, asked: BudgetQuery) -> None:
        self.asked = asked
        report = asked.analyze(asked.settings, asked.names)
        self.unknown = symbol(asked.names[0])
        self.step = int(asked.multiple_of)
        formula = self._tied(asked.amount(report))
        if not isinstance(formula, Expr):
            what = WORDS[asked.quantity]
            raise SpecError(f"the {what} do not depend on {asked.name}: there are {formula:,} of them")
        self.formula = formula
        self.values = function_of(formula)
        self.domain = self._within(EVERY_SIZE & IntegerSet.every(self.step, [0]))
        for condition in report.conditions:
            tied = dict.fromkeys(self.asked.names, self.unknown)
            self.domain &= solutions(condition.requirement.relation.subs(tied))

    def _tied(self, value: Dim) -> Dim:
        return value.subs(dict.fromkeys(self.asked.names, self.unknown)) if isinstance(value, Expr) else value

    def _within(self, domain: IntegerSet) -> IntegerSet:
        if self.asked.between is None:
            return domain
        first, last = self.asked.between
        low, high = max(-(-first // 1), 1), last // 1
        return domain & IntegerSet.of_stretches([(low, high)] if low <= high else [])

    def answer(self) -> Budget | None:
        """Return the answer, or None where it takes trying: analysed in numbers, it must be the same."""
        target = self.asked.target
        exact = self._reached(target)
        smaller = self.domain & solutions(Relation(self.formula, "<", target))
        larger = self.domain & solutions(Relation(self.formula, ">", target))
        if self._only_grows():
            ends = smaller.last_until(smaller.start) if smaller.is_finite else None, larger.first_from(1)
            if smaller and not smaller.is_finite:
                return None  # it stops growing before the target
            amounts = [None if n is None else self.values(n) for n in ends]
            how = "solved in closed form, which only grows"
        else:
            if not self.domain.is_finite or sum(b - a + 1 for a, b in self.domain.early) > MOST_EVALUATED:
                return None
            below, above = [*map(self.values, smaller)], [*map(self.values, larger)]
            amounts = [max(below, default=None), min(above, default=None)]
            how = "its closed form evaluated at each of them"
        hits = [None if amount is None else self._reached(amount) for amount in amounts]
        if not all(self._holds(hit) for hit in (exact, *hits)):
            return None
        asked = self.asked
        method = f"{_over(asked, self.domain)}: {how}"
        return Budget(
            asked.title,
            asked.quantity,
            target,
            asked.aim,
            asked.names,
            self.formula,
            method,
            exact,
            hits[0],
            hits[1],
        )

    def _only_grows(self) -> bool:
        """Say whether no number from the first in the domain on costs more than the next one."""
        first = self.domain.first_from(1)
        if first is None:
            return True
        step = self.formula.subs(self.asked.names[0], self.unknown + 1) - self.formula
        return not IntegerSet.at_least(first) & solutions(Relation(step, "<", 0))

    def _reached(self, amount: int) -> Hit | None:
        values = self.domain & solutions(Relation(self.formula, "==", amount))
        if not values:
            return None
        if not values.is_finite or sum(last - first + 1 for first, last in values.early) > MOST_LISTED:
            raise Undecided(f"more than {MOST_LISTED:,} values of {self.asked.name} cost {amount:,}")
        return Hit(amount, tuple(values))

    def _holds(self, hit: Hit | None) -> bool:
        """Analyse the network at the ends of an answer: a merge may stretch a size of 1, say."""
        try:
            return hit is None or all(self.asked.at(n) == hit.amount for n in {hit.values[0], hit.values[-1]})
        except ShapeError:
            return False


def _over(asked: BudgetQuery, domain: IntegerSet) -> str:
    return f"over all values, {domain.text(asked.name)}"


def _tried(asked: BudgetQuery) -> Budget:
    """Analyse every candidate."""
    candidates = [*_candidates(asked)]
    amounts: dict[int, list[Number]] = {}
    refusals: list[ShapeError | SpecError] = []
    for value in candidates:
        try:
            amounts.setdefault(asked.at(value), []).append(value)
        except (ShapeError, SpecError) as error:
            refusals.append(error)
    if not amounts:
        first, last = quote(candidates[0]), quote(candidates[-1])
        raise ShapeError(
            f"no {asked.name} from {first} to {last} makes a network; with {first}: {refusals[0].message}",
            hint="give other bounds for what is free",
        )
    hits = [Hit(amount, tuple(values)) for amount, values in sorted(amounts.items())]
    exact = next((hit for hit in hits if hit.amount == asked.target), None)
    below = next((hit for hit in reversed(hits) if hit.amount < asked.target), None)
    above = next((hit for hit in hits if hit.amount > asked.target), None)
    if len(hits) == 1 and len(candidates) > 1 and exact is None:
        what = WORDS[asked.quantity]
        raise SpecError(f"the {what} do not depend on {asked.name}: there are {hits[0].amount:,} of them")
    method = (
        f"no closed form: each of {len(candidates)} candidates analysed, {quote(candidates[0])} to "
        f"{quote(candidates[-1])} in steps of {quote(asked.multiple_of)}"
    )
    return Budget(
        asked.title,
        asked.quantity,
        asked.target,
        asked.aim,
        asked.names,
        None,
        method,
        exact,
        below,
        above,
        len(refusals),
    )


def _candidates(asked: BudgetQuery) -> Iterator[Number]:
    step = asked.multiple_of
    first, last = asked.between or (step, CANDIDATES * step)
    low, high = -(-first // step), last // step
    if high < low:
        raise SpecError(
            f"no multiple of {quote(step)} lies between {quote(first)} and {quote(last)}",
        )
    if high - low >= MOST_TRIED:
        raise SpecError(
            f"{high - low + 1:,} candidates are too many to analyse each; {MOST_TRIED:,} are allowed",
            hint="narrow the bounds, or take a larger step",
        )
    for number in range(int(low), int(high) + 1):
        value = number * step
        yield int(value) if value == int(value) else value
