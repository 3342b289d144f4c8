"""Write `docs/mistakes.md`: what `check` and `diff` say of each mistake of the tutorials' networks.

Run it after changing what they say or `tests/diagnostics/mistakes.yaml`: `python tools/mistakes.py`.
A test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import shapecalc
from shapecalc import Diagnostic, Model
from shapecalc.report.comparison import Comparison, compare
from tests.support.tutorials import (
    MENDED_KERAS_V4,
    MENDED_TORCH_V3,
    NEEDED_TO_RUN,
    edited,
    origins,
    text_of,
)

DOCUMENT = ROOT / "docs" / "mistakes.md"
MENDED = MENDED_TORCH_V3 | MENDED_KERAS_V4
TO_RUN = {"torch_inception_v3": NEEDED_TO_RUN, "keras_inception_v4": [*MENDED_KERAS_V4]}


class Found(NamedTuple):
    """What a command says of a mistake."""

    command: str
    says: str
    path: str
    line: int | None
    """The line of the tutorial of the place that it names."""


@cache
def table() -> dict[str, Any]:
    """Return the facts."""
    data: dict[str, Any] = yaml.safe_load(
        (ROOT / "tests" / "diagnostics" / "mistakes.yaml").read_text(encoding="utf-8")
    )
    return data


def rows() -> list[dict[str, Any]]:
    """Return one mapping for each mistake."""
    listed: list[dict[str, Any]] = table()["mistakes"]
    return listed


@cache
def model(spec: str, after: tuple[str, ...]) -> tuple[str, Model]:
    """Return the text and the model of a spec in which some mistakes are fixed."""
    text = edited(spec, [edit for name in after for edit in MENDED[name]]) if after else text_of(spec)
    return text, shapecalc.loads(text)


@cache
def diagnostics(spec: str, after: tuple[str, ...]) -> tuple[str, list[Diagnostic]]:
    """Return the text of a spec in which some mistakes are fixed, and what `check` reports of it."""
    text, checked = model(spec, after)
    return text, checked.check()


@cache
def comparison(
    spec: str,
    after: tuple[str, ...],
    against: str,
    given: tuple[tuple[str, int], ...],
    right: tuple[tuple[str, int], ...],
    shape: tuple[int, ...] | None,
) -> Comparison:
    """Return a tutorial's network beside a published one."""
    mine: dict[str, Any] = {"input": shape, **dict(given)}
    theirs = mine | dict(right)
    return compare(model(spec, after)[1].analyze(**mine), shapecalc.load(against).analyze(**theirs))


def printed(text: str, line: int | None) -> tuple[int, ...]:
    """Return the tutorial's lines of a line of a spec, or the step that it is part of."""
    lines = text.split("\n")
    for number in range(line or 0, 0, -1):
        if found := origins(lines[number - 1]):
            return tuple(found)
    return ()


def by_check(row: dict[str, Any]) -> Found | None:
    """Return what `check` says of a mistake, or None where it is silent."""
    after = row.get("after", [])
    code, path, line, words = row["check"]
    text, reported = diagnostics(row["spec"], tuple(TO_RUN[row["spec"]] if after == "run" else after))
    for one in reported:
        lines = printed(text, one.place.line)
        if one.code == code and path in one.paths and words in one.message and line in lines:
            return Found(f"check tutorials/{row['spec']}", f"{one.code}: {one.message}", path, line)
    return None


def by_diff(row: dict[str, Any]) -> Found | None:
    """Return what `diff` says of a mistake, or None where it is silent."""
    spec = row["spec"]
    words, path, line, against = [*row["diff"], table()["published"][spec]][:4]
    after = tuple(name for name in TO_RUN.get(spec, ()) if name != row.get("kept"))
    text, _ = model(spec, after)
    given, right = (tuple(row.get(key, {}).items()) for key in ("set", "right"))
    words_of_shape = row.get("input")
    command = " ".join(
        [
            f"diff tutorials/{spec} {against}",
            *([f"--input {words_of_shape}"] if words_of_shape else []),
            *(f"--set {name}={size}" for name, size in given),
            *(f"--set-right {name}={size}" for name, size in right),
        ]
    )
    shape = tuple(map(int, words_of_shape.split("x"))) if words_of_shape else None
    found = comparison(spec, after, against, given, right, shape)
    if path is None:
        for name, left, right in found.totals:
            if name == words:
                return Found(command, f"{name} {shown(left)} | {shown(right)}", "", None)
        return None
    for one in found.differences:
        for pair in one.pairs if words in one.what else ():
            node = pair.left or pair.right
            assert node is not None
            lines = tuple(of for at in node.lines for of in printed(text, at)) if pair.left else ()
            if node.path == path and (line in lines or (line is None and pair.left is None)):
                return Found(command, one.what, path, line)
    return None


def shown(shape: tuple[Any, ...]) -> str:
    """Return a shape as it is shown."""
    return "x".join(map(str, shape))


def found(row: dict[str, Any]) -> Iterator[Found]:
    """Yield what each command says of a mistake."""
    for name, command in (("check", by_check), ("diff", by_diff)):
        if name in row and (said := command(row)):
            yield said


def count(mark: str, command: str) -> str:
    """Return how many mistakes of a mark a command finds, of how many."""
    marked = [row for row in rows() if mark in row["marks"]]
    return f"{sum(command in row for row in marked)} of {len(marked)}"


def document() -> str:
    """Return the page."""
    lines = []
    for row in rows():
        says = [
            f"`{one.command}`: {one.says.replace('|', '→')}"
            + (f" — in `{one.path}`" if one.path else "")
            + (f", {'s2:' if row['spec'].startswith('fashion_') else 'l.'}{one.line}" if one.line else "")
            for one in found(row)
        ]
        if after := row.get("after"):
            says = [
                f"(after {', '.join(TO_RUN[row['spec']] if after == 'run' else after)}) {one}" for one in says
            ]
        if why := row.get("why"):
            reach = "of no effect on shapes" if says else "out of reach"
            says.insert(0, f"{reach}: {why}")
        lines.append(
            f"| {row['id']} | {row['lines']} | {row['marks']} | {row['wrong']} | {'<br>'.join(says)} |"
        )
    head = HEAD.format(total=len(rows()), shapes=count("S", "check"), published=count("P", "diff"))
    return "\n".join([head, *lines, ""])


HEAD = """\
# The mistakes of two tutorials, and what finds them

Of {total} mistakes in the networks of [two tutorials](tutorials.md), as printed and as described, **`check`
finds {shapes} that shapes reveal (S) and `diff` finds {published} that a comparison with the published
network reveals (P)**. C are those that neither shapes nor costs can show: Python's own, names, prose, and
what changes no number; some of these are reported all the same. This page is written by `tools/mistakes.py`
from what the commands say.

Lines are those of the tutorial (`s2:` the second one). Where an earlier mistake stops the network, those
named as "after" are fixed first; `diff` of Inception-v3 in PyTorch is made with all fixed that prevent it
from running.

| Id | Lines | Mark | Mistake | What is said |
|---|---|---|---|---|"""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
