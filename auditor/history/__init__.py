"""Keep every run of every tenant, in SQLite or PostgreSQL."""

from __future__ import annotations

from auditor.history.errors import HistoryError, NoHistory, NoSuchRun, RunInProgress
from auditor.history.location import STATE_VARIABLE, locate, state_folder
from auditor.history.store import History, open_history

__all__ = [
    "STATE_VARIABLE",
    "History",
    "HistoryError",
    "NoHistory",
    "NoSuchRun",
    "RunInProgress",
    "locate",
    "open_history",
    "state_folder",
]
