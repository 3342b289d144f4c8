"""Layers as a dataframe of any library, through narwhals, which is imported only here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from shapecalc.errors import NotInstalled, unknown
from shapecalc.layers.requirement import shown
from shapecalc.report.node import Node, number

LIBRARIES = ("pandas", "polars", "pyarrow", "modin", "cudf")


def dataframe(nodes: Iterable[Node[Any]], library: str) -> Any:
    """Return a dataframe of layers, conditions not among them."""
    if library not in LIBRARIES:
        raise unknown("unknown dataframe library", library, LIBRARIES)
    try:
        narwhals, _ = import_module("narwhals"), import_module(library)
    except ImportError as error:
        missing = (error.name or library).partition(".")[0]
        raise NotInstalled(f"a dataframe needs {missing}: python -m pip install {missing}") from None
    data = columns(nodes)
    return narwhals.from_dict(data, backend=library).to_native()


def columns(nodes: Iterable[Node[Any]]) -> dict[str, list[Any]]:
    """Return the columns by name; one that holds a formula is text."""
    rows = [
        {
            "path": node.path,
            "kind": node.kind,
            "inputs": " ".join(map(shown, node.inputs)),
            "output": shown(node.output),
            "params": number(node.params),
            "trainable_params": number(node.trainable_params),
            "macs": None if node.macs is None else number(node.macs),
            "bytes": number(node.bytes),
        }
        for node in nodes
        if not node.layer.condition
    ]
    names = rows[0] if rows else ()
    return {name: _one_type([row[name] for row in rows]) for name in names}


def _one_type(values: list[Any]) -> list[Any]:
    if any(isinstance(value, str) for value in values):
        return [None if value is None else str(value) for value in values]
    return values
