"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from auditor.atomic import make_folder, open_private
from auditor.history.errors import RunInProgress

_NOTICE_LOSS = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""Makes the server notice within a minute that the machine of the other end is gone, and release its locks. By default,
it waits for two hours (PostgreSQL's documentation, "Connections and Authentication")."""


def _busy(tenant: str) -> RunInProgress:
    return RunInProgress(
        f"another run of {tenant} is in progress",
        advice="Wait until it has ended. If no other run exists, its process was stopped: the lock ends with it.",
    )


class FileLocks:
    """One empty file for each tenant, locked by the operating system while a run is in progress.

    The folder of the locks is next to the database. The files stay until their tenant is forgotten.
    """

    def __init__(self, database: Path) -> None:
        self.folder = database.with_name(f"{database.name}-locks")

    @contextmanager
    def hold(self, tenant: str) -> Iterator[None]:
        """Hold the lock of a tenant. Raises RunInProgress, and OSError."""
        make_folder(self.folder)
        path = self._file_of(tenant)
        while True:
            handle = open_private(path)
            try:
                if not _lock(handle):
                    raise _busy(tenant)
                if not _is_still(handle, path):
                    # It was deleted after it was opened: another process could lock a new file of this name.
                    continue
                yield
                return
            finally:
                # Closing releases the lock, as the end of the process does.
                os.close(handle)

    def remove(self, tenant: str) -> None:
        """Delete the file of a lock that is held. Windows doesn't delete an open file: there, the empty file stays."""
        with suppress(OSError):
            self._file_of(tenant).unlink()

    def _file_of(self, tenant: str) -> Path:
        return self.folder / f"{_name(tenant)}.lock"


class ServerLocks:
    """Advisory locks of PostgreSQL, on one connection that lives as long as a lock is held."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._held: set[str] = set()
        self._guard = threading.Lock()

    @contextmanager
    def hold(self, tenant: str) -> Iterator[None]:
        """Hold the lock of a tenant. Raises RunInProgress, and what SQLAlchemy raises."""
        with self._guard:
            if tenant in self._held:
                raise _busy(tenant)
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._connection.execute(text(_NOTICE_LOSS))
            is_free = self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": number_of(tenant)})
            if not is_free:
                raise _busy(tenant)
            self._held.add(tenant)
        try:
            yield
        finally:
            with self._guard:
                self._held.discard(tenant)
                self._release(tenant)

    def remove(self, tenant: str) -> None:
        """Nothing: a lock of the server leaves nothing behind."""

    def _release(self, tenant: str) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": number_of(tenant)})
        except SQLAlchemyError:
            # The server released every lock of a connection that broke.
            connection.invalidate()
        if not self._held:
            self._connection = None
            connection.close()


def number_of(name: str) -> int:
    """The 64-bit number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(f"consent-auditor/{name}".encode()).digest()[:8], "big", signed=True)


def _is_still(handle: int, path: Path) -> bool:
    """Whether an open file is the one at the path."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _name(tenant: str) -> str:
    return hashlib.sha256(tenant.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _lock(handle: int) -> bool:
    """Lock an open file without waiting; whether that worked."""
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        # flock, not lockf: it also holds between two runs in one process.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
