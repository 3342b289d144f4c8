"""The bundled networks by framework, by what their texts say: to read them all takes seconds of every worker."""

from __future__ import annotations

from shapecalc.spec.find import bundled

FILES = bundled()
"""Every name with its file."""
_OF_KERAS = {path for path in {*FILES.values()} if "\nframework: keras\n" in path.read_text("utf-8")}
KERAS = [name for name, path in FILES.items() if path in _OF_KERAS]
TORCH = [name for name in FILES if name not in KERAS]
