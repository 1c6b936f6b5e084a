"""What an exposure is counted by: kinds of data and classes of apps, and how much each weighs.

Kinds and weights are this project's own view, derived from the scope's name. Microsoft also rates Graph's permissions
from 1 to 5 (``privilegeLevel`` in microsoftgraph/microsoft-graph-devx-content, ``permissions/new/permissions.json``);
those ratings are not used, because this project holds no copy of them and they cover Microsoft Graph only.

A weight is 1 to 5. Reading counts 2; anything that changes or sends data counts 3, and so does a name that does not
say. One less for basic properties or data that the app itself created; one more for everything that the user can
access (``.All``, ``.Shared``); one more for the directory and for sign-in methods. Signing in counts 1.

For each class of apps that a change can open something to, there is one sample app to decide with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import product
from types import MappingProxyType

import msgspec

from auditor.consent import Truth, all_of, known
from auditor.consent.conditions import Restrictions
from auditor.consent.requested_access import Client, client_of
from auditor.facts.ids import BASIC_SCOPES, cloud_named
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot

WEIGHT_VIEW = "this project's own view of each scope's name, 1 to 5"


class ScopeRef(msgspec.Struct, frozen=True, order=True):
    """A delegated scope of a resource (app id, lower case)."""

    resource: str
    scope: str
    resource_name: str


class DataKind(StrEnum):
    """What the data is, in the words of the summary, which lists the kinds in this order."""

    MAIL = "mail"
    CALENDARS = "calendars"
    CONTACTS = "contacts"
    FILES = "files and sites"
    CHATS = "chats and meetings"
    DIRECTORY = "directory"
    TASKS = "tasks and notes"
    CREDENTIALS = "passwords and sign-in methods"
    PROFILE = "sign-in and profile"
    OTHER = "other"


# The first part of a scope's name, up to a dot or hyphen; a star at the end matches any rest.
_HEADS = MappingProxyType(
    {
        DataKind.MAIL: "mail mailbox* mailtips imap pop smtp ews eas exchange* full_access_as_user",
        DataKind.CALENDARS: "calendar calendars bookings*",
        DataKind.CONTACTS: "contact contacts people",
        DataKind.FILES: "files allfiles myfiles filestorage* sites allsites lists listitems termstore",
        DataKind.CHATS: "chat* channel* team* onlinemeeting* call* presence virtual* userteamwork"
        " aienterpriseinteraction copilotconversation engagementconversation engagementmeetingconversation",
        DataKind.DIRECTORY: "user group* unifiedgroup* directory* administrativeunit application* approleassignment"
        " role* privileged* policy organization* orgcontact domain* multitenantorganization licenseassignment"
        " entitlement* consentrequest crosstenant* customsec* identity* accessreview member delegated*"
        " serviceprincipal* agentidentity* agentiduser synchronization* onpremdirectorysynchronization"
        " lifecycleworkflows tenantgovernance",
        DataKind.TASKS: "tasks notes shortnotes",
        DataKind.CREDENTIALS: "userauthmethod userauthenticationmethod signinidentifier devicelocalcredential"
        " bitlockerkey",
        DataKind.PROFILE: "openid profile email offline_access profilephoto",
    }
)
_OWN_PROFILE = frozenset({"user.read", "user.readwrite"})
_LIMITED = ("selected", "appfolder", "createdbyapp", "self")
"""Parts of names that limit a scope to what was selected for the app or created by it."""


@lru_cache(maxsize=4096)
def data_kind(scope: str) -> DataKind:
    """What the scope gives access to, according to its name; `DataKind.OTHER` if the name is not known."""
    name = scope.lower()
    if name in _OWN_PROFILE:
        return DataKind.PROFILE
    head = re.split(r"[.-]", name, maxsplit=1)[0]
    return next((kind for kind, heads in _HEADS.items() if _matches(head, heads)), DataKind.OTHER)


def _matches(head: str, patterns: str) -> bool:
    return any(head.startswith(one[:-1]) if one.endswith("*") else head == one for one in patterns.split())


@lru_cache(maxsize=4096)
def scope_weight(scope: str) -> int:
    """How much the scope weighs, 1 to 5, as the description of this module explains."""
    name = scope.lower()
    if name in BASIC_SCOPES:
        return 1
    parts = name.split(".")[1:]
    weight = 2 if any(p.startswith("read") and "write" not in p for p in parts) else 3
    if "basic" in name or any(word in part for part in parts for word in _LIMITED):
        weight -= 1
    if "all" in parts or "shared" in parts:
        weight += 1
    if data_kind(scope) in (DataKind.DIRECTORY, DataKind.CREDENTIALS):
        weight += 1
    return min(weight, 5)


def count_by_kind(refs: tuple[ScopeRef, ...]) -> dict[DataKind, int]:
    """How many scopes there are of each kind, in the order of the kinds."""
    counted = Counter(data_kind(ref.scope) for ref in refs)
    return {kind: counted[kind] for kind in DataKind if counted[kind]}


class AppClass(StrEnum):
    """A class of apps. The first three are for apps that no policy names."""

    UNVERIFIED = "unverified-publisher"
    VERIFIED = "verified-publisher"
    OWN = "own-tenant"
    NAMED = "named-by-policy"
    """Other apps, publishers and foreign tenants that an assigned policy names: only what goes beyond `UNVERIFIED`."""
    THIS = "this-app"


AUDIENCE_WEIGHT = {
    AppClass.UNVERIFIED: 3,
    AppClass.VERIFIED: 2,
    AppClass.OWN: 1,
    AppClass.NAMED: 1,
    AppClass.THIS: 0,
}
"""How much it matters that a scope opens to a class, in this project's view: anybody can register an app without a
verified publisher, fewer can become verified, and few can register an app in the tenant itself."""

# No list in a policy contains this value, because no app id, publisher id or tenant id looks like it.
_ANY = "any other"


class RequestingApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app that requests consent, before and after the change.

    `usable_before` and `usable_after`: whether users can consent to it at all, because it is switched on and requires
    no assignment.
    """

    kind: AppClass
    app: App
    before: Client
    after: Client
    usable_before: Truth = Truth.TRUE
    usable_after: Truth = Truth.TRUE

    @property
    def is_unchanged(self) -> bool:
        """Whether the change leaves the app itself as it is."""
        return self.usable_before is self.usable_after and self.before == self.after


def requesting_apps(
    before: Snapshot, after: Snapshot, app: App, sets: tuple[Restrictions, ...]
) -> tuple[RequestingApp, ...]:
    """One app for each class, and one for each way in which the condition sets name other apps."""
    generic = [
        _requesting(AppClass.UNVERIFIED, _client()),
        _requesting(AppClass.OWN, _client(owner=after.tenant.id or None)),
    ]
    if cloud_named(after.cloud).verifies_publishers:
        generic.insert(1, _requesting(AppClass.VERIFIED, _client(publisher=_ANY)))
    return (*generic, *_named(after, app, sets), _this(before, after, app))


def _client(owner: str | None = _ANY, publisher: str = "", app_id: str = _ANY) -> Client:
    return Client(
        app_id=app_id,
        presence=Truth.TRUE,
        enabled=Truth.TRUE,
        deactivated=Truth.FALSE,
        disabled_by_microsoft=Truth.FALSE,
        assignment_required=Truth.FALSE,
        owner_tenant=owner,
        publisher_verified=known(publisher != ""),
        publisher_id=publisher,
    )


def _requesting(kind: AppClass, client: Client) -> RequestingApp:
    return RequestingApp(kind=kind, app=App(client_id=client.app_id), before=client, after=client)


def _this(before: Snapshot, after: Snapshot, app: App) -> RequestingApp:
    """This app with its real properties; a service principal that was only just created adds none."""
    was, now = client_of(before, app), client_of(after, app)
    if now.owner_tenant is None:
        now = msgspec.structs.replace(now, owner_tenant=was.owner_tenant)
    if now.publisher_verified is Truth.UNKNOWN:
        verified, publisher_id = was.publisher_verified, was.publisher_id
        now = msgspec.structs.replace(now, publisher_verified=verified, publisher_id=publisher_id)
    return RequestingApp(
        kind=AppClass.THIS,
        app=app,
        before=_what_policies_see(was),
        after=_what_policies_see(now),
        usable_before=_usable(was),
        usable_after=_usable(now),
    )


def _what_policies_see(client: Client) -> Client:
    """The properties that conditions use, without those that change when a service principal is created."""
    return Client(
        app_id=client.app_id.lower(),
        presence=Truth.TRUE,
        owner_tenant=client.owner_tenant,
        publisher_verified=client.publisher_verified,
        publisher_id=client.publisher_id,
    )


def _usable(client: Client) -> Truth:
    return all_of((client.enabled, ~client.deactivated, ~client.disabled_by_microsoft, ~client.assignment_required))


def _named(snapshot: Snapshot, app: App, sets: tuple[Restrictions, ...]) -> Iterable[RequestingApp]:
    """One app for each app, foreign tenant and publisher that a condition set names, except this app.

    Apps that the same sets name and that have the same known properties are represented by one.
    """
    found: dict[tuple[object, ...], RequestingApp] = {}
    for client in _clients_named(snapshot, app, sets):
        where = tuple((client.app_id in s.clients, client.owner_tenant in s.client_tenants) for s in sets)
        facts = (where, client.owner_tenant, client.publisher_verified.value, client.publisher_id)
        found.setdefault(facts, _requesting(AppClass.NAMED, client))
    return found.values()


def _clients_named(snapshot: Snapshot, app: App, sets: tuple[Restrictions, ...]) -> Iterator[Client]:
    own = snapshot.tenant.id.lower()
    for conditions in sets:
        tenants, publishers = conditions.client_tenants, conditions.publishers
        if conditions.clients:
            for name in sorted(conditions.clients - {app.client_id.lower()}):
                yield _what_policies_see(client_of(snapshot, App(client_id=name)))
        elif publishers or tenants - {own}:
            for tenant, publisher in product(sorted(tenants) or (_ANY,), sorted(publishers) or ("", _ANY)):
                if publisher == "" or cloud_named(snapshot.cloud).verifies_publishers:
                    yield _client(owner=tenant, publisher=publisher)
