"""Shapes, parameters and cost of neural networks, in numbers and in closed form, without running them.

>>> import shapecalc
>>> report = shapecalc.load("lenet5").analyze()
>>> report.output, report.params, report.macs
((1, 10), 61706, 416520)

Public: the names exported here, and the packages `shapecalc.layers` (the kinds, and what a kind of your own
needs), `shapecalc.testing` and `shapecalc.ext` (Sphinx, MkDocs). All other modules are internal: their names
may change in any release.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapecalc.algebra.expr import Dim, Expr, symbol
    from shapecalc.bridges.keras.keras_api import from_keras
    from shapecalc.bridges.onnx.onnx_api import from_onnx
    from shapecalc.bridges.torch.api import build, export, from_torch, key_value_cache, verify
    from shapecalc.diagnostics.diagnostic import Diagnostic
    from shapecalc.errors import DesignError, FormulaError, ShapecalcError, ShapeError, SpecError, Undecided
    from shapecalc.layers.base import Joint, Layer, Merge
    from shapecalc.layers.registry import kinds, register, unregister
    from shapecalc.model import Model, load, loads
    from shapecalc.report.comparison import compare
    from shapecalc.report.derivation import Derivation
    from shapecalc.report.node import Node
    from shapecalc.report.report import Report
    from shapecalc.sizes.answer import Sizes
    from shapecalc.solving.mirror import solve_mirror
    from shapecalc.solving.window import solve_window
    from shapecalc.spec.find import names
    from shapecalc.spec.tree import Block, Call, Sequential, Side, Step

_MODULES = {
    "algebra.expr": "Dim Expr symbol",
    "bridges.keras.keras_api": "from_keras",
    "bridges.onnx.onnx_api": "from_onnx",
    "bridges.torch.api": "build export from_torch key_value_cache verify",
    "diagnostics.diagnostic": "Diagnostic",
    "errors": "DesignError FormulaError ShapeError ShapecalcError SpecError Undecided",
    "layers.base": "Joint Layer Merge",
    "layers.registry": "kinds register unregister",
    "model": "Model load loads",
    "report.comparison": "compare",
    "report.derivation": "Derivation",
    "report.node": "Node",
    "report.report": "Report",
    "sizes.answer": "Sizes",
    "solving.mirror": "solve_mirror",
    "solving.window": "solve_window",
    "spec.find": "names",
    "spec.tree": "Block Call Sequential Side Step",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__version__ = "0.1.0"
__all__ = [
    "Block",
    "Call",
    "Derivation",
    "DesignError",
    "Diagnostic",
    "Dim",
    "Expr",
    "FormulaError",
    "Joint",
    "Layer",
    "Merge",
    "Model",
    "Node",
    "Report",
    "Sequential",
    "ShapeError",
    "ShapecalcError",
    "Side",
    "Sizes",
    "SpecError",
    "Step",
    "Undecided",
    "build",
    "compare",
    "export",
    "from_keras",
    "from_onnx",
    "from_torch",
    "key_value_cache",
    "kinds",
    "load",
    "loads",
    "names",
    "register",
    "solve_mirror",
    "solve_window",
    "symbol",
    "unregister",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
