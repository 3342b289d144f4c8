"""The shortest spelling of a layer read off a live module: no defaults, a single number for equal numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, lru_cache
from math import isfinite
from typing import Any

from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.roles import Holds, Implementation, Lettered, Role, WindowField, roles
from shapecalc.layers.spatial import OverAxes


def canonical(cls: type[Kind], fields: dict[str, Any]) -> Kind:
    """Return a layer with the fields that are not defaults; raise `ValidationError` for illegal fields.

    >>> from shapecalc.layers import MaxPool2d
    >>> canonical(MaxPool2d, {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0)}).fields_set()
    {'kernel_size': 2, 'stride': 2}
    """
    kept: dict[str, Any] = {}
    spelling = _spelling(cls)
    for name, value in fields.items():
        if name in spelling:
            spell, is_required, default = spelling[name]
            spelt = spell(value)
            if is_required or (spelt is not default and _exact(spelt) != default):
                kept[name] = spelt
    settings = tuple(kept.items())
    try:
        return _cached(cls, settings, repr(settings))
    except TypeError:  # a setting that has no hash
        return cls(**kept)


@cache
def _spelling(cls: type[Kind]) -> dict[str, tuple[Callable[[Any], Any], bool, Any]]:
    """Return how each field of a kind is spelt, whether it is required, and its default."""
    spelling: dict[str, tuple[Callable[[Any], Any], bool, Any]] = {}
    for name, info in cls.model_fields.items():
        role, is_required = roles(cls).get(name), info.is_required()
        if not isinstance(role, Implementation) and not (isinstance(role, Holds) and issubclass(cls, Merge)):
            spelling[name] = short if _is_per_axis(cls, role) else _decimal, is_required, info.default
    return spelling


def _is_per_axis(cls: type[Kind], role: Role | None) -> bool:
    """Say whether one number for a field means the same for every axis."""
    is_lettered = isinstance(role, Lettered) and (role.per_axis or issubclass(cls, OverAxes))
    return is_lettered or isinstance(role, WindowField)


@lru_cache(maxsize=2048)
def _cached(cls: type[Kind], settings: tuple[tuple[str, Any], ...], text: str) -> Kind:
    """Return a layer that networks hold over and over; `text` keeps 1, True and 1.0 apart."""
    return cls(**dict(settings))


def _decimal(value: Any) -> Any:
    """Return the decimal that is meant by a float that was computed, as 1 - 0.9997 was."""
    if isinstance(value, float) and len(repr(value)) > 17:
        return float(f"{value:.12g}")
    return value


def _exact(value: Any) -> Any:
    """Return the decimal that a float is written as, which defaults are."""
    return _fraction(repr(value)) if isinstance(value, float) and isfinite(value) else value


_fraction = lru_cache(maxsize=512)(Fraction)


def short(value: Any) -> Any:
    """Return a single number for a list of equal numbers, in nested lists as well.

    >>> short((2, 2)), short(((1, 1), (1, 1))), short(((1, 2), (1, 1)))
    (2, 1, ((1, 2), 1))
    """
    if not isinstance(value, (tuple, list)):
        return value
    if type(value) is tuple and value and type(value[0]) is int and value == value[:1] * len(value):
        return value[0] if all(type(item) is int for item in value) else value
    items = tuple(map(short, value))
    is_same = len({repr(item) for item in items}) == 1 and isinstance(items[0], (int, str))
    return items[0] if is_same else items
