"""What torch saves for backward, shares and allocates when it runs a layer: measured, by the identity of storages."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from shapecalc.algebra import Dim
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers.base import Kind
from shapecalc.layers.memory_traits import Input, Memory, Mode, Own, Place, Result, Storage, Weight
from shapecalc.layers.strides import simplest
from tests.support.strategies import Case

Key = str | int
"""A storage by its name, or by its bytes."""


@dataclass(frozen=True)
class Measured:
    """What torch did, in the terms of `Memory`."""

    saved: list[Key]
    results: list[str]
    strides: list[tuple[int, ...] | None]
    dtypes: list[torch.dtype]
    gradients: list[str]
    forward: int
    """The most bytes alive in the forward, besides what is alive after it."""


class Live(TorchDispatchMode):
    """Counts the bytes of all storages alive."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.now = self.peak = 0
        for tensor in known:
            self._see(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tensors_of(out):
            self._see(tensor)
        return out

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self.sizes:
            self.sizes[key] = storage.nbytes()
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._drop, key)

    def _drop(self, key: int) -> None:
        self.now -= self.sizes.pop(key, 0)


def tensors_of(value: Any) -> list[Tensor]:
    """Return the tensors in nested results."""
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def storage_of(tensor: Tensor) -> int:
    """Return what identifies the storage of a tensor."""
    key: int = tensor.untyped_storage()._cdata
    return key


def run(case: Case, mode: Mode) -> Measured:
    """Run a case in a mode on the meta device, or on the CPU where torch needs values."""
    twin = twin_of(case.cls)
    device = "cpu" if twin.on_cpu else "meta"
    with quiet(), torch.enable_grad(), torch.device(device):
        module = twin.module(case.fields, case.inputs).train(mode.training)
        for weight in module.parameters():
            weight.requires_grad_(mode.weights)
        leaves = twin.tensors(case.inputs, device)
        for number, leaf in enumerate(leaves):
            leaf.requires_grad_(leaf.is_floating_point() and mode.wants(number))
        return measured(module, leaves, mode)


def strided(leaf: Tensor, strides: Sequence[Any] | None) -> Tensor:
    """Return a tensor that is no leaf, so that it may be written over, with these strides."""
    if strides is None:
        return leaf.clone()
    order = sorted(range(leaf.dim()), key=lambda axis: (-int(strides[axis]), axis))
    back = [order.index(axis) for axis in range(leaf.dim())]
    return leaf.permute(order).clone(memory_format=torch.contiguous_format).permute(back)


def measured(module: nn.Module, leaves: list[Tensor], mode: Mode) -> Measured:
    """Return what torch does with copies of these tensors."""
    inputs = [strided(leaf, mode.strides_of(number)) for number, leaf in enumerate(leaves)]
    held = [*module.parameters(), *module.buffers()]
    packed: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        packed.append(tensor.detach())
        return tensor.detach()

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with torch.set_grad_enabled(mode.learns), hooks, Live([*held, *inputs]) as live:
        results = tensors_of(module(*inputs))
        after = live.now
    names: dict[int, str] = {storage_of(tensor): "" for tensor in held}
    names |= {storage_of(tensor): f"input {number}" for number, tensor in enumerate(inputs)}
    places = []
    for number, result in enumerate(results):
        name = names.setdefault(storage_of(result), f"result {number}")
        same = any(result is tensor for tensor in inputs)
        places.append(f"{'same' if same else 'shared'} {name}" if name != f"result {number}" else "new")
    distinct = {storage_of(tensor): tensor for tensor in packed}
    keys: list[Key] = [names.get(key, tensor.untyped_storage().nbytes()) for key, tensor in distinct.items()]
    return Measured(
        sorted([key for key in keys if key != ""], key=str),
        places,
        [laid_out(tuple(result.shape), result.stride()) for result in results],
        [result.dtype for result in results],
        gradients(results, leaves),
        live.peak - after,
    )


def laid_out(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return strides, None where they are contiguous, and 0 for an axis of 1, which may have any."""
    simple = simplest(shape, strides)
    return (
        None
        if simple is None
        else tuple([0 if n == 1 else number(step) for n, step in zip(shape, simple, strict=True)])
    )


def gradients(results: list[Tensor], leaves: list[Tensor]) -> list[str]:
    """Return for each input whether its gradient lies where that of a result does."""
    learning = [tensor for tensor in leaves if tensor.requires_grad]
    made = [result for result in results if result.requires_grad]
    if not learning or not made:
        return ["" for _ in leaves]
    upstream = [torch.ones_like(result) for result in made]
    grads = dict(
        zip(map(id, learning), torch.autograd.grad(made, learning, upstream, allow_unused=True), strict=True)
    )
    names = {storage_of(tensor): f"result {number}" for number, tensor in enumerate(upstream)}
    found = [grads.get(id(tensor)) for tensor in leaves]
    return ["" if grad is None else names.get(storage_of(grad), "new") for grad in found]


def stated(layer: Kind, memory: Memory, case: Case, mode: Mode) -> Measured:
    """Return what a kind states, in the same terms."""

    def named(storage: Storage | Weight) -> Key:
        if isinstance(storage, Own):
            return number(storage.bytes(4))
        if isinstance(storage, Weight):
            return storage.name
        if isinstance(storage, Input):
            return f"input {storage.number}"
        place = memory.results[storage.number]
        return f"result {storage.number}" if place is None else named(place.of)

    def put(place: Place | None) -> str:
        if place is None or isinstance(place.of, Weight):  # the twins of such kinds copy the weight
            return "new"
        return f"{'shared' if place.how == 'view' else 'same'} {named(place.of)}"

    def passed(place: Place | None) -> str:
        if place is None:
            return "new"
        return f"result {place.of.number}" if isinstance(place.of, Result) else ""

    shapes = [tuple(map(number, shape)) for shape in layer.shapes_of_results(case.inputs)]
    dtypes = {"value": torch.float32, "int64": torch.int64, "bool": torch.bool}
    return Measured(
        sorted(map(named, memory.saved), key=str),
        [*map(put, memory.results)],
        [
            laid_out(shape, None if strides is None else tuple(map(number, strides)))
            for shape, strides in zip(shapes, memory.strides, strict=True)
        ],
        [dtypes[dtype] for dtype in memory.dtypes],
        [passed(place) if mode.wants(slot) else "" for slot, place in enumerate(memory.gradients)],
        max((sum(number(own.bytes(4)) for own in tensors) for tensors in memory.forward), default=0),
    )


def number(value: Dim) -> int:
    """Return a size that is a number."""
    assert isinstance(value, int)
    return value
