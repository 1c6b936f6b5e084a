"""What can go wrong with a history, each in one sentence, with what to do about it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from auditor.model.errors import AuditorError, InUse


class HistoryError(AuditorError):
    """The history can't be opened, read or written; the message says why and ends with what to do."""


class NoHistory(HistoryError):
    """There is no history at this place yet."""


class RunInProgress(HistoryError, InUse):
    """Another process is making a run of the same tenant right now."""


class NoSuchRun(HistoryError):
    """The history has no run with this id."""


_DAMAGED = "Move the file away and copy a backup to its place, or start with a new history."
_FULL = "Nothing was changed. Free some space, or delete old runs with 'consent-auditor history prune', then run again."

_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: ("the disk is full", _FULL),
    sqlite3.SQLITE_READONLY: (
        "it can't be written by this user",
        "Run as the user who owns it, or name another history.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file can't be opened",
        "Check its path and permissions, or name another history.",
    ),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", _DAMAGED),
    sqlite3.SQLITE_NOTADB: ("the file isn't an SQLite database", "Check the path, or name another history."),
    sqlite3.SQLITE_BUSY: (
        "another process is writing to it for a long time",
        "Wait until that process has ended, then run again.",
    ),
}
"""By the primary code of SQLite (https://www.sqlite.org/rescode.html), the lower eight bits."""

_BY_POSTGRESQL_CLASS = {
    "08": ("the connection to the server failed", "Check that the server runs and can be reached, then run again."),
    "28": ("the server refused the user or the password", "Check the URL in the environment or the secret."),
    "3D": ("the server has no such database", "Create it first: CREATE DATABASE …"),
    "42501": ("the user of the URL has too few permissions", "Grant it CREATE and USAGE on the schema."),
    "25006": ("the server only allows reading", "Name the primary server in the URL."),
    "53100": ("the disk of the server is full", _FULL),
    "53": ("the server has too few resources", "Run again later, or raise the limits of the server."),
    "57": ("the server is shutting down or cancelled the query", "Run again when it's up."),
}
"""By the error code of PostgreSQL or its class (its documentation, appendix A)."""


def explained(error: BaseException, place: str) -> HistoryError:
    """The error for `place`, the name of the history for people. Never quotes a URL or a statement."""
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    what, advice = _reason(cause)
    return HistoryError(f"the history {place} can't be used: {what}", advice=advice)


def _reason(cause: BaseException) -> tuple[str, str]:
    code = getattr(cause, "sqlite_errorcode", None)
    if isinstance(code, int) and (found := _BY_SQLITE_CODE.get(code & 0xFF)):
        return found
    state = getattr(cause, "sqlstate", None) or ""
    for key in (state, state[:2]):
        if key and (found := _BY_POSTGRESQL_CLASS.get(key)):
            return found
    if isinstance(cause, OSError):
        if cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return _BY_SQLITE_CODE[sqlite3.SQLITE_FULL]
        return (cause.strerror or "it can't be opened").lower(), "Check the path and its permissions."
    if type(cause).__module__.startswith("psycopg") and not state:
        # psycopg has no code for a connection that was never made. Its text can hold names from the URL.
        return _BY_POSTGRESQL_CLASS["08"]
    if isinstance(cause, sqlite3.Error):
        return f"SQLite says: {cause}", "Check the disk and the file, then run again."
    return f"the database reports {state or type(cause).__name__}", "Check the server's log, then run again."


@contextmanager
def explaining(place: str) -> Iterator[None]:
    """Raise what a database or the file system reports as a `HistoryError`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise explained(error, place) from error
