"""The options of the commands that read the history: which history, which tenant in it, and since when."""

from __future__ import annotations

from datetime import UTC, datetime

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
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} isn't a date such as 2026-11-22, or a time such as 2026-11-22T02:00Z."
        raise click.BadParameter(message) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
