"""Files are written whole or not at all, and nobody but their owner may read what is new."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: str | os.PathLike[str], data: bytes, *, keep_mode: bool = False) -> None:
    """Put a file with `data` in the place of `path` at once, or leave everything as it was. Raises OSError.

    Only its owner may read it, unless it replaces a file and `keep_mode` hands on who may. A link is followed.
    Something that is there and is no file (a terminal, a pipe) is written into.
    """
    named = Path(path)
    if named.exists() and not named.is_file() and not named.is_dir():
        named.write_bytes(data)
        return
    target = named.resolve()
    if target.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(path))
    mode = stat.S_IMODE(target.stat().st_mode) if keep_mode and target.exists() else None
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".consent-auditor-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
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
    """Make the new name last through a power cut, where the system can do that."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
