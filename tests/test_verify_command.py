"""`shapecalc verify`: what it prints, its exit status, and what it says where torch is absent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from shapecalc.bridges.torch import verification
from shapecalc.cli import main
from shapecalc.layers import Conv2d

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["verify", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_line_per_layer(golden: Callable[[str, str], None]) -> None:
    status, printed = run("lenet5")
    assert status == 0
    golden("cli/verify.txt", printed)


def test_json_holds_the_same() -> None:
    status, printed = run("lenet5", "--format", "json", "--set", "H=30")
    assert status == 0
    found = json.loads(printed)
    assert found["counts"] == {"proved": len(found["layers"])}
    assert found["layers"][0]["inputs"] == [[1, 1, 30, 32]]


def test_a_refutation_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Conv2d.output
    monkeypatch.setattr(Conv2d, "output", lambda self, x: (*honest(self, x)[:-1], honest(self, x)[-1] + 1))
    status, printed = run("lenet5", "--input", "1x33x33")
    assert status == 1
    assert "smallest counter-example" in printed


def test_a_model_that_does_not_hold_is_told_as_everywhere() -> None:
    assert run("lenet5", "--input", "1x8x8")[0] == 1
    assert run("no_such_model")[0] == 2


@pytest.mark.parametrize("arguments", [("verify", "lenet5"), ("verify", "lenet5", "--format", "json")])
def test_without_torch_it_says_what_to_install(arguments: tuple[str, ...]) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
from shapecalc.cli import main
main({list(arguments)!r}, prog_name="shapecalc")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert 'python -m pip install "shapecalc[torch]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_report_reads_without_a_command() -> None:
    from shapecalc import load

    assert str(verification.verify(load("lenet5"))).endswith(
        "weights, buffers and MACs are torch's at these sizes"
    )
