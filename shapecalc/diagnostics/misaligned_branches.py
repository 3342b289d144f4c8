"""Branches that meet with their windows centred on different pixels of the input."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.alignment import parting, tracks
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Merge
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec


def drifting_centres(spec: Spec, report: Report) -> Iterator[Diagnostic]:
    """A merge of branches that look at different places: one pads on one side what the other does not.

    Branches that move at different paces are not compared, nor is what sees everything.
    """
    inference, inputs = report.inference, [*report.inputs.values()]
    keras = spec.framework == "keras"
    known = tracks(inference, inputs, -1 if keras else 1 if inference.graph.batched else 0)
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is None or not isinstance(node.layer, Merge) or not node.layer.keeps_places:
            continue
        sources = [(known[slot], inference.shapes[slot] or ()) for slot in node.sources]
        apart: dict[tuple[int, int, Fraction, Fraction], list[str]] = {}
        for axis in range(len(effect.outputs[0])):
            for first, leader, number, track in parting(sources, effect.outputs[0], axis):
                name = _axis(
                    len(inputs[track.source[0]]),
                    track.source[1],
                    batched=inference.graph.batched,
                    keras=keras,
                )
                key = (first, number, track.first - leader.first, track.stride)
                apart.setdefault(key, []).append(name)
        for (first, number, by, stride), axes in apart.items():
            yield Diagnostic(
                "drifting-centres",
                "warning" if 2 * abs(by) >= stride else "note",
                f"{node.layer.kind}: along its {' and '.join(axes)}, branch {number + 1} is centred "
                f"{_pixels(abs(by))} of the input {'after' if by > 0 else 'before'} branch {first + 1}, "
                f"{_part(abs(by) / stride)} of their step of {stride}",
                node.place.of(node.layer.kind),
                (node.path,),
            )


def _axis(rank: int, axis: int, *, batched: bool, keras: bool) -> str:
    """Return what an axis of an input is called."""
    leading = (1 if batched else 0) + (0 if keras else 1)
    names = AXES.get(rank - (1 if batched else 0) - 1, ())
    return names[axis - leading] if 0 <= axis - leading < len(names) else f"axis {axis}"


def _pixels(count: Fraction) -> str:
    return f"{count} pixel{'' if count <= 1 else 's'}"


def _part(part: Fraction) -> str:
    return "all" if part == 1 else str(part)
