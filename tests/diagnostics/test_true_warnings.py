"""No false alarm: `check` finds no error in a published network, and each warning is listed as true."""

from __future__ import annotations

from tools.true_warnings import DOCUMENT, document, justified, published, said, table


def test_no_published_network_has_an_error() -> None:
    assert len(published()) >= 60
    assert [(name, one) for name, found in said().items() for one in found if one.severity == "error"] == []


def test_every_warning_and_note_is_justified() -> None:
    """And nothing is justified that is not said any more."""
    assert {(one.code, name) for name, found in said().items() for one in found} == justified()


def test_each_code_says_what_it_means_and_each_network_why() -> None:
    for known in table().values():
        assert known["means"].endswith(".")
        assert all(group["why"].endswith(".") for group in known["found"])


def test_the_page_is_what_the_command_says() -> None:
    assert DOCUMENT.read_text("utf-8") == document()
