"""What a layer requires of its input: a relation between sizes, and the facts for when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import is_sum
from shapecalc.algebra.relation import Relation
from shapecalc.errors import Fact, ShapecalcError

Shape: TypeAlias = tuple[Dim, ...]
Message: TypeAlias = "str | Callable[[], str]"


@dataclass(slots=True)  # not frozen: that would double what it costs to make one, and many are made
class Requirement(Fact):
    """A relation between two sizes that must hold before a layer's output exists.

    `says` is the message for when it fails, with the numbers in it; it may be a function, so that
    nothing is formatted for the requirements that hold. A subclass keeps its facts as attributes and
    formats its message from them.
    """

    code: str
    left: Dim
    op: str
    right: Dim
    says: Message
    hint: Message = ""

    def verdict(self) -> bool | None:
        """Return whether the relation holds: always, never, or (None) only for some sizes."""
        left, right = self.left, self.right
        if isinstance(left, int) and isinstance(right, int):
            if self.op == ">=":
                return left >= right
            if self.op == "==":
                return left == right
        return self.relation.verdict()

    @property
    def relation(self) -> Relation:
        """The relation between the two sizes alone."""
        return Relation(self.left, self.op, self.right)

    @property
    def message(self) -> str:
        """The sentence for a reader."""
        return self.says if isinstance(self.says, str) else self.says()

    @property
    def advice(self) -> str:
        """What to change, or nothing."""
        return self.hint if isinstance(self.hint, str) else self.hint()

    def saying(self, says: Message = "", hint: Message = "") -> Requirement:
        """Return this requirement with another message or another hint."""
        self.says, self.hint = says or self.says, hint or self.hint
        return self

    def between(self, left: Dim, right: Dim) -> Requirement:
        """Return this requirement between other sizes, with the message of this one."""
        return Requirement(self.code, left, self.op, right, lambda: self.message, lambda: self.advice)

    def as_data(self) -> Requirement:
        """Return this requirement with its texts formatted: it holds no function, and can be pickled."""
        return self.saying(self.message, self.advice)

    def __str__(self) -> str:
        return str(self.relation)


class Refused(ShapecalcError):
    """A layer refuses its input; the engine turns this into a `Failure` with its place."""

    def __init__(self, requirement: Requirement) -> None:
        super().__init__(requirement)
        self.requirement = requirement

    def __str__(self) -> str:
        return self.requirement.message  # formatted when it is read: a search refuses a thousand times


def shown(shape: Shape) -> str:
    """Return a shape as tables and messages write it; × where an x could be part of a name.

    >>> from shapecalc.algebra import symbol
    >>> shown((1, 3, 224, 224)), shown((3, symbol("H") - 4))
    ('1x3x224x224', '3×(H - 4)')
    """
    if all(isinstance(dim, int) for dim in shape):
        return "x".join(map(str, shape)) or "a single number"
    if len(shape) == 1:
        return str(shape[0])
    return "×".join(f"({dim})" if is_sum(dim) else str(dim) for dim in shape)


def checked(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Return the requirements that hold only for some sizes; raise `Refused` for one that fails."""
    conditions: list[Requirement] = []
    for requirement in requirements:
        verdict = requirement.verdict()
        if verdict is False:
            raise Refused(requirement)
        if verdict is None:
            conditions.append(requirement)
    return tuple(conditions)


def arity(kind: str, inputs: int, *counts: int) -> Requirement:
    """Require a number of input tensors, one of several where the later ones are optional."""
    nearest = min(counts, key=lambda count: abs(count - inputs))
    wanted = " or ".join(map(str, counts)) + (" tensor" if counts == (1,) else " tensors")
    return Requirement("arity", inputs, "==", nearest, lambda: f"{kind} takes {wanted}, not {inputs}")


def shaped(kind: str, name: str, x: Shape, wanted: Shape) -> Iterator[Requirement]:
    """Require that a tensor has exactly this shape."""

    def says() -> str:
        return f"{kind}: {name} must be {shown(wanted)}, not {shown(x)}"

    yield Requirement("rank", len(x), "==", len(wanted), says)
    for actual, size in zip(x, wanted, strict=True):
        yield Requirement("shape", actual, "==", size, says)


def rank_between(kind: str, x: Shape, low: int, high: int | None) -> Iterator[Requirement]:
    """Require a number of dimensions, batch included."""
    has = len(x)
    if low <= has and (high is None or has <= high):
        return
    if high is None:
        wanted = f"{low} or more dimensions"
    elif low == high:
        wanted = f"{low} dimensions"
    else:
        wanted = f"{low} or {high} dimensions" if high == low + 1 else f"{low} to {high} dimensions"

    def says() -> str:
        return f"{kind} needs {wanted}, but {shown(x)} has {has}"

    yield Requirement("rank", has, ">=", low, says)
    if high is not None:
        yield Requirement("rank", high, ">=", has, says)


class DeclaredSize(Requirement):
    """The field `name` declares the size `left`, and the input has `right`."""

    def __init__(
        self, kind: str, name: str, declared: Dim, actual: Dim, x: Shape, axis: str, hint: str = ""
    ) -> None:
        super().__init__("channels", declared, "==", actual, self._message, hint or self._advice)
        self.kind, self.name, self.shape, self.axis = kind, name, x, axis

    def _message(self) -> str:
        head = f"{self.kind} declares {self.name}: {self.left}"
        return f"{head}, but the input {shown(self.shape)} has {self.right} {self.axis}"

    def _advice(self) -> str:
        return f"{self.name}: {self.right}, or leave {self.name} out: it is inferred"


class Divisibility(Requirement):
    """The field `name`, whose value is `divisor`, must divide the size `n` that `dividend` names."""

    def __init__(self, kind: str, name: str, divisor: Dim, dividend: str, n: Dim) -> None:
        super().__init__("divisibility", n % divisor, "==", 0, self._message)
        self.kind, self.name, self.divisor, self.dividend, self.n = kind, name, divisor, dividend, n

    def _message(self) -> str:
        return (
            f"{self.kind}: {self.name} = {self.divisor} does not divide {self.dividend} = {self.n} "
            f"(remainder {self.left})"
        )


def divides(kind: str, name: str, divisor: Dim, dividend: str, n: Dim) -> Requirement:
    """Require that one size divides another."""
    return Divisibility(kind, name, divisor, dividend, n)


class HalfKernel(Requirement):
    """A padding of a pool may be at most half of its kernel, so that no window lies on padding alone."""

    def __init__(self, kind: str, axis: str, kernel: Dim, padding: Dim) -> None:
        super().__init__("padding", kernel, ">=", 2 * padding, self._message)
        self.kind, self.axis, self.kernel, self.padding = kind, axis, kernel, padding

    def _message(self) -> str:
        return (
            f"{self.kind}: padding of {self.padding} along the {self.axis} is more than half of the "
            f"kernel of {self.kernel}"
        )


class EqualBranches(Requirement):
    """The sizes of two tensors of a merge on one axis, which must be equal."""

    def __init__(
        self, code: str, kind: str, shapes: Sequence[Shape], pair: tuple[int, int], axis: str, from_end: int
    ) -> None:
        self.branch, self.first = pair
        left, right = (shapes[number][from_end] for number in pair)
        super().__init__(code, left, "==", right, self._message)
        self.kind, self.shapes, self.axis, self.from_end = kind, shapes, axis, from_end

    def _message(self) -> str:
        late, first = (
            f"branch {number + 1} is {shown(self.shapes[number])}" for number in (self.branch, self.first)
        )
        return f"{self.kind}: {late} but {first}: {self.axis} differs ({self.left} against {self.right})"


def axis_exists(kind: str, name: str, axis: int, rank: int, x: Shape) -> Iterator[Requirement]:
    """Require that an axis, counted from either end, exists."""

    def says() -> str:
        return f"{kind}: {name} = {axis} is not an axis of {shown(x)} (legal: {-rank} to {rank - 1})"

    yield Requirement("axis", axis, ">=", -rank, says)
    yield Requirement("axis", rank - 1, ">=", axis, says)
