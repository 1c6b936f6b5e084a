"""Errors of the other packages as one clear message that says what to do next, with its exit code."""

from __future__ import annotations

from typing import NamedTuple

import click

from auditor.model.errors import NO_AUDIT, USAGE, AuditorError, InvalidRequest


class Explained(NamedTuple):
    """What to print, and how to exit."""

    text: str
    exit_code: int


def explained(error: Exception) -> Explained | None:
    """The message for `error`; ``None`` for what only a bug of this program can raise.

    Classes are compared by name along the inheritance, so that an error of a package that was never imported does not
    import it now.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if "PackError" in names:
        return Explained(f"Error: the rules can't be used:\n{error}", USAGE)
    if "SnapshotError" in names:
        text, hint = str(error), str(getattr(error, "hint", ""))
        if hint:
            text = f"{text.removesuffix(hint)}What to do: {hint}"
        return Explained(f"Error: {text}", USAGE)
    if names & {"RequestError", "ShippedDataMissing", "AssumptionError", "FormatUnavailable"}:
        return Explained(f"Error: {error}.", USAGE)
    if names & {"GraphError"}:
        return _with_advice("No audit was made", error, NO_AUDIT)
    if isinstance(error, AuditorError):
        return _with_advice(error.heading, error, error.exit_code)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        return Explained(
            f"Error: {place}{reason}\nWhat to do: check the path, its permissions and the disk, or use another place.",
            USAGE,
        )
    return None


def _with_advice(heading: str, error: Exception, exit_code: int) -> Explained:
    advice = getattr(error, "advice", "")
    end = "." if heading == "Error" else ""
    return Explained(f"{heading}: {error}{end}" + (f"\nWhat to do: {advice}" if advice else ""), exit_code)


class AuditCommand(click.Command):
    """A command whose invalid requests are shown with its usage, as click shows its own."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InvalidRequest as error:
            raise click.UsageError(str(error), ctx) from error
