"""Layers around a layer: a weight that is computed from others each time it is used.

The layer keeps its shapes, its requirements and its cost; one of its weights is replaced. What is
multiplied to compute the weight is the same whatever the input, and by the convention is not counted.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field, ValidationError

from shapecalc.algebra import product
from shapecalc.errors import SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Component, Effect, Kind, Merge, Named, Shapes
from shapecalc.layers.counts import Operations, norm
from shapecalc.layers.dependence import Dependence
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, Count, Flag, Integer, Nullable, Real, complaint
from shapecalc.layers.requirement import Refused, Requirement, Shape, axis_exists, checked
from shapecalc.layers.roles import Holds


class Held(Annotation):
    """A layer, or how a spec writes one: its kind alone, or its kind with its fields."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: None}
        if isinstance(value, Mapping) and len(value) == 1:
            ((kind, fields),) = value.items()
            value = _made(str(kind), fields)
        if not isinstance(value, Kind):
            raise complaint(f"{quote(value)} is not one layer: write its kind, and its fields under it")
        if isinstance(value, (Merge, Wrapper)):
            raise complaint(f"{value.kind} has no weight of its own")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "object", "minProperties": 1, "maxProperties": 1}, {"type": "string"}]}


def _made(kind: str, fields: Any) -> Kind:
    """Return the layer that a spec writes; an error in it names the field it is about."""
    from shapecalc.layers.registry import get

    if fields is None:
        fields = {}
    if not isinstance(fields, Mapping):
        raise complaint(f"{kind} takes its fields as a mapping, not {quote(fields)}", kind)
    try:
        cls = get(kind)
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


class Wrapper(Kind):
    """What layers around a layer share: which layer it is, and which of its weights is replaced."""

    family = Family.WRAPPER
    unknown_dependence = ("channels", "it sees what the layer inside sees, and says what that says")
    framework = "torch"

    layer: Annotated[Kind, Held(), Holds()] = Field(description="The layer, as a step would write it.")
    name: str = Field("weight", description="The weight that is replaced.")

    def apply(self, inputs: Shapes) -> Effect:
        """Ask the layer, and replace the weight."""
        try:
            effect = self.layer.apply(inputs)
        except Refused as refused:
            needed = refused.requirement
            raise Refused(needed.saying(f"{self.kind}: {needed.message}")) from None
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


class WeightNorm(Wrapper, torch="torch.nn.utils.parametrizations.weight_norm"):
    """A layer whose weight is g·v/|v|: a length and a direction are learned in place of the weight.

    The norm is taken of what is at each position of axis `dim`, or of the complete weight if dim is null or
    -1. The weight W becomes `parametrizations.weight.original0`, the lengths, W's shape with 1 on all axes
    but dim, and `parametrizations.weight.original1`, of W's shape; with legacy, torch's older function,
    `weight_g` and `weight_v`. Shapes and MACs are those of the layer. Refuses a weight that the layer does
    not have, and an axis that the weight does not have. Source: Salimans and Kingma, 2016.

    >>> from shapecalc.layers import Linear
    >>> WeightNorm(layer=Linear(out_features=40), legacy=True).apply(((1, 20),)).weights
    {'bias': (40,), 'weight_g': (40, 1), 'weight_v': (40, 20)}
    """

    dim: Annotated[int | None, Nullable(Integer(may_be_free=False))] = 0
    legacy: Flag = False

    def requirements(self, weight: Shape) -> list[Requirement]:
        if self.dim in (None, -1):
            return []
        return [*axis_exists(self.kind, "dim", self.dim, len(weight), weight)]

    def replaced(self, weight: Shape) -> Named:
        if self.legacy:
            return {f"{self.name}_g": self._lengths(weight), f"{self.name}_v": weight}
        original = f"parametrizations.{self.name}.original"
        return {f"{original}0": self._lengths(weight), f"{original}1": weight}

    def kept(self, weight: Shape) -> Named:
        return {}

    def _lengths(self, weight: Shape) -> Shape:
        if self.dim is None or self.dim == -1:
            return ()
        axis = self.dim % len(weight)
        return tuple(size if number == axis else 1 for number, size in enumerate(weight))

    def computing(self, weight: Shape) -> Operations:
        """g·v/|v|: the norm of every direction, the factor g/|v|, and every number times it."""
        numbers, lengths = product(weight), product(self._lengths(weight))
        return norm(2, numbers, lengths) + Operations(divisions=lengths, multiplications=numbers)


class SpectralNorm(Wrapper, torch="torch.nn.utils.parametrizations.spectral_norm"):
    """A layer whose weight is divided by its largest singular value, which is approximated step by step.

    The weight W is seen as a matrix with the axis `dim` as its rows: 0 if left out, 1 for transposed
    convolutions. It becomes `parametrizations.weight.original`, of W's shape, with the buffers
    `parametrizations.weight.0._u: [rows]` and `parametrizations.weight.0._v: [columns]`, which a weight of
    one axis does not need; with legacy, torch's older function, `weight_orig`, `weight_u` and `weight_v`.
    Shapes and MACs are those of the layer. Refuses what `weight_norm` refuses. Source: Miyato et al., 2018.

    >>> from shapecalc.layers import Conv2d
    >>> layer = SpectralNorm(layer=Conv2d(out_channels=64, kernel_size=3))
    >>> layer.apply(((1, 3, 32, 32),)).buffers
    {'parametrizations.weight.0._u': (64,), 'parametrizations.weight.0._v': (27,)}
    """

    n_power_iterations: Count = 1
    eps: Real = Fraction(1, 1_000_000_000_000)
    dim: Annotated[int | None, Nullable(Integer(may_be_free=False))] = None
    legacy: Flag = False

    def requirements(self, weight: Shape) -> list[Requirement]:
        needed = [*axis_exists(self.kind, "dim", self._axis(), len(weight), weight)]
        if self.legacy:
            says = f"{self.kind}: with legacy, axes count from the front, and dim = {self._axis()} does not"
            needed.append(Requirement("axis", self._axis(), ">=", 0, says))
        return needed

    def replaced(self, weight: Shape) -> Named:
        return {f"{self.name}_orig" if self.legacy else f"parametrizations.{self.name}.original": weight}

    def kept(self, weight: Shape) -> Named:
        axis = self._axis() % len(weight)
        columns = product(replaced(weight, axis))
        if self.legacy:
            return {f"{self.name}_u": (weight[axis],), f"{self.name}_v": (columns,)}
        if len(weight) == 1:
            return {}
        start = f"parametrizations.{self.name}.0."
        return {f"{start}_u": (weight[axis],), f"{start}_v": (columns,)}

    def _axis(self) -> int:
        if self.dim is not None:
            return self.dim
        return int(self.layer.kind.startswith("conv_transpose"))

    def computing(self, weight: Shape) -> Operations:
        """W/(uᵀ·W·v), u and v being kept; a weight of one axis is divided by its norm, held above eps."""
        numbers = product(weight)
        if not self.kept(weight):
            return norm(2, numbers, 1) + Operations(comparisons=1, divisions=numbers)
        rows = weight[self._axis() % len(weight)]
        return Operations(multiplications=numbers + rows, additions=numbers - 1, divisions=numbers)
