"""Reports on a tenant with very many grants: the same text as from rows in memory, made from few rows."""

from __future__ import annotations

import errno
import io
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter.worksheet import Worksheet

from auditor.consent import granted_permissions
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.report import GrantRow, GrantRows, Report
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal, User
from auditor.model.snapshot import Snapshot
from auditor.render import html, json, markdown, render, sheets, write
from auditor.render.html import grant_section
from auditor.snapshot.samples import sample
from tests.render.reports import connects

BASE = sample("admin-consented")
OWN = BASE.sections.servicePrincipals or ()
GRAPH = next(one for one in OWN if one.appId == MICROSOFT_GRAPH)
ON_SCREEN = 1000


def tenant(grants: tuple[OAuth2PermissionGrant, ...], apps: tuple[ServicePrincipal, ...] = (), **more: Any) -> Snapshot:
    """The sample with other grants, its whole directory read."""
    sections = msgspec.structs.replace(
        BASE.sections, oauth2PermissionGrants=grants, servicePrincipals=(*OWN, *apps), **more
    )
    return msgspec.structs.replace(BASE, sections=sections, covers={})


def report_of(snapshot: Snapshot, many: bool) -> Report:
    """A report on the grants, in the form for a large tenant or for a small one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(granted_permissions, "_MANY", -1 if many else 1 << 40)
        found = granted_permissions.granted(snapshot)
    assert found is not None and isinstance(found.rows, GrantRows) == many
    return msgspec.structs.replace(connects(), granted=found)


def any_tenant(chance: random.Random) -> Snapshot:
    """A few apps, with grants that are alike, there twice, spelled in two ways, or of apps and users that are gone."""
    names = ("Mail", "mail", "Chat", "", "App | 1")
    apps = tuple(
        ServicePrincipal(
            id=f"sp-{n}",
            appId=f"app-{chance.choice((n, n, 1))}",
            displayName=chance.choice(names),
            accountEnabled=chance.choice((True, False, None)),
        )
        for n in range(chance.randint(1, 8))
    )
    clients = [spelled for one in apps for spelled in (one.id, one.id.upper())] + ["gone", OWN[-1].id]
    users = (User(id="user-1", userPrincipalName="Kim@contoso.example"), User(id="user-2", userPrincipalName=""))
    grants = tuple(
        OAuth2PermissionGrant(
            clientId=chance.choice(clients),
            resourceId=chance.choice((GRAPH.id, GRAPH.id.upper(), "sp-0", "gone")),
            consentType=chance.choice(("AllPrincipals", "Principal", "principal", "new")),
            scope=chance.choice(("", " A B", "B A", "a b", "Mail.Read")),
            principalId=chance.choice((None, "user-1", "USER-1", "user-2", *(f"user-{n}" for n in range(9)))),
        )
        for _ in range(chance.randint(0, 80))
    )
    held = tuple(
        AppRoleAssignment(
            principalId=chance.choice(clients),
            principalType="ServicePrincipal",
            appRoleId=f"role-{chance.randint(1, 3)}",
        )
        for _ in range(chance.randint(0, 9))
    )
    return tenant(grants, apps, users=users, appRoleAssignedTo={MICROSOFT_GRAPH: held, "app-1": held[:3]})


@settings(max_examples=max(30, settings().max_examples // 3))
@given(number=st.integers(0, 10**9), most=st.integers(0, 30))
def test_a_page_from_rows_that_are_made_when_needed_is_the_same(number: int, most: int) -> None:
    chance = random.Random(number)
    snapshot = any_tenant(chance)
    small, large = (report_of(snapshot, many).granted for many in (False, True))
    assert small is not None and large is not None
    assert tuple(large.rows) == small.rows and len(large.rows) == len(small.rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grant_section, "_IN_SHORT", chance.choice((0, 300, 1 << 20)))
        for in_short in (True, False):
            view = grant_section.grants_view
            assert view(large, most, in_short=in_short) == view(small, most, in_short=in_short)


def rows_made(patch: pytest.MonkeyPatch, use: Callable[[Report], object], grants: int = 60_000) -> int:
    """How many rows are made while `use` has a report on so many grants, each of other permissions."""
    apps = tuple(ServicePrincipal(id=f"sp-{n}", appId=f"app-{n}", displayName=f"App {n}") for n in range(2000))
    given = tuple(
        OAuth2PermissionGrant(
            clientId=f"sp-{n % 2000}",
            resourceId=GRAPH.id,
            consentType="Principal" if n % 3 else "AllPrincipals",
            scope=f"Scope.{n}",
            principalId=f"user-{n % 997}" if n % 3 else None,
        )
        for n in range(grants)
    )
    made = 0

    def counted(**values: Any) -> GrantRow:
        nonlocal made
        made += 1
        return GrantRow(**values)

    patch.setattr(granted_permissions, "GrantRow", counted)
    report = report_of(tenant(given, apps, appRoleAssignedTo={}), many=True)
    assert made == 0
    use(report)
    return made


def test_a_web_page_makes_the_rows_that_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    made = rows_made(monkeypatch, lambda report: pages.append(html.render(report)))
    shown = ON_SCREEN + pages[0].count(" | ") // 2
    assert shown <= made <= shown + 1 < 25_000
    assert "60,000 grants in the whole directory" in pages[0]


def test_paper_makes_the_rows_that_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rows_made(monkeypatch, lambda report: html.render(report, for_print=True)) == 100


def test_markdown_counts_the_grants_and_makes_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    assert rows_made(monkeypatch, lambda report: pages.append(markdown.render(report))) == 0
    assert "60,000 grants" in pages[0]


def cells(workbook: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """The values of each sheet."""
    book = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)
    return {sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book}


def test_data_from_rows_that_are_made_when_needed_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = any_tenant(random.Random(7))
    small, large = (report_of(snapshot, many) for many in (False, True))
    assert render(large, "csv") == render(small, "csv")
    for size in (1, 7, 1000):
        monkeypatch.setattr(json, "_AT_ONCE", size)
        assert render(large, "json") == render(small, "json")
    assert cells(render(large, "xlsx")) == cells(render(small, "xlsx"))
    assert render(large, "xlsx") == render(large, "xlsx")


def test_a_large_tenant_without_grants_has_an_empty_list() -> None:
    small, large = (report_of(tenant((), appRoleAssignedTo={}), many) for many in (False, True))
    assert render(large, "json") == render(small, "json")


class Watched(io.BytesIO):
    """A file that notes how many rows were made before each part was written."""

    def __init__(self, made: list[int]) -> None:
        super().__init__()
        self.made, self.longest, self._before = made, 0, 0

    def write(self, data: Any) -> int:
        self.longest = max(self.longest, len(self.made) - self._before)
        self._before = len(self.made)
        return super().write(data)


def test_a_csv_file_is_written_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    file = Watched(made)

    def counted(row: GrantRow) -> Any:
        made.append(1)
        return one_row(row)

    one_row = sheets._grant
    monkeypatch.setattr(sheets, "_grant", counted)
    rows_made(monkeypatch, lambda report: write(report, "csv", file), grants=3000)
    assert len(made) == 3000 and 0 < file.longest < 100


def test_a_workbook_of_many_grants_keeps_no_cells_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    most = 0

    def noted(sheet: Worksheet, *cell: Any) -> int:
        nonlocal most
        most = max(most, sum(map(len, sheet.table.values())))
        return int(written(sheet, *cell))

    written = Worksheet.write_string
    monkeypatch.setattr(Worksheet, "write_string", noted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    out = io.BytesIO()
    rows_made(monkeypatch, lambda report: write(report, "xlsx", out), grants=3000)
    assert len(cells(out.getvalue())["Grants"]) == 3001
    assert most < 100
    assert not list(tmp_path.iterdir())


def test_a_workbook_can_be_written_to_a_pipe() -> None:
    report = report_of(any_tenant(random.Random(7)), many=True)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source:
        with os.fdopen(writer, "wb") as pipe:
            write(report, "xlsx", pipe)
        assert source.read() == render(report, "xlsx")


def test_a_full_disk_is_an_error_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(xlsxwriter.Workbook, "_store_workbook", full)
    with pytest.raises(OSError, match="No space left on device") as raised:
        write(report_of(any_tenant(random.Random(7)), many=True), "xlsx", io.BytesIO())
    assert raised.value.errno == errno.ENOSPC
