"""From the arguments of `Model.solve` to the question that is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import PydanticCustomError

from shapecalc.errors import SpecError, Undecided, quote
from shapecalc.layers.fields import exact
from shapecalc.report.report import Report
from shapecalc.sizes.question import Question
from shapecalc.solving.budget_answer import Budget, Number
from shapecalc.solving.costs import BudgetQuery, Measured, solve_budget
from shapecalc.solving.features import Features, solve_features
from shapecalc.solving.inputs import Inputs, solve_inputs
from shapecalc.spec.tree import Spec

if TYPE_CHECKING:
    from shapecalc.memory.memory_use import MemoryUse

QUESTIONS = ("output", "params", "macs", "memory", "in_features")


def answer(
    spec: Spec,
    analyze: Callable[..., Report],
    measure: Callable[..., MemoryUse],
    arguments: Mapping[str, Any],
) -> Inputs | Budget | Features:
    """Answer the question among the arguments; the others are its options."""
    named = [name for name in QUESTIONS if arguments.get(name) is not None]
    if len(named) != 1:
        several = " and ".join(named) or "nothing"
        raise SpecError(f"solve for one of {', '.join(QUESTIONS)}, not for {several}")
    (quantity,) = named
    if quantity in ("output", "in_features") and not spec.batched:
        raise SpecError(f"the sizes of {spec.name} include the batch: this needs a network with a batch axis")
    options = {name: value for name, value in arguments.items() if name not in QUESTIONS}
    if quantity == "memory":
        return _budget(spec, _memory(measure, options), quantity, arguments[quantity], **options)
    if quantity in ("params", "macs"):
        return _budget(spec, _cost(analyze, quantity), quantity, arguments[quantity], **options)
    input_ = options.pop("input", None)
    if quantity == "in_features":
        layer = arguments["in_features"]
        return solve_features(Question(spec, input_, options), None if layer is True else layer)
    output = arguments["output"]
    target = (output,) if isinstance(output, int) else tuple(output)
    at, rebuild = options.pop("at", None), options.pop("rebuild", False)
    return solve_inputs(Question(spec, input_, options, rebuild, at=at, target=target))


Measure: TypeAlias = Callable[..., Measured]


def _cost(analyze: Callable[..., Report], quantity: str) -> Measure:
    """Return what measures a cost of a report."""

    def measured(**arguments: Any) -> Measured:
        report = analyze(**arguments)
        if quantity == "macs" and not report.complete:
            left_out = ", ".join(report.not_counted[:3])
            raise Undecided(f"the multiply-accumulates are only known to be at least a number: {left_out}")
        amount = report.params if quantity == "params" else report.macs
        return Measured(amount, [each.requirement.relation for each in report.conditions])

    return measured


def _memory(measure: Callable[..., MemoryUse], options: dict[str, Any]) -> Measure:
    """Return what measures the peak of memory, with the options of how the network runs."""
    how = {name: options.pop(name) for name in ("training", "optimizer", "dtype") if name in options}
    options.setdefault("aim", "at_most")

    def measured(**arguments: Any) -> Measured:
        use = measure(**arguments, **how)
        if not use.complete:
            raise Undecided(f"the bytes are only known to be at least a number: {', '.join(use.unknown[:3])}")
        return Measured(use.peak, use.conditions, str(use.at) if len(use.peaks) == 1 else "")

    return measured


def _budget(
    spec: Spec,
    measure: Measure,
    quantity: str,
    target: int,
    *,
    free: str | Sequence[str] = (),
    multiple_of: Any = 1,
    between: Sequence[Any] | None = None,
    aim: str = "nearest",
    input: Any = None,  # noqa: A002
    **parameters: Any,
) -> Budget:
    if between is not None and len(between) != 2:
        raise SpecError(f"between is the first and the last value, not {quote(between)}")
    sides = None if between is None else (_number(between[0]), _number(between[1]))

    def measured(values: Mapping[str, Any], symbolic: Sequence[str]) -> Measured:
        return measure(input=input, symbolic=symbolic or False, **values)

    names = (free,) if isinstance(free, str) else tuple(free)
    return solve_budget(
        BudgetQuery(spec, measured, quantity, target, names, _number(multiple_of), sides, aim, parameters)
    )


def _number(value: Any) -> Number:
    if isinstance(value, bool):
        raise SpecError(f"{quote(value)} is not a number")
    try:
        return value if isinstance(value, (int, Fraction)) else exact(value)
    except PydanticCustomError as error:
        raise SpecError(error.message()) from None
