"""The values of a spec's parameters and inputs: defaults, overrides, and what is left free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.formula import LARGEST, Formula, Value, unknown_name
from shapecalc.errors import FormulaError, SpecError, nearest, quote
from shapecalc.layers.base import Shape, shown
from shapecalc.spec.tree import RESERVED_PARAMETERS as RESERVED
from shapecalc.spec.tree import Spec, untyped

BATCH = "batch"

__all__ = ["BATCH", "RESERVED", "Parameters", "input_shapes"]


class Parameters:
    """Every parameter of a spec with its value; formulas are evaluated on first use."""

    def __init__(self, spec: Spec, given: Mapping[str, Any], free: Iterable[str] = ()) -> None:
        self.spec = spec
        self.values: dict[str, Value] = {}
        self.pending: list[str] = []
        known = [*spec.parameters]
        for name, value in given.items():
            if name not in spec.parameters:
                raise SpecError(
                    f"{spec.name} has no parameter {quote(name)}{nearest(name, known)}",
                    hint=f"parameters: {', '.join(known) or 'none'}",
                )
            self.values[name] = self.settled(name, value)
        for name in free:
            if name not in spec.parameters:
                raise SpecError(
                    f"{spec.name} has no parameter {quote(name)} to leave free{nearest(name, known)}",
                    hint=f"parameters: {', '.join(known) or 'none'}, and {BATCH}",
                )
            default = spec.parameters[name] if name not in self.values else self.values[name]
            if isinstance(default, (bool, list)) or (default is not None and not _countable(default)):
                raise SpecError(f"the parameter {name} is not a whole number, so it cannot be left free")
            self.values[name] = symbol(name, 0 if default == 0 else 1)

    def settled(self, name: str, value: Any) -> Value:
        """Return a value that was given for a parameter, in the form that formulas use."""
        if isinstance(value, Expr):
            return value
        try:
            found = untyped(value)
        except PydanticCustomError as error:
            raise SpecError(f"{name}: {error.message()}") from None
        return self.evaluated(name, found)

    def __getitem__(self, name: str) -> Value:
        if name not in self.values:
            if name in self.pending:
                circle = " -> ".join([*self.pending[self.pending.index(name) :], name])
                raise SpecError(
                    f"parameters refer to each other in a circle: {circle}", place=self.spec.place
                )
            self.pending.append(name)
            self.values[name] = self.evaluated(name, self.spec.parameters[name])
            self.pending.pop()
        return self.values[name]

    def evaluated(self, name: str, value: Any) -> Value:
        if isinstance(value, list):
            return [self.evaluated(name, item) for item in value]
        if not isinstance(value, Formula):
            plain: Value = value
            return plain
        if value.is_name and value.text not in self.spec.parameters:
            return value.text  # a bare word that names nothing is itself
        try:
            return value.evaluate(self)
        except FormulaError as error:
            raise SpecError(
                f"parameter {name}: {error.message}", place=self.spec.place, hint=error.hint
            ) from None

    def lookup(self, name: str) -> Value:
        """Return the value of a name, for formulas among the parameters."""
        if name not in self.spec.parameters:
            raise unknown_name(name, [*self.spec.parameters])
        return self[name]

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Refuse: there is no tensor yet."""
        raise FormulaError("size needs a tensor, and a parameter has none")


def _countable(value: Value) -> bool:
    return isinstance(value, (int, Expr, Formula))


def input_shapes(spec: Spec, parameters: Parameters, given: Any, batch: Dim | None) -> dict[str, Shape]:
    """Return the shape of every input, the batch in front unless it is None.

    A given shape replaces the declared one, and a parameter that stands there by its bare name
    takes the value found in its place.
    """
    chosen = _by_name(spec, given)
    for name, shape in chosen.items():
        for declared, size in zip(spec.input[name], shape, strict=False):
            if isinstance(declared, Formula) and declared.is_name and len(shape) == len(spec.input[name]):
                known = parameters.values.get(declared.text)
                if known is not None and known != size and declared.text in parameters.spec.parameters:
                    raise SpecError(
                        f"{declared.text} is {known}, but the input {name} of {shown(shape)} makes it {size}"
                    )
                if declared.text in parameters.spec.parameters:
                    parameters.values[declared.text] = size
    shapes: dict[str, Shape] = {}
    front: Shape = () if batch is None else (batch,)
    for name, declared_shape in spec.input.items():
        sizes = chosen.get(name) or tuple(_size(spec, parameters, name, one) for one in declared_shape)
        shapes[name] = (*front, *sizes)
    return shapes


def _size(spec: Spec, parameters: Parameters, name: str, declared: Any) -> Dim:
    if not isinstance(declared, Formula):
        plain: Dim = declared
        return plain
    try:
        return _whole_size(declared.evaluate(parameters), name)
    except FormulaError as error:
        raise SpecError(f"input {name}: {error.message}", place=spec.place, hint=error.hint) from None


def _by_name(spec: Spec, given: Any) -> dict[str, Shape]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise SpecError(f"the input {quote(given)} is not a shape")
        given = {next(iter(spec.input)): given}
    found: dict[str, Shape] = {}
    for name, shape in given.items():
        if name not in spec.input:
            raise SpecError(
                f"{spec.name} has no input {quote(name)}{nearest(str(name), [*spec.input])}",
                hint=f"inputs: {', '.join(spec.input)}",
            )
        found[name] = tuple(_whole_size(size, name) for size in shape)
    return found


def _whole_size(size: Any, name: str) -> Dim:
    if isinstance(size, Expr):
        return size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise SpecError(f"a size of the input {name} must be a whole number of at least 1, not {quote(size)}")
    if size > LARGEST:
        raise SpecError(f"a size of the input {name} is larger than 10^18")
    return size
