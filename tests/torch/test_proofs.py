"""Every kind proved against torch's own symbolic shapes, for all sizes, or listed with the reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy
import torch
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import ValidationError
from torch.utils._sympy import functions

from shapecalc import Undecided, load, loads
from shapecalc.algebra import ceildiv, symbol
from shapecalc.bridges.torch.proof.symbolic_shapes import size
from shapecalc.bridges.torch.proof.verdict import Counterexample, Verdict
from shapecalc.bridges.torch.proof.verification import verify
from shapecalc.bridges.torch.proof.verify_layer import structure, verify_layer
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers import AvgPool2d, Conv2d, Linear, MaxPool2d, ReLU
from shapecalc.layers.base import Kind
from shapecalc.layers.index import KERAS
from shapecalc.layers.registry import get
from shapecalc.layers.requirement import Refused, Requirement, Shape
from tests.layers.test_torch_parity import PRESENT
from tests.support.strategies import Case, case, cases

torch.set_num_threads(1)

DOCS = Path(__file__).parents[2] / "docs"

CONFIGURATIONS = max(1, settings().max_examples // 60)
"""Legal configurations of every kind that are proved."""

NO_LETTERS = "no answer with"
UNWRITTEN = "refused on purpose where torch may return memory that it never wrote"
NO_ANSWER = "torch has no symbolic answer"
MANY_CASES = "too many cases"
ONE_AT_A_TIME = "it answers for one number at a time"
OTHER_RULES = "torch's symbolic answer differs from what its module gives"  # without numbers it is laxer

NOT_PROVED: dict[str, tuple[Case, str, *tuple[str, ...]]] = {
    "adaptive_max_pool2d": (case("adaptive_max_pool2d", (1, 2, 9, 9), output_size=(2, None)), NO_LETTERS),
    "adaptive_max_pool3d": (
        case("adaptive_max_pool3d", (1, 2, 5, 5, 5), output_size=(2, 2, None)),
        NO_LETTERS,
    ),
    "chunk": (case("chunk", (1, 9, 5), chunks=3), NO_LETTERS),
    "circular_pad1d": (case("circular_pad1d", (1, 3, 9), padding=(-3, 2)), UNWRITTEN),
    "circular_pad2d": (case("circular_pad2d", (1, 3, 9, 9), padding=(-3, 2, 0, 0)), UNWRITTEN),
    "circular_pad3d": (case("circular_pad3d", (1, 3, 9, 9, 9), padding=(-3, 2, 0, 0, 0, 0)), UNWRITTEN),
    "cross_map_lrn2d": (case("cross_map_lrn2d", (1, 3, 5, 5), size=3), NO_LETTERS),
    "fractional_max_pool2d": (
        case("fractional_max_pool2d", (3, 2, 11, 8), kernel_size=2, output_ratio=Fraction(7, 10)),
        NO_LETTERS,
    ),
    "fractional_max_pool3d": (
        case("fractional_max_pool3d", (2, 4, 6, 8), kernel_size=1, output_size=(2, 4, 3)),
        ONE_AT_A_TIME,
    ),
    "gru": (case("gru", (5, 2, 3), hidden_size=4), NO_LETTERS),
    "lstm": (case("lstm", (5, 2, 3), hidden_size=4, proj_size=2), NO_LETTERS),
    "rnn": (case("rnn", (5, 2, 3), hidden_size=4), NO_LETTERS),
    "multihead_attention": (
        case("multihead_attention", (3, 4), (2, 5), (2, 5), num_heads=2, kdim=5, vdim=5),
        NO_LETTERS,
    ),
    "gaussian_nll_loss": (case("gaussian_nll_loss", (3,), (3,), (3,)), NO_ANSWER),
    "ctc_loss": (case("ctc_loss", (3, 2, 3), (2, 3), (2,), (2,)), NO_ANSWER),
    "adaptive_log_softmax_with_loss": (
        case("adaptive_log_softmax_with_loss", (4, 9), (4,), n_classes=7, cutoffs=(3,)),
        NO_ANSWER,
    ),
    "linear_cross_entropy_loss": (
        case("linear_cross_entropy_loss", (3, 1), (3,), num_classes=5),
        NO_LETTERS,
    ),
    "nll_loss": (case("nll_loss", (2,), (1,), weight=True), OTHER_RULES),
    "cross_entropy_loss": (case("cross_entropy_loss", (2,), (1,)), OTHER_RULES),
    "multi_margin_loss": (case("multi_margin_loss", (1,), (), reduction="none"), OTHER_RULES),
    "multi_label_margin_loss": (case("multi_label_margin_loss", (3,), (3,), reduction="none"), OTHER_RULES),
    "einsum": (case("einsum", (1, 1), (1, 1), equation="ij,jk->ik"), MANY_CASES),
    **{
        f"functional_conv{rank}d": (
            case(f"functional_conv{rank}d", (2, 3, *(9,) * rank), (4, 3, *(3,) * rank)),
            MANY_CASES,
        )
        for rank in (1, 2, 3)
    },
    "lp_pool1d": (case("lp_pool1d", (1, 3, 9), norm_type="inf", kernel_size=2), NO_LETTERS),
    "max_pool1d": (case("max_pool1d", (1, 3, 9), kernel_size=2), NO_LETTERS),
    "reshape": (case("reshape", (1, 6, 4), shape=(-1, 8)), MANY_CASES),
    "split": (case("split", (1, 9, 5), split_size=2), NO_LETTERS),
    "squeeze": (case("squeeze", (2, 1, 3)), NO_LETTERS),
    "transformer": (
        case(
            "transformer",
            *((1, 3), (2, 3)),
            d_model=3,
            nhead=3,
            dim_feedforward=1,
            batch_first=True,
            norm_first=True,
            num_encoder_layers=1,
            num_decoder_layers=2,
        ),
        MANY_CASES,
    ),
    "upsample": (case("upsample", (1, 2, 9, 9), scale_factor=Fraction(29, 100)), NO_LETTERS),
    "upsampling_bilinear2d": (
        case("upsampling_bilinear2d", (1, 2, 9, 9), scale_factor=Fraction(7, 10)),
        NO_LETTERS,
    ),
    "upsampling_nearest2d": (
        case("upsampling_nearest2d", (1, 2, 9, 9), scale_factor=Fraction(4, 3)),
        NO_LETTERS,
    ),
}
"""Kinds of which not every configuration is proved: one that is not, the reason, and reasons for others."""


UNCOVERED = {"opaque"}
"""Kinds of which nothing is known that could be compared."""


class _Enough(BaseException):
    """Ends the drawing: a failure, which an `Exception` would be, is tried again."""


class _SoMany(list[tuple[Kind, Case]]):
    """A list that ends the drawing when it is full."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def append(self, one: tuple[Kind, Case]) -> None:
        super().append(one)
        if len(self) == self.most:
            raise _Enough


def legal(kind: str, count: int) -> Iterator[tuple[Kind, Case]]:
    """Return so many configurations that we accept, the same ones in every run."""
    found = _SoMany(count)

    @settings(
        max_examples=20 * count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(cases(kind))
    def collect(one: Case) -> None:
        if len(found) < count and all(one != other for _, other in found):
            try:
                layer = one.cls.model_validate(one.fields)
                layer.apply(one.inputs)
            except (ValidationError, Refused):
                return
            found.append((layer, one))

    with suppress(_Enough):
        collect()
    assert found, f"no legal configuration of {kind} was drawn"
    return iter(found)


def reason(verdict: Verdict) -> str:
    return "" if verdict.outcome == "proved" else f"{verdict.outcome}: {verdict}"


@pytest.mark.sample(15)
@pytest.mark.parametrize("kind", PRESENT)
def test_every_kind_is_proved_or_listed_with_its_reason(kind: str) -> None:
    for layer, one in legal(kind, CONFIGURATIONS):
        verdict = verify_layer(layer, one.inputs)
        if verdict.outcome == "proved":
            continue
        if kind in UNCOVERED:
            assert verdict.outcome == "uncovered"
            continue
        assert verdict.outcome in ("guarded", "sampled"), f"{one}: {verdict}"
        assert verdict.tried >= 1
        expected = NOT_PROVED[kind][1:] if kind in NOT_PROVED else ()
        assert any(why in verdict.why for why in expected), f"{one}: {verdict}"


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", NOT_PROVED)
def test_what_is_listed_is_not_proved(kind: str) -> None:
    """A kind that is now proved leaves the list."""
    one, why, *_ = NOT_PROVED[kind]
    verdict = verify_layer(one.cls.model_validate(one.fields), one.inputs)
    assert verdict.outcome in ("guarded", "sampled")
    assert why in verdict.why
    assert verdict.tried > 8 or not verdict.letters


def test_what_is_not_covered_is_of_keras_or_unknown() -> None:
    """A kind of torch that no proof is even tried of would be in neither list."""
    assert {kind for kind in PRESENT if twin_of(get(kind)).uncovered(get(kind))} == UNCOVERED
    assert all("Keras" in twin_of(get(kind, "keras")).absent() for kind in KERAS)


def test_the_page_lists_what_is_not_proved() -> None:
    rows = (DOCS / "proofs.md").read_text()
    listed = {kind for row in re.findall(r"(?m)^\|(.*?)\|", rows) for kind in re.findall(r"`(\w+)`", row)}
    assert listed == {*NOT_PROVED, *UNCOVERED}


# ---- an answer that is known beforehand


TOLD = [
    (case("conv2d", (1, 3, 32, 32), out_channels=8, kernel_size=1), "proved for all N, H, W"),
    (case("conv2d", (1, 3, 32, 32), out_channels=8, kernel_size=3), "proved for all N, H, W"),
    (case("concat", (1, 3, 8, 8), (1, 5, 8, 8)), "proved for all N, C1, H, W, C2"),
    (case("linear", (1, 10), out_features=5), "proved for all N"),
    (case("bilinear", (6, 4), (6, 5), out_features=3), "proved for all N1"),
    (case("gru_cell", (2, 3), (2, 4), hidden_size=4), "proved for all N1"),
    (
        case("lstm", (5, 2, 3), hidden_size=4, num_layers=2, bidirectional=True),
        "proved for all N, C",
    ),
    (case("max_unpool1d", (2, 3, 5), (2, 3, 5), kernel_size=2), "proved for all N1, C1, L1"),
    (
        case("weight_norm", (1, 3, 8, 8), layer=Conv2d(out_channels=2, kernel_size=3)),
        "proved for all N, H, W",
    ),
    (
        case("multihead_attention", (3, 4), (2, 5), (2, 5), num_heads=2, kdim=5, vdim=5),
        "proved for C1 = 4 and all N1, N2; elsewhere agrees at the sizes tried, 20 (no answer with C1 left free)",
    ),
    (case("linear", (10,), out_features=5), "proved for all sizes"),
    (
        case("max_pool1d", (1, 3, 9), kernel_size=2),
        "proved for L = 9 and all N, C; elsewhere agrees at the sizes tried, 20 (no answer with L left free)",
    ),
]


@pytest.mark.parametrize(("one", "told"), TOLD)
def test_a_verdict_reads(one: Case, told: str) -> None:
    assert str(verify_layer(one.cls.model_validate(one.fields), one.inputs)) == told


def test_ceil_mode_is_proved_by_cases() -> None:
    """Torch's answer holds only where its last window starts inside the input: it records a guard."""
    pool = MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True)
    verdict = verify_layer(pool, ((1, 8, 32, 32),))
    assert verdict.outcome == "proved"
    assert verdict.letters == ("N", "C", "H", "W")


def test_one_answer_without_a_guard_is_told_apart() -> None:
    pointwise = Conv2d(out_channels=8, kernel_size=3, padding=1)
    assert verify_layer(pointwise, ((1, 3, 32, 32),)).is_unguarded
    assert not verify_layer(Conv2d(out_channels=8, kernel_size=3), ((1, 3, 32, 32),)).is_unguarded


# ---- wrong rules are refuted, by the smallest counter-example


class BareCeiling(Conv2d):
    """A convolution that rounds up."""

    def output(self, x: Shape) -> Shape:
        p, k, s = self.sliding.before[0], self.sliding.kernel[0], self.sliding.stride[0]
        return self.resized(x, tuple(ceildiv(n + 2 * p - k, s) + 1 for n in self.sizes(x)), self.out_channels)


class OnceAround(Conv2d):
    """A convolution that forgets the padding behind."""

    def output(self, x: Shape) -> Shape:
        return self.resized(x, tuple(n - 1 for n in self.sizes(x)), self.out_channels)


class Careless(Conv2d):
    """A convolution that accepts an input smaller than its kernel."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return self.spatial_rank(x)


class Fussy(MaxPool2d):
    """A pool that refuses an odd height."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        yield Requirement("odd", x[-2] % 2, "==", 0, "an odd height")


class BareCeilMode(MaxPool2d):
    """A pool with ceil_mode whose last window may start behind the input, which torch forbids."""

    def output(self, x: Shape) -> Shape:
        return self.resized(x, tuple(ceildiv(n + 2 - 2, 3) + 1 for n in self.sizes(x)))


class FarOff(AvgPool2d):
    """A pool that is right for every width below 100."""

    def output(self, x: Shape) -> Shape:
        honest = super().output(x)
        return (*honest[:-1], honest[-1] + x[-1] // 100)


class Lopsided(ReLU):
    """An activation that is right unless there are two channels or more."""

    def output(self, x: Shape) -> Shape:
        return (x[0], 2 * x[1] - 1, *x[2:])


REFUTED = [
    (
        BareCeiling(out_channels=4, kernel_size=3, stride=2),
        (1, 3, 9, 9),
        Counterexample({"N": 1, "H": 4, "W": 3}, "1x4x2x1", "1x4x1x1"),
    ),
    (
        OnceAround(out_channels=4, kernel_size=3, padding=1),
        (1, 3, 9, 9),
        Counterexample({"N": 1, "H": 1, "W": 1}, "1x4x0x0", "1x4x1x1"),
    ),
    (
        Careless(out_channels=4, kernel_size=3),
        (1, 3, 9, 9),
        Counterexample({"N": 1, "H": 1, "W": 1}, "1x4x-1x-1", "refused"),
    ),
    (
        Fussy(kernel_size=1),
        (1, 3, 8, 8),
        Counterexample({"N": 1, "C": 1, "H": 1, "W": 1}, "refused", "1x1x1x1"),
    ),
    (
        BareCeilMode(kernel_size=2, stride=3, padding=1, ceil_mode=True),
        (1, 3, 6, 6),
        Counterexample({"N": 1, "C": 1, "H": 1, "W": 1}, "1x1x2x2", "1x1x1x1"),
    ),
    (
        FarOff(kernel_size=1),
        (1, 3, 8, 8),
        Counterexample({"N": 1, "C": 1, "H": 1, "W": 100}, "1x1x1x101", "1x1x1x100"),
    ),
    (Lopsided(), (1, 1, 3, 3), Counterexample({"N": 1, "C": 2, "H": 1, "W": 1}, "1x3x1x1", "1x2x1x1")),
]


@pytest.mark.parametrize(("layer", "x", "expected"), REFUTED, ids=lambda one: type(one).__name__)
def test_a_wrong_rule_is_refuted(layer: Kind, x: tuple[int, ...], expected: Counterexample) -> None:
    verdict = verify_layer(layer, (x,))
    assert verdict.outcome == "refuted", verdict
    assert verdict.counterexample == expected
    assert str(verdict) == f"refuted: {expected}"


def test_no_size_of_a_counter_example_can_be_smaller() -> None:
    layer = BareCeiling(out_channels=4, kernel_size=3, stride=2)
    honest = Conv2d(out_channels=4, kernel_size=3, stride=2)
    assert layer.output((1, 3, 4, 3)) != honest.output((1, 3, 4, 3))
    assert layer.output((1, 3, 3, 3)) == honest.output((1, 3, 3, 3))
    with pytest.raises(Refused):
        honest.apply(((1, 3, 4, 2),))


def test_wrong_weights_buffers_and_macs_are_told() -> None:
    layer, x = Conv2d(out_channels=4, kernel_size=3), ((1, 3, 9, 9),)
    effect = layer.apply(x)
    assert structure(layer, x, effect.weights, effect.buffers, effect.macs) == ""
    assert "weights" in structure(layer, x, {}, {}, effect.macs)
    assert "buffers" in structure(layer, x, effect.weights, {"more": (1,)}, effect.macs)
    assert structure(layer, x, effect.weights, {}, 1) == "MACs: ours 1, torch's 5,292"


# ---- whole models


SMALL = """
name: small
parameters: {H: 32, W: 32}
input: [3, H, W]
layers:
  - conv2d: {out_channels: 8, kernel_size: 3, stride: 2}
  - relu
  - max_pool2d: {kernel_size: 2, ceil_mode: true}
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
    name: same
  - relu
  - adaptive_avg_pool2d: {output_size: 1}
  - flatten
  - linear: {out_features: 10}
"""


def test_a_model_is_verified_layer_by_layer_and_at_once() -> None:
    found = verify(loads(SMALL))
    assert found.counts == {"proved": 8}
    assert found.proofs == 7  # the two activations are one question
    assert not found.is_refuted
    assert found.network.outcome == "guarded"
    assert found.network.guard == "batch ≥ 2, H ≥ 7, W ≥ 7"


def test_progress_is_told_for_every_layer() -> None:
    told: list[tuple[int, int]] = []
    verify(loads(SMALL), progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 8) for number in range(9)]


def test_a_model_with_a_wrong_rule_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conv2d, "output", BareCeiling.output)
    found = verify(loads(SMALL))
    assert found.is_refuted
    assert found.counts["refuted"] >= 1
    assert "counter-example" in str(found)
    assert found.to_dict()["layers"][0]["counterexample"]["sizes"] == {"N": 1, "H": 3, "W": 4}


def test_a_model_with_a_wrong_cost_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "macs", lambda self, x: 1)
    found = verify(loads(SMALL))
    assert found.is_refuted
    assert "refuted: MACs: ours 1, torch's 80" in str(found)
    assert [one.path for one in found.layers if one.is_refuted] == ["linear"]


def test_what_keras_rules_is_not_covered() -> None:
    found = verify(load("tutorials/keras_lenet5"))
    assert set(found.counts) == {"proved", "uncovered"}
    assert "a rule of Keras" in str(found)
    assert found.network.outcome == "uncovered"


@pytest.mark.ci
@pytest.mark.parametrize("name", ["lenet5_1998", "unet"])
def test_a_bundled_model_is_verified(name: str) -> None:
    found = verify(load(name))
    assert not found.is_refuted
    assert "uncovered" not in found.counts


# ---- torch's expressions


def test_functions_of_torch_are_read_as_the_arithmetic_they_are() -> None:

    n = sympy.Symbol("s0", integer=True, positive=True)
    names = {"s0": symbol("n")}
    read = [
        functions.FloorDiv(n + 1, 2),
        functions.ModularIndexing(n, 2, 3),
        functions.PythonMod(n, 4),
        functions.CeilToInt(functions.IntTrueDiv(n, sympy.Integer(4))),
        functions.TruncToInt(sympy.Float(1.5) * functions.ToFloat(n)),
        functions.Max(n - 3, 2),
    ]
    expected: list[Callable[[int], int]] = [
        lambda k: (k + 1) // 2,
        lambda k: k // 2 % 3,
        lambda k: k % 4,
        lambda k: -(-k // 4),
        lambda k: 3 * k // 2,
        lambda k: max(k - 3, 2),
    ]
    for expression, rule in zip(read, expected, strict=True):
        found = size(expression, names)
        assert not isinstance(found, int)
        assert [found.subs({"n": k}) for k in range(1, 30)] == [rule(k) for k in range(1, 30)]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        (sympy.sin(sympy.Symbol("s0")), "sin"),
        (functions.TruncToInt(sympy.Float(0.29) * functions.ToFloat(sympy.Symbol("s0"))), "0.29"),
    ],
)
def test_what_is_no_integer_arithmetic_is_undecided_by_name(expression: Any, named: str) -> None:
    with pytest.raises(Undecided, match=named):
        size(expression, {})
