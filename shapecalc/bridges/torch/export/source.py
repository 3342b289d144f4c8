"""`export`: a model as PyTorch source, its settable parameters as arguments."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from keyword import iskeyword
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.build import refuse_keras
from shapecalc.bridges.torch.export.text import RESERVED, Number, written
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import ShapecalcError
from shapecalc.model import Model


def export(
    model: Model,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    **parameters: Any,
) -> str:
    """Return a model as PyTorch source that needs torch alone.

    Blocks become classes with their arguments, repeats `nn.Sequential`, and every submodule has the name
    that the report gives its layer. Run, it has the model's named parameters, shapes and MACs.

    Raises `ShapeError` where the model does not hold, and `SpecError` for a model of Keras and for a layer
    or a name that cannot be written.

    >>> from shapecalc import load
    >>> print(export(load("lenet5")).splitlines()[8])
    class Lenet5(nn.Module):
    """
    refuse_keras(model)
    model.analyze(input=input, **parameters)
    shared = settable(model, input, parameters)
    return written(model, input, parameters, shared)


def settable(model: Model, given: Any, values: Mapping[str, Any]) -> dict[str, Number]:
    """Return the parameters of a model that its source can take as arguments, with their values.

    Left free, such a parameter changes no structure; and the source that is written for other values of it
    is the same but for the default. So what the source makes of any value is what the model is.
    """
    found = _candidates(model, given, values)
    while True:
        kept = {name: value for name, value in found.items() if _is_free(model, given, values, found, name)}
        if len(kept) == len(found):
            return found
        found = kept


def _candidates(model: Model, given: Any, values: Mapping[str, Any]) -> dict[str, Number]:
    """Return the plain numbers among the parameters that no size of an input depends on."""
    parameters = Parameters(model, values)
    sizes = [size for shape in model.input.values() for size in shape if isinstance(size, Formula)]
    found: dict[str, Number] = {}
    for name in model.parameters:
        value = parameters[name]
        is_taken = name in RESERVED or iskeyword(name) or any(name in size.names for size in sizes)
        if isinstance(value, (int, Fraction)) and not isinstance(value, bool) and not is_taken:
            found[name] = value
    return {name: value for name, value in found.items() if _changes_no_structure(model, given, values, name)}


def _changes_no_structure(model: Model, given: Any, values: Mapping[str, Any], name: str) -> bool:
    """Say whether a model holds with a parameter left free; a probability has no structure to change."""
    try:
        if not isinstance(Parameters(model, values)[name], Fraction):
            others = {key: value for key, value in values.items() if key != name}
            model.analyze(input=given, symbolic=[name], **others)
    except ShapecalcError:
        return False
    return True


def _is_free(
    model: Model, given: Any, values: Mapping[str, Any], shared: Mapping[str, Number], name: str
) -> bool:
    """Say whether the source is the same for other values of a parameter, but for its default."""
    value = shared[name]
    others: tuple[Number, ...] = (value + 1, 2 * value)
    if isinstance(value, Fraction):
        others = (value / 2, Fraction(0))
    expected = written(model, given, values, shared, unsaid=name)
    tried = False
    for other in others:
        try:
            changed = {**values, name: other}
            model.analyze(input=given, **changed)
            text = written(model, given, changed, {**shared, name: other}, unsaid=name)
        except ShapecalcError:
            continue
        tried = True
        if text != expected:
            return False
    return tried
