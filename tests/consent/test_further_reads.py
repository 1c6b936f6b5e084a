"""Follow-up reads: asked for where they would decide something, and nowhere else."""

from __future__ import annotations

from typing import Any

from auditor.checks.required_reads import further_reads_for_app as further_reads
from auditor.model.snapshot import Plan
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle import pool
from tests.oracle.plain import UNVERIFIED, VERIFIED, app, tenant
from tests.oracle.pool import LEGACY, RECOMMENDED

Json = dict[str, Any]


def wanted(document: Json) -> Plan:
    """What the decision on the plain app still asks for."""
    return further_reads(snapshot_of(document), app_of(app()))


def test_a_managed_tenant_needs_no_second_look() -> None:
    assert wanted(tenant(RECOMMENDED, directorySettings=None)).is_empty


def test_risk_settings_are_asked_for_only_where_a_risky_request_could_pass() -> None:
    assert wanted(tenant(LEGACY, client=VERIFIED, directorySettings=None)).is_empty
    unverified = tenant(LEGACY, client=UNVERIFIED, directorySettings=None)
    assert wanted(unverified).sections == ("directorySettings",)


def test_what_was_refused_once_is_not_asked_for_again() -> None:
    document = tenant(LEGACY, client=UNVERIFIED, directorySettings=None)
    document["unread"] = {"directorySettings": {"status": 403, "code": "Authorization_RequestDenied"}}
    assert wanted(document).is_empty


def test_the_beta_conditions_of_a_custom_policy_are_asked_for_where_it_matches() -> None:
    conditions = pool.condition_set()
    conditions.pop("certifiedClientApplicationsOnly", None)
    document = tenant("contoso", client=VERIFIED, permissionGrantPolicies=[pool.policy("contoso", [conditions])])
    assert wanted(document).beta_policies == ("contoso",)
    conditions["certifiedClientApplicationsOnly"] = False
    assert wanted(document).is_empty


def test_holders_of_a_custom_consent_role_are_asked_for_where_nobody_else_may_consent() -> None:
    action = f"microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.{LEGACY}"
    role = {"id": "R1", "isBuiltIn": False, "rolePermissions": [{"allowedResourceActions": [action]}]}
    assert wanted(tenant(client=VERIFIED, roleDefinitions=[role])).assignments_of == ("r1",)
    assert wanted(tenant(LEGACY, client=VERIFIED, roleDefinitions=[role])).is_empty
