"""Budgets: the most that a model may cost, as its spec or the caller says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic_core import PydanticCustomError

from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.violation import Violation
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import FormulaError, Place, SpecError, quote
from shapecalc.memory.measured_spec import MeasuredSpec
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
    allowed: dict[str, Limit] = {}
    for what in _NAMES:
        written = None if spec.budget is None else getattr(spec.budget, what)
        if options.get(what) is not None:
            most = _checked(options[what], f"max_{what}", Place())
            if not isinstance(most, int):
                number = quote(options[what])
                raise SpecError(f"max_{what}: {number} is not a number: write 5000000, 5M or 2.5G")
            allowed[what] = Limit(most, spec.place)
        elif written is not None:
            place = written_place(spec, "budget", what)
            allowed[what] = Limit(_evaluated(what, written, parameters, place), place)
    return allowed


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


def written_place(spec: Spec, part: str, what: str) -> Place:
    """Return where a number of a budget or an expectation is written: in the variant, or in its family."""
    own = spec.place.of("variants", spec.name, part) if spec.is_member else Place()
    holder = own if isinstance(own.parts, Mapping) and what in own.parts else spec.place.of(part)
    return holder.of(what)


def over_memory(spec: MeasuredSpec, shape: Any, values: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield the budget of bytes that is exceeded, or may be: a layer without a rule may need any."""
    budget = spec.budget
    if budget is None or budget.memory is None:
        return
    place = written_place(spec, "budget", "memory")
    most = _evaluated("memory", budget.memory, Parameters(spec, values), place)
    use = spec.memory(input=shape, batch=budget.batch or 1, optimizer=budget.training, **values)
    facts = {"spent": grouped(use.peak), "most": grouped(most), "place": str(use.at)}
    if use.peak > most:
        head = "" if use.complete else "at least "
        template = f"{head}{{spent}} bytes are alive {{place}}, more than the {{most}} allowed"
        yield Violation("budget", template, facts, place, (use.at.path,), "error")
    elif not use.complete:
        facts["layers"] = ", ".join(use.unknown[:_SHOWN])
        template = "at least {spent} bytes of the {most} allowed are alive: those of {layers} are not known"
        yield Violation("budget", template, facts, place, severity="error")


def over_budget(report: Report, allowed: Mapping[str, Limit]) -> Iterator[Violation]:
    """Yield the limits that are exceeded, or may be: a layer that is not counted may cost anything."""
    for what, limit in allowed.items():
        spent = getattr(report, what)
        left_out = report.not_counted if what == "macs" and not report.complete else ()
        facts = {"spent": grouped(spent), "most": grouped(limit.most), "what": _NAMES[what]}
        head = f"{'at least ' if left_out else ''}{{spent}} {{what}}"
        if spent > limit.most:
            costs = [
                (cost, node.path) for node in report.nodes if isinstance(cost := getattr(node, what), int)
            ]
            largest = [pair for pair in sorted(costs, key=lambda pair: -pair[0])[:_SHOWN] if pair[0]]
            shares = [f"{path} {grouped(cost)} ({100 * cost / spent:.0f}%)" for cost, path in largest]
            template = f"{head} are more than the {{most}} allowed; most are in {{layers}}"
            facts["layers"], paths = ", ".join(shares), tuple(path for _, path in largest)
            yield Violation("budget", template, facts, limit.place, paths, "error")
        elif left_out:
            facts["layers"] = ", ".join(left_out[:_SHOWN])
            template = f"{head} of the {{most}} allowed: those of {{layers}} cannot be counted"
            yield Violation("budget", template, facts, limit.place, severity="error")
