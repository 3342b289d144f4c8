"""Makes the kinds over 1, 2 and 3 axes, which are made on demand, before examples are collected."""

from __future__ import annotations

import pytest

from shapecalc import layers


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Make every kind before pytest looks through the modules of the package."""
    if any("shapecalc" in argument for argument in session.config.args):
        for name in layers.__all__:
            getattr(layers, name)
