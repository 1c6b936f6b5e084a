"""Questions of real tenants and tickets, each as a snapshot, the command that asks, and the right answer.

A row names a snapshot in `reports`, the arguments of ``check``, and what must be true of the result. The sources of
the right answer are in the comment above the row. `changes` is a JSON merge patch (RFC 7396) on the snapshot, for
siblings of a reported case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from auditor.snapshot.samples import merge_patch
from tests.cli.program import run

REPORTS = Path(__file__).parent / "reports"


@dataclass(frozen=True)
class Case:
    """One question and what must be true of the answer.

    `findings` are outcomes by rule, of which those in `likely` are not certain. `text` are passages of the text report,
    whose line breaks don't count.
    """

    snapshot: str
    arguments: tuple[str, ...]
    exit_code: int
    findings: Mapping[str, str] = field(default_factory=dict)
    likely: tuple[str, ...] = ()
    outcome: str = ""
    confidence: str = ""
    text: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)


def packs(*names: str) -> tuple[str, ...]:
    return tuple(word for name in names for word in ("--pack", name))


def assigned(*policies: str) -> dict[str, Any]:
    """The change that assigns these policies instead, next to those for teams and chats."""
    owned = "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for"
    entries = [f"{owned}-team", f"{owned}-chat", *(f"ManagePermissionGrantsForSelf.{one}" for one in policies)]
    role = {"permissionGrantPoliciesAssigned": entries}
    return {"sections": {"authorizationPolicy": {"defaultUserRolePermissions": role}}}


BENCHMARKS = packs("cis-m365", "cisa-scuba", "eidsca", "zero-trust-assessment")
USER_CONSENT = ("CIS-5.1.5.1", "MS.AAD.5.2v1", "EIDSCA.AP08", "ZTA-21776")
POLICIES_UNREAD = "benchmark-legacy-policies-unread"

MAILROOM = (
    *("--app", "11111111-2222-4333-8444-555555555555", "--name", "Mailroom"),
    *("--scopes", "User.Read Calendars.Read offline_access"),
)

CASES = [
    # Read with Policy.Read.All alone, or exported by another tool: the assigned built-in policy is known, its content
    # isn't. Reported in almenscorner/IntuneCD pull request 146 and o365soa/soa pull request 22; the permissions are
    # those of Microsoft Graph, "Get authorizationPolicy". The benchmarks judge the policy by its id: ScubaGear's
    # AADConfig.rego, EIDSCA AP08 as Maester has it, and Test-Assessment.21776.ps1 of the Zero Trust Assessment.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            text=("fail, likely", "according to Microsoft's documentation (permissionGrantPolicies could not be read"),
        ),
        id="benchmark-legacy-policies-unread",
    ),
    # The same, from an export that doesn't say that a read was refused.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            text=("according to Microsoft's documentation (permissionGrantPolicies was not read)",),
            changes={"unread": None},
        ),
        id="benchmark-legacy-policies-missing",
    ),
    # The Microsoft-managed policy approves all that it doesn't exclude (Entra, "Manage app consent policies").
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "fail"),
            likely=USER_CONSENT,
            changes=assigned("microsoft-user-default-recommended"),
        ),
        id="benchmark-recommended-policies-unread",
    ),
    # What the low-impact policy contains decides the other three rules. The text of CIS names it, and it lets users
    # consent to something.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings=dict.fromkeys(USER_CONSENT, "unknown") | {"CIS-5.1.5.1": "fail"},
            likely=("CIS-5.1.5.1",),
            changes=assigned("microsoft-user-default-low"),
        ),
        id="benchmark-low-policies-unread",
    ),
    # The Zero Trust Assessment and EIDSCA require the low-impact policy, so any other policy fails by its name.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            BENCHMARKS,
            exit_code=1,
            findings={
                "CIS-5.1.5.1": "unknown",
                "MS.AAD.5.2v1": "unknown",
                "EIDSCA.AP08": "fail",
                "ZTA-21776": "fail",
            },
            likely=("EIDSCA.AP08", "ZTA-21776"),
            changes=assigned("our-own-policy"),
        ),
        id="benchmark-custom-policies-unread",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("microsoft-recommended"),
            exit_code=1,
            findings={"MS-CONSENT-NOT-EVERYTHING": "fail", "MS-MAIL-AND-FILES": "fail"},
            likely=("MS-CONSENT-NOT-EVERYTHING", "MS-MAIL-AND-FILES"),
        ),
        id="microsoft-recommended-legacy-policies-unread",
    ),
    # Nobody learns anything from a pack of which every rule is unknown, so the command doesn't end as if all were well.
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("zero-trust-assessment"),
            exit_code=4,
            findings={"ZTA-21776": "unknown", "ZTA-21809": "unknown"},
            changes=assigned("microsoft-user-default-low"),
        ),
        id="every-rule-of-the-pack-unknown",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("zero-trust-assessment", "cis-m365"),
            exit_code=4,
            findings={"ZTA-21776": "unknown", "ZTA-21809": "unknown", "CIS-5.1.5.1": "unknown", "CIS-5.1.2.2": "pass"},
            changes={
                "sections": {
                    "authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": None}}
                }
            },
        ),
        id="every-rule-of-one-of-two-packs-unknown",
    ),
    pytest.param(
        Case(
            POLICIES_UNREAD,
            packs("cis-m365"),
            exit_code=0,
            findings={"CIS-5.1.5.1": "unknown", "CIS-5.1.2.2": "pass"},
            changes={
                "sections": {
                    "authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": None}}
                }
            },
        ),
        id="some-rules-of-the-pack-unknown",
    ),
    # Grants that Graph stored although they give nothing: Azure/azure-cli issue 20974 (a scope of another resource) and
    # microsoftgraph/microsoft-graph-docs issue 16902 (a resource that is gone). Whose the deleted app was isn't known.
    pytest.param(
        Case(
            "hygiene-odd-grants",
            packs("grants-hygiene"),
            exit_code=0,
            findings={
                "HYG-USER-GRANTED-DATA": "unknown",
                "HYG-GRANTS-IN-EFFECT": "fail",
                "HYG-DEAD-GRANTS": "fail",
            },
            text=(
                "dead0000-0000-4000-8000-000000000002 is no longer",
                "Microsoft Graph has no scope user_impersonation",
            ),
        ),
        id="hygiene-odd-grants",
    ),
    # An administrator's grant with commas: MicrosoftDocs/microsoftgraph-docs-powershell issue 411 and
    # microsoftgraph/msgraph-bicep-types pull request 211.
    pytest.param(
        Case(
            "grant-badly-separated",
            MAILROOM,
            exit_code=1,
            outcome="needs-admin",
            text=("because its scopes are separated by commas instead of spaces",),
        ),
        id="grant-badly-separated",
    ),
    # The same grant without its client: what the app was granted is not known.
    pytest.param(
        Case(
            "grant-badly-separated",
            MAILROOM,
            exit_code=4,
            outcome="depends",
            text=("oauth2PermissionGrants[0] (id g1) has no clientId",),
            changes={"sections": {"oauth2PermissionGrants": [{"id": "g1", "consentType": "AllPrincipals"}]}},
        ),
        id="a-grant-without-its-client",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_the_command_gives_the_right_answer(case: Case, tmp_path: Path) -> None:
    document = json.loads((REPORTS / f"{case.snapshot}.json").read_text("utf-8"))
    (tmp_path / "tenant.json").write_text(json.dumps(merge_patch(document, case.changes)), "utf-8")
    files = ("-o", "report.json", "-o", "report.txt")
    done = run("check", "--snapshot", "tenant.json", *case.arguments, *files, cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_bytes())
    text = " ".join((tmp_path / "report.txt").read_text("utf-8").split())
    found = {one["rule"]: one for one in report["findings"]}
    assert {rule: found[rule]["outcome"] for rule in case.findings} == case.findings
    likely = {rule for rule in case.findings if found[rule]["confidence"] == "likely"}
    assert likely == set(case.likely)
    for decision in report["decisions"][:1]:
        assert case.outcome in ("", decision["outcome"])
        assert case.confidence in ("", decision["confidence"])
    for passage in case.text:
        assert passage in text
    assert done.code == case.exit_code, done.err
