"""Write `shapecalc/layers/index.py` and `index.pyi`: where the class of each kind is, and what it takes.

Run it after adding a kind or a field: `python tools/index_kinds.py`. A test compares the files with what this
returns, so an index that was forgotten is noticed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ROOT / "shapecalc" / "layers"
NOT_FAMILIES = {"__init__", "index"}

sys.path.insert(0, str(ROOT))

from shapecalc.layers import fields
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.class_names import snake_case
from shapecalc.layers.declaration import RANKED, positions


def families() -> dict[str, list[type[Kind]]]:
    """Return the classes of kinds by their modules, both sorted."""
    found: dict[str, list[type[Kind]]] = {}
    for path in sorted(LAYERS.glob("*.py")):
        if path.stem in NOT_FAMILIES:
            continue
        module = import_module(f"shapecalc.layers.{path.stem}")
        for owner, name in RANKED:
            if owner == module.__name__:
                getattr(module, name)
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if not issubclass(cls, Kind) or cls.__module__ != module.__name__ or inspect.isabstract(cls):
                continue
            if "kind" in vars(cls) and "{rank}" not in cls.kind:
                found.setdefault(path.stem, []).append(cls)
    return found


def index() -> str:
    """Return the text of the index: of each module, its kinds and their classes."""
    elsewhere = {
        cls.__name__: cls.torch.rpartition(".")[0]
        for classes in families().values()
        for cls in classes
        if cls.torch is not None
        and cls.torch.rpartition(".")[2] == cls.__name__
        and not cls.torch.startswith("torch.nn.")
    }
    return "\n".join(
        [
            '"""Which module holds the class of each built-in kind; written by tools/index_kinds.py."""',
            "",
            "from shapecalc.layers.class_names import targets",
            "",
            "KINDS = targets(",
            "    {",
            *rows("torch"),
            "    }",
            ")",
            '"""The module and the class of each kind."""',
            "KERAS = targets(",
            "    {",
            *rows("keras"),
            "    },",
            '    prefix="Keras",',
            ")",
            '"""The same for kinds that Keras alone has, or has with rules or weights of its own."""',
            "ONNX = targets(",
            "    {",
            *rows("onnx"),
            "    }",
            ")",
            '"""The same for the kinds with rules of ONNX, which specs with the layout of torch may use."""',
            f"BEYOND_NN = {elsewhere!r}".replace("'", '"'),
            '"""Where torch\'s class of a kind is, if not in torch.nn."""',
            "",
        ]
    )


def rows(framework: str) -> Iterator[str]:
    """Yield a row for each module with kinds of a framework."""
    for module, classes in families().items():
        names = sorted(
            name if snake_case(name) == cls.kind else f"{cls.kind}:{name}"
            for cls in classes
            if framework == (cls.framework if cls.framework in ("keras", "onnx") else "torch")
            for name in [cls.__name__.removeprefix("Keras")]
        )
        if names:
            lines = wrap(" ".join(names), 95, break_long_words=False, break_on_hyphens=False)
            one = f'        "{module}": "{lines[0]}",'
            if len(lines) == 1 and len(one) <= 110:
                yield one
                continue
            yield f'        "{module}": ('
            yield from (f'            "{line} "' for line in lines[:-1])
            yield f'            "{lines[-1]}"'
            yield "        ),"


# ---- what type checkers see

HEAD = '''"""The kinds as type checkers see them; written by tools/index_kinds.py.

Fields are given by position or by name, and every number may be a formula, which is a text.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from shapecalc.algebra import Expr
from shapecalc.layers.base import Kind
'''

TYPES = """
_Number = int | Expr | str
_Real = int | float | Fraction | str
_Flag = bool | str
_Branch = Sequence[Any] | str

KINDS: dict[str, str]
KERAS: dict[str, str]
ONNX: dict[str, str]
BEYOND_NN: dict[str, str]
"""


def stub() -> str:
    """Return the text of the stub: every kind with the signature of its fields."""
    found = families()
    lines = [
        HEAD.rstrip("\n"),
        *(f"from shapecalc.layers import {module} as _{module}" for module in found),
        TYPES,
    ]
    for module, classes in found.items():
        for cls in classes:
            summary = (inspect.getdoc(cls) or "").partition("\n")[0].replace("\\", "\\\\")
            lines += [
                f"class {cls.__name__}(_{module}.{defined(cls).__name__}):",
                f'    """{summary}"""',
                f"    def __init__({', '.join(signature(cls))}) -> None: ...",
                "",
            ]
    return "\n".join(lines)


def defined(cls: type[Kind]) -> type[Kind]:
    """Return the class itself, or its family where it is made when it is first used."""
    return RANKED[cls.__module__, cls.__name__][0] if (cls.__module__, cls.__name__) in RANKED else cls


def signature(cls: type[Kind]) -> Iterator[str]:
    """Yield the parameters of a kind: those by position first."""
    yield "self"
    if issubclass(cls, Merge):
        yield "*branches: _Branch"
        own = (parameter(cls, name) for name in cls.model_fields if name != "branches")
        yield from (text.replace(" = ", " | _Branch = ") for text in own)  # or a branch of that name
        yield "**named: _Branch"
        return
    by_position = positions(cls)
    optional = False
    for name in by_position:
        optional = optional or not cls.model_fields[name].is_required()
        yield parameter(cls, name, optional=optional)
    others = [name for name in cls.model_fields if name not in by_position]
    if others:
        yield "*"
        yield from (parameter(cls, name) for name in others)


def parameter(cls: type[Kind], name: str, *, optional: bool = False) -> str:
    """Return one parameter with its type."""
    info = cls.model_fields[name]
    rules = [item for item in info.metadata if isinstance(item, fields.Annotation)]
    type_ = typed(rules[0]) if rules else "str"
    if info.default is None and not type_.endswith("None"):
        type_ += " | None"
    return f"{name}: {type_}{'' if info.is_required() and not optional else ' = ...'}"


def typed(rule: Any) -> str:
    """Return the type of what a field takes."""
    match rule:
        case fields.Integer():
            return "_Number"
        case fields.Decimal():
            return "_Real"
        case fields.Truth():
            return "_Flag"
        case fields.OneOf():
            return "str" if rule.otherwise is None else typed(rule.otherwise)
        case fields.Nullable():
            return f"{typed(rule.item)} | None"
        case fields.Each():
            item = typed(rule.item)
            return f"{item} | Sequence[{item}]"
        case fields.Listed():
            return f"Sequence[{typed(rule.item)}] | str"
    names = {"Word": "str", "Equation": "str", "Held": "Kind | str | Mapping[str, Any]"}
    return names.get(type(rule).__name__, "Any")


if __name__ == "__main__":
    (LAYERS / "index.py").write_text(index(), encoding="utf-8")
    (LAYERS / "index.pyi").write_text(stub(), encoding="utf-8")
