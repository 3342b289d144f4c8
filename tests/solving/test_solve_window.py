"""Window settings and mirrors against real torch and Keras layers, every setting within the bounds tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc import ShapeError, SpecError, solve_mirror, solve_window
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.layers import AvgPool1d, Conv1d, ConvTranspose1d, MaxPool1d
from shapecalc.layers.requirement import Refused
from shapecalc.solving.mirror import Mirror
from shapecalc.solving.setting import Setting
from shapecalc.solving.window import Settings
from tests.support.keras_twin import REJECTIONS, keras

LONGEST = 11
K, S, D = 4, 3, 2
"""Bounds of kernel, stride and dilation: small enough to try all, large enough for every case of the rules."""


def windows() -> Iterator[tuple[int, int, int]]:
    for k, s, d in product(range(1, K + 1), range(1, S + 1), range(1, D + 1)):
        if k > 1 or d == 1:
            yield k, s, d


def size_of(layer: Any, n: int) -> int | None:
    """Return what torch's layer makes of n, on the processor, where it refuses all that it refuses."""
    try:
        with torch.no_grad(), quiet():
            return int(layer(torch.zeros(1, 1, n)).shape[-1])
    except (RuntimeError, ValueError):
        return None


Key = tuple[Any, ...]


@cache
def torch_says(kind: str) -> dict[Key, list[dict[int, int | None]]]:
    """Return for each window with its padding what torch makes of every n, the plainest variant first."""
    found: dict[Key, list[dict[int, int | None]]] = {}
    for k, s, d in windows():
        for p in range((d * (k - 1) + 1) // 2 + 1):
            layers: list[Any] = []
            if kind == "conv1d":
                layers = [torch.nn.Conv1d(1, 1, k, s, p, d)]
            elif kind == "max_pool1d":
                layers = [torch.nn.MaxPool1d(k, s, p, d, ceil_mode=ceil) for ceil in (False, True)]
            elif kind == "avg_pool1d" and d == 1:
                layers = [torch.nn.AvgPool1d(k, s, p, ceil_mode=ceil) for ceil in (False, True)]
            elif kind == "conv_transpose1d":
                layers = [torch.nn.ConvTranspose1d(1, 1, k, s, p, op, dilation=d) for op in range(max(s, d))]
            if layers:
                found[k, s, d, p] = [
                    {n: size_of(layer, n) for n in range(1, LONGEST + 1)} for layer in layers
                ]
    return found


def asked(n: int, wanted: int, kind: str, **more: Any) -> Settings:
    most: dict[str, Any] = {} if kind == "avg_pool1d" else {"max_dilation": D}
    return solve_window(n, wanted, kind=kind, max_kernel=K, max_stride=S, **most, **more)


def variant(one: Setting) -> int:
    """Return how far from the plainest variant a setting is."""
    return int(one.ceil_mode) + (one.output_padding or 0)


@pytest.mark.sample(8)
@pytest.mark.parametrize("kind", ["conv1d", "max_pool1d", "avg_pool1d", "conv_transpose1d"])
@pytest.mark.parametrize("n", [1, 2, 5, 8, LONGEST])
def test_all_settings_are_found_and_no_other(kind: str, n: int) -> None:
    table = torch_says(kind)
    sizes = {said[n] for every in table.values() for said in every}
    for wanted in sorted({size for size in sizes if size} | {1, 2, 7, 30}):
        found = asked(n, wanted, kind)
        expected = {
            (*key, next(at for at, said in enumerate(every) if said[n] == wanted))
            for key, every in table.items()
            if any(said[n] == wanted for said in every)
        }
        got = [(one.kernel_size, one.stride, one.dilation, one.padding, variant(one)) for one in found]
        assert len(got) == len(set(got))
        assert set(got) == expected, wanted
        if not got:
            below, above = found.reached
            known = sorted(size for size in sizes if size)
            assert below == max((size for size in known if size < wanted), default=None)
            assert above == min((size for size in known if size > wanted), default=None)


@pytest.mark.parametrize(("kind", "name"), [("conv1d", "Conv1D"), ("conv_transpose1d", "Conv1DTranspose")])
@pytest.mark.parametrize("n", [1, 4, 7])
def test_all_keras_settings_are_found(kind: str, name: str, n: int) -> None:
    words = ["valid", "same", "causal"] if kind == "conv1d" else ["valid", "same"]
    expected: dict[int, set[Key]] = {}
    for (k, s, d), word in product(windows(), words):
        seen: set[int] = set()
        for op in [None] if kind == "conv1d" else [None, *range(s)]:
            more = {} if op is None else {"output_padding": op}
            try:
                layer = getattr(keras.layers, name)(1, k, strides=s, padding=word, dilation_rate=d, **more)
                size = int(layer(torch.zeros(1, n, 1)).shape[1])
            except (*REJECTIONS, RuntimeError):
                continue
            if size > 0 and size not in seen:
                seen.add(size)
                expected.setdefault(size, set()).add((k, s, d, word, op))
    for wanted, keys in expected.items():
        found = asked(n, wanted, kind, framework="keras")
        got = {
            (
                one.kernel_size,
                one.stride,
                one.dilation,
                one.padding,
                one.output_padding if kind != "conv1d" else None,
            )
            for one in found
        }
        assert got == keys, wanted


@given(st.integers(1, 300), st.integers(1, 300), st.booleans(), st.sampled_from(["conv2d", "max_pool2d"]))
def test_answers_hold_in_order_and_within_bounds(n: int, wanted: int, uneven: bool, kind: str) -> None:
    found = solve_window((n, n), wanted, kind=kind, uneven=uneven, max_kernel=5, max_stride=8)
    assert [one.order for one in found] == sorted(one.order for one in found)
    for one in found:
        layer = one.layer()
        assert layer.output((1, 1, n, n))[2:] == (wanted, wanted)
        assert one.kernel_size <= 5
        assert one.stride <= 8
        if isinstance(one.padding, tuple):  # only where the same padding on both sides will not do
            even = Setting(kind, one.kernel_size, one.stride, one.padding[0], one.dilation).layer()
            with suppress(Refused):
                assert even.apply(((1, 1, n, n),)).outputs[0][2] != wanted


@pytest.mark.parametrize("wanted", [28, 56, 224])
def test_the_usual_answer_comes_first(wanted: int) -> None:
    assert solve_window(2 * wanted, wanted)[0].fields == {"kernel_size": 2, "stride": 2}
    assert solve_window(2 * wanted, wanted, kernel=3)[0].fields == {
        "kernel_size": 3,
        "stride": 2,
        "padding": 1,
    }
    assert solve_window(wanted, 2 * wanted)[0].fields == {"kernel_size": 2, "stride": 2}
    assert solve_window(wanted, wanted, kernel=3)[0].fields == {"kernel_size": 3, "padding": 1}
    patch = solve_window(224, 14)
    assert patch[0].fields == {"kernel_size": 16, "stride": 16}
    assert any(one.unread for one in patch)


def test_an_uneven_padding_is_found_where_it_is_asked_for() -> None:
    assert not solve_window(10, 10, kernel=2, dilation=1, stride=1)
    (one,) = solve_window(10, 10, kernel=2, dilation=1, stride=1, uneven=True)
    assert one.fields == {"kernel_size": 2, "padding": [[0, 1], [0, 1]]}
    assert one.to_dict()["padding"] == [0, 1]


def test_axes_of_their_own_share_a_setting() -> None:
    found = solve_window((224, 320), (112, 160), kernel=3)
    assert found[0].layer().output((1, 1, 224, 320)) == (1, 1, 112, 160)
    assert not solve_window((224, 320), (112, 80), kernel=3)


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((56, 0), {}, "integer from 1"),
        ((True, 3), {}, "integer from 1"),
        ((56, 28), {"kind": "relu"}, "no window to solve for"),
        ((56, 28), {"kind": "conf2d"}, "did you mean 'conv2d'"),
        ((56, 28), {"kind": "avg_pool2d", "dilation": 2}, "has no dilation"),
        ((56, 28), {"kind": "lp_pool2d", "padding": 2}, "takes no padding"),
        ((56, 28), {"output_padding": 1}, "has no output_padding"),
        ((56, 28), {"kernel": 3, "max_kernel": 5}, "both fixed and bounded"),
        ((56, 28), {"padding": 1, "max_padding": 5}, "both fixed and bounded"),
        ((56, 28), {"padding": -1}, "from 0 on"),
        ((56, 28), {"kernel": 0}, "bounds are numbers from 1"),
        ((56, 28), {"max_kernel": 1000, "max_stride": 1000}, "20,000 are looked at"),
        (((56, 56, 56), 28), {}, "3 sizes, but conv2d has 2 axes"),
    ],
)
def test_questions_that_make_no_sense(arguments: tuple[Any, Any], options: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        solve_window(*arguments, **options)


# ---- mirrors

ENCODERS: list[tuple[Any, dict[str, Any]]] = [
    (Conv1d, {"kernel_size": 3, "stride": 2, "padding": 1}),
    (Conv1d, {"kernel_size": 5, "stride": 3, "padding": 1}),
    (Conv1d, {"kernel_size": 4, "stride": 3, "padding": 3, "dilation": 2}),
    (MaxPool1d, {"kernel_size": 2}),
    (MaxPool1d, {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    (AvgPool1d, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    (Conv1d, {"kernel_size": 1, "stride": 2}),
]
FARTHEST = 45


def there_and_back(encoder: Any, mirror: Setting, op: int | None, n: int) -> int | None:
    """Return what n comes back as through torch's own layers, or None where one refuses."""
    options: dict[str, Any] = {
        "stride": mirror.stride,
        "padding": mirror.padding,
        "dilation": mirror.dilation,
    }
    back = torch.nn.ConvTranspose1d(1, 1, mirror.kernel_size, output_padding=op or 0, **options)
    middle = size_of(encoder, n)
    return None if middle is None else size_of(back, middle)


@pytest.mark.parametrize(("cls", "fields"), ENCODERS, ids=lambda one: getattr(one, "kind", str(one)))
def test_mirrors_give_back_exactly_what_they_say(cls: Any, fields: dict[str, Any]) -> None:
    found = solve_mirror(cls.kind, fields, max_kernel=4)
    if cls is Conv1d:
        encoder: torch.nn.Module = torch.nn.Conv1d(1, 1, **fields)
    else:
        encoder = torch.nn.MaxPool1d(**fields) if cls is MaxPool1d else torch.nn.AvgPool1d(**fields)
    taken = {n for n in range(1, FARTHEST) if size_of(encoder, n)}
    assert taken == {n for n in range(1, FARTHEST) if n in found.taken}
    for mirror in found:
        for n in taken:
            comes_back = n in mirror.covers
            assert comes_back or not mirror.is_complete
            stride, dilation = mirror.setting.stride, mirror.setting.dilation
            ops = [
                op
                for op in range(max(stride, dilation))
                if there_and_back(encoder, mirror.setting, op, n) == n
            ]
            assert bool(ops) == comes_back, (mirror.setting, n)
            if ops:
                assert mirror.output_padding(n) == ops[0]


@given(
    st.integers(1, 5), st.integers(1, 4), st.integers(0, 2), st.integers(1, 2), st.booleans(), st.booleans()
)
def test_no_mirror_is_missing(k: int, s: int, p: int, d: int, pool: bool, ceil: bool) -> None:
    """Every decoder within the bounds that gives back all of a long stretch is told, the encoder's own first."""
    cls = MaxPool1d if pool else Conv1d
    fields: dict[str, Any] = {"kernel_size": k, "stride": s, "padding": min(p, k // 2), "dilation": d}
    fields |= {"ceil_mode": ceil} if pool else {}
    found = solve_mirror(cls.kind, fields, max_kernel=5)
    encoder = MaxPool1d(**fields) if pool else Conv1d(out_channels=1, **fields)
    taken = [n for n in range(1, 60) if n in found.taken]
    sent = {n: encoder.output((1, 1, n))[-1] for n in taken}
    complete = {(one.setting.kernel_size, one.setting.padding) for one in found.complete}
    for kernel in range(1, 6):
        for padding in range((d * (kernel - 1) + 1) // 2 + 1):
            serves = all(
                any(returned(kernel, s, padding, d, op, sent[n]) == n for op in range(max(s, d)))
                for n in taken
            )
            assert serves == ((kernel, padding) in complete)
    if not (pool and ceil):
        own = found[0].setting
        assert (own.kernel_size, own.padding, own.dilation) == (k, fields["padding"], d)
        assert found[0].is_complete


def returned(k: int, s: int, p: int, d: int, op: int, m: Any) -> int | None:
    layer = ConvTranspose1d(out_channels=1, kernel_size=k, stride=s, padding=p, dilation=d, output_padding=op)
    try:
        size = layer.apply(((1, 1, m),)).outputs[0][-1]
    except Refused:
        return None
    return size if isinstance(size, int) else None


def test_the_decoder_of_one_size() -> None:
    """Which output_padding does this input need: a question of three issue threads."""
    fields = {"kernel_size": 3, "stride": 2, "padding": 1}
    assert solve_mirror("conv2d", fields, size=224)[0].output_padding(224) == 1
    assert solve_mirror("conv2d", fields, size=225)[0].output_padding(225) == 0
    only = solve_mirror("conv2d", fields, size=224)
    assert all(224 in one.covers for one in only)
    partial = next(one for one in only if not one.is_complete)
    with pytest.raises(SpecError, match="no output padding"):
        partial.output_padding(225)


def test_a_keras_encoder_is_mirrored_by_keras() -> None:
    found = solve_mirror("conv2d", {"kernel_size": 3, "stride": 2, "padding": "same"}, framework="keras")
    first = found[0]
    assert first.is_complete
    for n in range(1, 30):
        op = first.output_padding(n)
        up = keras.layers.Conv2DTranspose(1, 3, strides=2, padding="same", output_padding=op)
        down = keras.layers.Conv2D(1, 3, strides=2, padding="same")
        assert tuple(up(down(torch.zeros(1, n, n, 1))).shape[1:3]) == (n, n)


def test_a_layer_of_a_model_is_an_encoder() -> None:
    layer: Any = shapecalc.load("resnet50").analyze().layer("stem.conv2d").layer
    assert solve_mirror(layer).encoder == Setting("conv2d", 7, 2, 3)
    assert isinstance(solve_mirror(layer)[0], Mirror)


@pytest.mark.parametrize(
    ("kind", "fields", "options", "says"),
    [
        ("max_pool2d", {"kernal_size": 2}, {}, "did you mean 'kernel_size'"),
        ("max_pool2d", {}, {}, "kernel_size is missing"),
        ("max_pool2d", {"kernel_size": "k"}, {}, "must be a number"),
        ("conv2d", {"kernel_size": [3, 5]}, {}, "axes differ in kernel_size"),
        ("conv2d", {"kernel_size": 3}, {"kind": "max_pool2d"}, "no transposed convolution"),
        ("conv2d", {"kernel_size": 3}, {"kind": "conv_transpose1d"}, "1 axes, conv2d has 2"),
        ("conv2d", {"kernel_size": 3}, {"size": 2}, "so not 2"),
        ("relu", {}, {}, "no window"),
    ],
)
def test_encoders_that_make_no_sense(
    kind: str, fields: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(SpecError, match=says):
        solve_mirror(kind, fields, **options)


def test_an_encoder_that_takes_nothing_is_refused() -> None:
    with pytest.raises(ShapeError, match="more than half of the kernel"):
        solve_mirror("max_pool2d", {"kernel_size": 2, "padding": 2})


def test_the_former_name_of_the_entries_warns_and_works() -> None:
    answer = solve_window(56, 28)
    with pytest.warns(DeprecationWarning, match="`found` is called `entries` now"):
        assert answer.found == answer.entries == (*answer,)
