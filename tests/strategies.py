"""Random layers and inputs for any kind, drawn from the constraints its own fields declare.

Most configurations are legal. A *wild* one (about one in five) may break any bound, have a declared
size that does not arrive, or an input of the wrong rank: what torch refuses is tested as hard as
what it accepts. What cannot be read off a field's annotation (that `groups` divides channels, that
a reshape keeps the number of elements) stands in the two tables `FIELD_HINTS` and `INPUTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from shapecalc.layers.base import Kind
from shapecalc.layers.fields import (
    Decimal,
    Each,
    Listed,
    OneOf,
    Optional,
    Truth,
    Whole,
    _Annotation,
)
from shapecalc.layers.registry import get

Sizes: TypeAlias = tuple[int, ...]
Fields: TypeAlias = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """A kind, the fields a user would write, and the shapes that arrive."""

    cls: type[Kind]
    fields: Fields
    inputs: tuple[Sizes, ...]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
        return f"Case({self.cls.kind}({fields}) on {self.inputs})"


def case(kind: str, *inputs: Sizes, **fields: Any) -> Case:
    """Return a case by hand, for examples that must always be tried."""
    return Case(get(kind), fields, inputs)


class Draft:
    """A case in the making: what hints may look at, and how they draw."""

    def __init__(self, draw: st.DrawFn, cls: type[Kind]) -> None:
        self._draw = draw
        self.cls = cls
        self.wild = self.chance(5)
        self.fields: Fields = {}
        self.inputs: tuple[Sizes, ...] = ()

    def draw(self, strategy: st.SearchStrategy[T]) -> T:
        return self._draw(strategy)

    def chance(self, one_in: int) -> bool:
        """Return True once in so many draws (and never in the simplest case)."""
        return self.draw(st.integers(0, one_in - 1)) == one_in - 1

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    @property
    def x(self) -> Sizes:
        """The first input."""
        return self.inputs[0]

    @property
    def rank(self) -> int | None:
        """The number of spatial axes, if the kind has a fixed one."""
        return getattr(self.cls, "rank", None)

    @property
    def channel_axis(self) -> int:
        """The axis of channels, counted from the front, if the input has that many axes."""
        if self.rank is not None:
            return max(len(self.x) - self.rank - 1, 0)
        return min(1, len(self.x) - 1)

    @property
    def channels(self) -> int:
        return self.x[self.channel_axis] if self.x else 1


# ---- values of fields

_DECIMALS = [Fraction(n, d) for n, d in [(0, 1), (1, 2), (1, 1), (1, 4), (3, 10), (3, 2), (2, 1), (5, 2)]]


def value(draft: Draft, rule: _Annotation) -> Any:
    """Draw a value that an annotation allows; in a wild draft, sometimes one just outside."""
    illegal = draft.wild and draft.chance(8)
    match rule:
        case Whole():
            return _whole(draft, rule, illegal)
        case Decimal():
            return _decimal(draft, rule, illegal)
        case Each():
            return _each(draft, rule, illegal)
        case Listed():
            length = draft.whole(rule.shortest, rule.shortest + 2) - illegal
            return tuple(value(draft, rule.item) for _ in range(length))
        case Optional():
            return None if draft.chance(3) else value(draft, rule.item)
        case OneOf():
            if rule.otherwise is not None and not draft.chance(4):
                return value(draft, rule.otherwise)
            return draft.draw(st.sampled_from(rule.words))
        case Truth():
            return draft.draw(st.booleans())
        case _:
            raise NotImplementedError(f"no strategy for the annotation {type(rule).__name__}")


def _whole(draft: Draft, rule: Whole, illegal: bool) -> int:
    low = rule.minimum if rule.minimum is not None else -3
    high = rule.maximum if rule.maximum is not None else low + (3 if rule.minimum is not None else 6)
    high = min(high, low + 6)
    if not illegal:
        return draft.whole(low, high)
    return high + draft.whole(1, 3) if rule.minimum is None else low - draft.whole(1, 2)


def _decimal(draft: Draft, rule: Decimal, illegal: bool) -> int | Fraction:
    low = Fraction(-2) if rule.minimum is None else Fraction(rule.minimum)
    high = Fraction(3) if rule.maximum is None else Fraction(rule.maximum)
    if illegal:
        return draft.draw(st.sampled_from([low - Fraction(1, 2), high + Fraction(1, 2)]))
    found = draft.draw(st.sampled_from([number for number in _DECIMALS if low <= number <= high]))
    return found.numerator if found.denominator == 1 else found


def _each(draft: Draft, rule: Each, illegal: bool) -> Any:
    if draft.chance(2):
        return value(draft, rule.item)
    if rule.lengths is not None:
        length = draft.draw(st.sampled_from(rule.lengths))
    else:
        length = draft.rank or draft.whole(1, 3)
    if illegal:
        length += 1
    return tuple(value(draft, rule.item) for _ in range(length))


# ---- inputs


def _spatial(draft: Draft) -> tuple[Sizes, ...]:
    rank = draft.rank or 1
    largest = {1: 14, 2: 11, 3: 7}[rank]
    axes = rank
    if draft.wild and draft.chance(3):
        axes = draft.draw(st.sampled_from([rank - 1, rank + 1]))
    sizes = tuple(draft.whole(1, largest) for _ in range(axes))
    channels = draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8, 12]))
    batch = () if draft.chance(4) else (draft.whole(1, 3),)
    return ((*batch, channels, *sizes),)


def _generic(draft: Draft) -> tuple[Sizes, ...]:
    rank = draft.whole(1, 5)
    return (tuple(draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8])) for _ in range(rank)),)


def of_rank(*ranks: int) -> Callable[[Draft], tuple[Sizes, ...]]:
    """Return inputs of one of these ranks, or in a wild draft of any."""

    def inputs(draft: Draft) -> tuple[Sizes, ...]:
        if draft.wild and draft.chance(3):
            return _generic(draft)
        rank = draft.draw(st.sampled_from(ranks))
        return (tuple(draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8])) for _ in range(rank)),)

    return inputs


def several(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors that broadcast together, mostly."""
    shape = _generic(draft)[0]
    count = draft.whole(1, 3) if draft.chance(4) else 2
    found: list[Sizes] = []
    for _ in range(count):
        sizes = list(shape)
        if draft.chance(3):
            sizes = sizes[draft.whole(0, len(sizes) - 1) :]
        sizes = [1 if draft.chance(5) else size for size in sizes]
        if draft.wild and draft.chance(2):
            sizes[0] += 1
        found.append(tuple(sizes))
    return tuple(found)


def joined(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors that agree on all axes but one, mostly, and the axis to join them along."""
    shape = _generic(draft)[0]
    axis = draft.whole(0, len(shape) - 1)
    if len(shape) > 1 and draft.chance(2):
        axis = 1
    found: list[Sizes] = []
    for _ in range(draft.whole(1, 3)):
        sizes = list(shape)
        sizes[axis] = draft.whole(1, 4)
        if draft.wild and draft.chance(2):
            sizes[draft.whole(0, len(sizes) - 1)] += 1
        found.append(tuple(sizes[: -1 if draft.wild and draft.chance(6) else None]))
    if axis != 1 or draft.chance(2):
        for name in {"dim", "axis"} & set(draft.cls.model_fields):
            draft.fields[name] = axis - (len(shape) if draft.chance(2) else 0)
    return tuple(found)


INPUTS: dict[str, Callable[[Draft], tuple[Sizes, ...]]] = {
    "add": several,
    "multiply": several,
    "concat": joined,
}
"""Kinds whose inputs are not just any shape (or, for spatial kinds, a shape of their rank)."""


# ---- fields that depend on what arrives


def _declared(draft: Draft) -> int:
    return draft.whole(1, 6) if draft.wild and draft.chance(3) else draft.channels


def _declared_last(draft: Draft) -> int:
    return draft.whole(1, 6) if draft.wild and draft.chance(3) else draft.x[-1]


def _divisor(draft: Draft) -> int:
    if draft.wild and draft.chance(2):
        return draft.whole(0, 4)
    channels = draft.channels
    return draft.draw(st.sampled_from([n for n in range(1, channels + 1) if channels % n == 0]))


def _out_channels(draft: Draft) -> int:
    groups: int = draft.fields.get("groups", 1)
    return draft.whole(0, 6) if draft.wild and draft.chance(3) else groups * draft.whole(1, 3)


def an_axis(draft: Draft) -> int:
    """Return an existing axis, counted from either end; in a wild draft, any number."""
    if draft.wild and draft.chance(3):
        return draft.whole(-6, 6)
    return draft.whole(-len(draft.x), len(draft.x) - 1)


def regrouped(draft: Draft, total: int) -> Sizes:
    """Return sizes whose product is this, mostly; one of them may be -1."""
    sizes: list[int] = []
    rest = total
    for _ in range(draft.whole(0, 2)):
        factor = draft.draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0]))
        sizes.append(factor)
        rest //= factor
    sizes.append(rest)
    if draft.chance(3):
        sizes[draft.whole(0, len(sizes) - 1)] = -1
    if draft.wild and draft.chance(2):
        sizes[draft.whole(0, len(sizes) - 1)] += draft.whole(1, 2)
    return tuple(draft.draw(st.permutations(sizes)))


FIELD_HINTS: dict[str, Callable[[Draft], Any]] = {
    "in_channels": _declared,
    "num_features": _declared,
    "num_channels": _declared,
    "in_features": _declared_last,
    "groups": _divisor,
    "num_groups": _divisor,
    "out_channels": _out_channels,
}
"""Fields by name, or by `kind.name` where a name means something else in one kind."""

SKIPPED = {"branches"}
"""Fields that hold layers, not values."""


def rules(cls: type[Kind]) -> dict[str, _Annotation]:
    """Return the annotation of every field that holds a value."""
    found: dict[str, _Annotation] = {}
    for name, field in cls.model_fields.items():
        if name in SKIPPED:
            continue
        annotations = [item for item in field.metadata if isinstance(item, _Annotation)]
        assert annotations, f"{cls.kind}.{name} has no annotation that says what it may hold"
        found[name] = annotations[0]
    return found


@st.composite
def cases(draw: st.DrawFn, kind: str) -> Case:
    """Draw a case of one kind."""
    cls = get(kind)
    draft = Draft(draw, cls)
    default = _spatial if draft.rank in (1, 2, 3) else _generic
    draft.inputs = INPUTS.get(kind, default)(draft)
    hinted: dict[str, Callable[[Draft], Any]] = {}
    for name, rule in rules(cls).items():
        if name in draft.fields or (not cls.model_fields[name].is_required() and draft.chance(2)):
            continue
        hint = FIELD_HINTS.get(f"{kind}.{name}", FIELD_HINTS.get(name))
        if hint is None:
            draft.fields[name] = value(draft, rule)
        else:
            hinted[name] = hint
    for name in FIELD_HINTS:
        short = name.rpartition(".")[2]
        if short in hinted and name in (short, f"{kind}.{short}"):
            draft.fields[short] = hinted.pop(short)(draft)
    fields = {name: draft.fields[name] for name in cls.model_fields if name in draft.fields}
    return Case(cls, fields, draft.inputs)


__all__ = ["Case", "Draft", "case", "cases", "prod", "rules", "value"]
