"""A Keras layer or operation as data: its class, its config, and the tensors that it is called on.

Live layers and the config in a `.keras` file give the same data. Keras is not imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

OpenShape: TypeAlias = tuple[int | None, ...]
"""A shape with the batch in front; None is a size that is not fixed."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor in a call: its shape, and which result of which call it is."""

    shape: OpenShape
    source: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Variable(Operand):
    """A weight that an operation takes as it takes tensors; its shape is complete."""

    trainable: bool = True


@dataclass(frozen=True, slots=True)
class Literal(Operand):
    """An array of numbers in a call; its shape is complete."""


@dataclass(frozen=True)
class KerasLayer:
    """A layer and one call of it; in `args` and `kwargs` tensors are operands, all else is plain data."""

    class_name: str
    config: Mapping[str, Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    module: str = "keras.layers"
    """The module of the class; `keras.layers` for every layer of Keras' own."""

    @property
    def shapes(self) -> tuple[OpenShape, ...]:
        """The shapes of the tensors in `args`, in order."""
        return tuple(operand.shape for operand in operands_in(self.args))

    @property
    def rank(self) -> int:
        """The number of axes of the first tensor, batch included."""
        return len(self.shapes[0])

    @property
    def is_own(self) -> bool:
        """Whether the class is one of Keras' layers."""
        return self.module == "keras.layers"

    @property
    def is_operation(self) -> bool:
        """Whether the class is one of the operations behind `keras.ops`."""
        return self.module.startswith("keras.src.ops.")

    def inner(self, key: str, *shapes: OpenShape) -> KerasLayer:
        """Return the layer that a wrapper has in its config, called on tensors of these shapes."""
        return layer_in(self.config[key], *shapes)


def layer_in(written: Mapping[str, Any], *shapes: OpenShape) -> KerasLayer:
    """Return a layer that is written in the config of another, called on tensors of these shapes."""
    module = written.get("module") or "keras.layers"
    return KerasLayer(written["class_name"], written["config"], tuple(map(Operand, shapes)), {}, module)


def operands_in(value: Any) -> Iterator[Operand]:
    """Yield the tensors in arguments of a call, in order."""
    if isinstance(value, Operand):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from operands_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from operands_in(item)


def with_tensors(value: Any, change: Callable[[Operand], Any]) -> Any:
    """Return arguments of a call with every tensor changed."""
    if isinstance(value, Operand):
        return change(value)
    if isinstance(value, Mapping):
        return {key: with_tensors(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple([with_tensors(item, change) for item in value])
    return value


def function_name(value: Any) -> str | None:
    """Return the name of one of Keras' own functions in a config, such as an activation; None for another.

    >>> function_name("relu"), function_name({"class_name": "function", "config": "mine"})
    ('relu', None)
    """
    if value is None:
        return "linear"
    return value if isinstance(value, str) else None


def tuples(value: Any) -> Any:
    """Return a value with tuples for lists, however deep."""
    return tuple(map(tuples, value)) if isinstance(value, (list, tuple)) else value


def has_other_weights(config: Any) -> bool:
    """Say whether a layer, or one inside, is quantized or has LoRA: its weights are not those of its class.

    >>> has_other_weights({"units": 4, "lora_rank": 2}), has_other_weights({"units": 4})
    (True, False)
    """
    if isinstance(config, Mapping):
        if config.get("lora_rank") or config.get("quantization_config") or "quantization_mode" in config:
            return True
        policy = str(config.get("class_name", ""))
        return policy.endswith("DTypePolicy") != (policy == "DTypePolicy") or has_other_weights(
            [*config.values()]
        )
    return isinstance(config, (list, tuple)) and any(map(has_other_weights, config))
