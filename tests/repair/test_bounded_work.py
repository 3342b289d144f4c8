"""Small texts cost little: what is counted is the work done, not the time that it takes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

import shapecalc
from shapecalc.bridges.torch.export import constructor
from shapecalc.bridges.torch.twins.code import expression, text
from shapecalc.errors import SpecError
from shapecalc.layers import AdaptiveAvgPool1d
from shapecalc.layers.requirement import Refused, Requirement
from shapecalc.model import Model, loads
from shapecalc.page.page_writer import page
from shapecalc.repair.apply_fixes import fixed
from shapecalc.repair.hypothetical import HypotheticalInference
from shapecalc.repair.repair_state import RepairState, Source

PAIR = """\
  - conv2d: {{in_channels: {}, out_channels: 4, kernel_size: 3, padding: 1}}
  - linear: {{in_features: {}, out_features: 8}}
"""


def mistakes(pairs: int) -> str:
    return "input: [3, 8, 8]\nlayers:\n" + "".join(PAIR.format(9 + i, 7 + i) for i in range(pairs))


@pytest.fixture
def inferred(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of layers of every text that is inferred."""
    sizes: list[int] = []
    plain = Source.infer

    def counted(source: Source) -> object:
        model, inference = plain(source)
        sizes.append(len(inference.graph.nodes))
        return model, inference

    monkeypatch.setattr(Source, "infer", counted)
    return sizes


@pytest.mark.ci
def test_many_mistakes_are_fixed_within_a_bound(inferred: list[int]) -> None:
    """Without one a round for every fix took 145 seconds and 4.6 GB."""
    result = fixed(Source(mistakes(60), loads))
    assert sum(inferred) < 25_000
    assert len(result.done) > 10
    assert len(loads(result.text).infer().failures) <= 119 - len(result.done)


def test_safe_fixes_that_hold_together_are_taken_in_one_round(inferred: list[int]) -> None:
    lines = "".join(
        f"  - conv2d: {{in_channels: {20 + i}, out_channels: 4, kernel_size: 3, padding: 1}}\n"
        for i in range(40)
    )
    result = fixed(Source(f"input: [3, 8, 8]\nlayers:\n{lines}", loads))
    places = {finding.place.line for finding, _ in result.done}
    assert len(places) == len(result.done) > 10
    assert all(fix.is_safe for _, fix in result.done)
    start, end = RepairState(Source(f"input: [3, 8, 8]\nlayers:\n{lines}", loads)), loads(result.text).infer()
    assert len(end.failures) == len(start.findings) - len(result.done)
    assert sum(inferred) < 30_000


@pytest.mark.ci
def test_what_ranks_the_fixes_of_many_branches_that_disagree_is_bounded(
    inferred: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of 40 errors was fixed in turn, with every layer after it evaluated for every candidate."""
    evaluated = 0
    plain = HypotheticalInference._evaluate

    def counted(self: HypotheticalInference, *arguments: Any) -> str | None:
        nonlocal evaluated
        evaluated += 1
        return plain(self, *arguments)

    monkeypatch.setattr(HypotheticalInference, "_evaluate", counted)
    branches = "".join(
        f"- add: [[], [conv2d: {{out_channels: 3, kernel_size: {2 + i % 3}}}]]\n" for i in range(40)
    )
    findings = loads(f"input: [3, 8, 8]\nlayers:\n{branches}").check()
    assert sum(inferred) < 20_000
    assert evaluated < 120_000
    assert any(finding.fixes for finding in findings)


def test_a_refusal_is_worded_when_it_is_read() -> None:
    sizes = [1]
    refused = Refused(Requirement("axis", 1, ">=", 2, lambda: f"{sizes[0]} is too few"))
    sizes[0] = 0
    assert str(refused) == "0 is too few"


@pytest.mark.parametrize("sizes", [(13, 5), (5, 13), (12, 8), (7, 7), (9, 1), (1, 4), (210, 126)])
def test_the_windows_of_adaptive_pooling_are_counted_in_closed_form(sizes: tuple[int, int]) -> None:
    n, out = sizes
    windows = [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]
    layer = AdaptiveAvgPool1d(output_size=out)
    operations = layer.operations_on(((1, 3, n),))
    assert operations is not None
    assert operations.additions == 3 * sum(end - start - 1 for start, end in windows)


def test_a_pooling_to_a_huge_grid_costs_no_loop_over_it() -> None:
    text = "input: [1, 2000000011]\nlayers: [adaptive_avg_pool1d: {output_size: 199999991}]"
    cost = shapecalc.loads(text).analyze(convention="exact").cost()
    assert cost.total == 2_000_000_011 + 199_999_991 - 1  # a division for every result, the rest additions


GROWING = 'input: [8]\nlayers:\n- linear: {{out_features: "8 + i"}}\n  repeat: {{i: {}}}\n'


@pytest.mark.parametrize(
    ("written", "write"),
    [("derivation", lambda model: model.derive()), ("page", page), ("exported source", shapecalc.export)],
)
def test_what_is_written_of_too_many_layers_is_refused(
    written: str, write: Callable[[Model], object]
) -> None:
    model = loads("input: [8]\nlayers: [{relu: , repeat: 4001}]")
    with pytest.raises(SpecError, match=f"{written} of 4,001 layers is too long; 4,000 are allowed"):
        write(model)
    assert str(model.derive("relu.7").layers[0].path) == "relu.7"


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ("{relu: , repeat: 1501}", "1,501 layers; at most 1,500 are proved"),
        ('{linear: {out_features: "8 + i"}, repeat: {i: 151}}', "151 layers with other fields; at most 150"),
        ("{zero_pad1d: {padding: 1}, repeat: 501}", "501 different layers; at most 500 are proved"),
    ],
)
def test_what_is_proved_of_a_short_spec_is_bounded(layers: str, says: str) -> None:
    """4,000 equal layers took 16 seconds, and 900 that grow 48."""
    with pytest.raises(SpecError, match=says):
        shapecalc.verify(loads(f"input: [3, 8]\nlayers: [{layers}]"))


def test_growing_layers_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run that might grow was compared from its beginning, for every length: 3,000 layers took minutes."""
    compared = 0
    plain = constructor._steps

    def counted(*codes: ast.expr) -> tuple[int, ...] | None:
        nonlocal compared
        compared += 1
        return plain(*codes)

    monkeypatch.setattr(constructor, "_steps", counted)
    source = shapecalc.export(loads(GROWING.format(200)))
    assert "*[nn.Linear(8 + i, 9 + i) for i in range(199)]" in source
    assert compared < 2_000


@pytest.mark.parametrize(
    ("calls", "loops"),
    [
        ("f(1); f(2)", "f(1); f(2)"),
        ("f(1); f(3); f(5); g(7)", "*[f(1 + 2 * i) for i in range(3)]; g(7)"),
        ("f(9, True); f(8, True); f(7, True)", "*[f(9 - i, True) for i in range(3)]"),
        ("f(1, False); f(2, True); f(3, True)", "f(1, False); f(2, True); f(3, True)"),
        ("f(4, s=1); f(4, s=2); f(4, s=3); f(4, s=3)", "*[f(4, s=1 + i) for i in range(3)]; f(4, s=3)"),
        ("f(1); f(1); f(2); f(4); f(6)", "*[f(1) for _ in range(2)]; *[f(2 + 2 * i) for i in range(3)]"),
        ("f(1); f(2, 3); f(3)", "f(1); f(2, 3); f(3)"),
    ],
)
def test_calls_that_grow_by_a_step_are_a_loop(calls: str, loops: str) -> None:
    codes = constructor.looped([expression(code) for code in calls.split("; ")])
    assert "; ".join(map(text, codes)) == loops
