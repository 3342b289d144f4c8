"""Paths of layers and groups: what is inside what, and the error for a path that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable

from shapecalc.errors import SpecError, nearest, quote

_MOST_NAMED = 20


class UnknownPath(SpecError, KeyError):
    """A network has no layer and no group with a path."""


def is_under(path: str, group: str) -> bool:
    """Return whether a path is that of a group, or of something inside it.

    >>> is_under("stage1.0.conv1", "stage1"), is_under("stage10", "stage1")
    (True, False)
    """
    return path == group or path.startswith(f"{group}.")


def unknown_path(network: str, paths: Iterable[str], path: str) -> UnknownPath:
    """Return the error for a path that is neither a layer nor a group, with the nearest that is one."""
    known: dict[str, None] = {}
    for layer in paths:
        parts = layer.split(".")
        known |= dict.fromkeys(".".join(parts[: depth + 1]) for depth in range(len(parts)))
    outermost = [part for part in known if "." not in part]
    more = ", …" if len(outermost) > _MOST_NAMED else ""
    as_deep = [part for part in known if part.count(".") == path.count(".")]
    return UnknownPath(
        f"{network} has no layer or block {quote(path)}{nearest(path, as_deep) or nearest(path, [*known])}",
        hint=f"it begins with one of: {', '.join(outermost[:_MOST_NAMED])}{more}",
    )
