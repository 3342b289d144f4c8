"""Where a module of a tree is declared: the call in the user's source that makes it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from torch import nn

from shapecalc.bridges.torch.tracer.source_lines import is_users
from shapecalc.errors import Place


@dataclass(frozen=True)
class _Source:
    """An expression and the file that it is in."""

    file: str
    node: ast.expr


def declared_place(root: nn.Module, path: str, source: tuple[str, str] | None = None) -> Place:
    """Return the place of the call that makes the module at a path; an empty place where that is not clear.

    `source` is the file and the name of the root, where it is an object of a file. A call counts only if it
    is of the module's class: what a helper function makes has no place of its own.
    """
    module, here = root, _of_name(*source) if source else None
    for name in path.split(".") if path else ():
        here = _of_item(module, name, here) or _of_attribute(module, name)
        child = getattr(module, name, None)
        if not isinstance(child, nn.Module):
            return Place()
        module = child
    if here is None or _callee(here.node) != type(module).__name__:
        return Place()
    return Place(here.file, here.node.lineno, here.node.col_offset + 1)


def _of_item(module: nn.Module, name: str, here: _Source | None) -> _Source | None:
    """Return an argument of the call that makes a `Sequential`, or an element of a `ModuleList`."""
    if here is None or not isinstance(here.node, ast.Call) or not name.isdecimal():
        return None
    items = here.node.args
    if type(module) is nn.ModuleList and len(items) == 1 and isinstance(items[0], (ast.List, ast.Tuple)):
        items = items[0].elts
    elif type(module) is not nn.Sequential:
        return None
    if len(items) != len(module) or any(isinstance(item, ast.Starred) for item in items):
        return None
    return _Source(here.file, items[int(name)])


def _of_attribute(module: nn.Module, name: str) -> _Source | None:
    """Return what a constructor assigns to an attribute, if it does so once."""
    for cls in type(module).__mro__:
        with suppress(TypeError, OSError):
            file = inspect.getsourcefile(cls) or ""
            tree = _tree(file) if is_users(file) else None
            values = [*_assigned(_constructor(tree, cls.__qualname__), name)] if tree else []
            if values:
                return _Source(file, values[0]) if len(values) == 1 else None
    return None


def _constructor(tree: ast.AST, path: str) -> ast.AST:
    """Return the `__init__` of a class; an empty module where it has none."""
    names = [*(part for part in path.split(".") if part != "<locals>"), "__init__"]
    for name in names:
        body = [node for node in getattr(tree, "body", []) if getattr(node, "name", "") == name]
        if len(body) != 1:
            return ast.Module([], [])
        tree = body[0]
    return tree


def _assigned(tree: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield the values that are assigned to an attribute of `self`."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == name and isinstance(value, ast.expr):
                if isinstance(target.value, ast.Name) and target.value.id == "self":
                    yield value


def _of_name(file: str, name: str) -> _Source | None:
    """Return what a file assigns to a name, if it does so once."""
    tree = _tree(file)
    values = [
        node.value
        for node in getattr(tree, "body", [])
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
    return _Source(file, values[0]) if len(values) == 1 else None


def _callee(node: ast.expr) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@lru_cache(maxsize=64)
def _tree(file: str) -> ast.Module | None:
    with suppress(OSError, SyntaxError, ValueError):
        return ast.parse(Path(file).read_bytes())
    return None
