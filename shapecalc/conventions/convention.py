"""What a convention is: a unit, where its rules were read, and what each family of kinds costs under it.

    Convention          `counts` for a layer, by part; `total` of them
    ├── Tool            a rule for each family that the tool counts, all others being left to one rule
    └── (others)        conventions that read the kinds: `mac`, `exact`

A layer without a rule is not counted: its cost is None, totals say "at least" and name it. What a tool has
no rule for costs nothing where it is known to multiply nothing; else its cost is not known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias, TypeVar

from shapecalc.algebra import Dim
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.base import Caller, Kind
from shapecalc.layers.family import Family

Rule: TypeAlias = Callable[[LayerCall], Dim | None]
Counts: TypeAlias = dict[str, Dim]
_K = TypeVar("_K", bound=Kind)


class Convention(ABC):
    """One way to count what a layer costs; the docstring says what is counted, and where it was read."""

    name: ClassVar[str]
    """The word for `--convention`."""
    unit: ClassVar[str]
    """What the total counts, in the convention's own word."""
    per_mac: ClassVar[Mapping[str, int]]
    """The parts that are counted, each with how many of it one multiply-accumulate makes."""
    sentence: ClassVar[str]
    """The sentence under a table: what is counted, and by whom."""

    @abstractmethod
    def counts(self, call: LayerCall) -> Counts | None:
        """Return what a layer costs, by part; None where the convention has no rule for it."""

    def total(self, counts: Counts) -> Dim:
        """Return the one number of several parts: that of the unit."""
        return counts[self.unit]

    @property
    def title(self) -> str:
        """The heading of a column of costs: the unit, and by whose rule unless it is the definition."""
        return f"{self.unit} ({self.name})"

    def __repr__(self) -> str:
        return f"<Convention {self.name}: {self.unit}>"


class Tool(Convention):
    """A counting tool: its rules by family, and which calls it sees."""

    sees: ClassVar[tuple[Caller, ...]] = ("module", "custom", "function", "method")
    """How a layer has to be called for the tool to notice; what it does not notice costs nothing."""
    rules: ClassVar[Mapping[Family, Rule]]
    """What each family costs: a number of the unit."""

    def counts(self, call: LayerCall) -> Counts | None:
        """Return what a layer costs, by part; a layer made of others, or around one, costs what they cost."""
        components = [*call.components()]
        if not components:
            return self.counts_of_one(call)
        total: Counts = dict.fromkeys(self.per_mac, 0)
        for component, times in components:
            counts = self.counts(component)
            if counts is None:
                return None
            total = {part: number + times * counts[part] for part, number in total.items()}
        return total

    def counts_of_one(self, call: LayerCall) -> Counts | None:
        """Return what a layer costs that is not made of others."""
        cost = self.rule(call)
        return None if cost is None else {self.unit: cost}

    def rule(self, call: LayerCall) -> Dim | None:
        """Return the number of a layer by the rule of its family; a kind of no family has none."""
        if call.called not in self.sees:
            return 0
        family = call.layer.family
        return None if family is Family.OTHER else self.rules.get(family, if_nothing_multiplies)(call)


def of_families(rule: Rule, *families: Family) -> dict[Family, Rule]:
    """Return one rule for several families."""
    return dict.fromkeys(families, rule)


def of_kinds(classes: type[_K] | tuple[type[_K], ...], rule: Callable[[LayerCall, _K], Dim | None]) -> Rule:
    """Return a rule for some classes of a family, whose fields it reads; no tool knows other kinds of it."""

    def checked(call: LayerCall) -> Dim | None:
        layer = call.layer
        return rule(call, layer) if isinstance(layer, classes) else if_nothing_multiplies(call)

    return checked


# ---- rules that several conventions share


def macs(call: LayerCall) -> Dim | None:
    """The multiply-accumulates by the definition."""
    return call.macs


def macs_and_bias(call: LayerCall) -> Dim | None:
    """The multiply-accumulates, and an addition for each result that has a bias."""
    return None if call.macs is None else call.macs + call.bias


def nothing(call: LayerCall) -> Dim:
    """Nothing at all."""
    return 0


def per_input(call: LayerCall) -> Dim:
    """One for each number of the input."""
    return call.n_in


def per_result(call: LayerCall) -> Dim:
    """One for each number of the result."""
    return call.n_out


def if_nothing_multiplies(call: LayerCall) -> Dim | None:
    """Nothing for a layer that is known to multiply nothing; else it is not known."""
    return 0 if call.macs == 0 else None


def scaled_norm(plain: int, scaled: int) -> Rule:
    """Return the rule of a norm: so many for each number, and so many where a scale is learned."""
    return lambda call: call.n_in * (scaled if call.is_scaled else plain)
