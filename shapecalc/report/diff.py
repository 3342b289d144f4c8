"""Two reports side by side: layer aligned to layer, and what differs told once for all it touches.

Layers are aligned as sequences, first where kind and settings agree, then, in the stretches between,
so that the sum of dissimilarities is least. A difference of settings is a cause and is listed; shapes
and costs that differ because of it are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from shapecalc.algebra.render import grouped
from shapecalc.layers.requirement import shown
from shapecalc.report.data import Node, Report
from shapecalc.report.outline import window_text
from shapecalc.spec.write import plain

_IN_WINDOW = {"kernel_size", "stride", "padding", "dilation", "output_padding", "padding_mode"}
_INFERRED = {"in_channels", "in_features", "num_features", "num_channels", "branches", "bias", "inplace"}
_LARGEST_TABLE = 400_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers that stand for each other, or one that the other network lacks."""

    left: Node | None
    right: Node | None
    changes: tuple[tuple[str, str, str], ...] = ()
    """What differs in the settings: a name, the left value and the right value."""

    @property
    def is_cause(self) -> bool:
        """Whether the layers themselves differ, rather than what arrives at them."""
        return bool(self.changes) or self.left is None or self.right is None


@dataclass(slots=True)
class Difference:
    """One difference and every pair of layers that it touches."""

    what: str
    pairs: list[Pair] = field(default_factory=list)


@dataclass(slots=True)
class Comparison:
    """The result of comparing two reports."""

    left: Report
    right: Report
    pairs: list[Pair]

    @property
    def differences(self) -> list[Difference]:
        """The causes, in the order in which they are met, equal ones together."""
        found: dict[str, Difference] = {}
        for pair in self.pairs:
            if pair.is_cause:
                what = _what(pair)
                found.setdefault(what, Difference(what)).pairs.append(pair)
        return list(found.values())

    @property
    def totals(self) -> list[tuple[str, Any, Any]]:
        """The totals that differ: a name, the left value and the right value."""
        names = ("output", "params", "trainable_params", "buffer_count", "macs", "bytes")
        values = [(name, getattr(self.left, name), getattr(self.right, name)) for name in names]
        return [(name, left, right) for name, left, right in values if left != right]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs, neither a layer nor a shape nor a total."""
        return not self.totals and not any(pair.is_cause or _touched(pair) for pair in self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data for JSON."""
        return {
            "left": self.left.name,
            "right": self.right.name,
            "equal": self.is_equal,
            "totals": {name: [plain(left), plain(right)] for name, left, right in self.totals},
            "differences": [
                {
                    "what": one.what,
                    "count": len(one.pairs),
                    "layers": [
                        {
                            "left": pair.left.path if pair.left else None,
                            "right": pair.right.path if pair.right else None,
                            "line": pair.left.place.line if pair.left else None,
                        }
                        for pair in one.pairs
                    ],
                }
                for one in self.differences
            ],
            "touched": sum(_touched(pair) for pair in self.pairs),
        }

    def __str__(self) -> str:
        return text(self)


def compare(left: Report, right: Report) -> Comparison:
    """Return what differs between two networks."""
    return Comparison(left, right, list(_aligned(left.nodes, right.nodes)))


def _aligned(left: Sequence[Node], right: Sequence[Node]) -> Iterator[Pair]:
    mine, theirs = [_Side(node) for node in left], [_Side(node) for node in right]
    if len(mine) * len(theirs) <= _LARGEST_TABLE:
        yield from _closest(mine, theirs)
        return
    # Too long for a table of all pairs: what is equal in order stays together, the rest is aligned between.
    tokens = [side.token for side in mine], [side.token for side in theirs]
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, *tokens, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (_pair(a, b) for a, b in zip(mine[a0:a1], theirs[b0:b1], strict=True))
        elif (a1 - a0) * (b1 - b0) <= _LARGEST_TABLE:
            yield from _closest(mine[a0:a1], theirs[b0:b1])
        else:
            yield from (Pair(side.node, None) for side in mine[a0:a1])
            yield from (Pair(None, side.node) for side in theirs[b0:b1])


class _Side:
    """A layer with the settings that it is compared by."""

    __slots__ = ("kind", "node", "settings", "token")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.kind = node.kind
        self.settings = _settings(node)
        self.token = (node.kind, tuple(sorted(self.settings.items())))

    def setting(self, name: str) -> str:
        """Return a setting as it is shown, the default where none was chosen."""
        if name in self.settings:
            return self.settings[name]
        if name == "weights":
            return "own"
        return str(plain(getattr(self.node.layer, name, None))).lower()


def _settings(node: Node) -> dict[str, str]:
    """Return what was chosen for a layer, in terms that hold in every framework."""
    given = {
        name: str(plain(value))
        for name, value in node.layer.fields_set().items()
        if name not in _IN_WINDOW
        and name not in _INFERRED
        and value != type(node.layer).model_fields[name].default
    }
    if node.window is not None:
        given["window"] = window_text(node.window)
    if node.weights:
        given["bias"] = str(any(name.endswith("bias") for name in node.weights)).lower()
    if node.shares is not None and node.weights:
        given["weights"] = "shared"
    return given


def _closest(left: Sequence[_Side], right: Sequence[_Side]) -> Iterator[Pair]:
    """Align two sequences so that the sum of dissimilarities is least; a layer left over costs 1/2."""
    rows, columns = len(left) + 1, len(right) + 1
    cost = [[0.5 * (row + column) for column in range(columns)] for row in range(rows)]
    for row, one in enumerate(left, start=1):
        above, here = cost[row - 1], cost[row]
        for column, other in enumerate(right, start=1):
            apart = 0.02 * abs(row / rows - column / columns)  # of equals, what stands at the same depth
            both = above[column - 1] + _dissimilarity(one, other) + apart
            here[column] = min(above[column] + 0.5, here[column - 1] + 0.5, both)
    row, column = len(left), len(right)
    backwards: list[Pair] = []
    while row or column:
        here_ = cost[row][column]
        if row and here_ == cost[row - 1][column] + 0.5:
            row -= 1
            backwards.append(Pair(left[row].node, None))
        elif column and here_ == cost[row][column - 1] + 0.5:
            column -= 1
            backwards.append(Pair(None, right[column].node))
        else:
            row, column = row - 1, column - 1
            backwards.append(_pair(left[row], right[column]))
    yield from reversed(backwards)


_ALIKE = ({"add", "concat", "multiply"}, {"relu", "tanh", "sigmoid", "relu6"})


def _dissimilarity(left: _Side, right: _Side) -> float:
    if left.token == right.token:
        return 0.0
    if left.kind != right.kind:
        words = set(left.kind.split("_")) & set(right.kind.split("_"))
        alike = words or any(left.kind in family and right.kind in family for family in _ALIKE)
        return 0.75 if alike else 2.0
    names = left.settings.keys() | right.settings.keys()
    different = sum(left.settings.get(name) != right.settings.get(name) for name in names)
    return 0.6 * different / len(names)


def _pair(left: _Side, right: _Side) -> Pair:
    if left.kind != right.kind:
        return Pair(left.node, right.node, (("kind", left.kind, right.kind),))
    changes = tuple(
        (name, left.setting(name), right.setting(name))
        for name in sorted(left.settings.keys() | right.settings.keys())
        if left.settings.get(name) != right.settings.get(name)
    )
    return Pair(left.node, right.node, changes)


def _what(pair: Pair) -> str:
    if pair.left is None:
        assert pair.right is not None
        return f"only right: {_named(pair.right)}"
    if pair.right is None:
        return f"only left: {_named(pair.left)}"
    changes = ", ".join(f"{name} {left} | {right}" for name, left, right in pair.changes)
    return changes if pair.changes[0][0] == "kind" else f"{pair.left.kind}: {changes}"


def _named(node: Node) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in _settings(node).items() if name != "bias")
    return f"{node.kind} ({settings})" if settings else node.kind


def _touched(pair: Pair) -> bool:
    """Say whether the results of two layers differ."""
    if pair.left is None or pair.right is None:
        return False
    return sorted(map(str, pair.left.output)) != sorted(map(str, pair.right.output)) or (
        pair.left.params != pair.right.params
    )


def text(comparison: Comparison, most: int = 3) -> str:
    """Return the comparison for a terminal: totals, then each difference with where it is met."""
    if comparison.is_equal:
        return _equal(comparison)
    parts = [_totals(comparison, "simple"), "", f"What differs ({_names(comparison)}):"]
    for one in comparison.differences:
        times = f"  ×{len(one.pairs)}" if len(one.pairs) > 1 else ""
        parts += [f"  {one.what}{times}", f"      {_places(one, most)}"]
    return "\n".join([*parts, "", _effect(comparison)])


def markdown(comparison: Comparison, most: int = 3) -> str:
    """Return the comparison as Markdown."""
    from tabulate import tabulate

    if comparison.is_equal:
        return _equal(comparison)
    rows = [
        (one.what.replace("|", "→"), len(one.pairs), _places(one, most)) for one in comparison.differences
    ]
    table = tabulate(rows, headers=["Difference", "Layers", "Where"], tablefmt="pipe", disable_numparse=True)
    return "\n\n".join([_totals(comparison, "pipe"), table, _effect(comparison)])


def _names(comparison: Comparison) -> str:
    return f"{comparison.left.name} | {comparison.right.name}"


def _equal(comparison: Comparison) -> str:
    left, right = comparison.left, comparison.right
    return (
        f"{left.name} and {right.name} do not differ: {len(left.nodes)} layers, output {shown(left.output)}"
    )


def _totals(comparison: Comparison, form: str) -> str:
    from tabulate import tabulate

    rows = [(name.replace("_", " "), _shown(one), _shown(other)) for name, one, other in comparison.totals]
    return tabulate(
        rows or [("every total", "the same", "the same")],
        headers=["", comparison.left.name, comparison.right.name],
        tablefmt=form,
        colalign=("left", "right", "right"),
        disable_numparse=True,
    )


def _places(difference: Difference, most: int) -> str:
    places = [_where(pair) for pair in difference.pairs[:most]]
    more = len(difference.pairs) - most
    return "; ".join(places) + (f" and {more} more" if more > 0 else "")


def _effect(comparison: Comparison) -> str:
    touched = sum(_touched(pair) for pair in comparison.pairs)
    return f"Results or weights differ at {touched} of {len(comparison.pairs)} aligned layers."


def _where(pair: Pair) -> str:
    node = pair.left or pair.right
    assert node is not None
    line = f" (line {node.place.line})" if node.place.line else ""
    return f"{node.path}{line}"


def _shown(value: Any) -> str:
    return shown(value) if isinstance(value, tuple) else grouped(value)
