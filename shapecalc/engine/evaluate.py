"""Applying layers, each once to the same shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shapecalc.algebra import Expr
from shapecalc.algebra.rational import LARGEST
from shapecalc.errors import Failure, Place, Undecided
from shapecalc.layers.base import Effect, Kind, Shapes
from shapecalc.layers.fields import Annotation
from shapecalc.layers.requirement import Refused, Requirement, checked, shown
from shapecalc.spec.spec_values import MOST_AXES


class Evaluator:
    """Applies layers, and caches the answers for the length of one inference."""

    def __init__(self) -> None:
        self.answers: dict[tuple[int, Shapes], Effect | Refused] = {}

    def apply(self, layer: Kind, inputs: Shapes) -> Effect | Refused:
        """Return the effect of a layer, or the refusal as a value; raise `Undecided` as it is.

        Layers are distinguished by identity: the caller keeps them alive and interns equal ones.
        """
        key = (id(layer), inputs)
        answer = self.answers.get(key)
        if answer is None:
            if not layer.takes_empty:
                _undecided_if_empty(layer, inputs)
            try:
                bounds = checked(_bounds(layer))
                answer = layer.apply(inputs)
                if bounds:
                    answer = replace(answer, conditions=(*bounds, *answer.conditions))
                _refuse_too_large(layer, answer)
            except Refused as refusal:
                answer = refusal
            self.answers[key] = answer
        return answer


def _undecided_if_empty(layer: Kind, inputs: Shapes) -> None:
    for x in inputs:
        if any(isinstance(n, int) and n == 0 for n in x):
            raise Undecided(f"{layer.kind}: whether it takes {shown(x)}, which has no elements, is not known")


def _bounds(layer: Kind) -> Iterator[Requirement]:
    """Require that fields with free sizes in them keep their bounds: `size(2) - 3` may be 0."""
    for name, value in vars(layer).items():
        if isinstance(value, (Expr, tuple)) and (field := type(layer).model_fields.get(name)):
            for rule in (rule for rule in field.metadata if isinstance(rule, Annotation)):
                for left, op, right in rule.left_open(value):
                    which = "less" if op == ">=" else "more"
                    says = f"{layer.kind}: {name}: {left} is {which} than {right}"
                    yield Requirement("spec", left, op, right, says)


def _refuse_too_large(layer: Kind, effect: Effect) -> None:
    """Refuse a result that no machine holds, before its numbers grow too long to write down."""
    axes, elements = max(map(len, effect.outputs)), effect.elements
    if isinstance(elements, Expr):
        elements = max(abs(coefficient) for _, coefficient in elements.terms)
    if axes > MOST_AXES:
        says = f"{layer.kind}: the output has {axes:,} axes, more than the {MOST_AXES} of a tensor"
        raise Refused(Requirement("too-large", MOST_AXES, ">=", axes, says))
    if elements > LARGEST:
        says = f"{layer.kind}: the output has more than 10^18 elements"
        raise Refused(Requirement("too-large", LARGEST, ">=", elements, says))


def failure(refusal: Refused, layer: Kind, path: str, place: Place) -> Failure:
    """Return a refusal as the failure of a layer, at its kind in the spec."""
    needed = refusal.requirement.as_data()
    place = place.of(layer.kind)
    return Failure(needed.code, needed.message, path, place, hint=needed.advice, fact=needed)


def at(undecided: Undecided, path: str, place: Place) -> Undecided:
    """Return the same error with the layer that it is about."""
    if undecided.path:
        return undecided
    return Undecided(undecided.message, path=path, place=place, hint=undecided.hint)
