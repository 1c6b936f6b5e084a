"""For an app that asks for its registered permissions, the decision says what of them was granted so far."""

from __future__ import annotations

import pytest

from auditor.checks.connection import AdminConsentCovers
from auditor.checks.kind import CheckContext
from auditor.consent.decide import decide
from auditor.consent.sign_in_address import request_from_url
from auditor.model.decision import Decision, Outcome
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from tests.consent.from_oracle import snapshot_of
from tests.oracle import pool
from tests.oracle.plain import VERIFIED, tenant
from tests.oracle.reading import Json

HOST = "https://login.microsoftonline.com/contoso.com"
ADDRESSES = {
    "an admin consent address": f"{HOST}/adminconsent?client_id={pool.CLIENT}",
    "an authorize address of v1.0": f"{HOST}/oauth2/authorize?client_id={pool.CLIENT}&response_type=code",
}
NOWHERE = "0d0d0d0d-0000-4000-8000-000000000000"


def asking(address: str) -> App:
    """The app of this address."""
    return request_from_url(address).app


def holding(*grants: Json) -> Snapshot:
    """A tenant whose users can't consent, with these grants."""
    return snapshot_of(tenant(client=VERIFIED, oauth2PermissionGrants=list(grants)))


def decided(address: str, *grants: Json) -> Decision:
    """The decision in a tenant with these grants."""
    return decide(holding(*grants), asking(address))


def granted(decision: Decision) -> str:
    """What the decision says was granted; empty if it says nothing about that."""
    (note,) = (one for one in decision.notes if one.startswith("The app asks for its registered permissions"))
    return note.partition("only its publisher can read.")[2].strip()


MAIL, SMTP = pool.grant(pool.GRAPH, "User.Read Mail.Read"), pool.grant(pool.EXCHANGE, "SMTP.Send")
OF_ANOTHER_USER = pool.grant(pool.GRAPH, "Mail.Read", principal=pool.BOB)
OF_NOWHERE = {**MAIL, "resourceId": NOWHERE}
SAID = {
    "nothing": ((), "Granted so far: nothing."),
    "Microsoft Graph": ((MAIL,), "Granted so far: Mail.Read, User.Read."),
    "another resource": ((SMTP,), "Granted so far: SMTP.Send."),
    "two resources": ((MAIL, SMTP), "Granted so far: Mail.Read, SMTP.Send, User.Read."),
    "another user": ((OF_ANOTHER_USER,), "Granted so far: nothing."),
    "a resource that is not known": ((OF_NOWHERE,), ""),
    "one of two resources that is known": (
        *((MAIL, OF_NOWHERE),),
        "Granted so far, as far as was read: Mail.Read, User.Read.",
    ),
}


@pytest.mark.parametrize("address", [pytest.param(one, id=name) for name, one in ADDRESSES.items()])
@pytest.mark.parametrize(("grants", "said"), [pytest.param(*row, id=name) for name, row in SAID.items()])
def test_what_was_granted_is_named_on_every_resource_where_the_address_names_none(
    address: str, grants: tuple[Json, ...], said: str
) -> None:
    assert granted(decided(address, *grants)) == said


def test_only_the_resource_of_the_address_counts_where_it_names_one() -> None:
    address = f"{ADDRESSES['an authorize address of v1.0']}&resource={pool.GRAPH}"
    assert granted(decided(address, MAIL, SMTP)) == "Granted so far: Mail.Read, User.Read."
    assert granted(decided(address, SMTP)) == "Granted so far: nothing."
    assert granted(decided(address)) == "Granted so far: nothing."


def test_a_connection_by_a_grant_names_no_resource_that_the_address_does_not_name() -> None:
    decision = decided(ADDRESSES["an admin consent address"], MAIL)
    assert decision.outcome is Outcome.CONNECTS_SILENTLY
    assert decision.because.endswith("an administrator has already granted it some of them.")


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param((), "fail", id="nothing"),
        pytest.param((OF_ANOTHER_USER,), "fail", id="another user's"),
        pytest.param((MAIL,), "unknown", id="Microsoft Graph"),
        pytest.param((SMTP,), "unknown", id="another resource"),
        pytest.param((OF_NOWHERE,), "unknown", id="a resource that is not known"),
    ],
)
def test_a_grant_on_any_resource_means_that_an_administrator_consented(grants: tuple[Json, ...], expected: str) -> None:
    app = asking(ADDRESSES["an admin consent address"])
    assert AdminConsentCovers().judge(CheckContext(holding(*grants), app)).outcome.value == expected
