"""The catalogue of layer kinds, and the description of one."""

from __future__ import annotations

import inspect
from textwrap import dedent, fill, indent
from typing import Any

from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.family import Family
from shapecalc.layers.glossary import GLOSSARY
from shapecalc.layers.registry import get, kinds
from shapecalc.spec.json_schema import step_keys
from shapecalc.spec.write import plain

_BRANCHES = """\
- {0}: [[relu], [], earlier]             # lists of layers, [] for the input itself, names of steps
- {0}: {{main: [relu], skip: []}}          # with names of their own
- {0}:                                   # or of named results alone
  from: [earlier, "passes[:]"]"""


def catalogue(width: int | None = None, framework: str = "torch") -> str:
    """Return every kind with the first sentence about it, family by family."""
    families: dict[Family, list[type[Kind]]] = {}
    for name in kinds(framework):
        cls = get(name, framework)
        families.setdefault(cls.family, []).append(cls)
    longest = max(map(len, kinds()))
    entries = {"keys of a step": step_keys()} | {
        family.label: {cls.kind: _sentence(cls) for cls in members}
        for family, members in sorted(families.items(), key=lambda item: item[0].label.lower())
    }
    lines: list[str] = []
    for label, sentences in entries.items():
        lines.append(f"{label}:")
        for name, sentence in sentences.items():
            text = f"  {name:<{longest}}  {sentence}"
            lines.append(text if width is None or len(text) <= width else f"{text[: width - 1]}…")
    return "\n".join(lines)


def _sentence(cls: type[Kind]) -> str:
    return (inspect.getdoc(cls) or "").split("\n", 1)[0]


def description(name: str, framework: str = "torch", width: int | None = None) -> str:
    """Return a kind's formula, fields, counterparts and example; with a width, its sentences are wrapped."""
    cls = get(name, framework)
    prose, example = _split(inspect.getdoc(cls) or "")
    parts = [cls.kind, "\n\n".join(_filled(part, width, "  ", "  ") for part in prose.split("\n\n"))]
    fields = [_field(field, info) for field, info in cls.model_fields.items()]
    if fields:
        widest = max(len(head) for head, _ in fields)
        margin = " " * (widest + 4)
        lines = (_filled(text, width, f"  {head:<{widest}}  ", margin) for head, text in fields)
        parts.append("Fields:\n" + "\n".join(lines))
    counterparts = [
        f"  {label}: {target}" for label, target in (("torch", cls.torch), ("Keras", cls.keras)) if target
    ]
    if counterparts:
        parts.append("Counterparts:\n" + "\n".join(counterparts))
    if issubclass(cls, Merge):
        parts.append(f"Branches:\n{indent(_BRANCHES.format(cls.kind), '  ')}")
    if example:
        parts.append("Example in Python:\n" + indent(dedent(example), "  "))
    return "\n\n".join(parts)


def _filled(text: str, width: int | None, first: str, others: str) -> str:
    if width is None or max(map(len, text.split("\n"))) + len(first) <= width:
        return (first + text.replace("\n", f"\n{others}")).rstrip()
    width = max(width, len(others) + 20)
    return fill(text, width, initial_indent=first, subsequent_indent=others, break_long_words=False)


def _split(doc: str) -> tuple[str, str]:
    prose, mark, example = doc.partition("\n>>> ")
    return prose.strip(), f">>> {example}".strip() if mark else ""


def _field(name: str, info: Any) -> tuple[str, str]:
    head = f"{name} (required)" if info.is_required() else f"{name}: {_default(info.default)}"
    return head, info.description or GLOSSARY.get(name, "")


def _default(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(plain(value))
