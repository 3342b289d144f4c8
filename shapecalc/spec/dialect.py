"""Layers written in Python, turned into the classes of the framework that their spec follows.

In Python one writes `Conv2d(...)`, torch's class, under either framework; where Keras has a class of its own
with the same kind, a Keras spec holds that class, made from the fields that are set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from shapecalc.errors import SpecError, nearest
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.fields import complaint
from shapecalc.spec.spec_part import complaint_of

if TYPE_CHECKING:
    from shapecalc.spec.tree import Step


def translated(steps: Sequence[Step], framework: str) -> tuple[Step, ...]:
    """Return the steps with every layer in the class of the framework; those that fit stay the same."""
    bodies = [(step, _body(step.body, framework)) for step in steps]
    return tuple(
        step if body is step.body else step.model_copy(update={"body": body}) for step, body in bodies
    )


def _body(body: Any, framework: str) -> Any:
    if not isinstance(body, Kind):
        steps = getattr(body, "steps", ())
        inner = translated(steps, framework)
        return body if _same(inner, steps) else body.model_copy(update={"steps": inner})
    if isinstance(body, Merge) and body.branches is not None:
        old = [branch for _, branch in body.branches]
        new = [branch if isinstance(branch, str) else translated(branch, framework) for branch in old]
        if not all(a is b or _same(a, b) for a, b in zip(new, old, strict=True)):
            names = [name for name, _ in body.branches]
            body = body.model_copy(update={"branches": tuple(zip(names, new, strict=True))})
    return body if registry.fits(type(body), framework) else _layer(body, framework)


def _same(steps: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(step is other for step, other in zip(steps, others, strict=True))


def _layer(layer: Kind, framework: str) -> Kind:
    if framework == "torch":
        raise complaint(
            f"{type(layer).__name__} follows the rules of {layer.framework}: "
            f"the model must say framework: {layer.framework}"
        )
    try:
        cls = registry.get(layer.kind, framework)
    except SpecError as error:
        raise complaint(error.message) from None
    fields = layer.fields_set()
    for name in fields:
        if name not in cls.model_fields:
            known = [*cls.model_fields]
            raise complaint(f"{layer.kind} has no field {name!r} in {framework}{nearest(name, known)}")
    try:
        return cls(**fields)
    except ValidationError as error:
        _, message, fact = complaint_of(error)
        raise complaint(f"{layer.kind} in {framework}: {message}", fact=fact) from None
