"""Derivations: how every shape, parameter count and cost came about, as plain data.

They are made in `derive`; renderers stand in modules of their own.

    Derivation          a network, or the layers of it that were asked for
    └── LayerDerivation what arrives, what is given, and the steps for shape, parameters and MACs
        └── Step        name = formula = numbers put in = result
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.term import Letter, Number, Term
from shapecalc.layers.requirement import Shape
from shapecalc.render.display import Shown
from shapecalc.report.node import total

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


@dataclass(frozen=True, slots=True)
class Step:
    """One line: `name` is what `term` says, which comes to `value`."""

    name: str
    meaning: str
    term: Term
    value: Dim

    @property
    def formula(self) -> str:
        """The formula in letters."""
        return terms.text(self.term)

    @property
    def inserted(self) -> str:
        """The formula with the numbers put in."""
        return terms.text(terms.inserted(self.term))

    @property
    def result(self) -> str:
        """What it comes to."""
        return grouped(self.value)

    def to_dict(self) -> dict[str, str]:
        """Return the step as text and as LaTeX."""
        return {
            "name": self.name,
            "meaning": self.meaning,
            "formula": self.formula,
            "inserted": self.inserted,
            "result": self.result,
            "latex": terms.latex(self.term),
            "latex_inserted": terms.latex(terms.inserted(self.term)),
            "latex_result": terms.latex(Number(self.value)),
        }


@dataclass(frozen=True, slots=True)
class Given:
    """A field of the layer, and the letter that it has in the formulas."""

    field: str
    letter: Letter


@dataclass(frozen=True, slots=True)
class Axes:
    """A shape, and the same shape in letters."""

    shape: Shape
    letters: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class LayerDerivation:
    """One layer: `shape`, `params` and `macs` are steps, each of which may use the names before it."""

    path: str
    kind: str
    inputs: tuple[Axes, ...]
    outputs: tuple[Axes, ...]
    given: tuple[Given, ...]
    shape: tuple[Step, ...]
    params: tuple[Step, ...]
    macs: tuple[Step, ...]
    params_total: Dim
    macs_total: Dim | None
    shares: str | None = None

    @property
    def keeps_shape(self) -> bool:
        """Whether the one result has the shape of the input, axis by axis, or of each of several."""
        return (
            len(self.outputs) == 1
            and self.outputs[0].letters == self.inputs[0].letters
            and all(one.shape == self.inputs[0].shape for one in self.inputs)
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return (*self.shape, *self.params, *self.macs)

    def to_dict(self) -> dict[str, Any]:
        """Return the derivation as plain data for JSON."""
        return {
            "path": self.path,
            "kind": self.kind,
            "inputs": [_axes_dict(axes) for axes in self.inputs],
            "outputs": [_axes_dict(axes) for axes in self.outputs],
            "given": {
                one.letter.name: {"field": one.field, "value": terms.text(Number(one.letter.value))}
                for one in self.given
            },
            "shape": [step.to_dict() for step in self.shape],
            "params": [step.to_dict() for step in self.params],
            "macs": [step.to_dict() for step in self.macs],
            "shares": self.shares,
        }


@dataclass(frozen=True, slots=True)
class Derivation(Shown):
    """The worked example of a network, or of some of its layers.

    >>> from shapecalc.model import load
    >>> derivation = load("lenet5").analyze().derive("c1")
    >>> print(derivation)
    LeNet-5, as taught today (lenet5) on 1x32x32
    <BLANKLINE>
    c1: conv2d
      Input       C_in×H_in×W_in = 1x32x32
      Given       out_channels C_out = 6, kernel_size k = 5, stride s = 1,
                  padding p = 0
      Height      H_out = ⌊(H_in + 2·p - k)/s⌋ + 1 = ⌊(32 + 2·0 - 5)/1⌋ + 1 = 28
      Width       W_out = ⌊(W_in + 2·p - k)/s⌋ + 1 = ⌊(32 + 2·0 - 5)/1⌋ + 1 = 28
      Output      C_out×H_out×W_out = 6x28x28
      Parameters  weight = C_out·C_in·k·k = 6·1·5·5 = 150
                  bias = C_out = 6
                  weight + bias = 150 + 6 = 156
      MACs        C_out·H_out·W_out·C_in·k·k = 6·28·28·1·5·5 = 117,600
    >>> derivation.layers[0].shape[0].formula
    '⌊(H_in + 2·p - k)/s⌋ + 1'
    """

    heading: str
    layers: tuple[LayerDerivation, ...]
    is_whole: bool
    conditions: tuple[str, ...] = ()

    @property
    def params(self) -> Dim:
        """The parameters of the layers together."""
        return total(layer.params_total for layer in self.layers)

    @property
    def macs(self) -> Dim:
        """The multiply-accumulates of the layers together, as far as they can be counted."""
        return total(layer.macs_total for layer in self.layers if layer.macs_total is not None)

    @property
    def complete(self) -> bool:
        """Whether every layer could be counted."""
        return all(layer.macs_total is not None for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Return the derivation as plain data for JSON."""
        return {
            "heading": self.heading,
            "layers": [layer.to_dict() for layer in self.layers],
            "params": grouped(self.params),
            "macs": grouped(self.macs),
            "complete": self.complete,
            "conditions": [*self.conditions],
        }

    def to_text(self) -> str:
        """Return the derivation as text of at most 80 columns where formulas allow it."""
        from shapecalc.report.derivation_text import derivation_text

        return derivation_text(self)

    def to_markdown(self) -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        from shapecalc.report.derivation_markup import derivation_markdown

        return derivation_markdown(self)

    def to_latex(self) -> str:
        """Return the derivation as the body of a LaTeX document; it needs the package amsmath."""
        from shapecalc.report.derivation_markup import derivation_latex

        return derivation_latex(self)

    __str__ = to_text

    def _page(self) -> Page:
        from shapecalc.report.derivation_markup import derivation_page

        return derivation_page(self)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex()


def _axes_dict(axes: Axes) -> dict[str, list[str]]:
    return {
        "shape": [grouped(size) for size in axes.shape],
        "letters": [terms.text(term) for term in axes.letters],
    }
