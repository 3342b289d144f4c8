"""What the quick tier runs of a test that takes long: no case of one marked `ci`, n of one marked `sample(n)`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from zlib import crc32

import pytest


def split(
    items: Iterable[pytest.Item], named: tuple[str, ...] = ()
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return what the quick tier runs and what it leaves out, both in order.

    Which cases of a sample run goes by a checksum of their ids: the same in every run, and spread over the
    list. Tests named by a node id are all run.
    """
    items = [*items]
    functions: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        functions[item.nodeid.partition("[")[0]].append(item)
    run = {item.nodeid for cases in functions.values() for item in _sample(cases)}
    run |= {item.nodeid for item in items if any(_is_named(item, name) for name in named)}
    return [item for item in items if item.nodeid in run], [item for item in items if item.nodeid not in run]


def _sample(cases: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
    """Return the cases of one function that the quick tier runs."""
    cases = [case for case in cases if case.get_closest_marker("ci") is None]
    sample = cases[0].get_closest_marker("sample") if cases else None
    return cases if sample is None else sorted(cases, key=_checksum)[: sample.args[0]]


def _checksum(item: pytest.Item) -> int:
    return crc32(item.nodeid.partition("[")[2].encode())


def _is_named(item: pytest.Item, name: str) -> bool:
    return item.nodeid == name or item.nodeid.startswith((f"{name}[", f"{name}::"))
