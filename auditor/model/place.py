"""Where a rule is written, so that a tool can point at it."""

from __future__ import annotations

import msgspec


class RulePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a pack's file.

    `file` is ``rules/NAME.yaml`` for a shipped pack, else the path below the working directory, or the file's name
    alone where it lies elsewhere: a report does not tell where somebody's home folder is.
    """

    file: str
    line: int
