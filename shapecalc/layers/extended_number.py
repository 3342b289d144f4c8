"""Field types for numbers that may be infinite, as powers of norms may, and for those of open intervals."""

from fractions import Fraction
from math import inf, isinf
from typing import Annotated, Any, Literal

from shapecalc.algebra.formula import Formula
from shapecalc.layers.fields import Decimal, complaint

INFINITIES = ("inf", "-inf")
"""How the infinities are written; `float` reads them."""


class Extended(Decimal):
    """An exact rational, one of the words `inf` and `-inf`, or a formula; zero may be barred."""

    def __init__(self, zero: str | None = None) -> None:
        super().__init__()
        self.zero = zero

    def check(self, value: Any) -> Any:
        if isinstance(value, float) and isinf(value):
            return "inf" if value > 0 else "-inf"
        if isinstance(value, str) and value in INFINITIES:
            return value
        number = super().check(value)
        if self.zero is not None and number == 0:
            raise complaint(self.zero)
        return number

    def json_schema(self) -> dict[str, Any]:
        schema = {"anyOf": [{"enum": list(INFINITIES)}, *super().json_schema()["anyOf"]]}
        return schema if self.zero is None else schema | {"not": {"const": 0}}


class Open(Decimal):
    """An exact rational between bounds that are not included, or a formula."""

    def __init__(self, above: int, below: int | None = None) -> None:
        super().__init__()
        self.above, self.below = above, below

    def check(self, value: Any) -> Any:
        number = super().check(value)
        if isinstance(number, Formula) or self.above < number < (inf if self.below is None else self.below):
            return number
        below = "" if self.below is None else f" and less than {self.below}"
        raise complaint(f"must be more than {self.above}{below}, not {float(number):g}")

    def json_schema(self) -> dict[str, Any]:
        number, *others = super().json_schema()["anyOf"]
        bounds = {"exclusiveMinimum": self.above, "exclusiveMaximum": self.below}
        return {"anyOf": [number | {key: b for key, b in bounds.items() if b is not None}, *others]}


Positive = Annotated[Fraction | int, Open(0)]
"""A number above zero."""
Power = Annotated[Fraction | int | Literal["inf", "-inf"], Extended("the power of a norm cannot be 0")]
"""The power of a norm: any number but zero, or an infinity."""
Fill = Annotated[Fraction | int | Literal["inf", "-inf"], Extended()]
"""A value to pad with: any number, or an infinity."""
