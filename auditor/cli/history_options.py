"""The options of the commands that read the history: which history, which tenant in it, and since when."""

from __future__ import annotations

import re

import click

from auditor.cli.options import Command, combined


def history_option(command: Command) -> Command:
    """--history and --config: which history."""
    from auditor.model.history import HISTORY_VARIABLE

    return combined(
        command,
        click.option(
            "--history",
            metavar="FILE",
            default="",
            help=f"The history. Default: {HISTORY_VARIABLE}, which can also be the URL of a PostgreSQL database, else"
            " that of the configuration, else the one in the platform's state folder.",
        ),
        click.option("--config", metavar="FILE", default="", help="Use the history of this configuration."),
    )


def history_options(command: Command) -> Command:
    """--history, --config and --tenant: which history, and which tenant in it."""
    tenant = click.option(
        "--tenant", metavar="NAME|ID", default="", help="Only this tenant, by its name in the configuration or its ID."
    )
    return history_option(tenant(command))


def since_option(command: Command) -> Command:
    """--since: a day or a time, as UTC text."""
    return click.option(
        "--since", metavar="DATE", default="", callback=_utc_time, help="Only runs that started on this day or later."
    )(command)


def _utc_time(_: click.Context, __: click.Parameter, text: str) -> str:
    from auditor.model.document import parse_time, utc_text

    if not text:
        return ""
    if at := parse_time(text):
        return utc_text(at)
    raise click.BadParameter(f"{text!r} isn't a date such as 2026-11-22, or a time such as 2026-11-22T02:00Z.")


_HOURS = {"h": 1, "d": 24, "w": 7 * 24}
_BACK = re.compile(r"(\d{1,4})\s*([dhw])", re.IGNORECASE)


def time_or_hours_back(text: str) -> tuple[str, int]:
    """The UTC time, or the hours back, that a ``--since`` such as 7d means. Raises click.BadParameter."""
    from auditor.model.document import parse_time, utc_text

    sought = text.strip()
    if not text:
        return "", 0
    if (back := _BACK.fullmatch(sought)) and int(back[1]):
        return "", int(back[1]) * _HOURS[back[2].lower()]
    if at := parse_time(sought):
        return utc_text(at), 0
    message = f"{text!r} isn't a time: give for example 7d, 12h, 2026-11-15 or 2026-11-15T08:00Z."
    raise click.BadParameter(message, param_hint="'--since'")
