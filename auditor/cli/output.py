"""What check writes: a report or a fix script, to the terminal or to a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from auditor.cli.terminal import say, wants_colour, width
from auditor.model.report import Report
from auditor.render import FORMATS

if TYPE_CHECKING:
    from auditor.jobs.outputs import Outputs
    from auditor.model.report import Summary


LIVE_HELP = (
    "To audit your own tenant, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or\n"
    "AZURE_CLIENT_CERTIFICATE_PATH) and leave out --sample. docs/app-registration.md shows how to get them."
)


def print_sample_notice(sample: str) -> None:
    """Print that no tenant was read, and how to read one."""
    click.echo(f"This is the sample tenant {sample!r}, bundled with consent-auditor: no tenant was read.")
    click.echo(f"{LIVE_HELP}\n")


def binary_needs_file(outputs: Outputs) -> None:
    """Raise click.UsageError for a binary format on a terminal."""
    name = outputs.formats[0]
    if outputs.is_standard_output and FORMATS[name].is_binary and sys.stdout.isatty():
        raise click.UsageError(f"{name} can't be shown on a terminal: add -o report{FORMATS[name].ending}")


def trend_needs_format(earlier: Sequence[str], outputs: Outputs) -> None:
    """Raise click.UsageError for --trend if none of the formats shows a trend."""
    if earlier and not any(FORMATS[name].shows_trend for name in outputs.formats):
        shown = " and ".join(name for name, form in FORMATS.items() if form.shows_trend)
        raise click.UsageError(f"only {shown} show a trend: add -o report.html, or leave out --trend")


def write_report(report: Report, outputs: Outputs, history: Sequence[tuple[str, Summary]] = ()) -> None:
    """Write the report to the outputs of the request. Raises OSError and FormatUnavailable."""
    if outputs.is_text_on_standard_output:
        _print_text(report)
        return
    from auditor.jobs.outputs import rendered, write_files

    silent = [name for name in outputs.formats if not FORMATS[name].shows_what_if]
    if report.what_if and silent:
        verb = "doesn't" if len(silent) == 1 else "don't"
        say(f"Note: {' and '.join(silent)} {verb} show --assume, because the change wasn't made.")
    pages = rendered(report, outputs, history)
    if outputs.is_standard_output:
        sys.stdout.buffer.write(pages[outputs.formats[0]])
        sys.stdout.buffer.flush()
    for path in write_files(pages, outputs):
        say(f"Wrote {path}")


def _print_text(report: Report) -> None:
    from auditor.render import text
    from auditor.render.text_layout import for_encoding

    page = text.render(report, width=width(), colour=wants_colour())
    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())


SHELLS = ("powershell", "az")


def script_file(formats: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """The file to write the script to, or ``-`` for standard output. Raises click.UsageError and InvalidRequest."""
    if formats:
        raise click.UsageError("--fix-script writes a script instead of the report: leave out -f")
    if len(outputs) > 1:
        raise click.UsageError("--fix-script writes one file: give one -o FILE")
    (output,) = outputs or ("-",)
    if output != "-":
        from auditor.jobs.outputs import must_be_writable

        must_be_writable(output)
    return output


def write_fix_script(report: Report, shell: str, which: str, output: str) -> None:
    """Write the script of the fix with this number, key or route (or of fix 1) to `output`.

    Raises InvalidRequest if the report has no such fix, or if it can't be written as a script.
    """
    from auditor.jobs.fix_scripts import fix_script

    script = fix_script(report, shell, which)
    if output == "-":
        sys.stdout.buffer.write(script.text.encode())
        sys.stdout.buffer.flush()
        return
    from auditor.atomic import write_whole

    write_whole(output, script.text.encode(), keep_mode=True)
    say(f"Wrote {output}: fix {script.number}, {script.title}. Read it before you run it.")
