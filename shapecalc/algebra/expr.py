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

from collections.abc import Iterable, Iterator, Mapping
from math import gcd
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.errors import FormulaError, Undecided

if TYPE_CHECKING:
    import sympy


class Atom:
    """What a polynomial is made of: it has a key to sort and compare by, and nothing to compute."""

    __slots__ = ("_hash", "key")

    def __init__(self, key: str) -> None:
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
        super().__init__(f"floor({_key(numerator)},{_key(denominator)})")
        self.numerator = numerator
        self.denominator = denominator

    def parts(self) -> tuple[Dim, ...]:
        return self.numerator, self.denominator

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        return parts[0] // parts[1]


class Maximum(Atom):
    """The largest of several expressions, sorted and without repetition."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: tuple[Dim, ...]) -> None:
        super().__init__(f"max({','.join(map(_key, arguments))})")
        self.arguments = arguments

    def parts(self) -> tuple[Dim, ...]:
        return self.arguments

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        return maximum(*parts)


Monomial: TypeAlias = tuple[Atom, ...]


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

    __slots__ = ("_hash", "_key", "terms")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._key: str | None = None

    # ---- arithmetic

    def __add__(self, other: Dim) -> Dim:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        terms = dict(self.terms)
        for monomial, coefficient in _terms(other):
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return _normal(terms)

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
        terms: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in _terms(other):
                monomial = tuple(sorted(left + right))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return _normal(terms)

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Dim:
        if exponent < 0:
            raise FormulaError(f"{self}**{exponent} is not an integer")
        result: Dim = 1
        for _ in range(exponent):
            result = result * self
        return result

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
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
        if self._key is None:
            self._key = "+".join(
                f"{coefficient}*{'*'.join(atom.key for atom in monomial)}"
                for monomial, coefficient in self.terms
            )
        return self._key

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
        from shapecalc.algebra.render import text

        return text(self)

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        from shapecalc.algebra.render import latex

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


def floordiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌊numerator/denominator⌋ in canonical form; the denominator must be positive.

    >>> floordiv(-7, 2)
    -4
    >>> floordiv(floordiv(symbol("n") + 1, 2) + 2, 2)
    ⌊(n + 1)/4⌋ + 1
    """
    if denominator == 0:
        raise FormulaError(f"division of {numerator} by zero")
    if isinstance(denominator, Expr):
        return _floordiv_by_expr(numerator, denominator)
    if denominator < 0:
        return floordiv(-numerator, -denominator)
    if isinstance(numerator, int):
        return numerator // denominator
    whole: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    for monomial, coefficient in numerator.terms:
        whole[monomial], rest[monomial] = divmod(coefficient, denominator)
    remainder = _normal(rest)
    quotient = _normal(whole)
    if isinstance(remainder, int):
        return quotient
    return quotient + _reduced_floor(remainder, denominator)


def ceildiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌈numerator/denominator⌉, written ⌊(numerator + denominator - 1)/denominator⌋.

    >>> ceildiv(7, 2), ceildiv(symbol("H"), 32)
    (4, ⌈H/32⌉)
    """
    return floordiv(numerator + denominator - 1, denominator)


def maximum(*arguments: Dim) -> Dim:
    """Return the largest argument; arguments that another one dominates for every size go.

    >>> maximum(3, 5), maximum(symbol("H"), 0), maximum(symbol("H"), 7)
    (5, H, max(H, 7))
    """
    if all(isinstance(argument, int) for argument in arguments):
        return max(arguments)
    flat: list[Dim] = []
    for argument in arguments:
        atom = _single_atom(argument)
        flat.extend(atom.arguments if isinstance(atom, Maximum) else [argument])
    kept: list[Dim] = []
    for argument in flat:
        if any(_surely(other, ">=", argument) for other in kept):
            continue
        kept = [other for other in kept if not _surely(argument, ">=", other)]
        kept.append(argument)
    if len(kept) == 1:
        return kept[0]
    return as_expr(Maximum(tuple(sorted(kept, key=_key))))


def minimum(*arguments: Dim) -> Dim:
    """Return the smallest argument.

    >>> minimum(3, 5), minimum(symbol("H"), 7)
    (3, min(H, 7))
    """
    return -maximum(*(-argument for argument in arguments))


def product(dims: Iterable[Dim]) -> Dim:
    """Return the product of sizes: the number of elements of a shape.

    >>> product((3, 224, 224)), product(())
    (150528, 1)
    """
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def _normal(terms: dict[Monomial, int]) -> Dim:
    kept = sorted((item for item in terms.items() if item[1]), key=_by_monomial)
    if not kept:
        return 0
    if len(kept) == 1 and not kept[0][0]:
        return kept[0][1]
    return Expr(tuple(kept))


def _by_monomial(item: tuple[Monomial, int]) -> tuple[str, ...]:
    return tuple(atom.key for atom in item[0])


def _terms(value: Dim) -> tuple[tuple[Monomial, int], ...]:
    return value.terms if isinstance(value, Expr) else (((), value),)


def _key(value: Dim) -> str:
    return value.key if isinstance(value, Expr) else str(value)


def _single_atom(value: Dim) -> Atom | None:
    if isinstance(value, Expr) and len(value.terms) == 1:
        monomial, coefficient = value.terms[0]
        if coefficient == 1 and len(monomial) == 1:
            return monomial[0]
    return None


def _reduced_floor(remainder: Expr, denominator: int) -> Dim:
    """⌊remainder/denominator⌋ where every coefficient already lies in [0, denominator)."""
    common = denominator
    for monomial, coefficient in remainder.terms:
        if monomial:
            common = gcd(common, coefficient)
    if common > 1:
        reduced = {monomial: coefficient // common for monomial, coefficient in remainder.terms}
        return floordiv(_normal(reduced), denominator // common)
    inner = [(m[0], c) for m, c in remainder.terms if len(m) == 1 and isinstance(m[0], Floor)]
    if len(inner) == 1 and inner[0][1] == 1:
        atom = inner[0][0]
        assert isinstance(atom, Floor)
        if isinstance(atom.denominator, int):
            others = remainder - as_expr(atom)
            merged = atom.numerator + atom.denominator * others
            return floordiv(merged, atom.denominator * denominator)
    return as_expr(Floor(remainder, denominator))


def _floordiv_by_expr(numerator: Dim, denominator: Expr) -> Dim:
    if _surely(denominator, "<=", 0):
        raise FormulaError(f"division by {denominator}, which is never positive")
    if len(denominator.terms) == 1:
        (divisor, scale) = denominator.terms[0]
        exact: dict[Monomial, int] = {}
        for monomial, coefficient in _terms(numerator):
            left = _without(monomial, divisor)
            if left is None or coefficient % scale:
                break
            exact[left] = coefficient // scale
        else:
            return _normal(exact)
    if numerator == denominator:
        return 1
    if isinstance(numerator, int):
        if numerator == 0:
            return 0
        if _surely(denominator, ">", numerator) and numerator > 0:
            return 0
        return as_expr(Floor(Expr((((), numerator),)), denominator))
    return as_expr(Floor(numerator, denominator))


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


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


def _surely(left: Dim, relation: str, right: Dim) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        return left >= right if relation == ">=" else left <= right if relation == "<=" else left > right
    from shapecalc.algebra.decide import bounded

    return bounded(left, relation, right) is True


def _decided(left: Expr, relation: str, right: Dim) -> bool:
    if not isinstance(right, (int, Expr)):
        return NotImplemented
    from shapecalc.algebra.decide import decide

    verdict = decide(left, relation, right)
    if verdict is None:
        raise Undecided(f"whether {left} {relation} {right} depends on what was left free")
    return verdict
