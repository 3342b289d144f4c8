"""The classes of an export worked out: how each of their modules is made, and what arguments that takes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.export.argument_values import (
    Values,
    known_arguments,
    list_arguments,
    list_items,
)
from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.export.class_data import UNSAID, Argument, Class, Made, Parameter
from shapecalc.bridges.torch.export.symbols import folded, item_name, substituted, translated
from shapecalc.bridges.torch.twins.code import text
from shapecalc.bridges.torch.twins.source import ModuleSource, Source, defaults
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Shape

FIELDS = frozenset(
    ["out_channels", "out_features", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "p"]
)
"""What layers call their settings: such a name alone says too little outside of a block."""


class Writer:
    """Works out the arguments of one class; the classes of the blocks in it are worked out already.

    `args` are the arguments of the block with their defaults, None for the root; `shared` are the parameters
    of the model that every class may take.
    """

    def __init__(
        self,
        made: Class,
        args: Mapping[str, Any] | None,
        shared: Mapping[str, Any],
        classes: Mapping[int, Class],
        sources: Mapping[int, Source],
        shapes: Sequence[Shape | None],
        reserved: Collection[str],
    ) -> None:
        self.made = made
        self.body = made.body
        self.classes = classes
        self.sources = sources
        self.shapes = shapes
        self.shared = shared
        self.numbers = [id(part) for part in self.body.instances]
        own = {name: default for name, default in (args or {}).items() if name not in reserved}
        columns = {name: {id(part): part.variables.get(name) for part in self.body.instances} for name in own}
        rows = list_arguments(columns)
        known = [*self._in_channels(args), *known_arguments(own, columns), *list_items(rows)]
        self.earlier = dict(_earlier(self.body.items))
        self.values = Values(self.numbers, [*known, *self._shared(args)], rows, reserved)

    def _in_channels(self, args: Mapping[str, Any] | None) -> list[Parameter]:
        """Return the channels of the input as an argument, unless the block has one of that name."""
        column = self._column("in:0")
        if args is None or "in_channels" in args or column is None:
            return []
        self.made.channels["in:0"] = ast.Name("in_channels")
        return [Parameter("in_channels", dict(zip(self.numbers, column, strict=True)))]

    def _shared(self, args: Mapping[str, Any] | None) -> list[Parameter]:
        """Return the parameters of the model that no argument of the block hides; the root has defaults."""
        return [
            Parameter(name, dict.fromkeys(self.numbers, value), value if args is None else UNSAID)
            for name, value in self.shared.items()
            if name not in (args or {})
        ]

    def work_out(self) -> None:
        """Work out every module of the class, in the order in which they run."""
        for item in self.body.items.items():
            if item.is_module:
                self._module(item)
            if item.is_ragged:
                self._count(item)
            self._follow_channels(item)
        names = self.values.name_items()
        self.made.parameters = self.values.chosen
        self.made.rename(names)

    # ---- one module

    def _module(self, item: Item) -> None:
        if item.is_optional:
            present = [UNSAID if part.what == "missing" else part.is_here for part in item.parts]
            condition = translated(next(part.step.when for part in item.parts if part.step is not None))
            tree = self.values.written(present, [condition], f"has_{_label(item)}")
            self.made.conditions[id(item)] = tree
        if item.body is not None:
            self.made.made[id(item)] = self._block(item, self.classes[id(item.body)])
        else:
            sources = [self.sources.get(id(part)) for part in item.parts]
            layers = [source if isinstance(source, ModuleSource) else None for source in sources]
            self.made.made[id(item)] = self._layer(item, layers, _label(item))

    def _count(self, item: Item) -> None:
        """Work out how many passes a repeat has."""
        formula = next((part.step.repeat for part in item.parts if part.step is not None), None)
        self.made.counts[id(item)] = self.values.written(
            [count or UNSAID for count in item.passes], [translated(formula)], f"{_label(item)}_count"
        )

    def _layer(self, item: Item, layers: Sequence[ModuleSource | None], key: str) -> Made:
        first = next(layer for layer in layers if layer is not None)
        callees = [UNSAID if layer is None else layer.callee for layer in layers]
        label = item.parts[0].label
        callee = self.values.written_class(callees, label if label.isidentifier() else _label(item))
        arguments = tuple(self._argument(item, layers, first, name, key) for name in first.in_order)
        inside = tuple(
            (
                name,
                self._layer(item, [None if layer is None else layer.inside[name] for layer in layers], name),
            )
            for name in first.inside
        )
        return Made(text(callee), arguments, inside)

    def _argument(
        self, item: Item, layers: Sequence[ModuleSource | None], first: ModuleSource, name: str, key: str
    ) -> Argument:
        values = [UNSAID if layer is None else layer.arguments[name] for layer in layers]
        formulas = (translated(layer.written.get(name)) for layer in layers if layer is not None)
        formula = next((formula for formula in formulas if formula is not None), None)
        channels = self.made.channels.get(item.sources[0]) if name in first.inferred else None
        guesses = [formula, channels, self._before(item, name)]
        code = self.values.written(values, guesses, self.values.argument_name(name, key))
        return Argument(name, code, defaults(first.target).get(name, UNSAID))

    def _block(self, item: Item, inner: Class) -> Made:
        arguments = []
        for parameter in inner.parameters:
            values = [parameter.values[id(part)] if part.is_here else UNSAID for part in item.parts]
            if parameter.is_module:
                code = self.values.written_class(values, parameter.name)
            else:
                channels = self.made.channels.get(item.sources[0])
                guesses = [
                    self._in_spec(item, inner, parameter),
                    channels if parameter.name == "in_channels" else None,
                    self._before(item, parameter.name),
                ]
                code = self.values.written(values, guesses, self._name_outside(item, inner, parameter))
            arguments.append(Argument(parameter.name, code, parameter.default))
        return Made(inner.name, tuple(arguments))

    def _before(self, item: Item, name: str) -> ast.expr | None:
        """Return how an argument is written in the pass before, where passes are to be alike."""
        made = self.made.made.get(id(self.earlier.get(id(item))))
        return next((each.code for each in made.arguments if each.name == name), None) if made else None

    def _name_outside(self, item: Item, inner: Class, parameter: Parameter) -> str:
        """Return what an argument of a block is called outside, with the name of the block if need be."""
        if parameter.name in FIELDS and parameter.name not in inner.args and parameter.origin is None:
            return f"{_label(item)}_{parameter.name}"
        return self.values.argument_name(parameter.name, _label(item))

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

    def _column(self, ref: str, item: Item | None = None) -> list[Any] | None:
        """Return the channels of a tensor in every instance that has it; None where one has no channels."""
        slots: list[int | None] = [part.sources[0] for part in self.body.instances]
        if item is not None:
            index = item.results.index(ref)
            slots = [
                None if part.what == "missing" else part.results[index]
                for part in item.parts
                if part.what == "missing" or index < len(part.results)
            ]
        column = [UNSAID if slot is None else self._channels(slot) for slot in slots]
        return column if None not in column and len(column) == len(self.numbers) else None

    def _channels(self, slot: int) -> int | None:
        shape = self.shapes[slot] or ()
        return shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None

    def _follow_channels(self, item: Item) -> None:
        """Find how the channels of a result are written."""
        if item.what not in ("leaf", "block", "merge", "repeat") or not item.results:
            return
        ref = item.results[0]
        column = self._column(ref, item)
        if column is None:
            return
        known = {size for size in column if size is not UNSAID}
        guesses = [tree for tree in self._guesses(item) if tree is not None]
        constant = ast.Constant(known.pop()) if len(known) == 1 else None
        tree = next((tree for tree in guesses if self.values.holds(tree, column)), constant)
        if tree is not None:
            self.made.channels[ref] = tree

    def _guesses(self, item: Item) -> list[ast.expr | None]:
        of = self.made.channels.get
        if item.what == "repeat":
            return [of(ref) for child in reversed(item.children) for ref in child.results[:1]]
        guesses: list[ast.expr | None] = []
        made = self.made.made.get(id(item))
        if made is not None and item.body is None:
            last = made.inside[-1][1] if made.inside else made
            guesses += [each.code for each in last.arguments if each.name in ("out_channels", "out_features")]
        if made is not None and item.body is not None:
            result = self.classes[id(item.body)].channels.get(item.body.outputs[0])
            if result is not None:
                guesses.append(substituted(result, {each.name: each.code for each in made.arguments}))
        if item.sources:
            guesses.append(of(item.sources[0]))
        if any(part.node is not None and isinstance(part.node.layer, Concat) for part in item.parts):
            total, *others = map(of, item.sources)
            for tree in others:
                total = None if total is None or tree is None else folded(ast.BinOp(total, ast.Add(), tree))
            guesses.append(total)
        return guesses


def _earlier(body: Item) -> Iterator[tuple[int, Item]]:
    """Yield every piece of a ragged repeat's passes with its like in the pass before."""
    for item in body.items():
        if item.is_ragged:
            for before, after in pairwise(item.children):
                yield from (
                    (id(later), first) for first, later in zip(before.items(), after.items(), strict=False)
                )


def _label(item: Item) -> str:
    """Return a word for an item: its name, behind that of its repeat where it is one pass."""
    words: list[str] = []
    for part in reversed(item.parts[0].path.split(".")):
        words.insert(0, part)
        if not part.isdecimal():
            break
    return "_".join(words) if not words[0].isdecimal() else f"layer_{item.key}"
