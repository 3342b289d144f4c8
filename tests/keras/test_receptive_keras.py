"""What Keras' layers see, against the gradients of the real Keras layers: `same` puts the odd pixel behind."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch

from shapecalc import Model
from shapecalc.bridges.keras.keras_twins import called, twin_of
from shapecalc.layers import (
    KerasAdaptiveAvgPool1d,
    KerasAdditiveAttention,
    KerasAttention,
    KerasAverage,
    KerasDot,
    KerasEinsumDense,
    KerasGRU,
    KerasGRUCell,
    KerasLSTM,
    KerasMultiheadAttention,
    KerasRepeatVector,
    KerasReversibleEmbedding,
    KerasRMSNorm,
    KerasRNN,
    KerasRNNOfCells,
    KerasTimeDistributed,
    KerasUnitNormalization,
)
from shapecalc.layers.base import Kind
from shapecalc.layers.dependence import Along, AxisDependence, Before, Fixed, Nothing
from shapecalc.layers.registry import get
from shapecalc.report.receptive_field import ReceptiveField
from tests.support.keras_twin import keras
from tests.support.keras_twin import layer as twin
from tests.support.seen_by_torch import Place, by_gradient

LAYERS: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("conv2d", {"out_channels": 2, "kernel_size": [4, 2], "stride": 2, "padding": "same"}, (10, 11)),
    ("conv2d", {"out_channels": 2, "kernel_size": [4, 2], "stride": 2, "padding": "same"}, (11, 10)),
    ("conv2d", {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": "same"}, (10, 11)),
    ("conv2d", {"out_channels": 2, "kernel_size": [3, 2], "dilation": 3, "padding": "same"}, (12, 13)),
    ("conv2d", {"out_channels": 2, "kernel_size": 3, "stride": 3, "padding": "valid"}, (11, 12)),
    ("depthwise_conv2d", {"kernel_size": 4, "stride": 3, "padding": "same"}, (11, 13)),
    ("separable_conv2d", {"out_channels": 2, "kernel_size": 2, "stride": 2, "padding": "same"}, (9, 10)),
    ("avg_pool2d", {"kernel_size": [2, 3], "stride": [3, 2], "padding": "same"}, (10, 10)),
    ("zero_pad2d", {"padding": [[1, 2], [3, 0]]}, (6, 7)),
    ("crop2d", {"crop": [[1, 2], [3, 0]]}, (7, 8)),
]
"""Kinds, their fields, and height and width of what arrives."""
TRANSPOSED = [
    {"out_channels": 2, "kernel_size": 4, "stride": 2, "padding": "same"},
    {"out_channels": 2, "kernel_size": 5, "stride": 3, "padding": "valid"},
]

Seen = dict[tuple[int, int], list[tuple[int, int]]]
"""By position, the first pixel and the one behind the last along each axis, of what is seen."""


def seen_by_keras(kind: str, fields: dict[str, Any], sizes: tuple[int, int]) -> Seen:
    """Return where the gradient of each position of the real layer is not 0, all weights positive."""
    cls, shape = get(kind, "keras"), (1, *sizes, 2)
    given = cls.model_validate(fields).fields_set()
    real = twin(cls, given, (shape,))
    real.build(shape)
    for weight in real.weights:
        weight.assign(torch.ones(tuple(weight.shape)))
    x = torch.ones(shape, requires_grad=True)
    result = real(x)
    found: Seen = {}
    for place in product(*({0, 1, size // 2, size // 2 + 1, size - 1} for size in result.shape[1:3])):
        (gradient,) = torch.autograd.grad(result[0][place].sum(), x, retain_graph=True)
        pixels = gradient[0].abs().sum(-1).nonzero()
        if len(pixels):
            low, high = pixels.min(0).values.tolist(), pixels.max(0).values.tolist()
            found[place] = [(first, last + 1) for first, last in zip(low, high, strict=True)]
    return found


def field_of(kind: str, fields: dict[str, Any], sizes: tuple[int, int]) -> ReceptiveField:
    """Return the field that we tell of the layer."""
    one = get(kind, "keras").model_validate(fields)
    field = Model(name="one", framework="keras", input=[*sizes, 2], layers=[one]).analyze().nodes[-1].field
    assert field is not None
    return field


def told(field: ReceptiveField, place: tuple[int, int]) -> list[tuple[int, int]]:
    """Return what a position sees by size, stride and offset, were there no end to the input."""
    found = []
    for axis, index in enumerate(place):
        size, stride, offset = field.size[axis], field.stride[axis], field.offset[axis]
        assert isinstance(size, int)
        assert isinstance(stride, int)
        assert isinstance(offset, int)
        first = offset + stride * index
        found.append((first, first + size))
    return found


@pytest.mark.parametrize(("kind", "fields", "sizes"), LAYERS)
def test_a_layer_of_keras_sees_what_its_gradient_says(
    kind: str, fields: dict[str, Any], sizes: tuple[int, int]
) -> None:
    field = field_of(kind, fields, sizes)
    compared = 0
    for place, spans in seen_by_keras(kind, fields, sizes).items():
        for (first, end), size, span in zip(told(field, place), sizes, spans, strict=True):
            if "dilation" in fields and (first < 0 or end > size):
                continue  # the pixels at the ends of what is left may lie between those that it reads
            compared += 1
            assert (max(first, 0), min(end, size)) == span, place
    assert compared >= 8


@pytest.mark.parametrize("fields", TRANSPOSED)
def test_a_transposed_convolution_of_keras_sees_no_more_than_it_says(fields: dict[str, Any]) -> None:
    sizes = (9, 9)
    field = field_of("conv_transpose2d", fields, sizes)
    found = seen_by_keras("conv_transpose2d", fields, sizes)
    for axis in range(2):
        assert max(spans[axis][1] - spans[axis][0] for spans in found.values()) == field.size[axis]


def test_the_odd_pixel_is_padded_behind() -> None:
    """On an even size a kernel of 3 with stride 2 starts at pixel 0, on an odd one before it."""
    fields = {"out_channels": 2, "kernel_size": 3, "stride": 2, "padding": "same"}
    assert field_of("conv2d", fields, (10, 11)).offset == (0, -1)


# ---- kinds with sequences and several tensors: what every position of every result sees, axis by axis

SEQUENCE = (2, 4, 3)
OTHERS: list[tuple[Kind, tuple[tuple[int, ...], ...]]] = [
    (KerasRNN(hidden_size=3, return_sequences=True, return_state=True), (SEQUENCE, (2, 3))),
    (KerasLSTM(hidden_size=2, return_state=True), (SEQUENCE, (2, 2), (2, 2))),
    (KerasGRU(hidden_size=2, return_sequences=True, bidirectional=True), (SEQUENCE,)),
    (KerasLSTM(hidden_size=2, bidirectional=True, return_state=True), (SEQUENCE, *[(2, 2)] * 4)),
    (KerasRNNOfCells(cells=[{"gru_cell": {"hidden_size": 2}}] * 2, return_sequences=True), (SEQUENCE,)),
    (KerasGRUCell(hidden_size=2), ((2, 3), (2, 2))),
    (KerasTimeDistributed(layer={"conv1d": {"out_channels": 2, "kernel_size": 2}}), ((2, 3, 5, 2),)),
    (KerasMultiheadAttention(num_heads=2, key_dim=3), (SEQUENCE, (2, 5, 2))),
    (KerasMultiheadAttention(num_heads=2, key_dim=3), (SEQUENCE,)),
    (KerasAttention(), (SEQUENCE, (2, 5, 2), (2, 5, 3))),
    (KerasAdditiveAttention(), (SEQUENCE, (2, 5, 3))),
    (KerasEinsumDense(equation="abc,cd->abd", output_shape=[None, 2], bias_axes="d"), (SEQUENCE,)),
    (KerasDot(dim=[2, 1]), (SEQUENCE, (2, 3, 5))),
    (KerasAverage(), (SEQUENCE, (2, 3), (2, 1, 3))),
    (KerasRepeatVector(n=3), ((2, 4),)),
    (KerasReversibleEmbedding(num_embeddings=5, embedding_dim=3, reverse=True), (SEQUENCE,)),
    (KerasUnitNormalization(dim=[1, 2]), (SEQUENCE,)),
    (KerasAdaptiveAvgPool1d(output_size=3), ((2, 7, 2),)),
    (KerasRMSNorm(), (SEQUENCE,)),
]


def positions_of(view: AxisDependence, place: Place, sizes: tuple[Any, ...], n: int) -> set[int]:
    """Return the positions of an input's axis that a place sees by its view."""
    match view:
        case Nothing():
            return set()
        case Along() | Before():
            at = [place.position] if place.axis == view.axis else range(sizes[view.axis])
            if isinstance(view, Before):
                return set(range(max(at) + 1))
            found: set[int] = set()
            for turn, number in (divmod(position, len(view.ranges)) for position in at):
                if (reached := view.ranges[number]) is not None:
                    first, last = (int(str(end)) + turn * view.shift for end in reached)
                    found |= {*range(first, last + 1)}
            return found & {*range(n)}
        case Fixed():
            return {*range(int(str(view.first)), int(str(view.last)) + 1)}
    return set(range(n))


@pytest.mark.sample(6)
@pytest.mark.parametrize(("layer", "shapes"), OTHERS, ids=lambda each: getattr(each, "kind", ""))
def test_every_position_sees_what_is_declared(layer: Kind, shapes: tuple[tuple[int, ...], ...]) -> None:
    twin, fields = twin_of(layer), layer.fields_set()
    torch.manual_seed(0)
    with keras.device("cpu"):
        live, said = twin.layer(fields, shapes), twin.call_settings(fields)

        class Run(torch.nn.Module):
            def forward(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
                args, states = called(live, tensors)
                results: list[torch.Tensor] = keras.tree.flatten(live(*args, **states, **said))
                return results

        Run()(*(torch.rand(x) for x in shapes))
        for weight in live.weights:
            weight.assign(torch.rand(tuple(weight.shape)) / 4 + 0.1)
        outputs = layer.apply(shapes).outputs
        places = [
            Place(result, axis, position)
            for result, sizes in enumerate(outputs)
            for axis, size in enumerate(sizes)
            if axis < len(sizes) - 1 or not getattr(layer, "bidirectional", False)  # all channels together
            for position in range(int(str(size)))
        ]
        supports = by_gradient(Run(), [torch.rand(x) + 0.5 for x in shapes], places)
    for place, support in zip(places, supports, strict=True):
        sizes = outputs[place.result]
        for x, views, seen in zip(shapes, layer.depends_on(shapes, place.result), support, strict=True):
            for n, view, actual in zip(x, views, seen, strict=True):
                if view is not None:
                    assert actual == positions_of(view, place, sizes, n), (place, view)
