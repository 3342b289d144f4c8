"""The README keeps its word: transcripts are what the command prints, the example spec is what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.atomic_write import rewrite
from shapecalc.cli import main
from shapecalc.cli.run_command import Runner
from shapecalc.embedding.document import embedded
from shapecalc.embedding.markers import regions
from shapecalc.embedding.transcripts import transcripts
from shapecalc.spec.find import read_file

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
TRANSCRIPT = re.compile(r"^```console\n\$ shapecalc (.*)\n((?:.*\n)*?)```$", flags=re.MULTILINE)
TRANSCRIPTS = [
    pytest.param(page, arguments, expected, id=f"{page.stem}: {arguments}")
    for page in PAGES
    for arguments, expected in TRANSCRIPT.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "arguments", "expected"), TRANSCRIPTS)
def test_transcript_is_what_the_command_prints(
    page: Path, arguments: str, expected: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)  # the paths in errors are those seen from the checkout
    printed = CliRunner().invoke(main, shlex.split(arguments)).output
    if request.config.getoption("--update-golden"):
        page.write_text(
            page.read_text(encoding="utf-8").replace(
                f"$ shapecalc {arguments}\n{expected}```", f"$ shapecalc {arguments}\n{printed}```"
            ),
            encoding="utf-8",
        )
    else:
        assert printed == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_nothing_that_is_embedded_is_stale(
    page: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = read_file(page)
    document = embedded(text, page.name, Runner(main))
    assert document.errors == ()
    if request.config.getoption("--update-golden"):
        rewrite(page, text, document.after)
    else:
        assert document.diff() == ""


LARGE = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,]*\d)")
MADE = re.compile(
    r"<!-- shapecalc [^>]*-->.*?<!-- /shapecalc -->|^(`{3,}).*?^\1$", flags=re.DOTALL | re.MULTILINE
)
GENERATED = {"conventions", "mistakes", "tutorials", "warnings"}
"""Pages whose tables are compared with what is measured, elsewhere."""


def _made_and_said(text: str) -> tuple[set[str], set[str]]:
    """Return the large numbers that the tool wrote on a page, and those of the prose."""
    made = "\n".join(one.group() for one in MADE.finditer(text))
    return {*LARGE.findall(made)}, {*LARGE.findall(MADE.sub("", text))}


@pytest.mark.parametrize(
    "page", [one for one in PAGES if one.stem not in GENERATED], ids=lambda page: page.stem
)
def test_a_large_number_of_the_prose_is_printed_on_its_page(page: Path) -> None:
    """What a sentence says, a command on the same page has printed, or a table of measurements that is linked."""
    text = page.read_text(encoding="utf-8")
    made, said = _made_and_said(text)
    linked = [ROOT / "docs" / f"{name}.md" for name in sorted(GENERATED) if f"{name}.md)" in text]
    measured = {number for one in linked for number in LARGE.findall(one.read_text(encoding="utf-8"))}
    assert said <= made | measured


def test_a_large_number_that_nobody_printed_is_noticed() -> None:
    made, said = _made_and_said("It has 61,707 weights.\n```console\n$ shapecalc x\n61,706\n```\n")
    assert said - made == {"61,707"}


def test_embed_finds_every_transcript() -> None:
    """`shapecalc embed --transcripts` writes the transcripts that are compared here, no more and no fewer."""
    found = {page: [one.command for one in transcripts(page.read_text("utf-8"), page.name)] for page in PAGES}
    compared = {page: [words for words, _ in TRANSCRIPT.findall(page.read_text("utf-8"))] for page in PAGES}
    assert found == compared


def test_something_is_embedded() -> None:
    text = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    assert len(regions(text, "embedding.md")) >= 5
    stale = embedded(text.replace("25,557,032", "25,557,031"), "embedding.md", Runner(main))
    assert "-<!-- shapecalc value resnet50 params -->25,557,031<!-- /shapecalc --> parameters" in stale.diff()


def test_every_command_with_its_output_is_a_transcript() -> None:
    """The pattern misses none; a page that only lists commands that write files has none."""
    commands = {
        page.stem: len(re.findall(r"^\$ shapecalc", page.read_text(encoding="utf-8"), flags=re.MULTILINE))
        for page in PAGES
    }
    del commands["page"]
    assert sum(commands.values()) == len(TRANSCRIPTS)


def test_example_spec_comes_to_what_it_expects() -> None:
    (text,) = re.findall(r"^```yaml\n((?:.*\n)*?)```$", TEXT, flags=re.MULTILINE)
    model = shapecalc.loads(text)
    assert model.expect is not None
    report = model.analyze()
    assert report.params == model.expect.params
    assert {name: shape[1:] for name, shape in report.outputs.items()} == model.expect.output
    assert shapecalc.loads(model.to_yaml()) == model
