"""Two networks laid side by side: which layer of the one stands for which of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.roles import Holds, Implementation, WindowField, fields_with, inferred, roles
from shapecalc.layers.spatial import OverAxes
from shapecalc.report.node import Node
from shapecalc.report.outline import window_text
from shapecalc.spec.write import plain

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


def aligned(left: Sequence[Node], right: Sequence[Node]) -> Iterator[Pair]:
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
        self.settings = settings_of(node)
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


def _for_all_axes(layer: Kind, value: Any) -> Any:
    """Return one value in place of a list that says the same of every axis."""
    if not isinstance(value, tuple) or not value or isinstance(value[0], tuple):
        return value
    alike = len(value) == 1 or (isinstance(layer, OverAxes) and len(value) == layer.rank)
    return value[0] if alike and len(set(value)) == 1 else value


def chosen(layer: Kind, inputs: Shapes) -> dict[str, Any]:
    """Return the fields that were chosen: neither their defaults, nor what is inferred anyway."""
    follows = inferred(layer, inputs)
    found: dict[str, Any] = {}
    for name, value in layer.fields_set().items():
        alike = _for_all_axes(layer, value)
        if name in follows and alike == _for_all_axes(layer, follows[name]):
            continue
        if isinstance(value, Kind):
            found[name] = {value.kind: chosen(value, inputs) or None}
        elif value != type(layer).model_fields[name].default and not _is_neutral(layer, name):
            found[name] = alike
    return found


def _is_neutral(layer: Kind, name: str) -> bool:
    """Say whether a field says nothing of the result: how it is computed, or the branches of a merge."""
    return isinstance(roles(type(layer)).get(name), (Holds, Implementation))


def _written(value: Any) -> str:
    text_ = str(plain(value))
    return text_.lower() if value is None or isinstance(value, bool) else text_


def settings_of(node: Node) -> dict[str, str]:
    """Return what was chosen for a layer, in terms that hold in every framework."""
    given = {name: _written(value) for name, value in chosen(node.layer, node.inputs).items()}
    if node.window is not None:
        shown = fields_with(type(node.layer), WindowField)
        given = {name: text for name, text in given.items() if name not in shown or not shown[name].is_shown}
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
