"""Closed forms as JavaScript over BigInt, each part of them once.

The program computes what an `Expr` holds: sums of products of symbols, floors and maxima. A BigInt is
never rounded; `fl` is the mathematical floor and `mx` the largest, both in `core.js`.
"""

from __future__ import annotations

from collections.abc import Sequence

from shapecalc.algebra.expr import Atom, Dim, Floor, Maximum, Symbol


class Formulas:
    """A table of sizes that a page computes, and the JavaScript function that computes it.

    >>> from shapecalc.algebra import symbol
    >>> table = Formulas(["H"])
    >>> table.index((symbol("H") + 31) // 32 * 64), table.index(7), table.index(7)
    (0, 1, 1)
    >>> print(table.javascript())
    (v) => {
    const a0 = v[0];
    const a1 = fl(a0 + 31n, 32n);
    return [64n * a1, 7n];
    }
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [*names]
        self._indices: dict[Dim, int] = {}
        self._entries: list[str] = []
        self._atoms: dict[Atom, str] = {}
        self._lines: list[str] = []

    def index(self, value: Dim) -> int:
        """Return the index of a size in the table, which it joins when it is first used."""
        if value not in self._indices:
            self._entries.append(self._written(value))
            self._indices[value] = len(self._indices)
        return self._indices[value]

    def javascript(self) -> str:
        """Return the function from the values of the names, in order, to all sizes in the table."""
        return "\n".join(["(v) => {", *self._lines, f"return [{', '.join(self._entries)}];", "}"])

    def _written(self, value: Dim) -> str:
        if isinstance(value, int):
            return f"{value}n"
        text = ""
        for monomial, coefficient in value.terms[1:] + value.terms[:1] if value.constant else value.terms:
            factors = [self._atom(atom) for atom in monomial]
            if abs(coefficient) != 1 or not factors:
                factors.insert(0, f"{abs(coefficient)}n")
            product = " * ".join(factors)
            if not text:
                text = product if coefficient > 0 else f"-{product}"
            else:
                text += f" {'+' if coefficient > 0 else '-'} {product}"
        return text

    def _atom(self, atom: Atom) -> str:
        if atom not in self._atoms:
            code = self._code(atom)
            name = self._atoms[atom] = f"a{len(self._atoms)}"
            self._lines.append(f"const {name} = {code};")
        return self._atoms[atom]

    def _code(self, atom: Atom) -> str:
        if isinstance(atom, Symbol):
            return f"v[{self.names.index(atom.name)}]"
        if isinstance(atom, Floor):
            return f"fl({self._written(atom.numerator)}, {self._written(atom.denominator)})"
        if isinstance(atom, Maximum):
            return f"mx({', '.join(map(self._written, atom.arguments))})"
        raise TypeError(f"{type(atom).__name__} has no JavaScript")
