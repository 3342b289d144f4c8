"""Random whole networks: against torch in two ways, and against themselves in four."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import Phase, assume, currently_in_test_context, event, given, settings
from torch.utils.flop_counter import FlopCounterMode

import shapecalc.engine.graph as graph_module
from shapecalc import Model, Report, ShapeError, SpecError, Step, Undecided, load, loads, symbol
from shapecalc.algebra import summation
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.engine import expand as expansion
from shapecalc.engine import graph_cache as remembered
from shapecalc.engine import loops
from shapecalc.engine.expand import Expansion
from shapecalc.engine.graph import Graph, Loop
from shapecalc.engine.repeats import Passes, Repeats
from shapecalc.engine.scope import Scope
from shapecalc.layers import AdaptiveAvgPool2d, Conv2d, Flatten, Linear, ReLU, Split, Upsample
from shapecalc.layers.requirement import Requirement
from shapecalc.spec import write
from shapecalc.testing import holds, put_in
from tests.support import closed_forms
from tests.support.networks import networks, questions
from tests.support.torch_network import TorchRefuses, TorchRun, run_graph, run_tree

Answer = Report | ShapeError | SpecError


def answer(model: Model, **options: Any) -> Answer:
    """Return the report, or the error."""
    try:
        report = model.analyze(**options)
    except (ShapeError, SpecError) as error:
        note(f"refused: {type(error).__name__}")
        return error
    note("accepted")
    return report


def note(what: str) -> None:
    """Count something for `--hypothesis-show-statistics`."""
    if currently_in_test_context():
        event(what)


def as_data(found: Answer) -> Any:
    return found.to_dict() if isinstance(found, Report) else str(found)


def legal(model: Model) -> Report:
    """Return the report of a legal network; give up on any other."""
    found = answer(model)
    assume(isinstance(found, Report))
    assert isinstance(found, Report)
    return found


# ---- torch


def compare(report: Report, run: TorchRun, flops: int) -> None:
    """Assert that a report tells what torch ran, node by node and in total."""
    assert [(node.path, node.kind) for node in report.nodes] == [(node.path, node.kind) for node in run.nodes]
    for mine, real in zip(report.nodes, run.nodes, strict=True):
        assert mine.outputs == tuple(tuple(tensor.shape) for tensor in real.outputs), mine.path
        weights = {name: tuple(tensor.shape) for name, tensor in real.module.named_parameters()}
        assert mine.weights == weights, mine.path
        buffers = {name: tuple(tensor.shape) for name, tensor in real.module.named_buffers()}
        assert mine.buffers == buffers, mine.path
    assert report.outputs == {name: tuple(tensor.shape) for name, tensor in run.outputs.items()}
    assert report.params == run.params
    assert report.trainable_params == run.trainable_params
    assert report.flops == flops


def compare_graph(model: Model) -> None:
    report = legal(model)
    with quiet(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        run = run_graph(report)
    compare(report, run, counter.get_total_flops())


def compare_tree(model: Model) -> None:
    report = legal(model)
    with quiet(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        run = run_tree(model)
    compare(report, run, counter.get_total_flops())


def compare_values(model: Model) -> None:
    """Assert that real numbers take the same way through the graph as through the tree.

    Both runs make their weights in the same order from the same seed, so they compute the same
    numbers if every layer reads the same tensors.
    """
    report = legal(model)
    with quiet(), torch.no_grad():
        torch.manual_seed(0)
        graph = run_graph(report, device="cpu")
        torch.manual_seed(0)
        tree = run_tree(model, device="cpu")
    for one, other in zip(graph.nodes, tree.nodes, strict=True):
        for a, b in zip(one.outputs, other.outputs, strict=True):
            assert torch.equal(a.nan_to_num(), b.nan_to_num()), one.path
    assert [*graph.outputs] == [*tree.outputs]
    for name, tensor in graph.outputs.items():
        assert torch.equal(tensor.nan_to_num(), tree.outputs[name].nan_to_num()), name


def refused_by_torch(model: Model) -> TorchRefuses | None:
    """Run a model in torch with real numbers; return where torch refuses, if it does."""
    try:
        with quiet(), torch.no_grad():
            run_tree(model, device="cpu")
    except TorchRefuses as refused:
        return refused
    return None


def compare_failure(model: Model) -> None:
    """Assert that torch refuses a network at the layer where we do, or not at all."""
    found, refused = answer(model), refused_by_torch(model)
    if isinstance(found, Report):
        assert refused is None, "torch refuses, and we accept"
    else:
        assert refused is not None, f"torch accepts, and we refuse: {found}"
        assert found.path == refused.path, f"torch: {refused}; we: {found}"


@given(networks())
def test_the_flat_graph_is_torchs(model: Model) -> None:
    compare_graph(model)


@given(networks())
def test_the_tree_is_torchs(model: Model) -> None:
    compare_tree(model)


@given(networks())
def test_every_layer_reads_the_right_tensors(model: Model) -> None:
    compare_values(model)


@given(networks())
def test_the_first_failure_is_torchs(model: Model) -> None:
    compare_failure(model)


# ---- themselves


def compare_symbolic(model: Model) -> None:
    """Assert that numbers put into the closed forms are the numbers."""
    numeric = answer(model)
    try:
        symbolic = answer(model, symbolic=("H", "W"))
    except Undecided:
        note("undecided")
        assert any(word in model.to_yaml() for word in ("size(2) >=", "size(-1) ==")), (
            "nothing asks for sizes"
        )
        return
    if not isinstance(symbolic, Report):
        assert not isinstance(numeric, Report), (
            f"refused for every size, but not at these numbers: {symbolic}"
        )
        return
    numbers = {name: model.parameters[name] for name in ("H", "W")}
    broken = [str(one) for one in symbolic.conditions if not holds(one.requirement, numbers)]
    if not isinstance(numeric, Report):
        assert broken, f"refused at these numbers ({numeric}), but no condition says so"
        return
    assert not broken, f"accepted at these numbers against the conditions {broken}"
    for free, fixed in zip(symbolic.nodes, numeric.nodes, strict=True):
        assert free.path == fixed.path
        for name in ("inputs", "outputs", "weights", "buffers", "params", "macs", "bytes"):
            assert put_in(getattr(free, name), numbers) == getattr(fixed, name), f"{free.path}: {name}"
    assert put_in(symbolic.outputs, numbers) == numeric.outputs
    for name in ("params", "trainable_params", "buffer_count", "macs", "flops"):
        assert put_in(getattr(symbolic, name), numbers) == getattr(numeric, name), name


def compare_free_depth(model: Model) -> None:
    """Assert that a number of passes put in afterwards is that number of passes, alone and with sizes."""
    for names in (("depth",), ("depth", "H", "W")):
        sizes = {name: model.parameters[name] for name in ("H", "W")}
        try:
            symbolic = answer(model, symbolic=names)
        except Undecided:
            note("undecided")
            continue
        note("passes left free" if isinstance(symbolic, Report) and symbolic.graph.loops else "no passes")
        for depth in range(0 if model.parameters["depth"] == 0 else 1, 5):
            numbers = {"depth": depth, **sizes}
            if isinstance(symbolic, Report):
                closed_forms.compare(model, symbolic, numbers)
            else:
                told = f"refused for every depth, but not for {depth}: {symbolic}"
                if "H" not in names:
                    assert not isinstance(answer(model, **numbers), Report), told


def anew(model: Model) -> Model:
    """Return an equal model that has not been analysed yet."""
    return Model(**{name: getattr(model, name) for name in type(model).model_fields})


def told(model: Model, question: dict[str, Any]) -> Any:
    """Return all that a model answers, as data or as the error's text."""
    try:
        return as_data(answer(model, **question))
    except Undecided as error:
        return f"undecided: {error}"


def compare_walks(model: Model, asked: list[dict[str, Any]]) -> None:
    """Assert that what a model was asked before does not show in what it answers."""
    for question in asked:
        assert told(model, question) == told(anew(model), question), question


def compare_texts(model: Model) -> None:
    """Assert that a model written out and read again is the same model, in YAML, JSON and plain data."""
    text = model.to_yaml()
    written = {
        "yaml": loads(text),
        "json": loads(json.dumps(model.to_data())),
        "data": load(model.to_data()),
        "python": anew(model),
    }
    mine = answer(model)
    for form, again in written.items():
        assert again == model, form
        assert again.to_yaml() == text, form
        found = answer(again)
        if isinstance(mine, Report):
            assert as_data(found) == mine.to_dict(), form
        else:
            assert not isinstance(found, Report), form
            assert (found.message, found.path) == (mine.message, mine.path), form
    placed = answer(written["yaml"])
    assert isinstance(placed, Report) or placed.place.line, "an error of a text without its line"


@given(networks())
def test_symbols_then_numbers_is_numbers(model: Model) -> None:
    compare_symbolic(model)


@given(networks())
def test_passes_left_free_then_numbers_is_numbers(model: Model) -> None:
    compare_free_depth(model)


@given(networks(), questions())
def test_what_was_asked_before_does_not_show(model: Model, asked: list[dict[str, Any]]) -> None:
    compare_walks(model, asked)


@given(networks())
def test_texts_and_trees_are_the_same_model(model: Model) -> None:
    compare_texts(model)


# ---- what was asked before, where it once showed or easily could


def spec(*layers: Any, **more: Any) -> Model:
    return Model(**{"parameters": {"H": 8, "W": 8}, "input": [3, "H", "W"], "layers": layers} | more)


SIZED = spec(AdaptiveAvgPool2d(output_size=["size(2)", "size(3) // 2"]), Flatten(), Linear(out_features=2))
BRANCHING = spec(
    Step(Conv2d(out_channels=4, kernel_size=5), when="size(2) >= 5"),
    Step(Conv2d(out_channels=8, kernel_size=1), when="in_channels == 4"),
)
UNASKED = spec(
    Step(Conv2d(out_channels="ratio", kernel_size=1), when="size(2) > 5"),
    parameters={"H": 8, "W": 8, "ratio": "12 // (H - 4)"},
)
ONE_AND_TRUE = spec(Conv2d(out_channels=4, kernel_size="k"), parameters={"H": 8, "W": 8, "k": 1})
UNDECIDABLE = spec(
    Step(Upsample(scale_factor=0.3), when="in_channels == 3"),
    ReLU(),
    parameters={"H": 80, "W": 80},
)
TWO_INPUTS = Model(
    input={"x": [6], "y": [6]},
    layers=[Step(Linear(out_features=4), name="first"), Step(**{"share": "first", "from": "y"})],
)
PIECES = spec(Step(Split(dim=2, split_size=4), name="pieces"), Step(ReLU(), **{"from": "pieces.1"}))


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        pytest.param(SIZED, [{}, {"H": 6}, {"W": 3}, {"H": 2, "W": 1}], id="fields ask for sizes"),
        pytest.param(BRANCHING, [{"H": 4}, {}, {"H": 5}, {"H": 4}], id="conditions ask for sizes"),
        pytest.param(UNASKED, [{}, {"H": 4}, {"H": 16}], id="a parameter without a value, not asked for"),
        pytest.param(ONE_AND_TRUE, [{}, {"k": True}, {"k": 1}], id="true is not 1"),
        pytest.param(
            UNDECIDABLE,
            [{}, {"input": (4, symbol("H"), 80)}, {"symbolic": "H"}],
            id="an undecidable layer that is left out",
        ),
        pytest.param(
            TWO_INPUTS,
            [{}, {"input": {"x": (5,), "y": (5,)}}, {"input": {"y": (5,)}}],
            id="shared weights that no longer fit",
        ),
        pytest.param(PIECES, [{}, {"H": 12}, {"H": 4}, {"H": 3}], id="another number of pieces"),
        pytest.param(SIZED, [{}, {"batch": None}, {"batch": 3}, {"symbolic": ("batch",)}], id="batches"),
    ],
)
def test_what_was_asked_before_does_not_show_here(model: Model, asked: list[dict[str, Any]]) -> None:
    compare_walks(anew(model), asked)


def test_a_copy_with_other_layers_is_another_model() -> None:
    model = anew(SIZED)
    model.analyze()
    changed = model.model_copy(update={"layers": (Step(ReLU()),)})
    assert [node.kind for node in changed.analyze()] == ["relu"]
    assert len(model.analyze().nodes) == 3


# ---- the comparisons can fail

FEW = settings(max_examples=300, phases=[Phase.generate], database=None, print_blob=False)


def _wrong_rule(patch: pytest.MonkeyPatch) -> None:
    honest = ReLU.output
    patch.setattr(ReLU, "output", lambda self, x: (*honest(self, x)[:-1], x[-1] + 1))


def _always(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Expansion, "is_enabled", lambda self, scope, step: True)


def _one_pass_less(patch: pytest.MonkeyPatch) -> None:
    honest = Repeats.passes

    def passes(self: Repeats, scope: Scope, repeat: Any) -> Passes:
        found = honest(self, scope, repeat)
        return replace(found, listed=found.listed[1:])

    patch.setattr(Repeats, "passes", passes)


def _own_weights(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expansion, "share_weights", lambda *arguments: None)


def _all_trained(patch: pytest.MonkeyPatch) -> None:
    honest = Expansion.add_layer

    def add_layer(self: Any, *arguments: Any) -> Any:
        self.trainable = True
        return honest(self, *arguments)

    patch.setattr(Expansion, "add_layer", add_layer)


def _other_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expansion, "automatic_name", lambda step, taken: f"layer{len(taken)}")


def _first_result_only(patch: pytest.MonkeyPatch) -> None:
    honest = Scope.find
    patch.setattr(Scope, "find", lambda self, reference: honest(self, reference.removesuffix(".1")))


def _branches_from_the_last(patch: pytest.MonkeyPatch) -> None:
    """Let every branch start where the branch before it ended."""
    honest = Expansion.sequence

    def sequence(self: Any, outer: Any, steps: Any, current: int, path: str, label: str, *more: Any) -> Any:
        is_branch = path.endswith(("main", ".gate", ".1", ".b1", ".b2", ".two"))
        last = self.builder.graph.slots - 1
        fits = is_branch and self.builder.shapes[last] == self.builder.shapes[current]
        return honest(self, outer, steps, last if fits else current, path, label, *more)

    patch.setattr(Expansion, "sequence", sequence)


def _only_ranks_required(patch: pytest.MonkeyPatch) -> None:
    honest = Conv2d.requirements
    patch.setattr(
        Conv2d, "requirements", lambda self, x: (one for one in honest(self, x) if one.code == "rank")
    )


def _guards_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Graph, "sizes_read", property(lambda self: {}, lambda self, value: None))


def _parameters_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(remembered, "serves", lambda graph, parameters: True)


def _one_pass_too_few(patch: pytest.MonkeyPatch) -> None:
    honest = summation.summed
    patch.setattr(
        graph_module, "summed", lambda value, index, first, count: honest(value, index, first, count - 1)
    )


def _no_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(loops, "_equal", lambda one, other: True)


def _one_condition_for_all(patch: pytest.MonkeyPatch) -> None:
    def in_every_pass(one: Requirement, loop: Loop) -> Iterator[Requirement]:
        yield replace(
            one, **{side: put_in(getattr(one, side), {loop.index: loop.first}) for side in ("left", "right")}
        )

    patch.setattr(loops, "in_every_pass", in_every_pass)


def _forgets_conditions(patch: pytest.MonkeyPatch) -> None:
    honest = write._step

    def step(given: Step) -> Any:
        return honest(given.model_copy(update={"when": None}))

    patch.setattr(write, "_step", step)


def _blind_to_symbols(patch: pytest.MonkeyPatch) -> None:
    honest = Conv2d.output

    def output(self: Conv2d, x: tuple[Any, ...]) -> tuple[Any, ...]:
        shape = honest(self, x)
        return shape if isinstance(x[-1], int) else (*shape[:-1], shape[-1] + 1)

    patch.setattr(Conv2d, "output", output)


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("comparison", "breakage"),
    [
        (compare_graph, _wrong_rule),
        (compare_tree, _wrong_rule),
        (compare_tree, _always),
        (compare_tree, _one_pass_less),
        (compare_tree, _own_weights),
        (compare_tree, _all_trained),
        (compare_tree, _other_names),
        (compare_values, _first_result_only),
        (compare_values, _branches_from_the_last),
        (compare_failure, _only_ranks_required),
        (compare_symbolic, _blind_to_symbols),
        (compare_free_depth, _one_pass_too_few),
        (compare_free_depth, _no_proof),
        (compare_texts, _forgets_conditions),
    ],
)
def test_random_networks_find_what_is_broken(
    comparison: Callable[[Model], None],
    breakage: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breakage(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup, TorchRefuses)):
        FEW(given(networks())(comparison))()


def test_conditions_of_one_pass_alone_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random networks seldom shrink from pass to pass; this one does, so its last pass asks for most."""
    shrinking = Step(Conv2d(out_channels=2, kernel_size=3), repeat="depth")
    model = Model(
        name="shrinking",
        parameters={"H": 7, "W": 7, "depth": 2},
        input=[2, "H", "W"],
        layers=[shrinking],
    )
    compare_free_depth(model)
    _one_condition_for_all(monkeypatch)
    with pytest.raises(AssertionError, match="but no condition says so"):
        compare_free_depth(anew(model))


@pytest.mark.parametrize("breakage", [_guards_ignored, _parameters_ignored])
def test_random_questions_find_what_is_broken(
    breakage: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        settings(FEW, max_examples=2000)(given(networks(), questions())(compare_walks))()
