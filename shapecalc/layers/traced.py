"""What a traced network holds beside layers: learned tensors, whole shapes, conditions, unknown operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.algebra.decide import decide
from shapecalc.errors import Undecided, quote
from shapecalc.layers.base import (
    AnyShape,
    Effect,
    Elementwise,
    Layer,
    Merge,
    Named,
    NoBuffers,
    NoMacs,
    NoWeights,
    NoWindow,
    SameShape,
    Shapes,
)
from shapecalc.layers.arithmetic import padded
from shapecalc.layers.centre import Centres, kept
from shapecalc.layers.fields import Listed, OneOf, Optional, Whole, _Annotation, complaint
from shapecalc.layers.merge import Broadcast
from shapecalc.layers.requirement import Requirement, Shape, arity, checked, rank_between, shown
from shapecalc.layers.reshape import Rearranging, Sizes, completed, fits, legal_sizes
from shapecalc.layers.select import Mean


class Word(_Annotation):
    """The name of a function, as in torch."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value, re.ASCII):
            return value
        raise complaint(f"{quote(value)} is not the name of a function")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_.]*$"}


class NamedShapes(_Annotation):
    """Tensors by their names, each with its shape."""

    def check(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return value
        if not isinstance(value, Mapping):
            raise complaint(f"{quote(value)} is not a mapping of names to shapes")
        sizes = Listed(Whole(0, may_be_free=False))
        return Tensors((str(name), sizes.check(shape)) for name, shape in value.items())

    def json_schema(self) -> dict[str, Any]:
        shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
        return {"type": "object", "additionalProperties": shape}


class Tensors(dict[str, Shape]):
    """Named shapes that can be looked up by what they are, as layers are."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


FixedShape = Annotated[tuple[int, ...], Listed(Whole(1, may_be_free=False))]
Shape_ = Annotated[tuple[Dim, ...], Listed(Whole(1))]
OpenShapes = Annotated[tuple[tuple[int, ...], ...], Listed(Listed(Whole(-1, may_be_free=False)))]


class Parameter(NoBuffers, NoMacs, NoWindow, AnyShape, Layer):
    """A learned tensor by itself: whatever arrives, its result is `shape`, batch and all.

    The weight is `weight`, of that shape. Traced networks add it to the data or put it in front of
    them. Source: torch.nn.Parameter.

    >>> Parameter(shape=[1, 1, 768]).output((8, 196, 768))
    (1, 1, 768)
    """

    kind: ClassVar[str] = "parameter"
    settles_sizes: ClassVar[bool] = True

    shape: FixedShape

    def output(self, x: Shape) -> Shape:
        return self.shape

    def weights(self, x: Shape) -> Named:
        return {"weight": self.shape}


class Constant(NoWeights, NoMacs, NoWindow, AnyShape, Layer):
    """A tensor that is not learned: whatever arrives, its result is `shape`, batch and all.

    Source: torch.zeros and its like, and the buffers of modules.

    >>> Constant(shape=[49, 49]).output((8, 3, 224, 224))
    (49, 49)
    """

    kind: ClassVar[str] = "constant"
    settles_sizes: ClassVar[bool] = True

    shape: Shape_

    def output(self, x: Shape) -> Shape:
        return self.shape


class View(Rearranging):
    """Arranges all elements anew, those of all samples together; one size may be -1.

    `shape` is whole, its first size included; `reshape` keeps the first axis instead. Refuses a
    shape that does not hold as many elements. Source: torch.Tensor.view, torch.reshape.

    >>> View(shape=[8, -1, 96]).output((2, 56, 56, 96))
    (8, 784, 96)
    """

    kind: ClassVar[str] = "view"
    torch: ClassVar[str | None] = "torch.reshape"
    framework: ClassVar[str | None] = "torch"

    shape: Sizes

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        legal_sizes("shape", self.shape)
        yield fits(self.kind, self.shape, product(x), shown(x))

    def output(self, x: Shape) -> Shape:
        return completed(self.shape, product(x))


class Expand(Rearranging):
    """Repeats axes of size 1 until the shape is `shape`; -1 keeps an axis, new ones come in front.

    Refuses fewer axes than arrive, and an axis that is neither 1 nor kept. Source: torch.Tensor.expand.

    >>> Expand(shape=[8, -1, -1]).output((1, 1, 768))
    (8, 1, 768)
    """

    kind: ClassVar[str] = "expand"
    torch: ClassVar[str | None] = "torch.broadcast_to"
    framework: ClassVar[str | None] = "torch"

    shape: Sizes

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        new = len(self.shape) - len(x)
        says = f"{self.kind}: {shown(x)} has more axes than the {len(self.shape)} of shape"
        yield Requirement("rank", new, ">=", 0, says)
        yield from (
            Requirement("expand", size, ">=", 1, f"{self.kind}: a new axis has no size to keep")
            for size in self.shape[:new]
        )
        for axis, (size, n) in enumerate(zip(self.shape[new:], x, strict=True)):
            if size != -1 and n != 1:
                told = f"{self.kind}: axis {axis} of {shown(x)} is {n}, not 1, so it cannot become {size}"
                yield Requirement("expand", n, "==", size, told)

    def output(self, x: Shape) -> Shape:
        new = len(self.shape) - len(x)
        kept = (n if size == -1 else size for size, n in zip(self.shape[new:], x, strict=True))
        return (*self.shape[:new], *kept)


class PadAny(NoWeights, NoMacs, NoWindow, Layer):
    """Padding of any axes: `pad` lists before and after of the last axis, then of the one before it.

    A negative amount crops. Refuses half a pair, more pairs than axes, and an axis of which nothing is
    left. Source: torch.nn.functional.pad.

    >>> PadAny(pad=[0, 0, 0, 3, 0, 5]).output((1, 64, 72, 96))
    (1, 69, 75, 96)
    """

    kind: ClassVar[str] = "pad"
    torch: ClassVar[str | None] = "torch.nn.functional.pad"
    framework: ClassVar[str | None] = "torch"

    pad: Annotated[tuple[Dim, ...], Listed(Whole())]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        given = len(self.pad)
        yield Requirement("axes", given % 2, "==", 0, f"{self.kind}: pad has {given} values, half a pair")
        says = f"{self.kind}: pad has {given // 2} pairs, but {shown(x)} has {len(x)} axes"
        yield Requirement("axes", len(x), ">=", given // 2, says)
        for axis, n in enumerate(self.output(x)):
            yield Requirement("too-small", n, ">=", 1, _nothing_left(self.kind, axis, x))

    def output(self, x: Shape) -> Shape:
        sizes = [*x]
        for number in range(len(self.pad) // 2):
            axis = len(x) - 1 - number
            sizes[axis] = padded(x[axis], self.pad[2 * number], self.pad[2 * number + 1])
        return tuple(sizes)

    def centres(self, x: Shape) -> Centres:
        return tuple(one if n == out else None for one, n, out in zip(kept(len(x)), x, self.output(x), strict=True))


def _nothing_left(kind: str, axis: int, x: Shape) -> str:
    return f"{kind}: nothing of axis {axis} of {shown(x)} is left"


class Equation(_Annotation):
    """An equation of letters for each axis, as in `bhid,bhjd->bhij`."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*", value.replace(" ", "")):
            found = value.replace(" ", "")
            left, _, right = found.partition("->")
            if set(right) <= set(left) and len(set(right)) == len(right):
                if all(len(set(one)) == len(one) for one in left.split(",")):
                    return found
        raise complaint(f"{quote(value)} is not an equation such as ij,jk->ik, each letter once on each side")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Einsum(Merge):
    """Multiplies tensors and sums over the axes whose letters the result lacks, as `equation` says.

    Tensors are multiplied one after the other. A pair costs the product of the sizes of all its
    letters where letters that both have are summed over, and nothing where none is. A letter has one
    size. Source: torch.einsum.

    >>> Einsum(equation="bhid,bhjd->bhij").output(((1, 8, 49, 32), (1, 8, 49, 32)))
    (1, 8, 49, 49)
    >>> Einsum(equation="ij,jk->ik").macs(((4, 8), (8, 3)))
    96
    """

    kind: ClassVar[str] = "einsum"
    keeps_places: ClassVar[bool] = False

    __init__ = Merge.__init__

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
                first = sizes.setdefault(letter, n)
                yield Requirement("einsum", n, "==", first, f"{self.kind}: {letter} is {first} and {n}")

    def _sizes(self, inputs: Shapes) -> dict[str, Dim]:
        return {
            letter: n
            for term, x in zip(self._terms()[0], inputs, strict=True)
            for letter, n in zip(term, x, strict=True)
        }

    def output(self, inputs: Shapes) -> Shape:
        sizes = self._sizes(inputs)
        return tuple(sizes[letter] for letter in self._terms()[1])

    def macs(self, inputs: Shapes) -> Dim | None:
        (first, *others), right = self._terms()
        sizes, so_far = self._sizes(inputs), set(first)
        total: Dim = 0
        for number, term in enumerate(others):
            needed = set(right).union(*others[number + 1 :])
            shared = so_far & set(term)
            together = {one for one in so_far | set(term) if one in needed or one in shared}
            if shared - needed:
                total = total + product(sizes[one] for one in sorted(together))
            so_far = together & needed
        return total


class Function(Elementwise):
    """A function of each element that no other kind stands for, by its name: shape kept.

    No weights, no multiply-accumulates. Source: torch's functions of one tensor, such as torch.exp.

    >>> Function(function="exp").output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    kind: ClassVar[str] = "elementwise"

    function: Annotated[str, Word()]


class Combine(Broadcast):
    """A function of the elements of several tensors, by its name, broadcast as `add` does.

    Refuses what `add` refuses. No weights, no multiply-accumulates. Source: torch.sub, torch.div,
    torch.maximum and others.

    >>> Combine(function="sub").output(((1, 64, 7, 7), (1, 64, 1, 1)))
    (1, 64, 7, 7)
    """

    kind: ClassVar[str] = "combine"

    __init__ = Merge.__init__

    function: Annotated[str, Word()]


class Reduce(Mean):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim.

    `function` says how: their sum, greatest, least or product. Sums are no MACs. Refuses axes that do
    not exist or come twice. Source: torch.sum, torch.amax, torch.amin, torch.var, torch.std.

    >>> Reduce(function="amax", dim=[2, 3]).output((1, 1280, 7, 7))
    (1, 1280)
    """

    kind: ClassVar[str] = "reduce"
    torch: ClassVar[str | None] = None

    function: Annotated[str, OneOf(("sum", "amax", "amin", "var", "std"))]


class Require(SameShape, NoWeights, NoMacs, NoWindow, Layer):
    """Hands its input on, and refuses sizes for which `left` does not stand to `right` as said.

    A traced network holds what its Python code asked of the sizes: the answer decided which way it
    went. Source: `if` and `assert` in a forward.

    >>> Require(left=224, relation="==", right=224).output((1, 3, 224, 224))
    (1, 3, 224, 224)
    """

    kind: ClassVar[str] = "require"

    left: Annotated[Dim, Whole()]
    relation: Annotated[str, OneOf(("equal", "unequal", "less", "at_most", "more", "at_least"))]
    right: Annotated[Dim, Whole()]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        sign = _SIGNS[self.relation]
        told = self.relation.replace("_", " ")
        yield Requirement(
            "condition",
            self.left,
            sign,
            self.right,
            lambda: f"{self.kind}: {self.left} is not {told} {self.right}, as the traced code had it",
        )


_SIGNS = {"equal": "==", "unequal": "!=", "less": "<", "at_most": "<=", "more": ">", "at_least": ">="}


class Unused(Elementwise):
    """Hands its input on, and lists parameters that the network holds and never uses.

    They are counted: they are stored and saved with the others. Source: the parameters of a module
    that its forward does not reach, such as auxiliary heads in evaluation.

    >>> Unused(tensors={"aux.fc.weight": [1000, 1024]}).weights((1, 1000))
    {'aux.fc.weight': (1000, 1024)}
    """

    kind: ClassVar[str] = "unused"

    tensors: Annotated[Any, NamedShapes()]

    def weights(self, x: Shape) -> Named:
        return dict(self.tensors)


class Opaque(Merge):
    """An operation that no rule is known for: its shapes are those seen when it was traced.

    `takes` and `gives` are those shapes; -1 stands for the batch, which may be another. What it
    costs is not known unless it multiplies nothing (`macs: 0`), so totals are "at least". Other
    sizes than those seen are Undecided. Source: torch's operations that have no kind.

    >>> Opaque(function="fft_fft", takes=[[-1, 8]], gives=[[-1, 8]]).output(((2, 8),))
    (2, 8)
    """

    kind: ClassVar[str] = "opaque"
    keeps_places: ClassVar[bool] = False

    __init__ = Merge.__init__

    function: Annotated[str, Word()]
    takes: OpenShapes
    gives: OpenShapes
    tensors: Annotated[Any, NamedShapes()] = Tensors()
    macs_known: Annotated[int | None, Optional(Whole(0, may_be_free=False))] = None

    def apply(self, inputs: Shapes) -> Effect:
        conditions = checked(self.requirements(inputs))
        outputs = tuple(self._with_batch(shape, inputs) for shape in self.gives)
        return Effect(outputs, dict(self.tensors), {}, self.macs(inputs), None, conditions)

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), len(self.takes))
        for x, seen in zip(inputs, self.takes, strict=True):
            yield from rank_between(self.kind, x, len(seen), len(seen))
            for n, size in zip(x, seen, strict=True):
                if size != -1 and decide(n, "==", size) is not True:
                    raise Undecided(
                        f"{self.function} has no rule: it was traced on {shown(seen)}, and what it makes of "
                        f"{shown(x)} is not known"
                    )

    def output(self, inputs: Shapes) -> Shape:
        return self._with_batch(self.gives[0], inputs)

    def _with_batch(self, shape: Shape, inputs: Shapes) -> Shape:
        batch = next((x[0] for x, seen in zip(inputs, self.takes, strict=True) if seen[:1] == (-1,)), 1)
        return tuple(batch if size == -1 else size for size in shape)

    def macs(self, inputs: Shapes) -> Dim | None:
        return self.macs_known
