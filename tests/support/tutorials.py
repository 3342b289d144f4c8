"""The tutorials' networks as text, and corrections told by the lines of the tutorial."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from shapecalc.spec.find import bundled


def file_of(name: str) -> Path:
    return bundled()[f"tutorials/{name}"]


@cache
def text_of(name: str) -> str:
    return file_of(name).read_text("utf-8")


ORIGIN = re.compile(r" # l\.(?P<lines>\d[\d, -]*)$")


def origins(line: str) -> list[int]:
    """Return the lines of the tutorial that a line of a spec stands for."""
    found = ORIGIN.search(line)
    return [int(number) for number in re.findall(r"\d+", found["lines"])] if found else []


class Edit(NamedTuple):
    """On a line of the tutorial, one text for another; `old` is empty where the whole step goes."""

    line: int
    old: str = ""
    new: str = ""

    def __call__(self, text: str) -> str:
        lines = text.split("\n")
        for start in (index for index, line in enumerate(lines) if self.line in origins(line)):
            end = start + 1
            while (
                end < len(lines) and not re.match(r" *- | *\w+:$|$", lines[end]) and not origins(lines[end])
            ):
                end += 1
            step = "\n".join(lines[start:end])
            if self.old in step:
                changed = [step.replace(self.old, self.new, 1)] if self.old else []
                return "\n".join([*lines[:start], *changed, *lines[end:]])
        raise AssertionError(f"line {self.line} has no {self.old!r}")


def edited(name: str, edits: Iterable[Edit]) -> str:
    text = text_of(name)
    for edit in edits:
        text = edit(text)
    return text


MENDED_TORCH_V3: dict[str, list[Edit]] = {
    "3P1": [Edit(1738, "in_channels: 288", "in_channels: 192")],
    "3P2": [Edit(1739, "in_channels: 288", "in_channels: 256")],
    "3P3": [Edit(1553, "padding: 0", "padding: 1")],
    "3P4": [Edit(1659, "stride: 1", "stride: 2")],
    "3P5": [Edit(1517, "kernel_size: 3", "kernel_size: 1")],
    "3P6": [Edit(1686, "stride: 2", "stride: 1")],
    "3P7": [
        Edit(1628, "padding: [0, 1]", "padding: [1, 0]"),
        Edit(1629, "padding: [1, 0]", "padding: [0, 1]"),
    ],
    "3P8": [
        Edit(1584, "padding: [0, 3]", "padding: [3, 0]"),
        Edit(1585, "padding: [3, 0]", "padding: [0, 3]"),
        Edit(1586, "padding: [0, 3]", "padding: [3, 0]"),
        Edit(1587, "padding: [3, 0]", "padding: [0, 3]"),
    ],
    "3P9": [Edit(1624, "padding: 1", "padding: 0"), Edit(1625, "padding: 0", "padding: 1")],
    "3P10": [Edit(1782, "name: avgpool", "name: avgpool\n  - flatten")],
    "3P11 head": [Edit(1757), Edit(1785)],
    "3P11 aux": [Edit(1710), Edit(1724), Edit(1711, "in_features: 1024", "in_features: 768")],
    "3K3": [Edit(1549, "kernel_size: 3, stride: 1, padding: 1", "kernel_size: 5, stride: 1, padding: 2")],
    "3K6": [Edit(1501, "padding: padding", "padding: padding, bias: false")],
}
"""The edits that undo each mistake of the printed Inception-v3 which shapes, parameters or MACs can show."""
NEEDED_TO_RUN = ["3P1", "3P3", "3P2", "3P4", "3P5", "3P6", "3P7", "3P10"]

SAME_POOL = "{kernel_size: 3, stride: 1, padding: same}"
MENDED_KERAS_V4: dict[str, list[Edit]] = {
    "4K1": [Edit(1816, "padding: s}", "padding: valid}")],
    "4K3": [Edit(1828, "filter_size: 3}", "filter_size: 3, padding: valid}")],
    "4K4": [Edit(1835, "filter_size: 3,", "filter_size: 3, strides: 2,"), Edit(1836, "same", "valid")],
    "4K7": [Edit(1872, ", strides: 2", "")],
    "4K9": [Edit(line, "{kernel_size: 3}", SAME_POOL) for line in (1877, 1898, 1921)],
}
"""The edits without which the printed Inception-v4 does not run."""
