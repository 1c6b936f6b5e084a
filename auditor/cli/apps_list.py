"""``apps list``: list the catalogue of apps, or the apps that contain some words."""

from __future__ import annotations

import sys

import click

from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, wants_colour, width
from auditor.facts.ids import app_categories
from auditor.model.errors import OK


def _complete_category(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in app_categories() if name.startswith(incomplete.lower())]


@click.command(
    "list",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor apps list
  consent-auditor apps list mail
  consent-auditor apps list --category files
  consent-auditor apps list -f json""",
)
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--category",
    metavar="NAME",
    default="",
    help="Only the apps of this category, such as email.",
    shell_complete=_complete_category,
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    show_default=True,
    help="Format.",
)
def command(words: tuple[str, ...], category: str, form: str) -> int:
    """List the apps that the program knows: vendors' products that connect to Microsoft 365.

    With TEXT, those whose name, vendor, category or ways to connect contain every word. A list says nothing about an
    app's quality: these are apps whose permissions are known, with a source.
    """
    from auditor.jobs.app_catalog import by_category, listed_apps, near_apps

    text = " ".join(words)
    found = listed_apps(text, category)
    if form == "json":
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return OK
    if not (found.apps or found.without_client_id or found.without_permissions):
        near = [one.name for one in near_apps(text)]
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        say(f'No app contains "{text}"{f" in the category {category}" if category else ""}.{meant}')
        return OK
    from auditor.jobs.app_pages import list_page
    from auditor.render.documents import as_markdown, as_text
    from auditor.render.text_layout import for_encoding

    page = list_page(by_category(found.apps), found.without_client_id, found.without_permissions)
    if form == "markdown":
        click.echo(as_markdown(page), nl=False)
    else:
        shown = as_text(page, width=width(), colour=wants_colour())
        click.echo(for_encoding(shown, sys.stdout.encoding), nl=False, color=wants_colour())
    return OK
