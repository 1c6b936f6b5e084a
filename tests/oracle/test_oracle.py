"""The worked examples of section 10, against the oracle itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import pytest

from . import pool
from .evaluator import judge
from .plain import EVERYTHING, FULL_GRANT, MEMBER, OWN, UNVERIFIED, VERIFIED, app, blocked, tenant
from .pool import GRAPH, LEGACY, LOW, RECOMMENDED
from .reading import Json

LOW_MAIL = {GRAPH: pool.classified(GRAPH, EVERYTHING)}


class Example(NamedTuple):
    """A tenant, an app that asks for consent in it, and what comes of it."""

    name: str
    tenant: Json
    outcome: str
    request: Json = app()
    codes: Collection[str] = frozenset()


EXAMPLES = [
    Example(
        "1: consent off, only owned-resource entries", tenant=tenant(), outcome="needs-admin", codes={"AADSTS90094"}
    ),
    Example(
        "3: managed, app never seen",
        tenant=tenant(RECOMMENDED, pool.MAIL_CLIENTS),
        outcome="needs-admin",
        codes={"AADSTS90094"},
    ),
    Example(
        "4: managed with the text of 2023, unverified",
        tenant=tenant(RECOMMENDED, client=UNVERIFIED, permissionGrantPolicies=[pool.recommended_2023()]),
        outcome="needs-admin",
        codes={"AADSTS90094"},
    ),
    Example(
        "5: managed, sending only",
        tenant=tenant(RECOMMENDED, client=VERIFIED),
        request=app(["User.Read", "Mail.Send"]),
        outcome="user-may-consent",
    ),
    Example("6: legacy, verified", tenant=tenant(LEGACY, client=VERIFIED), outcome="user-may-consent"),
    Example(
        "7: legacy, unverified",
        tenant=tenant(LEGACY, client=UNVERIFIED),
        outcome="needs-admin",
        codes={"AADSTS90094", "AADSTS900941"},
    ),
    Example(
        "8: legacy, unverified, step-up off",
        tenant=tenant(LEGACY, client=UNVERIFIED, risky=True),
        outcome="user-may-consent",
    ),
    Example(
        "9: low, nothing classified", tenant=tenant(LOW, client=VERIFIED), outcome="needs-admin", codes={"AADSTS90094"}
    ),
    Example(
        "10: low, all classified, verified",
        tenant=tenant(LOW, client=VERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        outcome="user-may-consent",
    ),
    Example(
        "11: low, all classified, unverified",
        tenant=tenant(LOW, client=UNVERIFIED, delegatedPermissionClassifications=LOW_MAIL),
        outcome="needs-admin",
        codes={"AADSTS90094"},
    ),
    Example(
        "12: low, all classified, own app",
        tenant=tenant(LOW, client=OWN, delegatedPermissionClassifications=LOW_MAIL),
        outcome="user-may-consent",
    ),
    Example(
        "16: legacy, assignment required",
        tenant=tenant(LEGACY, client={**VERIFIED, "appRoleAssignmentRequired": True}),
        outcome="needs-admin",
        codes={"AADSTS90094"},
    ),
    Example(
        "17: disabled, though all is granted",
        tenant=tenant(LEGACY, client={**VERIFIED, "accountEnabled": False}, oauth2PermissionGrants=FULL_GRANT),
        outcome="blocked",
        codes={"AADSTS7000112"},
    ),
    Example(
        "19: consent off, all granted",
        tenant=tenant(client=VERIFIED, oauth2PermissionGrants=FULL_GRANT),
        outcome="connects-silently",
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_worked_examples_come_out_as_the_document_says(example: Example) -> None:
    verdict = judge(example.tenant, example.request)
    assert (verdict.outcome, set(verdict.codes)) == (example.outcome, example.codes)


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
