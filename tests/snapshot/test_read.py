"""What is accepted as a snapshot file, and what is said of everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.model.resources import AuthorizationPolicy, Organization
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from auditor.snapshot import SnapshotError, read
from auditor.snapshot.read import loads

TENANT = "72f38f0a-3a0e-4fbb-a9c2-04a5d6c5a5c1"
LEAST: dict[str, Any] = {
    "format": "consent-auditor/snapshot",
    "version": 1,
    "tenant": {"id": TENANT},
    "sections": {},
}
AGAIN = "Create it again with: consent-auditor collect -o FILE"
MEND = "Fix it there, or create a new one with: consent-auditor collect -o FILE"


def data(**changes: Any) -> bytes:
    """The least snapshot with something changed; None leaves it out."""
    return json.dumps({key: value for key, value in {**LEAST, **changes}.items() if value is not None}).encode()


def said(raw: bytes) -> str:
    with pytest.raises(SnapshotError) as caught:
        loads(raw, "tenant.json")
    return str(caught.value)


def test_a_snapshot_made_by_hand_needs_no_more_than_a_tenant_and_sections() -> None:
    assert loads(data()) == Snapshot(tenant=Tenant(id=TENANT))


def test_everything_that_a_snapshot_says_is_read() -> None:
    raw = data(
        tenant={"id": f" {TENANT} ", "name": "Contoso"},
        cloud="us-gov",
        taken="2026-11-22T02:00:00Z",
        tool="consent-auditor 0.1.0",
        sections={"Organization": {"value": [{"id": TENANT}]}, "authorizationPolicy": {}, "signIns": None},
        covers={"ServicePrincipals": ["ABC"], "oauth2PermissionGrants": [], "futureSection": ["x"]},
        unread={
            "signIns": {"status": 403, "code": "Forbidden", "needs": ["AuditLog.Read.All"], "request_id": None},
            "appRoleAssignedTo/ABC": {"status": 503, "more": 1},
            "directoryAudits": "no license",
            "users": None,
        },
        futureKey={"a": 1},
    )
    assert loads(raw) == Snapshot(
        tenant=Tenant(id=TENANT, name="Contoso"),
        cloud="us-gov",
        taken="2026-11-22T02:00:00Z",
        tool="consent-auditor 0.1.0",
        sections=Sections(organization=Organization(id=TENANT), authorizationPolicy=AuthorizationPolicy()),
        covers={"servicePrincipals": ("abc",), "oauth2PermissionGrants": ()},
        unread={
            "signIns": Unread(status=403, code="Forbidden", needs=("AuditLog.Read.All",)),
            "appRoleAssignedTo/abc": Unread(status=503),
            "directoryAudits": Unread(message="no license"),
        },
    )


@pytest.mark.parametrize(
    ("given", "means"),
    [
        pytest.param("2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z", id="UTC"),
        pytest.param("2026-11-22T02:00:00.1234567Z", "2026-11-22T02:00:00.1234567Z", id="fractions of a second"),
        pytest.param("2026-11-22T03:00:00+01:00", "2026-11-22T02:00:00Z", id="another time zone"),
        pytest.param("", "", id="none"),
    ],
)
def test_the_time_is_kept_in_utc(given: str, means: str) -> None:
    assert loads(data(taken=given)).taken == means


def test_a_section_that_this_version_does_not_know_is_ignored() -> None:
    assert loads(data(sections={"crossTenantAccessPolicy": [1]})).sections == Sections()


VERSIONS = 'Add "version": 1 next to the format.'
FORMATS = 'A snapshot has "format": "consent-auditor/snapshot", "version": 1.'
OTHER = f'A snapshot is an object with "format": "consent-auditor/snapshot". {AGAIN}'


@pytest.mark.parametrize(
    ("raw", "what", "hint"),
    [
        pytest.param(b"", "is empty", f"The program that wrote it stopped too early. {AGAIN}", id="no byte"),
        pytest.param(
            b"\xef\xbb\xbf \r\n",
            "is empty",
            f"The program that wrote it stopped too early. {AGAIN}",
            id="a byte order mark and white space",
        ),
        pytest.param(
            b"\0" * 4096, "is empty", f"The program that wrote it stopped too early. {AGAIN}", id="zero bytes"
        ),
        pytest.param(
            data()[:-1], "ends in the middle, in line 1: the file was cut off", AGAIN, id="cut off before the end"
        ),
        pytest.param(
            b'{\n "a": "\xc3',
            "ends in the middle, in line 2: the file was cut off",
            AGAIN,
            id="cut off inside a character",
        ),
        pytest.param(
            b'{"a": 1,\n "b" 2}', "is not JSON (line 2, column 6: Expecting ':' delimiter)", MEND, id="a missing colon"
        ),
        pytest.param(b"<html>", "is not JSON (line 1, column 1: Expecting value)", MEND, id="HTML"),
        pytest.param(b'{"a": NaN}', "is not JSON (JSON is malformed: invalid character (byte 6))", MEND, id="NaN"),
        pytest.param(b"{} {}", "is not JSON (line 1, column 4: Extra data)", MEND, id="two documents"),
        pytest.param(
            b'{"a": "\xe9t\xe9"}',
            "is not UTF-8 text (byte 7)",
            "Save it again as UTF-8; in PowerShell: Set-Content -Encoding utf8.",
            id="Latin-1",
        ),
        pytest.param(
            b"[" * 100_000,
            "is nested too deeply for a snapshot",
            "Check that this is the right file.",
            id="nested too deeply",
        ),
        pytest.param(b"[]", "is not a snapshot (found a list of 0)", OTHER, id="a list"),
        pytest.param(b"null", "is not a snapshot (found null)", OTHER, id="null"),
        pytest.param(b'"text"', "is not a snapshot (found text)", OTHER, id="text"),
        pytest.param(b'{"name": "x"}', "is not a snapshot (found an object)", OTHER, id="another object"),
        pytest.param(data(format=None), "has no format", FORMATS, id="no format"),
        pytest.param(
            data(format="consent-auditor/bundle"),
            'has the format "consent-auditor/bundle"',
            FORMATS,
            id="another format",
        ),
        pytest.param(
            data(format="consent-auditor/report"),
            "is a report, not a snapshot",
            "Use the snapshot of this report, or create one with: consent-auditor collect -o FILE",
            id="a report",
        ),
        pytest.param(
            data(version=2),
            "is a snapshot of version 2; this program reads version 1",
            "Update the program: pip install -U consent-auditor",
            id="a newer version",
        ),
        pytest.param(data(version=None), "has no version", VERSIONS, id="no version"),
        pytest.param(data(version=0), "has the version 0", VERSIONS, id="version 0"),
        pytest.param(data(version=True), "has the version true", VERSIONS, id="version true"),
        pytest.param(data(version="1"), 'has the version "1"', VERSIONS, id="version as text"),
        pytest.param(
            b'{"error": {"code": "Forbidden"}}',
            "is an error that Graph answered (Forbidden), not a snapshot",
            AGAIN,
            id="an error of Graph",
        ),
    ],
)
def test_other_documents_are_refused_with_advice(raw: bytes, what: str, hint: str) -> None:
    assert said(raw) == f"tenant.json: {what}\n{hint}"


@pytest.mark.parametrize(
    ("answer", "section", "place"),
    [
        pytest.param(
            {"@odata.context": "…", "value": [{"id": "p", "includes": []}]},
            "permissionGrantPolicies",
            "",
            id="policies",
        ),
        pytest.param({"value": [{"Id": "1", "AppId": "2"}]}, "servicePrincipals", "", id="apps, capitals"),
        pytest.param([{"clientId": "1", "consentType": "Principal"}], "oauth2PermissionGrants", "", id="grants"),
        pytest.param(
            {"id": "authorizationPolicy", "defaultUserRolePermissions": {}}, "authorizationPolicy", "", id="one object"
        ),
        pytest.param({"value": [{"rolePermissions": [], "templateId": "1"}]}, "roleDefinitions", "", id="roles"),
        pytest.param(
            {"value": [{"permissionId": "1"}]}, "delegatedPermissionClassifications", "<app id>", id="classifications"
        ),
        pytest.param({"value": [{"appRoleId": "1"}]}, "appRoleAssignedTo", "<app id>", id="app roles"),
        pytest.param({"value": []}, "<section>", "", id="nothing to identify it by"),
    ],
)
def test_the_error_for_a_single_response_of_graph_shows_how_to_make_it_a_snapshot(
    answer: object, section: str, place: str
) -> None:
    inside = f'{{"{place}": <this response>}}' if place else "<this response>"
    assert said(json.dumps(answer).encode()) == (
        "tenant.json: is a single response of Graph, not a snapshot\n"
        "Put it, with any others that you have, into a file like this:\n"
        '  {"format": "consent-auditor/snapshot", "version": 1, "tenant": {"id": "<tenant id>"}, '
        f'"sections": {{"{section}": {inside}}}}}'
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param(
            {"tenant": None}, 'tenant: expected an object such as {"id": "<tenant id>"}, found null', id="tenant: null"
        ),
        pytest.param(
            {"tenant": TENANT},
            'tenant: expected an object such as {"id": "<tenant id>"}, found text',
            id="tenant: text",
        ),
        pytest.param(
            {"tenant": {}}, "tenant.id: is missing; the Entra admin center shows it under Overview", id="tenant: empty"
        ),
        pytest.param(
            {"tenant": {"id": " "}},
            "tenant.id: is missing; the Entra admin center shows it under Overview",
            id="tenant: a blank id",
        ),
        pytest.param(
            {"tenant": {"id": 5}}, "tenant.id: expected text, found a number", id="tenant: a number for an id"
        ),
        pytest.param(
            {"tenant": {"id": "x", "name": 5}},
            "tenant.name: expected text, found a number",
            id="tenant: a number for a name",
        ),
        pytest.param({"cloud": ["global"]}, "cloud: expected text, found a list of 1", id="cloud: a list"),
        pytest.param(
            {"taken": "yesterday"},
            "taken: expected a UTC time such as 2026-11-22T02:00:00Z, found 'yesterday'",
            id="taken: a word",
        ),
        pytest.param(
            {"taken": "2026-11-22T02:00:00"},
            "taken: expected a UTC time such as 2026-11-22T02:00:00Z, found '2026-11-22T02:00:00'",
            id="taken: no time zone",
        ),
        pytest.param({"sections": None}, "sections: expected an object, found null", id="sections: null"),
        pytest.param({"sections": []}, "sections: expected an object, found a list of 0", id="sections: a list"),
        pytest.param(
            {"sections": {"authorisationPolicy": {}}},
            "sections.authorisationPolicy: isn't a section; did you mean authorizationPolicy?",
            id="sections: British spelling",
        ),
        pytest.param(
            {"sections": {"oauth2PermissionGrant": []}},
            "sections.oauth2PermissionGrant: isn't a section; did you mean oauth2PermissionGrants?",
            id="sections: singular",
        ),
        pytest.param(
            {"sections": {"signIns": [], "SignIns": []}},
            "sections.SignIns: occurs twice, as signIns",
            id="sections: one twice",
        ),
        pytest.param(
            {"servicePrincipals": []}, "servicePrincipals: belongs inside sections", id="a section outside sections"
        ),
        pytest.param({"covers": []}, "covers: expected an object, found a list of 0", id="covers: a list"),
        pytest.param(
            {"covers": {"users": "all"}},
            "covers.users: expected a list of text, found text",
            id="covers: text for a list",
        ),
        pytest.param(
            {"covers": {"user": []}}, "covers.user: isn't a section; did you mean users?", id="covers: singular"
        ),
        pytest.param(
            {"unread": {"signIns": 403}}, "unread.signIns: expected an object, found a number", id="unread: a number"
        ),
        pytest.param(
            {"unread": {"sign-ins": {"status": 403}}},
            "unread.sign-ins: isn't a section; did you mean signIns?",
            id="unread: a typo in the section",
        ),
        pytest.param(
            {"unread": {"signIns": {"status": "403"}}},
            "unread.signIns: is not valid: Expected `int | null`, got `str` - at `$.status`",
            id="unread: text for a status",
        ),
    ],
)
def test_one_wrong_value_is_reported_with_its_path(changes: dict[str, Any], problem: str) -> None:
    raw = json.dumps({**LEAST, **changes}).encode()
    assert said(raw) == f"tenant.json: one value is not valid in a snapshot\n  {problem}\n{MEND}"


def test_all_wrong_values_are_reported_together() -> None:
    raw = data(tenant={"id": 5}, sections={"signIns": 1, "servicePrincipals": [{"id": 1}]})
    assert said(raw).splitlines() == [
        "tenant.json: 3 values are not valid in a snapshot",
        "  tenant.id: expected text, found a number",
        "  sections.signIns: expected a list of objects, found a number",
        "  sections.servicePrincipals[0].id: expected text, found a number",
        MEND,
    ]


def test_the_first_twenty_of_many_wrong_values_are_reported() -> None:
    lines = said(data(sections={"signIns": [1] * 50})).splitlines()
    assert lines[0] == "tenant.json: 50 values are not valid in a snapshot"
    assert lines[20:] == [
        "  sections.signIns[19]: expected an object, found a number",
        "  and 30 more",
        MEND,
    ]


def test_huge_data_is_refused_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_BYTES", 10)
    assert said(data()).startswith("tenant.json: is too large for a snapshot")
