"""Keras models in `.keras` files and on the command line: read without Keras, and refused where they are hostile."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import SpecError, from_keras
from shapecalc.cli import main
from tests.support.keras_models import MODELS, built, layers
from tests.support.keras_twin import keras

IN_FILES = [name for name in MODELS if name != "of_ones_own"]
"""Models of Keras' own classes alone."""


def config_of(network: Any) -> dict[str, Any]:
    with warnings.catch_warnings(action="ignore"):  # Keras converts constants in a way that numpy gives up
        config: dict[str, Any] = json.loads(network.to_json())
    return config


def saved(config: Any, path: Path) -> Path:
    text = config if isinstance(config, str) else json.dumps(config)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("config.json", text)
    return path


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", IN_FILES)
def test_a_file_is_the_live_model(name: str, tmp_path: Path) -> None:
    network = built(name)
    ours, live = shapecalc.load(saved(config_of(network), tmp_path / "net.keras")), from_keras(network)
    assert ours.input == live.input
    assert {node.path: (node.kind, node.output, node.weights) for node in ours.analyze()} == {
        node.path: (node.kind, node.output, node.weights) for node in live.analyze()
    }
    assert (ours.analyze().params, ours.analyze().trainable_params) == (
        live.analyze().params,
        live.analyze().trainable_params,
    )
    assert ours.analyze().outputs == live.analyze().outputs


def test_a_file_that_keras_saved(tmp_path: Path) -> None:
    network = built("plain")
    with warnings.catch_warnings(action="ignore"):
        network.save(tmp_path / "net.keras")
    assert shapecalc.load(tmp_path / "net.keras").to_yaml() == from_keras(network).to_yaml()


def test_a_file_is_read_without_keras(tmp_path: Path) -> None:
    file = saved(config_of(built("plain")), tmp_path / "net.keras")
    code = (
        "import sys, shapecalc; shapecalc.load(sys.argv[1]).analyze();"
        "print({'keras', 'torch', 'sympy', 'onnx'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# ---- what is no model


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    config = config_of(built("nested"))
    change(config["config"])
    return config


def cyclic(config: dict[str, Any]) -> None:
    add = next(layer for layer in config["layers"] if layer["class_name"] == "Add")
    [node] = add["inbound_nodes"]
    node["args"][0][0]["config"]["keras_history"] = [add["name"], 0, 0]


def doubling(depth: int) -> dict[str, Any]:
    """A model that calls a model twice, which calls a model twice, and so on."""
    inner: dict[str, Any] = {"module": "keras.layers", "class_name": "Identity", "config": {"name": "leaf"}}
    source: dict[str, Any] = {"module": "keras.layers", "class_name": "InputLayer", "inbound_nodes": []}
    source |= {"config": {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}, "name": "x"}

    def node(key: list[Any]) -> dict[str, Any]:
        tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "keras_history": key}}
        return {"args": [tensor], "kwargs": {}}

    for level in range(depth):
        nodes = [node(["x", 0, 0]), node([inner["config"]["name"], 0, 0])]
        layer = {**inner, "name": inner["config"]["name"], "inbound_nodes": nodes}
        outer = [layer["name"], 1 + (level > 0), 0]
        config = {"name": f"m{level}", "layers": [source, layer], "input_layers": [["x", 0, 0]]}
        inner = {
            "module": "keras",
            "class_name": "Functional",
            "config": {**config, "output_layers": [outer]},
        }
    return inner


def lost(config: dict[str, Any]) -> None:
    config["layers"] = [layer for layer in config["layers"] if layer["class_name"] != "Add"]


HOSTILE: dict[str, tuple[Callable[[], Any], str]] = {
    "cyclic": (lambda: changed(cyclic), "takes its own result"),
    "doubling": (lambda: doubling(40), "more than 500 layers"),
    "a_layer_less": (lambda: changed(lost), "is not that of a Keras model"),
    "no_mapping": (lambda: [1, 2], "is not that of a Keras model"),
    "no_json": (lambda: "{", "is not that of a Keras model"),
    "deep": (lambda: "[" * 200_000, "is not that of a Keras model"),
    "huge": (lambda: changed(lambda config: config["layers"][0]["config"].update(batch_shape=[None, 10**30, 16, 3])), "."),
    "no_size": (lambda: changed(lambda config: config["layers"][0]["config"].update(batch_shape=[None, "x"])), "is not the shape"),
    "of_ones_own": (lambda: config_of(built("of_ones_own")), "Positions has no rule, and its weights are not in the file"),
    "large": (lambda: " " * (2 << 20), "larger than 1 MiB"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, message = HOSTILE[name]
    monkeypatch.setattr("shapecalc.bridges.keras.config_graph.MOST_LAYERS", 500)
    monkeypatch.setattr("shapecalc.bridges.keras.keras_file._LARGEST", 1 << 20)
    with pytest.raises(SpecError, match=message) as caught:
        shapecalc.load(saved(make(), tmp_path / "net.keras"))
    assert "net.keras" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"name: x\n", b"\x80\x04pickle"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "net.keras"
    file.write_bytes(content)
    with pytest.raises(SpecError, match=r"this is not a `\.keras` file"):
        shapecalc.load(file)
    with pytest.raises(SpecError, match="there is no such file"):
        shapecalc.load(tmp_path / "other.keras")


def test_a_class_of_ones_own_is_refused(tmp_path: Path) -> None:
    config = {"module": "mine", "class_name": "Net", "config": {}}
    with pytest.raises(SpecError, match="'Net' is a class of one's own"):
        shapecalc.load(saved(config, tmp_path / "net.keras"))


def test_a_quantized_layer_in_a_file_is_refused(tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((3, 8)), layers.TimeDistributed(layers.Dense(4, lora_rank=2))])
    with pytest.raises(SpecError, match="TimeDistributed is quantized or has LoRA"):
        shapecalc.load(saved(config_of(network), tmp_path / "net.keras"))


def test_what_is_between_known_shapes_is_known_by_them(tmp_path: Path) -> None:
    """A layer without a rule has the shape that the layer behind it takes."""
    image = keras.Input((6, 4))
    network = keras.Model(image, layers.Dense(3)(layers.Lambda(lambda x: x[:, ::2])(image)))
    report = shapecalc.load(saved(config_of(network), tmp_path / "net.keras")).analyze()
    assert (report.output, report.params, report.complete) == ((1, 3, 3), 15, False)


# ---- the command line

NETS = """
import keras
from torch import nn
from keras import layers

def net(units=10):
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(units, name="head"),
    ], name="net")

class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, name="conv")

    def call(self, x):
        return self.conv(x)

model = net()
torch_model = nn.Sequential(nn.Conv2d(1, 8, 3))
"""

COMMANDS = [
    (["show", "{}:model"], "Parameters: 54,170"),
    (["show", "{}:net", "--set", "units=3"], "Parameters: 16,307"),
    (["show", "{}:Sub", "--input", "16x16x3"], "conv     conv2d  3x3       14x14x4"),
    (["show", "{}:torch_model", "--input", "1x9x9"], "conv2d  3x3       8x7x7"),
    (["check", "{}:model"], "8·(H - 2)·(W - 2) = 5,408"),
    (["sizes", "{}:model"], "8·(H - 2)·(W - 2) = 5,408"),
    (["derive", "{}:model", "head"], "F_out·F_in = 10·5,408 = 54,080"),
    (["diff", "{}:model", "{}:net"], "do not differ"),
    (["reconcile", "{}:model"], "flop_counter"),
    (["export", "{}:model", "--to", "yaml"], "framework: keras"),
    (["export", "{}:model", "--to", "torch"], "the rules of Keras"),
]


@pytest.mark.sample(4)
@pytest.mark.parametrize(("words", "shown"), COMMANDS)
def test_every_command_takes_a_keras_model(words: list[str], shown: str, tmp_path: Path) -> None:
    file = tmp_path / "nets_of_keras.py"
    file.write_text(NETS, encoding="utf-8")
    result = CliRunner().invoke(main, [word.format(file) for word in words])
    sys.modules.pop("nets_of_keras", None)
    assert shown in result.output
