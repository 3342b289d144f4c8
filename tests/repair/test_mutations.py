"""Sound random networks with one mistake put in: what torch then refuses, `check` finds and repairs.

A mistake is a layer left out, put in twice or exchanged with the next, or another number in a field, an
argument, a repeat or a parameter. Channels are written down wherever a step sees one number only, so
that mistakes have something to contradict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapecalc import Model, Report, Sequential, ShapecalcError, SpecError, Step, load, loads
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.layers import (
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Linear,
    MaxPool2d,
    ReLU,
)
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.roles import Inferred, fields_with, inferred
from shapecalc.repair.repair import of_unreadable
from shapecalc.repair.repair_state import RepairState, Source
from shapecalc.repair.search import Search
from shapecalc.repair.text_edits import applied
from tests.engine.test_random_networks import answer, note, refused_by_torch
from tests.support.networks import networks

Path: TypeAlias = tuple[str | int, ...]
FEW = settings(max_examples=max(5, settings().max_examples // 3))
"""A third of the profile's examples: each is mended, and run in torch twice."""
NO_STEPS = frozenset({"from", "outputs", "args", "parameters", "input"})


# ---- sound networks


@st.composite
def usual(draw: st.DrawFn) -> Model:
    """Draw a network as people write them: every number written out, none inferred."""

    def number(low: int, high: int) -> int:
        return draw(st.integers(low, high))

    def chance() -> bool:
        return draw(st.booleans())

    channels, size = draw(st.sampled_from([1, 3])), draw(st.sampled_from([8, 12, 16, 17]))
    image = [channels, size, size]
    layers: list[Any] = []

    def conv(inward: int, out: int, kernel: int, stride: int = 1) -> Any:
        return Conv2d(
            in_channels=inward, out_channels=out, kernel_size=kernel, stride=stride, padding=kernel // 2
        )

    for _ in range(number(1, 4)):
        part, out = draw(st.sampled_from(["conv", "pool", "residual", "inception"])), number(2, 9)
        kernel, stride = draw(st.sampled_from([1, 3, 5])), draw(st.sampled_from([1, 1, 2]))
        if part == "conv":
            layers += [conv(channels, out, kernel, stride)]
            layers += [BatchNorm2d(num_features=out)] if chance() else []
            layers += [ReLU()]
            channels, size = out, (size - 1) // stride + 1
        elif part == "pool" and size >= 4:
            layers += [MaxPool2d(kernel_size=2, stride=2)]
            size //= 2
        elif part == "residual":
            main = [conv(channels, out, 3, stride), BatchNorm2d(num_features=out), ReLU(), conv(out, out, 3)]
            layers += [Add(main=main, shortcut=[conv(channels, out, 1, stride)]), ReLU()]
            channels, size = out, (size - 1) // stride + 1
        elif part == "inception":
            wide, pooled = number(1, 5), number(1, 5)
            branches = [
                [conv(channels, wide, 1)],
                [conv(channels, 2, 1), ReLU(), conv(2, out, kernel)],
                [MaxPool2d(kernel_size=3, stride=1, padding=1), conv(channels, pooled, 1)],
            ]
            layers += [Concat(*branches)]
            channels = wide + out + pooled
    if chance():
        layers += [GlobalAvgPool2d()]
        size = 1
    layers += [Flatten()]
    features = channels * size * size
    for _ in range(number(0, 2)):
        hidden = number(2, 20)
        layers += [Linear(in_features=features, out_features=hidden), ReLU()]
        features = hidden
    layers += [Linear(in_features=features, out_features=10)]
    return Model(name="usual", input=image, layers=layers)


def declared(model: Model) -> Model:
    """Return a model in which every layer that sees one number of channels only says which."""
    model = loads(model.to_yaml())
    inference = model.infer()
    sizes_of: dict[tuple[Any, Any, str], set[Any]] = {}
    for node in inference.graph.nodes:
        shape = inference.shapes[node.sources[0]]
        if shape is not None:
            for name, size in inferred(node.layer, (shape,)).items():
                if name in fields_with(type(node.layer), Inferred):
                    sizes_of.setdefault((node.place.line, node.place.column, name), set()).add(size)

    def told(step: Step) -> Step:
        body = step.body
        if isinstance(body, Sequential):
            body = type(body)(steps=[*map(told, body.steps)])
        elif isinstance(body, Merge) and body.branches is not None:
            body = body.model_copy(
                update={
                    "branches": tuple(
                        (name, branch if isinstance(branch, str) else tuple(map(told, branch)))
                        for name, branch in body.branches
                    )
                }
            )
        elif isinstance(body, Kind):
            place = step.place.line, step.place.column
            known = {name: sizes_of.get((*place, name), set()) for name in type(body).model_fields}
            given = {name: next(iter(sizes)) for name, sizes in known.items() if len(sizes) == 1}
            body = body.model_copy(update=given)
        return step.model_copy(update={"body": body})

    blocks = {
        name: block.model_copy(update={"layers": tuple(map(told, block.layers))})
        for name, block in model.blocks.items()
    }
    return model.model_copy(update={"layers": tuple(map(told, model.layers)), "blocks": blocks})


# ---- mistakes


def places(data: Any, path: Path = ()) -> Iterator[tuple[str, Path]]:
    """Yield where a mistake can be made in a model's plain data: in a number, or in a list of steps."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key != "outputs":
                yield from places(value, (*path, key))
    elif isinstance(data, list):
        if data and all(isinstance(item, (dict, str)) for item in data) and NO_STEPS.isdisjoint(path):
            for number in range(len(data)):
                yield "drop", (*path, number)
                yield "twice", (*path, number)
                if number + 1 < len(data):
                    yield "swap", (*path, number)
        for number, item in enumerate(data):
            yield from places(item, (*path, number))
    elif isinstance(data, int) and not isinstance(data, bool):
        yield "number", path


def mistaken(data: Any, what: str, path: Path, number: int | str) -> Any:
    """Return the data with a mistake in it."""
    if not path:
        return number
    first: Any
    first, *rest = path
    if rest or what == "number":
        new = mistaken(data[first], what, tuple(rest), number)
        if isinstance(data, dict):
            return {key: new if key == first else value for key, value in data.items()}
        return [new if index == first else item for index, item in enumerate(data)]
    step = data[first]
    if what == "drop":
        named = step.get("name") if isinstance(step, dict) else None
        left = [] if named is None else [{"identity": {}, "name": named}]  # what has a name keeps it
        return [*data[:first], *left, *data[first + 1 :]]
    if what == "swap":
        return [*data[:first], data[first + 1], step, *data[first + 2 :]]
    again = {key: value for key, value in step.items() if key != "name"} if isinstance(step, dict) else step
    return [*data[: first + 1], again, *data[first + 1 :]]


@st.composite
def with_a_mistake(draw: st.DrawFn, sound: st.SearchStrategy[Model]) -> tuple[str, Model]:
    """Draw a mistake and the model that it was made in; the model is read from a text."""
    model = draw(sound)
    assume(isinstance(answer(model), Report))
    data = declared(model).to_data()
    assert isinstance(answer(load(data)), Report), "the network is not sound with its channels declared"
    found = [*places({"layers": data["layers"], "blocks": data.get("blocks", {})})]
    found += places({"parameters": data.get("parameters", {})}) if draw(st.integers(0, 9)) == 9 else ()
    assume(found)
    what, path = draw(st.sampled_from(found))
    old: Any = data
    for key in path:
        old = old[key]
    near = [old - 1, old + 1, 2 * old, old // 2, 1, 2, 3, 5] if what == "number" else [0]
    number = draw(st.sampled_from(near))
    try:
        return what, loads(load(mistaken(data, what, path, number)).to_yaml())
    except ShapecalcError:
        assume(condition=False)
        raise


def read_by_name(data: Any, path: Path = ()) -> Iterator[Path]:
    """Yield where a model's plain data names a tensor that is read: in a `from`, or as a branch."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("from", "shortcut", "other") and isinstance(value, str):
                yield (*path, key)
            else:
                yield from read_by_name(value, (*path, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            yield from read_by_name(item, (*path, number))
    elif isinstance(data, str) and path[-2:-1] == ("from",):
        yield path


# ---- the law


def errors(model: Model) -> list[Diagnostic]:
    return [one for one in model.check() if one.severity == "error"]


def compare_repair(what: str, model: Model) -> None:
    """Assert that what torch refuses is found where torch refuses it, and that the first repair holds."""
    found = errors(model)
    refused = refused_by_torch(model)
    if refused is None:
        note(f"{what}: torch runs it")
        assert found == [], "torch runs it, and check finds an error"
        return
    assert found, f"torch refuses, and check finds nothing: {refused}"
    assert is_there(found[0], refused.path), f"torch: {refused}; check: {found[0]}"
    text = model.text or ""
    first = next(iter(found[0].fixes), None)
    assert first is not None, f"no repair of {found[0]}"
    assert first.fixes_all, f"the first repair leaves an error: {found[0]}"
    after = applied(text, first.edits)
    assert after is not None
    again = refused_by_torch(loads(after))
    assert again is None, f"torch refuses after {first.description}: {again}"
    note(f"{what}: torch refuses it, and runs it after its first repair, of {len(first.steps)} steps")


def is_there(one: Diagnostic, path: str) -> bool:
    """Say whether a finding is about the layer that torch refuses; of a step that shares, about the step."""
    return one.path == path or (one.code == "spec" and path.startswith(f"{one.path}."))


@given(with_a_mistake(usual()))
def test_a_mistake_in_a_usual_network_is_found_and_repaired(drawn: tuple[str, Model]) -> None:
    """Every mistake in a network without names or shared weights has a repair."""
    compare_repair(*drawn)


@FEW
@given(with_a_mistake(networks()))
def test_a_mistake_in_any_network_is_found_and_repaired(drawn: tuple[str, Model]) -> None:
    """So has every mistake where networks name results, share weights and compute sizes.

    A name that stands for nothing, and a formula without a value, fail in Python before torch is asked:
    these are found at the same step and repaired as well.
    """
    compare_repair(*drawn)


@FEW
@given(with_a_mistake(networks()))
def test_mending_in_turn_ends_without_an_error(drawn: tuple[str, Model]) -> None:
    """The way that is left where the search for the smallest set ends without one does not need it."""
    what, model = drawn
    if errors(model):
        end = Search(RepairState(Source(model.text or "", loads))).in_turn()
        assert end is not None, f"{what}: an error is left that nothing moves on"
        assert refused_by_torch(loads(end.source.text)) is None


@FEW
@given(networks(), st.data())
def test_a_name_that_is_not_there_is_one_mistake(model: Model, data: st.DataObject) -> None:
    """The inference goes on behind it, by what may be meant, and tells nothing that only follows from it."""
    assume(isinstance(answer(model), Report))
    known = declared(model).to_data()
    paths = [*read_by_name({"layers": known["layers"], "blocks": known.get("blocks", {})})]
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    wrong = loads(load(mistaken(known, "number", path, "nowhere")).to_yaml())
    failures = wrong.infer().failures
    assume(failures)  # not in a block that nothing calls
    assert {(one.is_spec_error, one.place.line) for one in failures} == {(True, failures[0].place.line)}
    assert "'nowhere'" in failures[0].message


# ---- what random networks found

FOUND = {
    "other weights in the first pass, and other channels in the next": """
- conv2d: {out_channels: 4, kernel_size: 1}
- conv2d: {in_channels: 4, out_channels: 4, kernel_size: 3, padding: 1}
  name: owner
- conv2d: {in_channels: 4, out_channels: 2, kernel_size: 3, padding: 2, dilation: 2}
  repeat: 3
  share: owner
- conv2d: {in_channels: 4, out_channels: 2, kernel_size: 1}
""",
    "the step that is shared has no weights": """
- conv2d: {out_channels: 4, kernel_size: 1}
- {identity: null, name: owner}
- conv2d: {in_channels: 4, out_channels: 4, kernel_size: 3, padding: 1}
  repeat: 3
  share: owner
""",
    "a number that two steps must have": """
- conv2d: {in_channels: 4, out_channels: 4, kernel_size: 3, padding: 1}
  name: owner
- batch_norm2d: {num_features: 4}
- conv2d: {in_channels: 4, out_channels: 4, kernel_size: 3, padding: 2, dilation: 2}
  repeat: 3
  share: owner
""",
    "a step that runs again on other channels": """
- sequential:
    - conv2d: {in_channels: in_channels, out_channels: 4, kernel_size: 1}
    - relu
  name: owner
- conv2d: {in_channels: 4, out_channels: 2, kernel_size: 1}
- {share: owner}
- conv2d: {in_channels: 4, out_channels: 2, kernel_size: 1}
""",
    "a flatten too early": """
- flatten
- conv2d: {in_channels: 3, out_channels: 4, kernel_size: 1}
- linear: {in_features: 32, out_features: 10}
""",
    "a step that runs again, the first of a branch": """
- conv2d: {out_channels: 4, kernel_size: 1}
- prelu: {num_parameters: in_channels}
  name: owner
- conv2d: {out_channels: 3, kernel_size: 1}
- concat:
    - - share: owner
    - []
- conv2d: {in_channels: 7, out_channels: 2, kernel_size: 1}
""",
}


@pytest.mark.parametrize("steps", FOUND.values(), ids=FOUND)
def test_what_was_found_is_repaired(steps: str) -> None:
    """Networks that once had no repair, or of which another layer was told than the one that torch refuses."""
    model = loads(f"name: found\ninput: [3, 8, 8]\nlayers:{steps}")
    assert errors(model)
    compare_repair("found", model)


def test_a_lost_tensor_is_no_nodes() -> None:
    """Behind a name that only comes later, the check goes on; it ended in an IndexError."""
    steps = """
- {identity: null, name: first}
- concat: null
  from: [first, later]
- {identity: null, name: later, from: first}
- concat: {one: [conv2d: {out_channels: 2, kernel_size: 3}], two: [conv2d: {out_channels: 2, kernel_size: 1}]}
"""
    model = loads(f"name: found\ninput: [3, 8, 8]\nlayers:{steps}")
    codes = [one.code for one in errors(model)]
    assert codes[0] == "spec"
    assert "concat" in codes


def test_a_name_that_stands_for_nothing_is_repaired() -> None:
    """A later step, a step that is nowhere, and a piece that a split does not make."""
    steps = """
- {identity: null, name: first}
- concat: null
  from: [first, later]
- {identity: null, name: later, from: first}
- concat: null
  from: [first, nowhere]
- split: {dim: 1, split_size: 3}
  name: pieces
- {add: null, from: [pieces.1, pieces]}
"""
    found = errors(loads(f"name: found\ninput: [3, 8, 8]\nlayers:{steps}"))
    assert [one.code for one in found] == ["spec", "spec"], "how many pieces there are is not known yet"
    first = found[0].fixes[0]
    assert first.fixes_all
    assert [step.split(" (")[0] for step in first.steps] == [
        "move the step later up before this one",
        "from: [first]",
        "pieces, not pieces.1",
    ]


@pytest.mark.parametrize("kind", ["kind", "conv2d"])
def test_a_number_beyond_its_bound_becomes_the_bound(kind: str) -> None:
    """Whether the kind is named, so that the text is no model, or a parameter chooses it."""
    text = f"""
parameters: {{kind: conv2d}}
input: [3, 8, 8]
layers:
  - {kind}: {{out_channels: 4, kernel_size: 0}}
"""
    try:
        first = loads(text).check()[0]
    except SpecError as error:
        first = of_unreadable(text, error, loads)[0]
    assert (first.message, first.fixes[0].description) == ("kernel_size: 0 is less than 1", "1, not 0")
