"""Hypothesis profiles: `ci` (the default) and `thorough`, ten times as long.

Choose with `SHAPECALC_PROFILE=thorough` or with pytest's own `--hypothesis-profile=thorough`.

`--update-golden` rewrites the golden texts under tests/golden, and the transcripts of the README.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shapecalc.errors import ShapecalcError
from tests.support.where import listing

EXAMPLES = 120
"""Configurations per property in the `ci` profile; the properties run once for every kind."""

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "ci", max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "thorough",
    max_examples=20 * EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "quick", max_examples=10, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("SHAPECALC_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`: write what is printed now into the golden files instead of comparing.

    Look at the difference (`git diff tests/golden README.md`) before you commit it.
    """
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")
    parser.addoption("--where", metavar="KIND", help="list the tests that cover a kind, and run none")


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """List the tests of a kind instead of running any, where `--where` says so."""
    kind = session.config.getoption("--where")
    if kind is None:
        return None
    try:
        sys.stdout.write(f"\n{listing(session.items, kind)}\n")
    except ShapecalcError as error:
        raise pytest.UsageError(str(error)) from error
    return True


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name under tests/golden."""

    def compare(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        else:
            assert text == path.read_text(encoding="utf-8")

    return compare
