"""`Undecided` says where to read on, and the place is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shapecalc
from shapecalc import Undecided, symbol

ROOT = Path(__file__).resolve().parents[2]


def test_every_undecided_names_a_page_that_is_there() -> None:
    with pytest.raises(Undecided) as caught:
        bool(symbol("H") > 5)
    path, _, anchor = Undecided.page.partition("#")
    assert str(caught.value).splitlines()[-1] == f"  help: {Undecided.page}"
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_other_errors_name_none() -> None:
    with pytest.raises(shapecalc.SpecError) as caught:
        shapecalc.loads("layers: [relu]\ninput: [x]").analyze()
    assert "help:" not in str(caught.value)
