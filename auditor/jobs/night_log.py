"""The log of a nightly run on standard error: one JSON object a line, or text for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

LEVELS = ("debug", "info", "warning", "error")


class NightLog:
    """Writes what happens. `now` is the clock, in UTC as text; `write` prints one line.

    As JSON, each line has the time, the level, the event (a name that stays the same), the message for people, the id
    of the night, and, where they are known, the tenant, the id of its run and the request ids of Microsoft Graph. As
    text, only what needs attention is printed, because the results are on standard output.
    """

    def __init__(self, write: Callable[[str], None], now: Callable[[], str], *, as_json: bool, night: str = "") -> None:
        self._write = write
        self._now = now
        self._as_json = as_json
        self._night = night

    def info(self, event: str, message: str, **fields: Any) -> None:
        """Something that is as expected."""
        self._line("info", event, message, fields)

    def warning(self, event: str, message: str, **fields: Any) -> None:
        """Something that needs attention, but not the audit."""
        self._line("warning", event, message, fields)

    def notice(self, event: str, message: str, **fields: Any) -> None:
        """Something that needs attention, and that the result on standard output says, too."""
        self._line("warning", event, message, fields, is_in_result=True)

    def error(self, event: str, message: str, **fields: Any) -> None:
        """Something that wasn't done."""
        self._line("error", event, message, fields)

    def _line(
        self, level: str, event: str, message: str, fields: dict[str, Any], *, is_in_result: bool = False
    ) -> None:
        if self._as_json:
            known = {name: value for name, value in fields.items() if value not in ("", None, ())}
            head = {"time": self._now(), "level": level, "event": event, "message": message, "night": self._night}
            self._write(json.dumps(head | known, ensure_ascii=True))
        elif level != "info" and not is_in_result:
            who = f"{fields['tenant']}: " if fields.get("tenant") else ""
            self._write(f"{level.capitalize()}: {who}{message}")
