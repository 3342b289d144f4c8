"""What a step is called, and how an error says which part of it is meant."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.errors import Place, SpecError, Undecided, quote
from shapecalc.layers.base import Kind
from shapecalc.spec.steps import MODIFIERS
from shapecalc.spec.tree import Call, Sequential, Side, Step
from shapecalc.spec.tree_node import complaint_of


class ErrorContext:
    """Says of an error in a `with` block which part of the step it is about, and where that stands."""

    __slots__ = ("is_told", "key", "place")

    def __init__(self, key: str | int, place: Place | None = None, *, is_told: bool = True) -> None:
        self.key = key
        self.place = place
        self.is_told = is_told

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (SpecError, Undecided)) and not error.at:
            error.at = (self.key,)
            error.place = error.place or self.place or Place()
            if self.is_told:
                error.message = f"{self.key}: {error.message}"


def automatic_name(step: Step, taken: dict[str, int]) -> str:
    """Return `conv2d`, `conv2d_2`, … for unnamed steps, passing over names that were given."""
    label = label_of(step)
    while True:
        taken[label] = taken.get(label, 0) + 1
        key = label if taken[label] == 1 else f"{label}_{taken[label]}"
        if key == label or key not in taken:
            return key


def label_of(step: Step) -> str:
    """Return what an unnamed step is called after: its kind, its block, or the step that it shares."""
    body = step.body
    if isinstance(body, Kind):
        return body.kind
    if isinstance(body, Call):
        return body.callee
    if isinstance(body, Sequential):
        return "side" if isinstance(body, Side) else "sequential"
    names = [part for part in (step.share or "").split(".") if not part.isdigit()]
    return names[-1] if names else "share"


def place_in(step: Step, at: tuple[str | int, ...]) -> Place:
    """Return where a part of a step is written: a modifier, or something inside its body."""
    return step.place.of(*at) if at and at[0] in MODIFIERS else step.place.of(label_of(step), *at)


def field_error(error: ValidationError, layer: Kind | None = None) -> SpecError:
    """Return a complaint about a field, together with the formula whose value is not legal there."""
    keys, message, fact = complaint_of(error)
    written = getattr(layer, str(keys[0])) if layer and keys else None
    if isinstance(written, Formula) and written.text != keys[0]:
        message = message.replace(f"{keys[0]}: ", f"{keys[0]}: in {quote(written.text)}: ", 1)
    return SpecError(message, at=keys, fact=fact)


def has_value(written: Any, value: Any) -> str:
    """Return the start of a sentence about a value that a formula has, or that stands there itself."""
    return f"{written} is {quote(value)}," if isinstance(written, Formula) else f"{quote(value)} is"
