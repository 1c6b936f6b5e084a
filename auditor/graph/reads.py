"""The catalogue of reads: what a plan means in requests to Graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from auditor.graph.addresses import Addresses, quoted
from auditor.model.read_plan import Plan
from auditor.model.sections import permissions_to_read

CLIENT_PROPERTIES = (
    "id",
    "appId",
    "displayName",
    "appDisplayName",
    "accountEnabled",
    "appRoleAssignmentRequired",
    "appOwnerOrganizationId",
    "disabledByMicrosoftStatus",
    "isDisabled",
    "servicePrincipalType",
    "signInAudience",
    "verifiedPublisher",
    "replyUrls",
    "tags",
    "servicePrincipalNames",
    "createdDateTime",
)
RESOURCE_PROPERTIES = ("id", "appId", "displayName", "accountEnabled", "oauth2PermissionScopes")
NOT_EVERYWHERE = "isDisabled"
"""A property that some clouds answer 400 for; the read is made again without it."""

CONSENT_CODES = (65001, 65004, 650052, 90093, 90094, 90095, 900941, 900981, 50105, 7000112)
"""Sign-in errors that say something about consent or assignment; a busy app has many that do not."""

PAGE = "999"


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to read: where it is, and which part of which section it becomes.

    `absent_ok`: a 404 is an answer if the app of `part` has no service principal. `fallback` is what to ask
    when the address is answered 400. `aspect` tells apart reads that make up one part. `covers` is what the
    section then holds the answer for; none means that the section is complete.
    """

    section: str
    url: str
    part: str = ""
    version: str = "v1.0"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    is_list: bool = False
    absent_ok: bool = False
    whole: bool = False
    fallback: str = ""
    aspect: str = ""
    covers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The key under which this read is unread when it fails."""
        return f"{self.section}/{self.part}" if self.part else self.section

    @property
    def permissions(self) -> tuple[str, ...]:
        """The permissions that allow the read, any one of them."""
        if self.aspect == "memberOf":
            # A user's groups and roles are more than the user: User.Read.All is not enough for an app.
            return ("Directory.Read.All",)
        return permissions_to_read(self.section)


def catalogue(plan: Plan, at: Addresses, taken: str) -> tuple[Read, ...]:
    """Every read that `plan` asks for; logs are read from `plan.log_days` before `taken` on.

    Raises `ValueError` for a section that cannot be read in the way the plan asks.
    """
    since = (datetime.fromisoformat(taken) - timedelta(days=plan.log_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reads: list[Read] = []
    for name in dict.fromkeys((*plan.whole, *plan.sections)):
        reads += _whole(name, at, since) if name in plan.whole else _tenant_wide(name, plan, at, since)
    reads += _apps(plan, at)
    for user in dict.fromkeys(plan.users):
        reads += _user(at, user)
    for policy in dict.fromkeys(plan.beta_policies):
        url = at.permission_grant_policy(policy)
        reads.append(Read(section="permissionGrantPolicies", part=policy, version="beta", url=url, aspect="beta"))
    for role in dict.fromkeys(plan.assignments_of):
        url = at.role_assignments(filter=f"roleDefinitionId eq {quoted(role)}")
        reads.append(Read(section="roleAssignments", part=role, url=url, is_list=True, covers=(role,)))
    return tuple(reads)


def requesters(at: Addresses, request_id: str) -> Read:
    """Who asked for admin consent: can be asked only after the list of requests was read."""
    url = at.user_consent_requests(request_id)
    return Read(section="appConsentRequests", part=request_id, url=url, is_list=True, aspect="userConsentRequests")


def _tenant_wide(name: str, plan: Plan, at: Addresses, since: str) -> Iterator[Read]:
    """A section that is small, or that is asked for the plan's clients only."""
    match name:
        case "organization":
            select = ("id", "displayName", "tenantType", "verifiedDomains")
            yield Read(section=name, url=at.organization(select=select))
        case "authorizationPolicy":
            yield Read(section=name, url=at.authorization_policy())
        case "permissionGrantPolicies":
            yield Read(section=name, url=at.permission_grant_policies(), is_list=True)
        case "adminConsentRequestPolicy":
            yield Read(section=name, url=at.admin_consent_request_policy())
        case "directorySettings":
            yield Read(section=name, url=at.directory_settings(), version="beta", is_list=True)
        case "roleDefinitions":
            url = at.role_definitions(filter="isBuiltIn eq false")
            yield Read(section=name, url=url, is_list=True, covers=("custom",))
        case "directoryAudits":
            yield _audits(at, since)
        case "appConsentRequests" | "signIns":
            log = _sign_ins if name == "signIns" else _requests
            for app in dict.fromkeys(plan.clients) or ("",):
                yield log(at, since, app)
        case _:
            raise ValueError(f"{name} is no section that is read for the whole tenant at little cost")


def _whole(name: str, at: Addresses, since: str) -> Iterator[Read]:
    """A section directory-wide, page by page."""
    match name:
        case "servicePrincipals":
            lesser = [name for name in CLIENT_PROPERTIES if name != NOT_EVERYWHERE]
            yield Read(
                section=name,
                url=at.service_principals(select=CLIENT_PROPERTIES, top=PAGE),
                fallback=at.service_principals(select=lesser, top=PAGE),
                is_list=True,
                whole=True,
            )
        case "oauth2PermissionGrants":
            yield Read(section=name, url=at.grants(top=PAGE), is_list=True, whole=True)
        case "roleDefinitions":
            yield Read(section=name, url=at.role_definitions(), is_list=True, whole=True)
        case "roleAssignments":
            yield Read(section=name, url=at.role_assignments(), is_list=True, whole=True)
        case "users":
            select = ("id", "userPrincipalName", "displayName", "userType")
            yield Read(section=name, url=at.users(select=select, top=PAGE), is_list=True, whole=True)
        case "delegatedPermissionClassifications" | "appRoleAssignedTo":
            raise ValueError(f"{name} can only be read for the clients or resources that a plan names")
        case _:
            for read in _tenant_wide(name, Plan(), at, since):
                yield msgspec.structs.replace(read, whole=read.is_list)


def _audits(at: Addresses, since: str) -> Read:
    """Who consented to what, whoever the app is: targets cannot be filtered by."""
    when = f"activityDisplayName eq 'Consent to application' and activityDateTime ge {since}"
    return Read(section="directoryAudits", url=at.directory_audits(filter=when), is_list=True)


def _sign_ins(at: Addresses, since: str, app: str) -> Read:
    """Sign-ins to `app` (or to any) that ended in a code that has to do with consent."""
    which = f"createdDateTime ge {since}" + (f" and appId eq {quoted(app)}" if app else "")
    codes = " or ".join(f"status/errorCode eq {code}" for code in CONSENT_CODES)
    return Read(
        section="signIns",
        url=at.sign_ins(filter=f"{which} and ({codes})"),
        fallback=at.sign_ins(filter=which),
        is_list=True,
        covers=(app,) if app else (),
    )


def _requests(at: Addresses, since: str, app: str) -> Read:
    """Requests for admin consent to `app`, or to any."""
    options = {"filter": f"appId eq {quoted(app)}"} if app else {}
    return Read(
        section="appConsentRequests",
        url=at.consent_requests(**options),
        is_list=True,
        covers=(app,) if app else (),
    )


def _apps(plan: Plan, at: Addresses) -> Iterator[Read]:
    """Clients and resources; an app that is both is read once, with the properties of both."""
    clients, resources = dict.fromkeys(plan.clients), dict.fromkeys(plan.resources)
    for app in clients | resources:
        wanted = dict.fromkeys(
            (
                *(CLIENT_PROPERTIES if app in clients else ()),
                *(RESOURCE_PROPERTIES if app in resources else ()),
            )
        )
        lesser = [name for name in wanted if name != NOT_EVERYWHERE]
        yield Read(
            section="servicePrincipals",
            part=app,
            url=at.service_principal(app, select=list(wanted)),
            fallback=at.service_principal(app, select=lesser) if app in clients else "",
            absent_ok=True,
            covers=(app,),
        )
    for app in clients:
        yield _below(at, app, "oauth2PermissionGrants", covers=(app,))
        yield _below(at, app, "appRoleAssignedTo")
    for app in resources:
        yield _below(at, app, "delegatedPermissionClassifications")


def _below(at: Addresses, app: str, section: str, covers: tuple[str, ...] = ()) -> Read:
    url = at.of_service_principal(app, section)
    return Read(section=section, part=app, url=url, is_list=True, absent_ok=True, covers=covers)


def _user(at: Addresses, name: str) -> Iterator[Read]:
    select = ("id", "userPrincipalName", "displayName", "userType")
    yield Read(section="users", part=name, url=at.user(name, select=select), covers=(name,))
    url = at.member_of(name, select=("id", "displayName"))
    yield Read(section="users", part=name, url=url, is_list=True, aspect="memberOf")
