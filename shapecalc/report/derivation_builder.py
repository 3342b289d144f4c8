"""Builds derivations: the rule of a layer runs once more on sizes that record their formulas.

So the derivation shows what the engine computed, and there is no second formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from shapecalc.algebra import Dim, product
from shapecalc.algebra import term as terms
from shapecalc.algebra.provenance import term_of, untraced
from shapecalc.algebra.term import Letter, Operation, Term
from shapecalc.engine.limits import refuse_too_long
from shapecalc.layers.axis_names import AXIS_NAMES
from shapecalc.layers.base import Effect, Named, Window
from shapecalc.layers.requirement import Shape
from shapecalc.layers.textbook_letters import (
    BATCH,
    Layout,
    axis_letters,
    axis_suffixes,
    input_letters,
    with_letters,
)
from shapecalc.report.derivation import Axes, Derivation, Given, LayerDerivation, Step
from shapecalc.report.node import D_co, Node, total

if TYPE_CHECKING:
    from shapecalc.report.report import Report


def derive(report: Report[D_co], *layers: str, batch: bool | None = None) -> Derivation[D_co]:
    """Return the derivation of a report, or of the layers and blocks that are named.

    `batch` says whether the batch has a letter; left out, it has one where it is not 1. Raises
    `SpecError` for a name that is neither a layer nor the beginning of one's path.
    """
    first = None if report.unbatched else report.input[0]
    shows = first not in (None, 1) if batch is None else batch or first != 1
    channels_last = any(node.layer.framework == "keras" for node in report.nodes)
    one_dimensional = any(getattr(node.layer, "rank", None) == 1 for node in report.nodes)
    layout = Layout(first, first is not None and shows, channels_last, one_dimensional)
    nodes = report.inside(*layers)
    refuse_too_long(len(nodes), "a derivation", "name layers or blocks to derive")
    return Derivation(
        report.heading(batch=layout.shows_batch),
        tuple(_layer(node, layout, report.counting) for node in nodes),
        len(nodes) == len(report.nodes),
        tuple(report.validity),
    )


class _Names:
    """The names of computed parts: a part that has one is written by its name."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.letters: dict[Term, Letter] = {}
        self._taken = set(taken)

    def give(self, wanted: str, term: Term, value: Dim) -> Letter:
        """Give a term its name, with a number behind it where the name is in use."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}{number}", number + 1
        self._taken.add(name)
        self.letters[term] = Letter(name, value)
        return self.letters[term]


def _layer(node: Node, layout: Layout, counting: str) -> LayerDerivation:
    """Apply the rule of a layer to letters, and read the steps off the result."""
    layer, fields = with_letters(node.layer)
    inputs = input_letters(layer, node.inputs, layout)
    effect = layer.apply(inputs)
    incoming = {term.name for x in inputs for size in x if isinstance(term := term_of(size), Letter)}
    names = _Names(incoming | {letter.name for letter in fields})
    shape, outputs = _shape_steps(effect, names, incoming, layout)
    held = {} if node.shares else _counted(effect, node.layer.gathered, counting)
    params = tuple(_parameter_steps(held))
    macs = _cost_steps(effect.macs, names)
    used = {letter for step in (*shape, *params, *macs) for letter in terms.letters(step.term)}
    used |= {letter for axes in outputs for term in axes.letters for letter in terms.letters(term)}
    given = (Given(field, letter) for letter, field in fields.items() if letter in used)
    return LayerDerivation(
        node.path,
        node.kind,
        tuple(_axes(x, layout) for x in inputs),
        outputs,
        tuple(sorted(given, key=lambda given: not given.field.startswith("out_"))),
        shape,
        params,
        macs,
        node.params_inside(len(node.loops)),
        node.macs_inside(len(node.loops)),
        node.shares if node.weights else None,
    )


def _axes(shape: Shape, layout: Layout, names: dict[Term, Letter] | None = None) -> Axes:
    """Return a shape as a reader sees it: without the batch, unless that has a letter."""
    is_hidden = layout.batch is not None and not layout.shows_batch
    start = 1 if is_hidden and shape[:1] == (layout.batch,) and len(shape) > 1 else 0
    letters = (terms.renamed(term_of(size), names or {}) for size in shape[start:])
    return Axes(tuple(map(untraced, shape[start:])), tuple(letters))


def _shape_steps(
    effect: Effect, names: _Names, incoming: set[str], layout: Layout
) -> tuple[tuple[Step, ...], tuple[Axes, ...]]:
    """Return a step for every computed size, and the results in letters."""
    paddings = _padding_steps(effect.window, names)
    steps: list[Step] = []
    for shape in effect.outputs:
        for position, size in enumerate(shape):
            term = term_of(size)
            if not isinstance(term, Operation) or term in names.letters:
                continue
            base = _base(term, incoming) or axis_letters(shape, layout)[position]
            inner = terms.renamed(term, names.letters)
            letter = names.give(f"{base}_out", term, untraced(size))
            steps.append(Step(letter.name, AXIS_NAMES.get(base, "size"), inner, untraced(size)))
    used = _used(steps)
    used |= _used(step for step in paddings if step.name in used)
    outputs = tuple(_axes(shape, layout, names.letters) for shape in effect.outputs)
    return (*(step for step in paddings if step.name in used), *steps), outputs


def _used(steps: Iterable[Step]) -> set[str]:
    return {letter.name for step in steps for letter in terms.letters(step.term)}


def _padding_steps(window: Window | None, names: _Names) -> list[Step]:
    """Return a step for each padding that is itself computed, as `same` is: p_0 before, p_1 after."""
    sides = [*zip(window.before, window.after, strict=True)] if window else []
    axes = axis_suffixes(len(sides)) if len({tuple(map(term_of, pair)) for pair in sides}) > 1 else ()
    steps: list[Step] = []
    for number, pair in enumerate(sides):
        for side, size in enumerate(pair):
            term = term_of(size)
            if isinstance(term, Operation) and term not in names.letters:
                inner = terms.renamed(term, names.letters)
                letter = names.give(f"p_{axes[number] if axes else ''}{side}", term, untraced(size))
                steps.append(Step(letter.name, "padding", inner, untraced(size)))
    return steps


def _base(term: Term, incoming: set[str]) -> str | None:
    """Return the axis that a size comes from: F where several are joined, None where none is known."""
    names = (letter.name for letter in terms.letters(term) if letter.name in incoming)
    bases = dict.fromkeys(name.partition("_")[0] for name in names)
    bases.pop(BATCH, None)
    return next(iter(bases), None) if len(bases) < 2 else "F"


def _counted(effect: Effect, statistics: frozenset[str], counting: str) -> Named:
    """Return the tensors that count as parameters: to Keras, statistics do; to torch they do not."""
    if counting == "keras":
        kept = {name: shape for name, shape in effect.buffers.items() if name in statistics}
        return {**effect.weights, **kept}
    return {name: shape for name, shape in effect.weights.items() if name not in statistics}


def _parameter_steps(held: Named) -> Iterator[Step]:
    together: Term | None = None
    for name, shape in held.items():
        size = product(shape)
        yield Step(name, "parameters", term_of(size), untraced(size))
        letter = Letter(name, untraced(size))
        together = letter if together is None else terms.added(together, letter)
    if len(held) > 1 and together is not None:
        yield Step("", "parameters", together, untraced(total(product(shape) for shape in held.values())))


def _cost_steps(macs: Dim | None, names: _Names) -> tuple[Step, ...]:
    if macs is None or macs == 0:
        return ()
    return (Step("", "MACs", terms.renamed(term_of(macs), names.letters), untraced(macs)),)
