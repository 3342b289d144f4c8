"""Live modules and PyTorch source: the same named parameters, shapes, MACs and numbers as the report.

Two ways lead to torch: `build` goes by the flat graph, `export` by the tree and its classes. Both are held to
the report, and to each other on real numbers with the same weights.
"""

from __future__ import annotations

import ast
import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import Model, Report, ShapecalcError, ShapeError, SpecError, build, export
from shapecalc.bridges.torch.export import argument_values as values
from shapecalc.bridges.torch.export import export_model as exporting
from shapecalc.bridges.torch.export import forward
from shapecalc.bridges.torch.proof.verify_layer import quiet
from shapecalc.bridges.torch.twins.twin import flat, twin_of
from shapecalc.cli import main
from shapecalc.layers import LinearCrossEntropyLoss
from shapecalc.layers.base import Merge
from shapecalc.layers.registry import get
from shapecalc.report.node import Node
from tests.engine.test_random_networks import legal
from tests.layers.test_torch_parity import PRESENT
from tests.spec.test_loops_over_lists import WRITTEN_OUT
from tests.spec.test_loops_over_lists import model as indented
from tests.support import bundled
from tests.support.bundled import KERAS
from tests.support.input_tensors import input_tensors
from tests.support.networks import networks
from tests.torch.test_proofs import CONFIGURATIONS
from tests.torch.test_proofs import legal as legal_layers

NOT_HOLDING = {"tutorials/torch_inception_v3"}
"""Bundled specs that are wrong on purpose: the tutorial that they follow is."""
TORCH = [name for name in bundled.TORCH if name not in NOT_HOLDING]


@contextmanager
def imported(source: str, folder: Path) -> Iterator[type[nn.Module]]:
    """Import a source from a file of its own; yield the class of the whole network, its last."""
    file = folder / "exported.py"
    file.write_text(source, encoding="utf-8")
    spec = spec_from_file_location("exported", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [one for one in vars(module).values() if getattr(one, "__module__", "") == "exported"]
    yield own[-1]


def compare(report: Report, module: nn.Module) -> None:
    """Assert that a module on the meta device is what a report tells."""
    named = {
        f"{node.path}.{name}": shape
        for node in report.nodes
        if node.shares is None
        for name, shape in node.weights.items()
    }
    found = {name: tuple(weight.shape) for name, weight in module.named_parameters()}
    assert [*found.items()] == [*named.items()]
    trained = sum(weight.numel() for weight in module.parameters() if weight.requires_grad)
    assert trained == report.trainable_params
    inputs = input_tensors(report)
    with quiet(), FlopCounterMode(display=False) as counter:
        result = module.eval()(*inputs)
    assert counter.get_total_flops() == report.flops
    outputs = result if isinstance(result, dict) else {next(iter(report.outputs)): result}
    assert {name: tuple(one.shape) for name, one in outputs.items()} == report.outputs


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", TORCH)
def test_every_bundled_spec_is_built_and_exported(name: str, tmp_path: Path) -> None:
    model = shapecalc.load(name)
    report = model.analyze()
    compare(report, build(model, device="meta"))
    source = export(model)
    with imported(source, tmp_path) as network, torch.device("meta"):
        compare(report, network())
    assert str(Path.cwd()) not in source
    assert source.startswith('"""')
    assert (
        f"shapecalc {shapecalc.__version__} from the specification {model.name}"
        in source.partition("import")[0]
    )


@pytest.mark.parametrize("name", KERAS)
def test_models_of_keras_are_refused_with_the_reason(name: str) -> None:
    model = shapecalc.load(name)
    for way in (build, export):
        with pytest.raises(SpecError, match="written in the rules of Keras"):
            way(model)


@pytest.mark.parametrize("name", sorted(NOT_HOLDING))
def test_models_that_do_not_hold_are_refused(name: str) -> None:
    model = shapecalc.load(name)
    for way in (build, export):
        with pytest.raises(ShapeError, match="declares in_channels: 288"):
            way(model)


def test_no_bundled_spec_is_left_out() -> None:
    """Every file has its variants among those that are built, or stands in the page with the reason."""
    root = Path(shapecalc.__file__).parent.parent
    files = {Path(shapecalc.load(name).place.file or "").name for name in shapecalc.names()}
    assert files == {file.name for file in (root / "specs").rglob("*.yaml")}
    assert {*bundled.TORCH} | {*KERAS} == {*shapecalc.names()}
    assert all(name == "resnet50_keras" or name.startswith("tutorials/keras_") for name in KERAS)
    page = (root / "docs" / "export.md").read_text(encoding="utf-8")
    told = page.partition("## What cannot be written")[2]
    assert all(f"`{name}`" in told for name in ("resnet50_keras", "tutorials/keras_*", *NOT_HOLDING))


# ---- real numbers


def same_numbers(model: Model, folder: Path, **values: Any) -> None:
    """Assert that build and export compute the same from the same weights, for batches of two sizes."""
    report = model.analyze(**values)
    built = build(model, **values).eval()
    with imported(export(model, **values), folder) as network:
        written = network().eval()
    for weight in built.parameters():
        nn.init.normal_(weight, std=0.1)
    missing = written.load_state_dict(built.state_dict(), strict=True)
    assert not missing.missing_keys
    inputs = input_tensors(report, torch.rand, "cpu")
    with quiet():
        one, other = built(*inputs), written(*inputs)
    ours, theirs = (found if isinstance(found, dict) else {"": found} for found in (one, other))
    assert [*ours] == [*theirs]
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-5, atol=1e-6, equal_nan=True)


SMALL: dict[str, dict[str, int]] = {
    "lenet5": {},
    "lenet5_1998": {},
    "resnet18": {"H": 64, "W": 64},
    "regnet_y_400mf": {"H": 64, "W": 64},
    "shufflenet_v2_x0_5": {"H": 64, "W": 64},
    "densenet121": {"H": 64, "W": 64},
    "mobilenet_v3_small": {"H": 64, "W": 64},
    "lraspp_mobilenet_v3_large": {"H": 96, "W": 64},
    "googlenet": {"H": 224, "W": 224},
    "unet": {"H": 188, "W": 188},
    "vit_b_32": {"H": 64, "W": 64},
    "convnext_tiny": {"H": 64, "W": 64},
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", SMALL)
def test_both_compute_the_same(name: str, tmp_path: Path) -> None:
    same_numbers(shapecalc.load(name), tmp_path, **SMALL[name])


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_loops_over_lists_compute_the_same(name: str, tmp_path: Path) -> None:
    same_numbers(indented(WRITTEN_OUT[name][0]), tmp_path)


def flops_and_names(model: Model, folder: Path) -> None:
    report = model.analyze()
    compare(report, build(model, device="meta"))
    with imported(export(model), folder) as network, torch.device("meta"):
        compare(report, network())


@given(model=networks(), number=st.just(0))
def test_random_networks(tmp_path_factory: pytest.TempPathFactory, model: Model, number: int) -> None:
    legal(model)
    folder = tmp_path_factory.mktemp("exported")
    flops_and_names(model, folder)
    same_numbers(model, folder)


def test_a_wrong_argument_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Formulas that are taken without being computed first make a network that is not the model's."""
    monkeypatch.setattr(values.Values, "holds", lambda self, tree, column: True)
    model = shapecalc.load("mobilenet_v2")
    with pytest.raises((AssertionError, TypeError, RuntimeError, NameError)):  # noqa: SIM117
        with imported(export(model), tmp_path) as network, torch.device("meta"):
            compare(model.analyze(), network())


# ---- parameters of the model as arguments of its class

SETTABLE = {
    "alexnet": ["num_classes"],
    "dcgan_generator": ["width", "image_channels"],
    "googlenet": ["num_classes"],
    "mobilenet_v2": ["num_classes"],
    "resnet18": ["num_classes"],
    "unet": ["num_classes"],
    "vit_b_32": ["num_classes", "heads"],
}


@pytest.mark.parametrize("name", SETTABLE)
def test_what_can_be_set_makes_the_model_that_is_set(name: str, tmp_path: Path) -> None:
    model = shapecalc.load(name)
    with imported(export(model), tmp_path) as network, torch.device("meta"):
        defaults = {key: one.default for key, one in inspect.signature(network).parameters.items()}
        assert [*defaults] == SETTABLE[name]
        for key, value in defaults.items():
            compare(model.analyze(**{key: 2 * value}), network(**{key: 2 * value}))


STRUCTURE = """
parameters: {width: 4, repeats: 2, H: 8, W: 8, hidden: 6, odd: 3}
input: [3, H, W]
layers:
  - conv2d: {out_channels: width, kernel_size: 1}
    name: first
  - conv2d: {out_channels: width, kernel_size: 1}
    when: width > 5
  - conv2d: {out_channels: 4, kernel_size: 1}
    repeat: repeats
  - conv2d: {out_channels: hidden, kernel_size: odd, padding: odd // 2}
    name: middle
  - conv2d: {out_channels: "[hidden, 2*hidden][odd - 3]", kernel_size: 1}
    name: last
"""


def test_what_changes_the_structure_cannot_be_set(tmp_path: Path) -> None:
    """Nor what the source could not follow: an item of a list that is chosen by arithmetic."""
    model = shapecalc.loads(STRUCTURE)
    with imported(export(model), tmp_path) as network, torch.device("meta"):
        assert [*inspect.signature(network).parameters] == []
    free = shapecalc.loads(STRUCTURE.replace('"[hidden, 2*hidden][odd - 3]"', "hidden"))
    with imported(export(free), tmp_path) as network, torch.device("meta"):
        assert [*inspect.signature(network).parameters] == ["hidden", "odd"]
        compare(free.analyze(hidden=9), network(hidden=9))
        compare(free.analyze(odd=5), network(odd=5))


STAGES = """
name: stages
input: [3, 8, 8]
blocks:
  unit:
    args: {channels: ~}
    layers:
      - conv2d: {out_channels: channels, kernel_size: 3, padding: 1}
      - tanh
  stage:
    args: {channels: ~, depth: ~}
    layers:
      - unit: {channels: "max(channels, 1)"}
        name: unit
        repeat: depth
      - relu
layers:
  - stage: {channels: 4, depth: 1}
  - stage: {channels: 6, depth: 3}
  - stage: {channels: 6, depth: 2}
"""
DROPPING = STAGES.replace('unit: {channels: "max(channels, 1)"}', "dropout: {p: i/8}")
DROPPING = DROPPING.replace("repeat: depth", "repeat: {i: depth}")


def test_passes_that_blocks_differ_in_are_counted_by_an_argument(tmp_path: Path) -> None:
    model = shapecalc.loads(STAGES)
    source = export(model)
    assert source.count("(nn.Module)") == 3
    assert "*[Unit(channels, channels=channels) for _ in range(depth - 1)]" in source
    assert "Stage(4, channels=6, depth=3)" in source
    same_numbers(model, tmp_path)


def test_passes_that_no_loop_counts_are_classes_of_their_own(tmp_path: Path) -> None:
    """Settings that grow from pass to pass are written out, as many as there are."""
    model = shapecalc.loads(DROPPING)
    source = export(model)
    assert source.count("(nn.Module)") == 4
    assert "range(depth" not in source
    same_numbers(model, tmp_path)


def test_a_default_that_is_no_default_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(exporting, "_other_source", lambda *given: "")
    with imported(export(shapecalc.load("resnet18")), tmp_path) as network:
        assert [*inspect.signature(network).parameters] == []


# ---- inputs, outputs, shared and frozen weights

SEVERAL = """
name: several
input: {left: [4, 8, 8], right: [4, 8, 8]}
blocks:
  twice:
    args: {channels: ~, squeeze: false}
    layers:
      - conv2d: {out_channels: channels, kernel_size: 3, padding: 1}
        name: first
      - conv2d: {out_channels: channels, kernel_size: 3, padding: 1}
        name: second
        share: first
        when: in_channels == channels
      - conv2d: {out_channels: channels, kernel_size: 1}
        name: last
        when: squeeze
layers:
  - twice: {channels: 4}
    from: left
    name: one
  - twice: {channels: 4, squeeze: true}
    from: right
    name: two
  - share: one
    name: again
  - add: {}
    from: [one, again]
    name: sum
  - linear: {out_features: 3}
    trainable: false
    name: head
outputs: {head: head, early: one.first}
"""


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = shapecalc.loads(SEVERAL)
    flops_and_names(model, tmp_path)
    same_numbers(model, tmp_path)
    module = build(model)
    left, right = torch.rand(2, 4, 8, 8), torch.rand(2, 4, 8, 8)
    by_order, by_name = module(left, right), module(right=right, left=left)
    assert {name: tuple(one.shape) for name, one in by_order.items()} == {
        "head": (2, 4, 8, 3),
        "early": (2, 4, 8, 8),
    }
    assert all(torch.equal(one, by_name[name]) for name, one in by_order.items())
    assert module.get_submodule("again.first").weight is module.get_submodule("one.first").weight
    for wrong in ((left,), (left, right, left)):
        with pytest.raises(TypeError, match="takes left, right, each once"):
            module(*wrong)


class _Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> Any:
        return self.conv(x[:, :, :16] if x.shape[2] > 16 else x)


@pytest.mark.parametrize(("height", "condition"), [(20, "> 16"), (9, "<= 16")])
def test_the_branch_of_an_import_is_written_with_its_condition(
    height: int, condition: str, tmp_path: Path
) -> None:
    net = _Branching().eval()
    source = export(shapecalc.from_torch(net, input=(3, height, 12)))
    assert f"The traced forward does the same only where\n    size('input', 2) {condition}\n" in source
    with imported(source, tmp_path) as cls:
        written = cls().eval()
        written.load_state_dict(net.state_dict())
        x = torch.rand(2, 3, height, 12)
        assert torch.equal(written(x), net(x))


def test_a_module_starts_in_training_and_reads_well() -> None:
    module = build(shapecalc.load("resnet18"), H=64, W=64)
    assert module.training
    told = str(module.get_submodule("stage1.0"))
    assert "(conv2d): Conv2d(64, 64, kernel_size=(3, 3)" in told
    assert told.startswith("basic(")
    with pytest.raises(NotImplementedError, match="basic is a part of a network"):
        module.get_submodule("stage1.0")(torch.rand(1, 64, 16, 16))


# ---- what a spec says is data

HOSTILE = [
    'title: \'a"""\\nimport os\\nos.abort()\\n"""\'',
    "title: 'a\\\\'",
    'title: "a\\n\\"\\"\\"\\nraise SystemExit"',
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_a_title(title: str, tmp_path: Path) -> None:
    model = shapecalc.loads(f"{title}\ninput: [3]\nlayers: [{{linear: {{out_features: 2}}}}]\n")
    source = export(model)
    assert [type(one).__name__ for one in ast.parse(source).body] == ["Expr", "ImportFrom", "ClassDef"]
    with imported(source, tmp_path) as network:
        compare(model.analyze(), network().to("meta"))


@pytest.mark.parametrize("name", ["x; import os", 'x"""', "class", "None", "", "1", "nn", "../x", "Ünet"])
def test_a_name_never_becomes_code(name: str, tmp_path: Path) -> None:
    model = Model(name=name, input=[3], layers=[shapecalc.Step(shapecalc.layers.Linear(out_features=2))])
    source = export(model)
    kinds = [type(one).__name__ for one in ast.parse(source).body]
    assert kinds == ["Expr", "ImportFrom", "ClassDef"]
    with imported(source, tmp_path) as network, torch.device("meta"):
        compare(model.analyze(), network())


@pytest.mark.parametrize("name", ["class", "forward", "half", "train", "training"])
def test_a_step_with_a_name_of_torchs_own_is_refused(name: str) -> None:
    if name == "training":
        name = "parameters"
    model = shapecalc.loads(f"input: [3]\nlayers: [{{linear: {{out_features: 2}}, name: {name}}}]\n")
    for way in (build, export):
        with pytest.raises(SpecError, match="the word has a meaning of its own") as caught:
            way(model)
        assert caught.value.hint == "name the step otherwise"


@pytest.mark.parametrize(
    "argument", ["self", "nn", "torch", "OrderedDict", "range", "Odd", "i", "x", "super", "function"]
)
def test_an_argument_cannot_hide_what_the_source_uses(argument: str, tmp_path: Path) -> None:
    """Blocks are called with arguments of any name, also of those that the source itself relies on."""
    text = f"""
input: [3, 9, 9]
blocks:
  odd:
    args: {{{argument}: ~, deep: false}}
    layers:
      - conv2d: {{out_channels: 2*{argument}, kernel_size: 1}}
      - conv2d: {{out_channels: {argument}, kernel_size: 1}}
        when: deep
      - global_avg_pool2d
layers:
  - sequential:
      - sequential: [odd: {{{argument}: 2}}]
        name: inner
    name: outer
  - reshape: {{shape: [4, 1, 1]}}
  - odd: {{{argument}: 3, deep: true}}
"""
    model = shapecalc.loads(text)
    flops_and_names(model, tmp_path)
    same_numbers(model, tmp_path)


# ---- the text


@pytest.mark.sample(1)
@pytest.mark.parametrize("first", range(4))
def test_the_source_is_formatted(first: int, tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None, "the dev extra has it"
    for name in TORCH[first::16]:
        (tmp_path / f"{name.replace('/', '_')}.py").write_text(export(shapecalc.load(name)), encoding="utf-8")
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", tmp_path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "lraspp_mobilenet_v3_large"])
def test_how_it_reads(name: str, golden: Callable[[str, str], None]) -> None:
    golden(
        f"export/{name}.txt",
        export(shapecalc.load(name)).replace(f"shapecalc {shapecalc.__version__}", "shapecalc"),
    )


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    done = CliRunner().invoke(
        main, ["export", "resnet18", "--to", "torch", "--set", "num_classes=7", "-o", str(file)]
    )
    assert (done.exit_code, done.output) == (0, "")
    written = file.read_text(encoding="utf-8")
    assert "def __init__(self, num_classes: int = 7) -> None:" in written
    assert "self.fc = nn.Linear(512, num_classes)" in written
    printed = CliRunner().invoke(main, ["export", "lenet5", "--input", "1x30x30"])
    assert "for an input of 1x30x30" in printed.output
    nowhere = CliRunner().invoke(main, ["export", "lenet5", "-o", str(tmp_path / "no" / "net.py")])
    assert nowhere.exit_code == 2
    assert "cannot be written" in nowhere.output


# ---- every kind is written so that it runs, or refused

REFUSED = {kind for kind in PRESENT if twin_of(get(kind)).never_written} - {"opaque", "require"}
SOMETIMES = {
    **{
        f"{name}{rank}d": "padded side by side"
        for name in ("conv", "depthwise_conv", "separable_conv")
        for rank in (1, 2, 3)
    },
    **{f"max_unpool{rank}d": "unpooling to a given size" for rank in (1, 2, 3)},
    "multihead_attention": "takes one tensor",
    "partial_conv2d": "done by a hook",
    "combine": "that could be called with tensors alone",
    "elementwise": "that could be called with tensors alone",
    **dict.fromkeys(
        ("nll_loss", "cross_entropy_loss", "multi_margin_loss", "multi_label_soft_margin_loss"),
        "weights of classes are numbers",
    ),
    "linear_cross_entropy_loss": "weights of classes are numbers",
}
"""Kinds of which some settings are refused, and what is said."""


def alone(kind: str) -> Iterator[Model]:
    """Yield models of one layer, in a few of its legal configurations."""
    for layer, one in legal_layers(kind, CONFIGURATIONS):
        inputs = {f"t{number}": shape[1:] for number, shape in enumerate(one.inputs)}
        several = {"from": tuple(inputs)} if len(inputs) > 1 else {}
        if all(len(shape) > 0 for shape in one.inputs) and not (isinstance(layer, Merge) and not several):
            model = Model(name="one", input=inputs, layers=[shapecalc.Step(layer, name="one", **several)])
            with suppress(ShapecalcError):
                model.analyze()
                yield model


@pytest.mark.sample(50)
@pytest.mark.parametrize("kind", [kind for kind in PRESENT if kind != "opaque"])
def test_a_kind_is_written_so_that_it_runs_or_is_refused(kind: str, tmp_path: Path) -> None:
    for model in alone(kind):
        node = model.analyze().nodes[0]
        try:
            source = export(model)
        except SpecError as error:
            refused = str(error)
        else:
            assert_runs(node, source, tmp_path)
            continue
        assert kind in REFUSED or SOMETIMES[kind] in refused, f"{refused}: {model.to_yaml()}"


def assert_runs(node: Node, source: str, folder: Path) -> None:
    """Assert that a source of one layer has its weights and makes its first result."""
    twin = twin_of(node.layer)
    device = "cpu" if twin.on_cpu else "meta"
    with imported(source, folder) as network, quiet(), torch.device(device):
        written = network().eval()
        tensors = twin.tensors(node.inputs, device)  # type: ignore[arg-type]
        if isinstance(node.layer, LinearCrossEntropyLoss):
            scores = (*node.inputs[0][:-1], node.layer.num_classes, *node.layer.out_features)
            tensors = [tensors[0], *(one if one.shape == scores else one.long() for one in tensors[1:])]
        results = flat(written(*tensors))
    found = {name.removeprefix("one."): tuple(one.shape) for name, one in written.named_parameters()}
    assert found == node.weights, source
    assert tuple(results[0].shape) == node.output, source


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_is_never_written_says_why(kind: str) -> None:
    models = [*alone(kind)]
    assert models
    for model in models:
        with pytest.raises(SpecError, match="there is no source in torch for"):
            export(model)


def test_a_sum_too_deep_for_source_is_an_error_of_one_line() -> None:
    branches = ", ".join(["[]"] * 3000)
    model = shapecalc.loads(f"input: [8]\nlayers:\n- add: [{branches}]\n", file="net.yaml")
    with pytest.raises(SpecError, match="nested too deep") as caught:
        export(model)
    assert caught.value.place.file == "net.yaml"


class Unsearched(tuple[str, ...]):
    """Targets in which nobody looks for one: of 65,536 pieces of a split that took a minute."""

    def index(self, *_: Any) -> int:
        raise AssertionError

    def __contains__(self, _: object) -> bool:
        raise AssertionError


def test_the_pieces_of_a_large_split_are_named_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = forward.Statement.__post_init__

    def wrapped(self: forward.Statement) -> None:
        plain(self)
        self.targets = Unsearched(self.targets)

    monkeypatch.setattr(forward.Statement, "__post_init__", wrapped)
    source = export(shapecalc.loads("input: [500]\nlayers:\n- split: {split_size: 1, dim: 1}\n- relu\n"))
    assert "split_498, split_499" in " ".join(source.split()).replace(",)", ")")
    assert "self.relu(split_0)" in source
