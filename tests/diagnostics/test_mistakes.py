"""Each mistake of the tutorials by its id, the command that reveals it, and the layer and line it names."""

from __future__ import annotations

from typing import Any

import pytest

from tools.mistakes import DOCUMENT, by_check, by_diff, document, rows


def with_(command: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in rows() if command in row]


@pytest.mark.parametrize("row", with_("check"))
def test_check_names_it(row: dict[str, Any]) -> None:
    """The code, the layer, the words and the line are those of the table."""
    assert by_check(row) is not None


@pytest.mark.parametrize("row", with_("diff"))
def test_diff_names_it(row: dict[str, Any]) -> None:
    assert by_diff(row) is not None


def test_every_mistake_is_listed_once() -> None:
    ids = [row["id"] for row in rows()]
    assert len(ids) == len(set(ids))
    assert all(set(row["marks"]) <= set("SPC") for row in rows())


def test_all_is_found_that_can_be() -> None:
    """Shapes are for check, comparison for diff; what is out of reach of both has a reason."""
    commands = {"S": "check", "P": "diff"}
    missing = {
        row["id"] for row in rows() for mark in row["marks"] if mark in commands and commands[mark] not in row
    }
    assert missing == set()
    assert all(row.get("why") for row in rows() if row["marks"] == "C")


def test_the_page_is_what_the_commands_say() -> None:
    assert DOCUMENT.read_text("utf-8") == document()
