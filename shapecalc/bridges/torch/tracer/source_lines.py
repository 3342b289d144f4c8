"""The user's line behind a call in a forward: the innermost one that is not of torch or of a helper."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from sysconfig import get_path
from types import CodeType, FrameType

from shapecalc.errors import Place

_PLACES: dict[tuple[int, int], tuple[CodeType, Place]] = {}
"""Places by the identity of the code, which is kept so that it stays one, and the instruction."""
_MOST_PLACES = 4096
_LIBRARIES = ("torch", "shapecalc", "einops")
_ENTRY = str(Path(__file__).with_name("module_run.py"))
"""The module that runs the forward: what is outside of it is not the user's network."""


@lru_cache(maxsize=4096)
def is_users(file: str) -> bool:
    """Return whether a file is of the user: neither of a library in between, nor of Python's own."""
    if file.startswith("<"):
        return False
    homes = [str(Path(sys.modules[name].__file__ or "").parent) for name in _LIBRARIES if name in sys.modules]
    standard = get_path("stdlib")
    return not file.startswith(tuple(f"{home}/" for home in homes)) and (
        not file.startswith(standard) or "-packages" in file.removeprefix(standard)
    )


def frame_place(frame: FrameType) -> Place:
    """Return the line and column of the call that a frame is in."""
    key = id(frame.f_code), frame.f_lasti
    if key not in _PLACES:
        if len(_PLACES) >= _MOST_PLACES:
            _PLACES.clear()
        _PLACES[key] = frame.f_code, _frame_place(frame)
    return _PLACES[key][1]


def _frame_place(frame: FrameType) -> Place:
    positions = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    file, line, offset = frame.f_code.co_filename, positions[0] or frame.f_lineno, positions[2]
    if offset is None:
        return Place(file, line)
    text = linecache.getline(file, line)  # Python counts bytes
    column = offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))
    return Place(file, line, column + 1)


def place_in(frames: Iterator[FrameType]) -> Place:
    """Return the place of the first frame, from the innermost on, that is of the user."""
    frame = next((frame for frame in frames if is_users(frame.f_code.co_filename)), None)
    return Place() if frame is None else frame_place(frame)


def frame_above(count: int) -> FrameType:
    """Return the frame of the function that calls this, or of the one so many calls outside of it."""
    return sys._getframe(count + 1)  # noqa: SLF001  (inspect.stack reads source files, a thousand times slower)


def current_place() -> Place:
    """Return the user's line that is running now, in a forward that is traced."""
    return place_in(_callers(frame_above(0)))


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None and frame.f_code.co_filename != _ENTRY:
        yield frame
        frame = frame.f_back
