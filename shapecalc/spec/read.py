"""From located data to the tree, with the file, line and column in every error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

from pydantic import BaseModel

from shapecalc.errors import Place, SpecError, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Merge
from shapecalc.spec.located_text import DEEPEST, Map, place_of
from shapecalc.spec.metadata import Budget, Expect, Paper, Variant
from shapecalc.spec.spec_part import Part
from shapecalc.spec.steps import MODIFIERS, STRUCTURES, StepReader
from shapecalc.spec.tree import Block, Call, Sequential, Spec, Step, Unread

_S = TypeVar("_S", bound=Spec)
_M = TypeVar("_M", bound=BaseModel)


def read(data: Any, cls: type[_S], file: str | None = None) -> _S:
    """Return the model that plain or located data describe; raise `SpecError` otherwise."""
    if not isinstance(data, Mapping):
        place = place_of(data) or (Place(file, 1, 1) if file else None)
        raise SpecError(f"a spec is a mapping, not {quote(data)}", place=place)
    if not isinstance(data, Map):
        _refuse_odd(data, 0)
    errors: list[SpecError] = []
    model: _S | None = None
    try:
        model = _Reader(data, file, errors).model(cls)
    except SpecError as error:
        errors += [error, *error.others]
    if model is not None and not errors:
        return model
    for each in errors:
        each.place = each.place or Place(file)
    first = errors[0]
    first.others, first.partial = tuple(errors[1:]), model
    raise first


class _Reader:
    """Reads a spec, with the names of its blocks and parameters."""

    def __init__(self, data: Mapping[str, Any], file: str | None, errors: list[SpecError]) -> None:
        self.root = Part(data, "", place_of(data), errors)
        self.root.refuse_unknown(Spec, {"place"})
        self.file = file
        self.errors = errors
        self.blocks = self.root.mapping("blocks")
        self.parameters = frozenset(map(str, self.root.mapping("parameters")))
        framework = self.root.data.get("framework")  # what is not one, the model refuses
        self.steps = StepReader(self.blocks, framework if framework in registry.FRAMEWORKS else "torch").steps

    def model(self, cls: type[_S]) -> _S:
        root, data = self.root, self.root.data
        for needed in ("input", "layers"):
            if data.get(needed) is None:
                raise root.error(f"the spec has no {needed}", _NEEDED[needed], at=needed)
        values = {key: value for key, value in data.items() if value is not None}
        values["parameters"] = root.mapping("parameters")
        unread = Block(layers=(Step(Unread()),))
        values["blocks"] = {name: self.kept(self.block, name) or unread for name in self.blocks}
        layers = root.part("layers")
        if not isinstance(layers.data, (list, tuple)):
            layers.path = ""
        values["layers"] = self.steps(layers, self.parameters, "layers must be")
        values |= self.nodes(root)
        variants = root.holding(root.mapping("variants"), "variants")
        read = {name: self.kept(self.variant, variants, name) for name in variants.data}
        values["variants"] = {name: variant for name, variant in read.items() if variant is not None}
        values["place"] = place_of(data) or Place(self.file)
        model = root.build(cls, values)
        blocks_in_order(model.blocks)
        return model

    def kept(self, read: Callable[..., _M], *given: Any) -> _M | None:
        """Return what is read; where that fails, keep the error."""
        try:
            return read(*given)
        except SpecError as error:
            self.root.keep(error)
            return None

    def block(self, name: str) -> Block:
        block = self.root.holding(self.blocks, "blocks").part(name)
        if registry.is_known(name) or name in STRUCTURES or name in MODIFIERS:
            raise block.error(f"the block {quote(name)} has the name of a kind")
        if not isinstance(block.data, Mapping):
            raise block.error(f"a block is a mapping with layers, not {quote(block.data)}")
        block.refuse_unknown(Block, {"place"})
        if block.data.get("layers") is None:
            raise block.error("the block has no layers")
        args = block.mapping("args")
        uses = block.data.get("uses") or ()
        listed = uses if isinstance(uses, (list, tuple)) else (uses,)
        scope = self.parameters | {*map(str, args), *map(str, listed)}
        layers = self.steps(block.part("layers", block.path), scope, "layers must be")
        return block.build(Block, {"args": args, "uses": uses, "layers": layers, "place": block.place})

    def variant(self, variants: Part, name: str) -> Variant:
        place = place_of(variants.data, name)
        variant = Part(variants.mapping(name), f"variants.{name}", place, self.errors)
        variant.refuse_unknown(Variant)
        overridden = variant.holding(variant.mapping("parameters"))
        known = sorted(self.parameters)
        overridden.refuse_others(known, "unknown parameter", "parameters")
        return variant.build(Variant, {**variant.data, **self.nodes(variant), "parameters": overridden.data})

    def nodes(self, holder: Part) -> dict[str, BaseModel]:
        """Read the paper, the expected figures and the budget, as far as they are there."""
        nodes: dict[str, BaseModel] = {}
        for key, cls in _NODES:
            if holder.data.get(key) is not None:
                part = holder.part(key).holding(holder.mapping(key))
                part.refuse_unknown(cls)
                node = self.kept(part.build, cls, dict(part.data))
                nodes |= {} if node is None else {key: node}
        return nodes


_NODES: tuple[tuple[str, type[BaseModel]], ...] = (("paper", Paper), ("expect", Expect), ("budget", Budget))
_NEEDED = {
    "input": "give the sizes without the batch, as in input: [3, 224, 224]",
    "layers": "list them, as in layers: [{conv2d: {out_channels: 8, kernel_size: 3}}, relu]",
}


def _refuse_odd(data: Any, depth: int) -> None:
    """Refuse what no spec file could hold: endless nesting, and keys that are not text."""
    if depth > DEEPEST:
        raise SpecError(f"values are nested more than {DEEPEST} deep")
    if isinstance(data, Mapping):
        for key in data:
            if not isinstance(key, str):
                raise SpecError(f"the key {quote(key)} is not text")
        data = data.values()
    elif not isinstance(data, (list, tuple)):
        return
    for value in data:
        _refuse_odd(value, depth + 1)


def blocks_in_order(blocks: Mapping[str, Block]) -> list[str]:
    """Return the names of blocks, each after the blocks that it calls; refuse blocks that call themselves."""
    calls = {name: _called(block.layers) & blocks.keys() for name, block in blocks.items()}
    try:
        return [*TopologicalSorter(calls).static_order()]
    except CycleError as error:
        circle = error.args[1][::-1]
        message = "a block calls itself" if len(circle) == 2 else "blocks call each other in a circle"
        place = blocks[circle[0]].place
        raise SpecError(
            f"{message}: {' -> '.join(circle[:10])}", place=place, path=f"blocks.{circle[0]}"
        ) from None


def _called(steps: Iterable[Step]) -> set[str]:
    called: set[str] = set()
    for step in steps:
        body = step.body
        if isinstance(body, Call):
            called.add(body.callee)
        elif isinstance(body, Sequential):
            called |= _called(body.steps)
        elif isinstance(body, Merge):
            inner = [branch for _, branch in body.branches or () if not isinstance(branch, str)]
            called = called.union(*map(_called, inner))
    return called
