"""What keeps a report from being made in the format that was asked for."""

from __future__ import annotations

from auditor.model.errors import AuditorError


class UnknownFormat(LookupError):
    """There is no format of this name; the message lists those that there are."""


class FormatUnavailable(AuditorError):
    """A format needs what is not installed here; the message ends with how to install it."""
