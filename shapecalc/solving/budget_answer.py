"""The answer to a budget: the values of a free parameter that meet it, or come nearest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from shapecalc.algebra import Dim
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.errors import quote
from shapecalc.render.lines import LONGEST_LIST, Answer, IndentedLine
from shapecalc.render.piece import amount

Number: TypeAlias = int | Fraction

WORDS = {"params": "parameters", "macs": "multiply-accumulates", "memory": "bytes"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A cost, and the values of the free parameter that give it."""

    amount: int
    values: tuple[Number, ...]
    where: str = field(default="", repr=False)
    """Where the cost comes about, of one that is a peak."""

    def text(self, name: str) -> str:
        """Return the values as a reader writes them: runs of integers from first to last."""
        integers = [value for value in self.values if isinstance(value, int)]
        if len(integers) == len(self.values):
            return IntegerSet.of(integers).text(name)
        return f"{name} = {', '.join(map(quote, self.values))}"

    def to_dict(self) -> dict[str, Any]:
        """Return the cost and the values as plain data for JSON."""
        values = [v if isinstance(v, int) else quote(v) for v in self.values]
        return {"amount": self.amount, "values": values} | ({"where": self.where} if self.where else {})


@dataclass(frozen=True, slots=True)
class Budget(Answer):
    """What a free parameter must be for a cost, or what comes nearest below and above.

    `exact` is None where the cost is never met; `below` and `above` are the nearest costs on either side,
    None where there is none.
    """

    title: str
    quantity: str
    target: int
    aim: str
    names: tuple[str, ...]
    """The parameters that vary together."""
    formula: Dim | None
    """The cost in closed form, or None where every candidate was analysed."""
    method: str
    """How it was computed, and over which values."""
    exact: Hit | None
    below: Hit | None
    above: Hit | None
    refused: int = 0
    """How many of the candidates are no network."""

    @property
    def name(self) -> str:
        """What the free parameters are called together."""
        return " = ".join(self.names)

    @property
    def answer(self) -> Hit | None:
        """What meets the aim: an exact hit, or else the nearest on the side that is allowed."""
        if self.exact is not None or self.aim == "at_most":
            return self.exact or self.below
        if self.aim == "at_least" or self.below is None:
            return self.above
        if self.above is None or self.target - self.below.amount <= self.above.amount - self.target:
            return self.below
        return self.above

    def __bool__(self) -> bool:
        return self.answer is not None

    def to_dict(self) -> dict[str, Any]:
        hits = {side: getattr(self, side) for side in ("exact", "below", "above", "answer")}
        return {
            "name": self.title,
            "quantity": self.quantity,
            "target": self.target,
            "aim": self.aim,
            "free": [*self.names],
            "formula": None if self.formula is None else str(self.formula),
            "method": self.method,
            "refused": self.refused,
            **{side: None if hit is None else hit.to_dict() for side, hit in hits.items()},
        }

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        yield 0, (f"{self.title}: {self.name} for {self.target:,} {WORDS[self.quantity]}",)
        if self.formula is not None:
            yield 1, (f"{self.quantity} = ", amount(self.formula))
        yield 1, (self.method,)
        if self.refused:
            yield 1, (f"{self.refused} of them are no network: a layer refuses them",)
        if self.quantity == "memory":
            yield from self._fitting()
            return
        if self.exact is not None:
            yield 0, (f"Exactly: {self.exact.text(self.name)}",)
            return
        yield 0, (f"No {self.name} gives exactly {self.target:,}.",)
        for side, aim in (("below", "at_least"), ("above", "at_most")):
            hit = getattr(self, side)
            if self.aim == aim:
                continue
            if hit is None:
                yield 0, (f"None {side} it.",)
            else:
                reached = f"{hit.text(self.name)} gives {hit.amount:,} ({self._off(hit.amount)})"
                yield 0, (f"Nearest {side}: {reached}",)

    def _fitting(self) -> Iterator[IndentedLine]:
        """Yield the last value that fits, and the first that does not."""
        sides = (("fits", self.exact or self.below, -1), ("does not fit", self.above, 0))
        for verdict, hit, which in sides:
            if hit is not None:
                value = f"{self.name} = {quote(hit.values[which])}"
                yield 0, (f"{value} {verdict}: {hit.amount:,} bytes, {hit.where}",)
        if self.answer is None:
            yield 0, (f"No {self.name} fits.",)

    def _off(self, amount: int) -> str:
        permille = Fraction(1000 * (amount - self.target), self.target)
        return f"{round(permille) / 10:+.1f} %"
