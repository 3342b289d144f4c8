"""Three tiers of the tests: `quick` (the default), `ci` and `thorough`, chosen with `SHAPECALC_PROFILE=ci`.

    quick       every law over every kind with a few draws, every golden text, a slice of what takes long
    ci          every case of every test, and twelve times as many draws
    thorough    as `ci`, with twenty times as many draws again

What takes long is marked: the quick tier runs n cases of a test with `sample(n)`, and none of one with `ci`.
A test named by its node id on the command line runs in any tier, with all its cases.

`--update-golden` rewrites the golden texts under tests/golden, and the transcripts of the README.
`--where KIND` lists the tests that cover a kind, and runs none.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shapecalc.errors import ShapecalcError
from tests.support.tiers import split
from tests.support.where import listing

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = True
"""Some hundred tests start a process, which would compile the package anew; sources that tests write are not kept."""

TIER = os.environ.get("SHAPECALC_PROFILE", "quick")
DRAWS = {"quick": 10, "ci": 120, "thorough": 2400}
"""How many configurations are drawn per property; the properties run once for every kind."""

for tier, draws in DRAWS.items():
    settings.register_profile(
        tier,
        max_examples=draws,
        deadline=None,
        print_blob=True,
        derandomize=tier != "thorough",  # the same verdict on the same code; the thorough tier looks for more
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
settings.load_profile(TIER)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks of what takes long."""
    config.addinivalue_line("markers", "ci: not in the quick tier")
    config.addinivalue_line("markers", "sample(n): no more than n cases in the quick tier")
    config.addinivalue_line(
        "markers", "recorded_anew: imports are recorded again at other sizes, as users have it"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Let imports answer by their first recording, so that a test sees what it does not hold for."""
    with pytest.MonkeyPatch.context() as patched:
        if item.path.parent.name == "torch" and item.get_closest_marker("recorded_anew") is None:
            from shapecalc.bridges.torch.tracer.witness import ModuleWitness

            patched.setattr(ModuleWitness, "recorded_at", lambda *_: None)
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the quick tier does not run."""
    if TIER == "quick" and not config.getoption("--where"):
        named = tuple(argument for argument in config.args if "::" in argument)
        items[:], left_out = split(items, named)
        if left_out:
            config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of the garbage collector's sight: it stays to the end."""
    gc.collect()
    gc.freeze()


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
