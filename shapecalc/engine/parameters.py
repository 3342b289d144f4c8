"""The values of a spec's parameters and inputs: defaults, overrides, and what is left free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from pydantic_core import PydanticCustomError

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.formula import Formula, unknown_name
from shapecalc.algebra.rational import LARGEST, Value, listed
from shapecalc.errors import FormulaError, Place, SpecError, nearest, quote, unknown
from shapecalc.layers.requirement import Shape, shown
from shapecalc.spec.spec_values import MOST_AXES, untyped
from shapecalc.spec.tree import RESERVED_PARAMETERS as RESERVED
from shapecalc.spec.tree import Spec

BATCH = "batch"
DEEPEST = 40
"""How deep the formulas of parameters may lean on each other."""

__all__ = ["BATCH", "RESERVED", "Parameters", "input_shapes"]


class Parameters:
    """Every parameter of a spec with its value; formulas are evaluated on first use."""

    def __init__(self, spec: Spec, chosen: Mapping[str, Any], free: Iterable[str] = ()) -> None:
        self.spec = spec
        self.values: dict[str, Value] = {}
        self.pending: list[str] = []
        known = [*spec.parameters]
        for name, value in chosen.items():
            if name not in spec.parameters:
                raise unknown(f"{spec.name} has no parameter", name, known, "parameters")
            self.values[name] = self.converted(name, value)
        for name in free:
            if name not in spec.parameters:
                raise SpecError(
                    f"{spec.name} has no parameter {quote(name)} to leave free{nearest(name, known)}",
                    hint=f"parameters: {', '.join(known) or 'none'}, and {BATCH}",
                )
            if name in chosen:
                raise SpecError(f"the parameter {name} is both set and left free: choose one")
            default = spec.parameters[name]
            if not (default is None or self.countable(default)):
                raise SpecError(
                    f"the parameter {name} is {quote(default)}, not an integer, so it cannot be left free"
                )
            self.values[name] = symbol(name, 0 if default == 0 else 1)

    def countable(self, default: Any) -> bool:
        """Say whether a default is a number or arithmetic, and so can be left free."""
        if isinstance(default, Formula):
            return not default.is_name or default.text in self.spec.parameters
        return isinstance(default, int) and not isinstance(default, bool)

    def converted(self, name: str, value: Any) -> Value:
        """Return a value that was chosen for a parameter, in the form that formulas use."""
        if isinstance(value, Expr):
            return value
        try:
            return self.evaluated(name, untyped(value), Place())
        except PydanticCustomError as error:
            raise SpecError(f"parameter {name}: {error.message()}") from None

    def __getitem__(self, name: str) -> Value:
        if name not in self.values:
            place = self.spec.place.of("parameters", name)
            if name in self.pending:
                circle = [*self.pending[self.pending.index(name) :], name]
                problem = (
                    "a parameter refers to itself"
                    if len(circle) == 2
                    else "parameters refer to each other in a circle"
                )
                raise SpecError(f"{problem}: {' -> '.join(circle[:10])}", place=place)
            if len(self.pending) > DEEPEST:
                raise SpecError(f"parameters refer to each other more than {DEEPEST} deep", place=place)
            self.pending.append(name)
            try:
                self.values[name] = self.evaluated(name, self.spec.parameters[name], place)
            finally:
                self.pending.pop()
        return self.values[name]

    def evaluated(self, name: str, value: Any, place: Place) -> Value:
        """Return the value of a parameter, which is written at a place in the spec or was passed in."""
        if not isinstance(value, (Formula, list)):
            plain: Value = value
            return plain
        if isinstance(value, Formula) and value.is_name and value.text not in self.spec.parameters:
            return value.text  # a bare word that names nothing is itself
        try:
            if isinstance(value, list):
                return listed([self.evaluated(name, item, place) for item in value])
            return value.evaluate(self)
        except FormulaError as error:
            raise SpecError(
                f"parameter {name}: {error.message}", place=place, hint=error.hint, fact=error.fact
            ) from None

    def lookup(self, name: str) -> Value:
        """Return the value of a name, for formulas among the parameters."""
        if name not in self.spec.parameters:
            raise unknown_name(name, [*self.spec.parameters])
        return self[name]

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Refuse: there is no tensor yet."""
        raise FormulaError("size needs a tensor, and a parameter has none")


def input_shapes(spec: Spec, parameters: Parameters, shape: Any, batch: Dim | None) -> dict[str, Shape]:
    """Return the shape of every input, the batch in front unless it is None or the spec's shapes include it.

    `shape`, of the first input or by name, replaces the declared shape, and a parameter that is there by its
    bare name takes the value in its place.
    """
    chosen = _by_name(spec, shape)
    for name, sizes in chosen.items():
        for declared, size in zip(spec.input[name], sizes, strict=False):
            if isinstance(declared, Formula) and declared.is_name and len(sizes) == len(spec.input[name]):
                if declared.text not in spec.parameters:
                    continue
                known = parameters.values.setdefault(declared.text, size)
                if known != size:
                    fixed = "left free" if isinstance(known, Expr) else quote(known)
                    cause = f"{_called(name)} of {shown(sizes)}"
                    raise SpecError(f"the parameter {declared.text} is {fixed}, but {cause} makes it {size}")
    shapes: dict[str, Shape] = {}
    front: Shape = () if batch is None or not spec.batched else (batch,)
    for name, declared_shape in spec.input.items():
        if name not in chosen:
            places = _places(spec, name, len(declared_shape))
            chosen[name] = tuple(map(_size, repeat(parameters), declared_shape, places))
        shapes[name] = (*front, *chosen[name])
    return shapes


def _places(spec: Spec, name: str, count: int) -> list[Place]:
    """Return where the sizes of an input are written: under its name, unless it is the only one."""
    written = spec.place.of("input")
    named = isinstance(written.parts, Mapping)
    return [written.of(name, axis) if named else written.of(axis) for axis in range(count)]


def _size(parameters: Parameters, declared: Any, place: Place) -> Dim:
    if not isinstance(declared, Formula):
        plain: Dim = declared
        return plain
    try:
        return _positive_size(declared.evaluate(parameters), str(declared))
    except FormulaError as error:
        raise SpecError(f"input: {error.message}", place=place, hint=error.hint, fact=error.fact) from None


def _by_name(spec: Spec, shapes: Any) -> dict[str, Shape]:
    if shapes is None:
        return {}
    if not isinstance(shapes, Mapping):
        shapes = {next(iter(spec.input)): shapes}
    by_name: dict[str, Shape] = {}
    for name, shape in shapes.items():
        if name not in spec.input:
            raise unknown(f"{spec.name} has no input", name, spec.input, "inputs")
        if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) >= MOST_AXES:
            raise SpecError(f"{_called(name)}: {quote(shape)} is not a shape, as (3, 224, 224) is")
        by_name[name] = tuple(_positive_size(size, _called(name)) for size in shape)
        _refuse_missing_axes(spec, name, by_name[name])
    return by_name


def _refuse_missing_axes(spec: Spec, name: str, shape: Shape) -> None:
    """Raise for fewer axes than are declared: layers would take the batch in front for channels."""
    declared = spec.input[name]
    missing = len(declared) - len(shape)
    if missing > 0 and spec.batched:
        axes = "one axis is" if missing == 1 else f"{missing} axes are"
        declares = f"{spec.name} declares {'x'.join(map(str, declared))} without the batch"
        raise SpecError(f"{_called(name)}: {axes} missing in {shown(shape)}: {declares}")


def _called(name: str) -> str:
    return "the input" if name == "input" else f"the input {name}"


def _positive_size(size: Any, what: str) -> Dim:
    if isinstance(size, Expr):
        return size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise FormulaError(f"{what}: {quote(size)} is not an integer of at least 1")
    if size > LARGEST:
        raise FormulaError(f"{what}: a size is larger than 10^18")
    return size
