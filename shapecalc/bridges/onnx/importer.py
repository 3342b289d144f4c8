"""From an ONNX file to a `Model`: its inputs with their sizes, its nodes as steps, its outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from keyword import iskeyword
from pathlib import Path
from typing import Any

from onnx import ModelProto, ValueInfoProto
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.algebra.formula import Formula, NamedValues
from shapecalc.bridges.constant_arithmetic import simplified
from shapecalc.bridges.onnx.graph_import import GraphImport, HasBatch, Tensors, all_text, domain_of
from shapecalc.bridges.onnx.imported_steps import Halt
from shapecalc.bridges.onnx.model_file import MOST_NODES, read_model
from shapecalc.bridges.onnx.onnx_node import Operand
from shapecalc.errors import FormulaError, Place, ShapecalcError, SpecError, quote
from shapecalc.model import Model
from shapecalc.spec.find import short
from shapecalc.spec.tree import RESERVED_PARAMETERS

_BATCH = re.compile(r"n|b|bs|batch.*|.*_batch|unk__.*|s\d+|\?", re.IGNORECASE)
"""What files call the size of a batch; or it has no name."""
_USUAL = (224, 256, 128, 64, 512, 32, 225, 65, 299, 96, 384, 16, 8, 4, 2, 1)
"""What a size that the file leaves open is at first; the first that all layers take."""
_TRACED_BATCH = 11
"""The batch of the import: one that is hardly another size, and no 1, which would stretch."""


def imported(source: str | Path | ModelProto, name: str | None) -> Model:
    """Do what `from_onnx` says."""
    if isinstance(source, ModelProto):
        if len(source.graph.node) > MOST_NODES:
            raise SpecError(f"the graph has more than {MOST_NODES:,} nodes")
        return _Importer(source, None, name or source.graph.name or "model").model()
    path = Path(source)
    return _Importer(read_model(path), short(path), name or path.stem).model()


class _Importer:
    """A model of a file: its sizes by name, and attempts to run it at usual ones."""

    def __init__(self, proto: ModelProto, file: str | None, name: str) -> None:
        self.graph = graph = proto.graph
        self.place = Place(file) if file else Place()
        self.name = re.sub(r"\W", "_", name) or "model"
        self.versions = {domain_of(each.domain): each.version for each in proto.opset_import}
        self.functions = {(domain_of(each.domain), each.name): each for each in proto.functions}
        if self.graph.sparse_initializer:
            raise SpecError("sparse initializers are not read", place=self.place)
        types = [*graph.input, *graph.output, *graph.value_info]
        sizes = chain(*(each.type.tensor_type.shape.dim for each in types))
        all_text([*(each.name for each in (*types, *graph.initializer)), *(dim.dim_param for dim in sizes)])
        held = {tensor.name for tensor in self.graph.initializer}
        self.inputs = [each for each in self.graph.input if each.name not in held]
        if not self.inputs:
            raise SpecError("the graph has no input", place=self.place)
        self.titles = _distinct([each.name for each in self.inputs], "input")
        self.unnamed: set[str] = set()
        titled = zip(self.inputs, self.titles, strict=True)
        self.sizes = {each.name: self._sizes(each, title) for each, title in titled}
        self.letters = self._letters()
        self.has_batch = self._has_batch()

    # ---- sizes of the inputs

    def _sizes(self, value: ValueInfoProto, title: str) -> list[int | str]:
        """Return the sizes of an input: numbers, or the names that the file has for them."""
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
            what = "is no tensor" if not value.type.HasField("tensor_type") else "has no number of axes"
            raise SpecError(f"the input {quote(value.name)} {what}", place=self.place)
        sizes: list[int | str] = []
        for axis, dim in enumerate(tensor.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value >= 0:
                sizes.append(dim.dim_value)
            else:
                sizes.append(dim.dim_param or f"{title}_{axis}")
                self.unnamed |= set() if dim.dim_param else {str(sizes[-1])}
        return sizes

    def _letters(self) -> dict[str, str]:
        """Return the parameter for each name of a size that is no arithmetic over others."""
        names = dict.fromkeys(size for size in chain(*self.sizes.values()) if isinstance(size, str))
        plain = [name for name in names if not self._is_arithmetic(name, names)]
        return dict(zip(plain, _distinct(plain, "size", RESERVED_PARAMETERS | {*self.titles}), strict=True))

    @staticmethod
    def _is_arithmetic(name: str, names: Mapping[str, Any]) -> bool:
        try:
            read = Formula.parse(name).names
        except FormulaError:
            return False
        return name not in read and bool(read) and all(each in names for each in read)

    def _has_batch(self) -> bool:
        """Say whether the first axis of all inputs, and of all outputs, is a batch."""
        first = {sizes[0] if len(sizes) > 1 else None for sizes in self.sizes.values()}
        size = next(iter(first))
        if len(first) > 1 or size is None or size in chain(*(each[1:] for each in self.sizes.values())):
            return False
        if not (size == 1 if isinstance(size, int) else size in self.unnamed or _BATCH.fullmatch(size)):
            return False
        return all(self._may_begin_with(size, output) for output in self.graph.output)

    def _may_begin_with(self, size: int | str, value: ValueInfoProto) -> bool:
        shape = value.type.tensor_type.shape
        if not value.type.tensor_type.HasField("shape"):
            return True
        if not shape.dim:
            return False
        dim = shape.dim[0]
        return dim.dim_value == size if isinstance(size, int) else not dim.HasField("dim_value")

    # ---- attempts

    def model(self) -> Model:
        """Return the model at the first usual sizes that all layers take, or else at the first."""
        free = [name for name in self.letters if not self._is_batch(name)]
        first: Model | None = None
        for size in _USUAL if free else _USUAL[:1]:
            model, is_complete = self._attempt(dict.fromkeys(free, size))
            if is_complete:
                return model
            first = first or model
        assert first is not None
        return first

    def _is_batch(self, name: str) -> bool:
        return self.has_batch and name == self.sizes[self.inputs[0].name][0]

    def _attempt(self, values: dict[str, int], batch: int = _TRACED_BATCH) -> tuple[Model, bool]:
        """Return the model at some sizes, and whether every layer takes them."""
        named = {name: batch for name in self.letters if self._is_batch(name)}
        known = NamedValues({**values, **named})
        shapes = {
            name: tuple(self._number(size, known) for size in each) for name, each in self.sizes.items()
        }
        has_any = bool(named) and all(batch not in shape[1:] for shape in shapes.values())
        run = GraphImport(
            self.versions,
            self.place,
            self.functions,
            batch if has_any and batch > 1 else 0,
            lambda title: self._declared(title, known),
        )
        tensors: Tensors = {each.name: run.initializer(each) for each in self.graph.initializer}
        for value, title in zip(self.inputs, self.titles, strict=True):
            shape = tuple([size or 1 for size in shapes[value.name]])
            operand = Operand(value.name, value.type.tensor_type.elem_type, shape, title)
            run.add_input(title, operand)
            tensors[value.name] = run.emptied(operand, shapes[value.name])
        is_complete = True
        try:
            run.run(self.graph.node, tensors)
        except Halt:
            if named and batch > 1:
                return self._attempt(values, 1)
            is_complete = False
            self._pin(run, {**values, **named})
        except HasBatch:
            return self._attempt(values, 1)
        return self._model(run, tensors, values, is_complete=is_complete), is_complete

    def _pin(self, run: GraphImport, values: Mapping[str, int]) -> None:
        """Refuse other sizes than those of the import: what is behind the layer that refuses is not known."""
        run.shapes.setdefault(run.last, ())
        for name, size in values.items():
            is_batch = self._is_batch(name)
            run.condition(
                f"size({self.titles[0]!r}, 0)" if is_batch else self.letters[name], "equal", str(size)
            )

    def _number(self, size: int | str, known: NamedValues) -> int:
        if isinstance(size, int):
            return size
        value = known.values[size] if size in known.values else Formula.parse(size).evaluate(known)
        if not isinstance(value, int) or value < 1:
            raise SpecError(f"the size {quote(size)} comes to {value}", place=self.place)
        return value

    def _declared(self, title: str, known: NamedValues) -> tuple[int, ...] | None:
        """Return the shape that the file says of a tensor, at the sizes of the import."""
        value = self.values.get(title)
        if value is None or not value.type.tensor_type.HasField("shape"):
            return None
        sizes: list[int] = []
        for dim in value.type.tensor_type.shape.dim:
            try:
                sizes.append(
                    dim.dim_value if dim.HasField("dim_value") else self._number(dim.dim_param, known)
                )
            except ShapecalcError:
                return None
        return tuple(sizes)

    @property
    def values(self) -> dict[str, ValueInfoProto]:
        """The types that the file says of its tensors."""
        return {each.name: each for each in (*self.graph.value_info, *self.graph.output)}

    # ---- the model

    def _model(
        self, run: GraphImport, tensors: Tensors, values: dict[str, int], *, is_complete: bool
    ) -> Model:
        front = 1 if self.has_batch else 0
        inputs = {
            title: [self._written(size) for size in self.sizes[value.name][front:]]
            for value, title in zip(self.inputs, self.titles, strict=True)
        }
        outputs: dict[str, str] = {}
        if is_complete:
            titles = _distinct([each.name for each in self.graph.output], "output")
            if run.unread:
                layer = layers.Unused(tensors=run.unread)
                run.append(layer, [tensors[self.inputs[0].name]], run.unique("unused_initializers"))
            for value, title in zip(self.graph.output, titles, strict=True):
                if value.name not in tensors:
                    raise SpecError(f"no node makes the output {quote(value.name)}", place=self.place)
                outputs[title] = run.source(tensors[value.name])
        if not run.steps:
            run.append(layers.Identity(), [tensors[self.inputs[0].name]], run.unique("unchanged"))
        data: dict[str, Any] = {
            "name": self.name,
            "parameters": {self.letters[name]: value for name, value in values.items()},
            "input": inputs,
        }
        if not self.has_batch:
            data["batched"] = False
        if len(outputs) > 1 or (outputs and [*outputs.values()] != [run.steps[-1].name]):
            data["outputs"] = outputs
        try:
            return simplified(Model(layers=run.steps, **data), data, run.steps)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise SpecError(f"{first['loc'][0]}: {first['msg']}", place=self.place) from None

    def _written(self, size: int | str) -> int | str:
        return size or 1 if isinstance(size, int) else self.letters.get(size, size)


def _distinct(titles: list[str], word: str, reserved: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Return names for a spec, all different, for names of a file."""
    names: list[str] = []
    taken = {*reserved}
    for title in titles:
        name = re.sub(r"\W", "_", title, flags=re.ASCII)[:70].lstrip("0123456789") or word
        if name in ("true", "false", "null") or iskeyword(name) or name in reserved:
            name = f"{name}_"
        plain, number = name, 1
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        taken.add(name)
        names.append(name)
    return names
