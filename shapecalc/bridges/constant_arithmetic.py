"""Size arithmetic of an import that is constant: numbers for it, and no conditions that always hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc.algebra import decide, symbol
from shapecalc.algebra.formula import Formula
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.effect import replaced
from shapecalc.layers.traced import SIGNS, Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step


def simplified(model: Model, data: dict[str, Any], steps: list[Step]) -> Model:
    """Return the model with numbers for arithmetic that is the same number whatever is left free."""
    if not any(isinstance(step.body, Kind) and has_formula(step.body) for step in steps):
        return model
    try:
        batch = symbol("batch") if model.batched else None
        inference = model.infer_at(_open_inputs(data, steps), batch, symbolic=True, values={})[0]
    except ShapecalcError:
        return model
    if inference.failures or len(inference.graph.nodes) != len(steps):
        return model
    kept: list[Step] = []
    may_stretch = False  # then a size of 1 is legal too, for which the symbolic shapes do not hold
    for step, node, effect in zip(steps, inference.graph.nodes, inference.effects, strict=True):
        body, layer = step.body, node.layer
        may_stretch |= effect is not None and any(each.code == "broadcast" for each in effect.conditions)
        if not isinstance(body, Kind) or not has_formula(body):
            kept.append(step)
        elif (
            may_stretch
            or not isinstance(layer, Require)
            or not decide(layer.left, SIGNS[layer.relation], layer.right)
        ):
            values = {key: _constant(value, getattr(layer, key)) for key, value in body.fields_set().items()}
            kept.append(step.model_copy(update={"body": type(body)(**values)}))
    return Model(layers=kept, **data)


def _open_inputs(data: Mapping[str, Any], steps: list[Step]) -> dict[str, tuple[Any, ...]] | None:
    """Return the inputs with a symbol for each size that can change; None where only the named sizes can.

    What Python decided by a size that can change is a condition, and arithmetic over it is no constant. A
    size without a name, such as the channels, counts as fixed where the layers refuse its neighbours, its
    double, its half and 1, and take itself.
    """
    layers = [step for step in steps if not isinstance(step.body, Require)]
    if not layers:
        return None
    bare = Model(layers=layers, **data)
    values: Mapping[str, int] = data["parameters"]
    inputs = {title: tuple(sizes) for title, sizes in data["input"].items()}
    traced = {title: tuple(values.get(size, size) for size in sizes) for title, sizes in inputs.items()}

    def fits(title: str, axis: int, size: int) -> bool:
        try:
            bare.analyze(input={**traced, title: replaced(traced[title], axis, size)})
        except ShapecalcError:
            return False
        return True

    def opened(title: str, axis: int, size: Any) -> Any:
        if isinstance(size, str):
            return symbol(size)
        others = {size + 1, size - 1, 2 * size, size // 2, 1} - {size, 0}
        can_change = not fits(title, axis, size) or any(fits(title, axis, other) for other in others)
        return symbol(f"{title}_{axis}") if can_change else size

    return {
        title: tuple(opened(title, axis, size) for axis, size in enumerate(sizes))
        for title, sizes in inputs.items()
    }


def has_formula(layer: Kind) -> bool:
    """Return whether a field is a formula, or a list with one."""
    values = layer.fields_set().values()
    return any(
        isinstance(item, Formula)
        for value in values
        for item in (value if isinstance(value, tuple) else (value,))
    )


def _constant(value: Any, resolved: Any) -> Any:
    """Return the number of a formula that depends on nothing, else the formula."""
    if isinstance(value, tuple):
        return tuple(_constant(item, other) for item, other in zip(value, resolved, strict=True))
    if isinstance(value, Formula):
        return resolved if isinstance(resolved, int) else value.text
    return value
