"""Every code of a diagnostic is explained, by an example that shows it and that its fix resolves."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.rule import rules
from shapecalc.repair.repair import check_of_example
from tools.diagnostics import DOCUMENT, document

PACKAGE = Path(shapecalc.__file__).parent
OF_FORMULAS = {"target", "as-built", "passes"}
"""Conditions under which a formula holds: they are reported with it, and are never a finding."""
TAKES_A_CODE = {"Diagnostic", "Failure", "Requirement", "EqualBranches", "Violation", "of_layer"}


def codes(tree: ast.AST) -> set[str]:
    """Return the codes that a module gives, wherever one is made."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        has_code = ast.unparse(node.func) in TAKES_A_CODE or (  # or a requirement with its facts as fields
            ast.unparse(node.func) == "super().__init__" and "self._message" in map(ast.unparse, node.args)
        )
        if has_code and node.args and isinstance(code := node.args[0], ast.Constant):
            found.add(str(code.value))
    return found


def severities() -> Iterator[tuple[str, str]]:
    """Yield each code of a violation with the severity that a check gives it, where that is one for all."""
    for file in sorted((PACKAGE / "diagnostics").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Violation", "of_layer"}:
                code, own = node.args[0], [each.value for each in node.keywords if each.arg == "severity"]
                severity = own[0] if own else node.args[5] if len(node.args) > 5 else ast.Constant("warning")
                if isinstance(code, ast.Constant) and isinstance(severity, ast.Constant):
                    yield str(code.value), str(severity.value)


AT_LEAST = {"budget", "expect"}
"""Errors, but warnings where a layer cannot be counted."""


def test_every_code_has_a_rule_and_nothing_else() -> None:
    files = PACKAGE.rglob("*.py")
    known = {code for file in files for code in codes(ast.parse(file.read_text(encoding="utf-8")))}
    assert known - OF_FORMULAS - {""} == set(rules())


def test_a_violation_is_as_bad_as_its_rule_says() -> None:
    of_checks = [(code, severity) for code, severity in severities() if code not in AT_LEAST]
    assert len(of_checks) > 12
    assert of_checks == [(code, rules()[code].severity) for code, _ in of_checks]
    assert {(code, "error") for code in AT_LEAST} <= {*severities()}


def shown(*arguments: str) -> str:
    """Return what a command prints, and hold it to its exit status: 1 where there is an error."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.mark.parametrize("code", rules())
def test_the_example_has_one_finding_and_it_is_the_one_explained(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example as `explain` prints it, checked by the command: one finding, quoted word for word."""
    monkeypatch.chdir(tmp_path)
    page = shown("explain", code)
    title, _, rest = page.partition("\n\n")
    rule = rules()[code]
    example, _, said = rest.partition(f"of {rule.file}\n\n")[2].partition(f"\n\n`{rule.command}` says\n")
    Path(rule.file).write_text(dedent(example) + "\n", encoding="utf-8")
    words = rule.command.split()[1:]
    (finding,) = json.loads(shown(*words, "--format", "json"))["diagnostics"]
    assert title.startswith(f"{finding['severity']}[{finding['code']}]: ")
    assert finding["code"] == code
    assert {fix["applicability"] for fix in finding["fixes"]} <= {*rules()[code].fixes}
    printed = [line.strip() for line in shown(*words).splitlines()]
    assert finding["message"] in said
    assert [line for line in map(str.strip, said.splitlines()) if line and line not in printed] == []


def test_a_reader_sees_the_example_and_what_is_said_of_it(golden: Callable[[str, str], None]) -> None:
    rule = rules()["channels"]
    golden("cli/explain_channels.txt", f"{rule.explanation(check_of_example(rule, shapecalc.loads))}\n")


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
