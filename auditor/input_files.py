"""Read the files that a person or the environment names, none of which can keep the program waiting for ever.

A file can be a pipe, a terminal or a device. A pipe that no program writes to is an error: to open it would wait for
a program that may never start. Devices are read as far as the caller's limit.
"""

from __future__ import annotations

import errno
import math
import os
import select
import stat
import time
from collections.abc import Callable

_POSIX = os.name == "posix"
_AT_ONCE = 2**20


class NoWriter(OSError):
    """The file is a pipe that no program writes to."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(errno.ENXIO, "it is a pipe that no program writes to", os.fspath(path))


def input_bytes(
    path: str | os.PathLike[str],
    most: int,
    *,
    patience: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """The content of a file or a pipe, at most `most` + 1 bytes of it, so that the caller finds what is too large.

    `patience` is how many seconds a pipe or a terminal may take; without it, a pipe is read as long as its program
    runs, as standard input is. Raises OSError (TimeoutError is one) with a `strerror` for people, and ValueError for a
    path that no file can have.
    """
    handle = os.open(path, os.O_RDONLY | waiting_for_nothing())
    try:
        return read_opened(handle, path, most, patience=patience, clock=clock)
    finally:
        os.close(handle)


def waiting_for_nothing() -> int:
    """The flags with which `os.open` returns at once, whatever the path is."""
    return (os.O_NONBLOCK | os.O_NOCTTY) if _POSIX else getattr(os, "O_BINARY", 0)


def read_opened(
    handle: int,
    path: str | os.PathLike[str],
    most: int,
    *,
    patience: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """The same for a file that was opened with the flags of `waiting_for_nothing`; `path` names it in errors."""
    until = None if patience is None else clock() + patience
    data = bytearray()
    while len(data) <= most:
        try:
            part = os.read(handle, min(_AT_ONCE, most + 1 - len(data)))
        except BlockingIOError:
            left = None if until is None else max(0.0, until - clock())
            if not _has_more(handle, left):
                said = f"nothing came out of it for {math.ceil(patience or 0)} seconds"
                raise TimeoutError(errno.ETIMEDOUT, said, os.fspath(path)) from None
            continue
        if not part:
            break
        data += part
    if not data and stat.S_ISFIFO(os.fstat(handle).st_mode):
        raise NoWriter(path)
    return bytes(data)


def _has_more(handle: int, seconds: float | None) -> bool:
    """Wait until there is something to read, or the end of it; false if that takes longer than `seconds`."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(None if seconds is None else 1000 * seconds))
