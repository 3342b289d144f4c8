"""ONNX: files read into models, without their weights and without running anything.

Internal except for `from_onnx`, which `shapecalc` exports. The `onnx` package is imported when it is called.
"""

from shapecalc.bridges.onnx.onnx_api import from_onnx

__all__ = ["from_onnx"]
