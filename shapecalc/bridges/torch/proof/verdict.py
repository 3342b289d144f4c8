"""What a proof came to, and its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shapecalc.layers.base import Shapes
from shapecalc.layers.requirement import shown

Outcome = Literal["proved", "guarded", "sampled", "uncovered", "refuted"]
OUTCOMES: dict[Outcome, str] = {
    "proved": "proved for all sizes",
    "guarded": "proved under a guard",
    "sampled": "agrees at the sizes tried",
    "uncovered": "not covered",
    "refuted": "refuted",
}


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest sizes at which our rule and torch part."""

    sizes: Mapping[str, int]
    ours: str
    torchs: str

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {n}" for name, n in self.sizes.items())
        return f"smallest counter-example {at or 'at these sizes'}: ours {self.ours}, torch's {self.torchs}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule is torch's: for which sizes that is proved, at how many it was tried, where it fails.

    `cases` is into how many cells the sizes were cut; `is_unguarded` says that torch gave one answer for all
    sizes without recording a guard that restricts them. `tried` counts the sizes at which the real module
    was run.
    """

    outcome: Outcome
    letters: tuple[str, ...] = ()
    cases: int = 0
    is_unguarded: bool = False
    guard: str = ""
    tried: int = 0
    why: str = ""
    counterexample: Counterexample | None = None
    specialized: str = ""
    """The size that torch puts down to one number, which left some cell open."""

    def __str__(self) -> str:
        outcome = OUTCOMES[self.outcome]
        match self.outcome:
            case "proved":
                return f"proved for all {', '.join(self.letters)}" if self.letters else outcome
            case "guarded":
                tried = f"elsewhere agrees at the sizes tried, {self.tried} ({self.why})"
                return f"proved for {self.guard}; {tried}"
            case "sampled":
                return f"{outcome} ({self.tried}): {self.why}"
            case "uncovered":
                return f"{outcome}: {self.why}"
        return f"{outcome}: {self.counterexample or self.why}"

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        data: dict[str, Any] = {
            "outcome": self.outcome,
            "free": list(self.letters),
            "cases": self.cases,
            "unguarded": self.is_unguarded,
            "guard": self.guard,
            "tried": self.tried,
            "why": self.why,
        }
        if (example := self.counterexample) is not None:
            sizes = dict(example.sizes)
            data["counterexample"] = {"sizes": sizes, "ours": example.ours, "torch": example.torchs}
        return data


def shapes_text(shapes: Shapes | str) -> str:
    """Return shapes for a message, or the word for a refusal."""
    return "refused" if isinstance(shapes, str) else " and ".join(map(shown, shapes)) or "nothing"
