"""What every kind says of memory against torch: saved bytes, views, strides, gradients, and what is made meanwhile.

torch's side is measured by the identity of storages, in training and evaluation, whatever learns.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.algebra import Expr, symbol
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.memory_traits import INFERENCE, Input, Memory, Mode, Own, Place, learning
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.saved_by_name import OF_ONE, OF_SEVERAL, REDUCED
from shapecalc.testing import applied
from tests.support.saved_by_torch import Measured, run, stated
from tests.support.strategies import Case, case, cases

torch.set_num_threads(1)

UNKNOWN = {
    "bilinear", "cosine_embedding_loss", "cosine_similarity", "cross_map_lrn2d",
    "ctc_loss", "embedding_bag", "gaussian_nll_loss", "gru", "gru_cell", "hinge_embedding_loss",
    "adaptive_log_softmax_with_loss", "kl_div_loss",
    "linear_cross_entropy_loss", "local_response_norm", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "lstm", "lstm_cell", "margin_ranking_loss", "multi_label_margin_loss",
    "multi_label_soft_margin_loss", "multi_margin_loss", "opaque",
    "pairwise_distance", "partial_conv2d", "poisson_nll_loss", "rbf", "rnn", "rnn_cell",
    "spectral_norm", "subsample2d", "traced_function",
    "triplet_margin_loss", "triplet_margin_with_distance_loss", "weight_norm",
}  # fmt: skip
"""Kinds that say nothing of their memory: a total that has one is "at least"."""
KNOWN = [kind for kind in kinds() if kind not in UNKNOWN and not twin_of(get(kind)).absent()]
DRAWS = settings(max_examples=3 if settings().max_examples == 10 else 40)


def modes(inputs: int) -> list[Mode]:
    """Return ways to run a layer: what is trained, and of which inputs the gradient is wanted."""
    every, first = (True,) * inputs, (True,) + (False,) * (inputs - 1)
    last = (*(False,) * (inputs - 1), True)
    return [
        learning(inputs),
        Mode(training=True, inputs=every),
        Mode(training=True, weights=True),
        Mode(training=True, inputs=first),
        Mode(training=True, inputs=last, weights=True),
        Mode(inputs=every, weights=True),
        Mode(training=True),
        INFERENCE,
    ]


@st.composite
def runs(draw: st.DrawFn, kind: str) -> tuple[Case, Mode]:
    """Draw a case of a kind and how it runs; no gradient is wanted of integers."""
    drawn = draw(cases(kind))
    mode = draw(st.sampled_from(modes(len(drawn.inputs))))
    floats = [tensor.is_floating_point() for tensor in twin_of(drawn.cls).tensors(drawn.inputs, "meta")]
    wanted = tuple(mode.wants(number) and is_float for number, is_float in enumerate(floats))
    return drawn, Mode(mode.training, wanted, mode.weights)


def layer_of(case: Case) -> Kind | None:
    """Return the layer, or None where its fields are refused."""
    try:
        return case.cls.model_validate(case.fields)
    except ValidationError:
        return None


def both(case: Case, mode: Mode) -> tuple[Measured, Measured] | None:
    """Return what torch does and what the kind says; None where either refuses or the kind does not know."""
    layer = layer_of(case)
    if (
        layer is None
        or applied(layer, case.inputs) is None
        or (memory := layer.memory(case.inputs, mode)) is None
    ):
        return None
    try:
        measured = run(case, mode)
        if layer.steps(case.inputs):  # what is there meanwhile, and gradients, follow from the steps
            measured = replace(
                measured,
                forward=0,
                gradients=["new" if mode.wants(slot) else "" for slot in range(len(case.inputs))],
            )
        return measured, stated(layer, memory, case, mode)
    except (
        *REJECTIONS,
        NotImplementedError,
    ):  # training refuses more, and some backwards have no meta kernel
        return None


@pytest.mark.parametrize("kind", KNOWN)
def test_memory_is_torchs(kind: str) -> None:
    @DRAWS
    @given(runs(kind))
    def check(drawn: tuple[Case, Mode]) -> None:
        found = both(*drawn)
        assert found is None or found[0] == found[1], drawn

    check()


def memory_of(case: Case, mode: Mode) -> Memory | None:
    """Return what a kind says."""
    return case.cls.model_validate(case.fields).memory(case.inputs, mode)


@pytest.mark.parametrize(
    "case",
    [
        case("traced_function", (2, 3), function="topk", shape=(2, 1)),
        case("lstm", (5, 2, 3), hidden_size=4),
        case("elementwise", (2, 3), function="special_ndtr"),
        case("combine", (2, 3), (2, 3), (2, 3), function="maximum"),
        case("matmul", (3, 4), (2, 4, 5)),
    ],
    ids=lambda case: case.cls.kind,
)
def test_what_is_not_known_is_no_zero(case: Case) -> None:
    assert memory_of(case, INFERENCE) is memory_of(case, learning(len(case.inputs))) is None


@pytest.mark.ci
@pytest.mark.parametrize("kind", sorted(UNKNOWN))
def test_unknown_is_what_has_no_rule(kind: str) -> None:
    @settings(max_examples=5)
    @given(cases(kind))
    def check(drawn: Case) -> None:
        layer = layer_of(drawn)
        if layer is not None and applied(layer, drawn.inputs) is not None:
            assert layer.memory(drawn.inputs, learning(len(drawn.inputs))) is None

    check()


def test_keras_layers_are_not_known() -> None:
    assert layers.KerasConv2d(out_channels=8, kernel_size=3).memory(((1, 9, 9, 3),)) is None


# ---- functions by name


def agree(case: Case, mode: Mode) -> bool:
    found = both(case, mode)
    assert found is not None, case
    measured, said = found
    assert measured == said, (case, mode)
    return True


def called(function: str, inputs: int, mode: Mode) -> tuple[list[str], str]:
    """Return what torch saves in a call, and the result's dtype."""
    space = torch.special if function.startswith("special_") else torch
    call = getattr(torch.fft, function[4:]) if function.startswith("fft_") else None
    call = call or getattr(space, function.removeprefix("special_"))
    leaves = [torch.zeros(4, 6, device="meta", requires_grad=mode.wants(slot)) for slot in range(inputs)]
    tensors = [leaf.clone() for leaf in leaves]
    more: dict[str, tuple[object, ...]] = {
        **dict.fromkeys(
            [
                "add",
                "sub",
                "rsub",
                "subtract",
                "mul",
                "multiply",
                "div",
                "divide",
                "true_divide",
                "floor_divide",
                "pow",
            ],
            (2,),
        ),
        **dict.fromkeys(
            [
                "eq",
                "ne",
                "lt",
                "le",
                "gt",
                "ge",
                "not_equal",
                "less",
                "less_equal",
                "greater",
                "greater_equal",
            ],
            (2,),
        ),
        **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max", "full_like"), (0,)),
        "masked_fill": (torch.zeros(4, 6, dtype=torch.bool, device="meta"), 0.0),
        "roll": (1,),
        "flip": ((1,),),
    }
    arguments = more.get(function, ()) if inputs == 1 else ()
    if function == "where" or (function == "masked_fill" and inputs == 2):
        mask = 0 if function == "where" else 1
        tensors[mask] = torch.zeros(4, 6, dtype=torch.bool, device="meta")
        arguments = (0.0,) if function == "masked_fill" else ()
    if function.startswith("bitwise"):
        tensors = [torch.zeros(4, 6, dtype=torch.bool, device="meta") for _ in tensors]
    saved: list[torch.Tensor] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.detach())
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = call(*tensors, *arguments)
    names = {tensor.untyped_storage()._cdata: f"input {slot}" for slot, tensor in enumerate(tensors)}
    names[result.untyped_storage()._cdata] = "result"
    found = {names.get(tensor.untyped_storage()._cdata, "own") for tensor in saved}
    masks = {"own"} if function == "masked_fill" and inputs == 1 else set()
    return sorted(found - masks), str(result.dtype).removeprefix("torch.")


def said(case: Case, mode: Mode) -> tuple[list[str], str]:
    memory = memory_of(case, mode)
    assert memory is not None
    names = [f"input {held.number}" if isinstance(held, Input) else "result" for held in memory.saved]
    return sorted(names), "float32" if memory.dtypes[0] == "value" else memory.dtypes[0]


@pytest.mark.sample(20)
@pytest.mark.parametrize("function", OF_ONE)
def test_a_function_of_one_tensor_saves_what_torch_does(function: str) -> None:
    mode = Mode(inputs=(not function.startswith("bitwise"),))
    dtype = "bool" if function.startswith("bitwise") else None
    saved, made = called(function, 1, mode)
    assert said(case("elementwise", (4, 6), function=function), mode) == (saved, "float32" if dtype else made)


@pytest.mark.sample(15)
@pytest.mark.parametrize("function", OF_SEVERAL)
@pytest.mark.parametrize("wanted", [(True, True), (True, False), (False, True)], ids=str)
def test_a_function_of_several_tensors_saves_what_torch_does(function: str, wanted: tuple[bool, ...]) -> None:
    if function == "where":
        wanted = (False, *wanted)
    if function == "masked_fill" or function.startswith("bitwise"):
        wanted = (wanted[0] and function == "masked_fill", False)
    mode = Mode(inputs=wanted)
    saved, made = called(function, len(wanted), mode)
    shapes = ((4, 6),) * len(wanted)
    dtype = "float32" if function.startswith("bitwise") else made
    assert said(case("combine", *shapes, function=function), mode) == (saved, dtype)


@pytest.mark.sample(5)
@pytest.mark.parametrize("function", REDUCED)
@pytest.mark.parametrize("keepdim", [False, True])
def test_a_reduction_saves_what_torch_does(function: str, keepdim: bool) -> None:
    assert agree(case("reduce", (2, 3, 4), function=function, dim=1, keepdim=keepdim), learning(1))


# ---- layouts

CHANNELS_LAST = (60, 1, 15, 3)
TURNED = (20, 40, 5, 1)


@pytest.mark.sample(25)
@pytest.mark.parametrize("strides", [CHANNELS_LAST, TURNED, (60, 20, 1, 4), None], ids=str)
@pytest.mark.parametrize(
    "case",
    [
        case("relu", (2, 3, 4, 5)),
        case("relu6", (2, 3, 4, 5), inplace=True),
        case("softmax", (2, 3, 4, 5), dim=1),
        case("softmax2d", (2, 3, 4, 5)),
        case("glu", (2, 3, 4, 5), dim=2),
        case("instance_norm2d", (2, 3, 4, 5)),
        case("upsample", (2, 3, 4, 5), scale_factor=2),
        case("zero_pad2d", (2, 3, 4, 5), padding=1),
        case("conv2d", (2, 3, 4, 5), out_channels=4, kernel_size=3),
        case("flatten", (2, 3, 4, 5)),
        case("flatten", (2, 3, 4, 5), start_dim=2),
        case("flatten", (2, 3, 4, 5), end_dim=1),
        case("view", (2, 3, 4, 5), shape=(6, -1)),
        case("reshape", (2, 3, 4, 5), shape=(3, 2, 2, 5)),
        case("unflatten", (2, 3, 4, 5), dim=2, unflattened_size=(2, 2)),
        case("permute", (2, 3, 4, 5), dims=(0, 2, 3, 1)),
        case("transpose", (2, 3, 4, 5), dim0=1, dim1=2),
        case("squeeze", (2, 3, 1, 5), dim=2),
        case("unsqueeze", (2, 3, 4, 5), dim=-1),
        case("select", (2, 3, 4, 5), dim=1, index=0),
        case("slice", (2, 3, 4, 5), dim=2, start=1, step=2),
        case("slice", (2, 3, 4, 5), dim=2),
        case("chunk", (2, 4, 4, 5), chunks=2),
        case("max_pool2d", (2, 3, 4, 5), kernel_size=2, return_indices=True),
        case("avg_pool2d", (2, 3, 4, 5), kernel_size=2),
        case("adaptive_avg_pool2d", (2, 3, 4, 5), output_size=2),
        case("mean", (2, 3, 4, 5), dim=1),
        case("layer_norm", (2, 3, 4, 5)),
        case("group_norm", (2, 3, 4, 5), num_groups=3),
        case("dropout", (2, 3, 4, 5)),
        case("global_avg_pool2d", (2, 3, 4, 5)),
        case("layer_scale", (2, 3, 4, 5)),
    ],
    ids=lambda case: case.cls.kind,
)
def test_memory_in_another_order(case: Case, strides: tuple[int, ...] | None) -> None:
    if strides is not None and prod(case.inputs[0]) != 120:
        strides = None
    assert agree(case, Mode(training=True, inputs=(True,), weights=True, strides=(strides,)))


A = (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("case", "strides"),
    [
        (case("add", A, A), (CHANNELS_LAST, None)),
        (case("add", A, A), (None, CHANNELS_LAST)),
        (case("add", A, (3, 1, 1)), (CHANNELS_LAST, None)),
        (case("multiply", (2, 3, 1, 1), A), (None, CHANNELS_LAST)),
        (case("multiply", A, (2, 3, 1, 1)), (CHANNELS_LAST, None)),
        (case("concat", A, A), (CHANNELS_LAST, CHANNELS_LAST)),
        (case("concat", A, A), (CHANNELS_LAST, None)),
        (case("concat", A, A, dim=-1), ((60, 20, 1, 4), (60, 20, 1, 4))),
        (case("matmul", A, (2, 3, 5, 2)), (CHANNELS_LAST, None)),
        (case("matmul", A, (2, 3, 5, 2)), (None, (30, 10, 1, 5))),
        (case("matmul", A, (3, 5, 2)), (None, None)),
        (case("matmul", A, (5, 2)), (CHANNELS_LAST, None)),
        (case("matmul", A, (5, 2)), (None, (1, 5))),
    ],
)
def test_memory_of_several_in_another_order(case: Case, strides: tuple[tuple[int, ...] | None, ...]) -> None:
    assert agree(case, Mode(training=True, inputs=(True, True), strides=strides))


# ---- layers of which the drawn cases show too little


@pytest.mark.parametrize(
    "case",
    [
        case("einsum", (2, 3, 4, 5), (2, 3, 6, 5), equation="bhid,bhjd->bhij"),
        case("einsum", (2, 3, 4, 5), (2, 3, 5, 6), equation="bhij,bhjd->bhid"),
        case("einsum", (2, 4, 3, 5), (2, 6, 3, 5), equation="bihd,bjhd->bhij"),
        case("einsum", (2, 3, 4, 6), (2, 6, 3, 5), equation="bhij,bjhd->bihd"),
        case("einsum", (2, 1, 4, 5), (2, 1, 6, 5), equation="bhid,bhjd->bhij"),
        case("einsum", (2, 3, 4, 5), (2, 3, 4), equation="bhij,bhi->bhj"),
        case("multihead_attention", (5, 3, 8), num_heads=2, batch_first=True, dropout=0.5),
        case("multihead_attention", (5, 8), num_heads=2, need_weights=True, average_attn_weights=False),
        case("multihead_attention", (5, 3, 8), (4, 3, 6), (4, 3, 7), num_heads=2, kdim=6, vdim=7),
        case("transformer_decoder_layer", (5, 3, 8), (4, 3, 8), nhead=2, dim_feedforward=16),
        case("transformer_encoder_layer", (5, 3, 8), nhead=2, dim_feedforward=9, batch_first=True),
        case(
            "transformer",
            (5, 3, 8),
            (4, 3, 8),
            nhead=2,
            dim_feedforward=16,
            num_encoder_layers=2,
            num_decoder_layers=1,
        ),
        case("conv2d", (2, 3, 9, 8), out_channels=4, kernel_size=(3, 4), padding="same"),
        case("conv2d", (2, 3, 9, 8), out_channels=4, kernel_size=3, padding=1, padding_mode="reflect"),
    ],
    ids=lambda case: case.cls.kind,
)
@pytest.mark.sample(7)
def test_memory_whatever_learns(case: Case) -> None:
    assert all(agree(case, mode) for mode in modes(len(case.inputs)))


@pytest.mark.parametrize("function", ["setitem", "zero"])
def test_what_writes_is_where_it_wrote(function: str) -> None:
    memory = memory_of(case("elementwise", (2, 3), function=function), INFERENCE)
    assert memory is not None
    assert memory.results == (Place(Input(), "in place"),)


def test_an_index_of_the_network_is_saved() -> None:
    memory = memory_of(
        case("traced_function", (169, 3), (2401,), function="index", shape=(2401, 3)), learning(2)
    )
    assert memory is not None
    assert memory.saved == (Input(1),)


# ---- symbols


@pytest.mark.parametrize(
    "case",
    [
        case("conv2d", (2, 3, 9, 8), out_channels=4, kernel_size=3, padding_mode="circular", padding=1),
        case("batch_norm2d", (2, 3, 9, 8)),
        case("instance_norm2d", (2, 3, 9, 8)),
        case("layer_norm", (2, 3, 8)),
        case("max_pool2d", (2, 3, 9, 8), kernel_size=2),
        case("dropout", (2, 3, 8)),
        case("relu6", (2, 3, 8), inplace=True),
        case("multiply", (2, 3, 8), (2, 3, 8), (2, 3, 8)),
        case("matmul", (2, 3, 4, 5), (3, 5, 6)),
        case("permute", (2, 3, 4, 5), dims=(0, 2, 3, 1)),
    ],
    ids=lambda case: case.cls.kind,
)
def test_memory_of_any_batch(case: Case) -> None:
    """A closed form in the batch is the number at every batch."""
    layer, mode = case.cls.model_validate(case.fields), learning(len(case.inputs))
    free: Shapes = tuple((symbol("N"), *shape[1:]) if shape[0] == 2 else shape for shape in case.inputs)
    general, special = layer.memory(free, mode), layer.memory(case.inputs, mode)
    assert general is not None
    assert special is not None
    assert at_two(general) == at_two(special)


def at_two(memory: Memory) -> str:
    """Return a memory as text, with 2 for N."""

    def own(storage: object) -> object:
        if not isinstance(storage, Own):
            return storage
        return [n.subs({"N": 2}) if isinstance(n, Expr) else n for n in storage.shape], storage.dtype

    return str((list(map(own, memory.saved)), memory.results, memory.gradients, memory.dtypes))


# ---- the comparison can fail


def test_a_wrong_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    pooled = case("max_pool2d", (2, 3, 8, 8), kernel_size=2)
    assert agree(pooled, learning(1))
    monkeypatch.setattr(layers.MaxPool2d, "makes", lambda *_: (Own((2, 3, 4, 4)),))
    with pytest.raises(AssertionError):
        agree(pooled, learning(1))


def test_a_wrong_view_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers.ReLU, "places", lambda *_: (Place(Input()),))
    with pytest.raises(AssertionError):
        agree(case("relu", (2, 3)), learning(1))
