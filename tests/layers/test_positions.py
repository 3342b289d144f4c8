"""Fields by position as torch takes its arguments, and what type checkers say of them."""

from __future__ import annotations

import inspect
import warnings
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.layers import BatchNorm2d, Concat, Conv2d, Dropout, Flatten, LayerNorm, Linear, MaxPool2d, ReLU
from shapecalc.layers.declaration import positions
from shapecalc.layers.functional import Functional
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.roles import Inferred, Makes, fields_with
from tests.support.strict_mypy import errors

ROOT = Path(__file__).parents[2]
RECURRENT = {
    "rnn": "input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional",
    "lstm": "input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size",
    "gru": "input_size hidden_size num_layers bias batch_first dropout bidirectional",
}
"""What torch documents; the signatures are `*args`."""
OTHER_NAMES = {"module": "layer", "split_size_or_sections": "split_size"}


def of_torch(kind: str) -> list[str] | None:
    """Return the parameters of torch's counterpart in our spelling, None where it does not tell them."""
    if kind in RECURRENT:
        return RECURRENT[kind].split()
    module, _, name = str(get(kind).torch).rpartition(".")
    try:
        target = getattr(import_module(module), name)
        names = [*inspect.signature(target).parameters]
    except (AttributeError, ImportError, ValueError):
        return None
    names = names[1:] if names[:1] in (["input"], ["tensor"]) else names
    names = names[1:] if issubclass(get(kind), Functional) else names  # the weight is an operand
    return None if "args" in names else [OTHER_NAMES.get(name, name) for name in names]


@pytest.mark.parametrize("kind", [kind for kind in kinds() if get(kind).torch])
def test_positions_are_those_of_torch(kind: str) -> None:
    """Without the sizes that a layer which makes channels of its own infers."""
    cls, theirs = get(kind), of_torch(kind)
    if theirs is None:
        return
    left_out = fields_with(cls, Inferred) if fields_with(cls, Makes) else {}
    theirs = [name for name in theirs if name not in left_out]
    ours = list(positions(cls))
    assert ours[: len(theirs)] == theirs[: len(ours)]


def test_a_layer_is_made_by_position() -> None:
    assert Conv2d(64, 3) == Conv2d(out_channels=64, kernel_size=3)
    assert Conv2d(64, 3, 2, padding=1) == Conv2d(out_channels=64, kernel_size=3, stride=2, padding=1)
    assert Linear(10).out_features == 10
    assert BatchNorm2d(64).num_features == 64
    assert LayerNorm(768).normalized_shape == 768
    assert MaxPool2d(2).kernel_size == 2
    assert Dropout(0.25).p == 0.25
    assert Flatten() == Flatten(1, -1)
    assert Concat([ReLU()], [], dim=-1).dim == -1
    assert Conv2d("width", "k // 2").fields_set().keys() == {"out_channels", "kernel_size"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda kind: kind(10, "bias", 3),
            r"Linear takes 2 fields by position \(out_features, bias\), not 3",
        ),
        (lambda kind: kind(10, out_features=3), "Linear has out_features twice: by position and by name"),
    ],
)
def test_what_goes_wrong_by_position(make: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        make(Linear)
    with pytest.raises(ValidationError, match="kernel_size"):
        Conv2d(64)  # type: ignore[call-arg]


def test_the_docstring_lists_the_positions() -> None:
    doc = inspect.getdoc(Conv2d) or ""
    assert (
        "\n\nBy position: out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode.\n\n"
        in doc
    )


@pytest.mark.parametrize(
    ("former", "kind"), [("Function", "elementwise"), ("Expand", "broadcast_to"), ("PadAny", "pad")]
)
def test_a_former_name_warns(former: str, kind: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{former} is called {get(kind).__name__} now"):
        assert getattr(layers, former) is get(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(layers, get(kind).__name__) is get(kind)


RIGHT = """
    from shapecalc.layers import LSTM, Add, BatchNorm2d, Concat, Conv2d, Dropout, Linear, MaxPool2d, ReLU

    Conv2d("width", 3, padding=1)
    Conv2d(out_channels="2*width", kernel_size=("k", 1), in_channels=3, bias="flag")
    Add([Conv2d(64, 3, 2, 1)], [])
    Concat([], [ReLU()], dim=1)
    Concat(**{"a": [ReLU()], "b": "step"})
    MaxPool2d(2), Dropout(0.5), LSTM(10, 20), Linear("classes"), BatchNorm2d()
    width: object = Conv2d(64, 3).output((1, 3, 8, 8))[1]
"""
WRONG = """
    from shapecalc.layers import Conv2d, Linear, MaxPool2d

    Conv2d(out_chanels=3, kernel_size=3)
    Conv2d(64)
    Linear(10, True, 3)
    MaxPool2d(None)
"""


@pytest.mark.ci
@pytest.mark.parametrize("plugins", ["", 'plugins = ["pydantic.mypy"]'], ids=["alone", "plugin"])
def test_types_are_those_of_a_spec(plugins: str, tmp_path: Path) -> None:
    """Formulas are text, also to a user's strict mypy, with pydantic's plugin and without; mistakes are found."""
    found = errors(tmp_path, {"right.py": dedent(RIGHT), "wrong.py": dedent(WRONG)}, plugins)
    lines = sorted({line.partition(": error")[0] for line in found})
    assert lines == [f"wrong.py:{line}" for line in (4, 5, 6, 7)], found
