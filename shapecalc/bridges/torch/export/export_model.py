"""`export`: a model as PyTorch source, its settable parameters as arguments."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.build import refuse_keras
from shapecalc.bridges.torch.export.expansion_tree import expanded
from shapecalc.bridges.torch.export.module_text import RESERVED, Export
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
    >>> print(*(line for line in export(load("lenet5")).splitlines() if line.startswith("class")))
    class LeNet5(nn.Module):
    """
    refuse_keras(model)
    model.analyze(input=input, **parameters)
    return settled(model, input, parameters).text()


def settled(model: Model, given: Any, values: Mapping[str, Any]) -> Export:
    """Return an export whose root takes the parameters of the model that it can take as arguments.

    Left free, such a parameter changes no structure; and the source that is written for another value of it
    is the same but for the default. So what the source makes of any value is what the model is.
    """
    shared = _candidates(model, given, values)
    while True:
        found = Export(model, expanded(model, given, values), shared)
        taken = {one.name: shared[one.name] for one in found.parameters}
        text = found.text(defaults=False)
        kept = {
            name: value
            for name, value in taken.items()
            if text == _other_source(model, given, values, shared, name, value)
        }
        if len(kept) == len(taken):
            return found
        shared = kept


def _other_source(
    model: Model, given: Any, values: Mapping[str, Any], shared: Mapping[str, int], name: str, value: int
) -> str:
    """Return the source, without defaults, for the next value of a parameter that the model holds for."""
    for other in (value + 1, 2 * value):
        changed = {**values, name: other}
        try:
            model.analyze(input=given, **changed)
            found = Export(model, expanded(model, given, changed), {**shared, name: other})
        except ShapecalcError:
            continue
        return found.text(defaults=False)
    return ""


def _candidates(model: Model, given: Any, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the whole numbers among the parameters that no size of an input and no structure depends on."""
    parameters = Parameters(model, values)
    sizes = [size for shape in model.input.values() for size in shape if isinstance(size, Formula)]
    found: dict[str, int] = {}
    for name in model.parameters:
        value = parameters[name]
        is_taken = name in RESERVED or iskeyword(name) or any(name in size.names for size in sizes)
        if isinstance(value, int) and not isinstance(value, bool) and not is_taken:
            found[name] = value
    return {name: value for name, value in found.items() if _changes_no_structure(model, given, values, name)}


def _changes_no_structure(model: Model, given: Any, values: Mapping[str, Any], name: str) -> bool:
    """Say whether a model holds with a parameter left free."""
    others = {key: value for key, value in values.items() if key != name}
    try:
        model.analyze(input=given, symbolic=[name], **others)
    except ShapecalcError:
        return False
    return True
