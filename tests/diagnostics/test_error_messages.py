"""The exact text of errors: a spec (or a command) over a line of dashes, and what is said of it below.

To add one, write the upper part into a file of tests/golden/errors and run with `--update-golden`;
then read what it says, as somebody would who has just made that mistake.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from shapecalc.cli import main

FOLDER = Path(__file__).parents[1] / "golden" / "errors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
DASHES = "----\n"


def said(mistake: str) -> str:
    """Return what the command says of a spec on its standard input, or of its own arguments."""
    arguments, source = ["show", "-"], mistake
    if mistake.startswith("$ shapecalc "):
        arguments, source = shlex.split(mistake)[2:], ""
    result = CliRunner().invoke(main, arguments, input=source)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    return f"{result.stderr}exit status {result.exit_code}\n"


@pytest.mark.parametrize("name", NAMES)
def test_message(name: str, request: pytest.FixtureRequest) -> None:
    path = FOLDER / f"{name}.txt"
    mistake, _, expected = path.read_text(encoding="utf-8").partition(DASHES)
    found = said(mistake)
    if request.config.getoption("--update-golden"):
        path.write_text(mistake + DASHES + found, encoding="utf-8", newline="\n")
    else:
        assert found == expected


def test_every_text_is_read() -> None:
    """Each file holds the line of dashes, and nothing else lies in the folder."""
    assert [f"{name}.txt" for name in NAMES] == sorted(path.name for path in FOLDER.iterdir())
    assert all(DASHES in (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in NAMES)
