"""Layers that are made of others: what a transformer holds, and the layer that another is around.

A piece is a layer as if it stood there by itself, with how many times it stands there.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra import Dim
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.requirement import Shape

WRAPPERS = ("spectral_norm", "weight_norm")
ENCODERS = ("transformer_encoder_layer", "transformer_encoder")
DECODERS = ("transformer_decoder_layer", "transformer_decoder")
TRANSFORMERS = (*ENCODERS, *DECODERS, "transformer")

Piece = tuple[LayerCall, Dim]


def made_of(kind: str) -> tuple[str, ...]:
    """Return the kinds that a kind is made of, as far as the kind alone tells; none if it is of one piece.

    >>> made_of("transformer"), made_of("conv2d")
    (('multihead_attention', 'linear', 'layer_norm'), ())
    """
    if kind in TRANSFORMERS:
        return ("multihead_attention", "linear", "layer_norm")
    return ("linear",) if kind in WRAPPERS else ()


def pieces(asked: LayerCall) -> Iterator[Piece] | None:
    """Return the layers that a layer is made of, None if it is of one piece."""
    if asked.kind in WRAPPERS:
        return iter([(held(asked), 1)])
    return _transformer(asked) if asked.kind in TRANSFORMERS else None


def held(asked: LayerCall) -> LayerCall:
    """Return the layer that another is around, as if it stood there by itself."""
    layer: Kind = asked.layer.fields_set()["layer"]
    return _asked(layer, asked.inputs)


def _asked(layer: Kind, inputs: Shapes) -> LayerCall:
    return LayerCall(layer, inputs, layer.apply(inputs))


def stacks(asked: LayerCall) -> Iterator[tuple[Shape, Shape | None, Dim, bool]]:
    """Yield for each stack of a transformer what it changes, what it looks at, its layers, its last norm."""
    kind, layers = asked.kind, getattr(asked.layer, "num_layers", 1)
    if kind == "transformer":
        source, target = asked.inputs
        yield source, None, asked.whole("num_encoder_layers"), True
        yield target, source, asked.whole("num_decoder_layers"), True
    else:
        x, *memory = asked.inputs
        yield x, memory[0] if memory else None, layers, asked.flag("norm")


def _transformer(asked: LayerCall) -> Iterator[Piece]:
    """Yield self-attention, attention to a memory if there is one, two linear layers, and the norms."""
    from shapecalc.layers.attention import MultiheadAttention
    from shapecalc.layers.layer_norm import LayerNorm
    from shapecalc.layers.linear import Linear

    for x, memory, layers, norm in stacks(asked):
        attends = MultiheadAttention(
            num_heads=asked.whole("nhead"), bias=asked.flag("bias"), batch_first=asked.flag("batch_first")
        )
        yield _asked(attends, (x,)), layers
        if memory is not None:
            yield _asked(attends, (x, memory, memory)), layers
        widened = Linear(out_features=asked.whole("dim_feedforward"), bias=asked.flag("bias"))
        yield _asked(widened, (x,)), layers
        back = Linear(out_features=x[-1], bias=asked.flag("bias"))
        yield _asked(back, (widened.output(x),)), layers
        norms = layers * (2 if memory is None else 3) + norm
        yield _asked(LayerNorm(bias=asked.flag("bias")), (x,)), norms
