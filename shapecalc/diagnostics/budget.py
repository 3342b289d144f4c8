"""Budgets: the most that a model may cost, as its spec or the caller says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic_core import PydanticCustomError

from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import FormulaError, Place, SpecError, quote
from shapecalc.report.report import Report
from shapecalc.spec.spec_values import Amount
from shapecalc.spec.tree import Spec

_NAMES = {"params": "parameters", "macs": "MACs"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of something that is allowed, and where that is said."""

    most: int
    place: Place


def limits(spec: Spec, parameters: Parameters, given: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits of a model by what they limit: those that are given, else those of its spec."""
    found: dict[str, Limit] = {}
    for what in _NAMES:
        written = None if spec.budget is None else getattr(spec.budget, what)
        if given.get(what) is not None:
            found[what] = Limit(_given(what, given[what]), spec.place)
        elif written is not None:
            place = _place(spec, what)
            found[what] = Limit(_evaluated(what, written, parameters, place), place)
    return found


def _given(what: str, value: Any) -> int:
    try:
        most = Amount().check(value)
    except PydanticCustomError as error:
        raise SpecError(f"max_{what}: {error.message()}") from None
    if not isinstance(most, int):
        raise SpecError(f"max_{what}: {quote(value)} is not a number: write 5000000, 5M or 2.5G")
    return most


def _evaluated(what: str, written: Any, parameters: Parameters, place: Place) -> int:
    if not isinstance(written, Formula):
        return int(written)
    try:
        value = written.evaluate(parameters)
    except FormulaError as error:
        raise SpecError(f"budget: {what}: {error.message}", place=place, hint=error.hint) from None
    try:
        most = Amount().check(value // 1 if isinstance(value, Fraction) else value)
    except PydanticCustomError as error:
        raise SpecError(f"budget: {what}: {error.message()}", place=place) from None
    return int(most)


def _place(spec: Spec, what: str) -> Place:
    """Return where a limit is written: in the variant, or in the family that it belongs to."""
    own = spec.place.of("variants", spec.name, "budget") if spec.is_member else Place()
    holder = own if isinstance(own.parts, Mapping) and what in own.parts else spec.place.of("budget")
    return holder.of(what)


def over_budget(report: Report, allowed: Mapping[str, Limit]) -> Iterator[Diagnostic]:
    """Yield an error for each limit that is passed, and a warning where that cannot be told."""
    for what, limit in allowed.items():
        spent = getattr(report, what)
        at_least = "at least " if what == "macs" and not report.complete else ""
        costs = sorted(
            (
                (cost, node.path)
                for node in report.nodes
                if isinstance(cost := getattr(node, what), int) and cost
            ),
            key=lambda one: -one[0],
        )[:_SHOWN]
        if spent > limit.most:
            told = ", ".join(f"{path} {grouped(cost)} ({100 * cost / spent:.0f}%)" for cost, path in costs)
            yield Diagnostic(
                "budget",
                "error",
                f"{at_least}{grouped(spent)} {_NAMES[what]} are more than the {grouped(limit.most)} allowed; "
                f"most are in {told}",
                limit.place,
                tuple(path for _, path in costs),
            )
        elif at_least:
            yield Diagnostic(
                "budget",
                "warning",
                f"{at_least}{grouped(spent)} {_NAMES[what]} of the {grouped(limit.most)} allowed: "
                f"those of {', '.join(report.not_counted[:_SHOWN])} cannot be counted",
                limit.place,
            )
