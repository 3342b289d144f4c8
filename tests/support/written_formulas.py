"""What a printed formula comes to: read from the text alone, by a parser that the project knows nothing of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import floor

_TOKENS = re.compile(r"\s*(\d+(?:,\d{3})*(?:\.\d+)?|mod\b|[A-Za-z_][\w.]*|[-+·/^(),⌊⌋⌈⌉])")


class Formula:
    """A formula in the notation of a derivation; `doubles` multiplies inside ⌊ ⌋ as torch does."""

    def __init__(self, text: str, values: Mapping[str, Fraction], *, doubles: bool = False) -> None:
        self.tokens: list[str] = []
        place = 0
        while place < len(text):
            found = _TOKENS.match(text, place)
            assert found, f"cannot read {text[place:]!r} in {text!r}"
            self.tokens.append(found[1])
            place = found.end()
        self.values = values
        self.doubles = doubles
        self.place = 0

    def value(self) -> Fraction:
        found = self.sum()
        assert self.place == len(self.tokens), f"{self.tokens[self.place :]} is left over"
        return found

    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def sum(self) -> Fraction:
        sign = -1 if self.next() == "-" and self.take() else 1
        found = sign * self.product()
        while self.next() in ("+", "-"):
            found = found + self.product() if self.take() == "+" else found - self.product()
        return found

    def product(self) -> Fraction:
        found = self.power()
        while self.next() in ("·", "/", "mod"):
            sign, right = self.take(), self.power()
            if sign == "·":
                found = Fraction(float(found) * float(right)) if self.doubles else found * right
            else:
                found = found / right if sign == "/" else found % right
        return found

    def power(self) -> Fraction:
        found = self.atom()
        while self.next() == "^":
            self.take()
            found = Fraction(found ** int(self.atom()))
        return found

    def atom(self) -> Fraction:
        token = self.take()
        if token in ("(", "⌊", "⌈"):
            inside = self.sum()
            assert self.take() == {"(": ")", "⌊": "⌋", "⌈": "⌉"}[token]
            return inside if token == "(" else Fraction(floor(inside) if token == "⌊" else -floor(-inside))
        if token in ("max", "min"):
            assert self.take() == "("
            given = [self.sum()]
            while self.take() == ",":
                given.append(self.sum())
            return max(given) if token == "max" else min(given)
        return Fraction(token.replace(",", "")) if token[0].isdigit() else self.values[token]


def evaluated(text: str, values: Mapping[str, object] = {}, *, doubles: bool = False) -> Fraction:
    """Return what a formula comes to for these values of its letters."""
    exact = {name: Fraction(str(value)) for name, value in values.items()}
    return Formula(text, exact, doubles=doubles).value()
