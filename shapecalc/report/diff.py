"""Two reports side by side: layer aligned to layer, and what differs told once for all it touches.

Layers are aligned so that the sum of dissimilarities is least, as sequences or, where that leaves less
apart, with the branches of each merge in any order. A difference of settings is a cause and is listed; shapes
and costs that differ because of it are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from shapecalc.algebra.render import grouped
from shapecalc.layers.requirement import Shape, shown
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
        differing = [(name, left, right) for name, left, right in values if left != right]
        left_, right_ = ([*report.inputs.values()] for report in (self.left, self.right))
        if len(left_) == len(right_) == 1 and not _same_sizes(left_[0], right_[0]):
            differing.insert(0, ("input", left_[0], right_[0]))
        return differing

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
                            "lines": list(pair.left.lines) if pair.left else [],
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
    """Align in order, or with the branches of each merge in any order where that leaves less apart."""
    mine, theirs = [_Side(node) for node in left], [_Side(node) for node in right]
    found = list(_in_order(mine, theirs))
    ours, others = _nested(mine), _nested(theirs)
    if len(ours) < len(mine) and len(others) < len(theirs):
        nested = list(_Aligner().closest(ours, others))
        if _apart(nested) < _apart(found):
            found = nested
    yield from (_pair(*both) for both in found)


def _in_order(mine: Sequence[_Side], theirs: Sequence[_Side]) -> Iterator[Both]:
    aligner = _Aligner()
    if len(mine) * len(theirs) <= _LARGEST_TABLE:
        yield from aligner.closest(mine, theirs)
        return
    # Too long for a table of all pairs: what is equal in order stays together, the rest is aligned between.
    tokens = [side.token for side in mine], [side.token for side in theirs]
    for tag, a0, a1, b0, b1 in SequenceMatcher(None, *tokens, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from zip(mine[a0:a1], theirs[b0:b1], strict=True)
        elif (a1 - a0) * (b1 - b0) <= _LARGEST_TABLE:
            yield from aligner.closest(mine[a0:a1], theirs[b0:b1])
        else:
            yield from ((side, None) for side in mine[a0:a1])
            yield from ((None, side) for side in theirs[b0:b1])


class _Side:
    """A layer with the settings that it is compared by."""

    __slots__ = ("kind", "node", "settings", "token")
    size: int = 1

    def __init__(self, node: Node) -> None:
        self.node = node
        self.kind = node.kind
        self.settings = _settings(node)
        self.token: Token = (node.kind, tuple(sorted(self.settings.items())))

    @property
    def sides(self) -> Iterator[_Side]:
        """The layer itself."""
        yield self

    def setting(self, name: str) -> str:
        """Return a setting as it is shown, the default where none was chosen."""
        if name in self.settings:
            return self.settings[name]
        if name == "weights":
            return "own"
        return _written(getattr(self.node.layer, name, None))


class _Group:
    """A layer that merges branches, together with the layers of the branches."""

    __slots__ = ("branches", "merge", "size", "token")

    def __init__(self, merge: _Side, branches: list[list[_Item]]) -> None:
        self.merge = merge
        self.branches = branches
        self.size: int = 1 + sum(item.size for branch in branches for item in branch)
        self.token: Token = (merge.token, tuple(_token(branch) for branch in branches))

    @property
    def sides(self) -> Iterator[_Side]:
        """The layers, in the order in which they run."""
        for branch in self.branches:
            for item in branch:
                yield from item.sides
        yield self.merge


Token: TypeAlias = tuple[Any, ...]
_Item: TypeAlias = "_Side | _Group"
Both: TypeAlias = "tuple[_Side | None, _Side | None]"


def _token(items: Sequence[_Item]) -> Token:
    return tuple(item.token for item in items)


def _nested(sides: Sequence[_Side]) -> list[_Item]:
    """Return the layers with each merge and the layers of its branches as one."""
    found: list[tuple[str, _Item]] = []
    for side in sides:
        path = side.node.path
        start = len(found)
        while start and found[start - 1][0].startswith(f"{path}."):
            start -= 1
        branches: dict[str, list[_Item]] = {}
        for inner, item in found[start:]:
            branches.setdefault(inner[len(path) + 1 :].partition(".")[0], []).append(item)
        found[start:] = [(path, _Group(side, [*branches.values()]) if branches else side)]
    return [item for _, item in found]


def _apart(found: Sequence[Both]) -> float:
    """Return the sum of dissimilarities of an alignment."""
    return sum(_dissimilarity(one, other) if one and other else 0.5 for one, other in found)


def _written(value: Any) -> str:
    text_ = str(plain(value))
    return text_.lower() if value is None or isinstance(value, bool) else text_


def _settings(node: Node) -> dict[str, str]:
    """Return what was chosen for a layer, in terms that hold in every framework."""
    given = {
        name: _written(value)
        for name, value in node.layer.fields_set().items()
        if name not in _IN_WINDOW
        and name not in _INFERRED
        and value != type(node.layer).model_fields[name].default
    }
    if node.window is not None:
        given["window"] = window_text(node.window)
    if node.weights:
        given["bias"] = str(any(name.endswith(("bias", "beta")) for name in node.weights)).lower()
    if node.shares is not None and node.weights:
        given["weights"] = "shared"
    return given


class _Aligner:
    """Aligns sequences so that the sum of dissimilarities is least; a layer left over costs 1/2."""

    def __init__(self) -> None:
        self.known: dict[tuple[Token, Token], float] = {}

    def cost(self, one: _Item, other: _Item) -> float:
        """Return how dissimilar two layers are, or two merges with all their branches."""
        if isinstance(one, _Side) and isinstance(other, _Side):
            return _dissimilarity(one, other)
        if isinstance(one, _Side) or isinstance(other, _Side):
            return 0.5 * (one.size + other.size) + 1  # more than to leave both over
        if one.token == other.token:
            return 0.0
        key = (one.token, other.token)
        if key not in self.known:
            self.known[key] = _apart([*self.both(one, other)])
        return self.known[key]

    def both(self, one: _Item, other: _Item) -> Iterator[Both]:
        """Yield the layers of two that stand for each other."""
        if isinstance(one, _Side) or isinstance(other, _Side):
            yield from zip(one.sides, other.sides, strict=True)
            return
        partners = self.partners(one, other)
        for number, branch in enumerate(one.branches):
            yield from self.closest(branch, other.branches[partners[number]] if number in partners else [])
        for number, branch in enumerate(other.branches):
            if number not in partners.values():
                yield from self.closest([], branch)
        yield one.merge, other.merge

    def partners(self, one: _Group, other: _Group) -> dict[int, int]:
        """Return for the branches of one merge the branches of the other, the most alike first."""
        gains: list[tuple[float, int, int, int]] = []
        for number, branch in enumerate(one.branches):
            for place, candidate in enumerate(other.branches):
                alone = 0.5 * sum(item.size for item in (*branch, *candidate))
                key = (_token(branch), _token(candidate))
                if key not in self.known:
                    self.known[key] = _apart([*self.closest(branch, candidate)])
                gains.append((self.known[key] - alone, abs(number - place), number, place))
        found: dict[int, int] = {}
        for gain, _, number, place in sorted(gains):
            if gain < 0 and number not in found and place not in found.values():
                found[number] = place
        return found

    def closest(self, left: Sequence[_Item], right: Sequence[_Item]) -> Iterator[Both]:
        """Yield the alignment of two sequences that leaves least apart."""
        rows, columns = len(left) + 1, len(right) + 1
        cost = [[0.0] * columns for _ in range(rows)]
        for row, one in enumerate(left, start=1):
            cost[row][0] = cost[row - 1][0] + 0.5 * one.size
        for column, other in enumerate(right, start=1):
            cost[0][column] = cost[0][column - 1] + 0.5 * other.size
        for row, one in enumerate(left, start=1):
            above, here = cost[row - 1], cost[row]
            for column, other in enumerate(right, start=1):
                apart = 0.02 * abs(row / rows - column / columns)  # of equals, what stands at the same depth
                both = above[column - 1] + self.cost(one, other) + apart
                here[column] = min(above[column] + 0.5 * one.size, here[column - 1] + 0.5 * other.size, both)
        yield from self.traced(left, right, cost)

    def traced(
        self, left: Sequence[_Item], right: Sequence[_Item], cost: list[list[float]]
    ) -> Iterator[Both]:
        """Yield the alignment that a table of costs tells, which is read backwards."""
        row, column = len(left), len(right)
        backwards: list[tuple[_Item | None, _Item | None]] = []
        while row or column:
            here = cost[row][column]
            if row and here == cost[row - 1][column] + 0.5 * left[row - 1].size:
                row -= 1
                backwards.append((left[row], None))
            elif column and here == cost[row][column - 1] + 0.5 * right[column - 1].size:
                column -= 1
                backwards.append((None, right[column]))
            else:
                row, column = row - 1, column - 1
                backwards.append((left[row], right[column]))
        for one, other in reversed(backwards):
            if one is None:
                assert other is not None
                yield from ((None, side) for side in other.sides)
            elif other is None:
                yield from ((side, None) for side in one.sides)
            else:
                yield from self.both(one, other)


_ALIKE = ({"add", "concat", "multiply"}, {"relu", "tanh", "sigmoid", "relu6"})


def _dissimilarity(left: _Side, right: _Side) -> float:
    if left.token == right.token:
        return 0.0
    if left.kind != right.kind:
        words = set(left.kind.split("_")) & set(right.kind.split("_"))
        alike = words or any(left.kind in family and right.kind in family for family in _ALIKE)
        return 0.75 if alike else 2.0
    names = left.settings.keys() | right.settings.keys()
    different = sum(left.setting(name) != right.setting(name) for name in names)
    return 0.6 * different / len(names)


def _pair(left: _Side | None, right: _Side | None) -> Pair:
    if left is None or right is None:
        return Pair(left.node if left else None, right.node if right else None)
    if left.kind != right.kind:
        return Pair(left.node, right.node, (("kind", left.kind, right.kind),))
    changes = tuple(
        (name, left.setting(name), right.setting(name))
        for name in sorted(left.settings.keys() | right.settings.keys())
        if left.setting(name) != right.setting(name)
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
    return not _same_sizes(pair.left.output, pair.right.output) or pair.left.params != pair.right.params


def _same_sizes(one: Shape, other: Shape) -> bool:
    """Say whether two shapes have the same sizes, wherever a framework keeps its channels."""
    return sorted(map(str, one)) == sorted(map(str, other))


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
    if not node.lines:
        return node.path
    line, *calls = node.lines
    called = f", called in {' and '.join(map(str, calls))}" if calls else ""
    return f"{node.path} (line {line}{called})"


def _shown(value: Any) -> str:
    return shown(value) if isinstance(value, tuple) else grouped(value)
