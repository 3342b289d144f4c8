"""Which transposed layer gives back every size that an encoder's layer took in.

The encoder maps several sizes to the same one, so a decoder needs to know which of them to return: that is
what `output_padding` is for. For each of its values the sizes that come back follow exactly from the
closed form of the decoder on that of the encoder.
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
from shapecalc.errors import Place, ShapeError, SpecError, quote
from shapecalc.layers.requirement import Refused, Requirement, Shape
from shapecalc.layers.spatial import Spatial
from shapecalc.render.lines import LONGEST_LIST, IndentedLine, Listing, cut
from shapecalc.render.piece import Code, sizes
from shapecalc.render.text_formula import formula
from shapecalc.solving.bounds import Bounds, bounds_of
from shapecalc.solving.setting import (
    Padding,
    Setting,
    applied,
    has_numeric_padding,
    kind_of,
    meeting,
    needed,
    padding_words,
    solutions,
    written,
)
from shapecalc.spec.spec_part import Part

_N = "n"
_CHECKED = 3
"""At how many sizes of each set an answer is verified with the layers themselves."""


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
        return reduce(or_, (own for _, own in self.sizes), IntegerSet())

    def output_padding(self, size: int) -> int | None:
        """Return the output padding that gives a size back; raise `SpecError` where none does."""
        for op, own in self.sizes:
            if size in own:
                return op
        raise SpecError(f"{self.setting} gives {size} back with no output padding")

    def to_dict(self) -> dict[str, Any]:
        """Return the mirror as plain data for JSON."""
        fields = self.setting.to_dict()
        del fields["output_padding"], fields["unread"]
        sets = [{"output_padding": op, "sizes": own.text(_N)} for op, own in self.sizes]
        return {**fields, "complete": self.is_complete, "sizes": sets}

    def lines(self, size: int | None = None) -> Iterator[IndentedLine]:
        """Yield the window and the sizes that each output padding gives back, or the one for a size."""
        fields = {name: value for name, value in self.setting.fields.items() if name != "output_padding"}
        window = Code(written(fields))
        if size is not None:
            every = "" if self.is_complete else f" (only {self.covers.text(_N)})"
            yield 1, (window, _with(self.output_padding(size)), every)
        elif len(self.sizes) == 1 and not self.is_complete:
            ((op, own),) = self.sizes
            yield 1, (window, _with(op), ": ", formula(own.text(_N)))
        else:
            yield 1, (window,)
            for op, own in self.sizes:
                yield 2, (f"output_padding {'left out' if op is None else op}: ", formula(own.text(_N)))


def _with(op: int | None) -> str:
    return "" if op is None else f" with output_padding {op}"


@dataclass(frozen=True, slots=True)
class Mirrors(Listing[Mirror]):
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
    entries: tuple[Mirror, ...]
    size: int | None = None
    """The only size that was requested, or None for all."""

    @property
    def complete(self) -> tuple[Mirror, ...]:
        """Those that give back every size."""
        return tuple(mirror for mirror in self.entries if mirror.is_complete)

    def to_dict(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder.to_dict(),
            "becomes": str(self.becomes),
            "taken": self.taken.text(_N),
            "size": self.size,
            "kind": self.kind,
            "framework": self.framework,
            "bounds": self.bounds.to_dict(),
            "mirrors": [mirror.to_dict() for mirror in self.entries],
        }

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        within = self.bounds.text(kind_of(self.kind, self.framework))
        taken = self.taken.text(_N)
        yield 0, (Code(str(self.encoder)), " turns n into ", sizes((self.becomes,)), f", for {taken}.")
        which = str(self.size) if self.size is not None else "every n" if self.entries else "any n"
        full = [mirror for mirror in self.entries if mirror.is_complete or self.size is not None]
        if full:
            yield 0, (f"{self.kind} that gives {which} back, simplest first, within {within}:",)
            yield from cut([mirror.lines(self.size) for mirror in full], limit)
        else:
            yield 0, (f"No {self.kind} gives {which} back within {within}.",)
        partial = [mirror.lines() for mirror in self.entries if mirror not in full]
        if partial:
            yield 0, ("and that gives back some n only:",)
            yield from cut(partial, limit)


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

    The encoder is a layer, or its kind with fields. The answer holds for every size at once; with `size`, it
    has only the decoders for that size. The decoder's stride is the encoder's: with another stride only
    finitely many sizes could come back. Raises `SpecError` for a layer whose axes differ.

    >>> mirrors = solve_mirror("conv2d", {"kernel_size": 3, "stride": 2, "padding": 1})
    >>> print(mirrors.text(limit=1).partition("and that")[0].rstrip())
    conv2d: {kernel_size: 3, stride: 2, padding: 1} turns n into ⌈n/2⌉, for any n.
    conv_transpose2d that gives every n back, simplest first, within kernel 1 to 7, stride 2, \
dilation 1, padding up to half of the window:
      {kernel_size: 3, stride: 2, padding: 1}
        output_padding 0: n ≡ 1 (mod 2)
        output_padding 1: n ≡ 0 (mod 2)
      and 3 more
    >>> mirrors[0].output_padding(224), mirrors[0].output_padding(225)
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
    becomes, conditions = _encoded(layer, symbol(_N))
    taken = EVERY_SIZE & meeting(conditions)
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
    every = _mirrors(cls, own, bounds, becomes[0], taken)
    mirrors = [mirror for mirror in every if size is None or size in mirror.covers]
    mirrors.sort(
        key=lambda each: (not each.is_complete, not _is_alike(each.setting, own), each.setting.order)
    )
    for mirror in mirrors:
        _confirm(mirror, own, size)
    return Mirrors(own, becomes[0], taken, kind, own.framework, bounds, tuple(mirrors), size)


def _setting(encoder: str | Spatial, fields: Mapping[str, Any], framework: str) -> Setting:
    """Return the fields that decide an encoder's sizes, the same on every axis."""
    if isinstance(encoder, str):
        cls = kind_of(encoder, framework)
        part = Part(fields, encoder, Place(), [])
        part.refuse_unknown(cls)
        if part.errors:
            raise part.errors[0]
        encoder = part.build(cls, {**needed(cls), **fields})
    else:
        kind_of(encoder.kind, framework := encoder.framework or framework)
    values: dict[str, Any] = {}
    for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode"):
        value = getattr(encoder, name, None)
        if isinstance(value, tuple) and len(set(value)) != 1:
            raise SpecError(f"{encoder.kind}: the axes differ in {name}: solve for one of them")
        value = value[0] if isinstance(value, tuple) else value
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, (Expr, Formula)):
            raise SpecError(f"{encoder.kind}: {name} must be a number, not {quote(str(value))}")
        if value is not None:
            values[name] = value
    values.setdefault("stride", values["kernel_size"] if hasattr(encoder, "stride") else 1)
    return Setting(encoder.kind, **values, framework=framework)


def _encoded(layer: Spatial, n: Dim) -> tuple[Shape, tuple[Requirement, ...]]:
    try:
        return applied(layer, (n,) * layer.rank)
    except Refused as refusal:
        raise ShapeError(refusal.requirement.message, hint=refusal.requirement.advice) from None


def _mirrors(
    cls: type[Spatial], own: Setting, bounds: Bounds, becomes: Dim, taken: IntegerSet
) -> Iterator[Mirror]:
    for k, s, d in bounds.windows():
        paddings: list[Padding] = [*padding_words(cls)]
        if has_numeric_padding(cls):
            paddings += bounds.paddings(k, d)
            is_own = bounds.padding is None and (k, d) == (own.kernel_size, own.dilation)
            if is_own and isinstance(own.padding, int) and own.padding not in paddings:
                paddings.append(own.padding)
        for padding in paddings:
            base = Setting(cls.kind, k, s, padding, d, framework=own.framework)
            restored = [*_restored(base, bounds, becomes, taken)]
            if any(not back.is_finite for _, back in restored):
                covers = reduce(or_, (back for _, back in restored))
                setting = replace(base, output_padding=restored[0][0])
                yield Mirror(setting, tuple(restored), covers == taken)


def _restored(
    base: Setting, bounds: Bounds, becomes: Dim, taken: IntegerSet
) -> Iterator[tuple[int | None, IntegerSet]]:
    """Yield each output padding with the sizes it gives back, those of earlier ones left out."""
    left = taken
    for variant in base.variants(bounds):
        if made := variant.outputs((becomes,) * variant.cls.rank):
            (first, *_), conditions = made
            back = left & solutions(Relation(first, "==", symbol(_N))) & meeting(conditions)
            if back:
                yield variant.output_padding, back
                left -= back


def _is_alike(setting: Setting, own: Setting) -> bool:
    fields = (setting.kernel_size, setting.padding, setting.dilation)
    return fields == (own.kernel_size, own.padding, own.dilation)


def _confirm(mirror: Mirror, own: Setting, size: int | None) -> None:
    """Send some sizes there and back through the layers themselves."""
    encoder = own.layer()
    for op, back in mirror.sizes:
        first = back.first_from(back.start)
        some = [] if first is None else [first + step * back.modulus for step in range(_CHECKED)]
        for n in [size] if size is not None and size in back else some:
            sent = tuple(middle for middle in _encoded(encoder, n)[0] if isinstance(middle, int))
            replace(mirror.setting, output_padding=op).confirmed(sent, (n,) * encoder.rank)
