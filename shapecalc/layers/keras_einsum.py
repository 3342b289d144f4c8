"""Keras' dense layer by an equation: a tensor times a kernel, summed over letters that the result lacks."""

import re
from collections.abc import Iterator
from string import ascii_letters
from typing import Annotated, Any, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.errors import quote
from shapecalc.layers.base import Layer, Named, NoBuffers, NoWindow
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import Dependence
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, Integer, Listed, Nullable, complaint
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import AsNumbers

_DENSE = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class DenseEquation(Annotation):
    """An equation of a tensor and a kernel, as in `abc,cd->abd`, `...x,xy->...y` or `ab...,bc->ac...`."""

    def check(self, value: Any) -> Any:
        match = _DENSE.fullmatch(value) if isinstance(value, str) else None
        if match:
            left, taken, right, kernel, to_left, made, to_right = match.groups()
            alike = (left, right) == (to_left, to_right) and not (left and right) and (not right or taken[1:])
            if alike and all(len({*term}) == len(term) for term in (taken, kernel, made)):
                if {*made} <= {*taken, *kernel} and {*kernel} <= {*taken, *made}:
                    return value
        raise complaint(
            f"{quote(value)} is not an equation of two terms such as abc,cd->abd or ...x,xy->...y"
        )

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Letters(Annotation):
    """Letters, or none."""

    def check(self, value: Any) -> Any:
        if value is None or (isinstance(value, str) and re.fullmatch("[a-zA-Z]+", value)):
            return value
        raise complaint(f"{quote(value)} is not a word of letters")

    def json_schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"]}


class _Sizes(Listed):
    """Sizes, in which null is that of the input; a single size is a list of one."""

    def check(self, value: Any) -> Any:
        return super().check([value] if isinstance(value, int) and not isinstance(value, bool) else value)


class KerasEinsumDense(
    NoBuffers, NoWindow, Layer, kind="einsum_dense", framework="keras", keras="keras.layers.EinsumDense"
):
    """A tensor times a kernel by an equation, as in `abc,cd->abd`: letters that the result lacks are summed.

    `...` on the same side of both shapes holds any axes. output_shape has the sizes of the result without
    its batch, of what is not held by `...`; null is the input's own. Weights are `kernel`, with the sizes
    of its letters, and `bias` for the letters in bias_axes. It costs the product of the sizes of all
    letters that meet. Refuses other ranks, sizes that differ for one letter, and sizes of the kernel that
    output_shape leaves open.

    >>> layer = KerasEinsumDense(equation="abc,cde->abde", output_shape=[None, 12, 64], bias_axes="de")
    >>> layer.output((1, 197, 768)), layer.weights((1, 197, 768))
    ((1, 197, 12, 64), {'kernel': (768, 12, 64), 'bias': (12, 64)})
    """

    order = "equation output_shape bias_axes"
    family = Family.LINEAR

    equation: Annotated[str, DenseEquation()]
    output_shape: Annotated[tuple[Dim | None, ...], _Sizes(Nullable(Integer(1)), 1), AsNumbers()]
    bias_axes: Annotated[str | None, Letters()] = None

    @model_validator(mode="after")
    def _of_the_result(self) -> Self:
        made, sizes = self._result, self.output_shape
        for letter in self.bias_axes or "":
            if letter not in made:
                raise complaint(f"{letter} is not a letter of the result, {made}", "bias_axes")
        if isinstance(sizes, tuple) and len(sizes) != len(made) - (not self._held_left):
            wanted = len(made) - (not self._held_left)
            raise complaint(
                f"{self.equation} has {wanted} sizes behind the batch, not {len(sizes)}", "output_shape"
            )
        return self

    @property
    def _held_left(self) -> bool:
        return self.equation.startswith("...")

    @property
    def _result(self) -> str:
        return self.equation.partition("->")[2].replace(".", "")

    def _terms(self) -> tuple[str, str]:
        taken, _, kernel = self.equation.partition("->")[0].replace(".", "").partition(",")
        return taken, kernel

    def _held(self, x: Shape) -> int:
        """Return how many axes `...` holds."""
        return len(x) - len(self._terms()[0]) if "..." in self.equation else 0

    def _written(self) -> dict[str, Dim | None]:
        """Return the sizes in output_shape by their letters."""
        made = self._result if self._held_left else self._result[1:]
        return dict(zip(made, self.output_shape, strict=True))

    def _sizes(self, x: Shape) -> dict[str, Dim]:
        """Return the size of every letter: that of the input, or that in output_shape."""
        taken, held = self._terms()[0], self._held(x)
        own = dict(zip(taken, x[held:] if self._held_left else x, strict=False))
        return {letter: n for letter, n in self._written().items() if n is not None} | own

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        (taken, kernel), written = self._terms(), self._written()
        most = None if "..." in self.equation else len(taken)
        yield from rank_between(self.kind, x, len(taken) + self._held_left, most)
        own = self._sizes(x)
        for letter, n in written.items():
            if n is not None and letter in taken:
                says = f"{self.kind}: {letter} is {own[letter]} in {shown(x)}, and {n} in output_shape"
                yield Requirement("einsum", own[letter], "==", n, says)
        for letter in {*kernel, *(self.bias_axes or "")} & written.keys():
            says = f"{self.kind}: output_shape leaves the size of {letter} open, which a weight has"
            yield Requirement("einsum", int(written[letter] is not None), "==", 1, says)

    def _einsum(self, x: Shape) -> tuple[Einsum, tuple[Shape, Shape]]:
        """Return the product, with letters for what `...` holds."""
        (taken, kernel), made, held = self._terms(), self._result, self._held(x)
        free = "".join([letter for letter in ascii_letters if letter not in taken + kernel][:held])
        terms = [free + term if self._held_left else term + free for term in (taken, made)]
        equation = f"{terms[0]},{kernel}->{terms[1]}"
        sizes = self._sizes(x)
        return Einsum(equation=equation), (x, tuple(sizes[letter] for letter in kernel))

    def output(self, x: Shape) -> Shape:
        einsum, inputs = self._einsum(x)
        return einsum.output(inputs)

    def weights(self, x: Shape) -> Named:
        named: Named = {"kernel": self._einsum(x)[1][1]}
        if self.bias_axes is not None:
            sizes, behind = self._sizes(x), self._held(x) if not self._held_left else 0
            first = min(map(self._result.index, self.bias_axes))
            letters = self._result[first:]
            own = [sizes[letter] if letter in self.bias_axes else 1 for letter in letters]
            named["bias"] = (*own, *(1,) * behind)
        return named

    def dependence(self, x: Shape, result: int) -> Dependence:
        einsum, inputs = self._einsum(x)
        return einsum.depends_on(inputs, result)[0]

    def operations(self, x: Shape) -> Operations:
        """What the tensor alone has and the result lacks is summed first; then products, sums, a bias."""
        (taken, kernel), sizes, results = self._terms(), self._sizes(x), product(self.output(x))
        early = {*taken} - {*kernel, *self._result}
        kept = product(n for letter, n in sizes.items() if letter in taken and letter not in early)
        held = product(x[: self._held(x)] if self._held_left else x[len(taken) :])
        pairs = held * product(n for letter, n in sizes.items() if letter not in early)
        summed = bool({*taken} & {*kernel} - {*self._result})
        added = product(x) - held * kept - (results if summed else 0)
        bias = 0 if self.bias_axes is None else results
        macs, multiplications = (pairs, 0) if summed else (0, pairs)
        return Operations(macs=macs, multiplications=multiplications, additions=added + bias)
