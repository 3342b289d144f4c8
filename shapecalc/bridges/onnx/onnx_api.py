"""The public function of the ONNX bridge; the `onnx` package is imported only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shapecalc.bridges import need

if TYPE_CHECKING:
    import onnx

    from shapecalc.model import Model


def from_onnx(source: str | Path | onnx.ModelProto, *, name: str | None = None) -> Model:
    """Read an ONNX file, or a `ModelProto`, into a model: nodes become steps, initializers weights.

    Steps have the names of the nodes; sizes that the file leaves open (`dim_param`) are parameters of the
    model, free under these names. Weights and external data are not loaded. Constants are folded, and what
    is computed with shapes becomes size arithmetic. An operator without a rule becomes `opaque`, with the
    shape that the file says, and totals are then "at least".

    Raises `SpecError` where the file is no ONNX model or holds what cannot be read, `NotInstalled` without
    the `onnx` package.

    >>> from onnx import TensorProto, helper
    >>> x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 8])
    >>> y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    >>> w = helper.make_tensor("w", TensorProto.FLOAT, [10, 8], [0.0] * 80)
    >>> graph = helper.make_graph(
    ...     [helper.make_node("Gemm", ["x", "w"], ["y"], "fc", transB=1)], "net", [x], [y], [w]
    ... )
    >>> report = from_onnx(helper.make_model(graph)).analyze()
    >>> report.params, report["fc"].output
    (80, (1, 10))
    """
    need("onnx")
    from shapecalc.bridges.onnx.importer import imported

    return imported(source, name)
