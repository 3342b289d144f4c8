"""From a network and how it runs to the memory that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shapecalc.algebra import Dim, product
from shapecalc.engine.graph import Inference
from shapecalc.engine.inferred_spec import InferredSpec
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.family import Family
from shapecalc.layers.memory_traits import SIZES
from shapecalc.layers.requirement import Shape
from shapecalc.memory.backward_pass import needed_for, run_backward
from shapecalc.memory.forward_pass import run_forward
from shapecalc.memory.ledger import Ledger
from shapecalc.memory.memory_use import MemoryUse, Setting
from shapecalc.memory.optimizers import optimizer_of
from shapecalc.memory.program import HELD, INPUT, Key, Program
from shapecalc.memory.recording import recorded
from shapecalc.report.totals import item_bits

_COUNTER = "num_batches_tracked"
"""The buffer that is an integer."""


def ask(
    spec: InferredSpec,
    setting: Setting,
    *,
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    batch: Dim | None = 1,
    symbolic: bool | str | Iterable[str] = False,
    **values: Any,
) -> MemoryUse:
    """Return the memory of a network at an input; see `Model.memory`."""
    witness = spec.graphs.witness
    if setting.training and witness is not None and isinstance(witness.in_training, InferredSpec):
        spec.infer_at(input, batch, symbolic, values)  # which its witness confirms
        spec, witness = witness.in_training, witness.in_training.graphs.witness
    inference, inputs = spec.infer_at(input, batch, symbolic, values)
    if inference.failures:
        raise inference.failures[0].error(tuple(inference.failures))
    lives = None if witness is None else witness.lifetimes
    return memory_use(spec.name, spec.title or spec.name, inference, inputs, setting, lives)


def memory_use(
    name: str,
    title: str,
    inference: Inference,
    inputs: Mapping[str, Shape],
    setting: Setting,
    lives: Lifetimes | None,
    *,
    in_place: bool = True,
) -> MemoryUse:
    """Return the memory of an inference; `in_place` says how gradients of one tensor are added up."""
    if inference.graph.loops:
        raise Undecided("memory needs the number of passes of every repeat: leave sizes free, not depths")
    bits = item_bits(setting.dtype)
    if bits < 8:
        raise SpecError(f"{setting.dtype}: two numbers are in a byte, and layers do not run on them")
    item = bits // 8
    if setting.training and not setting.dtype.startswith(("float", "bfloat", "bf", "fp", "double", "half")):
        raise SpecError(f"{setting.dtype}: only numbers with a fraction are trained")
    lives = lives or Lifetimes()
    program = recorded(
        inference, _with_items(inference, inputs, item, lives), item, lives, training=setting.training
    )
    ledger = Ledger()
    for part, size in _held(inference, item, lives).items():
        ledger.add(part, size)
    needed = needed_for(program) if setting.training else [False] * len(program.operations)
    learned = _learned(program, needed)
    optimizer = optimizer_of(setting.optimizer or "sgd")
    ledger.add("optimizer", sum(map(optimizer.state, learned.values())))
    holders = run_forward(program, ledger, needed)
    if setting.training:
        run_backward(program, ledger, holders, in_place=in_place)
        meanwhile = optimizer.meanwhile([*learned.values()])
        for (path, weight), temporary in zip(learned, meanwhile, strict=True):
            ledger.moment("optimizer", f"{path}.{weight}", temporary)
    requirements = [each for effect in inference.effects if effect is not None for each in effect.conditions]
    requirements += [each for _, each in inference.graph.conditions]
    return MemoryUse(
        name,
        title,
        inputs,
        setting,
        ledger,
        _saved(program, needed),
        program.unknown,
        [each.relation for each in requirements],
        is_recorded=lives.is_recorded,
    )


def _with_items(
    inference: Inference, inputs: Mapping[str, Shape], item: int, lives: Lifetimes
) -> dict[str, tuple[Shape, int]]:
    """Return the shapes of the inputs with the bytes of an element: what a table reads are integers."""
    tables = (node for node in inference.graph.nodes if node.layer.family is Family.EMBEDDING)
    integers = {slot for node in tables for slot in node.sources[:1]}
    items = [SIZES["int64"] if slot in integers else item for slot in range(len(inputs))]
    seen = [lives.inputs.get(name) for name in inputs]
    return {
        name: (shape, own if made is None else made.item or item)
        for (name, shape), own, made in zip(inputs.items(), items, seen, strict=True)
    }


def _held(inference: Inference, item: int, lives: Lifetimes) -> dict[str, Dim]:
    """Return the bytes of weights and buffers, those that are shared once."""
    if lives.weights is not None and lives.buffers is not None:
        return {"weights": lives.weights.bytes(item), "buffers": lives.buffers.bytes(item)}
    held: dict[str, Dim] = {"weights": 0, "buffers": 0}
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is not None and node.owner is None:
            held["weights"] += effect.params * item
            counters = [shape for name, shape in effect.buffers.items() if name.endswith(_COUNTER)]
            integers = sum(map(product, counters))
            held["buffers"] += (effect.buffer_count - integers) * item + integers * SIZES["int64"]
    return held


def _learned(program: Program, needed: Sequence[bool]) -> dict[Key, Dim]:
    """Return the bytes of each weight that has a gradient."""
    return {
        weight.key: weight.bytes
        for operation, is_needed in zip(program.operations, needed, strict=True)
        for weight in operation.weights
        if is_needed
    }


def _saved(program: Program, needed: Sequence[bool]) -> dict[str, Dim]:
    """Return the bytes that each layer is the first to save."""
    first: dict[int, str] = {}
    for operation, is_needed in zip(program.operations, needed, strict=True):
        for storage in operation.saved if is_needed else ():
            first.setdefault(storage, operation.path)
    saved: dict[str, Dim] = {}
    for storage, path in first.items():
        if program.storages[storage].part != INPUT and storage != HELD:
            saved[path] = saved.get(path, 0) + program.storages[storage].bytes
    return saved
