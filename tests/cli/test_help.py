"""What a new user meets: help that can be typed as it stands, completion, a spec to start from, colours."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

import shapecalc
from shapecalc import console
from shapecalc.cli import COMMANDS, main
from shapecalc.console import painted
from shapecalc.diagnostics.rule import rules
from shapecalc.spec.json_schema import step_keys
from shapecalc.views.language_page import example

TAKES_A_MODEL = (
    "check",
    "derive",
    "diff",
    "draw",
    "export",
    "html",
    "plot",
    "show",
    "sizes",
    "value",
    "verify",
)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that can be called, those of a group included."""
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", one) for inner, one in command.commands.items())
        elif command is not None:
            yield name, command


EXAMPLES = [
    line.strip()
    for _, command in commands()
    for line in (command.epilog or "").splitlines()
    if line.startswith("  ")
]


def test_every_command_teaches_by_an_example_of_its_own() -> None:
    for name, command in commands():
        assert f"shapecalc {name}" in (command.epilog or ""), name


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    if "my_net.yaml" in line:
        runner.invoke(main, ["init"])
    Path("models").mkdir()
    for file in (Path("nets.py"), Path("models/nets.py")):
        file.write_text(
            "from torch import nn\n\ndef Net():\n    return nn.Conv2d(3, 8, 3)\n", encoding="utf-8"
        )
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 100}
    network = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **small}
    Path("config.json").write_text(json.dumps(network), encoding="utf-8")
    Path("README.md").write_text(
        "<!-- shapecalc value lenet5 params --><!-- /shapecalc -->", encoding="utf-8"
    )
    inside = re.search(r"\$\((.*)\)", line)
    words = shlex.split(re.split(r" > | +#", inside[1] if inside else line)[0])
    result = runner.invoke(main, words[1:])
    assert result.exit_code in {0, 1}, result.output
    assert result.output.strip() or Path(words[-1]).is_file()


@pytest.mark.parametrize("command", TAKES_A_MODEL)
def test_shells_complete_models_and_files(command: str) -> None:
    found = [item.value for item in completed([command], "lene")]
    assert {"lenet5", "lenet5_1998"} <= set(found)
    assert [item.type for item in completed([command], "./ne")] == ["file"]


def test_shells_complete_kinds_codes_and_values() -> None:
    assert "params" in [item.value for item in completed(["value", "lenet5"], "par")]
    assert "conv_transpose2d" in [item.value for item in completed(["kinds"], "conv_tr")]
    assert [item.value for item in completed(["explain"], "")] == [*rules()]


def completed(words: list[str], incomplete: str) -> list[click.shell_completion.CompletionItem]:
    return ShellComplete(main, {}, "shapecalc", "_SHAPECALC_COMPLETE").get_completions(words, incomplete)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_how_to_complete(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_SHAPECALC_COMPLETE={shell}_complete" in result.output


def test_the_spec_to_start_from_has_nothing_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "nets/mine.yaml"]).exit_code == 0
    model = shapecalc.load("nets/mine.yaml")
    assert model.name == "mine"
    assert model.check() == []
    assert {node.path.split(".")[0] for node in model.analyze().nodes} >= {"stem", "stage1", "stage2", "head"}


def test_a_bundled_model_can_be_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "mine.yaml", "--like", "lenet5"]).exit_code == 0
    assert shapecalc.load("mine.yaml") == shapecalc.load("lenet5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["init", "there.yaml"], "already exists"),
        (["init", "there.yaml/in.yaml"], "cannot be written"),
        (["init", "new.yaml", "--like", "lenet"], "did you mean"),
    ],
)
def test_nothing_of_yours_is_overwritten(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.yaml").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, said in result.output) == (2, True), result.output
    assert Path("there.yaml").read_text(encoding="utf-8") == "mine"
    assert not Path("new.yaml").exists()


def test_colours_are_for_terminals() -> None:
    plain = CliRunner().invoke(main, ["explain", "concat"])
    assert "\x1b" not in plain.output
    coloured = CliRunner().invoke(main, ["explain", "concat"], color=True)
    assert click.unstyle(coloured.output) == plain.output
    assert painted("warning[budget]: much\n  fix: less").count("\x1b[1m") == 2


def test_a_terminal_is_told_after_a_second_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Terminal:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(click, "echo", lambda text="", **_: written.append(text))
    monkeypatch.setattr(console.Working, "PATIENCE", 0.01)
    working = console.Working()
    with working.on("working"):
        while not written:
            sleep(0.005)
        working.progress(3, 7, "layers")
    assert written == ["\r\x1b[Kworking …", "\r\x1b[K3 of 7 layers", "\r\x1b[K"]
    with working.on("quick"):
        pass
    assert len(written) == 3


def test_a_pipe_is_told_nothing() -> None:
    assert CliRunner().invoke(main, ["list"]).stderr == ""


@pytest.mark.parametrize("word", step_keys())
def test_a_key_of_a_step_is_described_with_a_model_that_has_it(word: str) -> None:
    said = CliRunner().invoke(main, ["kinds", word]).output
    assert step_keys()[word] in " ".join(said.split())
    assert f"{word}:" in example(word)
    shapecalc.loads(example(word)).analyze()


def test_the_branches_of_merges_are_described() -> None:
    assert "- add: {main: [relu], skip: []}" in CliRunner().invoke(main, ["kinds", "add"]).output
    assert "Branches:" not in CliRunner().invoke(main, ["kinds", "relu"]).output


def test_help_prints_the_page_of_the_language_and_the_help_of_commands() -> None:
    root = Path(__file__).parents[2]
    run = CliRunner().invoke
    assert run(main, ["help", "language"]).output == (root / "docs" / "language.md").read_text("utf-8")
    assert "language.md" in (root / "pyproject.toml").read_text("utf-8")
    assert run(main, ["help", "solve"]).output == run(main, ["solve", "--help"]).output
    assert run(main, ["help"]).output == run(main, ["--help"]).output
    wrong = run(main, ["help", "langauge"])
    assert (wrong.exit_code, "did you mean 'language'" in wrong.stderr) == (2, True)
