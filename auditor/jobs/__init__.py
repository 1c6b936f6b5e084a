"""What the commands do: each job combines the packages below it to answer one request."""

from __future__ import annotations

from datetime import UTC, datetime

from auditor.model.document import utc_text


def now() -> str:
    """The present time, as UTC text in seconds. It is the only time that a report contains."""
    return utc_text(datetime.now(UTC))
