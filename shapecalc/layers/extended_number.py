"""A field type for numbers that may be infinite: powers of norms, values to pad with."""

from fractions import Fraction
from math import isinf
from typing import Annotated, Any, Literal

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


Power = Annotated[Fraction | int | Literal["inf", "-inf"], Extended("the power of a norm cannot be 0")]
"""The power of a norm: any number but zero, or an infinity."""
Fill = Annotated[Fraction | int | Literal["inf", "-inf"], Extended()]
"""A value to pad with: any number, or an infinity."""
