"""What a layer asks of its input: a relation between sizes, with the sentence for when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import is_sum
from shapecalc.algebra.relation import Relation
from shapecalc.errors import ShapecalcError

Shape: TypeAlias = tuple[Dim, ...]
Message: TypeAlias = "str | Callable[[], str]"


@dataclass(slots=True)  # not frozen: that would double what it costs to make one, and many are made
class Requirement:
    """A relation between two sizes that must hold before a layer's output exists.

    `says` tells what was needed and what came, with the numbers in it; it may be a function, so
    that nothing is written down for the requirements that hold.
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

    def __str__(self) -> str:
        return str(self.relation)


class Refused(ShapecalcError):
    """A layer refuses its input; the engine turns this into a `Failure` with its place."""

    def __init__(self, requirement: Requirement) -> None:
        super().__init__(requirement.message)
        self.requirement = requirement


def shown(shape: Shape) -> str:
    """Return a shape as it stands in tables and messages; × where an x could be part of a name.

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


def arity(kind: str, given: int, *counts: int) -> Requirement:
    """Require a number of input tensors, one of several where the later ones are optional."""
    nearest = min(counts, key=lambda count: abs(count - given))
    told = " or ".join(map(str, counts)) + (" tensor" if counts == (1,) else " tensors")
    return Requirement("arity", given, "==", nearest, lambda: f"{kind} takes {told}, not {given}")


def shaped(kind: str, name: str, x: Shape, wanted: Shape) -> Iterator[Requirement]:
    """Require that a tensor has exactly this shape."""

    def says() -> str:
        return f"{kind}: {name} must be {shown(wanted)}, but {shown(x)} arrives"

    yield Requirement("rank", len(x), "==", len(wanted), says)
    for arriving, size in zip(x, wanted, strict=True):
        yield Requirement("shape", arriving, "==", size, says)


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
        return f"{kind} needs {wanted}, but {shown(x)} arrives, which has {has}"

    yield Requirement("rank", has, ">=", low, says)
    if high is not None:
        yield Requirement("rank", high, ">=", has, says)


def matches(
    kind: str, name: str, declared: Dim | None, arriving: Dim, x: Shape, what: str = "channels"
) -> Iterator[Requirement]:
    """Require that a declared size is the one that arrives; a size left out is inferred."""
    if declared is not None:
        yield Requirement(
            "channels",
            declared,
            "==",
            arriving,
            lambda: (
                f"{kind} declares {name}: {declared}, but {shown(x)} arrives, which has {arriving} {what}"
            ),
            lambda: f"{name}: {arriving}, or leave {name} out: it is inferred",
        )


def divides(kind: str, divisor: str, d: Dim, name: str, n: Dim) -> Requirement:
    """Require that one size divides another."""
    return Requirement(
        "divisibility",
        n % d,
        "==",
        0,
        lambda: f"{kind}: {divisor} = {d} does not divide {name} = {n} (remainder {n % d})",
    )


def axis_exists(kind: str, name: str, axis: int, rank: int, x: Shape) -> Iterator[Requirement]:
    """Require that an axis, counted from either end, exists."""

    def says() -> str:
        return f"{kind}: {name} = {axis} is not an axis of {shown(x)} (legal: {-rank} to {rank - 1})"

    yield Requirement("axis", axis, ">=", -rank, says)
    yield Requirement("axis", rank - 1, ">=", axis, says)
