"""Write `docs/catalogue.md`: every class of torch.nn with its kind, or the reason why it has none.

Run it after adding a kind or a reason: `python tools/catalogue.py`. A test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shapecalc.layers.not_kinds import NOT_KINDS
from shapecalc.layers.registry import get, kinds

DOCUMENT = ROOT / "docs" / "catalogue.md"

HEAD = """\
# torch.nn, class by class

Of the {total} classes of modules in `torch.nn`, **{covered} are kinds**, each compared with the real layer
in the tests: shapes, named weights, MACs and what is refused. **{others} are not**, for the reason in
the last column. `shapecalc kinds NAME` describes a kind. This page is written by
`tools/catalogue.py`; a test compares it with `torch.nn` and fails when a class is in neither column.

Of what is no class, `weight_norm` and `spectral_norm` of `torch.nn.utils.parametrizations` (and of
`torch.nn.utils`, with `legacy: true`) are kinds around a layer: `weight_norm: {{layer: {{conv2d: ...}}}}`.

What is left out: masks of attention, which change no shape; packed and nested sequences; a weight per
element of a loss, and functions given as arguments (activations, distances), which no spec holds. A
weight per class is declared by `weight: true`. Where torch reads 0 multiply-accumulates for what multiplies
(`bilinear`; an LSTM on the CPU), the kind counts what is written in its description.

| Class | Kind | Why there is none |
|---|---|---|"""


def counterparts() -> dict[str, str]:
    """Return the kind of every class in torch.nn that has one."""
    found: dict[str, str] = {}
    for kind in kinds():
        module, _, name = (get(kind).torch or "").rpartition(".")
        if module == "torch.nn":
            found.setdefault(name, kind)
    return found


def document() -> str:
    """Return the page."""
    covered = counterparts()
    lines = [
        f"| {name} | `{covered[name]}` | |" if name in covered else f"| {name} | | {NOT_KINDS[name]} |"
        for name in sorted({*covered, *NOT_KINDS})
    ]
    head = HEAD.format(total=len(lines), covered=len(covered), others=len(NOT_KINDS))
    return "\n".join([head, *lines, ""])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
