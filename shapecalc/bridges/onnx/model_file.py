"""Reading an ONNX file by its structure."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto

from shapecalc.errors import Place, SpecError
from shapecalc.spec.find import short


def read_model(path: Path) -> ModelProto:
    """Return the model in a file, without external data."""
    try:
        return onnx.load(str(path), load_external_data=False)
    except FileNotFoundError:
        raise SpecError("there is no such file", place=Place(short(path))) from None
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", place=Place(short(path))) from None
    except DecodeError:
        raise SpecError("this is no ONNX model", place=Place(short(path))) from None
