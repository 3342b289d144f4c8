"""What a spec expects of its model, compared with a report of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shapecalc.engine.parameters import Parameters, input_shapes
from shapecalc.errors import ShapecalcError
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec

COUNTS = {
    "params": "params",
    "trainable_params": "trainable_params",
    "buffers": "buffer_count",
    "macs": "macs",
}
"""The attribute of a report that holds a total of an expectation."""


class Difference(NamedTuple):
    """What is expected under a key, or of the output with that name, and what it is."""

    key: str
    expected: Any
    actual: Any
    """A number or shape; None for an output that there is not."""
    is_output: bool = False


def differences(spec: Spec, report: Report) -> list[Difference]:
    """Return where a report differs from what its spec expects.

    An expectation is about the spec's own input and parameters, so other reports never differ.
    """
    expected = spec.expect
    if expected is None or not _is_at_defaults(spec, report):
        return []
    found = [
        Difference(key, getattr(expected, key), getattr(report, attribute))
        for key, attribute in COUNTS.items()
        if getattr(expected, key) is not None
    ]
    shapes = expected.output
    if shapes is not None and not isinstance(shapes, Mapping):
        shapes = {next(iter(report.outputs)): shapes}
    for name, shape in (shapes or {}).items():
        actual = report.outputs[name][spec.front :] if name in report.outputs else None
        found.append(Difference(name, shape, actual, is_output=True))
    return [each for each in found if each.expected != each.actual]


def _is_at_defaults(spec: Spec, report: Report) -> bool:
    defaults = Parameters(spec, {})
    read = report.graph.parameters_read.items()
    try:
        inputs = input_shapes(spec, defaults, None, 1 if spec.batched else None)
        is_same = report.counting == spec.framework and report.inputs == inputs
        return is_same and all(defaults[name] == value for name, value in read)
    except ShapecalcError:  # a parameter without a default: every input is one that was chosen
        return False
