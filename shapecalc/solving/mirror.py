"""Which transposed layer gives back every size that an encoder's layer took in.

The encoder sends several sizes to one, so a decoder has to be told which of them to return: that is what
`output_padding` is for. For each of its values the sizes that come back are found exactly, from the closed
form of the decoder on that of the encoder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from shapecalc.algebra import Dim, symbol
from shapecalc.algebra.expr import Expr
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.errors import ShapeError, SpecError, quote
from shapecalc.layers.base import Effect
from shapecalc.layers.requirement import Refused
from shapecalc.layers.spatial import Spatial
from shapecalc.render.lines import IndentedLine, Lines, as_text
from shapecalc.render.piece import Code, sizes
from shapecalc.render.text_formula import formula
from shapecalc.solving.setting import (
    Bounds,
    Setting,
    bounds_of,
    has_numeric_padding,
    kind_of,
    needed,
    padding_words,
    written,
)
from shapecalc.solving.window import LONGEST_LIST, confirmed, shape_of, solutions, variants
from shapecalc.spec.tree_node import build, refuse_unknown

_N = "n"
_CHECKED = 3
"""At how many sizes of each set an answer is put to the layers themselves."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A decoder's window, with the sizes that each output padding gives back."""

    setting: Setting
    """The window; its output padding is the first one in `sizes`."""
    sizes: tuple[tuple[int | None, IntegerSet], ...]
    """Output paddings, None for Keras' own choice, each with the sizes that come back as they were."""
    is_complete: bool
    """Whether every size that the encoder takes comes back with one of them."""

    @property
    def covers(self) -> IntegerSet:
        """The sizes that come back with one output padding or another."""
        return reduce(or_, (one for _, one in self.sizes), IntegerSet())

    def output_padding(self, size: int) -> int | None:
        """Return the output padding that gives a size back; raise `SpecError` where none does."""
        for op, one in self.sizes:
            if size in one:
                return op
        raise SpecError(f"{self.setting} gives {size} back with no output padding")

    def to_dict(self) -> dict[str, Any]:
        """Return the mirror as plain data for JSON."""
        fields = self.setting.to_dict()
        del fields["output_padding"], fields["unread"]
        sets = [{"output_padding": op, "sizes": one.text(_N)} for op, one in self.sizes]
        return {**fields, "complete": self.is_complete, "sizes": sets}


@dataclass(frozen=True, slots=True)
class Mirrors(Lines):
    """Decoders that give back the sizes that an encoder's layer takes, those that give back all first.

    The order is: complete ones, the encoder's own window, then as in `Settings`, simplest first.
    """

    encoder: Setting
    becomes: Dim
    """What the encoder makes of n."""
    taken: IntegerSet
    """The n that the encoder takes."""
    kind: str
    framework: str
    bounds: Bounds
    found: tuple[Mirror, ...]
    size: int | None = None
    """The size that was asked for, where it was only one."""

    def __iter__(self) -> Iterator[Mirror]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, position: int) -> Mirror:
        return self.found[position]

    @property
    def complete(self) -> tuple[Mirror, ...]:
        """Those that give back every size."""
        return tuple(one for one in self.found if one.is_complete)

    def to_dict(self) -> dict[str, Any]:
        """Return the mirrors as plain data for JSON."""
        return {
            "encoder": self.encoder.to_dict(),
            "becomes": str(self.becomes),
            "taken": self.taken.text(_N),
            "size": self.size,
            "kind": self.kind,
            "framework": self.framework,
            "bounds": self.bounds.to_dict(),
            "mirrors": [one.to_dict() for one in self.found],
        }

    def text(self, limit: int | None = LONGEST_LIST) -> str:
        """Return the mirrors as lines, at most `limit` of each sort."""
        return as_text(self.lines(limit))

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        """Yield what the encoder does, and at most `limit` mirrors of each sort."""
        within = self.bounds.told(kind_of(self.kind, self.framework))
        taken = self.taken.text(_N)
        yield 0, (Code(str(self.encoder)), " turns n into ", sizes((self.becomes,)), f", for {taken}.")
        if not self.found:
            which = "any n" if self.size is None else str(self.size)
            yield 0, (f"No {self.kind} gives {which} back within {within}.",)
            return
        if self.size is not None:
            yield 0, (f"{self.kind} that gives {self.size} back, simplest first, within {within}:",)
            yield from _cut([self._for_one(one) for one in self.found], limit)
            return
        if self.complete:
            yield 0, (f"{self.kind} that gives every n back, simplest first, within {within}:",)
            yield from _cut([_for_all(one) for one in self.complete], limit)
        else:
            yield 0, (f"No {self.kind} gives every n back within {within}.",)
        partial = [one for one in self.found if not one.is_complete]
        if partial:
            yield 0, ("and that gives back some n only:",)
            yield from _cut([_for_some(one) for one in partial], limit)

    def _for_one(self, one: Mirror) -> list[IndentedLine]:
        assert self.size is not None
        op = one.output_padding(self.size)
        every = "" if one.is_complete else f" (only {one.covers.text(_N)})"
        return [(1, (_window(one), _with(op), every))]


def _for_some(one: Mirror) -> list[IndentedLine]:
    if len(one.sizes) > 1:
        return _for_all(one)
    ((op, own),) = one.sizes
    return [(1, (_window(one), _with(op), ": ", formula(own.text(_N))))]


def _for_all(one: Mirror) -> list[IndentedLine]:
    return [
        (1, (_window(one),)),
        *(
            (2, (f"output_padding {'left out' if op is None else op}: ", formula(own.text(_N))))
            for op, own in one.sizes
        ),
    ]


def _with(op: int | None) -> str:
    return "" if op is None else f" with output_padding {op}"


def _window(one: Mirror) -> Code:
    return Code(written({name: v for name, v in one.setting.fields.items() if name != "output_padding"}))


def _cut(mirrors: list[list[IndentedLine]], limit: int | None) -> Iterator[IndentedLine]:
    shown = mirrors if limit is None else mirrors[:limit]
    for lines in shown:
        yield from lines
    if len(shown) < len(mirrors):
        yield 1, (f"and {len(mirrors) - len(shown)} more",)


def solve_mirror(
    encoder: str | Spatial,
    fields: Mapping[str, Any] | None = None,
    *,
    size: int | None = None,
    kind: str | None = None,
    framework: str = "torch",
    max_kernel: int | None = None,
    max_padding: int | None = None,
    max_dilation: int | None = None,
) -> Mirrors:
    """Return the transposed layers that give back the sizes that an encoder's layer takes.

    The encoder is a layer, or its kind with fields. What is decided is decided for every size at once; with
    `size`, only the decoders for that size are told. The decoder's stride is the encoder's: with another one
    only finitely many sizes could come back. Raises `SpecError` for a layer whose axes differ.

    >>> found = solve_mirror("conv2d", {"kernel_size": 3, "stride": 2, "padding": 1})
    >>> print(found.text(limit=1).partition("and that")[0].rstrip())
    conv2d: {kernel_size: 3, stride: 2, padding: 1} turns n into ⌈n/2⌉, for any n.
    conv_transpose2d that gives every n back, simplest first, within kernel 1 to 7, stride 2, \
dilation 1, padding up to half of the window:
      {kernel_size: 3, stride: 2, padding: 1}
        output_padding 0: n ≡ 1 (mod 2)
        output_padding 1: n ≡ 0 (mod 2)
      and 3 more
    >>> found[0].output_padding(224), found[0].output_padding(225)
    (1, 0)
    """
    own = _setting(encoder, fields or {}, framework)
    layer = own.layer()
    kind = kind or f"conv_transpose{layer.rank}d"
    cls = kind_of(kind, own.framework)
    if "output_padding" not in cls.model_fields:
        raise SpecError(f"{kind} is no transposed convolution: those give a size back")
    if cls.rank != layer.rank:
        raise SpecError(f"{kind} has {cls.rank} axes, {own.kind} has {layer.rank}")
    becomes, taken = _sent(layer, symbol(_N))
    if size is not None and size not in taken:
        raise SpecError(f"{own} takes {taken.text(_N)}, so not {size}")
    bounds = bounds_of(
        cls,
        max(own.kernel_size, own.dilation),
        fixed={"stride": own.stride, "dilation": own.dilation if max_dilation is None else None},
        largest={
            "kernel": max_kernel or max(7, own.kernel_size),
            "dilation": max_dilation,
            "padding": max_padding,
        },
    )
    found = [one for one in _mirrors(cls, own, bounds, becomes, taken) if size is None or size in one.covers]
    found.sort(key=lambda one: (not one.is_complete, not _is_alike(one.setting, own), one.setting.order))
    for one in found:
        _confirm(one, own, size)
    return Mirrors(own, becomes, taken, kind, own.framework, bounds, tuple(found), size)


def _setting(encoder: str | Spatial, fields: Mapping[str, Any], framework: str) -> Setting:
    """Return what decides an encoder's sizes, the same on every axis."""
    if isinstance(encoder, str):
        cls = kind_of(encoder, framework)
        refuse_unknown(fields, cls, encoder)
        encoder = build(cls, {**needed(cls), **fields}, {}, encoder)
    else:
        kind_of(encoder.kind, framework := encoder.framework or framework)
    values: dict[str, Any] = {}
    for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode"):
        value = getattr(encoder, name, None)
        if isinstance(value, tuple):
            if len(set(value)) != 1:
                raise SpecError(f"{encoder.kind}: the axes differ in {name}: ask for one of them")
            value = value[0]
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, (Expr, Formula)):
            raise SpecError(f"{encoder.kind}: {name} must be a number, not {quote(str(value))}")
        if value is not None:
            values[name] = value
    values.setdefault("stride", values["kernel_size"] if hasattr(encoder, "stride") else 1)
    return Setting(encoder.kind, **values, framework=framework)


def _sent(layer: Spatial, n: Dim) -> tuple[Dim, IntegerSet]:
    """Return what a layer makes of n, and for which n of those it is asked it does so."""
    effect = _applied(layer, n)
    taken = EVERY_SIZE
    for one in effect.conditions:
        taken &= solutions(one.relation)
    return layer.sizes(effect.outputs[0])[0], taken


def _applied(layer: Spatial, n: Dim) -> Effect:
    try:
        return layer.apply((shape_of(type(layer), (n,) * layer.rank),))
    except Refused as refusal:
        raise ShapeError(refusal.requirement.message, hint=refusal.requirement.advice) from None


def _mirrors(
    cls: type[Spatial], own: Setting, bounds: Bounds, becomes: Dim, taken: IntegerSet
) -> Iterator[Mirror]:
    for k, s, d in bounds.windows():
        paddings: list[int | str] = [*padding_words(cls)]
        if has_numeric_padding(cls):
            paddings += bounds.paddings(k, d)
            is_own = bounds.padding is None and (k, d) == (own.kernel_size, own.dilation)
            if is_own and isinstance(own.padding, int) and own.padding not in paddings:
                paddings.append(own.padding)
        for padding in paddings:
            base = Setting(cls.kind, k, s, padding, d, framework=own.framework)
            found = [*_coming_back(cls, base, bounds, becomes, taken)]
            if any(not one.is_finite for _, one in found):
                covers = reduce(or_, (one for _, one in found))
                setting = _with_padding(base, found[0][0])
                yield Mirror(setting, tuple(found), covers == taken)


def _with_padding(base: Setting, op: int | None) -> Setting:
    return replace(base, output_padding=op)


def _coming_back(
    cls: type[Spatial], base: Setting, bounds: Bounds, becomes: Dim, taken: IntegerSet
) -> Iterator[tuple[int | None, IntegerSet]]:
    """Yield each output padding with the sizes it gives back."""
    left = taken
    for variant in variants(cls, bounds, base.stride, base.dilation):
        layer = _with_padding(base, variant.output_padding).layer()
        try:
            effect = layer.apply((shape_of(cls, (becomes,) * cls.rank),))
        except Refused:
            continue
        back = left & solutions(Relation(layer.sizes(effect.outputs[0])[0], "==", symbol(_N)))
        for one in effect.conditions:
            back &= solutions(one.relation)
        if back:
            yield variant.output_padding, back
            left -= back


def _is_alike(one: Setting, own: Setting) -> bool:
    return (one.kernel_size, one.padding, one.dilation) == (own.kernel_size, own.padding, own.dilation)


def _confirm(one: Mirror, own: Setting, size: int | None) -> None:
    """Send some sizes there and back through the layers themselves."""
    encoder = own.layer()
    for op, back in one.sizes:
        first = back.first_from(back.start)
        sizes = [] if first is None else [first + step * back.modulus for step in range(_CHECKED)]
        if size is not None and size in back:
            sizes = [size]
        for n in sizes:
            sent = encoder.sizes(_applied(encoder, n).outputs[0])
            middle = tuple(size for size in sent if isinstance(size, int))
            confirmed(_with_padding(one.setting, op), middle, (n,) * encoder.rank)
