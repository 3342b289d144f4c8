"""What every kind says that it sees, against the gradients of torch's layer."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from math import prod
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from pydantic import ValidationError

from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.twins.twin import build_layer
from shapecalc.engine.span import Steps
from shapecalc.layers.base import Kind, Layer
from shapecalc.layers.dependence import Along, AxisDependence, Before, Everything, Fixed, Nothing, Scattered
from shapecalc.layers.family import Family
from shapecalc.layers.functional import Functional
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.select import EmptySlice
from shapecalc.layers.wrapper import Wrapper
from shapecalc.testing import applied
from tests.support.seen_by_torch import Place, seen
from tests.support.strategies import Case, case, cases

torch.set_num_threads(1)
DOCS = Path(__file__).parents[2] / "docs" / "receptive_fields.md"

MAY_BE_FLAT = {
    *(
        "hardshrink",
        "softshrink",
        "hardtanh",
        "threshold",
    ),  # their bounds may leave no room in which they move
    *("l1_loss", "smooth_l1_loss", "huber_loss", "pairwise_distance"),  # signs, which cancel out
    *("hinge_embedding_loss", "margin_ranking_loss", "cosine_embedding_loss"),
    *("triplet_margin_loss", "triplet_margin_with_distance_loss"),
    *("multi_margin_loss", "multi_label_margin_loss"),
    *("nll_loss", "ctc_loss", "adaptive_log_softmax_with_loss"),  # they read what the classes ask for
}
"""Kinds that see no more than they say, and less where numbers have it so."""


def is_smooth(kind: str) -> bool:
    return "max_pool" not in kind and kind != "cross_map_lrn2d"  # whose gradient is not that of its result


def may_see_less(layer: Kind, x: tuple[int, ...]) -> bool:
    """Whether numbers are such that torch's layer sees less than layers of its kind do."""
    given = {name: getattr(layer, name) for name in type(layer).model_fields}
    eps = given.get("eps", given.get("layer_norm_eps"))
    if layer.kind in MAY_BE_FLAT or (eps is not None and eps <= 0):  # of two values, 1 and -1 are made
        return True
    if isinstance(layer, Wrapper):  # divided by its norm, a weight may come to almost nothing
        return layer.layer.kind == "multihead_attention" or may_see_less(layer.layer, x)
    if layer.kind.startswith("transformer"):  # of one feature or two, normalisation makes 0, or 1 and -1
        return bool(x[-1] <= 2)
    if layer.kind == "reduce":  # a maximum, or a variance, which is flat where all are equal
        return str(given["function"]) != "sum"
    if layer.kind == "unfold":  # some of what a window has may always be padding
        return bool(given["padding"] not in (0, (0, 0)))
    if layer.kind == "combine":  # a maximum, or a comparison
        return str(given["function"]) not in ("sub", "div")
    if layer.family is Family.RESPONSE_NORM:  # a factor or an exponent of 0, a power of a negative number
        return bool(min(given["alpha"], given["beta"], given["k"]) <= 0)
    if layer.kind.startswith("lp_pool"):  # a maximum, or so large an exponent that others vanish
        return not isinstance(given["norm_type"], int)
    return False


def has_no_way_back(layer: Kind, inputs: tuple[tuple[int, ...], ...]) -> bool:
    """Whether torch computes a loss and refuses its gradient: of one list of scores and a list of one class."""
    return layer.kind in ("nll_loss", "cross_entropy_loss") and [*map(len, inputs)] == [1, 1]


def is_flat_normalisation(layer: Kind) -> bool:
    """Whether a kind divides by what it sees, so that of a single value it makes a constant."""
    return any(word in layer.kind for word in ("norm", "soft", "cosine"))


def compare(case: Case, counts: Counter[str] | None = None) -> None:
    """Assert that a layer sees what it says, if it is legal."""
    counts = Counter() if counts is None else counts
    try:
        layer = case.cls.model_validate(case.fields)
    except ValidationError:
        return
    effect = applied(layer, case.inputs)
    if effect is None or has_no_way_back(layer, case.inputs):
        return
    for result, shape in enumerate(effect.outputs[:3]):
        depends_on = layer.depends_on(case.inputs, result)
        if result == 0 and isinstance(layer, Layer):
            check_centres(layer, case.inputs[0], counts)
        assert [len(dependence) for dependence in depends_on] == [
            len(x) or len(dependence) for x, dependence in zip(case.inputs, depends_on, strict=True)
        ]
        counts["unknown"] += {view for dependence in depends_on for view in dependence} == {None}
        places = [
            Place(result, axis, position)
            for axis, size in enumerate(shape)
            if isinstance(size, int)
            for position in sorted({0, size // 2, size - 1})
        ]
        places.append(Place(result, None))
        with quiet():
            found = seen(layer, case.inputs, places, smooth=is_smooth(case.cls.kind))
        less = may_see_less(layer, case.inputs[0]) or (
            result > 0 and "return_indices" in type(layer).model_fields
        )
        for number, (dependence, x) in enumerate(zip(depends_on, case.inputs, strict=True)):
            counts["nothing"] += any(isinstance(view, Nothing) for view in dependence) and not any(
                found[-1][number]
            )
            if not any(found[-1][number]):
                continue  # the whole result lies in padding on one of the axes
            is_weight = number > 0 and isinstance(layer, Functional)  # of which an edge sees only a part
            for axis, view in enumerate(dependence):
                for place, support in zip(places, found, strict=True):
                    check(layer, view, place, support[number][axis], x[axis], less or is_weight, counts)


def check_centres(layer: Layer, x: tuple[int, ...], counts: Counter[str]) -> None:
    """Assert that a layer is centred on the middle of what it sees, wherever both are told: one truth."""
    dependence = layer.dependence(x, 0)
    for axis, centre in enumerate(layer.centres(x)):
        view = None if centre is None else dependence[centre.axis]
        if centre is not None and isinstance(view, Along) and len(view.ranges) == 1:
            (seen,) = view.ranges
            assert seen is not None
            assert view.axis == axis
            assert centre.stride == view.shift
            if layer.kind not in NEAREST:
                assert 2 * centre.first == seen[0] + seen[1], f"{layer!r} on {x}: {centre} and {view}"
            counts["centred"] += 1


NEAREST = {"upsample", "upsampling_nearest2d"}
"""Kinds of which a position may see less than its centre is between: the pixel nearest to it."""


def check(
    layer: Kind, view: AxisDependence, place: Place, found: set[int], n: int, less: bool, counts: Counter[str]
) -> None:
    told = f"{layer!r} sees {view}, and at {place} of {n} torch sees {sorted(found)}"
    if view is None:
        assert layer.unknown_dependence, f"{layer.kind} does not declare what it sees"
    match view:
        case Everything() if found:
            assert less or found == set(range(n)), told
            counts["everything"] += 1
        case Fixed(first, last):
            assert found <= set(range(first, last + 1)), told  # type: ignore[arg-type]
            counts["fixed"] += bool(found)
        case Nothing():
            assert not found, told
        case Before(axis) if axis == place.axis:
            assert found <= set(range(place.position + 1)), told
            assert less or not found or max(found) == place.position, told
            counts["before"] += bool(found)
        case Scattered():
            counts["scattered"] += bool(found)
        case Along() if view.axis == place.axis:
            one = Steps(view.ranges, view.shift).at(place.position)
            if one is None:
                assert not found, told
                return
            first, last = one
            assert isinstance(first, int)
            assert isinstance(last, int)
            if first < 0 or last >= n:  # at an edge, where padding is, or the input again
                return
            if not found and is_flat_normalisation(layer):
                return
            assert found <= set(range(first, last + 1)), told
            if not less:
                assert found, told
                assert (min(found), max(found)) == (first, last), told
            counts["along"] += 1


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_every_kind_says_what_it_sees_or_why_not(framework: str) -> None:
    silent = {kind for kind in kinds(framework) if is_silent(get(kind, framework))}
    assert all(get(kind, framework).unknown_dependence for kind in silent)
    assert "opaque" in silent or framework == "keras"


def is_silent(cls: type[Kind]) -> bool:
    """Whether a kind has no rule of its own about what it sees."""
    base = Layer if issubclass(cls, Layer) else Kind
    return cls.depends_on is base.depends_on and (
        base is Kind or getattr(cls, "dependence", None) is Layer.dependence
    )


def test_what_is_not_said_is_documented() -> None:
    """The table of the documentation is that of the package, and holds only kinds that there are."""
    unknown = {kind: why for kind in kinds() if (why := get(kind).unknown_dependence)}
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", DOCS.read_text(), re.MULTILINE)
    told = {kind: (axes, why) for kind, axes, why in rows if kind in unknown}
    assert told == unknown


def test_scattered_results_see_one_place_each() -> None:
    """One element of a result, not a slice of it: the axes that it is told by stand for one position."""
    for scattered, x in [
        (case("flatten", (2, 3, 4)), (2, 3, 4)),
        (case("reshape", (2, 6, 4), shape=(4, 6)), (2, 6, 4)),
        (case("unflatten", (2, 12), dim=1, unflattened_size=(3, 4)), (2, 12)),
        (case("channel_shuffle", (1, 6, 4), groups=3), (1, 6, 4)),
    ]:
        layer = scattered.cls.model_validate(scattered.fields)
        (dependence,) = layer.depends_on((x,), 0)
        one = torch.arange(prod(x), dtype=torch.float64).reshape(x)
        result = build_layer(layer, (x,))(one)
        assert sorted(result.flatten().tolist()) == sorted(one.flatten().tolist())
        assert any(isinstance(view, Scattered) for view in dependence)
        for axis, view in enumerate(dependence):
            if isinstance(view, Scattered):
                check_scattered(one, result, axis, view)


def check_scattered(one: torch.Tensor, result: torch.Tensor, axis: int, view: Scattered) -> None:
    """Assert that the axes of a view, and they alone, tell the position that a result sees."""
    place = {value: index for index, value in enumerate_elements(one)}
    told: dict[tuple[int, ...], set[int]] = {}
    for index, value in enumerate_elements(result):
        key = tuple(index[number] for number in sorted(view.axes))
        told.setdefault(key, set()).add(place[value][axis])
    assert all(len(seen_there) == 1 for seen_there in told.values())


def enumerate_elements(tensor: torch.Tensor) -> list[tuple[tuple[int, ...], float]]:
    """Return every element of a tensor with its place."""
    return [
        (tuple(index), tensor[tuple(index)].item())
        for index in torch.cartesian_prod(*[torch.arange(size) for size in tensor.shape])
        .reshape(-1, tensor.dim())
        .tolist()
    ]


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds() if kind != EmptySlice.kind]
)  # no element, no place
def test_every_kind_sees_what_it_says(kind: str) -> None:
    counts: Counter[str] = Counter()

    @settings(max_examples=max(8, settings().max_examples // 3))
    @given(cases(kind))
    def law(case: Case) -> None:
        compare(case, counts)

    law()
    assert counts.total() > counts["centred"]


@pytest.mark.parametrize("scale", [2, 3, Fraction(1, 2), Fraction(3, 2)])
@pytest.mark.parametrize(
    ("mode", "axes"),
    [("nearest", 2), ("nearest-exact", 2), ("linear", 1), ("bilinear", 2), ("bicubic", 2), ("area", 2)],
)
def test_every_way_to_resize_sees_what_it_says(mode: str, axes: int, scale: Fraction | int) -> None:
    counts: Counter[str] = Counter()
    for corners in (None, True) if "linear" in mode or mode == "bicubic" else (None,):
        fields = {"mode": mode, "scale_factor": scale, "align_corners": corners}
        compare(case("upsample", (1, 1, 6, 5)[: 2 + axes], **fields), counts)
    assert counts.total()


@pytest.mark.parametrize("stride", [2, 3])
def test_a_transposed_window_sees_inputs_at_multiples_of_its_stride(stride: int) -> None:
    counts: Counter[str] = Counter()
    compare(case("conv_transpose2d", (1, 1, 5, 6), out_channels=1, kernel_size=3, stride=stride), counts)
    assert counts["along"]


WINDOW = case("conv1d", (1, 1, 12), out_channels=1, kernel_size=3, stride=2, padding=1)


def test_the_law_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import Conv1d

    counts: Counter[str] = Counter()
    compare(WINDOW, counts)
    assert counts["along"] >= 2
    honest = Conv1d.dependence
    for wrong in (Along(2, ((-1, 0),), 2), Along(2, ((-1, 1),), 1), Along(2, ((-1, 2),), 2), Everything()):
        monkeypatch.setattr(
            Conv1d, "dependence", lambda self, x, result, view=wrong: (*honest(self, x, result)[:2], view)
        )
        with pytest.raises(AssertionError, match="torch sees"):
            compare(WINDOW)


def test_a_kind_that_says_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from shapecalc.layers import ReLU
    from shapecalc.layers.base import Layer

    monkeypatch.setattr(ReLU, "dependence", Layer.dependence)
    with pytest.raises(AssertionError, match="does not declare"):
        compare(case("relu", (1, 3)))
