"""The page of the spec language: every block of it is a model that holds, and no construct is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shapecalc
from shapecalc.layers.index import KERAS, KINDS, ONNX
from shapecalc.spec.json_schema import schema

TEXT = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
SPECS = re.findall(r"^```yaml\n((?:.*\n)*?)```$", TEXT, flags=re.MULTILINE)


@pytest.mark.parametrize("number", range(len(SPECS)))
def test_a_block_of_the_page_is_a_model_that_comes_to_what_it_expects(number: int) -> None:
    family = shapecalc.loads(SPECS[number])
    for model in [*map(family.variant, family.variants)] or [family]:
        assert model.expect is not None
        model.validate_design(strict=True)  # raises for errors and warnings
    assert shapecalc.loads(family.to_yaml()) == family


def test_the_page_has_every_key_of_a_spec_and_of_a_step() -> None:
    step = schema()["$defs"]["step"]["anyOf"][1]["properties"]
    keys = {*schema()["properties"], *step} - {*KINDS, *KERAS, *ONNX}
    code = "\n".join(line.partition(" #")[0] for spec in SPECS for line in spec.splitlines())
    assert {key for key in keys if not re.search(rf"\b{key}:", code)} == set()
