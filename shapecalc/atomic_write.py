"""Files that are written completely or not at all: a reader never sees half of one."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from shapecalc.errors import Place, SpecError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def write_file(
    path: Path, content: bytes, before: bytes | None = None, name: str = "", *, is_new: bool = False
) -> None:
    """Write a file through a temporary one beside it; links, mode and owner stay as they are.

    `before` is the content that was read: if the file has another by now, it is not written. With `is_new`,
    no file may have the name. Raises `SpecError`, with the file's name in messages, where it cannot be
    written, also because it is read-only.
    """
    place, temporary = Place(name or str(path)), None
    try:
        target = path.resolve()
        if is_new and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "it already exists and is not overwritten")
        if target.exists() and not target.is_file():  # a terminal or a pipe
            target.write_bytes(content)
            return
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only")
        temporary = target.with_name(f".{target.name[:100]}.{os.urandom(4).hex()}.tmp")
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            status = target.stat()
            with suppress(OSError, AttributeError):
                os.chown(temporary, status.st_uid, status.st_gid)
            temporary.chmod(status.st_mode & 0o7777)
        if before is not None and target.read_bytes() != before:
            raise SpecError(
                "the file was changed while this command ran: it is left as it is now",
                place=place,
                hint="run the command again",
            )
        temporary.replace(target)
    except OSError as error:
        raise unwritten(path, error, name) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def unwritten(path: Path, error: OSError | ValueError, name: str = "") -> SpecError:
    """Return the error of a file or folder that cannot be written."""
    reason = getattr(error, "strerror", None) or error
    return SpecError(f"the file cannot be written: {reason}", place=Place(name or str(path)))


def make_folder(path: Path) -> None:
    """Make the folder of a file that is to be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unwritten(path, error) from None


def rewrite(path: Path, before: str, after: str, name: str = "") -> None:
    """Write another text into a file that still holds `before`; a byte order mark stays."""
    try:
        with path.open("rb") as stream:
            has_mark = stream.read(3) == _BYTE_ORDER_MARK
    except OSError as error:
        raise SpecError(
            f"the file cannot be read: {error.strerror}", place=Place(name or str(path))
        ) from None
    mark = _BYTE_ORDER_MARK if has_mark else b""
    write_file(path, mark + after.encode(), mark + before.encode(), name)
