"""From located data to the tree, with the file, line and column in every error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

from pydantic import BaseModel

from shapecalc.errors import Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Merge
from shapecalc.spec.located_text import DEEPEST, Map, place_of
from shapecalc.spec.steps import MODIFIERS, STRUCTURES, StepReader
from shapecalc.spec.tree import Block, Budget, Call, Expect, Paper, Sequential, Spec, Step, Variant
from shapecalc.spec.tree_node import build, mapping, refuse_unknown

_S = TypeVar("_S", bound=Spec)
_M = TypeVar("_M", bound=BaseModel)


def read(data: Any, cls: type[_S], file: str | None = None) -> _S:
    """Return the model that plain or located data describe; raise `SpecError` otherwise."""
    if not isinstance(data, Mapping):
        place = place_of(data) or (Place(file, 1, 1) if file else None)
        raise SpecError(f"a spec is a mapping, not {quote(data)}", place=place)
    if not isinstance(data, Map):
        _refuse_odd(data, 0)
    try:
        return _Reader(data, file).model(cls)
    except SpecError as error:
        error.place = error.place or Place(file)
        raise


class _Reader:
    """Knows the blocks and parameters of one spec while its steps are read."""

    def __init__(self, data: Mapping[str, Any], file: str | None) -> None:
        self.data = data
        self.file = file
        self.blocks = mapping(data, "blocks")
        self.parameters = frozenset(map(str, mapping(data, "parameters")))
        framework = data.get("framework")  # what is not one, the model refuses
        self.steps = StepReader(self.blocks, framework if framework in registry.FRAMEWORKS else "torch").steps

    def model(self, cls: type[_S]) -> _S:
        data = self.data
        refuse_unknown(data, cls, "", {"place"})
        for needed in ("input", "layers"):
            if data.get(needed) is None:
                place = place_of(data, needed)
                raise SpecError(f"the spec has no {needed}", place=place, hint=_NEEDED[needed])
        values = {key: value for key, value in data.items() if value is not None}
        values["parameters"] = mapping(data, "parameters")
        values["blocks"] = {name: self.block(name) for name in self.blocks}
        values["layers"] = self.steps(data, "layers", self.parameters, "layers")
        for key, kind in _NODES:
            if key in values:
                values[key] = self.node(data, key, kind, "")
        variants = mapping(data, "variants")
        values["variants"] = {name: self.variant(variants, name) for name in variants}
        values["place"] = place_of(data) or Place(self.file)
        model = build(cls, values, data, "")
        blocks_in_order(model.blocks)
        return model

    def block(self, name: str) -> Block:
        path = f"blocks.{name}"
        data = self.blocks[name]
        place = place_of(self.blocks, name)
        if registry.is_known(name) or name in STRUCTURES or name in MODIFIERS:
            raise SpecError(f"the block {quote(name)} has the name of a kind", place=place, path=path)
        if not isinstance(data, Mapping):
            raise SpecError(f"a block is a mapping with layers, not {quote(data)}", place=place, path=path)
        refuse_unknown(data, Block, path, {"place"})
        if data.get("layers") is None:
            raise SpecError("the block has no layers", place=place, path=path)
        args = mapping(data, "args", path)
        scope = self.parameters | set(map(str, args))
        values = {"args": args, "layers": self.steps(data, "layers", scope, path), "place": place}
        return build(Block, values, data, path)

    def variant(self, variants: Mapping[str, Any], name: str) -> Variant:
        path = f"variants.{name}"
        data = mapping(variants, name, "variants")
        refuse_unknown(data, Variant, path)
        values = dict(data)
        for key, kind in _NODES:
            if values.get(key) is not None:
                values[key] = self.node(data, key, kind, path)
        overridden = mapping(data, "parameters", path)
        for key in overridden:
            if key not in self.parameters:
                known = sorted(self.parameters)
                raise SpecError(
                    f"unknown parameter {quote(key)}{nearest(key, known)}",
                    place=place_of(overridden, key),
                    path=path,
                    hint=f"parameters: {', '.join(known[:20]) or 'none'}",
                    fact=WrongWord(key, known),
                )
        values["parameters"] = overridden
        return build(Variant, values, data, path)

    def node(self, data: Any, key: str, cls: type[_M], path: str) -> _M:
        values = mapping(data, key, path)
        path = f"{path}.{key}" if path else key
        refuse_unknown(values, cls, path)
        return build(cls, dict(values), values, path, place_of(data, key))


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
        told = "a block calls itself" if len(circle) == 2 else "blocks call each other in a circle"
        place = blocks[circle[0]].place
        raise SpecError(
            f"{told}: {' -> '.join(circle[:10])}", place=place, path=f"blocks.{circle[0]}"
        ) from None


def _called(steps: Iterable[Step]) -> set[str]:
    found: set[str] = set()
    for step in steps:
        body = step.body
        if isinstance(body, Call):
            found.add(body.callee)
        elif isinstance(body, Sequential):
            found |= _called(body.steps)
        elif isinstance(body, Merge):
            for _, branch in body.branches or ():
                if not isinstance(branch, str):
                    found |= _called(branch)
    return found
