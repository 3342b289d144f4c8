"""Tensors in nested values: mappings, sequences, named tuples, dataclasses and other objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.traced_sizes import Sizes

Path = tuple[str, ...]

_DEEPEST = 8
"""Deeper values are not looked through: they may hold themselves."""


class ShapeOfTensor(tuple[int, ...]):
    """A tensor that is to be made, by its shape without the batch."""

    __slots__ = ()


def named_tensors(
    value: Any, path: Path = (), *, item: str = "{}", in_objects: bool = False
) -> Iterator[tuple[Path, Any]]:
    """Yield each tensor, and each shape of one, with its path; `item` names a place in a sequence."""
    if isinstance(value, (Tensor, ShapeOfTensor)):
        yield path, value
        return
    for key, part in _parts(value, item, in_objects=in_objects) if len(path) < _DEEPEST else ():
        yield from named_tensors(part, (*path, key), item=item, in_objects=in_objects)


def _parts(value: Any, item: str, *, in_objects: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), part) for key, part in value.items())
    elif isinstance(value, (tuple, list)) and not isinstance(value, Sizes):
        names = getattr(value, "_fields", None) or map(item.format, range(len(value)))
        yield from zip(map(str, names), value, strict=False)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from ((field.name, getattr(value, field.name, None)) for field in fields(value))
    elif in_objects and not isinstance(value, (type, nn.Module)) and not callable(value):
        yield from getattr(value, "__dict__", {}).items()
