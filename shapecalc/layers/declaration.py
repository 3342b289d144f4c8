"""What follows from how the class of a kind is declared: names over ranks, positions, and the docstring.

A family over 1, 2 or 3 axes states its names with `{rank}`, and one text; its classes state the rank, a
sentence and an example.
"""

from __future__ import annotations

from functools import cache
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from shapecalc.layers.axis_names import AXES, spatial_letters
from shapecalc.layers.roles import Inferred, Makes, fields_with

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind


def name_ranks(cls: type[Kind], rank: int) -> None:
    """Set the rank of a class, and the names that its family states for all ranks."""
    cls.rank = rank
    for name in ("kind", "torch", "keras"):
        template = getattr(cls, name)
        if template is not None:
            setattr(cls, name, template.format(rank=rank))


def arrange_fields(cls: type[Kind]) -> None:
    """Put the fields in the order of `cls.order`, as if they had been declared so."""
    front, _, back = cls.order.replace("*", "").partition("...")
    named, fields = {*cls.order.split()}, dict(cls.model_fields)
    rest = [name for name in fields if name not in named]
    cls.model_fields.clear()
    cls.model_fields.update(
        {name: fields[name] for name in (*front.split(), *rest, *back.split()) if name in fields}
    )


@cache
def positions(cls: type[Kind]) -> tuple[str, ...]:
    """Return the fields that may be given by position: torch's arguments, in torch's order.

    A layer that makes channels of its own, or that torch does not have, leaves out the sizes that it infers.

    >>> from shapecalc.layers.conv import Conv2d
    >>> positions(Conv2d)[:3]
    ('out_channels', 'kernel_size', 'stride')
    """
    before, star, _ = cls.order.partition("*")
    named = [word for word in before.split() if word != "..."]
    infers = cls.torch is None or bool(fields_with(cls, Makes))
    left_out = {*(fields_with(cls, Inferred) if infers else ()), "branches"}
    return tuple(name for name in cls.model_fields if name not in left_out and (name in named or not star))


def by_position(cls: type[Kind], values: tuple[Any, ...], fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are given by position and by name, all by name."""
    names = positions(cls)
    if len(values) > len(names):
        known = ", ".join(names) or "none"
        raise TypeError(f"{cls.__name__} takes {len(names)} fields by position ({known}), not {len(values)}")
    twice = [name for name in names[: len(values)] if name in fields]
    if twice:
        raise TypeError(f"{cls.__name__} has {twice[0]} twice: by position and by name")
    return dict(zip(names, values, strict=False)) | fields


class Docstring:
    """The docstring of a kind, completed when it is read: its family's text and the fields' positions."""

    def __init__(self, own: str, rank: int | None) -> None:
        self.own, self.rank = own, rank

    def __get__(self, instance: object, cls: type[Kind]) -> str:
        prose, mark, examples = cleandoc(self.own).partition("\n>>> ")
        parts = [prose.rstrip()]
        if self.rank is not None:
            summary, _, more = prose.rstrip().partition("\n\n")
            shared = cleandoc(cls.__mro__[1].__doc__ or "").partition("\n\n")[2]
            parts = [summary, shared.format(**_words(self.rank)), more]
        if names := positions(cls):
            parts.append(f"By position: {', '.join(names)}.")
        return "\n\n".join(part for part in (*parts, f"{mark.lstrip()}{examples}") if part)


def document(cls: type[Kind], rank: int | None) -> None:
    """Complete the docstring of a kind, if it has one of its own."""
    own, kind = vars(cls).get("__doc__"), getattr(cls, "kind", None)
    if own and kind is not None and "{rank}" not in kind:
        cls.__doc__ = Docstring(own, rank)  # type: ignore[assignment]  # `type` calls a docstring's `__get__`


def _words(rank: int) -> dict[str, str]:
    """Return what a text about all ranks leaves open."""
    *others, last = AXES[rank]
    return {
        "rank": str(rank),
        "axes": f"{', '.join(others)} and {last}" if others else last,
        "sizes": ", ".join(spatial_letters(rank)),
        "k": ", ".join("k" * rank),
        "ones": ", ".join("1" * rank),
    }
