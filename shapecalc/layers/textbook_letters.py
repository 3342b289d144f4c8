"""The letters of textbooks for the sizes and the fields of a layer, so that its rules can be shown.

A layer and its inputs are given traced sizes: then every rule that runs on them writes down its
formula. A kind names its axes in `Kind.axes`; the role of a field gives its letter (`layers.roles`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.provenance import TracedFraction, lettered
from shapecalc.algebra.term import Letter
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.requirement import Shape
from shapecalc.layers.roles import AsNumbers, Lettered, Role, WindowField, roles

BATCH = "N"


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of the axes of a network."""

    batch: Dim | None
    """The size of the batch, or None for a network without one."""
    shows_batch: bool = False
    channels_last: bool = False
    one_dimensional: bool = False
    """Whether two axes are channels and length, as to a convolution, or else positions and features."""


def with_letters(layer: Kind) -> tuple[Kind, dict[Letter, str]]:
    """Return the layer with a letter for every size in its fields, and the field of each letter.

    >>> from shapecalc.layers.pool import MaxPool2d
    >>> layer, fields = with_letters(MaxPool2d(kernel_size=[3, 2], padding=1))
    >>> print(*(f"{letter.name} = {letter.value}" for letter in fields), sep=", ")
    k_h = 3, k_w = 2, s_h = 3, s_w = 2, p = 1
    """
    values: dict[str, Any] = {}
    fields: dict[Letter, str] = {}
    declared = roles(type(layer))
    for name in type(layer).model_fields:
        role = declared.get(name, Role())
        value = getattr(layer, name)
        if value is None and isinstance(role, WindowField) and role.same_as:
            value = getattr(layer, role.same_as)
        if not isinstance(role, AsNumbers) and (role.neutral is None or role.neutral != value):
            value = _named(value, role.letter or name, _suffixes(layer, role, value), name, fields)
        values[name] = value
    return type(layer).model_construct(**values), fields


def _named(value: Any, letter: str, suffixes: tuple[str, ...], field: str, into: dict[Letter, str]) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, Expr)):
        into[Letter(letter, value)] = field
        return lettered(letter, value)
    if isinstance(value, Fraction):
        scale = TracedFraction(value)
        scale.term = Letter(letter, value)
        into[scale.term] = field
        return scale
    if isinstance(value, tuple) and len(value) == len(suffixes):
        joint = "" if "_" in letter else "_"
        return tuple(
            _named(item, f"{letter}{joint}{suffix}", ("0", "1"), field, into)
            for item, suffix in zip(value, suffixes, strict=True)
        )
    return value


def _suffixes(layer: Kind, role: Role, value: Any) -> tuple[str, ...]:
    """Return what distinguishes the entries of a list: the axis where there is one for each."""
    if not isinstance(value, tuple):
        return ()
    per_axis = isinstance(role, Lettered) and role.per_axis
    rank = getattr(layer, "rank", len(value) if per_axis else None)
    if len(value) == rank and (letters := axis_suffixes(rank)):
        return letters
    return tuple(map(str, range(1, len(value) + 1)))


def axis_suffixes(rank: int) -> tuple[str, ...]:
    """Return what distinguishes the spatial axes in the index of a letter, `h` and `w` for two axes."""
    return tuple(letter.lower() for letter in spatial_letters(rank))


def input_letters(layer: Kind, inputs: Shapes, layout: Layout) -> Shapes:
    """Return the input shapes with a letter for every size; `_in`, or the tensor's number.

    >>> from shapecalc.layers.conv import Conv2d
    >>> conv = Conv2d(out_channels=6, kernel_size=5)
    >>> [size.term.name for size in input_letters(conv, ((1, 1, 32, 32),), Layout(1))[0][1:]]
    ['C_in', 'H_in', 'W_in']
    """
    suffixes = [f"_{number + 1}" for number in range(len(inputs))] if len(inputs) > 1 else ["_in"]
    return tuple(
        tuple(_letters(layer, x, number, suffix, layout))
        for number, (x, suffix) in enumerate(zip(inputs, suffixes, strict=True))
    )


def _letters(layer: Kind, x: Shape, number: int, suffix: str, layout: Layout) -> Iterator[Dim]:
    names = axis_letters(x, layout)
    known = layer.axes(x, number)[-len(x) :] if x else ()
    leading = enumerate(names[: len(names) - len(known)])
    spare = (BATCH, *(f"n{axis}" for axis in range(1, len(x))))  # where a kind has the usual name for itself
    names = (*(spare[axis] if name in known else name for axis, name in leading), *known)
    is_hidden = layout.batch is not None and not layout.shows_batch
    for axis, (name, size) in enumerate(zip(names, x, strict=True)):
        if axis == 0 and name == BATCH:
            yield size if is_hidden else lettered(BATCH, size)
        else:
            yield lettered(f"{name}{suffix}", size)


def axis_letters(x: Shape, layout: Layout) -> tuple[str, ...]:
    """Return what the axes of a tensor are called where nothing more is known of them.

    >>> axis_letters((1, 64, 7, 7), Layout(1)), axis_letters((1, 7, 7, 64), Layout(1, channels_last=True))
    (('N', 'C', 'H', 'W'), ('N', 'H', 'W', 'C'))
    """
    front = (BATCH,) if layout.batch is not None and x[:1] == (layout.batch,) else ()
    number = len(x) - len(front)
    if number == 1:
        rest: tuple[str, ...] = ("F",)
    elif number == 2 and not layout.one_dimensional:
        rest = ("L", "E")
    elif spatial := spatial_letters(number - 1):
        rest = ("C", *spatial)
    else:
        rest = tuple(f"n{axis}" for axis in range(1, number + 1))
    if layout.channels_last and len(rest) > 1 and rest[0] == "C":
        rest = (*rest[1:], rest[0])
    return (*front, *rest)
