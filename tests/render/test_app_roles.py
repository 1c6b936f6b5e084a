"""Every format shows which application permissions an app needs, and which of them it lacks."""

from __future__ import annotations

import msgspec
import pytest

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.rule import RoleNeed
from auditor.render import render
from auditor.render.report_view import role_lines
from auditor.render.sheets import sheets
from auditor.render.terminal_screen import render as screen
from tests.consent.test_app_roles import NEEDS, PUBLISHED, tenant
from tests.fixes.tenants import PACK

OPTIONAL = RoleNeed(resource=MICROSOFT_GRAPH, value="Reports.Read.All", required=False, assumed=True)
APP = msgspec.structs.replace(NEEDS, app_roles=(*NEEDS.app_roles, OPTIONAL))


@pytest.fixture(scope="module")
def report() -> Report:
    rules = tuple(rule for rule in PACK.rules if rule.id == "VENDOR-APP-ROLES")
    pack = msgspec.structs.replace(PACK, app=APP, rules=rules)
    return build_report(tenant(roles=PUBLISHED, held=()), [pack], source="a test", tool="test")


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "csv"])
def test_every_format_has_the_permission_and_that_nobody_granted_it(report: Report, form: str) -> None:
    text = " ".join(render(report, form).decode().split())
    assert "Mail.Read" in text and "Reports.Read.All" in text
    assert ("not-granted" if form == "json" else "not granted") in text
    assert "o administrator has granted it" in text


def test_a_line_says_what_the_permission_allows_and_what_is_optional_or_assumed(report: Report) -> None:
    lacking, optional = role_lines(report.decisions[0])
    assert (lacking.word, lacking.why) == (
        "not granted",
        "No administrator has granted it. Read mail in all mailboxes.",
    )
    assert optional.why.startswith("Optional. Assumed. Microsoft Graph has no application permission with this name")


def test_sheets_have_the_permissions_next_to_the_scopes(report: Report) -> None:
    rows = next(sheet for sheet in sheets(report) if sheet.name == "Scopes").rows
    assert [row[6] for row in rows][-2:] == ["application, required", "application, optional"]


def test_the_screen_says_what_the_app_lacks_without_a_user(report: Report) -> None:
    assert "It lacks Mail.Read, which only an administrator can grant." in " ".join(screen(report).split())
