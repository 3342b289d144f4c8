"""Kinds of a user's own: registered, or offered by an installed package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from pydantic import Field

import shapecalc
from shapecalc import Dim, Joint, Layer, Merge, SpecError, Step, loads
from shapecalc.algebra import product
from shapecalc.cli import main
from shapecalc.layers import registry
from shapecalc.layers.base import AnyShape, Named, NoBuffers, NoWeights, NoWindow, SameShape, Shapes
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.fields import Count
from shapecalc.layers.requirement import Requirement, Shape, arity, divides, rank_between, shaped
from shapecalc.spec.json_schema import schema
from shapecalc.testing import (
    check_fields,
    check_integers,
    check_kind,
    check_refusal,
    check_symbols,
    check_text,
    check_torch,
)
from shapecalc.views.catalogue import catalogue, description
from tests.layers.test_laws import layer_of
from tests.support.strategies import cases


class Gated(NoBuffers, NoWindow, Layer):
    """A linear layer whose result is scaled by a gate of its own: two products, one shape.

    >>> Gated(out_features=3).output((1, 8))
    (1, 3)
    """

    kind: ClassVar[str] = "gated"

    out_features: Count = Field(description="The size of the last axis of the result.")
    heads: Count = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield divides(self.kind, "heads", self.heads, "features", x[-1])

    def output(self, x: Shape) -> Shape:
        return (*x[:-1], self.out_features)

    def weights(self, x: Shape) -> Named:
        return {"value.weight": (self.out_features, x[-1]), "gate.weight": (self.out_features, x[-1])}

    def macs(self, x: Shape) -> Dim:
        total: Dim = 2 * self.out_features
        for size in x:
            total = total * size
        return total


class Difference(Merge):
    """The first tensor less the second."""

    kind: ClassVar[str] = "difference"

    __init__ = Merge.__init__

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield Requirement("arity", len(inputs), "==", 2, f"{self.kind} takes 2 tensors, not {len(inputs)}")
        left, right = inputs
        for a, b in zip(left, right, strict=False):
            yield Requirement("shape", a, "==", b, f"{self.kind}: {a} against {b}")
        yield Requirement("rank", len(left), "==", len(right), f"{self.kind}: the ranks differ")

    def output(self, inputs: Shapes) -> Shape:
        return inputs[0]

    def macs(self, inputs: Shapes) -> Dim:
        return 0


class Mystery(SameShape, AnyShape, NoWeights, NoWindow, Layer):
    """Multiplies, nobody knows how often."""

    kind: ClassVar[str] = "mystery"

    def macs(self, x: Shape) -> Dim | None:
        return None


class Remembering(NoBuffers, Joint):
    """A layer that reads a tensor and maybe a state, and returns both anew."""

    kind: ClassVar[str] = "remembering"

    size: Count

    def requirements(self, inputs: Shapes) -> Iterator[Requirement]:
        yield arity(self.kind, len(inputs), 1, 2)
        yield from rank_between(self.kind, inputs[0], 2, 2)
        for state in inputs[1:]:
            yield from shaped(self.kind, "the state", state, self.output(inputs))

    def output(self, inputs: Shapes) -> Shape:
        return (inputs[0][0], self.size)

    def outputs(self, inputs: Shapes) -> Shapes:
        return (self.output(inputs), self.output(inputs))

    def weights(self, inputs: Shapes) -> Named:
        return {"cell.weight_ih": (self.size, inputs[0][1]), "cell.weight_hh": (self.size, self.size)}

    def macs(self, inputs: Shapes) -> Dim:
        return inputs[0][0] * self.size * (inputs[0][1] + self.size)


@pytest.fixture
def registered() -> Iterator[None]:
    classes: list[Any] = [Gated, Difference, Mystery]
    for cls in classes:
        shapecalc.register(cls)
    yield
    for cls in classes:
        registry.unregister(cls.kind)


EXAMPLES: list[tuple[Any, ...]] = [
    ({"out_features": 3}, (4, 8)),
    ({"out_features": 3, "heads": 4}, (2, 5, 8)),
    ({"out_features": 3, "heads": 3}, (2, 5, 8)),
    ({"out_features": 0}, (8,)),
    ({"out_features": 2}, ()),
]


REMEMBERED: list[tuple[Any, ...]] = [
    ({"size": 4}, (2, 3)),
    ({"size": 4}, (2, 3), (2, 4)),
    ({"size": 4}, (2, 3), (2, 5)),
    ({"size": 4}, (2, 3), (2, 4), (2, 4)),
    ({"size": 4}, (2, 3, 3)),
]


# ---- registering


def test_a_registered_kind_is_a_kind(registered: None) -> None:
    report = loads("{input: [8], layers: [gated: {out_features: 2 + 1, heads: size(1) // 2}]}").analyze(
        batch=5
    )
    (node,) = report.nodes
    assert (node.kind, node.output, node.params, node.macs) == ("gated", (5, 3), 48, 5 * 2 * 24)
    assert {"gated", "difference", "mystery"} <= {*shapecalc.kinds()}
    assert registry.find("gated") is Gated


def test_a_registered_merge_takes_branches(registered: None) -> None:
    model = loads("{input: [8], layers: [{relu: null, name: a}, difference: {left: [tanh], right: a}]}")
    assert [node.path for node in model.analyze()] == ["a", "difference.left.tanh", "difference"]
    assert loads(model.to_yaml()) == model
    python = shapecalc.Model(input=[8], layers=[Step(shapecalc.layers.ReLU(), name="a"), Difference([], "a")])
    assert python.analyze().output == (1, 8)


def test_a_cost_that_is_not_known_makes_the_total_a_bound(registered: None) -> None:
    text = "{input: [8], layers: [linear: {out_features: 2}, {mystery: null, name: what}, mystery]}"
    report = loads(text).analyze()
    assert not report.complete
    assert report.not_counted == ["what (mystery)", "mystery (mystery)"]
    assert report.macs == 16
    assert report["what"].macs is None
    data = report.to_dict()
    assert (data["complete"], data["not_counted"]) == (False, report.not_counted)
    assert data["nodes"][1]["macs"] is None
    assert "at least" in str(report)
    assert "what (mystery)" in str(report)


def test_an_unregistered_kind_is_unknown(registered: None) -> None:
    registry.unregister("gated")
    with pytest.raises(SpecError, match="unknown kind 'gated'"):
        loads("{input: [8], layers: [gated: {out_features: 2}]}")
    assert "gated" not in shapecalc.kinds()
    registry.unregister("gated")


def test_a_name_is_taken_once(registered: None) -> None:
    class Other(Mystery):
        kind: ClassVar[str] = "gated"

    class Convolution(Mystery):
        kind: ClassVar[str] = "conv2d"

    for cls in (Other, Convolution):
        with pytest.raises(SpecError, match=f"the kind '{cls.kind}' exists already"):
            shapecalc.register(cls)
    assert shapecalc.register(Gated) is Gated


def test_a_class_that_is_defined_again_replaces_itself() -> None:
    def cell() -> type[Layer]:
        class Mine(Mystery):
            kind: ClassVar[str] = "mine"

        return shapecalc.register(Mine)

    try:
        first, second = cell(), cell()
        assert first is not second
        assert registry.find("mine") is second
    finally:
        registry.unregister("mine")


@pytest.mark.parametrize("word", sorted(registry.RESERVED))
def test_words_of_a_step_are_reserved(word: str) -> None:
    cls = type("Odd", (Mystery,), {"kind": word, "__annotations__": {"kind": ClassVar[str]}})
    with pytest.raises(SpecError, match="has a meaning in a step"):
        shapecalc.register(cls)


@pytest.mark.parametrize("name", ["SqueezeExcite", "2d", "a b", "", "café", None, 3])
def test_names_are_lower_snake_case(name: Any) -> None:
    cls = type("Odd", (Mystery,), {"kind": name, "__annotations__": {"kind": ClassVar[Any]}})
    with pytest.raises(SpecError, match="Odd needs a `kind` in lower snake_case"):
        shapecalc.register(cls)


def test_a_kind_that_misses_a_rule_is_refused() -> None:
    class Unfinished(SameShape, NoWeights, Layer):
        kind: ClassVar[str] = "unfinished"

    with pytest.raises(SpecError, match="misses the rules operations, requirements, window") as raised:
        shapecalc.register(Unfinished)
    assert "NoMacs" in str(raised.value)
    with pytest.raises(TypeError, match="abstract"):
        Unfinished()  # type: ignore[abstract]


@pytest.mark.parametrize("thing", [int, "gated", None, Mystery()])
def test_only_classes_of_layers_are_kinds(thing: Any) -> None:
    with pytest.raises(SpecError, match="is not a kind: derive a class from shapecalc"):
        shapecalc.register(thing)


# ---- everywhere


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gatted: {out_features: 2}]", "unknown kind 'gatted' (did you mean 'gated'?)"),
        ("[gated: {out_feature: 2}]", "has no field 'out_feature' (did you mean 'out_features'?)"),
        ("[gated]", "gated needs out_features"),
        ("[gated: {out_features: 0}]", "0 is less than 1"),
        ("[gated: {out_features: 1.5}]", "1.5 is not an integer"),
    ],
)
def test_errors_know_a_registered_kind(registered: None, text: str, said: str) -> None:
    with pytest.raises(SpecError) as raised:
        loads(f"input: [8]\nlayers: {text}")
    assert said in str(raised.value)
    assert raised.value.place.line == 2


def test_a_refusal_of_a_registered_kind_has_its_place(registered: None) -> None:
    with pytest.raises(shapecalc.ShapeError) as raised:
        loads("input: [8]\nlayers:\n  - gated: {out_features: 2, heads: 3}\n    name: g").analyze()
    assert "gated: heads = 3 does not divide features = 8 (remainder 2)" in str(raised.value)
    assert (raised.value.path, raised.value.place.line) == ("g", 3)


def test_the_schema_has_a_registered_kind(registered: None) -> None:
    found = schema()
    gated = found["$defs"]["kind.gated"]
    assert gated["required"] == ["out_features"]
    assert gated["properties"]["out_features"]["description"] == "The size of the last axis of the result."
    assert gated["properties"]["heads"]["anyOf"][0] == {"type": "integer", "minimum": 1}
    assert "kind.difference" in found["$defs"]
    json.dumps(found)


def test_the_catalogue_has_a_registered_kind(registered: None) -> None:
    assert "gated" in catalogue()
    told = description("gated")
    assert "A linear layer whose result is scaled" in told
    assert "out_features (required)  The size of the last axis of the result." in told
    printed = CliRunner().invoke(main, ["kinds", "gated"])
    assert printed.exit_code == 0
    assert told in printed.output


# ---- the laws


def test_the_laws_hold_for_a_registered_kind(registered: None) -> None:
    check_kind(Gated, *EXAMPLES)
    check_kind(Difference, ({}, (2, 3), (2, 3)), ({}, (2, 3), (2, 4)), ({}, (2,)))
    check_kind(Mystery, ({}, (2, 3)))
    check_kind(Remembering, *REMEMBERED)


def test_random_fields_and_inputs_come_from_the_fields_of_a_registered_kind(registered: None) -> None:
    seen = {"accepted": 0, "refused": 0}

    @settings(max_examples=100)
    @given(cases("gated"))
    def check(case: Any) -> None:
        layer = layer_of(case)
        if layer is None:
            return
        check_fields(layer)
        check_refusal(layer, case.inputs)
        check_integers(layer, case.inputs)
        check_symbols(layer, case.inputs, [(0, axis) for axis in range(len(case.inputs[0]))])
        check_text(layer, case.inputs)
        seen["accepted"] += 1

    check()
    assert seen["accepted"] > 20


class Twice(Gated, kind="twice"):
    """Its operations are those of one of the two products alone."""

    def operations(self, x: Shape) -> Operations:
        return products(product(self.output(x)) * x[-1])


def test_the_macs_of_a_kind_are_among_its_operations() -> None:
    with pytest.raises(AssertionError, match="48 MACs, 24 by parts"):
        check_kind(Twice, ({"out_features": 3}, (1, 8)))
    assert Gated(out_features=3).operations_on(((1, 8),)) is None  # its MACs alone are known


def _linear(layer: Any, x: tuple[int, ...]) -> Any:
    from torch import nn

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if x[-1] % layer.heads:
                raise ValueError("heads")
            self.value = nn.Linear(x[-1], layer.out_features, bias=False)
            self.gate = nn.Linear(x[-1], layer.out_features, bias=False)

        def forward(self, tensor: Any) -> Any:
            return self.value(tensor) * self.gate(tensor).sigmoid()

    return Module()


def test_parity_with_a_module_of_torch() -> None:
    check_kind(Gated, *EXAMPLES, torch=_linear)


def test_a_kind_of_several_tensors_is_held_to_torch() -> None:
    from torch import Tensor, nn

    class Module(nn.Module):
        def __init__(self, features: int, size: int) -> None:
            super().__init__()
            self.cell = nn.RNNCell(features, size, bias=False)

        def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, Tensor]:
            if x.dim() != 2:
                raise ValueError("a batch")
            state = self.cell(x, *states)
            return state, state.clone()

    def build(layer: Remembering, x: tuple[int, ...], *states: tuple[int, ...]) -> nn.Module:
        size: Any = layer.size
        return Module(x[-1], size)

    check_kind(Remembering, *REMEMBERED, torch=build)


def _float_size(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "output", lambda self, x: (*x[:-1], self.out_features / 1))


def _forgotten_requirement(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "requirements", lambda self, x: rank_between(self.kind, x, 1, None))


def _blind_to_symbols(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "macs", lambda self, x: 7 if isinstance(x[0], int) else 8 * x[0])


def _empty_result(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "output", lambda self, x: (*x[:-1], 0))


def _anonymous(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "requirements", lambda self, x: iter([Requirement("no", 1, "==", 2, "never")]))


def _other_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "weights", lambda self, x: {"weight": (self.out_features, x[-1])})


def _free_of_charge(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gated, "macs", lambda self, x: 0)


@pytest.mark.parametrize(
    ("breakage", "said"),
    [
        (_float_size, "integers went in, float came out"),
        (_forgotten_requirement, "torch refuses"),
        (_blind_to_symbols, "macs are"),
        (_empty_result, r"Gated\(.*\): \("),
        (_anonymous, "does not name gated"),
        (_other_names, "our weights are"),
        (_free_of_charge, "our MACs are"),
    ],
)
def test_a_broken_law_is_noticed(
    breakage: Callable[[pytest.MonkeyPatch], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    with pytest.raises(AssertionError, match=said):
        check_kind(Gated, *EXAMPLES, torch=_linear)


def test_examples_that_are_all_refused_check_nothing() -> None:
    with pytest.raises(AssertionError, match="no example is accepted"):
        check_kind(Gated, *EXAMPLES[2:])


def test_a_torch_that_accepts_more_is_noticed() -> None:
    class Strict(Gated):
        kind: ClassVar[str] = "strict"

        def requirements(self, x: Shape) -> Iterator[Requirement]:
            yield from super().requirements(x)
            yield from rank_between(self.kind, x, 2, 2)

    with pytest.raises(AssertionError, match="torch accepts"):
        check_torch(Strict(out_features=3), ((2, 5, 8),), _linear)


# ---- packages


class Installed:
    """A folder of packages with entry points, as an installer leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, package: str, entries: dict[str, str], code: str) -> None:
        (self.folder / f"{package}.py").write_text(dedent(code), encoding="utf-8")
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[shapecalc.kinds]", *lines, ""]))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in a process that finds these packages."""
        path = os.pathsep.join([str(self.folder), str(Path(shapecalc.__file__).parent.parent)])
        return subprocess.run(
            [sys.executable, "-m", "shapecalc", *arguments],
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def show(self, *layers: str) -> subprocess.CompletedProcess[str]:
        spec = self.folder / "net.yaml"
        spec.write_text(f"input: [8]\nlayers: [{', '.join(layers)}]\n")
        return self.run("show", "net.yaml", "--format", "json")


DOUBLE = """
    from shapecalc.layers.base import AnyShape, Layer, NoMacs, NoWeights, NoWindow
    from shapecalc.layers.fields import Count

    class Double(AnyShape, NoWeights, NoMacs, NoWindow, Layer):
        "Every feature, several times."
        kind = "double"
        times: Count = 2

        def output(self, x):
            return (*x[:-1], x[-1] * self.times)

    class Half(Double):
        times: Count = 1
"""


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


def test_a_package_offers_a_kind(installed: Installed) -> None:
    installed.add("doubles", {"double": "doubles:Double"}, DOUBLE)
    done = installed.show("relu", "double: {times: 3}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["output"] == [1, 24]
    done = installed.run("kinds", "double")
    assert "Every feature, several times." in done.stdout
    assert "double " in installed.run("kinds").stdout
    assert "kind.double" in json.loads(installed.run("schema").stdout)["$defs"]
    assert "did you mean 'double'?" in installed.show("duoble").stderr


def test_a_package_is_imported_only_when_its_kind_is_used(installed: Installed) -> None:
    installed.add("loud", {"loud": "loud:Loud"}, "raise SystemError('imported')")
    done = installed.show("relu")
    assert done.returncode == 0, done.stderr
    done = installed.show("rleu")
    assert "unknown kind 'rleu' (did you mean 'relu'?)" in done.stderr
    done = installed.show("loud")
    assert done.returncode == 2
    assert "the kind 'loud' of loud:Loud does not load: SystemError: imported" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("doubles:Double", "offered as 'thing', but its kind is 'double'"),
        ("doubles:Missing", "does not load: AttributeError"),
        ("nowhere:Double", "does not load: ModuleNotFoundError: No module named 'nowhere'"),
        ("doubles:Count", "is not a kind: derive a class"),
        ("doubles:Layer", "needs a `kind` in lower snake_case"),
    ],
)
def test_what_a_package_offers_is_checked(installed: Installed, value: str, said: str) -> None:
    installed.add("doubles", {"thing": value}, DOUBLE)
    done = installed.show("thing")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_two_packages_cannot_offer_the_same_kind(installed: Installed) -> None:
    installed.add("doubles", {"double": "doubles:Double"}, DOUBLE)
    installed.add("twices", {"double": "twices:Double"}, DOUBLE)
    done = installed.show("double")
    assert "several packages offer the kind 'double': doubles:Double and twices:Double" in done.stderr
    assert installed.show("relu").returncode == 0


def test_built_in_kinds_and_blocks_come_first(installed: Installed) -> None:
    installed.add("doubles", {"double": "doubles:Double", "relu": "doubles:Half"}, DOUBLE)
    spec = "{input: [8], blocks: {double: {layers: [relu]}}, layers: [double, relu]}"
    (installed.folder / "net.yaml").write_text(spec)
    done = installed.run("show", "net.yaml", "--format", "json")
    assert [node["kind"] for node in json.loads(done.stdout)["nodes"]] == ["relu", "relu"]
