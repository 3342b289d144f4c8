"""Derivations: how every shape, parameter count and cost came about, as plain data.

Derivation          a network, or some layers of it
└── LayerDerivation the inputs, the fields, and the steps for shape, parameters and MACs
└── Step        name = formula = numbers put in = result
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar, Generic, TypeAlias, cast

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.term import Letter, Number, Term
from shapecalc.layers.requirement import Shape
from shapecalc.render.display import Shown
from shapecalc.report.node import NOT_COUNTED, D_co, total


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
    """A shape, the same shape in letters, and words about it."""

    shape: Shape
    letters: tuple[Term, ...]
    note: str = ""


Content: TypeAlias = Step | Axes | tuple[Given, ...] | str
"""What is on one line of a derivation: an equation, a shape, fields with their letters, or words."""


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
    def title(self) -> str:
        """The path of the layer, and its kind where the path does not end in it."""
        return self.path if self.path.rpartition(".")[2] == self.kind else f"{self.path}: {self.kind}"

    @property
    def keeps_shape(self) -> bool:
        """Whether the only result has the shape of the input, axis by axis, or of every one of several."""
        return (
            len(self.outputs) == 1
            and self.outputs[0].letters == self.inputs[0].letters
            and all(axes.shape == self.inputs[0].shape for axes in self.inputs)
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return (*self.shape, *self.params, *self.macs)

    @property
    def lines(self) -> Iterator[tuple[str, Content]]:
        """The lines of the derivation in reading order, each with its label."""
        if self.keeps_shape:
            same = "the shape of the input" if len(self.inputs) == 1 else "the shape of each input"
            yield "Output", Axes(self.outputs[0].shape, (), same)
        else:
            yield from (("Input", axes) for axes in self.inputs)
        if self.given:
            yield "Given", self.given
        yield from ((step.meaning.capitalize(), step) for step in self.shape)
        if not self.keeps_shape:
            for axes, run in groupby(self.outputs):
                times = len([*run])
                yield "Output", replace(axes, note=f"{times} times" if times > 1 else "")
        yield from (("Parameters", step) for step in self.params)
        if self.shares and not self.params:
            yield "Parameters", f"those of {self.shares}, counted there"
        if self.macs_total is None:
            yield "MACs", NOT_COUNTED
        yield from (("MACs", step) for step in self.macs)

    def to_dict(self) -> dict[str, Any]:
        """Return the derivation as plain data for JSON."""
        return {
            "path": self.path,
            "kind": self.kind,
            "inputs": [_axes_dict(axes) for axes in self.inputs],
            "outputs": [_axes_dict(axes) for axes in self.outputs],
            "given": {
                given.letter.name: {
                    "field": given.field,
                    "value": terms.text(Number(given.letter.value)),
                }
                for given in self.given
            },
            "shape": [step.to_dict() for step in self.shape],
            "params": [step.to_dict() for step in self.params],
            "macs": [step.to_dict() for step in self.macs],
            "shares": self.shares,
        }


@dataclass(frozen=True, slots=True)
class Derivation(Shown, Generic[D_co]):
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

    _view: ClassVar[str] = "shapecalc.views.derivation_page:derivation_page"

    heading: str
    layers: tuple[LayerDerivation, ...]
    is_whole: bool
    conditions: tuple[str, ...] = ()

    @property
    def params(self) -> D_co:
        """The parameters of the layers together."""
        return cast("D_co", total(layer.params_total for layer in self.layers))

    @property
    def macs(self) -> D_co:
        """The multiply-accumulates of the layers together, as far as they can be counted."""
        return cast("D_co", total(macs for layer in self.layers if (macs := layer.macs_total) is not None))

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
        return self._plain()

    def to_markdown(self) -> str:
        """Return the derivation as Markdown with formulas between dollar signs."""
        return self._repr_markdown_()

    def to_latex(self) -> str:
        """Return the derivation as the body of a LaTeX document; it needs the package amsmath."""
        return self._repr_latex_()

    __str__ = to_text


def _axes_dict(axes: Axes) -> dict[str, list[str]]:
    return {
        "shape": [grouped(size) for size in axes.shape],
        "letters": [terms.text(term) for term in axes.letters],
    }
