"""The file with the key of redaction: made when it is not there, for its owner's eyes, kept by the sender."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from auditor.redact.tokens import KEY_BYTES
from auditor.snapshot.snapshot_errors import SnapshotError

HEADER = "consent-auditor redaction key 1"
_MOST = 1000
"""A key file is shorter than this; what is longer is another file named by mistake."""


def key_of_this_run() -> bytes:
    """A key that nobody can guess, and that is forgotten."""
    return secrets.token_bytes(KEY_BYTES)


def key_from(path: str) -> tuple[bytes, bool]:
    """The key of the file, and whether the file was made now. Raises SnapshotError and OSError."""
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path), False
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(place, "w", encoding="ascii") as file:
        file.write(f"{HEADER}\n{key.hex()}\n")
    return key, True


def is_open_to_others(path: str) -> bool:
    """Whether anybody but the owner may read the file; where rights are not kept so, nobody is known to."""
    return os.name == "posix" and bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        lines = file.read(_MOST).split()
    try:
        header, key = b" ".join(lines[:-1]).decode("ascii"), bytes.fromhex(lines[-1].decode("ascii"))
    except (IndexError, ValueError):
        header, key = "", b""
    if header != HEADER or len(key) != KEY_BYTES:
        raise SnapshotError(
            path,
            "this is no redaction key file",
            hint="name the file that an earlier --redact-key made, or a file that is not there yet to make a new key.",
        )
    return key
