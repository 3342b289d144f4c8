"""Write `shapecalc/layers/index.py`: which module holds the class of each kind, and which is torch's.

Run it after adding a kind: `python tools/index_kinds.py`. A test compares the file with what this
prints, so an index that was forgotten is noticed.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ROOT / "shapecalc" / "layers"
NOT_FAMILIES = {"__init__", "index"}


def index() -> str:
    """Return the text of the index module."""
    sys.path.insert(0, str(ROOT))
    from shapecalc.layers.base import Kind

    found: dict[str, tuple[str, str]] = {}
    of_keras: dict[str, tuple[str, str]] = {}
    of_torch: dict[str, str] = {}
    for path in sorted(LAYERS.glob("*.py")):
        if path.stem in NOT_FAMILIES:
            continue
        module = import_module(f"shapecalc.layers.{path.stem}")
        for name, cls in inspect.getmembers(module, inspect.isclass):
            if not issubclass(cls, Kind) or cls.__module__ != module.__name__:
                continue
            if "kind" in vars(cls) and "{rank}" not in cls.kind and not inspect.isabstract(cls):
                (of_keras if cls.framework == "keras" else found)[cls.kind] = (module.__name__, name)
                if cls.torch is not None and cls.torch.rpartition(".")[2][0].isupper():
                    of_torch.setdefault(cls.torch, cls.kind)
    modules: dict[str, list[str]] = {}
    for home, name in (*found.values(), *of_keras.values()):
        modules.setdefault(home, []).append(name)
    imports = [
        f"    from {home} import {name} as {name}"
        for home in sorted(modules)
        for name in sorted(modules[home])
    ]
    return "\n".join(
        [
            '"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""',
            "",
            "from typing import TYPE_CHECKING",
            "",
            "if TYPE_CHECKING:",
            *imports,
            "",
            "KINDS: dict[str, str] = {",
            *rows(found),
            "}",
            "",
            "KERAS: dict[str, str] = {",
            *rows(of_keras),
            "}",
            '"""The kinds for which Keras has a rule, a layout or weight names of its own."""',
            "",
            "TORCH: dict[str, str] = {",
            *(f'    "{path}": "{kind}",' for path, kind in sorted(of_torch.items())),
            "}",
            '"""The kind of each class of torch that a kind names as its counterpart."""',
            "",
        ]
    )


def rows(found: dict[str, tuple[str, str]]) -> list[str]:
    """Return the lines of an index, sorted by kind."""
    return [f'    "{kind}": "{home}:{name}",' for kind, (home, name) in sorted(found.items())]


if __name__ == "__main__":
    (LAYERS / "index.py").write_text(index(), encoding="utf-8")
