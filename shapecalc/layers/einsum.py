"""Products of tensors by an equation of letters: what is named on both sides is kept, the rest summed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from shapecalc.algebra import Dim, product
from shapecalc.errors import quote
from shapecalc.layers.base import Merge, Shapes
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import EVERYTHING, Along, AxisDependence, Dependence, Fixed
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, complaint
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.layers.strides import contiguous, simplest, viewed


class Equation(Annotation):
    """An equation of letters for each axis, as in `bhid,bhjd->bhij`."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(
            r"[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*", value.replace(" ", "")
        ):
            equation = value.replace(" ", "")
            left, _, right = equation.partition("->")
            if set(right) <= set(left) and len(set(right)) == len(right):
                if all(len(set(term)) == len(term) for term in left.split(",")):
                    return equation
        raise complaint(f"{quote(value)} is not an equation such as ij,jk->ik, each letter once on each side")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Einsum(Merge, kind="einsum"):
    """Multiplies tensors and sums over the axes whose letters the result lacks, as `equation` says.

    Tensors are multiplied one after the other. A pair costs the product of the sizes of all its letters where
    letters that both have are summed over, and nothing where none is. A letter has one size, or 1 and
    stretches. Source: torch.einsum.

    >>> Einsum(equation="bhid,bhjd->bhij").output(((1, 8, 49, 32), (1, 8, 49, 32)))
    (1, 8, 49, 49)
    >>> Einsum(equation="ij,jk->ik").macs(((4, 8), (8, 3)))
    96
    """

    family = Family.EINSUM
    keeps_places = False

    equation: Annotated[str, Equation()]

    def _terms(self) -> tuple[list[str], str]:
        left, _, right = self.equation.partition("->")
        return left.split(","), right

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        terms, _ = self._terms()
        says = f"{self.kind}: {self.equation} takes {len(terms)} tensors, not {len(inputs)}"
        yield Requirement("arity", len(inputs), "==", len(terms), says)
        sizes: dict[str, Dim] = {}
        for term, x in zip(terms, inputs, strict=True):
            says = f"{self.kind}: {term} names {len(term)} axes, but {shown(x)} has {len(x)}"
            yield Requirement("rank", len(x), "==", len(term), says)
            for letter, n in zip(term, x, strict=True):
                first = sizes.get(letter, 1)
                if n != 1 and first != 1:
                    says = f"{self.kind}: {letter} is both {first} and {n}"
                    yield Requirement("einsum", n, "==", first, says)
                sizes[letter] = n if first == 1 else first

    def _sizes(self, inputs: Shapes) -> dict[str, Dim]:
        sizes: dict[str, Dim] = {}
        for term, x in zip(self._terms()[0], inputs, strict=True):
            for letter, n in zip(term, x, strict=True):
                if sizes.get(letter, 1) == 1:
                    sizes[letter] = n
        return sizes

    def output(self, inputs: Shapes) -> Shape:
        sizes = self._sizes(inputs)
        return tuple(sizes[letter] for letter in self._terms()[1])

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        terms, right = self._terms()
        kept = {letter: axis for axis, letter in enumerate(right)}
        sizes = self._sizes(inputs)

        def view(letter: str, n: Dim) -> AxisDependence:
            if n != sizes[letter]:
                return Fixed(0, 0)
            return Along(kept[letter]) if letter in kept else EVERYTHING

        return tuple([tuple(map(view, term, x)) for term, x in zip(terms, inputs, strict=True)])

    def macs(self, inputs: Shapes) -> Dim:
        right = self._terms()[1]
        own = [dict(zip(term, x, strict=True)) for term, x in zip(self._terms()[0], inputs, strict=True)]
        so_far = own[0]
        total: Dim = 0
        for number, term in enumerate(own[1:], start=1):
            later = {letter for axes in own[number + 1 :] for letter, n in axes.items() if n != 1}
            needed = later.union(right)
            summed = {i for i in so_far.keys() & term.keys() - needed if so_far[i] != 1 != term[i]}
            together = {**so_far, **{i: n for i, n in term.items() if n != 1 or i not in so_far}}
            if summed:
                total = total + product(n for i, n in together.items() if i in needed | summed)
            so_far = {i: n for i, n in together.items() if i in needed}
        return total

    def operations(self, inputs: Shapes) -> Operations | None:
        """Of two tensors: each is summed over the letters that it alone has; then products and their sum."""
        terms, right = self._terms()
        results = product(self.output(inputs))
        if len(terms) == 1:
            return Operations(additions=product(inputs[0]) - results)
        if len(terms) > 2:
            return None
        kept: dict[str, Dim] = {}
        added: Dim = 0
        for term, x, other in zip(terms, inputs, reversed(terms), strict=True):
            shared = {*other, *right}
            sizes = {letter: n for letter, n in zip(term, x, strict=True) if letter in shared}
            added = added + product(x) - product(sizes.values())
            kept |= {letter: n for letter, n in sizes.items() if kept.get(letter, 1) == 1}
        pairs, macs = product(kept.values()), self.macs(inputs)
        return Operations(macs=macs, multiplications=pairs - macs, additions=added + pairs - macs - results)

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """Of two tensors, for the gradient of each the other as it is multiplied: a view, or a copy."""
        factors = self._factors(inputs, mode)
        return factors and tuple([factors[1 - number] for number in (0, 1) if mode.wants(number)])

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """The copies that are not saved."""
        kept = (self.saved(inputs, mode) or ()) if mode.learns else ()
        factors = self._factors(inputs, mode) or ()
        return (tuple([made for made in factors if isinstance(made, Own) and made not in kept]),)

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """The letters of both tensors lie first, then those of the first, then those of the second."""
        groups, output = self._groups(), self.output(inputs)
        if groups is None:
            return (None,)
        right = self._terms()[1]
        made = dict(zip("".join(groups[:3]), contiguous(self._of("".join(groups[:3]), inputs)), strict=True))
        return (simplest(output, tuple([made[letter] for letter in right])),)

    def _groups(self) -> tuple[str, str, str, str] | None:
        """Return the letters that a batch has, those of one factor alone, and those that are summed over.

        None where the product is no product of matrices: one tensor or more than two, nothing to sum over, or
        a sum over a letter of one tensor.
        """
        terms, right = self._terms()
        if len(terms) != 2:
            return None
        first, second = terms
        summed = "".join(sorted(set(first + second) - set(right)))
        if not summed or not set(summed) <= set(first) & set(second):
            return None
        both = [letter for letter in right if letter in first and letter in second]
        own = ["".join(letter for letter in right if letter in term and letter not in both) for term in terms]
        return "".join(both), own[0], own[1], summed

    def _of(self, letters: str, inputs: Shapes) -> Shape:
        sizes = self._sizes(inputs)
        return tuple([sizes[letter] for letter in letters])

    def _factors(self, inputs: Shapes, mode: Mode) -> tuple[Storage, Storage] | None:
        """Return what torch multiplies; None where that is not known."""
        groups = self._groups()
        if groups is None:
            return None
        both, first, second, summed = groups
        own = [dict(zip(term, x, strict=True)) for term, x in zip(self._terms()[0], inputs, strict=True)]
        stretched = any(own[0][letter] != own[1][letter] for letter in both + summed)
        if stretched or any(own[0][letter] == 1 for letter in summed):
            return None
        left = self._factor(0, (both, first, summed), inputs, mode)
        return left, self._factor(1, (both, summed, second), inputs, mode)

    def _factor(self, number: int, parts: tuple[str, ...], inputs: Shapes, mode: Mode) -> Storage:
        x, given = inputs[number], mode.strides_of(number)
        strides = dict(zip(self._terms()[0][number], contiguous(x) if given is None else given, strict=True))
        order = "".join(parts)
        matrices = tuple([product(self._of(part, inputs)) for part in parts])
        turned = tuple([strides[letter] for letter in order])
        return Own(x) if viewed(self._of(order, inputs), turned, matrices) is None else Input(number)
