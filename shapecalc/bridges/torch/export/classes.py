"""The classes of an export worked out: how each of their modules is made, and what arguments that takes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.export.argument_values import Values, items_of, known_of, rows_of
from shapecalc.bridges.torch.export.bodies import Item
from shapecalc.bridges.torch.export.class_data import UNSAID, Class, Given, Made, Parameter
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

    `args` are the arguments of the block with their defaults, None for the whole network; `shared` are the
    parameters of the model that every class may take.
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
        self.reserved = reserved
        self.shared = shared
        own = {name: default for name, default in (args or {}).items() if name not in reserved}
        variables = {id(part): part.variables for part in self.body.instances}
        rows = rows_of(own, variables)
        known = [*self._known(args), *known_of(own, variables), *items_of(rows), *self._shared(args)]
        self.earlier = dict(_earlier(self.body.items))
        self.values = Values([*variables], known, rows, reserved)

    def _known(self, args: Mapping[str, Any] | None) -> list[Parameter]:
        """Return the channels that arrive as an argument, unless the block has one of that name."""
        column = self._column("in:0")
        if args is None or "in_channels" in args or column is None:
            return []
        self.made.channels["in:0"] = ast.Name("in_channels")
        return [Parameter("in_channels", dict(zip(map(id, self.body.instances), column, strict=True)))]

    def _shared(self, args: Mapping[str, Any] | None) -> list[Parameter]:
        """Return the parameters of the model that no argument of the block hides; the root has defaults."""
        numbers = [id(part) for part in self.body.instances]
        return [
            Parameter(name, dict.fromkeys(numbers, value), value if args is None else UNSAID)
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
            self._follow(item)
        names = self.values.named_items()
        self.made.parameters = self.values.chosen
        self.made.rename(names)

    # ---- one module

    def _module(self, item: Item) -> None:
        if item.is_optional:
            present = [UNSAID if part.what == "missing" else part.is_here for part in item.parts]
            written = next(part.step.when for part in item.parts if part.step is not None)
            self.made.conditions[id(item)] = self.values.settle(
                present, [translated(written)], f"has_{_label(item)}"
            )
        if item.body is not None:
            self.made.made[id(item)] = self._block(item, self.classes[id(item.body)])
            return
        own = [self.sources.get(id(part)) for part in item.parts]
        layers = [one if isinstance(one, ModuleSource) else None for one in own]
        self.made.made[id(item)] = self._layer(item, layers, _label(item))

    def _count(self, item: Item) -> None:
        """Work out how many passes a repeat has."""
        written = next((part.step.repeat for part in item.parts if part.step is not None), None)
        self.made.counts[id(item)] = self.values.settle(
            [count or UNSAID for count in item.passes], [translated(written)], f"{_label(item)}_count"
        )

    def _layer(self, item: Item, layers: Sequence[ModuleSource | None], key: str) -> Made:
        first = next(one for one in layers if one is not None)
        callees = [None if one is None else one.callee for one in layers]
        callee = first.callee
        if len({one for one in callees if one is not None}) > 1:
            callee = self._chosen_module(item, callees)
        arguments = tuple(self._argument(item, layers, first, name, key) for name in first.in_order)
        inside = tuple(
            (name, self._layer(item, [None if one is None else one.inside[name] for one in layers], name))
            for name in first.inside
        )
        return Made(callee, arguments, inside)

    def _argument(
        self, item: Item, layers: Sequence[ModuleSource | None], first: ModuleSource, name: str, key: str
    ) -> Given:
        values = [UNSAID if one is None else one.arguments[name] for one in layers]
        formulas = (translated(one.written.get(name)) for one in layers if one is not None)
        written = next((formula for formula in formulas if formula is not None), None)
        through = self.made.channels.get(item.sources[0]) if name in first.inferred else None
        guesses = [written, through, self._before(item, name)]
        code = self.values.settle(values, guesses, self.values.called(name, key))
        return Given(name, code, defaults(first.target).get(name, UNSAID))

    def _chosen_module(self, item: Item, callees: Sequence[str | None]) -> str:
        label = item.parts[0].label
        values = [UNSAID if callee is None else callee for callee in callees]
        return text(self.values.settle_module(values, label if label.isidentifier() else _label(item)))

    def _block(self, item: Item, inner: Class) -> Made:
        given = []
        for one in inner.parameters:
            values = [one.values[id(part)] if part.is_here else UNSAID for part in item.parts]
            if one.is_module:
                code = self.values.settle_module(values, one.name)
            else:
                code = self.values.settle(
                    values,
                    [
                        self._said(item, inner, one),
                        self.made.channels.get(item.sources[0]) if one.name == "in_channels" else None,
                        self._before(item, one.name),
                    ],
                    self._name_for(item, inner, one),
                )
            given.append(Given(one.name, code, one.default))
        return Made(inner.name, tuple(given))

    def _before(self, item: Item, name: str) -> ast.expr | None:
        """Return how an argument is written in the pass before, where passes are to be alike."""
        made = self.made.made.get(id(self.earlier.get(id(item))))
        return next((one.code for one in made.arguments if one.name == name), None) if made else None

    def _name_for(self, item: Item, inner: Class, one: Parameter) -> str:
        """Return what an argument of a block is called outside, with the name of the block if need be."""
        if one.name in FIELDS and one.name not in inner.args and one.origin is None:
            return f"{_label(item)}_{one.name}"
        return self.values.called(one.name, _label(item))

    def _said(self, item: Item, inner: Class, one: Parameter) -> ast.expr | None:
        """Return how the spec gives a block an argument; a parameter of the model goes by its own name."""
        if one.name in self.shared and one.name not in inner.args:
            return ast.Name(one.name)
        name, place = one.origin or (one.name, None)
        given = next((part.written[name] for part in item.parts if name in part.written), None)
        if place is None:
            return translated(given)
        return ast.Name(item_name(given.text, place)) if isinstance(given, Formula) else None

    # ---- channels

    def _column(self, ref: str, item: Item | None = None) -> list[Any] | None:
        """Return the channels of a tensor in every instance that has it."""
        slots: list[int | None] = []
        if item is None:
            slots = [part.sources[0] for part in self.body.instances]
        else:
            index = item.results.index(ref)
            slots = [
                None if part.what == "missing" else part.results[index]
                for part in item.parts
                if part.what == "missing" or index < len(part.results)
            ]
        column = [UNSAID if slot is None else self._channels(slot) for slot in slots]
        return column if None not in column and len(column) == len(self.body.instances) else None

    def _channels(self, slot: int) -> int | None:
        """Return the channels of a tensor, if it has any."""
        shape = self.shapes[slot] or ()
        return shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None

    def _follow(self, item: Item) -> None:
        """Find how the channels of a result are written."""
        if item.what not in ("leaf", "block", "merge", "repeat") or not item.results:
            return
        ref = item.results[0]
        column = self._column(ref, item)
        if column is None:
            return
        for tree in self._guesses(item):
            if tree is not None and self.values.holds(tree, column):
                self.made.channels[ref] = tree
                return
        said = {one for one in column if one is not UNSAID}
        if len(said) == 1:
            self.made.channels[ref] = ast.Constant(said.pop())

    def _guesses(self, item: Item) -> list[ast.expr | None]:
        guesses: list[ast.expr | None] = []
        if item.what == "repeat":
            return [self.made.channels.get(ref) for one in reversed(item.children) for ref in one.results[:1]]
        made = self.made.made.get(id(item))
        if made is not None and item.body is None:
            last = made.inside[-1][1] if made.inside else made
            guesses += [one.code for one in last.arguments if one.name in ("out_channels", "out_features")]
        if made is not None and item.body is not None:
            through = self.classes[id(item.body)].channels.get(item.body.outputs[0])
            if through is not None:
                guesses.append(substituted(through, {one.name: one.code for one in made.arguments}))
        if item.sources:
            guesses.append(self.made.channels.get(item.sources[0]))
        if any(part.node is not None and isinstance(part.node.layer, Concat) for part in item.parts):
            parts = [self.made.channels.get(ref) for ref in item.sources]
            total = parts[0]
            for one in parts[1:]:
                total = None if total is None or one is None else folded(ast.BinOp(total, ast.Add(), one))
            guesses.append(total)
        return guesses


def _earlier(body: Item) -> Iterator[tuple[int, Item]]:
    """Yield every piece of a ragged repeat's passes with its like in the pass before."""
    for item in body.items():
        if item.is_ragged:
            for one, other in pairwise(item.children):
                yield from (
                    (id(later), first) for first, later in zip(one.items(), other.items(), strict=False)
                )


def _label(item: Item) -> str:
    """Return a word for an item: its name, behind that of its repeat where it is one pass."""
    words: list[str] = []
    for part in reversed(item.parts[0].path.split(".")):
        words.insert(0, part)
        if not part.isdecimal():
            break
    return "_".join(words) if not words[0].isdecimal() else f"layer_{item.key}"
