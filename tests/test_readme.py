"""The pages keep their word: transcripts are what the command prints, the example spec is what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = {page.name: page for page in (README, README.parent / "docs" / "derivations.md")}
TRANSCRIPTS = [
    (name, *found)
    for name, page in PAGES.items()
    for found in re.findall(
        r"^```console\n\$ shapecalc (.*)\n((?:.*\n)*?)```$", page.read_text("utf-8"), flags=re.MULTILINE
    )
]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"), TRANSCRIPTS, ids=[arguments for _, arguments, _ in TRANSCRIPTS]
)
def test_transcript_is_what_the_command_prints(
    name: str, arguments: str, expected: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(README.parent)  # the paths in errors are those seen from the checkout
    printed = CliRunner().invoke(main, shlex.split(arguments)).output
    if request.config.getoption("--update-golden"):
        page = PAGES[name]
        page.write_text(
            page.read_text(encoding="utf-8").replace(
                f"$ shapecalc {arguments}\n{expected}```", f"$ shapecalc {arguments}\n{printed}```"
            ),
            encoding="utf-8",
        )
    else:
        assert printed == expected


def test_there_are_transcripts_to_check() -> None:
    for page in PAGES:
        assert sum(name == page for name, _, _ in TRANSCRIPTS) >= 4


def test_example_spec_comes_to_what_it_expects() -> None:
    (text,) = re.findall(r"^```yaml\n((?:.*\n)*?)```$", TEXT, flags=re.MULTILINE)
    model = shapecalc.loads(text)
    assert model.expect is not None
    report = model.analyze()
    assert report.params == model.expect.params
    assert {name: shape[1:] for name, shape in report.outputs.items()} == model.expect.output
    assert shapecalc.loads(model.to_yaml()) == model
