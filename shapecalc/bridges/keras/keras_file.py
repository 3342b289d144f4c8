"""A `.keras` file as a `Model`: its config alone is read, neither code nor weights; Keras is not needed."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from shapecalc.bridges.keras.config_graph import ConfigGraph, is_model
from shapecalc.bridges.keras.keras_model import first_accepted
from shapecalc.errors import Located, Place, SpecError, quote
from shapecalc.model import Model
from shapecalc.spec.find import short

_LARGEST = 64 << 20
"""No config has more bytes."""
_MISREAD = (KeyError, TypeError, ValueError, IndexError, AttributeError, AssertionError, RecursionError)


def from_keras_file(path: Path) -> Model:
    """Return the model of a `.keras` file; raise `SpecError` for what is none, or has classes of its own."""
    place = Place(short(path))
    try:
        return model_of_config(json.loads(config_in(path)))
    except Located as error:
        raise SpecError(error.message, place=place, path=error.path, hint=error.hint) from error
    except _MISREAD as error:
        raise SpecError("the config in the file is not that of a Keras model", place=place) from error


def config_in(path: Path) -> bytes:
    """Return the text of the config in a file."""
    try:
        with ZipFile(path) as archive, archive.open("config.json") as stream:
            text = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise SpecError("there is no such file") from None
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror or error}") from None
    except (BadZipFile, zlib.error, KeyError, NotImplementedError, EOFError, RuntimeError):
        raise SpecError("this is not a `.keras` file: a zip archive with a config.json") from None
    if len(text) > _LARGEST:
        raise SpecError(f"its config is larger than {_LARGEST >> 20} MiB")
    return text


def model_of_config(written: Any) -> Model:
    """Return the model of a config."""
    if not is_model(written):
        raise SpecError(
            f"{quote(written['class_name'])} is a class of one's own, whose code is not in the file",
            hint="import it in Python, and give the model to shapecalc.from_keras",
        )
    graph, opened = ConfigGraph().run(written)
    return first_accepted(opened, lambda shapes, batch: graph)[0]
