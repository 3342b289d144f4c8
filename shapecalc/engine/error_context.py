"""Which part of a step an error is about, and where that is written."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.engine.step_names import label_of
from shapecalc.errors import Place, SpecError, Undecided, quote
from shapecalc.layers.base import Kind
from shapecalc.spec.spec_part import complaint_of
from shapecalc.spec.steps import MODIFIERS
from shapecalc.spec.tree import Step


class ErrorContext:
    """Adds to an error in a `with` block which part of the step it is about, and its place."""

    __slots__ = ("key", "names_key", "place")

    def __init__(self, key: str | int, place: Place | None = None, *, names_key: bool = True) -> None:
        self.key = key
        self.place = place
        self.names_key = names_key

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (SpecError, Undecided)) and not error.at:
            error.at = (self.key,)
            error.place = error.place or self.place or Place()
            if self.names_key:
                error.message = f"{self.key}: {error.message}"


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
    """Return the start of a sentence about a value, with the formula that it comes from."""
    return f"{written} is {quote(value)}," if isinstance(written, Formula) else f"{quote(value)} is"
