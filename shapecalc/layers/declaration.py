"""What follows from how the class of a kind is declared: names over ranks, positions, and the docstring.

A family over 1, 2 or 3 axes states its names, its text and its example with `{rank}`. The class for a rank is
made when it is first used, unless the family's module defines it, with what that rank has of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from inspect import cleandoc
from textwrap import fill
from threading import RLock
from types import new_class
from typing import TYPE_CHECKING, Any

from shapecalc.layers.axis_names import AXES, spatial_letters
from shapecalc.layers.mixins import NoMacs, NoWeights, SameShape
from shapecalc.layers.roles import Inferred, Makes, fields_with

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind


RANKED: dict[tuple[str, str], tuple[type[Kind], int]] = {}
"""The family and the rank of each class that is made when it is first used, by its module and its name."""
_MAKING = RLock()
"""Two threads that use a class first at the same time get the same one."""


def of_rank(module: str) -> Callable[[str], type[Kind]]:
    """Return the `__getattr__` of a module with families, which makes the class for a rank."""

    def make(name: str) -> type[Kind]:
        if (module, name) not in RANKED:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        family, rank = RANKED[module, name]
        names = {"__module__": module, "__qualname__": name}
        held = vars(sys.modules[module])
        with _MAKING:
            if name not in held:
                held[name] = new_class(name, (family,), {"rank": rank}, lambda body: body.update(names))
        made: type[Kind] = held[name]
        return made

    return make


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
    """The docstring of a kind, completed when it is read by what its class declares.

    The text of a family over 1, 2 and 3 axes, with its example, is that of each of its ranks, to which a rank
    may add sentences. What the bases of a kind say and its counterpart need not be repeated in it.
    """

    def __init__(self, written: str) -> None:
        self.written = written

    @property
    def own(self) -> str:
        """What the class itself has, without the indentation."""
        return cleandoc(self.written)

    def __get__(self, instance: object, cls: type[Kind]) -> str:
        text, added = self._text(cls)
        prose, mark, examples = text.partition("\n>>> ")
        prose, *cited = re.split(r"Source:\s+", prose, maxsplit=1)
        summary, _, body = prose.partition("\n\n")
        counterpart = cls.keras if cls.framework == "keras" else cls.torch or cls.keras
        sources = "; ".join(source.strip(" .\n") for source in (counterpart, *cited) if source)
        remarks = [vars(base).get("remark", "") for base in reversed(cls.__mro__)]
        facts = (body.strip(), added, *remarks, _of_bases(cls), f"Source: {sources}." if sources else "")
        body = " ".join(fact for fact in facts if fact)
        paragraphs = [fill(part, 108, break_on_hyphens=False) for part in body.split("\n\n")]
        if names := positions(cls):
            paragraphs.append(f"By position: {', '.join(names)}.")
        if not mark and cls.__module__.startswith(str(__package__)):  # the tests run it
            examples = cls.example.format(name=cls.__name__)
        paragraphs.append(f">>> {examples}" if examples else "")
        return "\n\n".join((summary.strip(), *filter(None, paragraphs)))

    def _text(self, cls: type[Kind]) -> tuple[str, str]:
        """Return the text for a class, a family's being that over two axes, and what a rank adds."""
        rank: int = 2 if _is_family(cls) else vars(cls).get("rank", 0)
        family = next(filter(_is_family, cls.__mro__), None) if rank else None
        if family is None:
            return self.own, ""
        return vars(family)["__doc__"].own.format(**_words(rank)), "" if family is cls else self.own


def document(cls: type[Kind]) -> None:
    """Complete the docstring of a kind, if it has one or is for a rank."""
    own = vars(cls).get("__doc__")
    if getattr(cls, "kind", None) is not None and (own or "rank" in vars(cls)):
        cls.__doc__ = Docstring(own or "")  # type: ignore[assignment]  # `type` calls its `__get__`


def _is_family(cls: type) -> bool:
    """Whether a class states names and a text for several ranks."""
    return "{rank}" in (getattr(cls, "kind", None) or "") and bool(getattr(vars(cls)["__doc__"], "own", ""))


def _of_bases(cls: type[Kind]) -> str:
    """Return what the bases of a kind say: that it keeps the shape, and has no weights and no MACs."""
    rules = (
        ("output", SameShape, "Shape kept"),
        ("weights", NoWeights, "no weights"),
        ("macs", NoMacs, "no MACs"),
    )
    facts = ", ".join(fact for name, base, fact in rules if getattr(cls, name, None) is getattr(base, name))
    return f"{facts[0].upper()}{facts[1:]}." if facts else ""


class _PerAxis(tuple[str, ...]):
    """A word for each axis, to which a text may add: `{sizes:'}` is H', W', and `{each:k}` is k, k."""

    __slots__ = ()

    def __format__(self, addition: str) -> str:
        return ", ".join(word + addition for word in self)


def _words(rank: int) -> dict[str, object]:
    """Return what a text about all ranks leaves open."""
    *others, last = AXES[rank]
    axes = f"{', '.join(others)} and {last}" if others else last
    sizes = _PerAxis(spatial_letters(rank))
    return {"rank": rank, "axes": axes, "sizes": sizes, "each": _PerAxis([""] * rank)}
