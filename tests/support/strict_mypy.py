"""What strict mypy says of code that uses the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNREAD = """
[[tool.mypy.overrides]]
module = ["torch.*", "sympy.*", "keras.*", "numpy.*", "torchvision.*"]
follow_imports = "skip"
"""
"""Libraries whose own types do not matter here: reading them takes minutes."""


def errors(folder: Path, sources: dict[str, str], settings: str = "") -> list[str]:
    """Return the errors in sources written to `folder`, as "name.py:line: error: message"."""
    (folder / "pyproject.toml").write_text(f"[tool.mypy]\nstrict = true\n{settings}\n{UNREAD}")
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *sources],
        cwd=folder,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout.splitlines()[-1].startswith(("Success", "Found")), done.stdout + done.stderr
    return [
        line for line in done.stdout.splitlines() if line.startswith(tuple(sources)) and ": error: " in line
    ]
