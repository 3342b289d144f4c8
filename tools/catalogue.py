"""Write `docs/catalogue.md` and `docs/catalogue-keras.md`: every class of torch.nn, keras.layers.

A class that has none has the reason. Run it after adding a kind or a reason: `python tools/catalogue.py`. A
test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shapecalc.bridges.keras.keras_twins import twin_of
from shapecalc.layers.not_kinds import NOT_KINDS, NOT_KINDS_OF_KERAS
from shapecalc.layers.registry import get, kinds

DOCUMENT = ROOT / "docs" / "catalogue.md"
OF_KERAS = ROOT / "docs" / "catalogue-keras.md"

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

HEAD_OF_KERAS = """\
# keras.layers, class by class

Of the {total} classes in `keras.layers`, **{covered} are kinds** of specs that say `framework: keras`, each
compared with the real layer on the torch backend in the tests: results, named weights in their order, which
of them are trained, and what is refused. **{others} are not**, for the reason in the last column. `shapecalc
kinds --framework keras NAME` describes a kind. This page is written by `tools/catalogue.py`; a test compares
it with `keras.layers` and fails when a class is in neither column.

Kinds and fields have torch's names where torch has them, and otherwise Keras' own. What is left out: masks,
which change no shape; stateful recurrent layers, whose states are weights; functions other than Keras' own;
settings of image augmentation. Classes under two names are listed once.

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


def counterparts_of_keras() -> dict[str, str]:
    """Return the kind of every class in keras.layers that has one, under the names that Keras exports."""
    from keras import layers  # the twins choose its backend

    found: dict[str, str] = {}
    for kind in kinds("keras"):
        cls = get(kind, "keras")
        for name in twin_of(cls).class_names() if cls.framework in (None, "keras") else ():
            if hasattr(layers, name):
                found.setdefault(name, kind)
    return found


def document() -> str:
    """Return the page of torch.nn."""
    return page(HEAD, counterparts(), NOT_KINDS)


def document_of_keras() -> str:
    """Return the page of keras.layers."""
    return page(HEAD_OF_KERAS, counterparts_of_keras(), NOT_KINDS_OF_KERAS)


def page(head: str, covered: Mapping[str, str], others: Mapping[str, str]) -> str:
    """Return a table of classes with their kinds or reasons, under a head with their numbers."""
    lines = [
        f"| {name} | `{covered[name]}` | |" if name in covered else f"| {name} | | {others[name]} |"
        for name in sorted({*covered, *others})
    ]
    own = head.format(total=len(lines), covered=len(covered), others=len(others))
    return "\n".join([own, *lines, ""])


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    OF_KERAS.write_text(document_of_keras(), encoding="utf-8")
