"""Kinds that Keras has a function for and no layer: how `export` writes them."""

from __future__ import annotations

from inspect import Parameter, signature

from shapecalc.bridges.keras.keras_twins import KerasTwin, Shapes
from shapecalc.layers.batch_shape_ops import View
from shapecalc.layers.by_name import Combine, Elementwise, Reduce
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.merge import Matmul
from shapecalc.layers.reshape import Squeeze, Transpose, Unsqueeze
from shapecalc.layers.select import Mean, Select, Slice
from shapecalc.layers.traced import Constant

ALIASES = {
    "Power": "pow", "Mod": "remainder", "Subtract": "sub", "Equal": "eq", "BitwiseInvert": "bitwise_not",
    "NanToNum": "nan_to_num",
}  # fmt: skip
"""What torch calls a function of each element, by the class of Keras' operation, where the names differ."""
_FUNCTIONS = {"div": "divide", **{name: title.lower() for title, name in ALIASES.items() if "T" not in title}}


class ByNameTwin(KerasTwin[Elementwise | Combine | Reduce]):
    """A function of keras.ops by its name; one that takes more than tensors is not written."""

    def expression(self, layer: Elementwise | Combine | Reduce, shapes: Shapes) -> str | None:
        from keras import ops

        function = getattr(ops, _FUNCTIONS.get(layer.function, layer.function), None)
        if function is None:
            return None
        parameters = signature(function).parameters
        required = [name for name, each in parameters.items() if each.default is Parameter.empty]
        settings = ""
        if isinstance(layer, Reduce):
            if not {"axis", "keepdims"} <= parameters.keys():
                return None
            settings = f", axis={layer.dim}, keepdims={layer.keepdim}"
        tensors = ", ".join(f"{{{number}}}" for number in range(len(shapes)))
        return f"ops.{function.__name__}({tensors}{settings})" if len(required) == len(shapes) else None


class MeanTwin(KerasTwin[Mean]):
    """The mean over axes."""

    def expression(self, layer: Mean, shapes: Shapes) -> str:
        return f"ops.mean({{0}}, axis={layer.dim}, keepdims={layer.keepdim})"


class PartTwin(KerasTwin[Select | Slice]):
    """A part of a tensor, by indices."""

    def expression(self, layer: Select | Slice, shapes: Shapes) -> str:
        before = ":, " * (layer.dim % len(shapes[0]))
        if isinstance(layer, Select):
            return f"{{0}}[{before}{layer.index}]"
        end = "" if layer.end is None else layer.end
        return f"{{0}}[{before}{layer.start}:{end}:{layer.step}]"


class AxesTwin(KerasTwin[Squeeze | Unsqueeze | Transpose]):
    """Axes inserted, dropped and exchanged."""

    def expression(self, layer: Squeeze | Unsqueeze | Transpose, shapes: Shapes) -> str:
        if isinstance(layer, Transpose):
            return f"ops.swapaxes({{0}}, {layer.dim0}, {layer.dim1})"
        return f"ops.{'squeeze' if isinstance(layer, Squeeze) else 'expand_dims'}({{0}}, axis={layer.dim})"


class ProductTwin(KerasTwin[Matmul | Einsum]):
    """Products of tensors."""

    def expression(self, layer: Matmul | Einsum, shapes: Shapes) -> str:
        tensors = ", ".join(f"{{{number}}}" for number in range(len(shapes)))
        if isinstance(layer, Matmul):
            return f"ops.matmul({tensors})"
        return f'ops.einsum("{layer.equation}", {tensors})'


class ViewTwin(KerasTwin[View]):
    """All elements arranged anew."""

    def expression(self, layer: View, shapes: Shapes) -> str:
        return f"ops.reshape({{0}}, {layer.shape})"


class ConstantTwin(KerasTwin[Constant]):
    """Numbers that are not known, only their shape."""

    def expression(self, layer: Constant, shapes: Shapes) -> str:
        return f"ops.ones({layer.shape})"
