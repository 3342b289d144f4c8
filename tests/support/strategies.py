"""Random layers and inputs for any kind, drawn from the constraints its own fields declare.

Half of the configurations are meant to be legal. The others have one flaw: an input of the wrong
rank, a declared size that does not arrive, a divisor that does not divide, a bound overstepped by a
little; or *anything* at once. What torch refuses is tested as hard as what it accepts. Which fields declare
a size of the input, and which must divide one, follows from their roles; what cannot be read off a field
(that a reshape keeps the number of elements) is in the two tables `FIELD_HINTS` and `INPUTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, prod
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from shapecalc.layers.base import Kind
from shapecalc.layers.extended_number import INFINITIES, Extended
from shapecalc.layers.fields import (
    Annotation,
    Decimal,
    Each,
    Integer,
    Listed,
    Nullable,
    OneOf,
    Truth,
)
from shapecalc.layers.registry import get
from shapecalc.layers.roles import Declares, Divides, Holds, Role, fields_with, roles
from tests.support.strategies_more import MORE_HINTS, MORE_INPUTS
from tests.support.strategies_onnx import ONNX_INPUTS

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


FLAWS = ("none", "rank", "declared", "none", "divisor", "bound", "none", "anything", "bound", "none")
"""What may be wrong with a case: one thing, so that no other refusal hides it, or anything."""


class Draft:
    """A case in the making: what hints may look at, and how they draw."""

    def __init__(self, draw: st.DrawFn, cls: type[Kind]) -> None:
        self._draw = draw
        self.cls = cls
        self.flaw = self.draw(st.sampled_from(FLAWS))
        self.wild = self.flaw == "anything"
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
        """The first input, or any shape if there is none."""
        return self.inputs[0] if self.inputs else (2, 2)

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


def value(draft: Draft, rule: Annotation) -> Any:
    """Draw a value that an annotation allows; in a wild draft, sometimes one just outside."""
    illegal = draft.wild and draft.chance(8)
    for annotation, strategy in STRATEGIES.items():
        if isinstance(rule, annotation):
            return strategy(draft, rule, illegal)
    raise NotImplementedError(f"no strategy for the annotation {type(rule).__name__}")


def _listed(draft: Draft, rule: Listed, illegal: bool) -> tuple[Any, ...]:
    length = draft.whole(rule.shortest, rule.shortest + 2) - illegal
    return tuple(value(draft, rule.item) for _ in range(length))


def _optional(draft: Draft, rule: Nullable, illegal: bool) -> Any:
    return None if draft.chance(3) else value(draft, rule.item)


def _one_of(draft: Draft, rule: OneOf, illegal: bool) -> Any:
    if rule.otherwise is not None and not draft.chance(2 if draft.flaw == "bound" else 4):
        return value(draft, rule.otherwise)
    return draft.draw(st.sampled_from(rule.words))


def _truth(draft: Draft, rule: Truth, illegal: bool) -> bool:
    return draft.draw(st.booleans())


def _extended(draft: Draft, rule: Extended, illegal: bool) -> Any:
    if draft.chance(5):
        return draft.draw(st.sampled_from(INFINITIES))
    return _decimal(draft, rule, illegal)


def _whole(draft: Draft, rule: Integer, illegal: bool) -> int:
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


STRATEGIES: dict[type[Annotation], Callable[[Draft, Any, bool], Any]] = {
    Extended: _extended,
    Integer: _whole,
    Decimal: _decimal,
    Each: _each,
    Listed: _listed,
    Nullable: _optional,
    OneOf: _one_of,
    Truth: _truth,
}
"""How to draw for each type of annotation; the first that fits."""


# ---- inputs


def _spatial(draft: Draft) -> tuple[Sizes, ...]:
    rank = draft.rank or 1
    largest = 3 if draft.flaw == "bound" else {1: 14, 2: 11, 3: 7}[rank]
    sizes = tuple(draft.whole(1, largest) for _ in range(rank))
    channels = draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8, 12]))
    if draft.flaw == "rank" or (draft.wild and draft.chance(3)):
        return (sizes if draft.chance(2) else (2, 2, channels, *sizes),)
    batch = () if draft.chance(4) else (draft.whole(1, 3),)
    return ((*batch, channels, *sizes),)


def _generic(draft: Draft) -> tuple[Sizes, ...]:
    rank = draft.whole(1, 5)
    return (tuple(draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8])) for _ in range(rank)),)


def of_rank(*ranks: int) -> Callable[[Draft], tuple[Sizes, ...]]:
    """Return inputs of one of these ranks, or in a wild draft of any."""

    def inputs(draft: Draft) -> tuple[Sizes, ...]:
        if draft.flaw == "rank" or (draft.wild and draft.chance(3)):
            return _generic(draft)
        rank = draft.draw(st.sampled_from(ranks))
        return (tuple(draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8])) for _ in range(rank)),)

    return inputs


def several(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors that broadcast together, mostly."""
    if draft.flaw == "rank":
        return ()
    shape = _generic(draft)[0]
    count = draft.whole(1, 3) if draft.chance(4) else 2
    found: list[Sizes] = []
    for number in range(count):
        sizes = list(shape)
        if draft.chance(3):
            sizes = sizes[draft.whole(0, len(sizes) - 1) :]
        sizes = [1 if draft.chance(5) else size for size in sizes]
        is_other = draft.flaw in ("declared", "divisor") and number == count - 1
        if is_other or (draft.wild and draft.chance(2)):
            sizes[draft.whole(0, len(sizes) - 1)] += 1
        found.append(tuple(sizes))
    return tuple(found)


def joined(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors that agree on all axes but one, mostly, and the axis to join them along."""
    if draft.flaw == "rank" and draft.chance(2):
        return ()
    shape = _generic(draft)[0]
    axis = draft.whole(0, len(shape) - 1)
    if len(shape) > 1 and draft.chance(2):
        axis = 1
    found: list[Sizes] = []
    for _ in range(draft.whole(1, 3)):
        sizes = list(shape)
        sizes[axis] = draft.whole(1, 4)
        if draft.flaw == "declared" or (draft.wild and draft.chance(2)):
            sizes[draft.whole(0, len(sizes) - 1)] += 1
        found.append(tuple(sizes[: -1 if draft.flaw == "rank" and draft.chance(2) else None]))
    if draft.flaw == "bound":
        draft.fields["dim"] = draft.draw(st.sampled_from([len(shape), -len(shape) - 1]))
    elif axis != 1 or draft.chance(2):
        draft.fields["dim"] = axis - (len(shape) if draft.chance(2) else 0)
    return tuple(found)


def multiplied(draft: Draft) -> tuple[Sizes, ...]:
    """Return two tensors whose matrix product exists, mostly."""
    n, k, m = (draft.whole(1, 4) for _ in range(3))
    batch = [draft.whole(1, 3) for _ in range(draft.whole(0, 2))]
    left: list[int] = [*batch, *([] if draft.chance(5) and not batch else [n]), k]
    inner = k + 1 if draft.flaw == "declared" else k
    right = [*([1 if draft.chance(4) else size for size in batch]), inner, m]
    if draft.chance(3):
        right = right[-2:] if draft.chance(2) else right[-2:-1]
    if draft.wild and draft.chance(4):
        right.insert(0, 2)
    pair = (tuple(left), tuple(right))
    if draft.flaw != "rank":
        return pair
    return draft.draw(st.sampled_from([pair[:1], ((), pair[1]), (pair[0], ()), (*pair, pair[1])]))


def resized(draft: Draft) -> tuple[Sizes, ...]:
    """Return an input to interpolate, and a size or a scale, and a mode, that fit it."""
    rank = draft.draw(st.sampled_from([1, 2, 2, 3]))
    by_kind = {"upsampling_bilinear2d": 2}
    rank = rank if draft.wild else by_kind.get(draft.cls.kind, rank)
    shape = tuple(draft.whole(1, 6) for _ in range(rank + 2))
    lengths = rank + 1 if draft.flaw == "bound" else rank
    if draft.chance(2):
        size = tuple(draft.whole(1, 9) for _ in range(lengths))
        draft.fields["size"] = size[0] if draft.chance(2) else size
    else:
        scales = [Fraction(n, d) for n, d in [(2, 1), (3, 2), (7, 10), (29, 100), (1, 2), (1, 1), (4, 3)]]
        scale = tuple(draft.draw(st.sampled_from(scales)) for _ in range(lengths))
        draft.fields["scale_factor"] = scale[0] if draft.chance(2) else scale
    if draft.wild and draft.chance(4):
        draft.fields["size"] = 4
    modes = {1: "linear", 2: "bilinear", 3: "trilinear"}
    if "mode" in draft.cls.model_fields and not draft.wild:
        anywhere = ("nearest", "nearest-exact", "area")
        draft.fields["mode"] = draft.draw(st.sampled_from([*anywhere, modes[rank]]))
        draft.fields["align_corners"] = None
        if draft.fields["mode"] not in anywhere and draft.chance(2):
            draft.fields["align_corners"] = draft.draw(st.booleans())
        if "size" in draft.fields:
            draft.fields["recompute_scale_factor"] = None
    for name in ("size", "scale_factor"):
        if not draft.wild:
            draft.fields.setdefault(name, None)
    return (shape,)


def shuffled(draft: Draft) -> tuple[Sizes, ...]:
    """Return an input whose channels or sides a factor divides, mostly."""
    factor = draft.whole(1, 3)
    draft.fields[next(name for name in draft.cls.model_fields if name.endswith("scale_factor"))] = factor
    channels, height, width = (draft.whole(1, 4) for _ in range(3))
    front = tuple(draft.whole(1, 2) for _ in range(draft.whole(0, 2)))
    if draft.cls.kind == "pixel_shuffle":
        shape = (*front, channels * factor**2 + (draft.flaw == "divisor"), height, width)
    else:
        sides = [height * factor, width * factor]
        if draft.flaw == "divisor":
            sides[draft.whole(0, 1)] += 1
        shape = (*front, channels, *sides)
    return (shape[-2:] if draft.flaw == "rank" else shape,)


EQUATIONS = [
    "ij,jk->ik",
    "bij,bjk->bik",
    "bhid,bhjd->bhij",
    "bnd,qd->bqn",
    "i,j->ij",
    "ij->ji",
    "ijk->j",
    "bij,j->b",
]


def by_letters(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors for an equation of letters, mostly."""
    equation = draft.fields["equation"] = draft.draw(st.sampled_from(EQUATIONS))
    sizes = {letter: draft.whole(1, 4) for letter in "abcdefghijklmnopqrstuvwxyz"}
    found = [[sizes[letter] for letter in term] for term in equation.partition("->")[0].split(",")]
    if draft.chance(4):
        found[-1][0] = 1
    if draft.flaw == "declared" or (draft.wild and draft.chance(2)):
        found[0][-1] += 1
    if draft.flaw == "rank":
        found[0].append(2)
    return tuple(map(tuple, found))


def as_seen(draft: Draft) -> tuple[Sizes, ...]:
    """Return tensors that an operation without a rule was seen to take; the batch may be another."""
    found = [_generic(draft)[0] for _ in range(draft.whole(1, 2))]
    batched = draft.chance(2)
    takes = tuple((-1, *x[1:]) if batched and x else x for x in found)
    draft.fields |= {"function": "fft_fft", "takes": takes, "gives": takes}
    batch = draft.whole(1, 3)
    return tuple((batch, *x[1:]) if batched and x else x for x in found)


INPUTS: dict[str, Callable[[Draft], tuple[Sizes, ...]]] = {
    "add": several,
    "multiply": several,
    "combine": several,
    "einsum": by_letters,
    "opaque": as_seen,
    "pad": of_rank(2, 3, 4),
    "broadcast_to": of_rank(1, 2, 3),
    "traced_function": several,
    "concat": joined,
    "matmul": multiplied,
    "upsample": resized,
    "upsampling_nearest2d": resized,
    "upsampling_bilinear2d": resized,
    "pixel_shuffle": shuffled,
    "pixel_unshuffle": shuffled,
    "dropout1d": of_rank(2, 3),
    "dropout2d": of_rank(3, 4),
    "dropout3d": of_rank(4, 5),
    "softmax2d": of_rank(3, 4),
    "group_norm": of_rank(2, 3, 4),
    "local_response_norm": of_rank(3, 4, 5),
    "permute": of_rank(1, 2, 3, 4),
    "multihead_attention": of_rank(2, 3, 3),
    "class_token": of_rank(3),
    "position_embedding": of_rank(3),
    "layer_scale": of_rank(2, 3, 4),
    "divisible": of_rank(2, 3, 4),
    "channel_shuffle": of_rank(3, 4, 5),
    "glu": of_rank(1, 2, 3),
    **MORE_INPUTS,
    **ONNX_INPUTS,
}
"""Kinds whose inputs are not just any shape (or, for spatial kinds, a shape of their rank)."""


# ---- fields that depend on what arrives


Hint: TypeAlias = Callable[[Draft], Any]


def by_role(role: Role) -> Hint | None:
    """Return how to draw a field that declares a size of the input, or that must divide one."""
    if isinstance(role, Declares):
        return lambda draft: _declared(draft, role)
    return (lambda draft: _divisor(draft, role)) if isinstance(role, Divides) else None


def _declared(draft: Draft, role: Declares) -> int:
    size = _size(draft, role)
    if draft.flaw == "declared":
        return draft.draw(st.sampled_from([1, 2, 3])) * size + draft.whole(0, 1)
    return size


def _size(draft: Draft, role: Declares) -> int:
    size = role.size(draft.cls, draft.inputs) if draft.inputs else None
    return size if isinstance(size, int) else 1


def _divisor(draft: Draft, role: Divides) -> int:
    declares = [found for name in role.of if isinstance(found := roles(draft.cls).get(name), Declares)]
    size = _size(draft, declares[0] if declares else Declares())
    if draft.flaw == "divisor":
        return size + 1 if draft.chance(2) else draft.whole(0, 4)
    return draft.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))


def _divisor_of(draft: Draft, size: int) -> int:
    """Return a divisor of a size, mostly."""
    if draft.chance(8):
        return draft.whole(0, 5)
    return draft.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))


def _out_channels(draft: Draft) -> int:
    groups: int = draft.fields.get("groups", 1)
    return groups * draft.whole(1, 3) + (draft.flaw == "divisor")


def an_axis(draft: Draft) -> int:
    """Return an existing axis, counted from either end; in a wild draft, any number."""
    rank = len(draft.x)
    if draft.flaw == "bound" and draft.chance(2):
        return rank if draft.chance(2) else -rank - 1
    return draft.whole(-6, 6) if draft.wild and draft.chance(3) else draft.whole(-rank, rank - 1)


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
    if draft.flaw in ("divisor", "bound") or (draft.wild and draft.chance(2)):
        sizes[draft.whole(0, len(sizes) - 1)] += draft.whole(1, 2)
    return tuple(draft.draw(st.permutations(sizes)))


def some_axes(draft: Draft) -> int | tuple[int, ...]:
    """Return one axis, or several, each named once except in a wild draft."""
    if draft.chance(3):
        return an_axis(draft)
    rank = len(draft.x)
    if draft.flaw == "rank":
        return (0, draft.draw(st.sampled_from([0, rank, -rank, -rank - 1])))
    if draft.wild and draft.chance(3):
        return tuple(draft.whole(-5, 4) for _ in range(draft.whole(0, 3)))
    axes = draft.draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True))
    return tuple(axis - rank if draft.chance(3) else axis for axis in axes)


def order_of_axes(draft: Draft) -> tuple[int, ...]:
    """Return a permutation of the axes, some counted from the end."""
    rank = len(draft.x)
    axes = list(draft.draw(st.permutations(range(rank))))
    if draft.flaw == "bound":
        axes[-1] = draft.whole(-rank - 1, rank)
    if draft.flaw == "rank":
        axes = axes[:-1] if draft.chance(2) else [*axes, rank]
    return tuple(axis - rank if axis >= 0 and draft.chance(4) else axis for axis in axes)


def pad_sides(draft: Draft) -> Any:
    """Return padding as one number, per axis, per side, or in torch's flat order."""
    rank = draft.rank or 1

    def side() -> int:
        return draft.whole(-3, 4) if draft.chance(5) or draft.wild else draft.whole(0, 3)

    form = draft.whole(0, 3)
    if form == 0:
        return side()
    if form == 1:
        return tuple(side() for _ in range(2 * rank))
    count = rank + 1 if draft.wild and draft.chance(6) else rank
    return tuple((side(), side()) if form == 2 or draft.chance(2) else side() for _ in range(count))


def crop_sides(draft: Draft) -> Any:
    """Return what to cut off: little, so that something is left, unless a bound is overstepped."""
    if draft.wild:
        return value(draft, rules(draft.cls)["crop"])
    most = 3 if draft.flaw == "bound" else 1
    if draft.chance(3):
        return draft.whole(0, most)
    side = st.integers(0, most)
    return tuple(draft.draw(side | st.tuples(side, side)) for _ in range(draft.rank or 1))


def half_a_kernel(draft: Draft) -> Any:
    """Return padding of at most half the kernel, as torch's pooling takes it."""
    kernel = draft.fields.get("kernel_size", 1)
    if draft.wild and draft.chance(3):
        return draft.whole(-1, 4)
    if draft.flaw == "bound":
        return max(kernel if isinstance(kernel, tuple) else (kernel,)) // 2 + 1
    if isinstance(kernel, tuple):
        return tuple(draft.whole(0, max(k, 0) // 2) for k in kernel)
    return draft.whole(0, max(kernel, 0) // 2)


def conv_padding(draft: Draft) -> Any:
    """Return padding; where a bound is overstepped, more than the input has, or `same` with a stride."""
    if draft.flaw != "bound":
        return value(draft, rules(draft.cls)["padding"])
    if draft.chance(2):
        draft.fields["stride"] = 2
        return "same"
    if "padding_mode" in draft.cls.model_fields:
        draft.fields["padding_mode"] = draft.draw(st.sampled_from(["reflect", "circular"]))
    return min(draft.x[-1] + draft.whole(0, 1), 9)


def below_the_stride(draft: Draft) -> Any:
    """Return output padding below the stride or the dilation, as transposed convolution takes it."""
    if draft.wild and draft.chance(3):
        return draft.whole(-1, 3)
    limits = [draft.fields.get(name, 1) for name in ("stride", "dilation")]
    most = max(min(limit) if isinstance(limit, tuple) else limit for limit in limits)
    return most if draft.flaw == "bound" else draft.whole(0, max(most - 1, 0))


def ending(draft: Draft) -> int | tuple[int, ...]:
    """Return the end of the input's shape."""
    if draft.flaw == "declared" or (draft.wild and draft.chance(2)):
        return draft.whole(1, 6)
    end = draft.x[-draft.whole(1, len(draft.x)) :]
    return end[0] if len(end) == 1 and draft.chance(2) else end


def pieces(draft: Draft) -> Any:
    """Return a size, or sizes that add up to an axis."""
    if draft.chance(2):
        return draft.whole(1, 4)
    axis = draft.fields.setdefault("dim", an_axis(draft))
    legal = -len(draft.x) <= axis < len(draft.x)
    rest = draft.x[axis] if legal else 3
    if draft.flaw == "divisor":
        rest += 1
    sizes: list[int] = []
    while rest > 0:
        sizes.append(draft.whole(1, rest))
        rest -= sizes[-1]
    return tuple(sizes)


def stretched(draft: Draft) -> tuple[int, ...]:
    """Return a shape that the input can be expanded to, mostly."""
    sizes = [draft.whole(1, 4) if n == 1 else draft.draw(st.sampled_from([n, -1])) for n in draft.x]
    if draft.flaw in ("bound", "declared"):
        sizes[0] = draft.whole(1, 5)
    return tuple([draft.whole(1, 3) for _ in range(draft.whole(0, 1))] + sizes)[draft.flaw == "rank" :]


def pairs_of_sides(draft: Draft) -> tuple[int, ...]:
    """Return padding before and after of the last axes."""
    count = 2 * draft.whole(1, len(draft.x)) + (draft.flaw == "divisor") + 2 * (draft.flaw == "rank")
    least = -5 if draft.flaw == "bound" else -1 if draft.wild else 0
    return tuple(draft.whole(least, 3) for _ in range(count))


def named_tensors(draft: Draft) -> dict[str, tuple[int, ...]]:
    """Return tensors by their names."""
    return {name: (draft.whole(1, 3), draft.whole(1, 3)) for name in "ab"[: draft.whole(0, 2)]}


def split_axis(draft: Draft) -> tuple[int, ...]:
    """Return sizes whose product is that of the axis `dim`."""
    axis: int = draft.fields.get("dim", 0)
    return regrouped(draft, draft.x[axis] if -len(draft.x) <= axis < len(draft.x) else 6)


def connected(draft: Draft) -> tuple[tuple[int, ...], ...]:
    """Return which input channels every output channel sees."""
    highest = draft.channels - (draft.flaw != "declared")
    some = st.lists(st.integers(0, highest), min_size=1, max_size=4, unique=not draft.wild)
    return tuple(map(tuple, draft.draw(st.lists(some, min_size=1, max_size=4))))


FIELD_HINTS: dict[str, Hint] = {
    "divisor": lambda draft: _divisor_of(draft, gcd(*draft.x[-2:])),
    "out_channels": _out_channels,
    "prelu.num_parameters": lambda draft: 1 if draft.chance(3) else _declared(draft, Declares()),
    "glu.dim": an_axis,
    "dim": an_axis,
    "mean.dim": some_axes,
    "squeeze.dim": some_axes,
    "divisible.dim": lambda draft: (-2, -1) if draft.chance(3) else some_axes(draft),
    "dim0": an_axis,
    "dim1": an_axis,
    "dims": order_of_axes,
    "start_dim": lambda draft: draft.whole(0, min(1, len(draft.x) - 1)),
    "end_dim": lambda draft: -1 if draft.flaw == "divisor" else an_axis(draft),
    "elementwise.function": lambda draft: draft.draw(st.sampled_from(["exp", "neg", "floor"])),
    "combine.function": lambda draft: draft.draw(st.sampled_from(["sub", "div", "maximum"])),
    "reduce.dim": some_axes,
    "traced_function.shape": lambda draft: tuple(draft.whole(1, 4) for _ in range(draft.whole(0, 3))),
    "traced_function.function": lambda draft: draft.draw(st.sampled_from(["topk", "gather"])),
    "view.shape": lambda draft: regrouped(draft, prod(draft.x)),
    "broadcast_to.shape": stretched,
    "pad.pad": pairs_of_sides,
    "tensors": named_tensors,
    "kept": lambda draft: {f"kept.{name}": sizes for name, sizes in named_tensors(draft).items()},
    "reshape.shape": lambda draft: regrouped(draft, prod(draft.x[1:])),
    "unflattened_size": split_axis,
    "split_size": pieces,
    "select.index": lambda draft: draft.whole(-9, 8) if draft.flaw == "bound" else draft.whole(-1, 0),
    "normalized_shape": ending,
    "output_padding": below_the_stride,
    "connections": connected,
    "crop": crop_sides,
    "embedding.num_embeddings": lambda draft: draft.whole(3, 7),
    **{
        f"{name}conv{rank}d.padding": conv_padding
        for name in ("", "depthwise_", "separable_", "partial_")
        for rank in (1, 2, 3)
    },
    **{f"{name}_pool{rank}d.padding": half_a_kernel for name in ("max", "avg") for rank in (1, 2, 3)},
    **{
        f"{name}_pad{rank}d.padding": pad_sides
        for name in ("zero", "constant", "reflection", "replication", "circular")
        for rank in (1, 2, 3)
    },
    **MORE_HINTS,
}
"""Fields by name, or by `kind.name` where a name means something else in one kind.

They are drawn after the fields without a hint and those whose role says how, in this order.
"""

SKIPPED = {"held", "macs_known", "name", "skipped"}
"""Fields that hold the name of a weight, or what only the tracing of a network or drawn operands know."""


def rules(cls: type[Kind]) -> dict[str, Annotation]:
    """Return the annotation of every field that holds a value."""
    found: dict[str, Annotation] = {}
    for name, field in cls.model_fields.items():
        if name in SKIPPED or name in fields_with(cls, Holds):
            continue
        annotations = [item for item in field.metadata if isinstance(item, Annotation)]
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
    of_kind = {key.partition(".")[2]: hint for key, hint in FIELD_HINTS.items() if key.startswith(f"{kind}.")}
    return drawn(draft, {name: hint for name, hint in FIELD_HINTS.items() if "." not in name} | of_kind)


def drawn(draft: Draft, by_name: dict[str, Hint]) -> Case:
    """Draw the fields of a draft, those with a hint last."""
    cls = draft.cls
    hints = {name: hint for name, role in roles(cls).items() if (hint := by_role(role))} | by_name
    chosen: list[str] = []
    for name, rule in rules(cls).items():
        aimed = name in hints and draft.flaw not in ("none", "anything")
        left_out = not cls.model_fields[name].is_required() and not aimed and draft.chance(2)
        if name in draft.fields or left_out:
            continue
        if name in hints:
            chosen.append(name)
        else:
            draft.fields[name] = value(draft, rule)
    for name, hint in hints.items():
        if name in chosen:
            draft.fields.setdefault(name, hint(draft))
    fields = {name: draft.fields[name] for name in cls.model_fields if name in draft.fields}
    return Case(cls, fields, draft.inputs)


__all__ = ["Case", "Draft", "case", "cases", "prod", "rules", "value"]
