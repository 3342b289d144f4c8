"""The arguments of the classes of an export, and how each of their modules is made from them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.export.argument_values import Values, block_arguments
from shapecalc.bridges.torch.export.class_data import NO_VALUE, Argument, Callee, Class, Item, Made, Parameter
from shapecalc.bridges.torch.export.expansion_tree import Network
from shapecalc.bridges.torch.export.symbols import folded, item_name, substituted, translated
from shapecalc.bridges.torch.twins.source import ModuleSource, defaults
from shapecalc.layers.merge import Concat

IN_CHANNELS = "in_channels"
"""What formulas of the spec call the channels of their input."""


class ClassArguments:
    """Works out the arguments of one class; those of the blocks in it are worked out already.

    `shared` are the parameters of the model that every class may take.
    """

    def __init__(
        self, cls: Class, network: Network, shared: Mapping[str, Any], reserved: Collection[str]
    ) -> None:
        self.cls = cls
        self.network = network
        self.shared = shared
        instances = cls.instances
        own = {name: default for name, default in cls.args.items() if name not in reserved}
        known, rows = block_arguments(own, instances)
        entering = {part: network.channels(part.sources[0]) for part in instances}
        if not cls.is_root and IN_CHANNELS not in cls.args and None not in entering.values():
            self.cls.channels["in:0"] = ast.Name(IN_CHANNELS)
            known.insert(0, Parameter(IN_CHANNELS, {**entering}))
        known += (
            Parameter(name, dict.fromkeys(instances, value), value if cls.is_root else NO_VALUE)
            for name, value in shared.items()
            if name not in cls.args
        )
        self.earlier = dict(_earlier(cls))
        self.values = Values(instances, known, rows, reserved)

    def work_out(self) -> None:
        """Work out every module of the class, in the order in which they run."""
        for item in self.cls.items():
            if item.is_module:
                self._module(item)
            if item.is_ragged:
                counts = [count or NO_VALUE for count in item.passes]
                formula = translated(item.step and item.step.repeat)
                item.count = self.values.written(counts, [formula], f"{_label(item)}_count")
            self._follow_channels(item)
        names = self.values.name_items()
        self.cls.parameters = self.values.chosen()
        self.cls.rename(names)

    # ---- one module

    def _module(self, item: Item) -> None:
        if item.is_optional:
            present = [NO_VALUE if part.what == "missing" else part.is_here for part in item.parts]
            condition = translated(item.step and item.step.when)
            item.condition = self.values.written(present, [condition], f"has_{_label(item)}")
        if item.cls is not None:
            item.made = self._block(item, item.cls)
        else:
            sources = [part.source for part in item.parts]
            layers = [source if isinstance(source, ModuleSource) else None for source in sources]
            item.made = self._layer(item, layers, _label(item))

    def _layer(self, item: Item, layers: Sequence[ModuleSource | None], key: str) -> Made:
        first = next(layer for layer in layers if layer is not None)
        callees = [NO_VALUE if layer is None else Callee(layer.callee) for layer in layers]
        label = item.parts[0].label
        callee = self.values.written(callees, [], label if label.isidentifier() else _label(item))
        arguments = tuple(self._argument(item, layers, first, name, key) for name in first.in_order)
        inside = {
            name: self._layer(item, [None if layer is None else layer.inside[name] for layer in layers], name)
            for name in first.inside
        }
        return Made(callee, arguments, inside)

    def _argument(
        self, item: Item, layers: Sequence[ModuleSource | None], first: ModuleSource, name: str, key: str
    ) -> Argument:
        values = [NO_VALUE if layer is None else layer.arguments[name] for layer in layers]
        formulas = (translated(layer.written.get(name)) for layer in layers if layer is not None)
        formula = next((formula for formula in formulas if formula is not None), None)
        channels = self.cls.channels.get(item.sources[0]) if first.is_inferred(name) else None
        guesses = [formula, channels, self._before(item, name)]
        code = self.values.written(values, guesses, self.values.argument_name(name, key))
        default = defaults(first.target).get(name, NO_VALUE)
        return Argument(name, code, default, first.is_size(name), first.is_made(name))

    def _block(self, item: Item, inner: Class) -> Made:
        arguments = []
        settings = {
            each.name
            for piece in inner.items()
            if piece.made and not piece.cls
            for each in piece.made.arguments
        }
        for parameter in inner.parameters:
            name = parameter.name
            values = [parameter.values[part] if part.is_here else NO_VALUE for part in item.parts]
            is_channels = name == IN_CHANNELS
            guesses = [
                self._in_spec(item, inner, parameter),
                self.cls.channels.get(item.sources[0]) if is_channels else None,
                self._before(item, name),
            ]
            outside = self.values.argument_name(name, _label(item))
            if name in settings and name not in (IN_CHANNELS, *inner.args) and parameter.origin is None:
                outside = (
                    f"{_label(item)}_{name}"  # a setting's name alone says too little outside of a block
                )
            code = self.values.written(values, guesses, outside)
            arguments.append(Argument(name, code, parameter.default, is_channels))
        return Made(ast.Name(inner.name), tuple(arguments))

    def _before(self, item: Item, name: str) -> ast.expr | None:
        """Return how an argument is written in the pass before, where passes are to be alike."""
        earlier = self.earlier.get(item)
        made = earlier and earlier.made
        return next((each.code for each in made.arguments if each.name == name), None) if made else None

    def _in_spec(self, item: Item, inner: Class, parameter: Parameter) -> ast.expr | None:
        """Return how the spec writes an argument of a block; the model's parameters keep their names."""
        if parameter.name in self.shared and parameter.name not in inner.args:
            return ast.Name(parameter.name)
        name, place = parameter.origin or (parameter.name, None)
        formula = next((part.written[name] for part in item.parts if name in part.written), None)
        if place is None:
            return translated(formula)
        return ast.Name(item_name(formula.text, place)) if isinstance(formula, Formula) else None

    # ---- channels

    def _follow_channels(self, item: Item) -> None:
        """Find how the channels of a result are written."""
        if item.what not in ("leaf", "block", "merge", "repeat") or not item.results:
            return
        column: list[Any] = []
        for part in item.parts:
            if part.what != "missing" and (
                not part.results or self.network.channels(part.results[0]) is None
            ):
                return
            column.append(self.network.channels(part.results[0]) if part.results else NO_VALUE)
        known = {size for size in column if size is not NO_VALUE}
        guesses = [tree for tree in self._guesses(item) if tree is not None]
        constant = ast.Constant(known.pop()) if len(known) == 1 else None
        tree = next((tree for tree in guesses if self.values.holds(tree, column)), constant)
        if tree is not None:
            self.cls.channels[item.results[0]] = tree

    def _guesses(self, item: Item) -> Iterator[ast.expr | None]:
        of = self.cls.channels.get
        if item.what == "repeat":
            yield from (of(ref) for child in reversed(item.children) for ref in child.results[:1])
            return
        if item.made is not None and item.cls is None:
            last = [item.made, *item.made.inside.values()][-1]
            yield from (each.code for each in last.arguments if each.is_made)
        if item.made is not None and item.cls is not None:
            result = item.cls.channels.get(item.cls.outputs[0])
            if result is not None:
                yield substituted(result, {each.name: each.code for each in item.made.arguments})
        if item.sources:
            yield of(item.sources[0])
        if any(part.node is not None and isinstance(part.node.layer, Concat) for part in item.parts):
            total, *others = map(of, item.sources)
            for tree in others:
                total = None if total is None or tree is None else folded(ast.BinOp(total, ast.Add(), tree))
            yield total


def _earlier(cls: Class) -> Iterator[tuple[Item, Item]]:
    """Yield every piece of a ragged repeat's passes with its like in the pass before."""
    for item in cls.items():
        for before, after in pairwise(item.children) if item.is_ragged else ():
            pieces = zip(before.items(), after.items(), strict=False)
            yield from ((later, first) for first, later in pieces)


def _label(item: Item) -> str:
    """Return a word for an item: its name, behind that of its repeat where it is one pass."""
    words: list[str] = []
    for part in reversed(item.parts[0].path.split(".")):
        words.insert(0, part)
        if not part.isdecimal():
            break
    return "_".join(words) if not words[0].isdecimal() else f"layer_{item.key}"
