"""Write a file completely or not at all, so that only its owner can read a new one."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_whole(path: str | os.PathLike[str], data: bytes, *, keep_mode: bool = False) -> None:
    """Replace the file `path` with `data` in one step, or leave everything unchanged. Raises OSError.

    Only its owner can read the file, unless it replaces a file and `keep_mode` keeps that file's permissions. Links are
    followed. If `path` exists and isn't a regular file (a terminal, a pipe), `data` is written to it directly.
    """
    with written_whole(path, keep_mode=keep_mode) as file:
        file.write(data)


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str], *, keep_mode: bool = False) -> Iterator[BinaryIO]:
    """The file to write what replaces `path` when the block ends without an error; as `write_whole`."""
    named = Path(path)
    if named.exists() and not named.is_file() and not named.is_dir():
        with named.open("wb") as file:
            yield file
        return
    target = named.resolve()
    if target.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(path))
    mode = stat.S_IMODE(target.stat().st_mode) if keep_mode and target.exists() else None
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".consent-auditor-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new name survive a power failure, on systems that support it."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
