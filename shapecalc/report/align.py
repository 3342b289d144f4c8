"""Two networks aligned: which layer of one corresponds to which layer of the other.

An alignment is a sequence of pairs in which every layer of both networks occurs once, in order; the best has
the least sum of dissimilarities, 1/2 for a layer without a partner. It is computed as the edit distance is.
"""

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
_ALONE = 0.5
"""The dissimilarity of a layer without a partner."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two corresponding layers, or a layer that the other network lacks."""

    left: Node | None
    right: Node | None
    changes: tuple[tuple[str, str, str], ...] = ()
    """The settings that differ: a name, the left value and the right value."""

    @property
    def is_cause(self) -> bool:
        """Whether the layers themselves differ, rather than their inputs."""
        return bool(self.changes) or self.left is None or self.right is None


def aligned(left: Sequence[Node], right: Sequence[Node]) -> Iterator[Pair]:
    """Align in order, or with the branches of each merge in any order where that leaves fewer differences."""
    mine, theirs = [_Layer(node) for node in left], [_Layer(node) for node in right]
    best = [*_in_order(mine, theirs)]
    nested, others = _nested(mine), _nested(theirs)
    if len(nested) < len(mine) and len(others) < len(theirs):
        by_branch = [*_Aligner().closest(nested, others)]
        if _distance(by_branch) < _distance(best):
            best = by_branch
    yield from (_pair(*both) for both in best)


class _Layer:
    """A layer with the settings that it is compared by; a merge may hold the layers of its branches."""

    __slots__ = ("branches", "node", "own", "settings", "size", "token")

    def __init__(self, node: Node, branches: Sequence[Sequence[_Layer]] = ()) -> None:
        self.node = node
        self.branches = branches
        self.settings = settings_of(node)
        self.size: int = 1 + sum(inner.size for branch in branches for inner in branch)
        self.own: Token = (node.kind, tuple(sorted(self.settings.items())))
        self.token: Token = (self.own, *map(_token, branches)) if branches else self.own

    def layers(self) -> Iterator[_Layer]:
        """Yield the layers of the branches and the layer itself, in the order in which they run."""
        for branch in self.branches:
            for inner in branch:
                yield from inner.layers()
        yield self

    def setting(self, name: str) -> str:
        """Return a setting as it is shown, the default where none was chosen."""
        if name in self.settings:
            return self.settings[name]
        return "own" if name == "weights" else _written(getattr(self.node.layer, name, None))


Token: TypeAlias = tuple[Any, ...]
Both: TypeAlias = tuple[_Layer | None, _Layer | None]


def _token(layers: Sequence[_Layer]) -> Token:
    return tuple(layer.token for layer in layers)


def _nested(layers: Sequence[_Layer]) -> list[_Layer]:
    """Return the layers with each merge holding those of its branches."""
    outer: list[_Layer] = []
    for layer in layers:
        path = layer.node.path
        start = len(outer)
        while start and outer[start - 1].node.path.startswith(f"{path}."):
            start -= 1
        branches: dict[str, list[_Layer]] = {}
        for inner in outer[start:]:
            branches.setdefault(inner.node.path[len(path) + 1 :].partition(".")[0], []).append(inner)
        outer[start:] = [_Layer(layer.node, [*branches.values()])] if branches else [layer]
    return outer


def _in_order(mine: Sequence[_Layer], theirs: Sequence[_Layer]) -> Iterator[Both]:
    aligner = _Aligner()
    if len(mine) * len(theirs) <= _LARGEST_TABLE:
        yield from aligner.closest(mine, theirs)
        return
    # Too long for a table of all pairs: what is equal in order stays together, the rest is aligned between.
    matcher = SequenceMatcher(None, _token(mine), _token(theirs), autojunk=False)
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        if tag == "equal":
            yield from zip(mine[a0:a1], theirs[b0:b1], strict=True)
        elif (a1 - a0) * (b1 - b0) <= _LARGEST_TABLE:
            yield from aligner.closest(mine[a0:a1], theirs[b0:b1])
        else:
            yield from ((layer, None) for layer in mine[a0:a1])
            yield from ((None, layer) for layer in theirs[b0:b1])


class _Aligner:
    """Aligns sequences so that the sum of dissimilarities is least."""

    def __init__(self) -> None:
        self.known: dict[tuple[Token, Token], float] = {}

    def cost(self, left: _Layer, right: _Layer) -> float:
        """Return how dissimilar two layers are, the branches of merges included."""
        if left.token == right.token:
            return 0.0
        if bool(left.branches) != bool(right.branches):
            return _ALONE * (left.size + right.size) + 1  # more than to leave both alone
        if not left.branches:
            return _dissimilarity(left, right)
        key = (left.token, right.token)
        if key not in self.known:
            self.known[key] = _distance([*self.both(left, right)])
        return self.known[key]

    def both(self, left: _Layer, right: _Layer) -> Iterator[Both]:
        """Yield the pairs of two layers with all that their branches hold."""
        partners = self.partners(left, right)
        for number, branch in enumerate(left.branches):
            yield from self.closest(branch, right.branches[partners[number]] if number in partners else [])
        for number, branch in enumerate(right.branches):
            if number not in partners.values():
                yield from self.closest([], branch)
        yield left, right

    def partners(self, left: _Layer, right: _Layer) -> dict[int, int]:
        """Return for the branches of one merge the branches of the other, the most alike first."""
        gains: list[tuple[float, int, int, int]] = []
        for number, branch in enumerate(left.branches):
            for position, candidate in enumerate(right.branches):
                key = (_token(branch), _token(candidate))
                if key not in self.known:
                    self.known[key] = _distance([*self.closest(branch, candidate)])
                gain = self.known[key] - _ALONE * sum(layer.size for layer in (*branch, *candidate))
                gains.append((gain, abs(number - position), number, position))
        partners: dict[int, int] = {}
        for gain, _, number, position in sorted(gains):
            if gain < 0 and number not in partners and position not in partners.values():
                partners[number] = position
        return partners

    def closest(self, left: Sequence[_Layer], right: Sequence[_Layer]) -> Iterator[Both]:
        """Yield the best alignment of two sequences, from the least costs of all their beginnings."""
        rows, columns = len(left) + 1, len(right) + 1
        cost = [[0.0] * columns for _ in range(rows)]
        for row, mine in enumerate(left, start=1):
            cost[row][0] = cost[row - 1][0] + _ALONE * mine.size
        for column, other in enumerate(right, start=1):
            cost[0][column] = cost[0][column - 1] + _ALONE * other.size
        for row, mine in enumerate(left, start=1):
            above, here = cost[row - 1], cost[row]
            for column, other in enumerate(right, start=1):
                apart = 0.02 * abs(row / rows - column / columns)  # of equal ones, those at the same depth
                both = above[column - 1] + self.cost(mine, other) + apart
                here[column] = min(
                    above[column] + _ALONE * mine.size, here[column - 1] + _ALONE * other.size, both
                )
        for mine_, other_ in reversed([*_backwards(left, right, cost)]):
            if mine_ is not None and other_ is not None:
                yield from self.both(mine_, other_)
            else:
                yield from ((layer, None) for layer in (mine_.layers() if mine_ else ()))
                yield from ((None, layer) for layer in (other_.layers() if other_ else ()))


def _backwards(
    left: Sequence[_Layer], right: Sequence[_Layer], cost: Sequence[Sequence[float]]
) -> Iterator[Both]:
    """Yield the pairs of the best alignment from the last to the first, as the table of costs has them."""
    row, column = len(left), len(right)
    while row or column:
        here = cost[row][column]
        if row and here == cost[row - 1][column] + _ALONE * left[row - 1].size:
            row -= 1
            yield left[row], None
        elif column and here == cost[row][column - 1] + _ALONE * right[column - 1].size:
            column -= 1
            yield None, right[column]
        else:
            row, column = row - 1, column - 1
            yield left[row], right[column]


def _distance(pairs: Sequence[Both]) -> float:
    return sum(_dissimilarity(mine, other) if mine and other else _ALONE for mine, other in pairs)


def _dissimilarity(left: _Layer, right: _Layer) -> float:
    """Return 0 for equal layers, less than 1/2 + 1/2 for alike ones, and more for others."""
    if left.own == right.own:
        return 0.0
    kinds = left.node.kind, right.node.kind
    if kinds[0] != kinds[1]:
        alike = {*kinds[0].split("_")} & {*kinds[1].split("_")}
        return 0.75 if alike or left.node.layer.acts_as is right.node.layer.acts_as else 2.0
    names = left.settings.keys() | right.settings.keys()
    return 0.6 * sum(left.setting(name) != right.setting(name) for name in names) / len(names)


def _pair(left: _Layer | None, right: _Layer | None) -> Pair:
    if left is None or right is None:
        return Pair(left.node if left else None, right.node if right else None)
    if left.node.kind != right.node.kind:
        return Pair(left.node, right.node, (("kind", left.node.kind, right.node.kind),))
    names = sorted(left.settings.keys() | right.settings.keys())
    settings = ((name, left.setting(name), right.setting(name)) for name in names)
    return Pair(left.node, right.node, tuple(change for change in settings if change[1] != change[2]))


# ---- settings


def settings_of(node: Node) -> dict[str, str]:
    """Return what was chosen for a layer, in terms that hold in every framework."""
    settings = {name: _written(value) for name, value in chosen(node.layer, node.inputs).items()}
    if node.window is not None:
        shown = fields_with(type(node.layer), WindowField)
        settings = {
            name: text for name, text in settings.items() if not (name in shown and shown[name].is_shown)
        }
        settings["window"] = window_text(node.window)
    if node.weights:
        settings["bias"] = str(any(name.endswith(("bias", "beta")) for name in node.weights)).lower()
        if node.shares is not None:
            settings["weights"] = "shared"
    return settings


def chosen(layer: Kind, inputs: Shapes) -> dict[str, Any]:
    """Return the fields that were chosen: neither their defaults, nor what is inferred anyway."""
    follows = inferred(layer, inputs)
    fields: dict[str, Any] = {}
    for name, value in layer.fields_set().items():
        alike = _for_all_axes(layer, value)
        if name in follows and alike == _for_all_axes(layer, follows[name]):
            continue
        if isinstance(value, Kind):
            fields[name] = {value.kind: chosen(value, inputs) or None}
        elif value != type(layer).model_fields[name].default and not _is_neutral(layer, name):
            fields[name] = alike
    return fields


def _is_neutral(layer: Kind, name: str) -> bool:
    """Return whether a field leaves the result as it is: the implementation, or the branches of a merge."""
    return isinstance(roles(type(layer)).get(name), (Holds, Implementation))


def _for_all_axes(layer: Kind, value: Any) -> Any:
    """Return one value in place of a list with the same value for every axis."""
    if not isinstance(value, tuple) or not value or isinstance(value[0], tuple):
        return value
    alike = len(value) == 1 or (isinstance(layer, OverAxes) and len(value) == layer.rank)
    return value[0] if alike and len(set(value)) == 1 else value


def _written(value: Any) -> str:
    text = str(plain(value))
    return text.lower() if value is None or isinstance(value, bool) else text
