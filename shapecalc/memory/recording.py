"""From an inference to a program: layers and their steps, in storages as their kinds or a run have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from shapecalc.algebra import Dim, maximum, product
from shapecalc.engine.graph import Graph, Inference
from shapecalc.engine.lifetimes import Copied, Lifetimes, Made
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.memory_traits import Input, Memory, Mode, Own, Place, Result, element_size
from shapecalc.layers.memory_traits import Storage as Of
from shapecalc.layers.requirement import Shape
from shapecalc.memory.program import (
    ACTIVATION,
    HELD,
    INPUT,
    OUTPUT,
    SAVED,
    Key,
    Operation,
    Program,
    Tensor,
    Weight,
)

_REAL = ("value", "statistic")
_T = TypeVar("_T")


def recorded(
    inference: Inference,
    inputs: Mapping[str, tuple[Shape, int]],
    item: int,
    lives: Lifetimes,
    *,
    training: bool,
) -> Program:
    """Return the operations of an inference; `inputs` are shapes with the bytes of an element."""
    recorder = _Recorder(Program(training, item), lives)
    program, nodes = recorder.program, inference.graph.nodes
    slots: list[int] = []
    copies: dict[str, list[Copied]] = {}
    for each in lives.copies:
        copies.setdefault(each.after, []).append(each)
    names_of = _slots_by_name(inference.graph, [*inputs]) if copies else {}
    for name, (shape, size) in inputs.items():
        storage = program.storage(product(shape) * size, INPUT)
        slots.append(program.add(Tensor(shape, storage, size)))
        if (seen := lives.inputs.get(name)) is not None:
            recorder.numbers[seen.storage] = storage
    for node, effect in zip(nodes, inference.effects, strict=True):
        assert effect is not None
        sources = [slots[slot] for slot in node.sources]
        owner = node.path if node.owner is None else nodes[node.owner].path
        learned = effect.weights if node.trainable else ()
        names = {name: (owner, name) for name in learned if name not in node.layer.statistics}
        results = recorder.layer(node.path, node.layer, sources, names, lives.results.get(node.path, ()))
        slots += results
        recorder.end_layer(node.path, results)
        for copy in copies.get(node.path, ()):
            slot = names_of.get(copy.source)
            if slot is not None and slot < len(slots):
                slots[slot] = recorder.copied(copy, slots[slot])
    recorder.end()
    program.outputs = tuple([slots[slot] for slot in inference.graph.outputs.values()])
    for output in program.outputs:
        storage_ = program.storages[program.tensors[output].storage]
        if storage_.part == ACTIVATION:
            storage_.part = OUTPUT
    return program


def _slots_by_name(graph: Graph, inputs: Sequence[str]) -> dict[str, int]:
    """Return the slots by what a trace calls them: a layer, or one with the number of a result."""
    slots = {name: slot for slot, name in enumerate(inputs)}
    for node in graph.nodes:
        slots |= {f"{node.path}.{number}": slot for number, slot in enumerate(node.slots)}
        slots[node.path] = node.first_slot
    return slots


class _Recorder:
    """Adds layers to a program."""

    def __init__(self, program: Program, lives: Lifetimes) -> None:
        self.program = program
        self.lives = lives
        self.numbers: dict[int, int] = dict.fromkeys(lives.held, HELD)
        """The storage here that each of the run is."""
        self.ends: dict[str, int] = {}
        """The last operation of each layer."""

    def layer(
        self,
        path: str,
        layer: Kind,
        sources: Sequence[int],
        names: Mapping[str, Key],
        seen: Sequence[Made] = (),
        *,
        in_place: bool = False,
    ) -> tuple[int, ...]:
        """Add a layer, or the steps of one; `names` has the weights that learn by their names in it."""
        program = self.program
        steps = layer.steps(self._shapes(sources))
        if not steps:
            return self._operation(path, layer, sources, names, seen, in_place=in_place)
        slots = [*sources]
        until: dict[int, int] = {}
        results: tuple[int, ...] = ()
        for number, step in enumerate(steps):
            read = [slots[slot] for slot in step.sources]
            weights = step.layer.apply(self._shapes(read)).weights
            inner = {
                name: names[outer]
                for name, outer in zip(weights, step.weights, strict=False)
                if outer in names
            }
            results = self.layer(f"{path}.{number}", step.layer, read, inner, in_place=step.in_place)
            slots += results
            until |= dict.fromkeys(step.drops, len(program.operations) - 1)
        end = len(program.operations) - 1
        for slot, tensor in enumerate(slots):
            program.hold(tensor, until.get(slot, end) if slot >= len(sources) else end)
        return results

    def _shapes(self, numbers: Iterable[int]) -> tuple[Shape, ...]:
        return tuple([self.program.tensors[number].shape for number in numbers])

    def _operation(
        self,
        path: str,
        layer: Kind,
        sources: Sequence[int],
        names: Mapping[str, Key],
        seen: Sequence[Made],
        *,
        in_place: bool,
    ) -> tuple[int, ...]:
        program = self.program
        tensors = [program.tensors[number] for number in sources]
        shapes = self._shapes(sources)
        effect = layer.apply(shapes)
        learns = program.training and bool(names)
        wants = tuple([tensor.learns for tensor in tensors])
        strides = tuple([tensor.strides for tensor in tensors])
        mode = Mode(program.training, wants, learns, in_place, strides)
        memory = layer.memory(shapes, mode)
        if memory is not None and memory.results[0] is None and self._is_first(seen, tensors):
            memory = layer.memory(shapes, replace(mode, in_place=True))
        if memory is None or (program.training and path in self.lives.partial):
            program.unknown[path] = layer.kind
        if memory is None:
            memory = Memory(results=(None,) * len(effect.outputs), gradients=(None,) * len(sources))
        operation = Operation(path, tuple(sources), memory)
        is_held = layer.family is Family.TENSOR and bool(effect.weights or effect.buffers)
        for number, shape in enumerate(effect.outputs):
            dtype = _item(memory.dtypes, number) or "value"
            made = _item(seen, number)
            item = element_size(dtype, program.item) if made is None else made.item or program.item
            tensor = Tensor(shape, HELD, item)
            place = _item(memory.results, number)
            if not is_held:
                tensor.storage = self._storage(place, made, tensors, operation, tensor.bytes)
            tensor.learns = (learns or any(wants)) and dtype in _REAL
            tensor.strides = _item(memory.strides, number)
            if place is not None and place.how == "same" and isinstance(place.of, Input):
                same = tensors[place.of.number]
                tensor.grad, tensor.learns = same.grad, same.learns
            operation.results += (program.add(tensor),)
        is_recorded = any(program.tensors[number].grad == number for number in operation.results)
        if is_recorded and (learns or any(wants)):
            saved = [self._saved(each, tensors, operation) for each in memory.saved]
            operation.saved = tuple(dict.fromkeys(saved))
            operation.is_weight = is_held
            sizes = effect.weights
            operation.weights = tuple(
                [Weight(key, product(sizes[name]) * program.item) for name, key in names.items()]
            )
        operation.forward, operation.backward = (
            maximum(0, *[sum(own.bytes(program.item) for own in owns) for owns in alternatives])
            for alternatives in (memory.forward, memory.backward)
        )
        for tensor_number in (*sources, *operation.results):
            program.hold(tensor_number, len(program.operations))
        program.operations.append(operation)
        return operation.results

    def end_layer(self, path: str, results: Sequence[int]) -> None:
        """Note where a layer ends, and which storages of the run are its results."""
        self.ends[path] = len(self.program.operations) - 1
        for made, tensor in zip(self.lives.results.get(path, ()), results, strict=False):
            self.numbers.setdefault(made.storage, self.program.tensors[tensor].storage)

    def copied(self, copy: Copied, source: int) -> int:
        """Add the copy of a tensor, in the place of which it is read from now on."""
        program, before = self.program, self.program.tensors[source]
        if copy.made.storage in self.numbers:
            return source
        item = copy.made.item or program.item
        tensor = Tensor(before.shape, HELD, item, before.learns, None, before.grad)
        operation = Operation(copy.source, (source,), Memory())
        self.numbers[copy.made.storage] = tensor.storage = program.storage(tensor.bytes)
        operation.made = (tensor.storage,)
        operation.results = (program.add(tensor),)
        program.hold(operation.results[0], len(program.operations))
        program.operations.append(operation)
        self.ends[copy.after] = len(program.operations) - 1
        return operation.results[0]

    def _is_first(self, seen: Sequence[Made], tensors: Sequence[Tensor]) -> bool:
        """Whether the run had the first result in the storage of the first input."""
        storage = self.numbers.get(seen[0].storage) if seen else None
        return storage is not None and bool(tensors) and tensors[0].storage == storage

    def _storage(
        self,
        place: Place | None,
        made: Made | None,
        inputs: Sequence[Tensor],
        operation: Operation,
        size: Dim,
    ) -> int:
        """Return the storage of a result: as the run had it, and else as the kind has it."""
        if made is not None and made.storage in self.numbers:
            return self.numbers[made.storage]
        of = None if place is None else place.of
        if made is None and isinstance(of, Input):
            return inputs[of.number].storage
        if made is None and isinstance(of, Result):
            return self.program.tensors[operation.results[of.number]].storage
        if operation.path in self.lives.inner:
            size = 0
        elif isinstance(of, Own):
            size = of.bytes(self.program.item)
        storage = self.program.storage(size)
        operation.made += (storage,)
        if made is not None:
            self.numbers[made.storage] = storage
        return storage

    def _saved(self, of: Of, inputs: Sequence[Tensor], operation: Operation) -> int:
        """Return a storage that is saved, a new one where it is the layer's own."""
        if isinstance(of, Input):
            return inputs[of.number].storage
        if isinstance(of, Result):
            return self.program.tensors[operation.results[of.number]].storage
        storage = self.program.storage(of.bytes(self.program.item), SAVED)
        operation.made += (storage,)
        return storage

    def end(self) -> None:
        """Let storages that the run has followed die when they died there."""
        for seen, number in self.numbers.items():
            storage = self.program.storages[number]
            if seen in self.lives.last and storage.part == ACTIVATION:
                storage.last = self.ends.get(self.lives.last[seen], storage.last)
            elif storage.part == ACTIVATION:
                storage.last = len(self.program.operations)


def _item(items: Sequence[_T], number: int) -> _T | None:
    return items[number] if number < len(items) else None
