"""A recording of one branch of a forward in closed form: where it holds, and where another one equals it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, TypeAlias

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Box, everything
from shapecalc.algebra.solution import solve
from shapecalc.bridges.constant_arithmetic import has_formula
from shapecalc.bridges.torch.tracer.branch_sites import BranchTest, Site
from shapecalc.bridges.torch.tracer.witness import ModuleWitness
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Place, Undecided
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.select import Slice
from shapecalc.layers.traced import SIGNS, Require
from shapecalc.model import Model

Decision: TypeAlias = tuple[str, IntegerSet]
"""The sizes of one name for which a decision goes as it was recorded."""

_MOST_CLASSES = 256
"""How many combinations of residues an equation in several sizes is decided for."""


class NotJoined(Exception):
    """Branches are not proved to be one; `path` is the step that shows it, if one does."""

    def __init__(self, path: str = "") -> None:
        super().__init__(path)
        self.path = path


@dataclass
class Group:
    """The comparisons of one test that ran, and the layers of its body, where that ran."""

    site: Site
    tensor: str
    tests: dict[str, BranchTest] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Recording:
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
    def groups(self) -> list[Group]:
        """The tests that decide whether one variable is padded, cropped or resized."""
        tests = witness.rerun.tests if isinstance(witness := self.model.graphs.witness, ModuleWitness) else {}
        groups: list[Group] = []
        last: Group | None = None
        for node in self.inference.graph.nodes:
            test = tests.get(node.path)
            if test is not None and node.path in self.decisions:
                if last is None or last.body or (last.site, last.tensor) != (test.site, test.tensor):
                    last = Group(test.site, test.tensor)
                    groups.append(last)
                last.tests[node.path] = test
            elif last is not None and _is_in(node.place, last.site):
                last.body.append(node.path)
            else:
                last = None
        return groups

    @cached_property
    def kept(self) -> list[Decision]:
        """The decisions by residues that are of no such test."""
        tests = {path for group in self.groups for path in group.tests}
        return [decision for path, decision in self.decisions.items() if path not in tests]

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
        return box_of(names, (*self.decisions.values(), *others))


def _is_in(place: Place, site: Site) -> bool:
    first, last = site.lines
    return place.file == site.code.co_filename and first <= (place.line or 0) <= last


def _is_periodic(sizes: IntegerSet) -> bool:
    return bool(sizes.residues) and not sizes.early and sizes.start <= 1


def box_of(names: tuple[str, ...], decisions: Iterable[Decision]) -> Box:
    """Return the sizes for which all of some decisions go as they were recorded."""
    box = everything(names).boxes[0]
    for name, sizes in decisions:
        box &= Box(tuple(sizes if each == name else own for each, own in zip(names, box.sets, strict=True)))
    return box


# ---- whether a recording holds at the sizes of another


def check_serves(master: Recording, leaf: Recording, sizes: Mapping[str, IntegerSet]) -> None:
    """Raise `NotJoined` unless a master is a leaf, at its sizes, and steps that change nothing."""
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
            raise NotJoined(node.path)
    outputs = {name: slots[slot] for name, slot in ours.graph.outputs.items()}
    if other is not None or outputs != theirs.graph.outputs:
        raise NotJoined


def check_sites(opened: Recording, master: Recording) -> None:
    """Raise `NotJoined` unless each branch of a master changes one tensor, and none where its test is false.

    Where it is true, the layers of the opened one are as they were recorded.
    """
    nodes = {node.path: node for node in opened.inference.graph.nodes}
    slots = {name: slot for slot, name in enumerate(opened.model.input)}
    slots |= {path: node.first_slot for path, node in nodes.items()}
    for group in master.groups:
        decided = [(opened.decisions[path], test.is_true) for path, test in group.tests.items()]
        is_false = [(name, EVERY_SIZE - sizes if is_true else sizes) for (name, sizes), is_true in decided]
        is_true = [(name, EVERY_SIZE - sizes) for name, sizes in is_false]
        slot = slots.get(group.tensor)
        if not group.body:
            raise NotJoined
        for path in group.body:
            node = nodes[path]
            sizes = _sizes(opened, is_false)
            if (*node.sources,) != (slot,) or not _changes_nothing(node, opened.inference, sizes):
                raise NotJoined(path)
            fields, others = node.layer.fields_set(), _as_recorded(opened, master, path).fields_set()
            for decision in is_true:
                sizes = _sizes(opened, [decision])
                if not all(_are_equal(value, others[name], sizes) for name, value in fields.items()):
                    raise NotJoined(path)
            slot = node.first_slot


def _as_recorded(opened: Recording, master: Recording, path: str) -> Kind:
    """Return a layer of a master for the tensors of the opened one."""
    original = next(step for step in master.model.layers if step.name == path)
    layers = [original if step.name == path else step for step in opened.model.layers]
    if layers == [*opened.model.layers]:
        recording = opened
    else:
        recording = Recording(opened.model.model_copy(update={"layers": tuple(layers)}))
    return next(node.layer for node in recording.inference.graph.nodes if node.path == path)


def _sizes(recording: Recording, decisions: Iterable[Decision]) -> dict[str, IntegerSet]:
    names = tuple(recording.model.free_names())
    return dict(zip(names, box_of(names, decisions).sets, strict=True))


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
    return prod(map(len, residues)) <= _MOST_CLASSES and all(
        _on_classes(value, dict(zip(names, classes, strict=True))) == 0 for classes in product(*residues)
    )


def _on_classes(value: Expr, classes: Mapping[str, tuple[int, int]]) -> Dim:
    """Return a value for sizes L·q + r, by name."""
    return value.subs(
        {name: symbol(f"{name}_q", 0 if r else 1) * length + r for name, (length, r) in classes.items()}
    )
