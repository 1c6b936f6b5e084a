"""Facts about the client app: from its service principal, or else from what its vendor states."""

from __future__ import annotations

import msgspec

from auditor.consent.lookup import Absent, NotRead, SnapshotIndex, index_of
from auditor.consent.truth import Truth, known
from auditor.facts.clouds import CLOUDS
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the client that consent depends on.

    `name` is the name under which this tenant lists the app. `publisher_id` is the verified publisher's partner id,
    empty when unverified, ``None`` when not known. `stated` is true where `owner_tenant` or `publisher_verified` is the
    vendor's word, not the tenant's.
    """

    app_id: str
    presence: Truth
    object_id: str | None = None
    name: str = ""
    enabled: Truth = Truth.UNKNOWN
    deactivated: Truth = Truth.UNKNOWN
    disabled_by_microsoft: Truth = Truth.UNKNOWN
    assignment_required: Truth = Truth.UNKNOWN
    owner_tenant: str | None = None
    publisher_verified: Truth = Truth.UNKNOWN
    publisher_id: str | None = None
    reply_urls: tuple[str, ...] | None = None
    stated: bool = False
    unread: str = ""
    """Why the service principal's facts are not known."""

    @property
    def publisher_need(self) -> str:
        """What to ask for when the publisher is not known."""
        return f"whether the app's publisher is verified ({self.unread})"


_DISABLED = {
    "": Truth.FALSE,
    "notdisabled": Truth.FALSE,
    "disabledduetoviolationofservicesagreement": Truth.TRUE,
}
"""Whether Microsoft has disabled the app, by its status in lower case (Graph, ``servicePrincipal``)."""


def is_disabled_by_microsoft(principal: ServicePrincipal) -> Truth:
    """Whether Microsoft has disabled the app; unknown for a status that is new to this program."""
    return _DISABLED.get((principal.disabledByMicrosoftStatus or "").lower(), Truth.UNKNOWN)


NOT_CONNECTED = "the app is not in the tenant yet"


def client_of(snapshot: Snapshot | SnapshotIndex, app: App) -> Client:
    """The facts about `app` in this tenant.

    An absent service principal is normal before the first consent: the one that consent creates starts
    enabled and without assignment requirement.
    """
    index = index_of(snapshot)
    match index.service_principal(app.client_id):
        case ServicePrincipal() as principal:
            return _present(index.snapshot.cloud, principal)
        case Absent():
            return _absent(index.snapshot.cloud, app)
        case NotRead() as why:
            return Client(app_id=app.client_id, presence=Truth.UNKNOWN, unread=why.why)


def _present(cloud: str, principal: ServicePrincipal) -> Client:
    publisher = principal.verifiedPublisher
    verified = publisher.is_verified if publisher else None
    publisher_id = publisher.verifiedPublisherId or "" if publisher and verified is not None else None
    if not _verifies_publishers(cloud):
        publisher_id = ""
    return Client(
        app_id=principal.appId,
        presence=Truth.TRUE,
        object_id=principal.id or None,
        name=principal.displayName or "",
        enabled=known(principal.accountEnabled),
        # Graph returns null for both while nothing is wrong, so a missing value reads as "not disabled".
        deactivated=known(bool(principal.isDisabled)),
        disabled_by_microsoft=is_disabled_by_microsoft(principal),
        assignment_required=known(principal.appRoleAssignmentRequired),
        owner_tenant=principal.appOwnerOrganizationId,
        publisher_verified=Truth.UNKNOWN if publisher_id is None else known(publisher_id != ""),
        publisher_id=publisher_id,
        reply_urls=principal.replyUrls,
        unread="the property of the app's service principal was not read",
    )


def _absent(cloud: str, app: App) -> Client:
    verified = app.publisher_verified if _verifies_publishers(cloud) else False
    return Client(
        app_id=app.client_id,
        presence=Truth.FALSE,
        enabled=Truth.TRUE,
        deactivated=Truth.FALSE,
        disabled_by_microsoft=Truth.FALSE,
        assignment_required=Truth.FALSE,
        owner_tenant=app.owner_tenant,
        publisher_verified=known(verified),
        publisher_id="" if verified is False else None,
        stated=app.owner_tenant is not None or app.publisher_verified is not None,
        unread=NOT_CONNECTED,
    )


def _verifies_publishers(cloud: str) -> bool:
    # Publisher verification exists in the global cloud only ("Publisher verification", limitations).
    known_cloud = CLOUDS.get(cloud)
    return known_cloud is None or known_cloud.verifies_publishers
