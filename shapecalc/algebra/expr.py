"""Exact integer expressions in canonical form: polynomials over symbols, floors and maxima.

A `Dim` is an `int` or an `Expr`. The same rule code (`+ - * // %`) runs on both, and an
expression that turns out to be constant *is* an `int` again. Every `Expr` is kept in one normal
form, so that two chains of windows are equal for every input size exactly when their expressions
compare equal:

    ⌊(d·q + r)/d⌋         = q + ⌊r/d⌋
    ⌊(g·x + c)/(g·d)⌋     = ⌊(x + ⌊c/g⌋)/d⌋                   g > 0
    ⌊(⌊x/b⌋ + y)/d⌋       = ⌊(x + b·y)/(b·d)⌋                 b, d > 0 and y an integer
    x mod d               = x - d·⌊x/d⌋
    min(x, y)             = -max(-x, -y)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.errors import FormulaError, Undecided

if TYPE_CHECKING:
    import sympy


LONGEST_KEY = 20_000
MOST_PRODUCTS = 50_000
"""Bounds on closed forms: longer ones are Undecided, for nobody could read them."""


class Atom:
    """What a polynomial is made of: it has a key to sort and compare by, and nothing to compute."""

    __slots__ = ("_hash", "key")

    def __init__(self, key: str) -> None:
        if len(key) > LONGEST_KEY:
            raise Undecided("the answer in closed form would be too long: leave less free")
        self.key = key
        self._hash = hash(key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __lt__(self, other: Atom) -> bool:
        return self.key < other.key

    def parts(self) -> tuple[Dim, ...]:
        """Return the expressions inside this atom."""
        return ()

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        """Return the atom of the same kind over other parts, in canonical form."""
        return as_expr(self)


class Symbol(Atom):
    """A free integer with a known lower bound."""

    __slots__ = ("minimum", "name")

    def __init__(self, name: str, minimum: int) -> None:
        super().__init__(name)
        self.name = name
        self.minimum = minimum


class Floor(Atom):
    """⌊numerator/denominator⌋ with a positive denominator, already in lowest form."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Expr, denominator: Dim) -> None:
        super().__init__(f"floor({key_of(numerator)},{key_of(denominator)})")
        self.numerator = numerator
        self.denominator = denominator

    def parts(self) -> tuple[Dim, ...]:
        return self.numerator, self.denominator

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        from shapecalc.algebra.canonical import floordiv

        return floordiv(*parts)


class Maximum(Atom):
    """The largest of several expressions, sorted and without repetition."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: tuple[Dim, ...]) -> None:
        super().__init__(f"max({','.join(map(key_of, arguments))})")
        self.arguments = arguments

    def parts(self) -> tuple[Dim, ...]:
        return self.arguments

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        from shapecalc.algebra.canonical import maximum

        return maximum(*parts)


Monomial: TypeAlias = tuple[Atom, ...]


class Remembering:
    """The mark of sizes that write down what is done to them; what they do stands in `trace`.

    It stands here so that the rest of the algebra can know them without loading what they need.
    """

    __slots__ = ()


class Expr:
    """A polynomial with integer coefficients over atoms, never constant, always canonical.

    Build one with `symbol` and ordinary arithmetic. It compares equal to an expression with the
    same canonical form, is hashable, and converts to sympy (`sympy.sympify(expr)` or `.sympy()`).

    >>> H = symbol("H")
    >>> ((H + 2*3 - 7)//2 + 1 + 2*1 - 3)//2 + 1
    ⌈H/4⌉
    >>> (4*H + 6)//2 - 2*H
    3
    """

    __slots__ = ("_hash", "_text", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._text: str | None = None

    # ---- arithmetic

    def __add__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        terms = dict(self.terms)
        for monomial, coefficient in terms_of(other):
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return normal(terms)

    __radd__ = __add__

    def __neg__(self) -> Expr:
        return Expr(tuple((monomial, -coefficient) for monomial, coefficient in self.terms))

    def __sub__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        return self + -other

    def __rsub__(self, other: int) -> Dim:
        return -self + other

    def __mul__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        if isinstance(other, Expr) and len(self.terms) * len(other.terms) > MOST_PRODUCTS:
            raise Undecided("the answer in closed form would have too many terms: leave less free")
        terms: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in terms_of(other):
                monomial = tuple(sorted(left + right))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return normal(terms)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if exponent < 0:
            raise FormulaError(f"{self}**{exponent} is not an integer")
        result: Dim = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, other: Dim) -> Dim:
        from shapecalc.algebra.canonical import floordiv

        return floordiv(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        from shapecalc.algebra.canonical import floordiv

        return floordiv(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - other * (self // other)

    def __rmod__(self, other: int) -> Dim:
        return other - self * (other // self)

    # ---- comparison: equality is structural, order is decided or raised

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.terms)
        return self._hash

    def __lt__(self, other: Dim) -> bool:
        return _decided(self, "<", other)

    def __le__(self, other: Dim) -> bool:
        return _decided(self, "<=", other)

    def __gt__(self, other: Dim) -> bool:
        return _decided(self, ">", other)

    def __ge__(self, other: Dim) -> bool:
        return _decided(self, ">=", other)

    def __bool__(self) -> bool:
        return _decided(self, "!=", 0)

    # ---- looking inside

    @property
    def key(self) -> str:
        """An unambiguous text of the canonical form, to sort by."""
        if self._text is None:
            self._text = "+".join(
                f"{coefficient}*{'*'.join(atom.key for atom in monomial)}"
                for monomial, coefficient in self.terms
            )
        return self._text

    @property
    def constant(self) -> int:
        """The term without any atom."""
        return self.terms[0][1] if not self.terms[0][0] else 0

    def atoms(self) -> Iterator[Atom]:
        """Yield every atom in the expression, those inside other atoms included."""
        for monomial, _ in self.terms:
            for atom in monomial:
                yield atom
                for part in atom.parts():
                    if isinstance(part, Expr):
                        yield from part.atoms()

    def symbols(self) -> tuple[Symbol, ...]:
        """Return the free symbols, by name."""
        return tuple(sorted({atom for atom in self.atoms() if isinstance(atom, Symbol)}))

    @property
    def free_symbols(self) -> set[str]:
        """The names of the free symbols."""
        return {found.name for found in self.symbols()}

    def subs(self, values: Mapping[Any, Dim] | str, value: Dim | None = None) -> Dim:
        """Put values in for symbols (by name, or by a symbol of shapecalc or sympy).

        >>> H, W = symbol("H"), symbol("W")
        >>> ((H + 1)//2 * W).subs({"H": 7, "W": 3})
        12
        >>> ((H + 1)//2 * W).subs("W", 5)
        5·⌈H/2⌉
        """
        pairs = values.items() if isinstance(values, Mapping) else [(values, value)]
        named = {str(name): new for name, new in pairs if new is not None}
        return _substitute(self, named, {})

    def __str__(self) -> str:
        from shapecalc.algebra.expr_text import text

        return text(self)

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        from shapecalc.algebra.expr_text import latex

        return f"${latex(self)}$"

    def sympy(self) -> sympy.Expr:
        """Return the same expression as sympy's, over plain symbols, for further work.

        >>> import sympy
        >>> sympy.diff((symbol("H")**2 * 3).sympy(), "H")
        6*H
        """
        from shapecalc.algebra.sympy_bridge import to_sympy

        return to_sympy(self)

    _sympy_ = sympy


Dim: TypeAlias = int | Expr


def symbol(name: str, minimum: int = 1) -> Expr:
    """Return a free integer, at least `minimum` (sizes are at least 1)."""
    return as_expr(Symbol(name, minimum))


def as_expr(atom: Atom) -> Expr:
    """Return the expression that is one atom and nothing else."""
    return Expr((((atom,), 1),))


def normal(terms: dict[Monomial, int]) -> Dim:
    """Return the polynomial with these coefficients: sorted, without zeros, an int where constant."""
    kept = sorted((item for item in terms.items() if item[1]), key=_by_monomial)
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return Expr(tuple(kept))


def _by_monomial(item: tuple[Monomial, int]) -> tuple[str, ...]:
    return tuple(atom.key for atom in item[0])


def terms_of(value: Dim) -> tuple[tuple[Monomial, int], ...]:
    """Return the monomials of a size with their coefficients."""
    return value.terms if isinstance(value, Expr) else (((), value),)


def key_of(value: Dim) -> str:
    """Return an unambiguous text to sort and compare by."""
    return value.key if isinstance(value, Expr) else str(value)


def _substitute(value: Dim, named: Mapping[str, Dim], known: dict[Atom, Dim]) -> Dim:
    if isinstance(value, int):
        return value
    total: Dim = 0
    for monomial, coefficient in value.terms:
        term: Dim = coefficient
        for atom in monomial:
            if atom not in known:
                if isinstance(atom, Symbol):
                    known[atom] = named.get(atom.name, as_expr(atom))
                else:
                    parts = tuple(_substitute(part, named, known) for part in atom.parts())
                    known[atom] = atom.rebuilt(parts)
            term = term * known[atom]
        total = total + term
    return total


def _decided(left: Expr, relation: str, right: Dim) -> bool:
    if not isinstance(right, (int, Expr)):
        return NotImplemented
    from shapecalc.algebra.decide import decide

    verdict = decide(left, relation, right)
    if verdict is None:
        raise Undecided(f"whether {left} {relation} {right} depends on what was left free")
    return verdict
