"""The quick tier runs a slice of what takes long, and all of what is named."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.tiers import split


@dataclass
class Item:
    nodeid: str
    marks: tuple[tuple[str, tuple[Any, ...]], ...] = ()

    def get_closest_marker(self, name: str) -> SimpleNamespace | None:
        return next((SimpleNamespace(args=args) for own, args in self.marks if own == name), None)


def run(items: list[Item], *named: str) -> list[str]:
    kept, left_out = split(cast("list[pytest.Item]", items), named)
    assert sorted(item.nodeid for item in [*kept, *left_out]) == sorted(item.nodeid for item in items)
    return [item.nodeid for item in kept]


PLAIN = Item("a.py::test_plain")
SLOW = Item("a.py::test_slow", (("ci", ()),))
SAMPLED = [Item(f"a.py::test_kinds[{number}]", (("sample", (3,)),)) for number in range(10)]


def test_a_slice_runs_and_it_is_the_same_each_time() -> None:
    kept = run([PLAIN, SLOW, *SAMPLED])
    assert kept[0] == "a.py::test_plain"
    assert len(kept) == 4
    assert [*sorted(kept[1:])] == sorted(run([*SAMPLED[::-1]]))
    assert kept[1:] != [item.nodeid for item in SAMPLED[:3]]  # spread over the cases


def test_single_cases_may_be_left_to_ci() -> None:
    cases = [Item("a.py::test_pairs[0]"), Item("a.py::test_pairs[1]", (("ci", ()),))]
    assert run(cases) == ["a.py::test_pairs[0]"]
    assert run(cases, "a.py::test_pairs") == ["a.py::test_pairs[0]", "a.py::test_pairs[1]"]


def test_a_sample_larger_than_the_cases_is_all_of_them() -> None:
    assert run(SAMPLED[:2]) == [item.nodeid for item in SAMPLED[:2]]


@pytest.mark.parametrize("name", ["a.py::test_kinds", "a.py::test_kinds[7]"])
def test_what_is_named_runs(name: str) -> None:
    assert set(run([PLAIN, SLOW, *SAMPLED], name)) >= {
        item.nodeid for item in SAMPLED if item.nodeid.startswith(name)
    }
    assert run([SLOW], "a.py::test_slow") == ["a.py::test_slow"]
    assert run([SLOW], "a.py::test_slower") == []
