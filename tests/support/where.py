"""Where a kind is tested: `pytest --where conv2d` lists the tests and runs none.

A test covers a kind when one of its cases is of that kind (the kind or its class is in the parameters or their
id), or when its own source names it.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from shapecalc.layers.base import Kind
from shapecalc.layers.registry import FRAMEWORKS, find, get


def classes_of(kind: str) -> list[type[Kind]]:
    """Return the classes of a kind, one a framework; raise `SpecError` with the nearest name for an unknown one."""
    found = {find(kind, framework) for framework in FRAMEWORKS}
    return [cls for cls in found if cls is not None] or [get(kind)]


def covering(items: Iterable[pytest.Item], kind: str) -> Iterator[tuple[str, str]]:
    """Return the folder and a line for each test function that covers a kind."""
    classes = classes_of(kind)
    names = "|".join({kind, *(cls.__name__ for cls in classes)})
    named = re.compile(rf"(?<![A-Za-z0-9_])(?:{names})(?![A-Za-z0-9_])")
    cases: Counter[str] = Counter()
    in_source: dict[str, bool] = {}
    for item in items:
        test = item.nodeid.partition("[")[0]
        if _is_case(item, classes, named):
            cases[test] += 1
        function = getattr(item, "function", None)
        if test not in in_source and function is not None:
            in_source[test] = bool(named.search(inspect.getsource(inspect.unwrap(function))))
        in_source.setdefault(test, bool(named.search(test)))
    for test, names_it in in_source.items():
        if cases[test] or names_it:
            number = cases[test]
            how = f"{number} case{'s' if number > 1 else ''}" if number else "in its source"
            yield _folder(test), f"{test}  ({how})"


def _is_case(item: pytest.Item, classes: list[type[Kind]], named: re.Pattern[str]) -> bool:
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return False
    if named.search(callspec.id):
        return True
    values = callspec.params.values()
    return any(getattr(value, "cls", value) is cls for value in values for cls in classes)


def _folder(test: str) -> str:
    return test.partition("::")[0].rpartition("/")[0]


def listing(items: Iterable[pytest.Item], kind: str) -> str:
    """Return the tests of a kind, folder by folder."""
    lines: list[str] = []
    folder = None
    found = sorted(covering(items, kind))
    for place, line in found:
        if place != folder:
            folder = place
            lines += ["", place or "."]
        lines.append(f"  {line}")
    return "\n".join([f"{kind}: {len(found)} tests", *lines])
