"""`export`: a model as PyTorch source, its settable parameters as arguments."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.build import refuse_keras
from shapecalc.bridges.torch.export.expansion_tree import expanded
from shapecalc.bridges.torch.export.module_text import RESERVED, Export
from shapecalc.engine.limits import refuse_too_long
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import ShapecalcError, SpecError
from shapecalc.layers.traced import Require
from shapecalc.model import Model


def export(model: Model, input_shape: Any, parameters: Mapping[str, Any]) -> str:
    """Return a model as PyTorch source that needs torch alone; see `shapecalc.export`."""
    refuse_keras(model)
    refuse_too_long(len(model.analyze(input=input_shape, **parameters).nodes), "exported source")
    try:
        return with_arguments(model, input_shape, parameters).text()
    except RecursionError:
        raise SpecError("an expression of the source would be nested too deep", place=model.place) from None


def with_arguments(model: Model, input_shape: Any, values: Mapping[str, Any]) -> Export:
    """Return an export whose root takes the parameters of the model that it can take as arguments.

    Left free, such a parameter changes no structure; and the source for another value of it differs in the
    default alone. So the source is the model for every value.
    """
    shared = _candidates(model, input_shape, values)
    bare = without_conditions(model)
    while True:
        export = Export(model, expanded(bare, input_shape, values), shared)
        taken = {parameter.name: shared[parameter.name] for parameter in export.classes[-1].parameters}
        text = export.text(defaults=False)
        kept = {
            name: value
            for name, value in taken.items()
            if text == _other_source(bare, input_shape, values, shared, name)
        }
        if len(kept) == len(taken):
            return export
        shared = kept


def without_conditions(model: Model) -> Model:
    """Return a model without the conditions of a trace, which compute nothing, where no step names them."""
    named = {name for step in model.layers for name in step.source or ()}
    steps = [step for step in model.layers if not isinstance(step.body, Require) or step.name in named]
    return model.model_copy(update={"layers": tuple(steps)}) if len(steps) < len(model.layers) else model


def _other_source(
    model: Model, input_shape: Any, values: Mapping[str, Any], shared: Mapping[str, int], name: str
) -> str:
    """Return the source, without defaults, for the next value of a parameter that the model holds for."""
    for other in (shared[name] + 1, 2 * shared[name]):
        changed = {**values, name: other}
        try:
            model.analyze(input=input_shape, **changed)
            export = Export(model, expanded(model, input_shape, changed), {**shared, name: other})
        except ShapecalcError:
            continue
        return export.text(defaults=False)
    return ""


def _candidates(model: Model, input_shape: Any, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the integers among the parameters that no size of an input and no structure depends on."""
    parameters = Parameters(model, values)
    sizes = [size for shape in model.input.values() for size in shape if isinstance(size, Formula)]
    candidates: dict[str, int] = {}
    for name in model.parameters:
        value = parameters[name]
        is_taken = name in RESERVED or iskeyword(name) or any(name in size.names for size in sizes)
        if isinstance(value, int) and not isinstance(value, bool) and not is_taken:
            others = {key: chosen for key, chosen in values.items() if key != name}
            try:
                model.analyze(input=input_shape, symbolic=[name], **others)
            except ShapecalcError:
                continue
            candidates[name] = value
    return candidates
