"""The law of closed forms: numbers put in afterwards are the numbers of a inference with those numbers.

Where the number of passes of a repeat is free, one node stands for many, and is compared with each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapecalc import Model, Node, Report, ShapeError, SpecError
from shapecalc.algebra import Dim, Expr
from shapecalc.engine.loops import COVERED
from shapecalc.testing import holds, put_in

PER_PASS = ("inputs", "outputs", "weights", "buffers")
TOTALS = ("params", "trainable_params", "buffer_count", "macs", "flops", "conditions")


def compare(model: Model, symbolic: Report, numbers: Mapping[str, int]) -> bool:
    """Assert that a symbolic report is true at these numbers; return whether it says anything of them."""
    given: dict[str, Any] = {"batch": 1, **numbers}
    broken = [one for one in symbolic.conditions if not holds(one.requirement, numbers)]
    try:
        numeric = model.analyze(**given)
    except (ShapeError, SpecError) as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert broken, f"refused at {numbers} ({refused}), but no condition says so"
        return False
    if broken:
        told = [str(one) for one in broken]
        assert COVERED in {one.requirement.code for one in broken}, f"accepted at {numbers} against {told}"
        return False
    compare_nodes(symbolic, numeric, numbers)
    assert put_in(symbolic.outputs, numbers) == numeric.outputs
    for name in TOTALS[:-1]:
        assert put_in(getattr(symbolic, name), numbers) == getattr(numeric, name), name
    return True


def compare_nodes(symbolic: Report, numeric: Report, numbers: Mapping[str, int]) -> None:
    """Assert that every layer of a inference with numbers is told by a layer of the symbolic one, and costs as told."""
    known = {node.path: node for node in numeric.nodes}
    told: set[str] = set()
    for node in symbolic.nodes:
        costs: dict[str, int | None] = dict.fromkeys(("params", "trainable_params", "macs", "bytes"), 0)
        for path, indices in passes(node, numbers):
            one = known[path]
            told.add(path)
            for name in PER_PASS:
                assert put_in(getattr(node, name), indices) == getattr(one, name), f"{path}: {name}"
            for name, cost in costs.items():
                more = getattr(one, name)
                costs[name] = None if cost is None or more is None else cost + more
        for name, cost in costs.items():
            found = put_in(getattr(node, name), numbers)
            assert found == cost or (found is None and cost in {None, 0}), f"{node.path}: {name}"
    assert told == {*known}


def passes(node: Node, numbers: Mapping[str, int]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the path of every pass that a node stands for, with the numbers that are true of it."""
    found: list[tuple[list[str], dict[str, int]]] = [(node.path.split("."), dict(numbers))]
    for loop in node.loops:
        depth = loop.path.count(".")
        found = [
            ([*parts[:depth], str(index), *parts[depth + 1 :]], {**known, loop.index: index})
            for parts, known in found
            for index in range(loop.first, number(loop.last, known) + 1)
        ]
    for parts, known in found:
        yield ".".join(parts), known


def number(value: Dim, numbers: Mapping[str, int]) -> int:
    """Return a size with numbers put in, which must be a number then."""
    found = value.subs(numbers) if isinstance(value, Expr) else value
    assert isinstance(found, int)
    return found
