"""Which width, depth or resolution brings a network to a number of parameters or multiply-accumulates.

Where the cost has a closed form in the free parameter it is solved exactly, over all integers or all
multiples; where it has none (a number of repeats, a multiplier such as 0.75, an entry of a list) every
candidate within stated bounds is analysed. Either way the answers are analysed once more in numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shapecalc.algebra import Dim, symbol
from shapecalc.algebra.expr import Expr
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import function_of
from shapecalc.engine.parameters import BATCH
from shapecalc.errors import ShapeError, SpecError, Undecided, nearest, quote
from shapecalc.sizes.question import titled
from shapecalc.solving.budget_answer import WORDS, Budget, Hit, Number
from shapecalc.solving.setting import solutions
from shapecalc.spec.tree import Spec

AIMS = ("nearest", "at_most", "at_least")

CANDIDATES = 64
"""How many multiples are tried without bounds where there is no closed form."""
MOST_TRIED = 1_000
MOST_EVALUATED = 200_000
"""How many values of a closed form are compared where it does not only grow."""
MOST_LISTED = 10_000


class Measured(NamedTuple):
    """A cost, the conditions under which it is that, and where it comes about, if at one place."""

    amount: Dim
    conditions: Sequence[Relation] = ()
    where: str = ""


@dataclass(frozen=True)
class BudgetQuery:
    """A budget, with a way to measure the network."""

    spec: Spec
    measure: Callable[[Mapping[str, Any], Sequence[str]], Measured]
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
            raise SpecError(f"{quote(self.target)}: a budget is an integer of at least 1")
        if not self.names:
            raise SpecError("a budget needs a parameter that is free")
        for name in self.names:
            own, _ = _entry(name)
            if own not in self.spec.parameters and not (own == BATCH and self.spec.batched):
                known = [*self.spec.parameters]
                raise SpecError(
                    f"{self.spec.name} has no parameter {quote(own)} to leave free{nearest(own, known)}",
                    hint=f"parameters: {', '.join(known) or 'none'}, and {BATCH}",
                )
            self.assigned(1)  # refuses an entry that a list does not have
            if own in self.settings:
                raise SpecError(f"the parameter {own} is both set and left free: choose one")
        if self.multiple_of <= 0:
            raise SpecError(f"a value is a multiple of a number above 0, not of {quote(self.multiple_of)}")
        if self.between is not None and not 0 <= self.between[0] <= self.between[1]:
            raise SpecError(f"nothing lies between {quote(self.between[0])} and {quote(self.between[1])}")

    @property
    def name(self) -> str:
        """What the free parameters are called together."""
        return " = ".join(self.names)

    def at(self, value: Number) -> int:
        """Return the cost with a value in place; raise where it is no network."""
        amount = self.measure({**self.settings, **self.assigned(value)}, ()).amount
        assert isinstance(amount, int)
        return amount

    def assigned(self, value: Number) -> dict[str, Any]:
        """Return the parameters with a value in place; `depths[2]` is one entry of a list."""
        values: dict[str, Any] = {}
        for name in self.names:
            own, position = _entry(name)
            if position is None:
                values[own] = value
                continue
            known = values.get(own, self.spec.parameters.get(own))
            if not isinstance(known, list) or position >= len(known):
                raise SpecError(f"{own} is {quote(known)}, which has no entry {position}")
            values[own] = [*known[:position], value, *known[position + 1 :]]
        return values

    def answered(
        self, formula: Dim | None, method: str, hits: Sequence[Hit | None], refused: int = 0
    ) -> Budget:
        """Return the answer: an exact hit, and the nearest below and above."""
        head = titled(self.spec), self.quantity, self.target, self.aim, self.names
        exact, below, above = map(self._placed, hits)
        return Budget(*head, formula, method, exact, below, above, refused)

    def _placed(self, hit: Hit | None) -> Hit | None:
        """Return a hit with the place where its cost comes about, at its last value."""
        if hit is None or self.quantity != "memory":
            return hit
        where = self.measure({**self.settings, **self.assigned(hit.values[-1])}, ()).where
        return Hit(hit.amount, hit.values, where)

    def refuse_constant(self, amount: int) -> SpecError:
        """Return the error for a cost that the free parameters do not change."""
        what = WORDS[self.quantity]
        return SpecError(f"the {what} do not depend on {self.name}: there are {amount:,} of them")


def _entry(name: str) -> tuple[str, int | None]:
    own, bracket, rest = name.partition("[")
    if not bracket:
        return own, None
    digits = rest.removesuffix("]")
    if not (rest.endswith("]") and digits.isascii() and digits.isdigit() and len(digits) < 5):
        raise SpecError(f"{quote(name)} is neither a parameter nor an entry of one, as depths[2]")
    return own, int(digits)


def solve_budget(query: BudgetQuery) -> Budget:
    """Return what the free parameter must be; raise `SpecError` where the cost does not depend on it."""
    if query.multiple_of == int(query.multiple_of) and not any("[" in name for name in query.names):
        try:
            answer = _ClosedForm(query).answer()
        except Undecided:
            answer = None
        except SpecError:
            if all(isinstance(query.spec.parameters.get(name, 1), int) for name in query.names):
                raise
            answer = None  # what is no integer by default cannot be left free, but can be tried
        if answer is not None:
            return answer
    return _tried(query)


class _ClosedForm:
    """The cost as an expression in one unknown, and the values for which the network holds."""

    def __init__(self, query: BudgetQuery) -> None:
        self.query = query
        self.unknown = symbol(query.names[0])
        tied = dict.fromkeys(query.names, self.unknown)
        measured = query.measure(query.settings, query.names)
        formula = measured.amount
        formula = formula.subs(tied) if isinstance(formula, Expr) else formula
        if not isinstance(formula, Expr):
            raise query.refuse_constant(formula)
        self.formula = formula
        self.values = function_of(formula)
        self.domain = EVERY_SIZE & IntegerSet.every(int(query.multiple_of), [0])
        if query.between is not None:
            low, high = max(-(-query.between[0] // 1), 1), query.between[1] // 1
            self.domain &= IntegerSet.of_stretches([(low, high)] if low <= high else [])
        for condition in measured.conditions:
            self.domain &= solutions(condition.subs(tied))

    def answer(self) -> Budget | None:
        """Return the answer, or None where it takes trying: analysed in numbers, it must be the same."""
        target = self.query.target
        smaller, larger = (self.domain & solutions(Relation(self.formula, op, target)) for op in "<>")
        if self._only_grows():
            if smaller and not smaller.is_finite:
                return None  # it stops growing before the target
            ends = smaller.last_until(smaller.start), larger.first_from(1)
            amounts = [None if n is None else self.values(n) for n in ends]
            how = "solved in closed form, which only grows"
        elif self.domain.is_finite and _count(self.domain) <= MOST_EVALUATED:
            amounts = [
                max(map(self.values, smaller), default=None),
                min(map(self.values, larger), default=None),
            ]
            how = "its closed form evaluated at each of them"
        else:
            return None
        hits = [None if amount is None else self._reached(amount) for amount in (target, *amounts)]
        if not all(map(self._holds, hits)):
            return None
        method = f"over all values, {self.domain.text(self.query.name)}: {how}"
        return self.query.answered(self.formula, method, hits)

    def _only_grows(self) -> bool:
        """Say whether no number from the first in the domain on costs more than the next one."""
        first = self.domain.first_from(1)
        if first is None:
            return True
        step = self.formula.subs(self.query.names[0], self.unknown + 1) - self.formula
        return not IntegerSet.at_least(first) & solutions(Relation(step, "<", 0))

    def _reached(self, amount: int) -> Hit | None:
        values = self.domain & solutions(Relation(self.formula, "==", amount))
        if not values:
            return None
        if not values.is_finite or _count(values) > MOST_LISTED:
            raise Undecided(f"more than {MOST_LISTED:,} values of {self.query.name} cost {amount:,}")
        return Hit(amount, tuple(values))

    def _holds(self, hit: Hit | None) -> bool:
        """Analyse the network at the ends of an answer: a merge may stretch a size of 1, say."""
        try:
            return hit is None or all(self.query.at(n) == hit.amount for n in {hit.values[0], hit.values[-1]})
        except ShapeError:
            return False


def _count(values: IntegerSet) -> int:
    return sum(last - first + 1 for first, last in values.early)


def _tried(query: BudgetQuery) -> Budget:
    candidates = [*_candidates(query)]
    amounts: dict[int, list[Number]] = {}
    refusals: list[ShapeError | SpecError] = []
    for value in candidates:
        try:
            amounts.setdefault(query.at(value), []).append(value)
        except (ShapeError, SpecError) as error:
            refusals.append(error)
    if not amounts:
        first, last = quote(candidates[0]), quote(candidates[-1])
        raise ShapeError(
            f"no {query.name} from {first} to {last} makes a network; with {first}: {refusals[0].message}",
            hint="give other bounds for what is free",
        )
    hits = [Hit(amount, tuple(values)) for amount, values in sorted(amounts.items())]
    exact = next((hit for hit in hits if hit.amount == query.target), None)
    below = next((hit for hit in reversed(hits) if hit.amount < query.target), None)
    above = next((hit for hit in hits if hit.amount > query.target), None)
    if len(hits) == 1 and len(candidates) > 1 and exact is None:
        raise query.refuse_constant(hits[0].amount)
    method = (
        f"no closed form: each of {len(candidates)} candidates analysed, {quote(candidates[0])} to "
        f"{quote(candidates[-1])} in steps of {quote(query.multiple_of)}"
    )
    return query.answered(None, method, (exact, below, above), len(refusals))


def _candidates(query: BudgetQuery) -> Iterator[Number]:
    step = query.multiple_of
    first, last = query.between or (step, CANDIDATES * step)
    low, high = -(-first // step), last // step
    if high < low:
        raise SpecError(f"no multiple of {quote(step)} lies between {quote(first)} and {quote(last)}")
    if high - low >= MOST_TRIED:
        raise SpecError(
            f"{high - low + 1:,} candidates are too many to analyse each; {MOST_TRIED:,} are allowed",
            hint="narrow the bounds, or take a larger step",
        )
    for number in range(int(low), int(high) + 1):
        value = number * step
        yield int(value) if value == int(value) else value
