"""``apps show``: what is known about one app, with sources."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from auditor.cli.options import complete_apps
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import wants_colour, width
from auditor.model.errors import OK, InvalidRequest

if TYPE_CHECKING:
    from auditor.facts.app_names import AppName, AppWithoutId
    from auditor.model.document import Document
    from auditor.model.rule import Pack


@click.command(
    "show",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor apps show thunderbird
  consent-auditor apps show "eM Client"
  consent-auditor apps show 9e5f94bc-e8a4-4e73-b8be-63364c29d753
  consent-auditor apps show thunderbird -f markdown""",
)
@click.argument("name", metavar="NAME|CLIENT_ID", shell_complete=complete_apps)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    show_default=True,
    help="Format.",
)
def command(name: str, form: str) -> int:
    """Print what is known about an app: its permissions, publisher, sources, its vendor's advice, and what to run next.

    NAME is the name in the catalogue, the product's name, or a client ID; letter case and spaces don't matter.
    """
    if not name.strip():
        raise click.UsageError("NAME is empty: is a variable not set?")
    known = _known(name)
    if form == "json":
        sys.stdout.buffer.write(_as_json(known))
        return OK
    from auditor.render.documents import as_markdown, as_text
    from auditor.render.text_layout import for_encoding

    page = _page(known)
    if form == "markdown":
        click.echo(as_markdown(page), nl=False)
    else:
        shown = as_text(page, width=width(), colour=wants_colour())
        click.echo(for_encoding(shown, sys.stdout.encoding), nl=False, color=wants_colour())
    return OK


def _known(name: str) -> Pack | AppWithoutId | AppName:
    """The pack about the app, or what else the program knows. Raises InvalidRequest for an app that nothing knows."""
    from auditor.jobs.app_catalog import app_named, app_otherwise

    try:
        return app_named(name)
    except InvalidRequest as error:
        if (found := app_otherwise(name)) is not None:
            return found
        raise InvalidRequest(str(error).removeprefix("--app: ")) from None


def _page(known: Pack | AppWithoutId | AppName) -> Document:
    from auditor.facts.app_names import AppName, AppWithoutId
    from auditor.jobs.app_pages import app_page, page_of_name, page_without_id

    if isinstance(known, AppWithoutId):
        return page_without_id(known)
    return page_of_name(known) if isinstance(known, AppName) else app_page(known)


def _as_json(known: Pack | AppWithoutId | AppName) -> bytes:
    import msgspec

    from auditor.jobs.app_catalog import details_of
    from auditor.model.rule import Pack

    value = details_of(known) if isinstance(known, Pack) else known
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
