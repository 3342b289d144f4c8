"""Every code of a diagnostic is explained, by an example that shows it and that its repair mends."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.explanation import Explanation, explained, explanations
from shapecalc.errors import SpecError
from shapecalc.repair.repair import of_unreadable
from tools.diagnostics import DOCUMENT, document

PACKAGE = Path(shapecalc.__file__).parent
OF_FORMULAS = {"asked", "as-built", "passes"}
"""Conditions under which a formula holds: they are told with it, and are never a finding."""
MADE_OF = {"unused-": {"unused-block", "unused-parameter"}}
"""Codes that are put together of two parts."""
TAKES_A_CODE = {"Diagnostic": 0, "Failure": 0, "Requirement": 0, "_about": 1}


def codes(tree: ast.AST) -> set[str]:
    """Return the codes that a module gives, wherever one is made."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        position = TAKES_A_CODE.get(node.func.id)
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


@pytest.mark.parametrize("one", explanations().values(), ids=lambda one: one.code)
def test_the_example_shows_just_this_finding(one: Explanation) -> None:
    try:
        found = shapecalc.loads(one.example, file="example.yaml").check()
    except SpecError as error:
        found = [of_unreadable(one.example, error, shapecalc.loads)]
    assert [(each.code, each.severity) for each in found] == [(one.code, one.severity)]
    assert one.found(shapecalc.loads) == found[0]


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
