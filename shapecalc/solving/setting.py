"""One way to set a layer's window, the bounds within which settings are looked for, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapecalc.errors import SpecError, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.fields import OneOf
from shapecalc.layers.spatial import Spatial

MOST_WINDOWS = 20_000
"""How many kernels with strides and dilations are looked at."""
USUAL = 7
FARTHEST = 32
"""How far the bounds follow a large step between the two sizes by themselves."""
FARTHEST_TRANSPOSED = 16
"""The same where each window has as many output paddings as its stride."""

_NEEDED = {"out_channels": 1, "norm_type": 1}
"""Fields that must be given and do not change sizes."""
_PLAIN: dict[str, Any] = {
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "output_padding": 0,
    "ceil_mode": False,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind with the fields that decide its sizes; fields the kind does not have are left at rest.

    >>> print(Setting("conv2d", 3, stride=2, padding=1))
    conv2d: {kernel_size: 3, stride: 2, padding: 1}
    """

    kind: str
    kernel_size: int
    stride: int = 1
    padding: int | str | tuple[int, int] = 0
    dilation: int = 1
    output_padding: int | None = 0
    ceil_mode: bool = False
    framework: str = "torch"
    unread: int = 0
    """How many positions at the end of the input no window reads, where that is known to be a loss."""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as a spec writes them, those at their defaults left out."""
        cls = kind_of(self.kind, self.framework)
        found: dict[str, Any] = {"kernel_size": self.kernel_size}
        for name in _PLAIN:
            value = getattr(self, name)
            if name not in cls.model_fields or value == self._default(cls, name):
                continue
            sides = isinstance(value, tuple)
            found[name] = [[*value] for _ in range(cls.rank)] if sides else value
        return found

    def _default(self, cls: type[Spatial], name: str) -> Any:
        default = cls.model_fields[name].default
        return self.kernel_size if name == "stride" and default is None else default

    def layer(self) -> Spatial:
        """Return the layer, every field checked as in a spec."""
        cls = kind_of(self.kind, self.framework)
        return cls.model_validate(self.fields | needed(cls))

    @property
    def order(self) -> tuple[Any, ...]:
        """What settings are sorted by, simplest first.

        Without dilation before with; without output padding; the same padding on both sides; without
        ceil_mode; windows that leave no position out, between them or at the end; then the smaller kernel,
        the smaller stride and the smaller padding.
        """
        padding = self.padding if isinstance(self.padding, int) else 0
        return (
            self.dilation,
            self.output_padding or 0,
            isinstance(self.padding, tuple),
            self.ceil_mode,
            extent(self.kernel_size, self.dilation) < self.stride,
            self.unread > 0,
            self.kernel_size,
            self.stride,
            padding,
            str(self.padding),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as plain data for JSON: the kind and every field it has."""
        cls = kind_of(self.kind, self.framework)
        values = {name: getattr(self, name) for name in ("kernel_size", *_PLAIN) if name in cls.model_fields}
        return {
            "kind": self.kind,
            **{name: [*v] if isinstance(v, tuple) else v for name, v in values.items()},
            "unread": self.unread,
        }

    def __str__(self) -> str:
        return f"{self.kind}: {written(self.fields)}"


def written(fields: Mapping[str, Any]) -> str:
    """Return fields as a spec writes them in one line.

    >>> written({"kernel_size": 3, "ceil_mode": True})
    '{kernel_size: 3, ceil_mode: true}'
    """
    told = [f"{name}: {str(v).lower() if isinstance(v, bool) else v}" for name, v in fields.items()]
    return f"{{{', '.join(told)}}}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which numbers, both included, each field is looked for.

    A padding without bounds is at most half of what the window spans, which is what pooling allows
    and more than which only adds windows that see next to nothing.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int] | None = None
    output_padding: tuple[int, int] | None = None
    uneven: bool = False
    """Whether padding may be one more after than before, where a kind takes it per side."""

    def windows(self) -> Iterator[tuple[int, int, int]]:
        """Yield every kernel with its stride and dilation; one pixel cannot be dilated."""
        for k in range(self.kernel[0], self.kernel[1] + 1):
            for s in range(self.stride[0], self.stride[1] + 1):
                for d in range(self.dilation[0], self.dilation[1] + 1):
                    if k > 1 or d == self.dilation[0]:
                        yield k, s, d

    def paddings(self, k: int, d: int) -> range:
        """Return the paddings for a kernel."""
        if self.padding is not None:
            return range(self.padding[0], self.padding[1] + 1)
        span = extent(k, d)
        assert isinstance(span, int)
        return range(span // 2 + 1)

    def output_paddings(self, s: int, d: int) -> range:
        """Return the output paddings that torch takes for a stride and a dilation: smaller than either."""
        first, last = self.output_padding or (0, max(s, d) - 1)
        return range(first, min(last, max(s, d) - 1) + 1)

    def refuse_too_many(self) -> None:
        """Raise `SpecError` for bounds that hold too many windows to look at."""
        sides = (self.kernel, self.stride, self.dilation)
        count = 1
        for first, last in sides:
            if first < 1 or last < first:
                raise SpecError(f"nothing lies between {first} and {last}: bounds are numbers from 1 on")
            count *= last - first + 1
        if count > MOST_WINDOWS:
            raise SpecError(
                f"the bounds hold {count:,} windows; {MOST_WINDOWS:,} are looked at",
                hint="fix the kernel or the stride, or lower its bound",
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the bounds as plain data for JSON."""
        return {
            "kernel_size": [*self.kernel],
            "stride": [*self.stride],
            "dilation": [*self.dilation],
            "padding": None if self.padding is None else [*self.padding],
            "output_padding": None if self.output_padding is None else [*self.output_padding],
            "uneven": self.uneven,
        }

    def told(self, cls: type[Spatial]) -> str:
        """Return the bounds in words, for the fields that a kind has."""
        parts = [_between("kernel", self.kernel)]
        if "stride" in cls.model_fields:
            parts.append(_between("stride", self.stride))
        if "dilation" in cls.model_fields:
            parts.append(_between("dilation", self.dilation))
        if has_numeric_padding(cls):
            at_most_half = "padding up to half of the window"
            parts.append(at_most_half if self.padding is None else _between("padding", self.padding))
        if self.output_padding is not None and "output_padding" in cls.model_fields:
            parts.append(_between("output_padding", self.output_padding))
        return ", ".join(parts)


def _between(name: str, bounds: tuple[int, int]) -> str:
    first, last = bounds
    return f"{name} {first}" if first == last else f"{name} {first} to {last}"


def bounds_of(
    cls: type[Spatial],
    reach: int,
    *,
    fixed: Mapping[str, int | None],
    largest: Mapping[str, int | None],
    uneven: bool = False,
) -> Bounds:
    """Return the bounds that a question states, or those that follow from how far apart its sizes are."""

    def side(name: str, usual: int) -> tuple[int, int]:
        value, most = fixed.get(name), largest.get(name)
        if value is not None and most is not None:
            raise SpecError(f"{name} is both fixed and bounded: choose one")
        if name != "kernel" and name not in cls.model_fields:
            if value is not None or most is not None:
                raise SpecError(f"{cls.kind} has no {name}")
            return (1, 1)
        return (1, usual if most is None else most) if value is None else (value, value)

    usual = max(USUAL, min(reach, FARTHEST_TRANSPOSED if "output_padding" in cls.model_fields else FARTHEST))
    kernel = side("kernel", usual)
    padding, most_padding = fixed.get("padding"), largest.get("padding")
    if (padding is not None or most_padding is not None) and not has_numeric_padding(cls):
        raise SpecError(f"{cls.kind} takes no padding as a number here")
    op = fixed.get("output_padding")
    if op is not None and "output_padding" not in cls.model_fields:
        raise SpecError(f"{cls.kind} has no output_padding")
    if min(padding or 0, most_padding or 0, op or 0) < 0:
        raise SpecError("a padding is a number from 0 on")
    if padding is not None and most_padding is not None:
        raise SpecError("padding is both fixed and bounded: choose one")
    sides = (padding, padding) if padding is not None else None
    found = Bounds(
        kernel=kernel,
        stride=side("stride", usual),
        dilation=side("dilation", 2),
        padding=sides if most_padding is None else (0, most_padding),
        output_padding=None if op is None else (op, op),
        uneven=uneven,
    )
    found.refuse_too_many()
    return found


def kind_of(name: str, framework: str = "torch") -> type[Spatial]:
    """Return the class of a kind that slides a window whose settings can be asked for."""
    cls = registry.get(name, framework)
    if not (isinstance(cls, type) and issubclass(cls, Spatial) and _is_asked(cls)):
        raise SpecError(
            f"{quote(name)} has no window to ask for{nearest(name, sliding_kinds(framework))}",
            hint="kinds with a window are convolutions, transposed ones, and pools",
        )
    return cls


def _is_asked(cls: type[Spatial]) -> bool:
    needed_ = {name for name, field in cls.model_fields.items() if field.is_required()}
    return "kernel_size" in needed_ and needed_ <= {"kernel_size", *_NEEDED}


def sliding_kinds(framework: str) -> list[str]:
    """Return the kinds that `kind_of` knows."""
    found = ((name, registry.find(name, framework)) for name in registry.kinds(framework))
    return [name for name, cls in found if cls and issubclass(cls, Spatial) and _is_asked(cls)]


def needed(cls: type[Spatial]) -> dict[str, int]:
    """Return values for the fields that must be given and do not change sizes."""
    return {
        name: value
        for name, value in _NEEDED.items()
        if name in cls.model_fields and cls.model_fields[name].is_required()
    }


def padding_words(cls: type[Spatial]) -> tuple[str, ...]:
    """Return the words that stand for a padding where it is no number, as under Keras."""
    info = cls.model_fields.get("padding")
    rules: Sequence[Any] = info.metadata if info else ()
    found = next((rule for rule in rules if isinstance(rule, OneOf)), None)
    return found.words if found is not None and found.otherwise is None else ()


def has_numeric_padding(cls: type[Spatial]) -> bool:
    """Say whether a kind takes its padding as a number."""
    return "padding" in cls.model_fields and not padding_words(cls)


def takes_sides(cls: type[Spatial]) -> bool:
    """Say whether a kind takes padding per side: its rule knows words besides."""
    info = cls.model_fields.get("padding")
    return bool(info and any(isinstance(rule, OneOf) and rule.otherwise for rule in info.metadata))
