"""Turn an error into the message that a command prints and the exit code that it ends with."""

from __future__ import annotations

from typing import NamedTuple

import click

from auditor.model.errors import USAGE, AuditorError, InvalidRequest


class Explained(NamedTuple):
    """What to print, and how to exit."""

    text: str
    exit_code: int


def explained(error: Exception) -> Explained | None:
    """The message for `error` and its exit code; ``None`` for an error that only a bug in this program can raise."""
    if isinstance(error, AuditorError):
        return Explained(error.explanation, error.exit_code)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        return Explained(
            f"Error: {place}{reason}\nWhat to do: check the path, its permissions and the disk, or use another path.",
            USAGE,
        )
    return None


class AuditCommand(click.Command):
    """A command that shows an invalid request with its usage line, as click shows its own usage errors."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InvalidRequest as error:
            raise click.UsageError(str(error), ctx) from error
