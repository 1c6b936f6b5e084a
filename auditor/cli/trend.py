"""``--trend``: earlier reports, so that a page shows how the counts changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from auditor.cli.output import Place
from auditor.render import FORMATS

if TYPE_CHECKING:
    from auditor.jobs.earlier import EarlierReport
    from auditor.model.report import Report, Summary


def earlier_reports(places: tuple[str, ...], place: Place) -> Sequence[EarlierReport] | None:
    """The reports that --trend names, read before the tenant is; none without it.

    Raises click.UsageError, NoReport and OSError.
    """
    if not places:
        return None
    if not any(FORMATS[name].shows_trend for name in place.formats):
        shown = " and ".join(name for name, form in FORMATS.items() if form.shows_trend)
        raise click.UsageError(f"a trend is shown in {shown} only: add -o report.html, or leave --trend out")
    from auditor.jobs import earlier

    return earlier.earlier_reports(places)


def history(report: Report, before: Sequence[EarlierReport] | None) -> Sequence[tuple[str, Summary]]:
    """The earlier runs that can be compared; on stderr, how many reports are not among them."""
    if before is None:
        return ()
    from auditor.jobs.earlier import history_of

    found = history_of(report, before)
    if found.left_out:
        told = "report is" if found.left_out == 1 else "reports are"
        click.echo(f"Trend: {found.left_out} {told} left out, of another tenant or by other packs.", err=True)
    if not found.runs:
        click.echo("Trend: none is shown, for there is no earlier report to compare with.", err=True)
    return found.runs
