"""Errors of the rooms below as one clear message that says what to do next, and its exit code."""

from __future__ import annotations

from typing import NamedTuple

from auditor.cli import exits


class Explained(NamedTuple):
    """What to print and how to exit."""

    text: str
    exit_code: int


def explained(error: Exception) -> Explained | None:
    """The message for `error`; ``None`` for what only a bug of this program can raise.

    Classes are compared by name along the inheritance, so that an error of a room that was never imported
    does not import it now.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if "PackError" in names:
        return Explained(f"Error: the rules cannot be used:\n{error}", exits.USAGE)
    if "SnapshotError" in names:
        told, hint = str(error), str(getattr(error, "hint", ""))
        if hint:
            told = f"{told.removesuffix(hint)}What to do: {hint}"
        return Explained(f"Error: {told}", exits.USAGE)
    if names & {
        "RequestError",
        "ShippedDataMissing",
        "AssumptionError",
        "FormatUnavailable",
        "BundleError",
        "NoReport",
    }:
        return Explained(f"Error: {error}.", exits.USAGE)
    if names & {"GraphError", "UserNotRead"}:
        advice = getattr(error, "advice", "")
        return Explained(f"No audit was made: {error}" + (f"\nWhat to do: {advice}" if advice else ""), exits.NO_AUDIT)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error)
        return Explained(
            f"Error: {place}{reason}\nWhat to do: check the path, its rights and the disk, or choose another place.",
            exits.USAGE,
        )
    return None
