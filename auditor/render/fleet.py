"""Render the answer over many tenants as bytes. Each format imports only what it needs."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.fleet import FleetReport
from auditor.render.document_json import json_bytes, json_schema

CSV_TABLES = (
    *("answer", "apps", "why", "todo", "tenants", "changes", "benchmarks", "settings", "outliers", "ending"),
    "not-audited",
)
"""The files of ``-f csv -o FOLDER/``, one table for each question."""
_TABLE = "csv/"


def as_text(report: FleetReport, *, width: int = 80, colour: bool = False, whole: bool = True) -> bytes:
    """For a terminal; without `whole`, one screen of it."""
    from auditor.render import documents
    from auditor.render.fleet_text import screen

    return documents.as_text(screen(report, whole=whole), width=width, colour=colour).encode()


def as_json(report: FleetReport) -> bytes:
    """``consent-auditor/fleet``, version 1."""
    return json_bytes(report)


def as_markdown(report: FleetReport) -> bytes:
    """For a wiki or a ticket, with each message."""
    from auditor.render import documents
    from auditor.render.fleet_text import document

    return documents.as_markdown(document(report)).encode()


def as_html(report: FleetReport) -> bytes:
    """One page that needs no network."""
    from auditor.render.html.fleet_page import render

    return render(report).encode()


def as_xlsx(report: FleetReport) -> bytes:
    """A workbook with a sheet for each question. Needs xlsxwriter."""
    from auditor.render.fleet_sheets import workbook

    return workbook(report)


def as_csv(report: FleetReport, table: str = "") -> bytes:
    """All tables in one file, or only the one with this name, of `CSV_TABLES`."""
    from auditor.render.csv import write_tables
    from auditor.render.fleet_sheets import sheets

    out = io.BytesIO()
    write_tables(sheets(report), out, table=table)
    return out.getvalue()


_RENDERERS: Mapping[str, Callable[[FleetReport], bytes]] = MappingProxyType(
    {
        "text": as_text,
        "json": as_json,
        "markdown": as_markdown,
        "html": as_html,
        "xlsx": as_xlsx,
        "csv": as_csv,
    }
)


def render_fleet(report: FleetReport, form: str) -> bytes:
    """The report in one format, or one table of it as ``csv/TABLE``. The same report gives the same bytes."""
    if form.startswith(_TABLE):
        return as_csv(report, form.removeprefix(_TABLE))
    return _RENDERERS[form](report)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    return json_schema(FleetReport)
