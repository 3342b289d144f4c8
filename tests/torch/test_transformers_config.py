"""Configuration files of transformers as models: the library's network, counted as it is built, or a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import transformers
from click.testing import CliRunner, Result

from shapecalc.cli import main

SMALL: dict[str, dict[str, Any]] = {
    "llama": {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 100,
    },
    "vit": {
        "architectures": ["ViTForImageClassification"],
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    },
}


def run(folder: Path, fields: object, *words: str) -> Result:
    file = folder / "config.json"
    file.write_text(fields if isinstance(fields, str) else json.dumps(fields))
    return CliRunner().invoke(main, [words[0], str(file), *words[1:]])


def real_params(kind: str, fields: Mapping[str, Any]) -> int:
    cls = getattr(transformers, fields["architectures"][0])
    module = cls(transformers.CONFIG_MAPPING[kind](**fields))
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("kind", "size", "output"), [("llama", "9", (9, 100)), ("llama", None, (128, 100)), ("vit", None, (2,))]
)
def test_a_configuration_is_its_network(
    kind: str, size: str | None, output: tuple[int, ...], tmp_path: Path
) -> None:
    fields = SMALL[kind] | {"model_type": kind, "auto_map": {"AutoModel": "evil--code.Model"}}
    options = ["--input", size] if size else []
    result = run(tmp_path, fields, "show", "--format", "json", *options)
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert report["params"] == real_params(kind, SMALL[kind])
    assert tuple(report["output"])[1:] == output
    deeper = run(tmp_path, fields, "value", "params", "num_hidden_layers=3")
    assert int(deeper.output.replace(",", "")) == real_params(kind, SMALL[kind] | {"num_hidden_layers": 3})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"model_type": "lama"}, "transformers has no model_type 'lama' (did you mean 'llama'?)"),
        ({"model_type": "llama", "architectures": ["os"]}, "transformers has no network 'os'"),
        ({"model_type": "llama", "architectures": ["AutoTokenizer"]}, "no network 'AutoTokenizer'"),
        ({"model_type": "llama", "num_hidden_layers": 10**9}, "1,000,000,000 is more than 1,000 layers"),
        (SMALL["llama"] | {"model_type": "llama", "hidden_size": "x"}, "the network does not build: "),
        (SMALL["llama"] | {"model_type": "llama", "num_attention_heads": 0}, "the network does not build: "),
    ],
)
def test_what_is_no_network_is_refused(fields: dict[str, Any], says: str, tmp_path: Path) -> None:
    result = run(tmp_path, fields, "show")
    assert result.exit_code == 2
    assert says in result.output.replace("\n", " ")
    assert "config.json" in result.output


def test_a_spec_in_json_stays_a_spec(tmp_path: Path) -> None:
    result = run(tmp_path, {"input": [4], "layers": ["relu"], "model_type": "llama"}, "show")
    assert "model_type" in result.output  # as an unknown key
    assert run(tmp_path, {"input": [4], "layers": ["relu"]}, "value", "params").output == "0\n"


def test_a_document_builds_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMALL["llama"] | {"model_type": "llama"}))
    text = "<!-- shapecalc value config.json params -->?<!-- /shapecalc -->\n"
    (tmp_path / "page.md").write_text(text)
    result = CliRunner().invoke(main, ["embed", str(tmp_path / "page.md")])
    assert result.exit_code != 0
    assert (tmp_path / "page.md").read_text() == text
