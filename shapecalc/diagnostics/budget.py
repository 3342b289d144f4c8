"""Budgets: the most that a model may cost, as its spec or the caller says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from pydantic_core import PydanticCustomError

from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.violation import Violation
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import FormulaError, Place, SpecError, quote
from shapecalc.report.report import Report
from shapecalc.spec.spec_values import Amount
from shapecalc.spec.tree import Spec

_NAMES = {"params": "parameters", "macs": "MACs"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of something that is allowed, and where that is written."""

    most: int
    place: Place


def limits(spec: Spec, parameters: Parameters, options: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits of a model by what they limit: those of the caller, else those of its spec."""
    found: dict[str, Limit] = {}
    for what in _NAMES:
        written = None if spec.budget is None else getattr(spec.budget, what)
        if options.get(what) is not None:
            most = _checked(options[what], f"max_{what}", Place())
            if not isinstance(most, int):
                number = quote(options[what])
                raise SpecError(f"max_{what}: {number} is not a number: write 5000000, 5M or 2.5G")
            found[what] = Limit(most, spec.place)
        elif written is not None:
            place = _place(spec, what)
            found[what] = Limit(_evaluated(what, written, parameters, place), place)
    return found


def _checked(value: Any, what: str, place: Place) -> Any:
    try:
        return Amount().check(value)
    except PydanticCustomError as error:
        raise SpecError(f"{what}: {error.message()}", place=place) from None


def _evaluated(what: str, written: Any, parameters: Parameters, place: Place) -> int:
    if not isinstance(written, Formula):
        return int(written)
    try:
        value = written.evaluate(parameters)
    except FormulaError as error:
        raise SpecError(f"budget: {what}: {error.message}", place=place, hint=error.hint) from None
    return int(_checked(value // 1 if isinstance(value, Fraction) else value, f"budget: {what}", place))


def _place(spec: Spec, what: str) -> Place:
    """Return where a limit is written: in the variant, or in the family that it belongs to."""
    own = spec.place.of("variants", spec.name, "budget") if spec.is_member else Place()
    holder = own if isinstance(own.parts, Mapping) and what in own.parts else spec.place.of("budget")
    return holder.of(what)


class OverBudget(Violation):
    """A limit that is exceeded, or may be, because not every layer is counted."""

    code = "budget"

    def __init__(self, report: Report, what: str, limit: Limit) -> None:
        self.what, self.most, self.place = what, limit.most, limit.place
        self.spent = getattr(report, what)
        self.not_counted = report.not_counted if what == "macs" and not report.complete else ()
        costs = [(cost, node.path) for node in report.nodes if isinstance(cost := getattr(node, what), int)]
        self.costs = [pair for pair in sorted(costs, key=lambda pair: -pair[0])[:_SHOWN] if pair[0]]
        if self.spent > self.most:
            self.severity = "error"
            self.paths = tuple(path for _, path in self.costs)

    @classmethod
    def find(cls, report: Report, allowed: Mapping[str, Limit]) -> Iterator[Self]:
        for what, limit in allowed.items():
            violation = cls(report, what, limit)
            if violation.severity == "error" or violation.not_counted:
                yield violation

    @property
    def message(self) -> str:
        spent, most = grouped(self.spent), grouped(self.most)
        head = f"{'at least ' if self.not_counted else ''}{spent} {_NAMES[self.what]}"
        if self.severity == "error":
            layers = ", ".join(
                f"{path} {grouped(cost)} ({100 * cost / self.spent:.0f}%)" for cost, path in self.costs
            )
            return f"{head} are more than the {most} allowed; most are in {layers}"
        layers = ", ".join(self.not_counted[:_SHOWN])
        return f"{head} of the {most} allowed: those of {layers} cannot be counted"
