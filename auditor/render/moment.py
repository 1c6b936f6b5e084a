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
