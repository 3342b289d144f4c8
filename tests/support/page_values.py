"""What the engine says where the controls of a page stand: the truth that a page is held to."""

from __future__ import annotations

from collections.abc import Mapping

from shapecalc.algebra import Expr
from shapecalc.engine.parameters import BATCH
from shapecalc.page.free import FreeModel
from shapecalc.report.report import Report


def report_at(freedom: FreeModel, values: Mapping[str, int]) -> Report:
    """Return the engine's own report at some values of the controls, with numbers only."""
    axes = {control.name for control in freedom.controls if control.axis is not None}
    named = {name: n for name, n in values.items() if name != BATCH and name not in axes}
    given: dict[str, tuple[int, ...]] = {}
    for name, shape in freedom.report.inputs.items() if axes else ():
        sizes = [one.subs(values) if isinstance(one, Expr) else one for one in shape[freedom.model.front :]]
        given[name] = tuple(size for size in sizes if isinstance(size, int))
    batch = values.get(BATCH, 1)
    return freedom.model.analyze(input=given or None, batch=batch, **{**freedom.parameters, **named})
