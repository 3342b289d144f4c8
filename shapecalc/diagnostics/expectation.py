"""Expectations that a model does not meet, and the layer that accounts for the difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.expr_text import grouped
from shapecalc.diagnostics.budget import written_place
from shapecalc.diagnostics.violation import Violation
from shapecalc.errors import ShapecalcError, nearest, quote
from shapecalc.report.expected import COUNTS, Difference, differences
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec

_NAMES = {
    "params": "parameters",
    "trainable_params": "trainable parameters",
    "buffers": "numbers in buffers",
    "macs": "MACs",
}


def unmet(spec: Spec, report: Report) -> Iterator[Violation]:
    """Yield the expectations that the report of a model does not meet."""
    for each in differences(spec, report):
        yield _of_output(spec, report, each) if each.is_output else _of_total(spec, report, each)


def _of_total(spec: Spec, report: Report, difference: Difference) -> Violation:
    key, expected, actual = difference.key, difference.expected, difference.actual
    facts = {"actual": grouped(actual), "what": _NAMES[key], "expected": grouped(expected)}
    place = written_place(spec, "expect", key)
    template = "{actual} {what} where {expected} are expected"
    if key == "macs" and not report.complete and actual < expected:
        facts["layers"] = ", ".join(report.not_counted[:3])
        template = f"at least {template}: those of {{layers}} cannot be counted"
        return Violation("expect", template, facts, place)
    facts["by"] = f"{grouped(abs(actual - expected))} too {'many' if actual > expected else 'few'}"
    paths, facts["change"] = _single_change(report, COUNTS[key], actual - expected) or ((), "")
    return Violation("expect", f"{template}, {{by}}{{change}}", facts, place, paths, "error")


def _of_output(spec: Spec, report: Report, difference: Difference) -> Violation:
    name = difference.key
    place = written_place(spec, "expect", "output").of(name)
    if difference.actual is None:
        facts = {"name": quote(name), "known": nearest(name, [*report.outputs])}
        return Violation("expect", "no output is named {name}{known}", facts, place, severity="error")
    producer = report.graph.producer(report.graph.outputs[name])
    shapes: dict[str, Any] = {"actual": difference.actual, "expected": tuple(difference.expected)}
    which = "the output" if name == "output" else "the output {name}"
    template = f"{which} is {{actual}} where {{expected}} is expected"
    paths = () if producer is None else (producer.path,)
    return Violation("expect", template, {"name": name, **shapes}, place, paths, "error")


def _single_change(report: Report, attribute: str, excess: int) -> tuple[tuple[str, ...], str] | None:
    """Return the only layers written at one place that account for a difference, and how, or None.

    They do where all that they have is the difference, or where it goes with the other value of a flag.
    """
    written: dict[Any, list[Node]] = {}
    for node in report.nodes:
        place = node.place
        written.setdefault((place.file, place.line, place.column) if place else node.path, []).append(node)
    changes: list[tuple[tuple[str, ...], str]] = []
    for nodes in written.values():
        first, paths = nodes[0], tuple(node.path for node in nodes)
        layer = f"{first.path} ({first.kind})"
        if excess == sum(getattr(node, attribute) or 0 for node in nodes):
            changes.append((paths, f": as many as {layer} has"))
        flags = [name for name, value in first.layer if isinstance(value, bool)]
        for name in flags:
            if sum(_flipped(node, name, attribute) for node in nodes) == -excess:
                other = "false" if getattr(first.layer, name) else "true"
                changes.append((paths, f": `{name}: {other}` in {layer} would agree"))
    return changes[0] if len({paths for paths, _ in changes}) == 1 else None


def _flipped(node: Node, name: str, attribute: str) -> int:
    """Return how much the other value of a flag adds to a count of a layer, 0 where its output changes."""
    layer = node.layer
    try:
        other = type(layer).model_validate({**layer.fields_set(), name: not getattr(layer, name)})
        before, after = layer.apply(node.inputs), other.apply(node.inputs)
    except (ValidationError, ShapecalcError):
        return 0
    if before.outputs != after.outputs or not getattr(node, attribute):
        return 0
    effect = "params" if attribute == "trainable_params" else attribute
    added = (getattr(after, effect) or 0) - (getattr(before, effect) or 0)
    return added if isinstance(added, int) else 0
