"""The time of a report, for formats whose readers calculate with it."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(taken: str) -> datetime | None:
    """The time in UTC; none where it was not recorded or is not a time. One without an offset is taken for UTC."""
    try:
        found = datetime.fromisoformat(taken)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(at: datetime) -> str:
    """A time in UTC as ``2026-11-22T02:00:00Z``, with parts of a second where it has them."""
    return f"{at.replace(tzinfo=None).isoformat()}Z"
