"""Exact integer expressions in canonical form: polynomials over symbols, floors and maxima.

A `Dim` is an `int` or an `Expr`. The same rule code (`+ - * // %`) runs on both, and an expression that
turns out to be constant *is* an `int` again. Every `Expr` is in one normal form, so that two chains of
windows are equal at every size exactly when they compare equal; see `floordiv` and `maximum` for identities.

    Expr         a sum of products of atoms, each product with an integer coefficient
    └── Atom     ├── Symbol     a free integer with a lower bound
                 ├── Floor      ⌊numerator/denominator⌋
                 └── Maximum    the largest of several expressions
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from math import gcd, lcm, prod
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.roots import COMPARE, minus, signs
from shapecalc.algebra.solution import NotSolved, ResidueClasses, function_of, period_of, solve
from shapecalc.errors import FormulaError, Undecided

if TYPE_CHECKING:
    import sympy

LONGEST_KEY = 20_000
MOST_PRODUCTS = 50_000
"""Bounds on closed forms: longer ones are Undecided, for nobody could read them."""

Interval: TypeAlias = tuple[int | None, int | None]
"""A lower and an upper bound; None where there is none, or none is known."""

WRITERS: dict[str, Callable[[Dim], str]] = {}
"""How expressions are written, as "text" and as "latex"; `expr_text` registers its writers here."""


# ---- what a polynomial is made of


class Atom:
    """A factor of a monomial: compared and sorted by its key, and otherwise as its class says."""

    __slots__ = ("_bounds", "_hash", "key")

    def __init__(self, key: str) -> None:
        if len(key) > LONGEST_KEY:
            raise Undecided("the answer in closed form would be too long: leave less free")
        self.key = key
        self._hash = hash(key)
        self._bounds: Interval | None = None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __lt__(self, other: Atom) -> bool:
        return self.key < other.key

    def parts(self) -> tuple[Dim, ...]:
        """Return the expressions inside this atom."""
        return ()

    def names(self) -> set[str]:
        """Return the names of the free symbols in this atom."""
        return {name for part in self.parts() if isinstance(part, Expr) for name in part.free_symbols}

    @abstractmethod
    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        """Return the atom of the same class over other parts, in canonical form."""

    def bounds(self) -> Interval:
        """Return bounds on the value, whatever the symbols are; computed once, as quotients are nested."""
        self._bounds = self._bounds or self.interval()
        return self._bounds

    @abstractmethod
    def interval(self) -> Interval: ...

    @abstractmethod
    def function(self) -> Callable[[int], int]:
        """Return the atom as a function of its one unknown."""

    @abstractmethod
    def sympy(self) -> sympy.Expr:
        """Return the atom as sympy's."""

    # For `solve`: on every residue class n = L·q + r of the one unknown, an atom is a polynomial in q
    # from some q on, where L is a multiple of its period. `NotSolved` is raised where that is not so.

    def period(self) -> int:
        """Return a period that makes the parts, and so the atom, polynomials on each residue class."""
        return lcm(*map(period_of, self.parts()))

    @abstractmethod
    def on_class(self, classes: ResidueClasses, r: int) -> list[int]:
        """Return the coefficients of the polynomial on one residue class, the constant first."""


class Symbol(Atom):
    """A free integer with a known lower bound."""

    __slots__ = ("minimum", "name")

    def __init__(self, name: str, minimum: int) -> None:
        super().__init__(name)
        self.name = name
        self.minimum = minimum

    def names(self) -> set[str]:
        return {self.name}

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        return as_expr(self)

    def interval(self) -> Interval:
        return self.minimum, None

    def function(self) -> Callable[[int], int]:
        return lambda n: n

    def sympy(self) -> sympy.Expr:
        import sympy

        return sympy.Symbol(self.name)  # without assumptions, so that "H" and Symbol("H") mean it

    def on_class(self, classes: ResidueClasses, r: int) -> list[int]:
        return [r, classes.length]


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
        return floordiv(*parts)

    def interval(self) -> Interval:
        low, high = bounds(self.numerator)
        if isinstance(self.denominator, Expr):
            return (0 if low is not None and low >= 0 else None), None
        divisor = self.denominator
        return None if low is None else low // divisor, None if high is None else high // divisor

    def function(self) -> Callable[[int], int]:
        over, under = function_of(self.numerator), function_of(self.denominator)
        return lambda n: over(n) // under(n)

    def sympy(self) -> sympy.Expr:
        import sympy

        return sympy.floor(self.numerator.sympy() / sympy.sympify(self.denominator))

    def period(self) -> int:
        if isinstance(self.denominator, Expr):
            raise NotSolved
        return period_of(self.numerator) * self.denominator

    def on_class(self, classes: ResidueClasses, r: int) -> list[int]:
        # ⌊(c + d·p(q))/d⌋ = ⌊c/d⌋ + p(q), p with integer coefficients
        divisor = self.denominator
        constant, *others = classes.polynomial(self.numerator, r)
        if isinstance(divisor, Expr) or any(other % divisor for other in others):
            raise NotSolved
        return [constant // divisor, *(other // divisor for other in others)]


class Maximum(Atom):
    """The largest of several expressions, sorted and without repetition."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: tuple[Dim, ...]) -> None:
        super().__init__(f"max({','.join(map(key_of, arguments))})")
        self.arguments = arguments

    def parts(self) -> tuple[Dim, ...]:
        return self.arguments

    def rebuilt(self, parts: tuple[Dim, ...]) -> Dim:
        return maximum(*parts)

    def interval(self) -> Interval:
        lows, highs = zip(*map(bounds, self.arguments), strict=True)
        known = [low for low in lows if low is not None]
        return max(known) if known else None, None if None in highs else max(highs)

    def function(self) -> Callable[[int], int]:
        arguments = [function_of(argument) for argument in self.arguments]
        return lambda n: max(argument(n) for argument in arguments)

    def sympy(self) -> sympy.Expr:
        import sympy

        return sympy.Max(*map(sympy.sympify, self.arguments))

    def on_class(self, classes: ResidueClasses, r: int) -> list[int]:
        # max(p, p') = p behind the last change of sign of p - p' if that stays positive, else p'
        largest, *rest = (classes.polynomial(argument, r) for argument in self.arguments)
        for other in rest:
            last, sign = signs(minus(largest, other))[-1]
            classes.first = max(classes.first, last)
            largest = other if sign < 0 else largest
        return largest


Monomial: TypeAlias = tuple[Atom, ...]


class Recording:
    """A size that records what is done to it, to be shown as a formula (see `provenance`)."""

    __slots__ = ()

    def record(self, sign: str, compute: Callable[..., Dim], *arguments: Any) -> Dim:
        """Return what a function makes of the arguments, with the operation as its formula."""
        raise NotImplementedError


# ---- polynomials


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
        return prod((self,) * exponent)

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return floordiv(other, self)

    def __mod__(self, other: Dim) -> Dim:
        return self - other * (self // other)  # x mod d = x - d·⌊x/d⌋

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
        return self._compared("<", other)

    def __le__(self, other: Dim) -> bool:
        return self._compared("<=", other)

    def __gt__(self, other: Dim) -> bool:
        return self._compared(">", other)

    def __ge__(self, other: Dim) -> bool:
        return self._compared(">=", other)

    def __bool__(self) -> bool:
        return self._compared("!=", 0)

    def _compared(self, op: str, other: Dim) -> bool:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        verdict = decide(self, op, other)
        if verdict is None:
            raise Undecided(f"whether {self} {op} {other} depends on what was left free")
        return verdict

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
        return {atom.name for atom in self.symbols()}

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
        return WRITERS["text"](self)

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        return f"${WRITERS['latex'](self)}$"

    def sympy(self) -> sympy.Expr:
        """Return the same expression as sympy's, over plain symbols, for further work.

        >>> import sympy
        >>> sympy.diff((symbol("H")**2 * 3).sympy(), "H")
        6*H
        """
        import sympy

        terms = [sympy.Mul(number, *(atom.sympy() for atom in monomial)) for monomial, number in self.terms]
        return sympy.Add(*terms)

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
                parts = tuple(_substitute(part, named, known) for part in atom.parts())
                own = named.get(atom.name) if isinstance(atom, Symbol) else None
                known[atom] = atom.rebuilt(parts) if own is None else own
            term = term * known[atom]
        total = total + term
    return total


# ---- floors in normal form


def floordiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌊numerator/denominator⌋ in canonical form; the denominator must be positive.

    >>> floordiv(-7, 2)
    -4
    >>> floordiv(floordiv(symbol("n") + 1, 2) + 2, 2)
    ⌊(n + 1)/4⌋ + 1
    """
    if denominator == 0:
        raise FormulaError(f"division of {numerator} by zero")
    if isinstance(numerator, Recording) or isinstance(denominator, Recording):
        return numerator // denominator
    if isinstance(denominator, Expr):
        return _floordiv_by_expr(numerator, denominator)
    if denominator < 0:  # ⌊x/d⌋ = ⌊-x/-d⌋
        return floordiv(-numerator, -denominator)
    if isinstance(numerator, int):
        return numerator // denominator
    # ⌊(d·q + r)/d⌋ = q + ⌊r/d⌋, d > 0: coefficient by coefficient, those of r in [0, d)
    quotients: dict[Monomial, int] = {}
    remainders: dict[Monomial, int] = {}
    for monomial, coefficient in numerator.terms:
        quotients[monomial], remainders[monomial] = divmod(coefficient, denominator)
    remainder = normal(remainders)
    if isinstance(remainder, int):  # ⌊r/d⌋ = 0, 0 ≤ r < d
        return normal(quotients)
    return normal(quotients) + _floor_of_remainder(remainder, denominator)


def _floor_of_remainder(x: Expr, d: int) -> Dim:
    """Return ⌊x/d⌋ where every coefficient of x lies in [0, d)."""
    # ⌊(g·x + c)/(g·d)⌋ = ⌊(x + ⌊c/g⌋)/d⌋, g > 0: between multiples of g, no floor over g·d changes
    g = gcd(d, *(coefficient for monomial, coefficient in x.terms if monomial))
    if g > 1:
        return floordiv(normal({monomial: coefficient // g for monomial, coefficient in x.terms}), d // g)
    # ⌊(⌊x/b⌋ + y)/d⌋ = ⌊(x + b·y)/(b·d)⌋, b, d > 0, y an integer; with one such floor, so that it is unique
    floors = [(m[0], c) for m, c in x.terms if len(m) == 1 and isinstance(m[0], Floor)]
    if len(floors) == 1 and floors[0][1] == 1:
        inner = floors[0][0]
        assert isinstance(inner, Floor)
        b = inner.denominator
        if isinstance(b, int):
            return floordiv(inner.numerator + b * (x - as_expr(inner)), b * d)
    return as_expr(Floor(x, d))


def _floordiv_by_expr(numerator: Dim, denominator: Expr) -> Dim:
    if bounded(denominator, "<=", 0):
        raise FormulaError(f"division by {denominator}, which is never positive")
    if len(denominator.terms) == 1:  # ⌊(d·q)/d⌋ = q, d > 0
        (divisor, scale) = denominator.terms[0]
        exact: dict[Monomial, int] = {}
        for monomial, coefficient in terms_of(numerator):
            left = _without(monomial, divisor)
            if left is None or coefficient % scale:
                break
            exact[left] = coefficient // scale
        else:
            return normal(exact)
    most = _times(numerator, denominator)
    for times in (most, most - 1):  # ⌊(c·d + r)/d⌋ = c, 0 ≤ r < d
        rest = numerator - times * denominator
        if rest == 0 or (bounded(rest, ">=", 0) and bounded(rest, "<", denominator)):
            return times
    return as_expr(Floor(numerator if isinstance(numerator, Expr) else Expr((((), numerator),)), denominator))


def _times(numerator: Dim, denominator: Expr) -> int:
    """Return how many times a denominator goes into a numerator by their last terms."""
    if isinstance(numerator, int):
        return 0
    (monomial, top), (divisor, bottom) = numerator.terms[-1], denominator.terms[-1]
    return top // bottom if monomial == divisor else 0


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def ceildiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌈numerator/denominator⌉ = ⌊(numerator + denominator - 1)/denominator⌋.

    >>> ceildiv(7, 2), ceildiv(symbol("H"), 32)
    (4, ⌈H/32⌉)
    """
    return floordiv(numerator + denominator - 1, denominator)


# ---- maxima in normal form


def maximum(*arguments: Dim) -> Dim:
    """Return the largest argument; those that another one surely reaches are left out.

    >>> maximum(3, 5), maximum(symbol("H"), 0), maximum(symbol("H"), 7)
    (5, H, max(H, 7))
    """
    for argument in arguments:
        if isinstance(argument, Recording):
            return argument.record("max", maximum, *arguments)
    if all(isinstance(argument, int) for argument in arguments):
        return max(arguments)
    kept: list[Dim] = []
    for argument in (part for each in arguments for part in _arguments_of(each)):
        if any(bounded(other, ">=", argument) for other in kept):  # max(x, y) = x, x ≥ y
            continue
        kept = [other for other in kept if not bounded(argument, ">=", other)]
        kept.append(argument)
    return kept[0] if len(kept) == 1 else as_expr(Maximum(tuple(sorted(kept, key=key_of))))


def _arguments_of(value: Dim) -> tuple[Dim, ...]:
    """Return what a size is the largest of: max(x, max(y, z)) = max(x, y, z)."""
    if isinstance(value, Expr) and len(value.terms) == 1:
        monomial, coefficient = value.terms[0]
        if coefficient == 1 and len(monomial) == 1 and isinstance(monomial[0], Maximum):
            return monomial[0].arguments
    return (value,)


def minimum(*arguments: Dim) -> Dim:
    """Return the smallest argument: min(x, y) = -max(-x, -y).

    >>> minimum(3, 5), minimum(symbol("H"), 7)
    (3, min(H, 7))
    """
    for argument in arguments:
        if isinstance(argument, Recording):
            return argument.record("min", minimum, *arguments)
    return -maximum(*(-argument for argument in arguments))


# ---- decisions: always, never, or only for some values of what is free


def decide(left: Dim, op: str, right: Dim) -> bool | None:
    """Return True if the relation holds for every value, False if for none, None otherwise.

    None also means that this procedure cannot decide; it never claims what it has not proved. Bounds come
    first; a relation in one unknown is then solved exactly.

    >>> n = symbol("n")
    >>> decide((n + 1)//2 + n//2, "==", n)
    True
    >>> print(decide(2*(n//2), "==", n), decide(2*(n//2), "==", n + 1))
    None False
    """
    if op not in COMPARE:
        raise ValueError(f"unknown relation {op!r}")
    difference = left - right
    if isinstance(difference, int):
        return COMPARE[op](difference, 0)
    verdict = bounded(difference, op, 0)
    if verdict is not None:
        return verdict
    solved = solve(difference, op, 0)
    if solved is None or not solved[1]:
        return None if solved is None else False
    return True if solved[1] == IntegerSet.at_least(difference.symbols()[0].minimum) else None


def bounded(left: Dim, op: str, right: Dim) -> bool | None:
    """Decide by bounds alone."""
    low, high = bounds(left - right)
    if op in ("==", "!="):
        if (low is not None and low > 0) or (high is not None and high < 0):
            return op == "!="
        return (op == "==") if low == high == 0 else None
    if op in ("<", "<="):  # x < 0 exactly where -x > 0
        low, high = (None if high is None else -high), (None if low is None else -low)
    strict = op in ("<", ">")
    if low is not None and low >= strict:
        return True
    return False if high is not None and high < strict else None


def bounds(value: Dim) -> Interval:
    """Return the least and greatest value that an expression can surely not pass.

    >>> bounds(3*(symbol("H")//2) + 1), bounds(2*((symbol("H") + 1)//2) - symbol("H"))
    ((1, None), (0, 1))
    """
    if isinstance(value, int):
        return value, value
    low: int | None = 0
    high: int | None = 0
    for monomial, coefficient in value.terms:
        least, most = monomial[0].bounds() if len(monomial) == 1 else _bounds_of_product(monomial)
        if coefficient < 0:
            least, most = most, least
        low = None if low is None or least is None else low + coefficient * least
        high = None if high is None or most is None else high + coefficient * most
    return (low, high) if low is not None and high is not None else _bounds_by_remainder(value, low, high)


def _bounds_by_remainder(value: Expr, low: int | None, high: int | None) -> Interval:
    """Return bounds where a quotient cancels against what it divides: d·⌊x/d⌋ = x - r, 0 ≤ r < d."""
    if len({coefficient > 0 for monomial, coefficient in value.terms if monomial}) < 2:
        return low, high
    quotients = [
        (quotient, quotient.denominator, coefficient // quotient.denominator)
        for monomial, coefficient in value.terms
        for quotient in monomial
        if len(monomial) == 1 and isinstance(quotient, Floor) and isinstance(quotient.denominator, int)
        if not coefficient % quotient.denominator
    ]
    if not quotients:
        return low, high
    quotient, divisor, factor = max(quotients, key=lambda each: len(each[0].key))  # the outermost
    least, most = bounds(value - factor * (divisor * as_expr(quotient) - quotient.numerator))
    least = None if least is None else least - max(factor, 0) * (divisor - 1)
    most = None if most is None else most - min(factor, 0) * (divisor - 1)
    lows, highs = ([bound for bound in both if bound is not None] for both in ((low, least), (high, most)))
    return max(lows, default=None), min(highs, default=None)


def _bounds_of_product(monomial: Monomial) -> Interval:
    """Return bounds on a product of factors that are never negative; of others nothing is said."""
    least = 1
    most: int | None = 1
    for atom in monomial:
        low, high = atom.bounds()
        if low is None or low < 0:
            return None, None
        least, most = least * low, None if most is None or high is None else most * high
    return least, most
