"""What a tenant granted an app is what the app asks for, as far as it was read."""

from __future__ import annotations

import msgspec
import pytest

from auditor.consent.granted_permissions import app_as_granted
from auditor.consent.requested_scopes import RequestError
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.snapshot import Snapshot, Unread
from auditor.snapshot.samples import sample

TRACKER = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
replace = msgspec.structs.replace


def with_grants(snapshot: Snapshot, *grants: OAuth2PermissionGrant) -> Snapshot:
    return replace(snapshot, sections=replace(snapshot.sections, oauth2PermissionGrants=grants))


def test_the_grants_of_everybody_are_put_together_sign_in_first() -> None:
    tenant = sample("admin-consented")
    row = (tenant.sections.oauth2PermissionGrants or ())[0]
    wide = replace(row, scope=" Mail.Send openid ")
    one = replace(row, consentType="Principal", principalId="u1", scope="mail.send Calendars.Read offline_access")
    other = replace(row, clientId="another", scope="Files.Read.All")
    app = app_as_granted(with_grants(tenant, wide, one, other), TRACKER.upper())
    assert [need.value for need in app.scopes] == ["openid", "offline_access", "Calendars.Read", "Mail.Send"]
    assert app.name == "TrackerRMS"
    assert app.publisher_verified is True
    assert app.redirect_uris


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("managed-default", "is not in this tenant", id="not in the tenant"),
        pytest.param("admin-consented without grants", "was granted nothing", id="no grants"),
        pytest.param(
            "admin-consented with grants unread", "the grants of TrackerRMS were not read", id="grants not read"
        ),
        pytest.param("admin-consented of another", "was not read in this tenant", id="read for another app"),
        pytest.param(
            "admin-consented on an unknown resource",
            "on a resource that was not read (object id gone)",
            id="an unknown resource",
        ),
    ],
)
def test_what_was_not_read_is_not_taken_for_nothing(name: str, message: str) -> None:
    tenant = sample(name.split(" ", maxsplit=1)[0])
    row = (tenant.sections.oauth2PermissionGrants or (None,))[0]
    client = TRACKER
    if "without" in name:
        tenant = with_grants(tenant)
    elif "unread" in name:
        sections = replace(tenant.sections, oauth2PermissionGrants=None)
        unread = {"oauth2PermissionGrants": Unread(status=403, code="Denied", message="no")}
        tenant = replace(tenant, sections=sections, unread=unread)
    elif "of another" in name:
        client = "00000000-1111-4222-8333-444444444444"
        tenant = replace(tenant, covers={**tenant.covers, "servicePrincipals": (TRACKER,)})
    elif "unknown" in name:
        assert row is not None
        tenant = with_grants(tenant, replace(row, resourceId="gone"))
    with pytest.raises(RequestError) as caught:
        app_as_granted(tenant, client)
    assert message in str(caught.value)
