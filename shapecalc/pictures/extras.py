"""The libraries that pictures need, imported only when they are used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from shapecalc.errors import NotInstalled


def need(module: str, purpose: str) -> ModuleType:
    """Return a module; raise `NotInstalled`, with what to type, if it is not there or does not load.

    >>> need("nothing_of_the_kind", "a picture")
    Traceback (most recent call last):
    shapecalc.errors.NotInstalled: a picture needs nothing_of_the_kind: python -m pip install \
nothing-of-the-kind (No module named 'nothing_of_the_kind')
    """
    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        package = module.replace("_", "-")
        raise NotInstalled(f"{purpose} needs {module}: python -m pip install {package} ({error})") from None


def png(svg: str, scale: float) -> bytes:
    """Return a picture as pixels on white, so many for each unit of the drawing."""
    renderer = need("resvg_py", "a PNG")
    pixels: bytes = bytes(renderer.svg_to_bytes(svg_string=svg, background="#ffffff", zoom=scale))
    return pixels
