"""Why a request cannot be applied to a snapshot."""

from __future__ import annotations


class NotApplicable(Exception):
    """The request is none of those that a fix may contain, or does not fit the snapshot."""


class Conflict(NotApplicable):
    """What the request creates is there already: Graph refuses it, and nothing changes."""
