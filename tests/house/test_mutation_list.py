"""The list of wrong rules is of this code: each snippet is there once, and the tests that should notice are there."""

from __future__ import annotations

import pytest

from tools.mutate import ROOT, Mutation, mutations

MUTATIONS = mutations()


def test_there_are_forty_over_many_rooms() -> None:
    rooms = {"/".join(mutation.file.split("/")[1:-1]) for mutation in MUTATIONS}
    assert len(MUTATIONS) >= 40
    assert len(rooms) >= 12


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_snippet_is_there_once_and_its_tests_are(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    assert mutation.new != mutation.old
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutation.tests)
