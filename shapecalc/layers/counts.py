"""Single operations by part, as a kind counts them beside its formula.

A function is counted as the textbooks write it, once for every number it is taken of: where a definition has
two branches, both are computed. A change of sign costs nothing, and padding is computed with. Counts are
those of evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapecalc.algebra import Dim


@dataclass(slots=True)  # not frozen: that would double what it costs to make one
class Operations:
    """How many operations of each part; `macs` are multiplications paired with the addition that follows.

    `multiplications` and `additions` are those beside the MACs. A sum of K products has one addition less
    than products, so `additions` may be negative where there are MACs.

    >>> Operations(macs=12, additions=-4) + Operations(comparisons=1) * 4
    Operations(macs=12, additions=-4, comparisons=4)
    """

    macs: Dim = 0
    multiplications: Dim = 0
    additions: Dim = 0
    comparisons: Dim = 0
    divisions: Dim = 0
    exponentials: Dim = 0
    roots: Dim = 0
    logarithms: Dim = 0
    powers: Dim = 0
    error_functions: Dim = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(*[getattr(self, name) + getattr(other, name) for name in self.__slots__])

    def __mul__(self, times: Dim) -> Operations:
        return Operations(*[getattr(self, name) * times for name in self.__slots__])

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.__slots__ if getattr(self, name) != 0]
        return f"Operations({', '.join(shown)})"

    def by_part(self) -> dict[str, Dim]:
        """Return the counts by name, with each MAC as one multiplication and one addition.

        >>> Operations(macs=12, additions=-4).by_part()["additions"]
        8
        """
        parts = {name: getattr(self, name) for name in self.__slots__}
        macs = parts.pop("macs")
        return {
            name.replace("_", " "): value + macs if name in ("multiplications", "additions") else value
            for name, value in parts.items()
        }


PARTS = tuple(Operations().by_part())
NOTHING = Operations()
"""Values are copied or moved, and nothing is computed."""

# ---- functions of one number

SIGMOID = Operations(exponentials=1, additions=1, divisions=1)
"""1/(1 + e⁻ˣ)"""
TANH = Operations(exponentials=2, additions=2, divisions=1)
"""(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)"""
SOFTPLUS = Operations(exponentials=1, additions=1, logarithms=1)
"""log(1 + eˣ)"""
RELU = Operations(comparisons=1)
"""max(x, 0)"""
GELU_BY_ERF = Operations(multiplications=2, divisions=1, error_functions=1, additions=1)
"""x·½·(1 + erf(x/√2))"""
GELU_BY_TANH = TANH + Operations(multiplications=6, additions=2)
"""½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))"""

# ---- functions of many numbers


def products(macs: Dim, *results: Dim, biased: bool = False) -> Operations:
    """Sums of products: each result takes one addition less than products; the last ones may have a bias.

    >>> products(24, 6, biased=False), products(24, 6, biased=True)
    (Operations(macs=24, additions=-6), Operations(macs=24))
    """
    additions: Dim = 0
    for number in results[:-1] if biased else results:
        additions = additions - number
    return Operations(macs=macs, additions=additions)


def greatest(numbers: Dim, results: Dim) -> Operations:
    """The greatest of `numbers` in all, in as many rows as results; the least costs the same."""
    return Operations(comparisons=numbers - results)


def mean(numbers: Dim, results: Dim) -> Operations:
    """The means of `numbers` in all, in as many rows as results."""
    return Operations(additions=numbers - results, divisions=results)


def softmax(numbers: Dim, rows: Dim) -> Operations:
    """eˣ/∑eˣ in every row, the greatest subtracted first, as frameworks do against overflow."""
    own = Operations(additions=2 * numbers - rows, exponentials=numbers, divisions=numbers)
    return own + greatest(numbers, rows)


def log_softmax(numbers: Dim, rows: Dim) -> Operations:
    """X - max - log ∑ e^(x - max) in every row."""
    own = Operations(additions=3 * numbers - rows, exponentials=numbers, logarithms=rows)
    return own + greatest(numbers, rows)


def norm(power: object, numbers: Dim, rows: Dim) -> Operations:
    """The p-norm of every row: |x|, x² or a power, their sum, and its root; the greatest |x| for infinity."""
    if power in ("inf", "-inf"):
        return Operations(comparisons=2 * numbers - rows)
    if power == 2:
        return Operations(multiplications=numbers, additions=numbers - rows, roots=rows)
    own = Operations(comparisons=numbers, additions=numbers - rows)
    return own if power == 1 else own + Operations(powers=numbers + rows)


def standardized(numbers: Dim, groups: Dim, *, scale: bool, shift: bool) -> Operations:
    """A mean and a variance of every group, then (x - mean)·(1/√(variance + eps))·weight + bias."""
    return Operations(
        multiplications=(2 + scale) * numbers,
        additions=(3 + shift) * numbers - groups,
        divisions=3 * groups,
        roots=groups,
    )


def rescaled(numbers: Dim, channels: Dim, *, shift: bool) -> Operations:
    """(x - mean)·(weight/√(variance + eps)) + bias with statistics that are kept: a factor a channel."""
    return Operations(
        multiplications=numbers,
        additions=(1 + shift) * numbers + channels,
        divisions=channels,
        roots=channels,
    )
