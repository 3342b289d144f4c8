"""The parts of the outline that dotted names make: `layer1.0.conv1` stands in `layer1.0`, in `layer1`."""

from __future__ import annotations

from shapecalc.engine.graph import Group
from shapecalc.engine.graph_builder import Recorder


class DottedGroups:
    """The parts that are open while the steps of one list run, each inside the one before it."""

    def __init__(self, record: Recorder, prefix: str) -> None:
        self.record = record
        self.prefix = prefix
        self.open: list[tuple[str, Group]] = []

    def reach(self, name: str) -> None:
        """Close the parts that a step's name is not in, and open those that it is."""
        if not self.open and "." not in name:
            return
        holders = name.split(".")[:-1]
        shared = 0
        while shared < min(len(holders), len(self.open)) and self.open[shared][0] == holders[shared]:
            shared += 1
        while len(self.open) > shared:
            self.record.close(self.open.pop()[1])
        for number in range(shared, len(holders)):
            path = self.prefix + ".".join(holders[: number + 1])
            self.open.append((holders[number], self.record.open(path, "")))
