"""Makes the kinds over 1, 2 and 3 axes, which are made on demand, before their examples are collected."""

from __future__ import annotations

from pathlib import Path

from shapecalc import layers

LAYERS = Path(layers.__file__).parent


def pytest_collect_file(file_path: Path) -> None:
    """Make every kind before pytest looks through a module of theirs."""
    if file_path.parent == LAYERS:
        for name in layers.__all__:
            getattr(layers, name)
