"""What a convention is: a unit, where its rules were read, and what each kind costs under it.

    Convention          `counts` for a layer, by part; `total` of them
    ├── OneUnit         a table of rules, each a number of one unit
    └── (others)        whatever counts several things at once: `calflops`, `exact`

A kind that has no rule is not counted: its cost is None, totals say "at least" and name it. A zero is
written: the kinds in `nothing` are those for which the convention, or the tool that it is, counts none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

from shapecalc.algebra import Dim
from shapecalc.conventions.composites import made_of, pieces
from shapecalc.conventions.layer_call import LayerCall

Rule: TypeAlias = Callable[[LayerCall], Dim | None]
Counts: TypeAlias = dict[str, Dim]


class Convention(ABC):
    """One way to count what a layer costs; the docstring says what is counted, and where it was read."""

    name: ClassVar[str]
    """The word for `--convention`."""
    unit: ClassVar[str]
    """What the total counts, in the convention's own word."""
    per_mac: ClassVar[Mapping[str, int]]
    """The parts that are counted, each with how many of it one multiply-accumulate makes."""
    sentence: ClassVar[str]
    """What stands under a table: what is counted, and by whom."""

    def counts(self, asked: LayerCall) -> Counts | None:
        """Return what a layer costs, by part; None where the convention has no rule for its kind.

        A layer made of others, or around another, costs what they cost: no tool sees anything else in it.
        """
        inside = pieces(asked)
        if inside is None:
            return self.single(asked)
        total: Counts = dict.fromkeys(self.per_mac, 0)
        for piece, times in inside:
            found = self.counts(piece)
            if found is None:
                return None
            total = {part: number + times * found.get(part, 0) for part, number in total.items()}
        return total

    @abstractmethod
    def single(self, asked: LayerCall) -> Counts | None:
        """Return what a layer costs that is not made of others."""

    def knows(self, kind: str) -> bool:
        """Say whether there is a rule for a kind, a written zero included."""
        return all(map(self.knows_single, made_of(kind) or (kind,)))

    @abstractmethod
    def knows_single(self, kind: str) -> bool:
        """Say whether there is a rule for a kind that is not made of others."""

    def total(self, counts: Counts) -> Dim:
        """Return the one number of several parts: that of the unit."""
        return counts[self.unit]

    @property
    def title(self) -> str:
        """The heading of a column of costs: the unit, and by whose rule unless it is the definition."""
        return f"{self.unit} ({self.name})"

    def __repr__(self) -> str:
        return f"<Convention {self.name}: {self.unit}>"


class OneUnit(Convention):
    """A convention that counts one thing."""

    rules: ClassVar[Mapping[str, Rule]]
    nothing: ClassVar[frozenset[str]]
    """The kinds for which no operation is counted."""

    def single(self, asked: LayerCall) -> Counts | None:
        if asked.kind in self.nothing:
            return {self.unit: 0}
        rule = self.rules.get(asked.kind)
        found = None if rule is None else rule(asked)
        return None if found is None else {self.unit: found}

    def knows_single(self, kind: str) -> bool:
        return kind in self.nothing or has_rule(self.rules, kind)


def rules(*families: tuple[tuple[str, ...], Rule]) -> dict[str, Rule]:
    """Return a table of rules out of families of kinds, each with its rule."""
    return {kind: rule for kinds, rule in families for kind in kinds}


# ---- rules that several conventions share


def macs(asked: LayerCall) -> Dim | None:
    """The multiply-accumulates by the definition."""
    return asked.macs


def macs_and_bias(asked: LayerCall) -> Dim | None:
    """The multiply-accumulates, and an addition for each result that has a bias."""
    return None if asked.macs is None else asked.macs + asked.bias


def arriving(asked: LayerCall) -> Dim:
    """One for each number that arrives."""
    return asked.n_in


def leaving(asked: LayerCall) -> Dim:
    """One for each number that leaves."""
    return asked.n_out


def if_nothing_multiplies(asked: LayerCall) -> Dim | None:
    """Nothing for an operation that is known to multiply nothing; else it is not known."""
    return 0 if asked.macs == 0 else None


def has_rule(table: Mapping[str, Rule], kind: str) -> bool:
    """Say whether a table has a rule for a kind, and more than that it need not have one."""
    return table.get(kind, if_nothing_multiplies) is not if_nothing_multiplies


def times(factor: int, rule: Rule) -> Rule:
    """Return a rule that counts so many times as much."""

    def scaled(asked: LayerCall) -> Dim | None:
        found = rule(asked)
        return None if found is None else factor * found

    return scaled


def scaled_norm(plain: int, scaled: int) -> Rule:
    """Return the rule of a norm: so many for each number, and so many where a scale is learned."""
    return lambda asked: asked.n_in * (scaled if asked.is_scaled else plain)
