"""The server's clock, which a test can set wrong, and the headers that show it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate


@dataclass
class Clock:
    """The time as this server believes it to be."""

    skew_seconds: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.skew_seconds

    def stamp(self, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
        """The time in UTC, as the bodies of errors carry it."""
        return datetime.fromtimestamp(self.now(), UTC).strftime(form)

    def headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The headers of every answer; an error's own ids replace the ones made here."""
        request_id = str(uuid.uuid4())
        return {
            "Date": formatdate(self.now(), usegmt=True),
            "Cache-Control": "no-cache",
            "request-id": request_id,
            "client-request-id": asked.get("client-request-id", request_id),
            "x-ms-resource-unit": "1",
        }
