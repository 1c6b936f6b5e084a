"""A report to the terminal or to its files, and what is printed with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from auditor.cli.terminal import say, wants_colour, width
from auditor.render import FORMATS

if TYPE_CHECKING:
    from auditor.jobs.outputs import Outputs
    from auditor.model.report import Report, Summary

LIVE_HELP = (
    "To audit your own tenant, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or\n"
    "AZURE_CLIENT_CERTIFICATE_PATH) and leave out --sample. docs/app-registration.md shows how to get them."
)


def print_sample_notice(sample: str) -> None:
    """Say that no tenant was read, and how to read one."""
    click.echo(f"This is the sample tenant {sample!r}, bundled with consent-auditor: no tenant was read.")
    click.echo(f"{LIVE_HELP}\n")


def binary_needs_file(outputs: Outputs) -> None:
    """Raise click.UsageError for a binary format on a terminal."""
    name = outputs.formats[0]
    if outputs.is_standard_output and FORMATS[name].is_binary and sys.stdout.isatty():
        raise click.UsageError(f"{name} isn't text for a terminal: add -o report{FORMATS[name].ending}")


def trend_needs_format(earlier: Sequence[str], outputs: Outputs) -> None:
    """Raise click.UsageError for --trend where no format shows one."""
    if earlier and not any(FORMATS[name].shows_trend for name in outputs.formats):
        shown = " and ".join(name for name, form in FORMATS.items() if form.shows_trend)
        raise click.UsageError(f"only {shown} show a trend: add -o report.html, or leave out --trend")


def write_report(report: Report, outputs: Outputs, history: Sequence[tuple[str, Summary]] = ()) -> None:
    """Write the report where the request sends it. Raises OSError and FormatUnavailable."""
    if outputs.is_text_on_standard_output:
        _print_text(report)
        return
    from auditor.jobs.outputs import rendered, write_files

    silent = [name for name in outputs.formats if not FORMATS[name].shows_what_if]
    if report.what_if and silent:
        say(f"Note: {' and '.join(silent)} leaves out --assume, because nothing of it has happened.")
    pages = rendered(report, outputs, history)
    if outputs.is_standard_output:
        sys.stdout.buffer.write(pages[outputs.formats[0]])
        sys.stdout.buffer.flush()
    for path in write_files(pages, outputs):
        say(f"Wrote {path}")


def _print_text(report: Report) -> None:
    from auditor.render import text
    from auditor.render.layout import for_encoding

    page = text.render(report, width=width(), colour=wants_colour())
    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())
