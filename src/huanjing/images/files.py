"""Reading a file that somebody else named: it may be anything, and must never block or grow without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from huanjing.errors import PictureError

# Absent flags are those of the other kind of system: O_BINARY is Windows', the others are not.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_KINDS = (
    (stat.S_ISDIR, "is a folder, not a picture"),
    (stat.S_ISFIFO, "is a named pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)

_BLOCK = 1 << 20


def read_regular_file(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Return all bytes of the regular file at ``path``, or of the one that it links to.

    The bytes are read rather than mapped, because a mapped file that another process shortens kills the
    reader. Raises PictureError where there is no such file, it is not a regular one, may not be read, is
    empty, or holds more than ``max_bytes``.
    """
    try:
        # Opening a device can have effects of its own, so it is asked first; the descriptor is asked again
        # because the name can point to something else by then.
        _refuse_other_kinds(path, Path(path).stat())
        descriptor = os.open(path, _FLAGS)
        try:
            status = os.fstat(descriptor)
            _refuse_other_kinds(path, status)
            if status.st_size > max_bytes:
                raise PictureError(path, too_many_bytes(status.st_size, max_bytes))
            data = _read_at_most(descriptor, max_bytes + 1, status.st_size)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise PictureError(path, _missing(path)) from error
    except PermissionError as error:
        raise PictureError(path, "may not be read: permission denied") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PictureError(path, f"cannot be read: {reason}") from error
    if len(data) > max_bytes:
        raise PictureError(path, too_many_bytes(len(data), max_bytes))
    if not data:
        raise PictureError(path, "the file is empty")
    return data


def too_many_bytes(size: int, max_bytes: int) -> str:
    """The reason for refusing ``size`` bytes where ``max_bytes`` are allowed."""
    return f"is too large: {size:,} bytes, and the limit is {max_bytes:,}"


def _missing(path: str | os.PathLike[str]) -> str:
    return "is a link to a file that does not exist" if Path(path).is_symlink() else "does not exist"


def _refuse_other_kinds(path: str | os.PathLike[str], status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise PictureError(path, reason)
    raise PictureError(path, "is not a regular file")


def _read_at_most(descriptor: int, most: int, expected: int) -> bytes:
    """Read to the end or ``most`` bytes; ``expected`` only sizes the first read: a file may be growing."""
    blocks: list[bytes] = []
    wanted = min(expected + 1, most)
    while most > 0:
        block = os.read(descriptor, min(wanted, most))
        if not block:
            break
        blocks.append(block)
        most -= len(block)
        wanted = _BLOCK
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)
