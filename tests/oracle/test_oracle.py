"""The worked examples of section 10, against the oracle itself."""

from __future__ import annotations

import pytest

from . import pool
from .evaluator import judge
from .plain import EVERYTHING, FULL_GRANT, MEMBER, OWN, UNVERIFIED, VERIFIED, app, blocked, tenant
from .pool import GRAPH, LEGACY, LOW, RECOMMENDED
from .reading import Json

LOW_MAIL = {GRAPH: pool.classified(GRAPH, EVERYTHING)}
WORKED: list[tuple[str, Json, Json, str, set[str]]] = [
    ("1: consent off, only owned-resource entries", tenant(), app(), "needs-admin", {"AADSTS90094"}),
    (
        "3: managed, app never seen",
        tenant(RECOMMENDED, pool.MAIL_CLIENTS),
        app(),
        "needs-admin",
        {"AADSTS90094"},
    ),
    (
        "4: managed with the text of 2023, unverified",
        tenant(RECOMMENDED, client=UNVERIFIED, permissionGrantPolicies=[pool.recommended_2023()]),
        app(),
        "needs-admin",
        {"AADSTS90094"},
    ),
    (
        "5: managed, sending only",
        tenant(RECOMMENDED, client=VERIFIED),
        app(["User.Read", "Mail.Send"]),
        "user-may-consent",
        set(),
    ),
    ("6: legacy, verified", tenant(LEGACY, client=VERIFIED), app(), "user-may-consent", set()),
    (
        "7: legacy, unverified",
        tenant(LEGACY, client=UNVERIFIED),
        app(),
        "needs-admin",
        {"AADSTS90094", "AADSTS900941"},
    ),
    (
        "8: legacy, unverified, step-up off",
        tenant(LEGACY, client=UNVERIFIED, risky=True),
        app(),
        "user-may-consent",
        set(),
    ),
    ("9: low, nothing classified", tenant(LOW, client=VERIFIED), app(), "needs-admin", {"AADSTS90094"}),
    (
        "10: low, all classified, verified",
        tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        app(),
        "user-may-consent",
        set(),
    ),
    (
        "11: low, all classified, unverified",
        tenant(LOW, client=UNVERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        app(),
        "needs-admin",
        {"AADSTS90094"},
    ),
    (
        "12: low, all classified, own app",
        tenant(LOW, client=OWN, delegatedPermissionClassifications=LOW_MAIL),
        app(),
        "user-may-consent",
        set(),
    ),
    (
        "16: legacy, assignment required",
        tenant(LEGACY, client={**VERIFIED, "appRoleAssignmentRequired": True}),
        app(),
        "needs-admin",
        {"AADSTS90094"},
    ),
    (
        "17: disabled, though all is granted",
        tenant(LEGACY, client={**VERIFIED, "accountEnabled": False}, oauth2PermissionGrants=FULL_GRANT),
        app(),
        "blocked",
        {"AADSTS7000112"},
    ),
    (
        "19: consent off, all granted",
        tenant(client=VERIFIED, oauth2PermissionGrants=FULL_GRANT),
        app(),
        "connects-silently",
        set(),
    ),
]


@pytest.mark.parametrize(
    ("snapshot", "request_", "outcome", "codes"), [one[1:] for one in WORKED], ids=[one[0] for one in WORKED]
)
def test_the_worked_examples_come_out_as_the_document_says(
    snapshot: Json, request_: Json, outcome: str, codes: set[str]
) -> None:
    verdict = judge(snapshot, request_)
    assert (verdict.outcome, set(verdict.codes)) == (outcome, codes)


def test_example_2_owned_resource_entries_and_an_empty_list_are_the_same_to_a_mailbox() -> None:
    snapshot = tenant()
    entries = snapshot["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]
    entries["permissionGrantPoliciesAssigned"] = ["ManagePermissionGrantsForOwnedResource." + LEGACY]
    assert judge(snapshot, app()) == judge(tenant(), app())


def test_example_3_names_the_excluded_scopes_and_no_others() -> None:
    verdict = judge(tenant(RECOMMENDED), app())
    assert blocked(verdict) == {"mail.readwrite", "calendars.readwrite", "contacts.readwrite"}
    assert verdict.scopes[GRAPH, "mail.send"] == "consentable"


def test_example_9_blocks_sign_in_scopes_too() -> None:
    assert blocked(judge(tenant(LOW, client=VERIFIED), app())) == {one.lower() for one in EVERYTHING}


def test_example_26_uses_the_documented_text_only_where_policies_could_not_be_read() -> None:
    unreadable = tenant(LEGACY, client=VERIFIED, permissionGrantPolicies=None)
    texts = {LEGACY: pool.legacy()}
    assert judge(unreadable, app()).outcomes == {"user-may-consent", "needs-admin"}
    assert judge(unreadable, app(), documented=lambda one, _: texts.get(one)).outcome == "user-may-consent"
    deleted = tenant(LEGACY, client=VERIFIED, permissionGrantPolicies=[pool.low()])
    assert judge(deleted, app(), documented=lambda one, _: texts.get(one)).outcome == "depends"


def test_a_policy_of_a_role_that_was_not_read_says_one_thing_in_one_world() -> None:
    """If it approves, this user grants for everybody and no risk is looked at; if not, nothing else approves."""
    action = f"microsoft.directory/servicePrincipals/managePermissionGrantsForAll.{LEGACY}"
    verdict = judge(tenant(client=UNVERIFIED, permissionGrantPolicies=[]), app(), {**MEMBER, "role_actions": [action]})
    assert verdict.outcomes == {"user-may-consent", "needs-admin"}
    assert verdict.codes == {"AADSTS90094"}
