"""The types of layer fields: numbers that may still be formulas over a spec's parameters.

A field holds an `int` (or an `Expr` when a size was left free) once a layer is resolved; before
that, in a spec, it may hold a `Formula`. The bounds stand in the annotations, where validation, the
JSON Schema and the test strategies all read them.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.expr import bounded
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import LARGEST, Quotient
from shapecalc.errors import Fact, FormulaError, OutOfBounds, WrongWord, quote


def complaint(message: str, *at: str | int, fact: Fact | None = None) -> PydanticCustomError:
    """Return a validation error that shows exactly this message, about the part that `at` leads to."""
    return PydanticCustomError("shapecalc", "{message}", {"message": message, "at": at, "fact": fact})


def inside(key: str | int, check: Callable[..., Any], *given: Any) -> Any:
    """Return what a check returns; a complaint that it raises is about the part `key`."""
    try:
        return check(*given)
    except PydanticCustomError as error:
        context = error.context or {}
        at, fact = context.get("at", ()), context.get("fact")
        raise complaint(error.message(), key, *at, fact=fact) from None


def as_formula(text: str) -> Formula | int | Fraction:
    """Read a text as spec arithmetic; a text without names is the number itself."""
    try:
        formula = Formula.parse(text)
        if formula.names or "size" in formula.text:
            return formula
        value = formula.evaluate(_NOTHING)
    except FormulaError as error:
        raise complaint(error.message, fact=error.fact) from None
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return value
    raise complaint(f"{quote(text)} is not a number")


class _Nothing:
    """The empty scope, for texts that name nothing."""

    def lookup(self, name: str) -> Any:
        raise FormulaError(f"unknown name {quote(name)}")

    def size(self, tensor: str | None, axis: int) -> Dim:
        raise FormulaError("size needs a tensor")


_NOTHING = _Nothing()


class Annotation:
    """A pydantic annotation made of one function and one piece of JSON Schema."""

    def check(self, value: Any) -> Any:
        """Return the value as the field keeps it, or raise a `complaint`."""
        raise complaint(f"{quote(value)} is not legal here")

    def json_schema(self) -> dict[str, Any]:
        """Return what an editor needs to know."""
        return {}

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema()


_FORMULA_SCHEMA = {"type": "string", "description": "an expression over the parameters in scope"}


class Integer(Annotation):
    """An integer with bounds, an expression in what was left free, or a formula."""

    def __init__(
        self, minimum: int | None = None, maximum: int | None = None, *, may_be_free: bool = True
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.may_be_free = may_be_free

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = as_formula(value)
        if isinstance(value, Formula):
            return value
        if isinstance(value, Expr) and not self.may_be_free:
            raise complaint(f"{value} must be a number here, it cannot be left free")
        if isinstance(value, Quotient) or (
            isinstance(value, (float, Fraction)) and not isinstance(value, bool)
        ):
            if isinstance(value, Fraction) and value.denominator == 1:
                raise complaint(f"{_shown(value)} is written as a decimal: write {quote(value.numerator)}")
            raise complaint(f"{_shown(value)} is not a whole number (// divides and rounds down)")
        if not isinstance(value, (int, Expr)) or isinstance(value, bool):
            raise complaint(f"{quote(value)} is not a whole number")
        if isinstance(value, int) and abs(value) > LARGEST:
            raise complaint("a number is larger than 10^18")
        if self.minimum is not None and bounded(value, ">=", self.minimum) is False:
            raise _beyond(value, "less", self.minimum)
        if self.maximum is not None and bounded(value, "<=", self.maximum) is False:
            raise _beyond(value, "more", self.maximum)
        return value

    def json_schema(self) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "integer"}
        if self.minimum is not None:
            number["minimum"] = self.minimum
        if self.maximum is not None:
            number["maximum"] = self.maximum
        return {"anyOf": [number, _FORMULA_SCHEMA]}


class Decimal(Annotation):
    """An exact rational with bounds, or a formula: decimals never pass through a float."""

    def __init__(self, minimum: int | None = None, maximum: int | None = None) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = as_formula(value)
        if isinstance(value, Formula):
            return value
        if isinstance(value, float):
            value = exact(value)
        if not isinstance(value, (int, Fraction)) or isinstance(value, bool):
            raise complaint(f"{quote(value)} is not a number")
        if self.minimum is not None and value < self.minimum:
            raise _beyond(value, "less", self.minimum)
        if self.maximum is not None and value > self.maximum:
            raise _beyond(value, "more", self.maximum)
        return value

    def json_schema(self) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "number"}
        if self.minimum is not None:
            number["minimum"] = self.minimum
        if self.maximum is not None:
            number["maximum"] = self.maximum
        return {"anyOf": [number, _FORMULA_SCHEMA]}


class Each(Annotation):
    """One value for all, or a list of them: one per axis, or as many as `lengths` allows."""

    def __init__(self, item: Annotation, lengths: tuple[int, ...] | None = None) -> None:
        self.item = item
        self.lengths = lengths
        self.per_axis = lengths is None

    def check(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return self.item.check(value)
        if self.lengths is not None and len(value) not in self.lengths:
            wanted = " or ".join(map(str, self.lengths))
            raise complaint(f"{quote(list(value))} has {len(value)} numbers, not {wanted}")
        return tuple(inside(index, self.item.check, one) for index, one in enumerate(value))

    def json_schema(self) -> dict[str, Any]:
        items: dict[str, Any] = {"type": "array", "items": self.item.json_schema()}
        if self.lengths is not None:
            items |= {"minItems": min(self.lengths), "maxItems": max(self.lengths)}
        return {"anyOf": [*self.item.json_schema().get("anyOf", []), items]}


class Listed(Annotation):
    """A list of values of one type, never a bare value."""

    def __init__(self, item: Annotation, shortest: int = 0) -> None:
        self.item = item
        self.shortest = shortest

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = as_formula(value)
        if isinstance(value, Formula):
            return value
        if not isinstance(value, (list, tuple)):
            raise complaint(f"{quote(value)} is not a list")
        if len(value) < self.shortest:
            raise complaint(f"{quote(list(value))} has fewer than {self.shortest} entries")
        return tuple(inside(index, self.item.check, one) for index, one in enumerate(value))

    def json_schema(self) -> dict[str, Any]:
        items = {"type": "array", "items": self.item.json_schema(), "minItems": self.shortest}
        return {"anyOf": [items, _FORMULA_SCHEMA]}


class Nullable(Annotation):
    """A value that may be left out, and then is inferred or absent."""

    def __init__(self, item: Annotation) -> None:
        self.item = item

    def check(self, value: Any) -> Any:
        return None if value is None else self.item.check(value)

    def json_schema(self) -> dict[str, Any]:
        inner = self.item.json_schema()
        return {"anyOf": [*inner.get("anyOf", [inner]), {"type": "null"}]}


class OneOf(Annotation):
    """One of several words, or else what another annotation allows."""

    def __init__(self, words: tuple[str, ...], otherwise: Annotation | None = None) -> None:
        self.words = words
        self.otherwise = otherwise

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.words:
            return value  # a literal beats a parameter of the same name
        if isinstance(value, Formula):
            return value
        if self.otherwise is not None:
            return self.otherwise.check(value)
        if isinstance(value, str) and value.isidentifier():
            return Formula.parse(value)
        fact = WrongWord(value, self.words, is_choice=True) if isinstance(value, str) else None
        raise complaint(f"{quote(value)} is not one of {', '.join(self.words)}", fact=fact)

    def json_schema(self) -> dict[str, Any]:
        words = {"enum": list(self.words)}
        if self.otherwise is None:
            return {"anyOf": [words, _FORMULA_SCHEMA]}
        inner = self.otherwise.json_schema()
        return {"anyOf": [words, *inner.get("anyOf", [inner])]}


class Truth(Annotation):
    """True or false, or a formula."""

    def check(self, value: Any) -> Any:
        if isinstance(value, (bool, Formula)):
            return value
        if isinstance(value, str):
            try:
                return Formula.parse(value)
            except FormulaError as error:
                raise complaint(error.message, fact=error.fact) from None
        raise complaint(f"{quote(value)} is not true or false")

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "boolean"}, _FORMULA_SCHEMA]}


def exact(value: float) -> int | Fraction:
    """Return the decimal that a float is written as, exactly.

    >>> exact(0.29)
    Fraction(29, 100)
    """
    try:
        found = Fraction(repr(value))
    except ValueError:
        raise complaint(f"{value} is not a number") from None
    if max(abs(found.numerator), found.denominator) > LARGEST:
        raise complaint(f"{value} has too many digits or is too large")
    return found.numerator if found.denominator == 1 else found


def _beyond(value: Any, which: str, bound: int) -> PydanticCustomError:
    return complaint(f"{_shown(value)} is {which} than {bound}", fact=OutOfBounds(_shown(value), bound))


def _shown(value: Any) -> str:
    if isinstance(value, Fraction):
        decimal = float(value)
        return repr(decimal) if Fraction(repr(decimal)) == value else str(value)
    return str(value)


PerAxis: TypeAlias = Dim | tuple[Dim, ...]
PerSide: TypeAlias = Dim | tuple[Dim | tuple[Dim, Dim], ...]

Count = Annotated[Dim, Integer(1)]
"""An integer of at least one: channels, features, groups."""
Extent = Annotated[Dim, Integer(0)]
"""An integer of at least zero: padding."""
Index = Annotated[int, Integer(may_be_free=False)]
"""Any integer: an axis, counted from the end when negative."""
Depth = Annotated[int, Integer(1, 10_000, may_be_free=False)]
"""How many layers stand on one another; it decides which weights there are, so it cannot be left free."""
OptionalCount = Annotated[Dim | None, Nullable(Integer(1))]
"""A count that is inferred from the input when left out, and checked when given."""
CountPerAxis = Annotated[PerAxis, Each(Integer(1))]
"""A count of at least one, for all axes or one per axis: kernels, strides, dilations."""
ExtentPerAxis = Annotated[PerAxis, Each(Integer(0))]
"""A count of at least zero, for all axes or one per axis."""
ExtentPerSide = Annotated[PerSide, Each(Each(Integer(0), (2,)))]
"""Padding or cropping: for all sides, per axis, or per side as `[[before, after], ...]`."""
Flag = Annotated[bool, Truth()]
"""True or false."""
Real = Annotated[Fraction | int, Decimal()]
"""An exact rational."""
Probability = Annotated[Fraction | int, Decimal(0, 1)]
"""A rational from zero to one."""
