"""Break rules of the package one at a time and report which breaks the default tests notice.

Each entry of `tests/mutations.yaml` names a file, a snippet that occurs in it once, what takes its place, why
that is wrong, and the tests that should notice. The checkout is copied, so nothing of it changes.

    python tools/mutate.py              every mutation
    python tools/mutate.py roots pads   those whose name begins so
    python tools/mutate.py --everywhere all default tests for each, not only the ones it names

The exit status is 1 when a mutation survives, or its snippet is gone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2
from tempfile import TemporaryDirectory
from time import monotonic

import yaml

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "mutations.yaml"
TIMEOUT = 1200


@dataclass(frozen=True, slots=True)
class Mutation:
    """One wrong rule."""

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]

    def apply(self, checkout: Path) -> bool:
        """Put the wrong rule in; return False where the snippet is not there exactly once."""
        path = checkout / self.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(self.old) != 1:
            return False
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return True


def mutations() -> list[Mutation]:
    """Return the list, in its order."""
    written = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return [
        Mutation(name, entry["file"], entry["old"], entry["new"], entry["why"], tuple(entry["tests"].split()))
        for name, entry in written.items()
    ]


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of what git knows of the checkout, or would."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    ).stdout.splitlines()
    with TemporaryDirectory() as folder:
        checkout = Path(folder)
        for name in names:
            if (ROOT / name).is_file():
                (checkout / name).parent.mkdir(parents=True, exist_ok=True)
                copy2(ROOT / name, checkout / name)
        yield checkout


def first_failure(checkout: Path, tests: tuple[str, ...]) -> str | None:
    """Run default tests up to the first failure; return which test noticed, or None."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("SHAPECALC_PROFILE", None)
    command = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(tests or ("-n", "auto"))]
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        encoding="utf-8",
        cwd=checkout,
        env=environment,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode == 0:
        return None
    noticed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, flags=re.MULTILINE)
    return (
        noticed[1] if noticed else f"exit status {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"
    )


def tried(checkout: Path, mutation: Mutation, everywhere: bool) -> tuple[str, str]:
    """Return the verdict on one mutation and what says so; put the file back."""
    if not mutation.apply(checkout):
        return "gone", f"not there once: {mutation.old!r} in {mutation.file}"
    try:
        noticed = first_failure(checkout, () if everywhere else mutation.tests)
    finally:
        copy2(ROOT / mutation.file, checkout / mutation.file)
    return ("noticed", noticed) if noticed else ("survived", mutation.why)


def main(arguments: list[str]) -> int:
    """Try the mutations and print a line for each."""
    everywhere = "--everywhere" in arguments
    names = tuple(argument for argument in arguments if argument != "--everywhere") or ("",)
    chosen = [mutation for mutation in mutations() if mutation.name.startswith(names)]
    verdicts: list[str] = []
    with copied() as checkout:
        for mutation in chosen:
            begun = monotonic()
            verdict, reason = tried(checkout, mutation, everywhere)
            verdicts.append(verdict)
            print(f"{verdict:9}{mutation.name:28}{monotonic() - begun:5.0f} s  {reason}", flush=True)
    print(", ".join(f"{verdicts.count(each)} {each}" for each in ("noticed", "survived", "gone")))
    return int(verdicts.count("noticed") < len(verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
