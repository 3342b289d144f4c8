"""Where windows are centred: each kind against the centre of mass of torch's gradient, and branches that meet.

With all weights alike, what one position of a result sees weighs alike on both sides of its centre.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn

import shapecalc
from shapecalc import Model, symbol
from shapecalc.bridges.torch.twins.twin import build_layer
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.alignment import Track, tracks
from shapecalc.layers import (
    AdaptiveAvgPool1d,
    Add,
    AvgPool1d,
    AvgPool2d,
    Concat,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    Crop1d,
    DepthwiseConv1d,
    Dropout,
    GlobalAvgPool1d,
    Linear,
    Multiply,
    Permute,
    PixelShuffle,
    PixelUnshuffle,
    ReLU,
    ReplicationPad1d,
    Slice,
    Split,
    Transpose,
    Upsample,
    UpsamplingBilinear2d,
    ZeroPad1d,
    ZeroPad2d,
)
from shapecalc.layers.base import Kind, Layer
from shapecalc.layers.centre import Centre

LENGTH = 96


def alike(module: nn.Module) -> nn.Module:
    """Return the module in evaluation mode and double precision, all its weights 1."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1)
    return module.double().eval()


def centre_of_mass(
    modules: list[nn.Module], shape: tuple[int, ...], at: tuple[int, ...], axis: int
) -> float | None:
    """Return where on an axis of the input one position of the result is centred; None if it sees the border."""
    x = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    y: Tensor = x
    for module in modules:
        y = module(y)
    (gradient,) = torch.autograd.grad(y.sum(dim=1)[(0, *at)], x)
    others = [number for number in range(len(shape)) if number != axis]
    weight = gradient.sum(dim=others)
    if weight[0] != 0 or weight[-1] != 0 or weight.sum() == 0:
        return None
    return float((weight * torch.arange(shape[axis])).sum() / weight.sum())


KINDS: list[tuple[Layer, tuple[int, ...], int]] = [
    (Conv1d(out_channels=2, kernel_size=3, stride=2, padding=1), (1, 3, 40), 1),
    (Conv1d(out_channels=2, kernel_size=4, dilation=3), (1, 3, 40), 1),
    (Conv1d(out_channels=2, kernel_size=4, padding="same"), (1, 3, 40), 1),
    (DepthwiseConv1d(kernel_size=2, stride=3), (1, 3, 40), 1),
    (AvgPool1d(kernel_size=3, stride=2, padding=1, ceil_mode=True), (1, 3, 40), 1),
    (ConvTranspose1d(out_channels=2, kernel_size=2, stride=2), (1, 3, 20), 2),
    (ConvTranspose1d(out_channels=2, kernel_size=5, stride=3, padding=1, output_padding=1), (1, 3, 20), 3),
    (ConvTranspose1d(out_channels=2, kernel_size=3, dilation=2), (1, 3, 20), 1),
    (ZeroPad1d(padding=[[3, 1]]), (1, 3, 20), 1),
    (ReplicationPad1d(padding=[[0, 2]]), (1, 3, 20), 1),
    (Crop1d(crop=[[3, 1]]), (1, 3, 20), 1),
    (Slice(dim=2, start=3, step=2), (1, 3, 20), 1),
    (Slice(dim=2, start=-11, end=-1), (1, 3, 20), 1),
    (Upsample(scale_factor=3), (1, 3, 10), 3),
    (Upsample(size=5), (1, 3, 20), 1),
    (Upsample(scale_factor=2, mode="linear"), (1, 3, 20), 2),
    (Upsample(size=14, mode="linear"), (1, 3, 21), 2),
    (Upsample(size=39, mode="linear", align_corners=True), (1, 3, 20), 1),
    (Upsample(scale_factor=2, mode="area"), (1, 3, 10), 2),
    (Upsample(size=39, mode="bilinear", align_corners=True), (1, 3, 20, 20), 1),
    (UpsamplingBilinear2d(size=39), (1, 3, 20, 20), 1),
    (AdaptiveAvgPool1d(output_size=5), (1, 3, 20), 1),
    (PixelShuffle(upscale_factor=2), (1, 4, 10, 10), 2),
    (PixelUnshuffle(downscale_factor=3), (1, 4, 12, 12), 1),
    (ReLU(), (1, 3, 20), 1),
    (Dropout(), (1, 3, 20), 1),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("layer", "shape", "period"), KINDS, ids=lambda value: getattr(value, "kind", None))
def test_a_kind_says_where_its_results_are_centred(layer: Layer, shape: tuple[int, ...], period: int) -> None:
    """Over a whole period of what spreads unevenly, so that each position is compared in the mean."""
    axis = len(shape) - 1
    (centre,) = [one for one in layer.centres(shape)[-1:] if one is not None]
    assert centre.axis == axis
    module = alike(build_layer(layer, (shape,)))
    differences: list[float] = []
    middle = layer.output(shape)[-1] // 2
    assert isinstance(middle, int)
    for position in range(middle - middle % period, middle - middle % period + period):
        found = centre_of_mass([module], shape, (position,) * (len(shape) - 2), axis)
        assert found is not None
        differences.append(found - float(centre.first + position * centre.stride))
    assert sum(differences) == pytest.approx(0, abs=1e-9)
    assert max(map(abs, differences)) < 1


def test_what_has_no_even_step_says_nothing() -> None:
    x = (1, 3, 20)
    unknown = [
        GlobalAvgPool1d(),
        AdaptiveAvgPool1d(output_size=6),
        Upsample(size=7),
        Upsample(size=30, mode="nearest"),
        Upsample(scale_factor=Fraction(3, 2), mode="area"),
        Upsample(scale_factor=Fraction(23, 40), mode="linear"),
        Upsample(size=1, mode="linear", align_corners=True),
        Linear(out_features=20),
        Split(split_size=10, dim=2),
        Conv1d(out_channels=3, kernel_size=symbol("k")),
    ]
    for layer in unknown:
        assert [one for one in layer.centres(x) if one is not None and one.axis == 2] == []


def test_axes_that_are_moved_about_keep_their_places() -> None:
    x = (1, 3, 8, 9)
    assert Permute(dims=[0, 2, -1, 1]).centres(x) == (Centre(0), Centre(2), Centre(3), Centre(1))
    assert Transpose(dim0=1, dim1=-1).centres((1, 9, 8, 9)) == (Centre(0), Centre(3), Centre(2), Centre(1))
    assert Linear(out_features=9).centres(x) == (Centre(0), Centre(1), Centre(2), None)
    pair = ZeroPad2d(padding=[1, 2, 3, 4]).centres(x)  # torch's order: left, right, top, bottom
    assert pair[2:] == (Centre(2, 1, -3), Centre(3, 1, -1))


@pytest.mark.parametrize(
    "name", ["conv2d", "max_pool2d", "zero_pad2d", "upsample", "depthwise_conv2d", "crop2d"]
)
def test_keras_says_the_same_on_other_axes(name: str) -> None:
    """The centre of a Keras layer is that of torch's, for sizes on which `same` pads both sides alike."""
    fields: dict[str, dict[str, Any]] = {
        "conv2d": {"out_channels": 3, "kernel_size": [3, 5]},
        "max_pool2d": {"kernel_size": [3, 2], "stride": 2},
        "zero_pad2d": {"padding": [[1, 2], [3, 4]]},
        "upsample": {"scale_factor": [2, 3]},
        "depthwise_conv2d": {"kernel_size": 3, "stride": 2},
        "crop2d": {"crop": [[1, 2], [0, 3]]},
    }
    from shapecalc.layers.registry import get

    ours: Kind = get(name, "keras")(**fields[name])
    theirs: Kind = get(name)(**fields[name])
    assert isinstance(ours, Layer)
    assert isinstance(theirs, Layer)
    height, width = ours.centres((1, 11, 12, 3))[1:3]
    again = theirs.centres((1, 3, 11, 12))[2:]
    assert [(one.stride, one.first) for one in again if one] == [
        (one.stride, one.first) for one in (height, width) if one
    ]


def test_same_of_an_even_size_is_centred_after_the_middle() -> None:
    from shapecalc.layers import KerasMaxPool2d

    pool = KerasMaxPool2d(kernel_size=3, stride=2, padding="same")
    assert pool.centres((1, 10, 11, 3))[1:3] == (Centre(1, 2, 1), Centre(2, 2, 0))


# ---- branches that meet


def drifts(model: Model) -> list[Diagnostic]:
    return [one for one in model.check() if one.code == "drifting-centres"]


STEPS = st.one_of(
    st.builds(
        Conv1d,
        out_channels=st.just(1),
        kernel_size=st.integers(1, 4),
        stride=st.integers(1, 2),
        padding=st.integers(0, 2),
        dilation=st.integers(1, 2),
    ),
    st.builds(AvgPool1d, kernel_size=st.integers(2, 4), stride=st.integers(1, 2)),
    st.builds(
        ZeroPad1d,
        padding=st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), min_size=1, max_size=1),
    ),
    st.just(Crop1d(crop=[[1, 0]])),
    st.just(ReLU()),
)


@given(
    st.lists(STEPS, min_size=1, max_size=3),
    st.lists(STEPS, max_size=3),
    st.sampled_from([Add, Multiply, Concat]),
)
def test_branches_drift_as_far_as_torchs_gradients_do(
    one: list[Layer], other: list[Layer], merge: type[Add | Multiply | Concat]
) -> None:
    """Cut to one length at their ends, two branches are told apart exactly where their gradients are."""
    shape = (1, 1, LENGTH)
    branches: list[list[Layer]] = []
    lengths: list[int] = []
    for steps in (one, other):
        x: Any = shape
        for layer in steps:
            x = layer.output(x)
        branches.append([*steps])
        lengths.append(x[-1])
    for branch, length in zip(branches, lengths, strict=True):
        if length > min(lengths):
            branch.append(Crop1d(crop=[[0, length - min(lengths)]]))
    model = Model(input=[1, LENGTH], layers=[merge(*branches)])
    found = drifts(model)
    at = min(lengths) // 2
    paces: list[float] = []
    places: list[float] = []
    for branch in branches:
        modules, x = [], shape
        for layer in branch:
            modules.append(alike(build_layer(layer, (x,))))
            x = layer.output(x)
        here, next_ = (centre_of_mass(modules, shape, (position,), 2) for position in (at, at + 1))
        assume(here is not None and next_ is not None)
        assert here is not None
        assert next_ is not None
        places.append(here)
        paces.append(next_ - here)
    if paces[0] != pytest.approx(paces[1]) or places[0] == pytest.approx(places[1]):
        assert found == []
        return
    by = Fraction(places[1] - places[0]).limit_denominator(8)
    (told,) = found
    side = "after" if by > 0 else "before"
    assert f"along its length, branch 2 is centred {abs(by)} pixel" in told.message
    assert f"of the input {side} branch 1" in told.message
    assert told.severity == ("warning" if abs(by) >= paces[0] / 2 - 1e-9 else "note")


XCEPTION = """\
framework: keras
input: [{size}, {size}, 8]
layers:
  - add:
      main:
        - separable_conv2d: {{out_channels: 16, kernel_size: 3, padding: same}}
        - max_pool2d: {{kernel_size: 3, stride: 2, padding: same}}
      shortcut:
        - conv2d: {{out_channels: 16, kernel_size: 1, stride: 2, padding: same}}
"""


def test_same_beside_a_1x1_drifts_on_even_sizes_only() -> None:
    """Keras pads an even size on one side, so the pool looks a pixel further on than the shortcut."""
    (found,) = shapecalc.loads(XCEPTION.format(size=10), file="net.yaml").check()
    assert (found.code, found.severity, found.path) == ("drifting-centres", "warning", "add")
    assert (found.place.file, found.place.line) == ("net.yaml", 4)
    assert found.message == (
        "add: along its height and width, branch 2 is centred 1 pixel of the input before branch 1, "
        "1/2 of their step of 2"
    )
    assert shapecalc.loads(XCEPTION.format(size=11)).check() == []


def test_an_even_kernel_beside_an_odd_one() -> None:
    model = Model(
        input=[3, 8, 8],
        layers=[
            Concat(
                [Conv2d(out_channels=4, kernel_size=3, padding=1)],
                [Conv2d(out_channels=4, kernel_size=[2, 1], padding="same")],
                [],
            )
        ],
    )
    (found,) = drifts(model)
    assert "along its height, branch 2 is centred 1/2 pixel of the input after branch 1" in found.message


def test_what_cannot_be_compared_is_not() -> None:
    """Other paces, global gates, and what passes through a layer that mixes all positions."""
    flat = [AvgPool2d(kernel_size=8), Upsample(size=8)]
    gate = [Conv2d(out_channels=3, kernel_size=2, padding="same"), AvgPool2d(kernel_size=8)]
    mixed = [Permute(dims=[0, 1, 3, 2]), Conv2d(out_channels=3, kernel_size=2, padding="same")]
    slower = [
        Conv2d(out_channels=3, kernel_size=2, stride=2),
        Upsample(size=8, mode="bilinear", align_corners=True),
    ]
    for branch in (gate, mixed, slower):
        assert drifts(Model(input=[3, 8, 8], layers=[Multiply([], branch)])) == []
    assert drifts(Model(input=[3, 8, 8], layers=[Add([], flat)])) == []


def test_two_inputs_have_nothing_in_common() -> None:
    text = """
        input: {a: [3, 8, 8], b: [3, 8, 8]}
        layers:
          - conv2d: {out_channels: 3, kernel_size: 2, padding: same}
            from: a
          - add: [[], b]
        """
    assert drifts(shapecalc.loads(text)) == []


def test_a_u_net_returns_to_where_it_began() -> None:
    """Half a pixel is lost in a pool of 2 and won back by a transposed convolution of 2."""
    report = shapecalc.load("unet").analyze()
    known = tracks(report.inference, [*report.inputs.values()], 1)
    last = known[report.graph.outputs["output"]]
    assert {one.stride for one in last[2:] if one} == {Fraction(1)}
    assert len({one.first for one in last[2:] if one}) == 1
    assert last[1] is None


def test_tracks_compose() -> None:
    start = Track((0, 2))
    centres = [Centre(2, 2, Fraction(1, 2)), Centre(2, Fraction(1, 2), Fraction(-1, 4)), Centre(2, 3, -1)]
    track = start
    for centre in centres:
        track = track.after(centre)
    assert (track.stride, track.first) == (Fraction(3), Fraction(1, 2) - Fraction(1, 2) - 1)
