"""The memory of a layer that is made of others: what they save, in terms of its own inputs and results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from shapecalc.algebra import product
from shapecalc.layers.effect import Shapes
from shapecalc.layers.memory_traits import Input, Memory, Mode, Own, Place, Result, Step, Storage, Weight
from shapecalc.layers.requirement import Shape

_Made: TypeAlias = tuple[int, Own]
"""A storage that a step makes: its number, which no other has, and what it is."""


class _Slot(NamedTuple):
    """A tensor between steps."""

    shape: Shape
    storage: Input | Weight | _Made
    strides: Shape | None
    learns: bool
    of: Own


def composed(steps: Sequence[Step], inputs: Shapes, mode: Mode) -> Memory | None:
    """Return what steps save and where the results of the last are; None where a step is not known.

    What is there meanwhile follows from running the steps one by one, and is left out.
    """
    slots = [
        _Slot(x, Input(number), mode.strides_of(number), mode.wants(number), Own(x))
        for number, x in enumerate(inputs)
    ]
    made: list[_Made] = []

    def storage_of(
        of: Storage | Weight, read: Sequence[_Slot], results: Sequence[_Slot]
    ) -> Input | Weight | _Made:
        if isinstance(of, Input):
            return read[of.number].storage
        if isinstance(of, Result):
            return results[of.number].storage
        if isinstance(of, Weight):
            return of
        made.append((len(made), of))
        return made[-1]

    saved: list[Input | Weight | _Made] = []
    results: list[_Slot] = []
    for step in steps:
        read = [slots[number] for number in step.sources]
        shapes = tuple([slot.shape for slot in read])
        own = Mode(
            mode.training,
            tuple([slot.learns for slot in read]),
            mode.weights and step.layer.has_weights(shapes),
            step.in_place,
            tuple([slot.strides for slot in read]),
        )
        memory = step.layer.memory(shapes, own)
        if memory is None:
            return None
        results = []
        columns = step.layer.shapes_of_results(shapes), memory.results, memory.dtypes, memory.strides
        for shape, place, dtype, strides in zip(*columns, strict=True):
            new = Own(shape, dtype)
            storage = storage_of(new if place is None else place.of, read, results)
            results.append(_Slot(shape, storage, strides, own.learns and dtype == "value", new))
        saved += [storage_of(held, read, results) for held in memory.saved]
        slots += results
    ends = {slot.storage: Result(number) for number, slot in reversed([*enumerate(results)])}
    held = [
        storage if isinstance(storage, (Input, Weight)) else ends.get(storage, storage[1])
        for storage in dict.fromkeys(saved)
    ]
    return Memory(
        saved=tuple([storage for storage in held if not isinstance(storage, Weight)]),
        results=tuple([_place(slot) for slot in results]),
        dtypes=tuple([slot.of.dtype for slot in results]),
        strides=tuple([slot.strides for slot in results]),
        gradients=(None,) * len(inputs),
    )


def _place(slot: _Slot) -> Place | None:
    """Return where a result is."""
    if isinstance(slot.storage, (Input, Weight)):
        return Place(slot.storage)
    made = slot.storage[1]
    fills = made.dtype == slot.of.dtype and product(made.shape) == product(slot.shape)
    return None if fills else Place(made)
