"""A CSV file that lists tenants: read, with every mistake in it reported with its position."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from auditor.checks.kind import Invalid, alternatives
from auditor.checks.typo_suggestions import nearest, typo_of
from auditor.facts.ids import CLOUDS, is_guid
from auditor.jobs.nightly_forms import folder_name, live_tenant, tag
from auditor.packs import PackProblems, Position

_LARGEST_CSV = 4 * 2**20
_COLUMNS = ("tenant", "name", "tags", "client-id", "cloud", "packs")
_GROUP = "group"
"""A column that other tools export: its text becomes a tag, so that it needs no particular form."""


class NamedTenant(NamedTuple):
    """A tenant, and where the configuration or a CSV file names it. `tenant` is empty for a snapshot.

    The other fields are those that a row of a CSV file sets in place of its entry; empty ones set nothing.
    """

    at: Position
    tenant: str
    name: str
    tags: tuple[str, ...]
    client_id: str = ""
    cloud: str = ""
    packs: tuple[str, ...] = ()


def csv_rows(path: Path, problems: PackProblems, at: Position) -> tuple[NamedTenant, ...]:
    """The tenants in a CSV file. Mistakes in it go to `problems`; that it can't be read is reported at `at`."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_CSV + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        problems.add(at, f"{path} can't be read: {error.strerror}")
        return ()
    except UnicodeDecodeError:
        problems.add(at, f"{path} isn't UTF-8", expected='a file saved as "CSV UTF-8"')
        return ()
    if len(data) > _LARGEST_CSV or "\0" in text:
        problems.add(at, f"{path} isn't a CSV file, or is larger than 4 MiB")
        return ()
    lines = text.splitlines()
    separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.reader(lines, delimiter=separator)
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        columns = _columns(head, str(path), problems)
        if "tenant" not in columns:
            return ()
        rows = (
            _row(row, columns, str(path), reader.line_num, lines, problems)
            for row in reader
            if any(map(str.strip, row))
        )
        return tuple(row for row in rows if row is not None)
    except csv.Error as error:
        problems.add(Position(str(path), max(reader.line_num, 1), 1), f"this isn't valid CSV: {error}")
        return ()


def _columns(head: list[str], label: str, problems: PackProblems) -> dict[str, int]:
    """The number of each known column. A misspelled one is an error; other columns are ignored."""
    found = {name: head.index(name) for name in (*_COLUMNS, _GROUP) if name in head}
    missing = [name for name in _COLUMNS if name not in found]
    for name in head:
        if name not in found and (meant := typo_of(name, missing)):
            problems.add(Position(label, 1, 1), f'unknown column "{name[:80]}"', near=meant)
            return {}
    if "tenant" not in found:
        problems.add(Position(label, 1, 1), "there is no column tenant", expected="a first line with tenant,name,tags")
    return found


def _row(
    row: list[str], columns: dict[str, int], label: str, line: int, lines: list[str], problems: PackProblems
) -> NamedTenant | None:
    def cell(name: str) -> str:
        number = columns.get(name)
        return row[number].strip() if number is not None and number < len(row) else ""

    def at(text: str) -> Position:
        return Position(label, line, (lines[line - 1].find(text) if text else 0) + 1)

    tenant, name, client_id, cloud = cell("tenant"), cell("name"), cell("client-id"), cell("cloud").lower()
    tags, packs = _words(cell("tags")), _words(cell("packs"))
    if not tenant:
        problems.add(at(""), "the row has no tenant")
        return None
    conditions: tuple[tuple[str, str, Callable[[str], Invalid | None]], ...] = (
        ("tenant", tenant, live_tenant),
        ("name", name, folder_name),
        *(("tags", one, tag) for one in tags),
        ("client-id", client_id, _app_id),
        ("cloud", cloud, _cloud),
    )
    is_valid = True
    for what, text, must in conditions:
        if text and (problem := must(text)) is not None:
            problems.add(at(text), f"{what} {problem.message}", expected=problem.expected, near=problem.near)
            is_valid = False
    group = re.sub(r"[\s,;]+", "-", cell(_GROUP))
    return (
        NamedTenant(
            at=at(tenant),
            tenant=tenant,
            name=name or tenant,
            tags=tuple(dict.fromkeys((*tags, *([group] if group else ())))),
            client_id=client_id,
            cloud=cloud,
            packs=packs,
        )
        if is_valid
        else None
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, re.split(r"[\s;,]+", text))))


def _app_id(text: str) -> Invalid | None:
    if is_guid(text):
        return None
    return Invalid(f'"{text[:80]}" isn\'t the client ID of an app', "the client ID of the app registration")


def _cloud(text: str) -> Invalid | None:
    if text in CLOUDS:
        return None
    return Invalid(f'"{text[:80]}" is unknown', alternatives(tuple(CLOUDS)), nearest(text, tuple(CLOUDS)))
