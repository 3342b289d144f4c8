"""Branches of a forward that are proved to be one network: they pad or crop where a size does not divide.

A recording holds wherever its decisions by sizes hold. So recordings are made, each at a size where none so
far holds, until there is no such size. Where one of them, the master, has the steps of all the others, and
what it has beside these changes nothing at the sizes of the others, then it holds everywhere, and what was
decided is no condition. Padding of the master may take a factor that is 0 at these sizes: p - n % p becomes
(p - n % p) % p. All of this is decided for all sizes of a residue class at once, never at samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, product
from typing import Any, TypeAlias

from pydantic import ValidationError

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.formula import Formula
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.region import Box, Region, everything
from shapecalc.algebra.solution import solve
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.bridges.torch.tracer.trace_to_model import has_formula
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.select import Slice
from shapecalc.layers.traced import SIGNS, Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step

Point: TypeAlias = dict[str, int]
Decision: TypeAlias = tuple[str, IntegerSet]
"""The sizes of one name for which a decision goes as it was recorded."""

_MOST_DECISIONS = 4
_MOST_RECORDINGS = 16
_MOST_STEPS = 3_000
"""How many steps are recorded in all."""
_MOST_CLASSES = 256
"""How many pairs of residues an equation in several sizes is decided for."""
_DIVISOR = re.compile(r"% (\d+)\)")
_PERIODIC = re.compile(r"%|//|size\(.* size\(")
"""What decisions by a remainder or a quotient are written with, and comparisons of two sizes."""


def joined(model: Model, record: Callable[[Point], Model]) -> Model:
    """Return the model of all branches that are proved to be one; `record` runs a forward at other sizes."""
    texts = (f"{body.left} {body.right}" for step in model.layers if isinstance(body := step.body, Require))
    if len(model.layers) > _MOST_STEPS // 2 or not any(map(_PERIODIC.search, texts)):
        return model
    traced = {name: size for name in model.free_names() if isinstance(size := model.parameters[name], int)}
    try:
        first = _Recording(model)
        decisions = [*dict.fromkeys(first.decisions.values())]
        if not 0 < len(decisions) <= _MOST_DECISIONS:
            return model
        branches = _Branches(first, traced, record)
        if (result := branches.joined(())) is not None:
            return result
        kept = decisions
        best = model
        for decision in decisions if len(decisions) > 1 else ():
            fewer = [each for each in kept if each != decision]
            if (result := branches.joined(fewer)) is not None:
                best, kept = result, fewer
    except ShapecalcError:
        return model
    return best


class _NotJoined(Exception):
    """Branches are not proved to be one; `path` is the step that shows it, if one does."""

    def __init__(self, path: str = "") -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class _Recording:
    """A model of one branch, with its closed form."""

    model: Model

    @cached_property
    def inference(self) -> Inference:
        batch = symbol("batch") if self.model.batched else None
        bare = self.model.model_copy(update={"layers": self.model.layers})  # without its witness
        inference = bare.infer_at(None, batch, symbolic=True, values={})[0]
        if inference.failures or len(inference.graph.nodes) != len(self.model.layers):
            raise Undecided("there is no closed form of a branch")
        return inference

    @cached_property
    def exact(self) -> int:
        """How many layers there are before a size of 1 may stretch, for which the closed form does not hold.

        Behind them there is no arithmetic of sizes.
        """
        codes = (effect and {each.code for each in effect.conditions} for effect in self.inference.effects)
        nodes = self.inference.graph.nodes
        exact = next((number for number, of in enumerate(codes) if of and "broadcast" in of), len(nodes))
        if any(has_formula(node.written) for node in nodes[exact:] if node.written is not None):
            raise Undecided("there is no closed form of a branch where sizes of 1 stretch")
        return exact

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """What was decided by the residues of one size, by step."""
        decisions: dict[str, Decision] = {}
        names = self.model.free_names()
        for node in self.inference.graph.nodes if self.exact else ():
            if isinstance(layer := node.layer, Require):
                solved = solve(layer.left, SIGNS[layer.relation], layer.right)
                if solved is not None and solved[0] in names and _is_periodic(solved[1]):
                    decisions[node.path] = solved
        return decisions

    @cached_property
    def steps(self) -> list[GraphNode]:
        """The layers, and the decisions by anything but residues."""
        return [node for node in self.inference.graph.nodes if node.path not in self.decisions]

    @cached_property
    def core(self) -> list[type[Kind]]:
        """What every branch has: all but padding, cropping and resizing."""
        layers = (node.layer for node in self.steps)
        return [type(layer) for layer in layers if not _may_change_nothing(layer)]

    def box(self, names: tuple[str, ...], *others: Decision) -> Box:
        """Return the sizes for which it holds."""
        return _box(names, (*self.decisions.values(), *others))


def _is_periodic(sizes: IntegerSet) -> bool:
    return bool(sizes.residues) and not sizes.early and sizes.start <= 1


def _box(names: tuple[str, ...], decisions: Iterable[Decision]) -> Box:
    box = everything(names).boxes[0]
    for name, sizes in decisions:
        box &= Box(tuple(sizes if each == name else own for each, own in zip(names, box.sets, strict=True)))
    return box


@dataclass(frozen=True)
class _Branches:
    """The recordings of a forward so far, the first at the traced sizes."""

    first: _Recording
    traced: Point
    record: Callable[[Point], Model]

    @cached_property
    def recordings(self) -> dict[tuple[int, ...], _Recording]:
        """The recordings by their sizes."""
        return {tuple(self.traced.values()): self.first}

    def joined(self, kept: list[Decision] | tuple[()]) -> Model | None:
        """Return the model of all branches where some decisions go as they were traced, if it is proved."""
        try:
            leaves = self._leaves(kept)
            master = max(leaves, key=lambda leaf: len(leaf.steps))
            return self._open(master, leaves, kept)
        except (_NotJoined, ShapecalcError):
            return None

    def _leaves(self, kept: Iterable[Decision]) -> list[_Recording]:
        """Return recordings one of which holds wherever the decisions that are kept do."""
        names = tuple(self.traced)
        point = tuple(self.traced.values())
        uncovered = Region(names, (_box(names, kept),))
        leaves: list[_Recording] = []
        while uncovered:
            at = point if point in uncovered else uncovered.above(point) or uncovered.below(point)
            if at is None:
                raise _NotJoined
            leaf = self._recorded(at)
            if leaf.core != self.first.core:
                raise _NotJoined
            remaining = uncovered - Region(names, (leaf.box(names),))
            if at in remaining:  # a decision that was not read as one
                raise _NotJoined
            leaves.append(leaf)
            uncovered = remaining
        return leaves

    def _recorded(self, at: tuple[int, ...]) -> _Recording:
        if at not in self.recordings:
            steps = sum(len(each.model.layers) for each in self.recordings.values())
            if len(self.recordings) >= _MOST_RECORDINGS or steps > _MOST_STEPS:
                raise _NotJoined
            model = outcome(lambda: self.record(dict(zip(self.traced, at, strict=True))))
            if isinstance(model, Exception) or model.input != self.first.model.input:
                raise _NotJoined
            self.recordings[at] = _Recording(model)
        return self.recordings[at]

    def _open(self, master: _Recording, leaves: list[_Recording], kept: Iterable[Decision]) -> Model:
        """Return the master without the decisions that need not be kept, its padding with factors."""
        names, kept = tuple(self.traced), [*kept]
        if not {*kept} <= {*master.decisions.values()}:
            raise _NotJoined
        factors: dict[str, Iterator[Step]] = {}
        model = master.model
        while True:
            opened = _Recording(model)
            try:
                for leaf in leaves:
                    _check_serves(opened, leaf, dict(zip(names, leaf.box(names, *kept).sets, strict=True)))
                break
            except _NotJoined as not_joined:
                path = not_joined.path
                if path not in factors:
                    factors[path] = _with_factors(master.model, path)
                step = next(factors[path], None)
                if step is None:
                    raise
                layers = [step if each.name == path else each for each in model.layers]
                model = model.model_copy(update={"layers": tuple(layers)})
        freed = {path for path, decision in master.decisions.items() if decision not in kept}
        layers = [step for step in model.layers if step.name not in freed]
        data = {"layers": tuple(layers), "parameters": self.first.model.parameters}
        result = model.model_copy(update=data)
        result.graphs.witness = master.model.graphs.witness
        return result


# ---- whether a recording holds at the sizes of another


def _check_serves(master: _Recording, leaf: _Recording, sizes: Mapping[str, IntegerSet]) -> None:
    """Raise `_NotJoined` unless a master is a leaf, at its sizes, and steps that change nothing."""
    ours, theirs = master.inference, leaf.inference
    slots = {slot: slot for slot in range(len(master.model.input))}
    others = iter(leaf.steps)
    other = next(others, None)
    changing = {node.path for node in ours.graph.nodes[master.exact :]}
    for node in master.steps:
        sources = [slots[slot] for slot in node.sources]
        if other is not None and [*other.sources] == sources and _is_same(node, other, ours, theirs, sizes):
            slots |= zip(node.slots, other.slots, strict=True)
            other = next(others, None)
        elif node.path not in changing and _changes_nothing(node, ours, sizes):
            slots[node.first_slot] = sources[0]
        else:
            raise _NotJoined(node.path)
    outputs = {name: slots[slot] for name, slot in ours.graph.outputs.items()}
    if other is not None or outputs != theirs.graph.outputs:
        raise _NotJoined


def _is_same(
    node: GraphNode, other: GraphNode, ours: Inference, theirs: Inference, sizes: Mapping[str, IntegerSet]
) -> bool:
    """Return whether two nodes are one layer: so they make the same of the same tensors."""
    fields, others = node.layer.fields_set(), other.layer.fields_set()
    owners = [
        None if each.owner is None else graph.nodes[each.owner].path
        for each, graph in ((node, ours.graph), (other, theirs.graph))
    ]
    effect = ours.effects[ours.graph.nodes.index(node)]
    has_name = node.path == other.path or (effect is not None and not effect.weights and not effect.buffers)
    return (
        type(node.layer) is type(other.layer)
        and has_name
        and owners[0] == owners[1]
        and (node.results, node.trainable, node.called) == (other.results, other.trainable, other.called)
        and fields.keys() == others.keys()
        and all(_are_equal(value, others[name], sizes) for name, value in fields.items())
    )


def _changes_nothing(node: GraphNode, inference: Inference, sizes: Mapping[str, IntegerSet]) -> bool:
    """Return whether a node pads by nothing, takes all of an axis, or resizes to the same size."""
    layer = node.layer
    amounts = _numbers(getattr(layer, "padding", 1)) if layer.family is Family.PADDING else ()
    if not _may_change_nothing(layer) or not all(_are_equal(amount, 0, sizes) for amount in amounts):
        return False
    before, after = inference.shapes[node.sources[0]], inference.shapes[node.first_slot]
    operations = layer.operations_on((before,)) if before is not None else None
    is_free = operations is not None and not any(operations.by_part().values())
    return is_free and _are_equal(before, after, sizes)


def _may_change_nothing(layer: Kind) -> bool:
    return isinstance(layer, Slice) or layer.family in (Family.PADDING, Family.RESAMPLE)


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    else:
        yield value


def _are_equal(value: Any, other: Any, sizes: Mapping[str, IntegerSet]) -> bool:
    """Return whether two values are proved to be equal at all of some sizes."""
    if isinstance(value, tuple) and isinstance(other, tuple):
        return len(value) == len(other) and all(
            _are_equal(item, theirs, sizes) for item, theirs in zip(value, other, strict=True)
        )
    if isinstance(value, (int, Expr)) and isinstance(other, (int, Expr)):
        return _is_zero(value - other, sizes)
    return type(value) is type(other) and bool(value == other)


def _is_zero(value: Dim, sizes: Mapping[str, IntegerSet]) -> bool:
    if isinstance(value, int):
        return value == 0
    names = [name for name in sorted(value.free_symbols) if name in sizes]
    solved = solve(value, "==", 0)
    if solved is not None and solved[0] in sizes:
        return not sizes[solved[0]] - solved[1]
    residues = [[(sizes[name].modulus, r) for r in sizes[name].residues] for name in names]
    count = 1
    for each in residues:
        count *= len(each)
    return count <= _MOST_CLASSES and all(
        _on_classes(value, dict(zip(names, classes, strict=True))) == 0 for classes in product(*residues)
    )


def _on_classes(value: Expr, classes: Mapping[str, tuple[int, int]]) -> Dim:
    """Return a value for sizes L·q + r, by name."""
    return value.subs(
        {name: symbol(f"{name}_q", 0 if r else 1) * length + r for name, (length, r) in classes.items()}
    )


# ---- padding that is 0 where a branch does not pad


def _with_factors(model: Model, path: str) -> Iterator[Step]:
    """Yield a step that pads with amounts which may be 0 where the decisions before it go another way."""
    position = next(number for number, step in enumerate(model.layers) if step.name == path)
    step = model.layers[position]
    layer = step.body
    if not isinstance(layer, Kind) or layer.family is not Family.PADDING:
        return
    decisions = (each.body for each in reversed(model.layers[:position]) if isinstance(each.body, Require))
    for scaled in chain.from_iterable(map(_factors, decisions)):
        try:
            padding = _scaled(getattr(layer, "padding", 0), scaled)
            body = type(layer)(**(layer.fields_set() | {"padding": padding}))
        except ValidationError:  # too long for a spec
            continue
        yield step.model_copy(update={"body": body})


def _factors(decision: Require) -> Iterator[Callable[[str], str]]:
    """Yield what may make an amount 0 where a decision goes another way: a remainder of it, or a factor."""
    left, right = (getattr(side, "text", side) for side in (decision.left, decision.right))
    yield from (partial("({1} % {0})".format, divisor) for divisor in _DIVISOR.findall(str(left)))
    above, below = f"({left} - {right})", f"({right} - {left})"
    distances = {"more": above, "at_least": f"({above} + 1)", "less": below, "at_most": f"({below} + 1)"}
    distance = distances.get(decision.relation, f"max({above}, {below})")
    factor = f"min(max({distance}, 0), 1)"
    yield partial("({1} * {0})".format, f"(1 - {factor})" if decision.relation == "equal" else factor)


def _scaled(value: Any, factor: Callable[[str], str]) -> Any:
    if isinstance(value, tuple):
        return tuple(_scaled(item, factor) for item in value)
    return factor(getattr(value, "text", str(value))) if isinstance(value, Formula) or value else value
