"""The ONNX operators, each a rule that makes steps of a node. Internal; its modules are all loaded.

How to add an operator: in a module of this package write a function and register it.

    @operator("Softsign")
    def softsign(node: Node) -> None:
        node.ends(layers.Softsign(), node.operand(0))

`Node` (`bridges/onnx/onnx_node.py`) has the operands with their shapes, element types and, where these are
known without running anything, their values; the attributes; the version of the operator set; and what
a rule may do: append steps (`ends`, `step`), claim initializers as weights (`layer`), give a result another
name (`alias`), know its value (`fold`), or not know it (`opaque`). Every shape is computed by the kind.

A rule of small tensors that are known, such as the shape of another, is registered with `folding`: it takes
arrays of numbers, some of which are computed from sizes (`size_values.Size`), and returns one or several. It
runs where all operands are known, before the rule for steps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from shapecalc.bridges.onnx.onnx_node import Node

Rule: TypeAlias = "Callable[[Node], None]"
Fold: TypeAlias = "Callable[..., Any]"
"""Takes the node and the values of its operands; returns that of the result, or None."""

_RULES: dict[tuple[str, str], Rule] = {}
_FOLDS: dict[tuple[str, str], Fold] = {}


def operator(*names: str, domain: str = "") -> Callable[[Rule], Rule]:
    """Register the rule of operators of a domain."""

    def register(rule: Rule) -> Rule:
        assert all((domain, name) not in _RULES for name in names), f"{names} have a rule already"
        _RULES.update(dict.fromkeys([(domain, name) for name in names], rule))
        return rule

    return register


def folding(*names: str, domain: str = "") -> Callable[[Fold], Fold]:
    """Register what operators make of known values."""

    def register(fold: Fold) -> Fold:
        _FOLDS.update(dict.fromkeys([(domain, name) for name in names], fold))
        return fold

    return register


@cache
def _load() -> None:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def rule_of(domain: str, name: str) -> Rule | None:
    """Return the rule of an operator, or None."""
    _load()
    return _RULES.get((domain, name))


def fold_of(domain: str, name: str) -> Fold | None:
    """Return what an operator makes of known values, or None."""
    _load()
    return _FOLDS.get((domain, name))
