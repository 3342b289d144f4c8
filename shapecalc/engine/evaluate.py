"""Applying layers, each once to the same shapes."""

from __future__ import annotations

from shapecalc.algebra import Expr
from shapecalc.algebra.rational import LARGEST
from shapecalc.errors import Failure, Place, Undecided
from shapecalc.layers.base import Effect, Kind, Shapes
from shapecalc.layers.requirement import Refused, Requirement
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
            try:
                answer = layer.apply(inputs)
                _refuse_too_large(layer, answer)
            except Refused as refusal:
                answer = refusal
            self.answers[key] = answer
        return answer


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
