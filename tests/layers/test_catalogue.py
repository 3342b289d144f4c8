"""The catalogue against torch.nn: every class is a kind or has a reason, and costs that torch does not count."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import ShapecalcError, SpecError, Undecided
from shapecalc.layers import GRU, LSTM, RNN, Bilinear, Conv2d, ConvTranspose1d, Linear, Opaque
from shapecalc.layers.base import Joint
from shapecalc.layers.not_kinds import NOT_KINDS
from shapecalc.views.catalogue import description
from tests.layers.test_torch_parity import compare
from tests.support.strategies import Case, case
from tools.catalogue import DOCUMENT, counterparts, document

CLASSES = sorted(
    name for name, found in vars(nn).items() if inspect.isclass(found) and issubclass(found, nn.Module)
)


def missing(names: Iterable[str]) -> list[str]:
    """Return the classes that are neither a kind nor listed with a reason."""
    return [name for name in names if name not in counterparts() and name not in NOT_KINDS]


def test_every_class_of_torch_is_a_kind_or_has_a_reason() -> None:
    assert len(CLASSES) > 150
    assert missing(CLASSES) == []


def test_a_class_that_is_neither_is_noticed() -> None:
    assert missing(["Linear", "Sequential", "Unheard"]) == ["Unheard"]


def test_no_class_is_both_and_every_reason_is_of_a_class() -> None:
    assert set(counterparts()) & set(NOT_KINDS) == set()
    assert set(NOT_KINDS) <= set(CLASSES)


def test_the_page_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("lazy_conv2d", "here conv2d always infers what is left out"),
        ("module_list", "a spec writes them as a list"),
        ("nll_loss2d", "write nll_loss"),
        ("rnn_base", "write rnn, lstm or gru"),
    ],
)
def test_an_error_tells_why_there_is_no_such_kind(kind: str, says: str) -> None:
    with pytest.raises(SpecError, match=f"unknown kind '{kind}'") as caught:
        shapecalc.loads(f"{{input: [3, 8, 8], layers: [{kind}]}}").analyze()
    assert says in (caught.value.hint or "")


# ---- what random cases rarely meet

EDGES = [
    case("cross_entropy_loss", (3,), (1,), label_smoothing=Fraction(1, 2)),
    case("cross_entropy_loss", (3,), (1,), reduction="none", weight=True),
    case("cross_entropy_loss", (1,), (1,), reduction="none", ignore_index=0),
    case("cross_entropy_loss", (2, 3), (2, 3), ignore_index=0),
    case("nll_loss", (3,), (3,)),
    case("multi_margin_loss", (1, 3), (), reduction="none"),
    case("gaussian_nll_loss", (4, 3), (4, 3), (4,), reduction="none"),
    case("gaussian_nll_loss", (4, 3), (4, 3), (1, 1)),
    case("cosine_similarity", (2, 3), (2, 3), eps=-1),
    case("multihead_attention", (3, 4), (2, 5), (2, 6), num_heads=2, kdim=5, vdim=6, need_weights=True),
    case("multihead_attention", (3, 4), (2, 5), (2, 5), num_heads=2),
    case(
        "multihead_attention", (3, 2, 4), num_heads=2, add_bias_kv=True, add_zero_attn=True, need_weights=True
    ),
    case("lstm", (5, 3), (2, 1), (2, 4), hidden_size=4, num_layers=2, proj_size=1),
    case("lstm", (5, 2, 3), (1, 2, 4), hidden_size=4),
    case("transformer", (5, 4), (3, 4), nhead=2, bias=False, dim_feedforward=3),
    case("embedding_bag", (2, 3), (2, 3), num_embeddings=4, embedding_dim=2),
    case("embedding_bag", (6,), (3,), num_embeddings=4, embedding_dim=2, include_last_offset=True),
    case("fractional_max_pool3d", (1, 4, 4, 4), kernel_size=2, output_size=3),
    case("max_unpool1d", (1, 3), (1, 3), kernel_size=2, output_size=7),
    case("weight_norm", (2, 4), layer=Linear(out_features=3), dim=-1, legacy=True),
    case("spectral_norm", (2, 4, 5), layer=ConvTranspose1d(out_channels=3, kernel_size=2)),
]


@pytest.mark.parametrize("edge", EDGES, ids=map(str, range(len(EDGES))))
def test_edges_are_torchs(edge: Case) -> None:
    compare(edge)


# ---- several results, optional tensors and layers around a layer, in a spec

SPEC = """
parameters: {L: 12, C: 3, width: 16}
input: {tokens: [L], image: [C, 8, 8]}
layers:
  - embedding: {num_embeddings: 100, embedding_dim: width}
    from: tokens
    name: words
  - lstm: {hidden_size: width, num_layers: 2, batch_first: true}
    name: encoder
  - lstm: {hidden_size: width, num_layers: 2, batch_first: true}
    from: [words, encoder.1, encoder.2]
  - spectral_norm: {layer: {conv2d: {out_channels: 2*width, kernel_size: 3}}}
    from: image
    name: conv
  - max_pool2d: {kernel_size: 2, return_indices: true}
    name: pool
  - max_unpool2d: {kernel_size: 2}
    from: [pool, pool.1]
  - weight_norm: {layer: identity}
    when: false
outputs: {image: max_unpool2d, cells: encoder.2}
"""


def test_a_spec_says_it_all() -> None:
    model = shapecalc.loads(SPEC)
    report = model.analyze()
    assert report.outputs == {"image": (1, 32, 6, 6), "cells": (2, 1, 16)}
    assert report["conv"].weights == {"bias": (32,), "parametrizations.weight.original": (32, 3, 3, 3)}
    assert report["conv"].window == Conv2d(out_channels=1, kernel_size=3).sliding
    assert report["lstm"].macs == 12 * 2 * 4 * 16 * (16 + 16)
    assert shapecalc.loads(model.to_yaml()) == model


def test_a_free_width_goes_through_a_layer_around_a_layer() -> None:
    report = shapecalc.loads(SPEC).analyze(symbolic=("C", "width"))
    width = shapecalc.symbol("width")
    assert report["conv"].params == 2 * width * 9 * shapecalc.symbol("C") + 2 * width


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ("{conv2d: {out_channels: 2}}", "conv2d needs kernel_size"),
        ("{conv2d: {out_channels: 2, kernel_sze: 3}}", "did you mean 'kernel_size'?"),
        ("{conv2d: {out_channels: 0, kernel_size: 3}}", "0 is less than 1"),
        ("{conv: {out_channels: 2}}", "unknown kind 'conv'"),
        ("{conv2d: 3}", "takes its fields as a mapping"),
        ("[conv2d]", "is not one layer"),
        ("add", "add has no weight of its own"),
        ("{weight_norm: {layer: linear}}", "needs out_features"),
        ("relu", "has no weight 'weight'; it has none"),
    ],
)
def test_what_is_wrong_with_a_layer_inside_is_told(layer: str, says: str) -> None:
    with pytest.raises(ShapecalcError) as caught:
        shapecalc.loads(f"{{input: [3, 8, 8], layers: [{{weight_norm: {{layer: {layer}}}}}]}}").analyze()
    assert says in str(caught.value)


# ---- where FlopCounterMode reads 0


def counted(call: Iterable[Tensor], module: nn.Module) -> int:
    """Return what torch counts as multiply-accumulates of one call."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*call)
    flops: int = counter.get_total_flops()
    return flops // 2


def test_bilinear_costs_its_two_products() -> None:
    """FlopCounterMode reads 0 for its one operation; the same written as two matrix products it counts as we do."""
    left, right = torch.rand(7, 4, dtype=torch.double), torch.rand(7, 5, dtype=torch.double)
    module = nn.Bilinear(4, 5, 3, bias=False, dtype=torch.double)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        halves = left @ module.weight.permute(1, 0, 2).reshape(4, 15)
        result = torch.bmm(halves.reshape(7, 3, 5), right[:, :, None])[..., 0]
        assert torch.allclose(result, module(left, right))
    assert counter.get_total_flops() // 2 == Bilinear(out_features=3).operations(((7, 4), (7, 5))).macs > 0
    assert counted((left, right), module) == 0


@pytest.mark.parametrize("layer", [RNN(hidden_size=6), LSTM(hidden_size=6), GRU(hidden_size=6)])
def test_recurrent_layers_cost_the_same_on_every_device(layer: Joint) -> None:
    """FlopCounterMode counts them on the meta device, and may read 0 for a fused kernel of the CPU."""
    module, macs = getattr(nn, type(layer).__name__)(4, 6), layer.apply(((5, 2, 4),)).macs
    assert counted((torch.rand(5, 2, 4),), module) in (0, macs)
    assert counted((torch.rand(5, 2, 4, device="meta"),), module.to("meta")) == macs


@pytest.mark.parametrize(
    ("takes", "gives", "inputs", "outputs"),
    [
        ([[8, -1]], [[-1, 3]], ((8, 5),), ((5, 3),)),
        ([[-1, 8], [4, -1]], [[-1], [8, -1]], ((5, 8), (4, 5)), ((5,), (8, 5))),
        ([[-1, 8], [4, -1]], [[-1]], ((5, 8), (4, 6)), None),
        ([[8]], [[-1, 3]], ((8,),), None),
    ],
)
def test_the_batch_of_an_operation_without_a_rule(
    takes: list[list[int]],
    gives: list[list[int]],
    inputs: tuple[tuple[int, ...], ...],
    outputs: tuple[tuple[int, ...], ...] | None,
) -> None:
    layer = Opaque(function="fft_fft", takes=takes, gives=gives)
    if outputs is None:
        with pytest.raises(Undecided, match="fft_fft has no rule"):
            layer.apply(inputs)
    else:
        assert layer.apply(inputs).outputs == outputs


def test_descriptions_fit_a_terminal() -> None:
    prose, _, example = description("conv2d", width=60).partition("Example in Python:")
    assert max(map(len, prose.splitlines())) <= 60
    assert " ".join(prose.split()) == " ".join(
        description("conv2d").partition("Example in Python:")[0].split()
    )
    assert example.strip().startswith(">>>")
