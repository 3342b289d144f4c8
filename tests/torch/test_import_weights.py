"""Imports of layers whose weight is computed, shared, sliced or generated: sizes, parameters and MACs of torch."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torch.backends import mha
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules import transformer
from torch.nn.utils import parametrizations, prune
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import ShapecalcError, from_torch, loads, verify

Sizes: TypeAlias = "tuple[int, ...]"
Network: TypeAlias = "tuple[Callable[[], nn.Module], tuple[Sizes, ...]]"
utils: Any = nn.utils  # older functions without types
pruned: Any = prune.l1_unstructured


class Of(nn.Module):
    """A forward that is one function of the module and its input; plain tensors are buffers."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            if type(part) is Tensor:
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def by_torch(net: nn.Module, x: Tensor) -> tuple[list[Sizes], int]:
    """Return the shapes of the outputs, and half the FLOPs that torch counts."""
    was_enabled = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)  # fused kernels are counted as nothing
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            result = net(x)
    finally:
        mha.set_fastpath_enabled(was_enabled)
    results = [result] if isinstance(result, Tensor) else result
    return [tuple(item.shape) for item in results], counter.get_total_flops() // 2


def assert_agrees(net: nn.Module, traced: Sizes, *others: Sizes, refused: tuple[Sizes, ...] = ()) -> None:
    """Check an import against real runs, at the sizes of the trace and at others, of two batches."""
    net = net.eval()
    model = from_torch(net, input=traced)
    for size in (traced, *others):
        for batch in (1, 3):
            report = model.analyze(input=size, batch=batch)
            expected, macs = by_torch(net, torch.zeros(batch, *size))
            assert [*map(tuple, report.outputs.values())] == expected, (size, batch)
            assert report.complete
            assert report.macs == macs, (size, batch)
            assert report.params == sum(item.numel() for item in net.parameters())
    for size in refused:
        with pytest.raises((RuntimeError, ValueError)):
            net(torch.zeros(2, *size))
        with pytest.raises(ShapecalcError):
            model.analyze(input=size)


def parameter(*shape: int, trained: bool = True) -> nn.Parameter:
    return nn.Parameter(torch.ones(shape), requires_grad=trained)


IMAGES = ((3, 16, 16), (3, 10, 12), (3, 5, 5))
ROWS = ((12, 8), (5, 8), (3, 8))
SOUND = ((8, 20), (8, 7), (8, 3))


# ---- a weight that is computed from others


class Standardized(nn.Conv2d):
    """Weight standardization in operations of its own."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight - self.weight.mean(dim=[1, 2, 3], keepdim=True)
        std = weight.view(weight.size(0), -1).std(dim=1).view(-1, 1, 1, 1) + 1e-5
        weight = weight / std.expand_as(weight)
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class StandardizedByNorm(nn.Conv2d):
    """Weight standardization by a batch norm of the weight, with a gain for each filter."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        super().__init__(*arguments, **fields)
        self.gain = parameter(self.out_channels, 1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = functional.batch_norm(
            self.weight.reshape(1, self.out_channels, -1),
            None,
            None,
            weight=(self.gain * 0.1).view(-1),
            training=True,
            momentum=0.0,
        ).reshape_as(self.weight)
        return functional.conv2d(x, weight, self.bias, self.stride, self.padding, groups=self.groups)


class MaskedInPlace(nn.Conv2d):
    """A causal convolution whose weight is set to zero in places before each call."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        super().__init__(*arguments, **fields)
        self.register_buffer("mask", torch.ones_like(self.weight))

    def forward(self, x: Tensor) -> Tensor:
        self.weight.data.mul_(self.get_buffer("mask"))
        return super().forward(x)


class CentralDifference(nn.Module):
    """A convolution, and another by the sums of its filters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Any:
        sums = self.conv.weight.sum(2).sum(2)[:, :, None, None]
        return self.conv(x) - 0.7 * functional.conv2d(x, sums, self.conv.bias, groups=self.conv.groups)


def _merged(net: Any, x: Tensor) -> Tensor:
    weight = net.wide.weight + functional.pad(net.narrow.weight, (1, 1, 1, 1))
    return functional.conv2d(x, weight, net.wide.bias + net.narrow.bias, padding=1)


def _with_frozen_length() -> nn.Module:
    net: nn.Module = parametrizations.weight_norm(nn.Conv1d(8, 6, 3))
    net.get_parameter("parametrizations.weight.original0").requires_grad = False
    return net


COMPUTED: dict[str, Network] = {
    "weight norm": (lambda: parametrizations.weight_norm(nn.Conv1d(8, 6, 3, padding=1)), SOUND),
    "weight norm of positions": (
        lambda: parametrizations.weight_norm(nn.Conv1d(8, 6, 3, padding=1, groups=2), dim=2),
        SOUND,
    ),
    "weight norm, transposed": (
        lambda: parametrizations.weight_norm(nn.ConvTranspose1d(8, 6, 4, 2, 1)),
        SOUND,
    ),
    "weight norm, older": (
        lambda: nn.Sequential(utils.weight_norm(nn.Conv1d(8, 6, 3, padding=2)), nn.ReLU()),
        SOUND,
    ),
    "weight norm of all, older": (lambda: nn.Sequential(utils.weight_norm(nn.Linear(8, 6), dim=None)), ROWS),
    "spectral norm": (lambda: parametrizations.spectral_norm(nn.ConvTranspose2d(3, 6, 3)), IMAGES),
    "spectral norm, older": (lambda: nn.Sequential(utils.spectral_norm(nn.Conv2d(3, 6, 3))), IMAGES),
    "weight norm of a frozen length": (_with_frozen_length, SOUND),
    "two parametrizations": (
        lambda: parametrizations.spectral_norm(parametrizations.weight_norm(nn.Linear(8, 6)), "bias"),
        ROWS,
    ),
    "pruned": (lambda: nn.Sequential(pruned(nn.Conv2d(3, 8, 3), "weight", amount=0.3)), IMAGES),
    "standardized": (lambda: Standardized(3, 8, 3, padding=1, stride=2), IMAGES),
    "standardized in groups": (lambda: Standardized(3, 6, 3, padding=1, groups=3, dilation=2), IMAGES),
    "standardized by a norm": (lambda: StandardizedByNorm(3, 8, 3, padding=1), IMAGES),
    "masked in place": (lambda: MaskedInPlace(3, 8, 3), IMAGES),
    "sums of filters": (CentralDifference, IMAGES),
    "branches in one": (lambda: Of(_merged, wide=nn.Conv2d(3, 8, 3), narrow=nn.Conv2d(3, 8, 1)), IMAGES),
    "low-rank change": (
        lambda: Of(
            lambda net, x: functional.linear(x, net.full.weight + net.a @ net.b, net.full.bias),
            full=nn.Linear(8, 5),
            a=parameter(5, 2),
            b=parameter(2, 8),
        ),
        ROWS,
    ),
    "a scaled table": (
        lambda: Of(
            lambda net, x: functional.embedding(x.mean(-1).long(), net.table * 2), table=parameter(20, 8)
        ),
        ROWS,
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("name", COMPUTED)
def test_a_weight_that_is_computed(name: str) -> None:
    make, sizes = COMPUTED[name]
    assert_agrees(make(), *sizes)


AROUND: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "new": (
        lambda: parametrizations.weight_norm(nn.Conv2d(3, 4, 3), dim=1),
        "weight_norm: {layer: {conv2d: {in_channels: 3, out_channels: 4, kernel_size: 3}}, dim: 1}",
    ),
    "older": (
        lambda: utils.weight_norm(nn.Conv2d(3, 4, 3)),
        "weight_norm: {layer: {conv2d: {in_channels: 3, out_channels: 4, kernel_size: 3}}, legacy: true}",
    ),
    "spectral": (
        lambda: utils.spectral_norm(nn.Conv2d(3, 4, 1), dim=1),
        "spectral_norm: {layer: {conv2d: {in_channels: 3, out_channels: 4, kernel_size: 1}}, dim: 1, legacy: true}",
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("name", AROUND)
def test_a_norm_of_the_weight_is_a_layer_around_the_layer(name: str) -> None:
    make, step = AROUND[name]
    net = nn.Sequential(make(), nn.ReLU()).eval()
    report = from_torch(net, input=(3, 9, 9)).analyze()
    written = loads(f"{{input: [3, 9, 9], layers: [{{name: '0', {step}}}, {{name: '1', relu: }}]}}").analyze()
    assert [node.layer for node in report.nodes] == [node.layer for node in written.nodes]
    assert report.nodes[0].weights == {name[2:]: tuple(x.shape) for name, x in net.named_parameters()}


# ---- around a weight: padding by Python's arithmetic, and positions by a convolution


class PaddedToStride(Standardized):
    """A standardized convolution over what is padded to whole strides, deep inside modules of long names."""

    def forward(self, x: Tensor) -> Tensor:
        amounts: list[int] = []
        for size, kernel, stride in zip(x.shape[:1:-1], self.kernel_size, self.stride, strict=True):
            amount = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            amounts += [amount // 2, amount - amount // 2]
        return super().forward(functional.pad(x, amounts))


def _deep(count: int) -> nn.Module:
    net: nn.Module = nn.Sequential(*[PaddedToStride(3, 3, 3, stride=2) for _ in range(count)])
    for name in ("convolutional_encoder", "hierarchical_stages_of_the_backbone"):
        net = nn.Sequential(OrderedDict({name: net}))
    return net


def _with_positions(net: Any, x: Tensor) -> Any:
    positions = net.positions(x.transpose(1, 2))[:, :, :-1]  # of an even kernel, one too many
    return x + functional.gelu(positions).transpose(1, 2)


def _causal_mixer(net: Any, x: Tensor) -> Any:
    hidden, gate = net.wide(x).transpose(1, 2).chunk(2, dim=1)
    hidden = functional.silu(net.conv(hidden)[..., : x.shape[1]])
    return net.narrow((hidden * functional.silu(gate)).transpose(1, 2))


IDIOMS: dict[str, Network] = {
    "padded to whole strides": (lambda: _deep(2), ((3, 32, 32), (3, 21, 27))),
    "positions by a convolution": (
        lambda: Of(
            _with_positions,
            positions=parametrizations.weight_norm(nn.Conv1d(8, 8, 4, padding=2, groups=4), dim=2),
        ),
        ROWS,
    ),
    "a causal convolution of channels": (
        lambda: Of(
            _causal_mixer,
            wide=nn.Linear(8, 32, bias=False),
            conv=nn.Conv1d(16, 16, 4, groups=16, padding=3),
            narrow=nn.Linear(16, 8),
        ),
        ROWS,
    ),
}


@pytest.mark.parametrize("name", IDIOMS)
def test_idioms_around_a_weight(name: str) -> None:
    make, sizes = IDIOMS[name]
    assert_agrees(make(), *sizes)


# ---- a weight that is another's, a part of one, or a constant

BLUR = torch.ones(1, 1, 3, 3)

SHARED: dict[str, Network] = {
    "a blur of a buffer": (
        lambda: Of(
            lambda net, x: functional.conv2d(
                functional.pad(x, (1, 1, 1, 1), mode="reflect"),
                net.kernel.expand(x.shape[1], -1, -1, -1),
                stride=2,
                groups=x.shape[1],
            ),
            kernel=BLUR,
        ),
        IMAGES,
    ),
    "a constant of the forward": (
        lambda: Of(
            lambda net, x: functional.conv2d(x.mean(1, keepdim=True), torch.ones(1, 1, 3, 3), padding="same")
        ),
        IMAGES,
    ),
    "a slice": (
        lambda: Of(
            lambda net, x: functional.conv2d(x, net.conv.weight[:5, :3], net.conv.bias[:5], padding=1),
            conv=nn.Conv2d(8, 10, 3),
        ),
        IMAGES,
    ),
    "used again with a dilation": (
        lambda: Of(
            lambda net, x: net.conv(x) + functional.conv2d(x, net.conv.weight, None, 1, 2, 2),
            conv=nn.Conv2d(3, 3, 3, padding=1),
        ),
        IMAGES,
    ),
    "used before its module": (
        lambda: Of(
            lambda net, x: functional.conv2d(x, net.conv.weight, padding=1) + net.conv(x),
            conv=nn.Conv2d(3, 3, 3, padding=1),
        ),
        IMAGES,
    ),
    "back through the same weight": (
        lambda: Of(
            lambda net, x: functional.conv_transpose2d(net.conv(x).relu(), net.conv.weight, net.bias),
            conv=nn.Conv2d(3, 8, 3),
            bias=parameter(3),
        ),
        IMAGES,
    ),
    "back through the same matrix": (
        lambda: Of(lambda net, x: functional.linear(net.fc(x), net.fc.weight.t()), fc=nn.Linear(8, 5)),
        ROWS,
    ),
    "a head that is the table": (
        lambda: Of(
            lambda net, x: functional.linear(net.table(x.mean(-1).long()), net.table.weight),
            table=nn.Embedding(20, 8),
        ),
        ROWS,
    ),
    "a table that is the head": (
        lambda: Of(
            lambda net, x: functional.linear(x, net.table.weight)[..., :8] + net.table(x.mean(-1).long()),
            table=nn.Embedding(20, 8),
        ),
        ROWS,
    ),
    "trained only in part": (
        lambda: Of(
            lambda net, x: functional.conv2d(x, net.weight, net.bias),
            weight=parameter(4, 3, 3, 3, trained=False),
            bias=parameter(4),
        ),
        IMAGES,
    ),
}


# ---- a weight that is made from the input


class Conditional(nn.Module):
    """A convolution whose weight is mixed from experts for each sample: the batch is in the groups."""

    def __init__(self, stride: int = 1, *, bias: bool = False) -> None:
        super().__init__()
        self.experts = parameter(4, 6 * 3 * 9)
        self.biases = parameter(4, 6) if bias else None
        self.router = nn.Linear(3, 4)
        self.stride = stride

    def forward(self, x: Tensor) -> Any:
        batch, channels, height, width = x.shape
        routes = torch.sigmoid(self.router(functional.adaptive_avg_pool2d(x, 1).flatten(1)))
        weight = torch.matmul(routes, self.experts).view(batch * 6, channels, 3, 3)
        bias = None if self.biases is None else torch.mm(routes, self.biases).view(-1)
        x = x.reshape(1, batch * channels, height, width)
        y = functional.conv2d(x, weight, bias, self.stride, padding=1, groups=batch)
        return y.permute([1, 0, 2, 3]).view(batch, 6, y.shape[-2], y.shape[-1])


class Modulated(nn.Module):
    """A convolution whose weight is scaled by a style and divided by its norm, of each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = parameter(1, 6, 3, 3, 3)
        self.style = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Any:
        batch, channels, height, width = x.shape
        weight = self.weight * self.style(x.mean((2, 3))).view(batch, 1, channels, 1, 1)
        norm = torch.rsqrt(weight.pow(2).sum([2, 3, 4]) + 1e-8)
        weight = (weight * norm.view(batch, 6, 1, 1, 1)).view(batch * 6, channels, 3, 3)
        y = functional.conv2d(x.reshape(1, -1, height, width), weight, padding=1, groups=batch)
        return y.view(batch, 6, height, width)


def _correlated(net: Any, x: Tensor) -> Tensor:
    """Every channel of a map by the same channel of a part of it."""
    y = net.conv(x)
    part = y[:, :, 2:5, 2:5].reshape(-1, 1, 3, 3)
    return functional.conv2d(y.view(1, -1, *y.shape[2:]), part, groups=part.shape[0])


GENERATED: dict[str, Network] = {
    "experts": (Conditional, IMAGES),
    "experts with a stride and biases": (lambda: Conditional(2, bias=True), IMAGES),
    "a style": (Modulated, IMAGES),
    "a part of the map": (lambda: Of(_correlated, conv=nn.Conv2d(3, 4, 1)), IMAGES),
    "a template": (
        lambda: Of(lambda net, x: functional.conv1d(x, net.conv(x)[:1, :, 1:3]), conv=nn.Conv1d(8, 8, 1)),
        SOUND,
    ),
    "a matrix of a network": (
        lambda: Of(
            lambda net, x: functional.linear(x, net.hyper(net.code).view(5, 8)),
            hyper=nn.Linear(3, 40),
            code=parameter(3),
        ),
        ROWS,
    ),
}


@pytest.mark.parametrize("network", [*SHARED.values(), *GENERATED.values()], ids=[*SHARED, *GENERATED])
def test_a_weight_that_is_shared_or_generated(network: Network) -> None:
    make, sizes = network
    assert_agrees(make(), *sizes)


# ---- norms without a bias, over channels, and frozen; transformers with masks


class NormOfChannels(nn.LayerNorm):
    """A layer norm over the channels of a map, in operations of its own."""

    def forward(self, x: Tensor) -> Tensor:
        variance, mean = torch.var_mean(x, dim=1, unbiased=False, keepdim=True)
        x = (x - mean) * torch.rsqrt(variance + self.eps)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def _turned(net: Any, x: Tensor) -> Tensor:
    norm = net.norm
    y = functional.layer_norm(x.permute(0, 2, 3, 1), norm.weight.shape, norm.weight, norm.bias, norm.eps)
    return y.permute(0, 3, 1, 2)


def _frozen_norm(net: Any, x: Tensor) -> Tensor:
    return functional.batch_norm(x, net.mean, net.variance, net.scale, net.shift)


def _partly_frozen(layer: nn.Module) -> nn.Module:
    layer.get_parameter("weight").requires_grad = False
    return layer


NORMS: dict[str, Network] = {
    "batch norm without a bias": (lambda: nn.Sequential(nn.BatchNorm2d(3, bias=False)), IMAGES),
    "batch norm of no statistics": (lambda: nn.BatchNorm2d(3, track_running_stats=False), IMAGES),
    "group norm without a bias": (lambda: nn.Sequential(nn.GroupNorm(3, 3, bias=False)), IMAGES),
    "layer norm without a bias": (lambda: nn.LayerNorm((12, 8), bias=False), ((12, 8),)),
    "RMS norm without a weight": (lambda: nn.RMSNorm(8, elementwise_affine=False), ROWS),
    "of channels": (lambda: nn.Sequential(nn.Conv2d(3, 8, 1), NormOfChannels(8)), IMAGES),
    "of channels, turned": (lambda: Of(_turned, norm=nn.LayerNorm(3)), IMAGES),
    "of channels, turned, without a bias": (lambda: Of(_turned, norm=nn.LayerNorm(3, bias=False)), IMAGES),
    "frozen in buffers": (
        lambda: Of(
            _frozen_norm,
            **dict.fromkeys(("mean", "shift"), torch.zeros(3)),
            **dict.fromkeys(("variance", "scale"), torch.ones(3)),
        ),
        IMAGES,
    ),
    "frozen in part": (lambda: nn.Sequential(_partly_frozen(nn.BatchNorm2d(3)), nn.ReLU()), IMAGES),
    "layer norm frozen in part": (lambda: nn.Sequential(_partly_frozen(nn.LayerNorm(8))), ROWS),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms(name: str) -> None:
    make, sizes = NORMS[name]
    assert_agrees(make(), *sizes)


def _encoder(**fields: Any) -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **fields)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def _causal(x: Tensor) -> Tensor:
    return nn.Transformer.generate_square_subsequent_mask(x.shape[1])


def _with_every_mask(net: Any, x: Tensor) -> Any:
    mask, padding = _causal(x), x.sum(-1) > 9
    return net.transformer(x, x, mask, mask, mask, src_key_padding_mask=padding, tgt_key_padding_mask=padding)


def _read_by_queries(net: Any, x: Tensor) -> Any:
    queries = net.queries.expand(x.shape[0], -1, -1)
    return net.decoder(queries, x, tgt_mask=_causal(queries), memory_key_padding_mask=x.sum(-1) > 9)


TRANSFORMERS: dict[str, Network] = {
    "an encoder with a causal mask": (
        lambda: Of(lambda net, x: net.encoder(x, mask=_causal(x)), encoder=_encoder()),
        ROWS,
    ),
    "an encoder with padding": (
        lambda: Of(lambda net, x: net.encoder(x, src_key_padding_mask=x.sum(-1) > 9), encoder=_encoder()),
        ROWS,
    ),
    "an encoder without biases": (
        lambda: Of(
            lambda net, x: net.encoder(x, _causal(x), x.sum(-1) > 9, is_causal=True),
            encoder=_encoder(bias=False, norm_first=True),
        ),
        ROWS,
    ),
    "all masks": (
        lambda: Of(_with_every_mask, transformer=nn.Transformer(8, 2, 1, 1, 16, batch_first=True)),
        ROWS,
    ),
    "learned queries": (
        lambda: Of(
            _read_by_queries,
            decoder=nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 2),
            queries=torch.zeros(5, 8),
        ),
        ROWS,
    ),
}


@pytest.mark.filterwarnings("ignore:Support for mismatched:UserWarning")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_with_masks(name: str) -> None:
    make, sizes = TRANSFORMERS[name]
    assert_agrees(make(), *sizes)


def test_the_fused_kernels_of_transformers_stay_as_they_were() -> None:
    before = mha.get_fastpath_enabled()
    detect = vars(transformer)["_detect_is_causal_mask"]
    make, sizes = TRANSFORMERS["an encoder with padding"]
    from_torch(make(), input=sizes[0]).analyze(input=sizes[1])
    assert mha.get_fastpath_enabled() is before
    assert vars(transformer)["_detect_is_causal_mask"] is detect


# ---- what such a layer refuses, and how often it counts


def test_sizes_that_torch_refuses_are_refused() -> None:
    net = Of(lambda net, x: functional.conv2d(x, net.weight * 2, net.bias), weight=parameter(4, 3, 5, 5))
    net.bias = parameter(4)
    assert_agrees(net, (3, 16, 16), (3, 5, 9), refused=((3, 4, 16), (4, 16, 16), (2, 9, 9)))


def test_a_shared_weight_is_named_beside_its_layer() -> None:
    make, sizes = SHARED["used again with a dilation"]
    model = from_torch(make(), input=sizes[0])
    assert [node.path for node in model.analyze().nodes] == ["conv", "conv_weight", "conv2d", "add"]
    assert "ran on numbers" in str(verify(model))


def test_parameters_are_counted_at_their_owner() -> None:
    make, sizes = SHARED["trained only in part"]
    report = from_torch(make(), input=sizes[0]).analyze()
    assert (report.params, report.trainable_params) == (4 * 27 + 4, 4)
    assert {node.path: node.params for node in report.nodes} == {"weight": 108, "bias": 4, "conv2d": 0}
