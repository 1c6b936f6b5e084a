"""The sample gallery, as ``make gallery`` writes it: a report on each sample tenant in each format, in build/gallery.

The samples that differ most, in the formats that can be read in a diff, are kept in docs/gallery too.

.venv/bin/python -m tests.gallery.make
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from auditor import __version__
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.fleet import FleetReport
from auditor.model.report import Report
from auditor.render import FORMATS, render
from auditor.render.fleet import render_fleet
from auditor.render.labels import answer_word
from auditor.snapshot.samples import about, sample, sample_names
from tests.docs.pages import DOCS
from tests.render.fleets import fleet

PACKS = ("trackerrms-uk", "cisa-scuba")
GALLERY = DOCS / "gallery"
EVERYTHING = DOCS.parent / "build/gallery"
"""Not kept: git ignores it."""
KEPT = ("managed-default", "custom-policy", "app-disabled", "unreadable-policies")
"""A tenant where an administrator is needed, one where users may consent, one where nobody gets in, one half read."""
FORMS = ("text", "markdown", "html", "json")
FLEET = "fleet"
"""The folder of the report on many tenants."""
FLEET_FORMATS = (*FORMS, "csv", "xlsx")
INDEX = "README.md"


@cache
def report_on(name: str) -> Report:
    """The report on a sample, as ``check`` makes it."""
    source = f"sample {name} (bundled, no real tenant)"
    return build_report(sample(name), chosen_packs(PACKS), source=source, tool=f"consent-auditor {__version__}")


def file_of(name: str, form: str) -> str:
    """Where the report on a sample is, in one format."""
    # Two pages of the documentation's site can't have one name, and report.html is the page of the program.
    stem = "report-as-markdown" if form == "markdown" else "report"
    return f"{name}/{stem}{FORMATS[form].ending}"


@cache
def report_on_fleet() -> FleetReport:
    """The report on twelve tenants with the settings of the samples, as ``fleet report`` makes it from a history."""
    return fleet(12, tool=f"consent-auditor {__version__}")


def file_of_fleet(form: str) -> str:
    """Where the report on many tenants is, in one format."""
    return file_of(FLEET, form)


def index() -> str:
    """The page that leads to all of them."""
    command = f"consent-auditor check --sample NAME {' '.join(f'--pack {pack}' for pack in PACKS)}"
    lines = [
        "# Sample gallery",
        "",
        "For everyone who wants to see a report before running the program.",
        "",
        f"What `{command.replace('NAME', 'managed-default')}` says of each sample tenant. The tenants",
        "are invented; the policies, permissions and ids in them are Microsoft's. The samples that differ most are",
        "shown here, in the formats that people read. `make gallery` writes all samples in all formats, PDF and",
        "workbook included, into `build/gallery`.",
        "",
        "| Sample | Answer for TrackerRMS | Report |",
        "|---|---|---|",
    ]
    for name in sample_names():
        links = ", ".join(f"[{FORMATS[form].ending}]({file_of(name, form)})" for form in FORMS if name in KEPT)
        lines.append(f"| `{name}` | {answer_word(report_on(name).decisions[0])}: {about(name)} | {links} |")
    links = ", ".join(f"[{FORMATS[form].ending}]({file_of_fleet(form)})" for form in FORMS)
    lines += ["", f"What `consent-auditor fleet report` says of twelve tenants with these settings: {links}."]
    return "\n".join(lines) + "\n"


def kept() -> list[tuple[str, str]]:
    """The sample and the format of every report in docs/gallery."""
    return [(name, form) for name in KEPT for form in FORMS]


def write(folder: Path, reports: Iterable[tuple[str, str]]) -> None:
    """Empty the folder and write these reports into it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, form in reports:
        target = folder / file_of(name, form)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(render(report_on(name), form))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{target.relative_to(folder).as_posix():<60}")


def write_fleet(folder: Path, forms: Iterable[str]) -> None:
    """Write the report on many tenants into the folder, in these formats."""
    for form in forms:
        target = folder / file_of_fleet(form)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(render_fleet(report_on_fleet(), form))


def main() -> None:
    """Write the whole gallery, and what is kept of it."""
    write(EVERYTHING, ((name, form) for name in sample_names() for form in FORMATS))
    write_fleet(EVERYTHING, FLEET_FORMATS)
    write(GALLERY, kept())
    write_fleet(GALLERY, FORMS)
    (GALLERY / INDEX).write_text(index(), encoding="utf-8", newline="\n")
    from tests.gallery.pictures import write_pictures

    write_pictures()
    sys.stdout.write(f"Wrote {EVERYTHING}, and what is kept of it to {GALLERY}\n")


if __name__ == "__main__":
    main()
