"""From the tree back to plain data and YAML; reading the result gives an equal tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import yaml

from shapecalc.algebra import Expr
from shapecalc.algebra.formula import Formula
from shapecalc.layers.base import Kind, Merge
from shapecalc.spec.metadata import Node
from shapecalc.spec.reference import Reference
from shapecalc.spec.steps import STRUCTURES
from shapecalc.spec.tree import Block, Call, Sequential, Spec, Step

_STRUCTURE_NAMES = {cls: name for name, cls in STRUCTURES.items()}


def to_data(spec: Spec) -> dict[str, Any]:
    """Return the model as plain mappings and lists, as its YAML would hold them."""
    shapes = plain(spec.input)
    data = {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "paper": plain(spec.paper),
        "framework": spec.framework if spec.framework != "torch" else None,
        "batched": None if spec.batched else False,
        "parameters": plain(spec.parameters) or None,
        "input": shapes["input"] if [*shapes] == ["input"] else shapes,
        "blocks": {name: _block(block) for name, block in spec.blocks.items()} or None,
        "layers": [_step(step) for step in spec.layers],
        "outputs": plain(spec.outputs),
        "expect": plain(spec.expect),
        "budget": plain(spec.budget),
        "ignore": plain(spec.ignore) or None,
        "variants": {
            name: {key: plain(value) for key, value in variant if value}
            for name, variant in spec.variants.items()
        }
        or None,
    }
    return {key: value for key, value in data.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a value as YAML holds it: formulas as text, exact rationals as decimals or text."""
    if isinstance(value, (Formula, Reference)):
        return value.text
    if isinstance(value, Fraction):
        decimal = float(value)
        return decimal if Fraction(repr(decimal)) == value else f"{value.numerator}/{value.denominator}"
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Kind):
        return {value.kind: plain(value.fields_set()) or None}
    if isinstance(value, Node):
        return {key: plain(item) for key, item in value if item is not None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


class _Dumper(yaml.SafeDumper):
    """A dumper that writes plain collections in one line, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        return super().represent_sequence(tag, sequence, flow_style=_fits_a_line(sequence))

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        return super().represent_mapping(tag, mapping, flow_style=_fits_a_line(mapping.values()))


def to_yaml(spec: Spec) -> str:
    """Return the model as YAML text."""
    data = to_data(spec)
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
    return text


def _fits_a_line(items: Iterable[Any]) -> bool:
    """Say whether a collection is plain enough for one line, as people write it."""
    return all(
        not isinstance(item, Mapping) and (not isinstance(item, list) or _fits_a_line(item)) for item in items
    )


def _block(block: Block) -> dict[str, Any]:
    data: dict[str, Any] = {"args": plain(block.args)} if block.args else {}
    data |= {"uses": [*block.uses]} if block.uses else {}
    return data | {"layers": [_step(step) for step in block.layers]}


def _step(step: Step) -> Any:
    data: dict[str, Any] = {}
    body = step.body
    if isinstance(body, Call):
        data[body.callee] = plain(body.arguments) or None
    elif isinstance(body, Sequential):
        data[_STRUCTURE_NAMES[type(body)]] = [_step(inner) for inner in body.steps]
    elif isinstance(body, Merge) and body.branches is not None:
        data[body.kind] = _branches(body)
    elif isinstance(body, Kind):
        data |= plain(body)
    source = step.source[0] if step.source is not None and len(step.source) == 1 else plain(step.source)
    modifiers = {
        "name": step.name,
        "repeat": plain(step.repeat),
        "carry": plain(step.carry),
        "when": plain(step.when),
        "from": source,
        "share": step.share,
        "trainable": step.trainable,
        "called": step.called,
        "ignore": plain(step.ignore) or None,
    }
    data |= {key: value for key, value in modifiers.items() if value is not None}
    only = next(iter(data))
    return only if len(data) == 1 and data[only] is None else data


def _branches(merge: Merge) -> Any:
    own = {name: plain(value) for name, value in merge.fields_set().items() if name != "branches"}
    written = {
        name: branch if isinstance(branch, str) else [_step(step) for step in branch]
        for name, branch in merge.branches or ()
    }
    if not own and [*written] == [str(index) for index in range(len(written))]:
        return [*written.values()]
    return own | written
