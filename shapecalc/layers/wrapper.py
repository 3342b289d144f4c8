"""Layers around a layer: a weight that is computed from others each time it is used.

The layer keeps its shapes, its requirements and its cost; one of its weights is replaced. What is
multiplied to compute the weight is the same whatever the input, and by the convention is not counted.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, ValidationError

from shapecalc.errors import SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Component, Effect, Kind, Merge, Named, Shapes
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import Dependence
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, complaint
from shapecalc.layers.requirement import Refused, Requirement, Shape, checked
from shapecalc.layers.roles import Holds


class Held(Annotation):
    """A layer of a framework, or how a spec writes one: its kind alone, or its kind with its fields."""

    def __init__(self, framework: str = "torch") -> None:
        self.framework = framework

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: None}
        if isinstance(value, Mapping) and len(value) == 1:
            ((kind, fields),) = value.items()
            value = _made(str(kind), fields, self.framework)
        if not isinstance(value, Kind):
            raise complaint(f"{quote(value)} is not one layer: write its kind, and its fields under it")
        if isinstance(value, (Merge, Wrapper)):
            raise complaint(f"{value.kind} has no weight of its own")
        if type(value).framework not in (None, self.framework):
            return _made(value.kind, value.fields_set(), self.framework)
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "object", "minProperties": 1, "maxProperties": 1}, {"type": "string"}]}


def _made(kind: str, fields: Any, framework: str) -> Kind:
    """Return the layer that a spec writes; an error in it names the field it is about."""
    from shapecalc.layers.registry import get

    if fields is None:
        fields = {}
    if not isinstance(fields, Mapping):
        raise complaint(f"{kind} takes its fields as a mapping, not {quote(fields)}", kind)
    try:
        cls = get(kind, framework)
    except SpecError as error:
        raise complaint(error.message, kind, fact=error.fact) from None
    for name in fields:
        if name not in cls.model_fields or name == "branches":
            known = [*cls.model_fields]
            message = f"{kind} has no field {quote(name)}{nearest(name, known)}"
            raise complaint(message, kind, str(name), fact=WrongWord(name, known))
    try:
        return cls(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        context = first.get("ctx", {})
        at = (*first["loc"], *context.get("at", ()))
        if first["type"] == "missing":
            raise complaint(f"{kind} needs {at[-1]}", kind) from None
        message = f"{'.'.join(map(str, at))}: {first['msg']}"
        raise complaint(message, kind, *at, fact=context.get("fact")) from None


def apply_inside(kind: str, layer: Kind, inputs: Shapes) -> Effect:
    """Return the effect of a layer inside another; what it refuses is said in the name of the outer kind."""
    try:
        return layer.apply(inputs)
    except Refused as refused:
        needed = refused.requirement
        raise Refused(needed.saying(f"{kind}: {needed.message}")) from None


class Wrapper(Kind):
    """What layers around a layer share: which layer it is, and which of its weights is replaced."""

    family = Family.WRAPPER
    unknown_dependence = ("channels", "it sees what the layer inside sees, and says what that says")
    framework = "torch"

    layer: Annotated[Kind, Held(), Holds()] = Field(description="The layer, as a step would write it.")
    name: str = Field("weight", description="The weight that is replaced.")

    def apply(self, inputs: Shapes) -> Effect:
        """Ask the layer, and replace the weight."""
        effect = apply_inside(self.kind, self.layer, inputs)
        own = [name for name in effect.weights if "." not in name]
        names = ", ".join(own) or "none"
        says = f"{self.kind}: {self.layer.kind} has no weight {quote(self.name)}; it has {names}"
        conditions = checked([Requirement("weight", int(self.name in own), "==", 1, says)])
        weight = effect.weights[self.name]
        conditions += checked(self.requirements(weight))
        kept = {name: shape for name, shape in effect.weights.items() if name != self.name}
        return replace(
            effect,
            weights=kept | self.replaced(weight),
            buffers=effect.buffers | self.kept(weight),
            conditions=(*effect.conditions, *conditions),
        )

    @property
    def acts_as(self) -> Family:
        return self.layer.acts_as

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return self.layer.depends_on(inputs, result)

    @abstractmethod
    def requirements(self, weight: Shape) -> list[Requirement]:
        """Return what the weight must satisfy."""

    @abstractmethod
    def replaced(self, weight: Shape) -> Named:
        """Return the weights that replace it."""

    @abstractmethod
    def kept(self, weight: Shape) -> Named:
        """Return the buffers that come with them."""

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return (Component(self.layer, inputs),)

    def operations_on(self, inputs: Shapes) -> Operations | None:
        inside = self.layer.operations_on(inputs)
        weight = self.layer.apply(inputs).weights[self.name]
        return None if inside is None else inside + self.computing(weight)

    @abstractmethod
    def computing(self, weight: Shape) -> Operations:
        """Return the single operations that compute the weight."""
