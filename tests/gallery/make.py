"""docs/gallery: a report on each sample tenant in each format, as ``make gallery`` writes it.

.venv/bin/python -m tests.gallery.make
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache

from auditor import __version__
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.render import FORMATS, render
from auditor.render.words import answer_word
from auditor.snapshot.samples import about, sample, sample_names
from tests.docs.pages import DOCS

GALLERY = DOCS / "gallery"
PACKS = ("trackerrms-uk", "cisa-scuba")
INDEX = "README.md"
PDF_SOURCES = "pdf-sources.json"
"""The SHA-256 of the HTML that each PDF was made of: a PDF's bytes depend on the fonts of the machine."""


@cache
def report_on(name: str) -> Report:
    """The report on a sample, as ``check`` makes it."""
    source = f"sample {name} (bundled, no real tenant)"
    return build_report(sample(name), chosen_packs(PACKS), source=source, tool=f"consent-auditor {__version__}")


def file_of(name: str, form: str) -> str:
    """Where the report on a sample is, in one format."""
    return f"{name}/report{FORMATS[form].ending}"


def sources() -> Mapping[str, str]:
    """The SHA-256 of each sample's HTML."""
    return {name: hashlib.sha256(render(report_on(name), "html")).hexdigest() for name in sample_names()}


def index() -> str:
    """The page that leads to all of them."""
    command = f"consent-auditor check --sample NAME {' '.join(f'--pack {pack}' for pack in PACKS)}"
    lines = [
        "# Sample gallery",
        "",
        f"What `{command.replace('NAME', 'managed-default')}` says of each sample tenant, in every format. The tenants",
        "are invented; the policies, permissions and ids in them are Microsoft's. `make gallery` writes these files,",
        "and `make test` checks that they are current.",
        "",
        f"| Sample | Answer for TrackerRMS | {' | '.join(FORMATS)} |",
        f"|---|---|{'---|' * len(FORMATS)}",
    ]
    for name in sample_names():
        links = " | ".join(f"[{FORMATS[form].ending}]({file_of(name, form)})" for form in FORMATS)
        lines.append(f"| `{name}` | {answer_word(report_on(name).decisions[0])}: {about(name)} | {links} |")
    return "\n".join(lines) + "\n"


def files() -> Iterator[tuple[str, str, str]]:
    """Every file of the gallery with its sample and format."""
    for name in sample_names():
        for form in FORMATS:
            yield file_of(name, form), name, form


def contents(data: bytes, form: str) -> object:
    """What is compared: a workbook's members, because compression differs from one zlib to the next."""
    if form != "xlsx":
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return {member: book.read(member) for member in book.namelist()}


def main() -> None:
    """Write the whole gallery anew."""
    shutil.rmtree(GALLERY, ignore_errors=True)
    everything = list(files())
    for number, (path, name, form) in enumerate(everything, start=1):
        target = GALLERY / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(render(report_on(name), form))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {len(everything)}: {path:<60}")
    (GALLERY / PDF_SOURCES).write_text(json.dumps(sources(), indent=2) + "\n", encoding="utf-8", newline="\n")
    (GALLERY / INDEX).write_text(index(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"Wrote {len(everything)} reports to {GALLERY}\n")


if __name__ == "__main__":
    main()
