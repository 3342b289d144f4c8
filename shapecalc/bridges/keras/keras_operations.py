"""Operations of `keras.ops` in a functional graph, as layers of ours; what is not here has no rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, TypeAlias

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.keras.keras_function_twins import ALIASES
from shapecalc.bridges.keras.keras_layer import KerasLayer, OpenShape, Operand, operands_in
from shapecalc.bridges.keras.keras_twins import activation
from shapecalc.layers.base import Kind
from shapecalc.layers.batch_shape_ops import BroadcastTo, View
from shapecalc.layers.by_name import POINTWISE, Combine, Elementwise, Reduce
from shapecalc.layers.class_names import snake_case
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.keras_basic import KerasConcat
from shapecalc.layers.linear import Identity
from shapecalc.layers.merge import Add, Matmul, Multiply
from shapecalc.layers.reshape import Permute, Reshape, Squeeze, Transpose, Unsqueeze
from shapecalc.layers.select import Mean, Select, Slice


class Part(NamedTuple):
    """A layer with its tensors; None are the results of the part before it, () those of all parts before."""

    layer: Kind
    operands: tuple[Operand, ...] | None = None


class Operation(NamedTuple):
    """One call of an operation: its settings, its tensors, and the batch that the sizes are of."""

    layer: KerasLayer
    batch: int
    results: tuple[OpenShape, ...] | None

    @property
    def tensors(self) -> tuple[Operand, ...]:
        """The tensors of the call, in order."""
        return tuple(operands_in((self.layer.args, self.layer.kwargs)))

    def setting(self, name: str, otherwise: Any = None) -> Any:
        """Return an argument of the operation's constructor, a list as a tuple."""
        value = self.layer.config.get(name, otherwise)
        return tuple(value) if isinstance(value, list) else value

    def argument(self, name: str, position: int, otherwise: Any = None) -> Any:
        """Return an argument of the call."""
        args = self.layer.args
        return args[position] if position < len(args) else self.layer.kwargs.get(name, otherwise)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first tensor, with the batch in front."""
        return tuple([self.batch if size is None else size for size in self.tensors[0].shape])

    def parts(self, *layers: Kind) -> list[Part]:
        """Return layers one after the other, the first on all tensors."""
        first, *others = layers
        return [Part(first, self.tensors), *(Part(layer) for layer in others)]


Rule: TypeAlias = Callable[[Operation], Sequence[Part] | None]
Key: TypeAlias = "int | slice | None"


def _joined(layer: Kind) -> Rule:
    """Return the rule of an operation of several tensors; with a number it is one of each element."""

    def rule(call: Operation) -> list[Part]:
        if len(call.tensors) > 1:
            return call.parts(layer)
        return call.parts(Elementwise(function=layer.function if isinstance(layer, Combine) else layer.kind))

    return rule


def _reduced(function: str) -> Rule:
    def rule(call: Operation) -> list[Part] | None:
        axis, rank = call.setting("axis"), len(call.shape)
        axes = tuple(range(rank)) if axis is None else axis
        settings: dict[str, Any] = {"dim": axes, "keepdim": bool(call.setting("keepdims"))}
        if call.setting("initial") is not None or len(call.tensors) != 1:
            return None
        return call.parts(Mean(**settings) if not function else Reduce(function=function, **settings))

    return rule


def _reshaped(call: Operation) -> list[Part]:
    """Reshape each sample where the batch is kept, otherwise the complete tensor."""
    shape, target = call.shape, [-1 if size is None else size for size in call.setting("newshape")]
    if target and target[0] in (-1, call.batch) and shape[0] == call.batch:
        rest = target[1:]
        if target[0] == call.batch or prod(rest) == prod(shape[1:]):
            return call.parts(Reshape(shape=rest))
    return call.parts(View(shape=target))


def _transposed(call: Operation) -> list[Part]:
    rank = len(call.shape)
    axes = call.setting("axes")
    return call.parts(Permute(dims=[*range(rank)][::-1] if axes is None else axes))


def _moved(call: Operation) -> list[Part]:
    rank = len(call.shape)
    source, target = (
        [each % rank for each in (axis if isinstance(axis, tuple) else (axis,))]
        for axis in (call.setting("source"), call.setting("destination"))
    )
    order = [axis for axis in range(rank) if axis not in source]
    for place, axis in sorted(zip(target, source, strict=True)):
        order.insert(place, axis)
    return call.parts(Permute(dims=order))


def _stacked(call: Operation) -> list[Part]:
    """Stack tensors: an axis of 1 in each, and then joined there."""
    axis = call.setting("axis", 0) % (len(call.shape) + 1)
    columns = [Part(Unsqueeze(dim=axis), (operand,)) for operand in call.tensors]
    return [*columns, Part(KerasConcat(dim=axis), ())]


def _got(call: Operation) -> list[Part] | None:
    """`x[1:, 0, ..., None]`: one axis after the other."""
    key = call.argument("key", 1)
    keys = [*key] if isinstance(key, (list, tuple)) else [key]
    if not all(each is None or each is ... or isinstance(each, (int, slice)) for each in keys):
        return None
    rank = len(call.shape)
    fixed = sum(each is not None and each is not ... for each in keys)
    if ... in keys:
        place = keys.index(...)
        keys[place : place + 1] = [slice(None)] * (rank - fixed)
    layers: list[Kind] = []
    axis = 0
    for each in keys:
        if each is None:
            layers.append(Unsqueeze(dim=axis))
        elif isinstance(each, int):
            layers.append(Select(dim=axis, index=each))
            continue
        elif each != slice(None):
            settings = {"start": each.start or 0, "end": each.stop, "step": each.step or 1}
            layers.append(canonical(Slice, {"dim": axis, **settings}))
        axis += 1
    return call.parts(*(layers or [Identity()]))


def _once(layer: Callable[[Operation], Kind]) -> Rule:
    return lambda call: call.parts(layer(call))


_COMBINED: Mapping[str, Kind] = {"Add": Add(), "Multiply": Multiply()}
_REDUCED = {
    "Mean": "", "Sum": "sum", "Max": "amax", "Amax": "amax", "Min": "amin", "Amin": "amin", "Prod": "prod",
    "Var": "var", "Std": "std", "Any": "any", "All": "all", "Argmax": "argmax", "Argmin": "argmin",
    "Logsumexp": "logsumexp",
}  # fmt: skip
_RULES: Mapping[str, Rule] = {
    **{name: _joined(layer) for name, layer in _COMBINED.items()},
    **{name: _reduced(function) for name, function in _REDUCED.items()},
    "Reshape": _reshaped,
    "Transpose": _transposed,
    "Moveaxis": _moved,
    "Stack": _stacked,
    "GetItem": _got,
    "Concatenate": _once(lambda call: KerasConcat(dim=call.setting("axis", 0))),
    "ExpandDims": _once(lambda call: Unsqueeze(dim=call.setting("axis"))),
    "Squeeze": _once(lambda call: Squeeze(dim=call.setting("axis"))),
    "Swapaxes": _once(lambda call: Transpose(dim0=call.setting("axis1"), dim1=call.setting("axis2"))),
    "Matmul": _once(lambda call: Matmul()),
    "Einsum": _once(lambda call: Einsum(equation=call.setting("subscripts"))),
    "BroadcastTo": _once(lambda call: BroadcastTo(shape=_open(call))),
    **dict.fromkeys(("Cast", "Copy", "SaturateCast", "StopGradient"), _once(lambda call: Identity())),
}


def _open(call: Operation) -> list[int]:
    return [-1 if size in (None, call.batch) else size for size in call.setting("shape")]


def parts_of(layer: KerasLayer, batch: int, results: tuple[OpenShape, ...] | None) -> Sequence[Part] | None:
    """Return the layers that an operation is, or None where no rule is known for it.

    Keras' names are classes; those of the elements are known by the name of the function, as in torch.
    """
    call = Operation(layer, batch, results)
    if not call.tensors or not layer.is_operation:
        return None
    if rule := _RULES.get(layer.class_name):
        return rule(call)
    name = snake_case(layer.class_name)
    function = ALIASES.get(layer.class_name, name)
    if function in POINTWISE:
        if len(call.tensors) == 1:
            return call.parts(Elementwise(function=function))
        return call.parts(Combine(function=function))
    kind = activation(name) if len(call.tensors) == 1 else None
    if kind is None:
        return None
    changes = {"axis": -1, **layer.config}["axis"] != -1 and "dim" in type(kind).model_fields
    return None if changes else call.parts(kind)
