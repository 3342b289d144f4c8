"""The Keras counterpart of a kind: its class, what that calls our fields, and how a layer is read back.

    KerasTwin            by default the class in `Kind.keras`, its arguments called as in `NAMES`
    ├── in keras_basic_twins, ...

A layer is read from its config alone (`KerasLayer`). Keras is imported where a layer is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from itertools import islice
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.counterpart import Counterpart, K, plain
from shapecalc.bridges.keras.keras_layer import KerasLayer, Operand, function_name, operands_in, tuples
from shapecalc.layers.base import Kind
from shapecalc.layers.linear import Identity
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.roles import Implementation, fields_with, sizes_inferred

Sizes: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = tuple[Sizes, ...]
Fields: TypeAlias = dict[str, Any]

REJECTIONS = (ValueError, TypeError, IndexError, ArithmeticError, NotImplementedError, KeyError)
"""What Keras raises, depending on where it notices, for a layer or an input that is not legal."""

NAMES: Mapping[str, str] = {
    "out_channels": "filters",
    "stride": "strides",
    "dilation": "dilation_rate",
    "bias": "use_bias",
    "keepdim": "keepdims",
    "eps": "epsilon",
    "out_features": "units",
    "num_embeddings": "input_dim",
    "embedding_dim": "output_dim",
    "dim": "axis",
    "p": "rate",
    "num_groups": "groups",
    "scale_factor": "size",
    "mode": "interpolation",
    "crop": "cropping",
    "shape": "target_shape",
}
"""Our fields that have another name in Keras."""


class KerasTwin(Counterpart[K]):
    """What Keras has for a kind."""

    framework = "keras"
    families: ClassVar[dict[str, tuple[str, ...]]] = {
        f"{__package__}.{module}": homes
        for module, homes in {
            "keras_basic_twins": (
                *("base", "crop", "flatten", "pad", "relu", "reshape"),
                *("keras_norm", "keras_pad", "keras_pool"),
            ),
            "keras_function_twins": (
                *("batch_shape_ops", "by_name", "einsum", "merge", "reshape", "select", "traced"),
            ),
            "keras_recurrent_twins": ("keras_recurrent", "keras_cells", "keras_conv_lstm"),
            "keras_wrapper_twins": ("keras_wrapper",),
            "keras_sequence_twins": ("keras_attention", "keras_basic", "keras_einsum", "keras_merge"),
            "keras_pointwise_twins": ("keras_norm", "keras_pointwise"),
        }.items()
    }
    names: ClassVar[Mapping[str, str]] = NAMES
    activation: ClassVar[str] = "activation"
    """The setting with a function of each element of the result, which is a step of its own; "" for none."""

    # ---- building

    def class_names(self) -> tuple[str, ...]:
        """Return the classes in `keras.layers` that are this kind."""
        path = str(self.kind.keras)
        return (path.rpartition(".")[2],) if path.startswith("keras.layers.") else ()

    def class_name(self, shapes: Shapes) -> str:
        """Return the class for these input shapes."""
        if not self.class_names():
            raise LookupError(f"keras.layers has no class for {self.kind.kind}")
        return self.class_names()[0]

    def defaults(self) -> Fields:
        """Return the defaults of our fields, which are not always Keras'."""
        fields = self.kind.model_fields.items()
        return {name: plain(field.default) for name, field in fields if not field.is_required()}

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        """Return the arguments of the class, by Keras' names, for fields as Keras takes them."""
        left_out = {*sizes_inferred(self.kind), *fields_with(self.kind, Implementation), "branches"}
        written = {name: value for name, value in (self.defaults() | fields).items() if name not in left_out}
        return {self.names.get(name, name): value for name, value in written.items() if value is not None}

    def layer(self, fields: Fields, shapes: Shapes) -> Any:
        """Return the layer for fields as a kind has them, not yet built; raise what Keras raises."""
        import keras

        fields = {name: plain(value) for name, value in fields.items()}
        for name, role in sizes_inferred(self.kind).items():
            declared, size = fields.get(name), role.size(self.kind, shapes)
            if isinstance(declared, int) and declared != size:
                raise ValueError(f"{name} is {declared}, and the input has {size}")
        return getattr(keras.layers, self.class_name(shapes))(**self.arguments(fields, shapes))

    def build(self, fields: Fields, shapes: Shapes) -> Any:
        """Return the layer, built for these input shapes."""
        layer = self.layer(fields, shapes)
        call(layer, shapes, self.call_settings(fields))
        return layer

    def call_settings(self, fields: Fields) -> Fields:
        """Return what is said of these fields when the layer is called, and not when it is made."""
        return {}

    def expression(self, layer: K, shapes: Shapes) -> str | None:
        """Return the source of a function of keras.ops, `{0}` for the first tensor; None for a layer."""
        return None

    # ---- reading

    def from_layer(self, layer: KerasLayer) -> Kind | None:
        """Return the layer of ours that a layer is; None where no fields describe it.

        Its layout is not among the fields: the kind is that of channels behind the sizes, see
        `channel_axis`. An `activation` is not either.
        """
        fields = self.read(layer)
        return None if fields is None else canonical(self.kind, fields)

    def read(self, layer: KerasLayer) -> Fields | None:
        """Return the fields of a layer, defaults among them; None where no fields describe it."""
        named = {name: self.names.get(name, name) for name in self.kind.model_fields}
        return {
            name: tuples(layer.config[theirs]) for name, theirs in named.items() if theirs in layer.config
        }

    def channel_axis(self, layer: KerasLayer) -> int:
        """Return the axis of its input that is to be the last; our kinds have the channels there."""
        return 1 if layer.config.get("data_format") == "channels_first" else -1

    def operands(self, layer: KerasLayer) -> tuple[Operand, ...] | None:
        """Return the tensors that the kind takes, in its order; None where it does not take all of the call.

        By default the tensors given by position; another by name, such as a mask, is for twins that know it.
        """
        return None if any(operands_in(layer.kwargs)) else tuple(operands_in(layer.args))


def call(layer: Any, shapes: Shapes, settings: Mapping[str, Any] = MappingProxyType({})) -> Shapes:
    """Return the shapes of a layer's results; a layer that is not built yet is built, without numbers."""
    import keras

    dtype = "int32" if isinstance(layer, keras.layers.Embedding) and not settings else "float32"
    tensors = [keras.KerasTensor(shape, dtype=dtype) for shape in shapes]
    with keras.device("meta") if keras.backend.backend() == "torch" else nullcontext():
        return results_of(layer, tensors, settings)


def results_of(layer: Any, tensors: Sequence[Any], settings: Mapping[str, Any]) -> Shapes:
    """Return the shapes of what a layer makes of tensors, each where its call takes it."""
    import keras

    args, states = called(layer, tensors)
    result = layer(*args, **states, **settings)
    return tuple(tuple(tensor.shape) for tensor in keras.tree.flatten(result))


def called(layer: Any, tensors: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments by position and by name of a layer's call on tensors."""
    from keras import layers

    first, *others = tensors
    merging = (layers.Add, layers.Multiply, layers.Concatenate, layers.Subtract, layers.Average)
    if isinstance(layer, (*merging, layers.Maximum, layers.Minimum, layers.Dot, layers.Attention)):
        return (list(tensors),), {}
    if isinstance(layer, (layers.MultiHeadAttention, layers.GroupQueryAttention)) and not others:
        return (first, first), {}
    if isinstance(layer, (layers.RNN, layers.Bidirectional)):
        sizes = getattr(layer, "state_size", ())
        return (first,), {"initial_state": nested(sizes, others)} if others else {}
    if isinstance(layer, (layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell)):
        return (first, others), {}
    return tuple(tensors), {}


def nested(sizes: Any, states: Sequence[Any]) -> list[Any]:
    """Return states in the lists that the sizes of stacked cells are in."""
    if not any(isinstance(size, (list, tuple)) for size in sizes):
        return list(states)
    left = iter(states)
    taken = [[*islice(left, len(size))] if isinstance(size, (list, tuple)) else next(left) for size in sizes]
    return [*taken, *left]


# ---- looking up


def twin_of(kind: Kind | type[Kind]) -> KerasTwin[Kind]:
    """Return the Keras counterpart of a layer or a kind."""
    return KerasTwin.of(kind, lambda _kind: KerasTwin)


@cache
def _kinds_of_classes() -> dict[str, list[type[Kind]]]:
    """Return the kinds of each class in `keras.layers`, those over fewer axes first."""
    classes: dict[str, list[type[Kind]]] = {}
    for name in kinds("keras"):
        kind = get(name, "keras")
        for title in twin_of(kind).class_names() if kind.framework in (None, "keras") else ():
            classes.setdefault(title, []).append(kind)
    return classes


@cache
def activation(name: str) -> Kind | None:
    """Return the layer of ours for an activation by its name in Keras, with the settings that it has there.

    >>> activation("leaky_relu").fields_set()
    {'negative_slope': Fraction(1, 5)}
    """
    path = f"keras.activations.{name}"
    known = (get(kind, "keras") for kind in kinds("keras"))
    agreed = [kind for kind in known if kind.framework is None and kind.keras]
    candidates = [kind for kind in agreed if kind.keras == path or kind.kind == name]
    return canonical(candidates[0], FUNCTION_SETTINGS.get(name, {})) if candidates else None


FUNCTION_SETTINGS: Mapping[str, Fields] = {
    "leaky_relu": {"negative_slope": 0.2},
    "log_softmax": {"dim": -1},
    "softmax": {"dim": -1},
}
"""The settings of Keras' activations that are not the defaults of our fields."""


def kind_of(layer: KerasLayer) -> type[Kind] | None:
    """Return the kind of a layer of Keras' own; None where there is none."""
    candidates = _kinds_of_classes().get(layer.class_name, []) if layer.module == "keras.layers" else []
    if len(candidates) < 2:
        return next(iter(candidates), None)
    return candidates[min(max(layer.rank - 2, 1), len(candidates)) - 1]


def layer_of(layer: KerasLayer) -> Kind | None:
    """Return the layer of ours that a Keras layer is; None where we have none.

    >>> layer_of(KerasLayer("Dense", {"units": 10, "use_bias": False})).fields_set()
    {'out_features': 10, 'bias': False}
    """
    if layer.class_name == "Activation":
        name = function_name(layer.config["activation"])
        return Identity() if name == function_name(None) else activation(name) if name else None
    kind = kind_of(layer)
    return None if kind is None else twin_of(kind).from_layer(layer)
