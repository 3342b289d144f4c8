"""Files are written completely or not at all, and what somebody else wrote meanwhile is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from shapecalc.atomic_write import rewrite, write_file
from shapecalc.cli import main
from shapecalc.errors import SpecError

MARK = b"\xef\xbb\xbf"


def fail(*_: Any) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "net.yaml"
    file.write_bytes(b"before")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpecError, match="the file cannot be written: No space left on device"):
        write_file(file, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
    assert file.read_bytes() == b"before"


def test_a_file_that_was_changed_since_it_was_read_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_bytes(b"theirs")
    with pytest.raises(SpecError, match="changed while this command ran") as caught:
        rewrite(file, "before", "after", "net.yaml")
    assert (file.read_bytes(), caught.value.place.file) == (b"theirs", "net.yaml")


def test_links_modes_line_ends_and_the_byte_order_mark_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "net.yaml", tmp_path / "link.yaml"
    file.write_bytes(MARK + b"a\r\nb\n")
    file.chmod(0o640)
    link.symlink_to("net.yaml")
    rewrite(link, "a\r\nb\n", "a\r\nc\n")
    assert link.readlink() == Path("net.yaml")
    assert file.read_bytes() == MARK + b"a\r\nc\n"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_mode_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    write_file(tmp_path / "new", b"text")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask
    write_file(Path("/dev/null"), b"text")
    with pytest.raises(SpecError, match="cannot be written: No such file"):
        write_file(tmp_path / "nowhere" / "new", b"text")


def test_a_file_that_is_read_only_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename does not ask for the file's own mode; root may write anything, so the question is faked."""
    file = tmp_path / "doc.md"
    file.write_text("<!-- shapecalc value lenet5 params --><!-- /shapecalc -->\n")
    before = file.read_bytes()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    result = CliRunner().invoke(main, ["embed", str(file)])
    assert result.exit_code == 2
    assert result.stderr.endswith("the file cannot be written: it is read-only\n")
    assert file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [file]


def test_what_a_killed_process_left_beside_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f".net.yaml.{os.getpid()}.tmp").write_text("half")
    write_file(tmp_path / "net.yaml", b"all")
    assert (tmp_path / "net.yaml").read_bytes() == b"all"


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "new"],
        ["export", "lenet5", "-o", "new"],
        ["html", "lenet5", "--picture", "none", "-o", "new"],
        ["draw", "lenet5", "--style", "volumes", "-o", "new.svg"],
        ["plot", "lenet5", "-o", "new.svg"],
        ["check", "net.yaml", "--fix"],
        ["embed", "doc.md"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_writes_all_or_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net, doc = tmp_path / "net.yaml", tmp_path / "doc.md"
    net.write_text("input: [3, 8, 8]\nlayers: [conv2d: {in_channels: 9, out_channels: 4, kernel_size: 3}]\n")
    doc.write_text("<!-- shapecalc value lenet5 params --><!-- /shapecalc -->\n")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", fail)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "the file cannot be written: No space left on device" in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_written_while_check_runs_is_reported_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("input: [3, 8, 8]\nlayers: [conv2d: {in_channels: 9, out_channels: 4, kernel_size: 3}]\n")
    before = os.fsync

    def somebody_writes(descriptor: int) -> None:
        before(descriptor)
        with file.open("a") as stream:
            stream.write("# mine\n")

    monkeypatch.setattr(os, "fsync", somebody_writes)
    result = CliRunner().invoke(main, ["check", "--fix", str(file)])
    assert (result.exit_code, result.stderr.splitlines()[0].partition(": ")[2].partition(": ")[2]) == (
        2,
        "the file was changed while this command ran: it is left as it is now",
    )
    assert file.read_text().endswith("# mine\n")
    assert "in_channels: 9" in file.read_text()
