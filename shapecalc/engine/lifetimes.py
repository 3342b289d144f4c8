"""When the tensors of a module's forward really die, as a run of it recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Made(NamedTuple):
    """A tensor in a run: its storage by number, and the bytes of an element; 0 for the module's own dtype."""

    storage: int
    item: int = 0


class Copied(NamedTuple):
    """A tensor that a call without a step made of another, such as a copy in order."""

    after: str
    """The step that ran last, or nothing."""
    source: str
    """The name of the other: that of its step, with the number of the result where there are several."""
    made: Made


class Held(NamedTuple):
    """The tensors that a module holds: how many numbers of its own dtype, and the bytes of all others."""

    numbers: int
    others: int = 0

    def bytes(self, item: int) -> int:
        """Return the bytes of all where a number of the module's own dtype has so many."""
        return self.numbers * item + self.others


@dataclass(frozen=True)
class Lifetimes:
    """The storages of a run by number: what made them, and which layer had begun last when they died."""

    results: Mapping[str, tuple[Made, ...]] = field(default_factory=dict)
    """What each layer made, by its path."""
    last: Mapping[int, str] = field(default_factory=dict)
    """The last layer that ran while a storage was alive; one that is not there outlived the run."""
    inputs: Mapping[str, Made] = field(default_factory=dict)
    held: frozenset[int] = frozenset()
    """The storages of parameters and buffers."""
    weights: Held | None = None
    buffers: Held | None = None
    copies: tuple[Copied, ...] = ()
    inner: frozenset[str] = frozenset()
    """The layers that are parts of one call, whose results are never there."""

    partial: frozenset[str] = frozenset()
    """The layers that do not read a single number which was computed of tensors."""

    @property
    def is_recorded(self) -> bool:
        """Whether there was a run."""
        return self.weights is not None
