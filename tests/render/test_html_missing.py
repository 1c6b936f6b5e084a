"""What the HTML page says of what was not read: refused, failed, or never asked for."""

from __future__ import annotations

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.report import NotCollected, PackRef, UnreadPart
from auditor.model.rule import FindingOutcome
from auditor.render.html import render
from tests.render.pages import element_by_id, replaced, shown, words_of
from tests.render.parts import PACKS, finding, report
from tests.render.reports import depends


def test_what_nobody_asked_for_is_listed_with_its_permission_and_how_to_collect_it() -> None:
    hygiene = finding(
        "HYG-1",
        "No app acts on its own",
        FindingOutcome.UNKNOWN,
        "appRoleAssignedTo of Microsoft Graph was not read.",
    )
    missing_part = NotCollected(
        section=f"appRoleAssignedTo/{MICROSOFT_GRAPH}", needs=("Application.Read.All",), rules=("HYG-1",)
    )
    packs = (*PACKS, PackRef(name="grants-hygiene", version="1", digest="d"))
    page = render(replaced(report(findings=(hygiene,), packs=packs), not_collected=(missing_part,)))
    missing = shown(page, "unread")
    assert "Not collected" in missing
    assert "The application permissions that apps hold on Microsoft Graph" in missing
    assert "Application.Read.All" in missing
    assert "HYG-1" in missing
    command = shown(page, "collect-again")
    assert command.startswith("consent-auditor collect --pack trackerrms-uk --pack grants-hygiene -o tenant.json")
    assert "this data was not collected" in shown(page, "finding-1")
    assert element_by_id(page, "finding-1").find(".//a[@href='#unasked-appRoleAssignedTo-Microsoft-Graph']") is not None


def test_a_refused_request_does_not_lead_to_the_advice_to_collect_again() -> None:
    unknown = finding(
        "CIS-1", "Users may not consent", FindingOutcome.UNKNOWN, "permissionGrantPolicies could not be read (403)."
    )
    page = render(replaced(depends(), findings=(unknown,)))
    assert "Not collected" not in words_of(page)
    reported = shown(page, "finding-1")
    assert "The consent policies could not be read (403)." in reported
    assert "it requires the permission Policy.Read.PermissionGrant. See the response." in reported
    assert element_by_id(page, "finding-1").find(".//a[@href='#unread-1']") is not None


def test_a_read_that_had_no_answer_does_not_look_as_if_a_permission_were_the_cause() -> None:
    part = UnreadPart(section="organization", message="timed out", needs=("Organization.Read.All",))
    reported = shown(render(replaced(depends(), unread=(part,))), "unread-1")
    assert "Allowed by" not in reported
    assert "Requires Organization.Read.All. The response doesn't say that this permission was missing." in reported
