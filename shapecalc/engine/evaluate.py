"""Asking layers, each distinct question once: the same layer on the same shapes is one answer."""

from __future__ import annotations

from shapecalc.errors import Failure, Undecided
from shapecalc.layers.base import Effect, Kind, Refused, Shapes


class Evaluator:
    """Applies layers and remembers the answers for the length of one walk."""

    def __init__(self) -> None:
        self.answers: dict[tuple[int, Shapes], Effect | Refused] = {}

    def apply(self, layer: Kind, inputs: Shapes) -> Effect | Refused:
        """Return the effect of a layer, or the refusal as a value; raise `Undecided` as it is.

        Layers are told apart by identity: the caller keeps them alive and makes equal ones one.
        """
        key = (id(layer), inputs)
        answer = self.answers.get(key)
        if answer is None:
            try:
                answer = layer.apply(inputs)
            except Refused as refusal:
                answer = refusal
            self.answers[key] = answer
        return answer


def failure(refusal: Refused, path: str, place: object) -> Failure:
    """Return a refusal as the failure of a layer."""
    from shapecalc.errors import Place

    needed = refusal.requirement
    where = place if isinstance(place, Place) else Place()
    return Failure(needed.code, needed.message, path=path, place=where, hint=needed.advice)


def at(undecided: Undecided, path: str) -> Undecided:
    """Return the same question with the layer that asked it."""
    return Undecided(f"{path}: {undecided}")
