"""The bounds within which the settings of a window are looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, TypeVar

from shapecalc.errors import SpecError
from shapecalc.layers.arithmetic import extent
from shapecalc.layers.spatial import Spatial
from shapecalc.solving.setting import has_numeric_padding

MOST_WINDOWS = 20_000
"""How many kernels with strides and dilations are looked at."""
USUAL = 7
FARTHEST = 32
"""How far the default bounds follow a large step between the two sizes."""
FARTHEST_TRANSPOSED = 16
"""The same where each window has as many output paddings as its stride."""


_Side = TypeVar("_Side", tuple[int, int], None)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which numbers, both included, each field is looked for.

    A padding without bounds is at most half of what the window spans, which is what pooling allows
    and more than which only adds windows that see next to nothing.
    """

    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int] | None = None
    output_padding: tuple[int, int] | None = None
    uneven: bool = False
    """Whether padding may be one more after than before, where a kind takes it per side."""

    def windows(self) -> Iterator[tuple[int, int, int]]:
        """Yield every kernel with its stride and dilation; one pixel cannot be dilated."""
        for k in _through(self.kernel_size):
            for s in _through(self.stride):
                for d in _through(self.dilation):
                    if k > 1 or d == self.dilation[0]:
                        yield k, s, d

    def paddings(self, k: int, d: int) -> range:
        if self.padding is not None:
            return _through(self.padding)
        span = extent(k, d)
        assert isinstance(span, int)
        return range(span // 2 + 1)

    def output_paddings(self, s: int, d: int) -> range:
        """Return the output paddings that torch takes for a stride and a dilation: smaller than either."""
        first, last = self.output_padding or (0, max(s, d) - 1)
        return range(first, min(last, max(s, d) - 1) + 1)

    def refuse_too_many(self) -> None:
        """Raise `SpecError` for bounds that hold too many windows to look at."""
        sides = (self.kernel_size, self.stride, self.dilation)
        for first, last in sides:
            if first < 1 or last < first:
                raise SpecError(f"nothing lies between {first} and {last}: bounds are numbers from 1 on")
        count = prod(last - first + 1 for first, last in sides)
        if count > MOST_WINDOWS:
            raise SpecError(
                f"the bounds hold {count:,} windows; {MOST_WINDOWS:,} are looked at",
                hint="fix the kernel or the stride, or lower its bound",
            )

    def to_dict(self) -> dict[str, Any]:
        return {name: [*side] if isinstance(side, tuple) else side for name, side in asdict(self).items()}

    def text(self, cls: type[Spatial]) -> str:
        """Return the bounds in words, for the fields that a kind has."""
        parts = [_between("kernel", self.kernel_size)]
        parts += [_between(name, getattr(self, name)) for name in ("stride", "dilation") if _has(cls, name)]
        if has_numeric_padding(cls):
            half = "padding up to half of the window"
            parts.append(half if self.padding is None else _between("padding", self.padding))
        if self.output_padding is not None and _has(cls, "output_padding"):
            parts.append(_between("output_padding", self.output_padding))
        return ", ".join(parts)


def _through(bounds: tuple[int, int]) -> range:
    return range(bounds[0], bounds[1] + 1)


def _has(cls: type[Spatial], name: str) -> bool:
    return name in cls.model_fields


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

    def side(name: str, default: _Side, *, least: int = 1) -> _Side | tuple[int, int]:
        value, most = fixed.get(name), largest.get(name)
        if value is not None and most is not None:
            raise SpecError(f"{name} is both fixed and bounded: choose one")
        last, is_field = most if value is None else value, name == "kernel" or _has(cls, name)
        if last is None:
            return default if is_field or default is None else (1, 1)
        if name == "padding" and not has_numeric_padding(cls):
            raise SpecError(f"{cls.kind} takes no padding as a number here")
        if not is_field:
            raise SpecError(f"{cls.kind} has no {name}")
        if "padding" in name and last < 0:
            raise SpecError("a padding is a number from 0 on")
        return least if value is None else last, last

    usual = max(USUAL, min(reach, FARTHEST_TRANSPOSED if _has(cls, "output_padding") else FARTHEST))
    bounds = Bounds(
        side("kernel", (1, usual)),
        side("stride", (1, usual)),
        side("dilation", (1, 2)),
        side("padding", None, least=0),
        side("output_padding", None),
        uneven,
    )
    bounds.refuse_too_many()
    return bounds
