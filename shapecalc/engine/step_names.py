"""What unnamed steps are called, and the groups that dotted names make."""

from __future__ import annotations

from shapecalc.engine.graph import Group
from shapecalc.engine.graph_builder import GraphBuilder
from shapecalc.layers.base import Kind
from shapecalc.spec.tree import Call, Sequential, Side, Step, Unread


def automatic_name(step: Step, taken: dict[str, int]) -> str:
    """Return `conv2d`, `conv2d_2`, … for unnamed steps, passing over names that were given."""
    label = label_of(step)
    while True:
        taken[label] = taken.get(label, 0) + 1
        key = label if taken[label] == 1 else f"{label}_{taken[label]}"
        if key == label or key not in taken:
            return key


def label_of(step: Step) -> str:
    """Return what an unnamed step is called after: its kind, its block, or the step that it shares."""
    body = step.body
    if isinstance(body, Kind):
        return body.kind
    if isinstance(body, Call):
        return body.callee
    if isinstance(body, Unread):
        return body.label
    if isinstance(body, Sequential):
        return "side" if isinstance(body, Side) else "sequential"
    names = [part for part in (step.share or "").split(".") if not part.isdigit()]
    return names[-1] if names else "share"


class DottedGroups:
    """The groups that dotted names make: `layer1.0.conv1` is in `layer1.0`, and that in `layer1`."""

    def __init__(self, builder: GraphBuilder, prefix: str) -> None:
        self.builder = builder
        self.prefix = prefix
        self.open: list[tuple[str, Group]] = []

    def enter(self, name: str) -> None:
        """Close the groups that a step's name is not in, and open those that it is."""
        if not self.open and "." not in name:
            return
        parents = name.split(".")[:-1]
        shared = 0
        while shared < min(len(parents), len(self.open)) and self.open[shared][0] == parents[shared]:
            shared += 1
        while len(self.open) > shared:
            self.builder.close(self.open.pop()[1])
        for number in range(shared, len(parents)):
            path = self.prefix + ".".join(parents[: number + 1])
            group = self.builder.open(path, "")
            group.is_dotted = True
            self.open.append((parents[number], group))
