"""Reading an ONNX file by its structure: the numbers of large tensors are skipped where they are.

An ONNX file is a protocol buffer: fields, each a number, a type and a value, which may be a message of such
fields again. Messages that are large are read field by field, all others are copied as they are.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from google.protobuf.message import DecodeError
from onnx import ModelProto

from shapecalc.errors import Place, SpecError
from shapecalc.spec.find import short

Bytes: TypeAlias = "bytes | mmap.mmap"

MOST_NODES = 100_000
"""A graph with more nodes is refused."""
_MOST_STRUCTURE = 2**28
"""So is a file with more bytes than this beside the numbers of its tensors."""
_LARGE = 2**16
"""Messages up to this many bytes are copied: a tensor above it has no value that is followed."""
_DEEPEST = 60

_NUMBERS: Mapping[int, str] = dict.fromkeys((4, 5, 6, 7, 9, 10, 11), "numbers")
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "numbers", 25: "function"},
    "graph": {1: "node", 5: "tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": _NUMBERS,
}
"""The messages by the number of their field in others; `numbers` are left out."""
_LENGTH_DELIMITED = 2
_FIXED = {1: 8, 5: 4}
"""The bytes of a value by its type."""


class _NoModelError(Exception):
    """The bytes are no protocol buffer of ONNX."""


def read_model(path: Path) -> ModelProto:
    """Return the model in a file, without the numbers of large tensors and without external data."""
    place = Place(short(path))
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            if stream.tell() == 0:
                raise SpecError("the file is empty", place=place)
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                model = ModelProto()
                model.ParseFromString(_structure(data))
    except FileNotFoundError:
        raise SpecError("there is no such file", place=place) from None
    except OSError as error:
        raise SpecError(f"the file cannot be read: {error.strerror}", place=place) from None
    except (_NoModelError, DecodeError):
        raise SpecError("this is no ONNX model, or not all of one", place=place) from None
    if not model.HasField("graph"):
        raise SpecError("this is no ONNX model: it has no graph", place=place)
    return model


def _structure(data: Bytes) -> bytes:
    reader = _Reader(data)
    return b"".join(reader.message("model", 0, len(data), 0))


class _Reader:
    """Copies a message without the numbers of tensors."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.copied = 0
        self.nodes = 0

    def message(self, kind: str, start: int, end: int, depth: int) -> list[bytes]:
        """Return the parts of a message that lies between two positions."""
        if depth > _DEEPEST:
            raise _NoModelError
        parts: list[bytes] = []
        inside = _INSIDE[kind]
        for number, first, value, after in self._fields(start, end):
            what = inside.get(number, "")
            self.nodes += what == "node"
            if self.nodes > MOST_NODES:
                raise SpecError(f"the graph has more than {MOST_NODES:,} nodes")
            if what == "numbers":
                continue
            if what and after - value > _LARGE:
                content = self.message(what, value, after, depth + 1)
                parts += [_varint(number << 3 | _LENGTH_DELIMITED), _varint(sum(map(len, content))), *content]
                continue
            self.copied += after - first
            if self.copied > _MOST_STRUCTURE:
                raise SpecError(f"the file has more than {_MOST_STRUCTURE >> 20} MiB beside its weights")
            parts.append(self.data[first:after])
        return parts

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the fields between two positions: number, and where it, its value and the next begin."""
        position = start
        while position < end:
            first = position
            key, position = self._integer(position)
            kind = key & 7
            if kind == _LENGTH_DELIMITED:
                length, position = self._integer(position)
                after = position + length
            elif kind in _FIXED:
                after = position + _FIXED[kind]
            elif kind == 0:
                after = self._integer(position)[1]
            else:
                raise _NoModelError
            if after > end:
                raise _NoModelError
            yield key >> 3, first, position, after
            position = after

    def _integer(self, position: int) -> tuple[int, int]:
        """Return an integer of seven bits a byte, and the position behind it."""
        result = shift = 0
        while shift < 70:
            if position >= len(self.data):
                raise _NoModelError
            byte = self.data[position]
            result |= (byte & 0x7F) << shift
            position += 1
            if byte < 0x80:
                return result, position
            shift += 7
        raise _NoModelError


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
