"""Live bytes, step by step: what is there at each moment, by part."""

from __future__ import annotations

from shapecalc.algebra import Dim
from shapecalc.record import record

PARTS = (
    *("weights", "buffers", "optimizer", "gradients", "input", "output", "loss"),
    *("saved", "activations", "activation_gradients", "temporary"),
)
"""What memory is for."""


@record
class Moment:
    """The bytes alive while something runs."""

    phase: str
    """`forward`, `backward` or `optimizer`."""
    path: str
    """The layer, or the parameter that the optimizer changes."""
    bytes: Dim
    entries: int
    """How many entries of the ledger come before it."""
    temporary: Dim = 0
    """The bytes among them that nothing else has."""

    def __str__(self) -> str:
        step = "step of the optimizer" if self.phase == "optimizer" else self.phase
        return f"in the {step} of {self.path}"


class Ledger:
    """Adds and removes bytes, and notes moments."""

    def __init__(self) -> None:
        self.total: Dim = 0
        self.entries: list[tuple[str, Dim]] = []
        self.moments: list[Moment] = []

    def add(self, part: str, size: Dim) -> None:
        """Add bytes to a part, or remove them where they are negative."""
        self.entries.append((part, size))
        self.total += size

    def move(self, size: Dim, before: str, after: str) -> None:
        """Count bytes under another part from now on."""
        self.entries += [(before, -size), (after, size)]

    def moment(self, phase: str, path: str, temporary: Dim = 0) -> None:
        """Note what is alive now."""
        self.moments.append(Moment(phase, path, self.total + temporary, len(self.entries), temporary))

    def parts(self, moment: Moment) -> dict[str, Dim]:
        """Return what the bytes of a moment are for."""
        parts: dict[str, Dim] = dict.fromkeys(PARTS, 0)
        for part, size in self.entries[: moment.entries]:
            parts[part] += size
        parts["temporary"] += moment.temporary
        return {part: size for part, size in parts.items() if size}
