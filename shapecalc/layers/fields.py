"""The types of layer fields: numbers that may still be formulas over a spec's parameters.

A field holds an `int` (or an `Expr` when a size was left free) once a layer is resolved; before
that, in a spec, it may hold a `Formula`. The bounds are in the annotations, where validation, the
JSON Schema and the test strategies all read them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.expr import bounds
from shapecalc.algebra.formula import Formula, NamedValues
from shapecalc.algebra.rational import LARGEST, Quotient
from shapecalc.algebra.relation import Relation
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
        value = formula.evaluate(NamedValues({}))
    except FormulaError as error:
        raise complaint(error.message, fact=error.fact) from None
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return value
    raise complaint(f"{quote(text)} is not a number")


class Annotation:
    """A pydantic annotation made of one function and one piece of JSON Schema."""

    def check(self, value: Any) -> Any:
        """Return the value as the field keeps it, or raise a `complaint`."""
        raise complaint(f"{quote(value)} is not legal here")

    def left_open(self, value: Any) -> Iterator[Relation]:
        """Yield the bounds of a checked value that hold for some of the free sizes in it only."""
        yield from ()

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


class Number(Annotation, ABC):
    """A number with bounds, or a formula."""

    json_type: ClassVar[str] = "number"

    def __init__(self, minimum: int | None = None, maximum: int | None = None) -> None:
        self.minimum, self.maximum = minimum, maximum

    def check(self, value: Any) -> Any:
        if isinstance(value, str):
            value = as_formula(value)
        if isinstance(value, Formula):
            return value
        value = self.plain(value)
        least, greatest = bounds(value) if isinstance(value, Expr) else (value, value)
        if self.minimum is not None and greatest is not None and greatest < self.minimum:
            raise _beyond(value, "less", self.minimum)
        if self.maximum is not None and least is not None and least > self.maximum:
            raise _beyond(value, "more", self.maximum)
        return value

    def left_open(self, value: Any) -> Iterator[Relation]:
        if isinstance(value, Expr):
            least, greatest = bounds(value)
            if self.minimum is not None and (least is None or least < self.minimum):
                yield Relation(value, ">=", self.minimum)
            if self.maximum is not None and (greatest is None or greatest > self.maximum):
                yield Relation(value, "<=", self.maximum)

    @abstractmethod
    def plain(self, value: Any) -> Any:
        """Return a number as the field keeps it, or raise a `complaint`."""

    def json_schema(self) -> dict[str, Any]:
        limits = {"minimum": self.minimum, "maximum": self.maximum}
        given = {name: limit for name, limit in limits.items() if limit is not None}
        return {"anyOf": [{"type": self.json_type} | given, _FORMULA_SCHEMA]}


class Integer(Number):
    """An integer with bounds, an expression in what was left free, or a formula."""

    json_type = "integer"

    def __init__(
        self, minimum: int | None = None, maximum: int | None = None, *, may_be_free: bool = True
    ) -> None:
        super().__init__(minimum, maximum)
        self.may_be_free = may_be_free

    def plain(self, value: Any) -> Any:
        if isinstance(value, bool):
            raise complaint(f"{quote(value)} is not an integer")
        if isinstance(value, int):
            if abs(value) > LARGEST:
                raise complaint("a number is larger than 10^18")
            return value
        if isinstance(value, Fraction) and value.denominator == 1:
            raise complaint(f"{_shown(value)} is written as a decimal: write {quote(value.numerator)}")
        if isinstance(value, (Quotient, float, Fraction)):
            raise complaint(f"{_shown(value)} is not an integer (// divides and rounds down)")
        if not isinstance(value, Expr):
            raise complaint(f"{quote(value)} is not an integer")
        if not self.may_be_free:
            raise complaint(f"{value} must be a number here, it cannot be left free")
        return value


class Decimal(Number):
    """An exact rational with bounds, or a formula: decimals never pass through a float."""

    def plain(self, value: Any) -> Any:
        if isinstance(value, float):
            return exact(value)
        if not isinstance(value, (int, Fraction)) or isinstance(value, bool):
            raise complaint(f"{quote(value)} is not a number")
        return value


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
        return tuple(inside(index, self.item.check, item) for index, item in enumerate(value))

    def left_open(self, value: Any) -> Iterator[Relation]:
        for item in value if isinstance(value, tuple) else (value,):
            yield from self.item.left_open(item)

    def json_schema(self) -> dict[str, Any]:
        items: dict[str, Any] = {"type": "array", "items": self.item.json_schema()}
        if self.lengths is not None:
            items |= {"minItems": min(self.lengths), "maxItems": max(self.lengths)}
        return {"anyOf": [*_options(self.item), items]}


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
        return tuple(inside(index, self.item.check, item) for index, item in enumerate(value))

    def left_open(self, value: Any) -> Iterator[Relation]:
        for item in value if isinstance(value, tuple) else (value,):
            yield from self.item.left_open(item)

    def json_schema(self) -> dict[str, Any]:
        items = {"type": "array", "items": self.item.json_schema(), "minItems": self.shortest}
        return {"anyOf": [items, _FORMULA_SCHEMA]}


class Nullable(Annotation):
    """A value that may be left out, and then is inferred or absent."""

    def __init__(self, item: Annotation) -> None:
        self.item = item

    def check(self, value: Any) -> Any:
        return None if value is None else self.item.check(value)

    def left_open(self, value: Any) -> Iterator[Relation]:
        return self.item.left_open(value)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [*_options(self.item), {"type": "null"}]}


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

    def left_open(self, value: Any) -> Iterator[Relation]:
        return iter(()) if self.otherwise is None else self.otherwise.left_open(value)

    def json_schema(self) -> dict[str, Any]:
        others = [_FORMULA_SCHEMA] if self.otherwise is None else _options(self.otherwise)
        return {"anyOf": [{"enum": list(self.words)}, *others]}


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


def _options(item: Annotation) -> list[Any]:
    schema = item.json_schema()
    options: list[Any] = schema.get("anyOf", [schema])
    return options


def exact(value: float) -> int | Fraction:
    """Return the decimal that a float is written as, exactly.

    >>> exact(0.29)
    Fraction(29, 100)
    """
    try:
        fraction = Fraction(repr(value))
    except ValueError:
        raise complaint(f"{value} is not a number") from None
    if max(abs(fraction.numerator), fraction.denominator) > LARGEST:
        raise complaint(f"{value} has too many digits or is too large")
    return fraction.numerator if fraction.denominator == 1 else fraction


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
"""How many layers are stacked; it decides which weights there are, so it cannot be left free."""
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
