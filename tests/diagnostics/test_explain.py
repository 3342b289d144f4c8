"""Every code of a diagnostic is explained, by an example that shows it and that its repair mends."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.explanation import explained, explanations
from tools.diagnostics import DOCUMENT, document

PACKAGE = Path(shapecalc.__file__).parent
OF_FORMULAS = {"target", "as-built", "passes"}
"""Conditions under which a formula holds: they are told with it, and are never a finding."""
MADE_OF = {"unused-": {"unused-block", "unused-parameter"}}
"""Codes that are put together of two parts."""
TAKES_A_CODE = {"Diagnostic": 0, "Failure": 0, "Requirement": 0, "EqualBranches": 0, "_about": 1}


def codes(tree: ast.AST) -> set[str]:
    """Return the codes that a module gives, wherever one is made."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if ast.unparse(node.func) == "super().__init__":  # a requirement that has its facts as fields
            position = 0 if "self._message" in map(ast.unparse, node.args) else None
        else:
            position = TAKES_A_CODE.get(ast.unparse(node.func))
        given = [] if position is None else node.args[position : position + 1]
        for one in given:
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                found.add(one.value)
            elif isinstance(one, ast.JoinedStr) and isinstance(one.values[0], ast.Constant):
                found |= MADE_OF[str(one.values[0].value)]
    return found


def test_every_code_is_explained_and_nothing_else() -> None:
    given: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        given |= codes(ast.parse(file.read_text(encoding="utf-8")))
    assert given - OF_FORMULAS - {""} == set(explanations())


def shown(*arguments: str) -> str:
    """Return what a command prints, and hold it to its exit status: 1 where there is an error."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.mark.parametrize("code", explanations())
def test_the_example_has_one_finding_and_it_is_the_one_explained(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example as `explain` prints it, checked by the command: one finding, quoted word for word."""
    monkeypatch.chdir(tmp_path)
    page = shown("explain", code)
    title, _, rest = page.partition("\n\n")
    example, _, said = rest.partition("of example.yaml\n\n")[2].partition(
        "\n\n`shapecalc check example.yaml` says\n"
    )
    Path("example.yaml").write_text(dedent(example) + "\n", encoding="utf-8")
    (finding,) = json.loads(shown("check", "--format", "json", "example.yaml"))["diagnostics"]
    assert title.startswith(f"{finding['severity']}[{finding['code']}]: ")
    assert finding["code"] == code
    printed = [line.strip() for line in shown("check", "example.yaml").splitlines()]
    assert finding["message"] in said
    assert [line for line in map(str.strip, said.splitlines()) if line and line not in printed] == []


def test_a_reader_sees_the_example_and_what_is_said_of_it(golden: Callable[[str, str], None]) -> None:
    golden("cli/explain_channels.txt", explained(explanations()["channels"], shapecalc.loads) + "\n")


@pytest.mark.parametrize("arguments", [[], ["silent-loss"]])
def test_the_command_knows_the_codes(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["explain", *arguments])
    assert result.exit_code == 0
    assert "never reads the last row" in result.output if arguments else "idle-padding" in result.output


def test_an_unknown_code_is_refused_with_the_nearest() -> None:
    result = CliRunner().invoke(main, ["explain", "chanels"])
    assert result.exit_code == 2
    assert "did you mean 'channels'?" in result.output


def test_the_page_is_what_the_tool_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run: python tools/diagnostics.py"
