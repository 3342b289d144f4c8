"""A derivation as text that stands in lecture notes as it is: 80 columns, broken at the equals signs."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.layers.requirement import shown
from shapecalc.report.derivation import Axes, Derivation, Given, LayerDerivation, Step

WIDTH = 80
_LABEL = 12
_ROOM = WIDTH - _LABEL - 2
MOST_SUMMANDS = 16
"""A sum over more layers than this is told by its result alone."""


def derivation_text(derivation: Derivation) -> str:
    """Return the derivation as text."""
    parts = [derivation.heading, *("\n".join(_layer(layer)) for layer in derivation.layers)]
    if len(derivation.layers) > 1:
        parts.append("\n".join(_together(derivation)))
    if derivation.conditions:
        parts.append("\n".join(derivation.conditions))
    return "\n\n".join(parts)


def title(layer: LayerDerivation) -> str:
    """Return the path of a layer, and its kind where the path does not end in it."""
    return layer.path if layer.path.rpartition(".")[2] == layer.kind else f"{layer.path}: {layer.kind}"


def _layer(layer: LayerDerivation) -> Iterator[str]:
    yield title(layer)
    if layer.keeps_shape:
        yield from _labelled("Output", [f"{shown(layer.outputs[0].shape)}, {kept(layer)}"])
    else:
        for axes in layer.inputs:
            yield from _labelled("Input", [_axes(axes)])
    given = [
        f"{field} {one.letter.name} = {terms.text(terms.inserted(one.letter))}".lstrip()
        for field, one in fields_of(layer)
    ]
    yield from _labelled("Given", _filled(given, ", "))
    for step in layer.shape:
        yield from _labelled(step.meaning.capitalize(), _step(step))
    if not layer.keeps_shape:
        for axes, times in alike(layer.outputs):
            yield from _labelled("Output", [_axes(axes) + (f", {times} times" if times > 1 else "")])
    yield from _costs(layer)


def fields_of(layer: LayerDerivation) -> Iterator[tuple[str, Given]]:
    """Yield what is given, with the field's name where it has not just been said and is not the letter."""
    last = ""
    for one in layer.given:
        yield "" if one.field in (last, one.letter.name) else one.field, one
        last = one.field


def kept(layer: LayerDerivation) -> str:
    """Return the words for a shape that is kept."""
    return "the shape of the input" if len(layer.inputs) == 1 else "the shape of each input"


def alike(outputs: tuple[Axes, ...]) -> Iterator[tuple[Axes, int]]:
    """Yield every result that differs from the one before, and how many are like it."""
    for number, axes in enumerate(outputs):
        if number == 0 or axes != outputs[number - 1]:
            yield axes, sum(one == axes for one in outputs)


def _costs(layer: LayerDerivation) -> Iterator[str]:
    if layer.params:
        yield from _labelled("Parameters", [line for step in layer.params for line in _step(step)])
    elif layer.shares:
        yield from _labelled("Parameters", [f"those of {layer.shares}, counted there"])
    if layer.macs_total is None:
        yield from _labelled("MACs", [UNCOUNTED])
    elif layer.macs:
        yield from _labelled("MACs", [line for step in layer.macs for line in _step(step)])


UNCOUNTED = "not counted: this kind cannot tell"


def _step(step: Step) -> list[str]:
    """Return `name = formula = inserted = result`, on one line or one line for each equals sign."""
    parts = [*dict.fromkeys([step.formula, step.inserted, step.result])]
    line = " = ".join([step.name, *parts] if step.name else parts)
    if len(line) <= _ROOM:
        return [line]
    if not step.name:
        first, *others = parts
        return [*folded(first, _ROOM), *(line for one in others for line in folded(f"= {one}", _ROOM, 2))]
    indent = " " * (len(step.name) + 1)
    lines = [line for one in parts for line in folded(f"= {one}", _ROOM - len(indent), 2)]
    return [f"{step.name} {lines[0]}", *(indent + line for line in lines[1:])]


def folded(line: str, room: int, indent: int = 0) -> list[str]:
    """Return a formula in lines that break before a plus or minus outside all brackets.

    >>> print(*folded("= 150·(H - 4) + 16·(W - 4) - 3", 20, 2), sep=chr(10))
    = 150·(H - 4)
      + 16·(W - 4) - 3
    """
    if len(line) <= room:
        return [line]
    outside = terms.outer(line)
    breaks = [at for at in range(indent + 1, len(line)) if outside[at : at + 3] in (" + ", " - ")]
    fitting = [at for at in breaks if at <= room] or breaks[:1]
    if not fitting:
        return [line]
    rest = " " * indent + line[fitting[-1] + 1 :]
    return [line[: fitting[-1]], *folded(rest, room, indent)]


def _labelled(label: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {label if number == 0 else '':<{_LABEL}}{line}"


def _axes(axes: Axes) -> str:
    letters, sizes = "×".join(map(terms.text, axes.letters)), shown(axes.shape)
    return f"{letters} = {sizes}" if axes.letters and letters != sizes else sizes


def _filled(items: list[str], between: str) -> list[str]:
    """Return items in lines of at most the room there is, broken only between items."""
    lines: list[str] = []
    for number, item in enumerate(items):
        word = item if number == len(items) - 1 else item + between.rstrip()
        if lines and len(lines[-1]) + 1 + len(word) <= _ROOM:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _together(derivation: Derivation) -> Iterator[str]:
    yield together(derivation)
    params = [layer.params_total for layer in derivation.layers]
    yield from _labelled("Parameters", _summed(params, grouped(derivation.params)))
    macs = [layer.macs_total for layer in derivation.layers if layer.macs_total is not None]
    at_least = "" if derivation.complete else "at least "
    yield from _labelled("MACs", _summed(macs, f"{at_least}{grouped(derivation.macs)}"))


def together(derivation: Derivation) -> str:
    """Return the heading over the totals."""
    return "All layers" if derivation.is_whole else "These layers"


def _summed(parts: list[Dim], result: str) -> list[str]:
    """Return a sum with its result; of very many summands, the result alone."""
    summands = [grouped(part) for part in parts if part != 0]
    if not 1 < len(summands) <= MOST_SUMMANDS:
        return folded(result, _ROOM)
    line = f"{' + '.join(summands)} = {result}"
    if len(line) <= _ROOM:
        return [line]
    return [*_filled(summands, " + "), *folded(f"= {result}", _ROOM, 2)]
