"""ONNX's products of tensors by an equation where a tensor may name a letter twice: its diagonal is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from shapecalc.algebra import Dim
from shapecalc.errors import quote
from shapecalc.layers.base import Merge, Shapes
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, complaint
from shapecalc.layers.requirement import Requirement, Shape, arity, shown


class Repeating(Annotation):
    """An equation of letters for each axis, those of one tensor not all different, as in `bii->bi`."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*", value):
            left, _, right = value.partition("->")
            if {*right} <= {*left} and len({*right}) == len(right):
                return value
        raise complaint(f"{quote(value)} is not an equation such as bii->bi, each letter once in the result")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class OnnxEinsum(Merge, kind="onnx_einsum", framework="onnx"):
    """Multiplies and sums as `einsum` does, of the diagonal where a tensor names a letter twice.

    MACs are those of `einsum` on the diagonals. Refuses axes of one letter that differ, and what `einsum`
    refuses. Source: ONNX, Einsum.

    >>> OnnxEinsum(equation="bii->bi").output(((3, 5, 5),))
    (3, 5)
    """

    family = Family.EINSUM
    keeps_places = False
    unknown_dependence = ("places and channels", "the diagonal of a tensor is at no even pace")

    equation: Annotated[str, Repeating()]

    def _terms(self) -> list[str]:
        return self.equation.partition("->")[0].split(",")

    def _plain(self) -> Einsum:
        terms = ["".join(dict.fromkeys(term)) for term in self._terms()]
        return Einsum(equation=f"{','.join(terms)}->{self.equation.partition('->')[2]}")

    def _diagonals(self, inputs: Shapes) -> Shapes:
        pairs = zip(self._terms(), inputs, strict=True)
        return tuple([tuple(dict(zip(term, x, strict=True)).values()) for term, x in pairs])

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), len(self._terms()))
        for term, x in zip(self._terms(), inputs, strict=True):
            says = f"{self.kind}: {term} names {len(term)} axes, but {shown(x)} has {len(x)}"
            yield Requirement("rank", len(x), "==", len(term), says)
            sizes: dict[str, Dim] = {}
            for letter, n in zip(term, x, strict=True):
                says = f"{self.kind}: {letter} is both {sizes.get(letter)} and {n}"
                yield Requirement("einsum", n, "==", sizes.setdefault(letter, n), says)
        for requirement in self._plain().requirements(self._diagonals(inputs)):
            yield requirement.saying(f"{self.kind}: {requirement.message}")

    def output(self, inputs: Shapes) -> Shape:
        return self._plain().output(self._diagonals(inputs))

    def macs(self, inputs: Shapes) -> Dim:
        return self._plain().macs(self._diagonals(inputs))
