"""From the tree back to plain data and YAML; reading the result gives an equal tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from shapecalc.algebra import Expr
from shapecalc.algebra.formula import Formula
from shapecalc.layers.base import Kind, Merge
from shapecalc.spec.steps import STRUCTURES
from shapecalc.spec.tree import Block, Budget, Call, Expect, Node, Sequential, Spec, Step

_STRUCTURE_NAMES = {cls: name for name, cls in STRUCTURES.items()}


def to_data(spec: Spec) -> dict[str, Any]:
    """Return the model as plain mappings and lists, as its YAML would hold them."""
    data: dict[str, Any] = {"name": spec.name}
    for key in ("title", "description"):
        if getattr(spec, key) is not None:
            data[key] = getattr(spec, key)
    if spec.paper is not None:
        data["paper"] = _fields(spec.paper)
    if spec.framework != "torch":
        data["framework"] = spec.framework
    if not spec.batched:
        data["batched"] = False
    if spec.parameters:
        data["parameters"] = _values(spec.parameters)
    shapes = {name: plain(shape) for name, shape in spec.input.items()}
    data["input"] = shapes["input"] if [*shapes] == ["input"] else shapes
    if spec.blocks:
        data["blocks"] = {name: _block(block) for name, block in spec.blocks.items()}
    data["layers"] = [_step(step) for step in spec.layers]
    if spec.outputs is not None:
        data["outputs"] = dict(spec.outputs)
    if spec.expect is not None:
        data["expect"] = _amounts(spec.expect)
    if spec.budget is not None:
        data["budget"] = _amounts(spec.budget)
    if spec.variants:
        data["variants"] = {
            name: {
                key: _amounts(value)
                if isinstance(value, (Expect, Budget))
                else _values(value)
                if isinstance(value, Mapping)
                else _fields(value)
                if isinstance(value, Node)
                else value
                for key, value in ((key, getattr(variant, key)) for key in type(variant).model_fields)
                if value
            }
            for name, variant in spec.variants.items()
        }
    return data


def plain(value: Any) -> Any:
    """Return a value as YAML holds it: formulas as text, exact rationals as decimals or text."""
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, Fraction):
        decimal = float(value)
        return decimal if Fraction(repr(decimal)) == value else f"{value.numerator}/{value.denominator}"
    if isinstance(value, Expr):
        return str(value)
    if isinstance(value, Kind):
        return {value.kind: plain(value.fields_set()) or None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def to_yaml(spec: Spec) -> str:
    """Return the model as YAML text."""
    import yaml

    text: str = yaml.dump(
        to_data(spec),
        Dumper=_dumper(),
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )
    return text


def _dumper() -> Any:
    """A dumper that quotes what YAML 1.2 readers would take for something else."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, indentless=False)

        def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
            return super().represent_sequence(tag, sequence, flow_style=_fits_a_line(sequence))

        def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
            return super().represent_mapping(tag, mapping, flow_style=_fits_a_line(mapping.values()))

    return Dumper


def _fits_a_line(items: Iterable[Any]) -> bool:
    """Say whether a collection is plain enough to stand on one line, as people write it."""
    return all(
        not isinstance(item, Mapping) and (not isinstance(item, list) or _fits_a_line(item)) for item in items
    )


def _fields(node: Node) -> dict[str, Any]:
    return {name: getattr(node, name) for name in type(node).model_fields if getattr(node, name) is not None}


def _amounts(node: Expect | Budget) -> dict[str, Any]:
    return {name: plain(value) for name, value in _fields(node).items()}


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def _block(block: Block) -> dict[str, Any]:
    data: dict[str, Any] = {"args": _values(block.args)} if block.args else {}
    return data | {"layers": [_step(step) for step in block.layers]}


def _step(step: Step) -> Any:
    data: dict[str, Any] = {}
    body = step.body
    if isinstance(body, Call):
        data[body.callee] = _values(body.arguments) or None
    elif isinstance(body, Sequential):
        data[_STRUCTURE_NAMES[type(body)]] = [_step(inner) for inner in body.steps]
    elif isinstance(body, Merge) and body.branches is not None:
        data[body.kind] = _branches(body)
    elif isinstance(body, Kind):
        data[body.kind] = {name: plain(value) for name, value in body.fields_set().items()} or None
    if step.name is not None:
        data["name"] = step.name
    if step.repeat is not None:
        data["repeat"] = plain(step.repeat)
    if step.when is not None:
        data["when"] = plain(step.when)
    if step.source is not None:
        data["from"] = step.source[0] if len(step.source) == 1 else list(step.source)
    if step.share is not None:
        data["share"] = step.share
    if step.trainable is not None:
        data["trainable"] = step.trainable
    if step.called is not None:
        data["called"] = step.called
    only = next(iter(data))
    return only if len(data) == 1 and data[only] is None else data


def _branches(merge: Merge) -> Any:
    branches = merge.branches or ()
    own = {name: plain(value) for name, value in merge.fields_set().items() if name != "branches"}
    written = {
        name: branch if isinstance(branch, str) else [_step(step) for step in branch]
        for name, branch in branches
    }
    if not own and [*written] == [str(index) for index in range(len(written))]:
        return [*written.values()]
    return own | written
