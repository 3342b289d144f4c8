"""Finding a spec: a bundled name, a variant in a bundled family, a file, or text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from shapecalc.errors import Place, SpecError, nearest, quote
from shapecalc.spec.located_text import LARGEST_FILE

READERS = {
    ".keras": "shapecalc.bridges.keras.keras_file:from_keras_file",
    ".onnx": "shapecalc.bridges.onnx.onnx_api:from_onnx",
}
"""What reads a file that is no text of a spec, by its suffix: a function that takes the path."""

_VARIANT = re.compile(rb"^  ([A-Za-z0-9_]+):", re.MULTILINE)


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return the folder of the bundled specs, in an installed package or in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


def bundled() -> dict[str, Path]:
    """Return every bundled name with its file: of a family, the variants."""
    files: dict[str, Path] = {}
    for path in sorted(folder().rglob("*.yaml")):
        stem = path.relative_to(folder()).with_suffix("").as_posix()
        members = variants_in(path.read_bytes())
        files |= dict.fromkeys(members or [stem], path)
    return dict(sorted(files.items(), key=lambda item: _natural(item[0])))


def names() -> list[str]:
    """Return the names of the bundled models."""
    return [*bundled()]


def variants_in(text: bytes) -> list[str]:
    """Return the names of the variants in a spec's text, read without parsing all of it."""
    _, has_variants, after = text.partition(b"\nvariants:")
    if not has_variants:
        return []
    section = re.split(rb"^\S", after.partition(b"\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return [name.decode() for name in _VARIANT.findall(section)]


def locate(name: str) -> tuple[Path, str | None]:
    """Return the file of a name or path, and the variant in it that is meant, as in `net.yaml:small`.

    Raises `SpecError` with the nearest bundled names when there is none.
    """
    if not name or len(name) > 1000 or "\0" in name:
        raise SpecError(f"{quote(name)} is neither a name nor a file")
    if re.fullmatch(r"\w+(/\w+)*", name, re.ASCII):
        direct = folder() / f"{name}.yaml"
        if direct.is_file():
            return direct, None
        wanted = name.encode()
        for path in folder().rglob("*.yaml"):
            text = path.read_bytes()
            if wanted in text and name in variants_in(text):
                return path, name
    path = Path(name)
    file, _, variant = name.rpartition(":")
    if variant.isidentifier() and not path.exists() and Path(file).is_file():
        return Path(file), variant
    if path.suffix or "/" in name or path.exists():
        return path, None
    raise SpecError(
        f"no bundled model and no file is called {quote(name)}{nearest(name, [*bundled()])}",
        hint="`shapecalc list` shows the bundled models",
    )


def is_model_file(path: str | Path) -> bool:
    """Say whether a path is, by its suffix, the file of another framework, which a reader takes.

    >>> is_model_file("nets/net.onnx"), is_model_file("net.yaml")
    (True, False)
    """
    return Path(path).suffix.lower() in READERS


def reader_of(path: Path) -> Callable[[Path], Any]:
    """Return the function that makes a model of the file of another framework."""
    module, _, name = READERS[path.suffix.lower()].partition(":")
    function: Callable[[Path], Any] = getattr(import_module(module), name)
    return function


def is_configuration(source: str) -> bool:
    """Say whether a file is a configuration of the transformers library, which a spec in JSON is not."""
    if not source.endswith(".json"):
        return False
    try:
        with Path(source).open("rb") as stream:
            fields = json.loads(stream.read(LARGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and isinstance(fields.get("model_type"), str) and "layers" not in fields


def short(path: Path) -> str:
    """Return a path as it is shown: from the working directory where the file lies under it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def read_file(path: Path, largest: int = LARGEST_FILE) -> str:
    """Return the text of a spec or a document; raise `SpecError` for a file that cannot be read."""
    place = Place(short(path))
    try:
        if path.is_dir():
            raise SpecError("this is a folder, not a file", place=place)
        with path.open("rb") as stream:
            raw = stream.read(largest + 1)
    except FileNotFoundError:
        raise SpecError("there is no such file", place=place) from None
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", place=place) from None
    return decoded(raw, short(path), largest)


def decoded(raw: bytes, file: str, largest: int = LARGEST_FILE) -> str:
    """Return bytes as text; raise `SpecError` for what is too large or not UTF-8."""
    if len(raw) > largest:
        raise SpecError(f"the text is larger than {largest >> 20} MiB", place=Place(file))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        lines = raw[: error.start].decode().split("\n")
        raise SpecError("the text is not UTF-8", place=Place(file, len(lines), len(lines[-1]) + 1)) from None


def _natural(name: str) -> list[tuple[int, int | str]]:  # resnet18 comes before resnet101
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name)]
