"""What the command prints: golden text under tests/golden/cli (`--update-golden` rewrites it), and its laws."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import console
from shapecalc.cli import main
from shapecalc.render import written
from shapecalc.report.listing import listing_rows
from shapecalc.spec.find import folder
from shapecalc.spec.json_schema import schema
from shapecalc.spec.yaml_text import parse
from shapecalc.views.catalogue import catalogue
from shapecalc.views.listing_page import listing_page
from tests.spec.test_bad_input import BROKEN, LISTS, MAPPINGS, plain_everything
from tests.spec.test_fuzz import EVERYTHING, inside, plain
from tests.support.layer_tables import table

SMALL = """
name: small
title: A small network
parameters: {width: 8}
input: [3, 32, 32]
blocks:
  conv_bn:
    args: {channels: ~, stride: 1}
    layers:
      - conv2d: {out_channels: channels, kernel_size: 3, stride: stride, padding: 1, bias: false}
      - batch_norm2d
layers:
  - conv_bn: {channels: width}
    name: stem
  - add:
      main: [{conv_bn: {channels: width}}, relu]
      skip: []
    name: stage1
    repeat: 3
  - conv_bn: {channels: 2*width, stride: 2}
    name: down
  - side: [{adaptive_avg_pool2d: {output_size: 1}}, flatten, {linear: {out_features: 5}}]
    name: aux
  - concat:
      same: []
      pooled: [{max_pool2d: {kernel_size: 3, stride: 1, padding: 1}}]
  - conv2d: {out_channels: 4*width, kernel_size: [3, 1], padding: [[1, 1], [0, 0]]}
    name: first
  - conv2d: {out_channels: 4*width, kernel_size: [3, 1], padding: [[1, 1], [0, 0]]}
    share: first
    name: again
  - adaptive_avg_pool2d: {output_size: 1}
  - flatten
  - linear: {out_features: 10}
    name: head
    trainable: false
"""
KEYS = [
    "name",
    "input",
    "output",
    "outputs",
    "params",
    "trainable_params",
    "buffers",
    "macs",
    "flops",
    "complete",
    "not_counted",
    "nodes",
]
SYMBOLIC_KEYS = [*KEYS[:8], "leading_macs", *KEYS[8:]]
"""With how the costs grow, where sizes of the input are free."""
PRINTED = {
    "show": "show lenet5",
    "show_markdown": "show lenet5 --format markdown",
    "show_csv": "show lenet5 --format csv",
    "show_latex": "show lenet5 --format latex",
    "show_json": "show lenet5 --format json",
    "show_symbolic": "show lenet5 --symbolic",
    "show_batch": "show lenet5 --batch 4",
    "show_free_height": "show lenet5 --free H",
    "show_free_depth": "show densenet40_cifar --free depth --depth 2",
    "show_free_batch": "show lenet5 --free batch",
    "show_input": "show lenet5 --input 3x64x48",
    "show_set": "show lenet5 --set num_classes=100 --dtype float16",
    "small": "show -",
    "small_depth_1": "show - --depth 1",
    "small_markdown": "show - --format markdown",
    "small_latex": "show - --format latex --depth 2",
    "small_csv": "show - --format csv",
    "small_wider": "show - --set width=16 --batch 2",
    "reconcile_markdown": "reconcile lenet5 --format markdown",
    "reconcile_latex": "reconcile lenet5 --format latex",
    "kinds_conv2d": "kinds conv2d",
    "kinds_add": "kinds add",
    "help": "--help",
    "help_show": "show --help",
}


def printed(arguments: str, **how: Any) -> str:
    result = CliRunner().invoke(main, shlex.split(arguments), prog_name="shapecalc", **how)
    assert result.exception is None, result.stderr
    assert result.stderr == ""
    return result.stdout


@pytest.mark.ci
def test_the_list_is_the_same_in_every_form() -> None:
    names = [one["name"] for one in json.loads(printed("list --format json"))]
    told = printed("list --format markdown").splitlines()
    assert [line.split("|")[1].strip().replace("\\", "") for line in told[2:]] == names
    assert all(printed("list --format html").count(f">{name}</td>") == 1 for name in names)


@pytest.mark.parametrize("name", PRINTED)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cli/{name}.txt", printed(PRINTED[name], input=SMALL))


def test_the_small_network_has_everything() -> None:
    """What the golden tables are to show is there."""
    report = shapecalc.loads(SMALL).analyze()
    assert report.outputs == {"output": (1, 10), "aux": (1, 5)}
    assert report.layer("again").shares == "first"
    assert report.trainable_params < report.params
    assert report.buffer_count
    assert [group.passes for group in report.groups if group.passes > 1] == [3]


# ---- JSON


@pytest.mark.parametrize("arguments", ["", "--symbolic", "--batch 3", "--free batch", "--set num_classes=7"])
def test_json_is_the_report(arguments: str) -> None:
    found = json.loads(printed(f"show lenet5 --format json {arguments}"))
    model = shapecalc.load("lenet5")
    report = {
        "": model.analyze(),
        "--symbolic": model.analyze(symbolic=True),
        "--batch 3": model.analyze(batch=3),
        "--free batch": model.analyze(symbolic="batch"),
        "--set num_classes=7": model.analyze(num_classes=7),
    }[arguments]
    is_growing = arguments == "--symbolic"
    assert [*found] == [key for key in SYMBOLIC_KEYS if key != "leading_macs" or is_growing]
    assert found == json.loads(json.dumps(report.to_dict()))


def test_json_of_several_inputs_and_outputs() -> None:
    found = json.loads(printed("show - --format json", input=EVERYTHING))
    assert [*found] == KEYS
    assert found["input"] == {"x": [1, 3, 16, 16], "y": [1, 3, 16, 16]}
    assert found["outputs"] == {"out": [1, 10], "aux": [1, 3]}
    assert found["output"] == [1, 10]
    assert found["complete"] is True


def test_totals_are_the_sums_of_the_nodes() -> None:
    found = json.loads(printed("show - --format json", input=SMALL))
    for key in ("params", "trainable_params", "macs"):
        assert found[key] == sum(node[key] for node in found["nodes"])
    assert found["flops"] == 2 * found["macs"]


# ---- widths


@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40, 30])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lenet5, small = shapecalc.load("lenet5"), shapecalc.loads(SMALL)
    for text in (
        table(lenet5.analyze(), width=width),
        table(lenet5.analyze(batch=128), batch=True, width=width),
        table(lenet5.analyze(symbolic=True), width=width),
        table(small.analyze(), width=width),
        table(small.analyze(), 1, width=width),
        written(listing_page(), "text", width),
        catalogue(width),
    ):
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 60, 40])
def test_numbers_are_never_cut(width: int) -> None:
    """A number in the table is one of the network's: columns go, digits do not."""
    report = shapecalc.loads(SMALL).analyze(batch=1000)
    whole = set(re.findall(r"[\d,]+", table(report, batch=True)))
    body = table(report, batch=True, width=width).split("\n\n")[1]
    assert set(re.findall(r"[\d,]+", body)) <= whole


def test_the_table_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "terminal_width", lambda: 50)
    assert max(map(len, printed("show lenet5").splitlines())) <= 50
    monkeypatch.setattr(console, "terminal_width", lambda: None)
    assert max(map(len, printed("show lenet5").splitlines())) > 100


# ---- the list, the catalogue, the schema


def test_list_has_every_model_with_what_it_promises() -> None:
    lines = printed("list").splitlines()
    assert lines[0].split() == ["Name", "Title", "Year", "Params", "MACs"]
    assert [line.split()[0] for line in lines[2:]] == shapecalc.names()
    assert re.search(r"^lenet5 .* 1998 +61,706 +416,520$", "\n".join(lines), flags=re.MULTILINE)
    assert json.loads(printed("list --format json")) == [row._asdict() for row in listing_rows()]


def test_every_model_can_be_loaded_by_the_name_in_the_list() -> None:
    for row in listing_rows():
        model = shapecalc.load(row.name)
        assert row.name in (model.name, *model.variants) or "/" in row.name
        if model.expect is not None:  # a tutorial's network that does not hold has none
            assert (row.params, row.macs) == (model.expect.params, model.expect.macs)


def test_kinds_lists_every_kind_with_a_sentence() -> None:
    lines = printed("kinds").splitlines()
    told = {line.split()[0]: line for line in lines if line.startswith("  ")}
    for kind in shapecalc.kinds():
        if kind in told:
            assert re.search(r"  \S.*[.:]$", told[kind]), told[kind]
    assert {"conv2d", "linear", "add", "batch_norm2d"} <= told.keys()


def test_every_kind_can_be_described() -> None:
    for kind in shapecalc.kinds():
        try:
            text = printed(f"kinds {kind}")
        except AssertionError:
            text = printed(f"kinds {kind} --framework keras")
        assert text.startswith(f"{kind}\n\n")
        assert "Example in Python:\n  >>> " in text


SCHEMA = json.loads(json.dumps(schema()))


def test_schema_is_a_schema() -> None:
    assert json.loads(printed("schema")) == SCHEMA
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def valid(data: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(data))


def json_data(text: str) -> Any:
    """Return a spec as an editor sees it: plain JSON values."""
    return json.loads(json.dumps(plain(parse(text)), default=float))


@pytest.mark.parametrize("path", sorted(folder().rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_spec_is_valid(path: Path) -> None:
    assert valid(json_data(path.read_text(encoding="utf-8")))


def test_every_part_of_the_language_is_valid() -> None:
    assert valid(json_data(EVERYTHING))
    assert valid(json_data(SMALL))


CAUGHT_BY_SCHEMA = [
    "no input", "no layers", "unknown key", "paper without title", "expect in words", "block without layers",
    "block that is a list", "size that is true", "step that is a number", "unknown field", "missing field",
    "name that is a number", "trainable maybe",
    "repeat true", "repeat -1", "when 1", "boolean kernel", "negative kernel", "zero channels", "from a number",
]  # fmt: skip


@pytest.mark.parametrize("name", CAUGHT_BY_SCHEMA)
def test_a_broken_spec_is_not_valid(name: str) -> None:
    assert not valid(json_data(BROKEN[name][0]))


@pytest.mark.parametrize(("wrong", "trails"), [("word", MAPPINGS), (3, MAPPINGS), ({}, LISTS), (3, LISTS)])
def test_a_wrong_type_is_not_valid(wrong: Any, trails: list[tuple[Any, ...]]) -> None:
    for trail in trails:
        spec = json.loads(json.dumps(plain_everything(), default=float))
        inside(spec, trail[:-1])[trail[-1]] = wrong
        if "main" in trail and wrong == {}:
            continue  # a branch may be one step
        assert not valid(spec), trail


# ---- in a process of its own


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shapecalc", *arguments],
        input=SMALL,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
    )


def test_python_m_shapecalc() -> None:
    done = run("show", "lenet5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == printed("show lenet5")
    assert run("--version").stdout == f"shapecalc {shapecalc.__version__}\n"
    assert run("show", "-").stdout == printed("show -", input=SMALL)
    assert run("show", "--nope").stderr.startswith("Usage: shapecalc show ")


def test_what_is_piped_is_plain() -> None:
    for arguments in (["show", "lenet5"], ["list"], ["kinds"], ["show", "nope"]):
        done = run(*arguments, FORCE_COLOR="1", CLICOLOR_FORCE="1")
        assert "\x1b" not in done.stdout + done.stderr


def test_no_colour_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert console.colour(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.colour(Terminal())
    monkeypatch.setenv("NO_COLOR", "")
    assert console.colour(Terminal())


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_errors_are_coloured_on_a_terminal_only_if_they_may_be(environment: dict[str, str]) -> None:
    import pty

    leader, follower = pty.openpty()
    without = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-m", "shapecalc", "show", "nope"],
        stdout=subprocess.PIPE,
        stderr=follower,
        env=without | environment,
        check=False,
    )
    told = os.read(leader, 10_000)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert (b"\x1b[31m" in told) is (not environment)
    assert b"error" in told


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a thing of Unix")
def test_a_page_is_not_poured_over_a_terminal() -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "shapecalc", "html", "lenet5"]
    done = subprocess.run(command, stdout=follower, stderr=subprocess.PIPE, check=False)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert b"give it a file with -o FILE.html, or pipe it" in done.stderr


@pytest.mark.parametrize("arguments", ["show lenet5", "check lenet5", "solve features lenet5"])
def test_an_interrupted_command_ends_without_a_word(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shapecalc.engine.graph_cache.expand", interrupted)
    result = CliRunner().invoke(main, arguments.split())
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


def test_a_terminal_without_unicode_gets_ascii() -> None:
    done = run("show", "lenet5", "--symbolic", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "floor(H/2)" in done.stdout


def test_a_reader_that_leaves_is_no_traceback() -> None:
    command = f"{shlex.quote(sys.executable)} -m shapecalc show resnet152 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.startswith("ResNet-152")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("command", ["show lenet5", "show lenet5 --format json", "list", "--help", "schema"])
def test_output_that_cannot_be_written_is_an_error_of_one_line(command: str) -> None:
    shell = f"{shlex.quote(sys.executable)} -m shapecalc {command}"
    full = subprocess.run(
        ["sh", "-c", f"{shell} > /dev/full"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (full.returncode, full.stderr) == (
        1,
        "error: the output cannot be written: No space left on device\n",
    )
    closed = subprocess.run(["sh", "-c", f"exec >&-; {shell}"], capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("show lenet5", 0),
        ("list", 0),
        ("--help", 0),
        ("show lenet5 --set H=4", 1),
        ("show lenet5 --set H=x", 2),
        ("show nope", 2),
        ("nope", 2),
    ],
)
def test_exit_status(arguments: str, status: int) -> None:
    assert CliRunner().invoke(main, arguments.split()).exit_code == status


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_names_that_one_types_are_never_cut(width: int) -> None:
    first = [line.split()[0] for line in written(listing_page(), "text", width).splitlines()[2:]]
    assert first == [*shapecalc.names()]
