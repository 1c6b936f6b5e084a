"""The tenant's own settings: user consent, the admin consent workflow, and risk-based step-up consent.

Sources: Entra, "Configure how users consent to applications" and the portal's page User consent settings; "Configure
the admin consent workflow"; "Configure risk-based step-up consent" and "Publisher verification overview". Microsoft's
own risk verdict can't be read, so a statement about a risky request is never more than likely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from auditor.consent.lookup import Absent, NotRead, SnapshotIndex, index_of
from auditor.consent.policies import self_consent_ids
from auditor.consent.requested_access import Client, Permission
from auditor.consent.truth import Truth, all_of, any_of, known
from auditor.facts.ids import (
    BASIC_SCOPES,
    MICROSOFT_GRAPH,
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
)
from auditor.model.resources import AdminConsentRequestPolicy, User
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot

ASSIGNED_POLICIES = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"
"""The path of the consent policies that are assigned to users."""


class UserConsentSetting(msgspec.Struct, frozen=True):
    """Key (``none``, ``low``, ``recommended``, ``legacy``, ``custom``), the portal's label, and the policies."""

    key: str
    label: str
    policies: tuple[str, ...]


MAIL_CLIENTS_BOX = "Enable user consent for popular Mail clients"
"""The portal's check box below the setting that Microsoft manages."""

PORTAL_SETTINGS = (
    UserConsentSetting("none", "Do not allow user consent", ()),
    UserConsentSetting(
        "low", "Allow user consent for apps from verified publishers, for selected permissions", (POLICY_LOW,)
    ),
    UserConsentSetting(
        "recommended", "Let Microsoft manage your consent settings (Recommended)", (POLICY_RECOMMENDED,)
    ),
    UserConsentSetting(
        "recommended",
        f"Let Microsoft manage your consent settings (Recommended), with {MAIL_CLIENTS_BOX}",
        (POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS),
    ),
    UserConsentSetting("legacy", "Allow user consent for apps", (POLICY_LEGACY,)),
)
"""What the portal offers or once offered, least exposure first, in the portal's own words (2026)."""

SETTING_POLICIES = {one.key: one.policies[0] for one in PORTAL_SETTINGS if len(one.policies) == 1}
"""The policy of each setting that consists of one policy, by the key of the setting."""

_BY_POLICIES = {frozenset(one.policies): one for one in PORTAL_SETTINGS}


def user_consent_setting(snapshot: Snapshot | SnapshotIndex) -> UserConsentSetting | NotRead:
    """Which of the portal's choices the tenant made; ``custom`` for what only Graph or PowerShell can set."""
    entries = index_of(snapshot).assigned_policies()
    if isinstance(entries, NotRead):
        return entries
    policies = self_consent_ids(entries)
    known = _BY_POLICIES.get(frozenset(p.lower() for p in policies))
    if known is None:
        return UserConsentSetting(
            "custom", f"customized with Microsoft Graph or PowerShell ({', '.join(policies)})", policies
        )
    return UserConsentSetting(known.key, known.label, policies)


LEGACY_SETTING = "EnableAdminConsentRequests"


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether users may ask for approval; `reviewers` counts the reviewer entries, ``None`` when not known.

    `received` says whether a reviewer hears of a request, and `obstacle` why none does, as a clause.
    """

    enabled: Truth
    reviewers: int | None = None
    received: Truth = Truth.UNKNOWN
    obstacle: str = ""
    why: str = ""
    caveats: tuple[str, ...] = ()


def workflow(snapshot: Snapshot | SnapshotIndex) -> Workflow:
    """The state of the workflow; from the older directory setting if the policy was not read."""
    index = index_of(snapshot)
    policy = index.snapshot.sections.adminConsentRequestPolicy
    if policy is not None and policy.isEnabled is not None:
        reviewers = _reviewers_named(policy)
        obstacle = _why_unheard(index, policy)
        heard = all_of((known(bool(reviewers)), known(policy.notifyReviewers), reviewers_exist(index)))
        return Workflow(
            enabled=known(policy.isEnabled),
            reviewers=reviewers,
            received=Truth.FALSE if obstacle else heard,
            obstacle=obstacle,
        )
    unread = index.not_read("adminConsentRequestPolicy").why
    setting = index.consent_setting(LEGACY_SETTING)
    if isinstance(setting, str):
        caveat = f"{unread}; the older directory setting {LEGACY_SETTING} is used instead"
        return Workflow(enabled=known(setting == "true"), why=unread, caveats=(caveat,))
    return Workflow(enabled=Truth.UNKNOWN, why=unread)


def _reviewers_named(policy: AdminConsentRequestPolicy) -> int | None:
    """How many reviewers the policy names; ``None`` if the data doesn't say whom any of its entries means."""
    if policy.reviewers and all(one.lacks for one in policy.reviewers):
        return None
    return None if policy.reviewers is None else sum(not one.lacks for one in policy.reviewers)


def _why_unheard(index: SnapshotIndex, policy: AdminConsentRequestPolicy) -> str:
    """Why no reviewer hears of a request; empty if one may.

    Source: Microsoft Graph, ``adminConsentRequestPolicy``: ``notifyReviewers`` says whether reviewers receive
    notifications. Without them, a request waits under Admin consent requests until a reviewer looks there.
    """
    if policy.reviewers is None:
        return ""
    if not policy.reviewers:
        return "it has no reviewers"
    if reviewers_exist(index) is Truth.FALSE:
        named = (_USER_QUERY.fullmatch(one.query) for one in policy.reviewers)
        disabled = any(isinstance(index.user(one[1]), User) for one in named if one)
        return f"none of its reviewers exists any more{' or is enabled' if disabled else ''}"
    return "its reviewers are not notified of requests" if policy.notifyReviewers is False else ""


def reviewers_exist(index: SnapshotIndex) -> Truth:
    """Whether at least one reviewer exists and can sign in; unknown for groups, which an audit does not read."""
    policy = index.snapshot.sections.adminConsentRequestPolicy
    return any_of(reviewer_exists(index, one.query) for one in (policy.reviewers if policy else None) or ())


def reviewer_exists(index: SnapshotIndex, query: str) -> Truth:
    """Whether the query of a reviewer returns a user who exists and is enabled; unknown for an empty query.

    Source of the forms: Entra, "Configure the admin consent workflow". The query for a role returns its assignments,
    which don't include those who are only eligible for it.
    """
    if named := _USER_QUERY.fullmatch(query):
        user = index.user(named[1])
        if isinstance(user, User):
            return Truth.FALSE if user.accountEnabled is False else Truth.TRUE
        unread = index.snapshot.unread.get(f"users/{named[1]}")
        gone = _is_whole(index, "users") or (unread is not None and unread.status == 404)
        return Truth.FALSE if gone else Truth.UNKNOWN
    if role := _ROLE_QUERY.search(query):
        assignments = index.snapshot.sections.roleAssignments or ()
        if any(one.roleDefinitionId.lower() == role[1].lower() for one in assignments):
            return Truth.TRUE
        return Truth.FALSE if _is_whole(index, "roleAssignments") else Truth.UNKNOWN
    return Truth.UNKNOWN


def _is_whole(index: SnapshotIndex, section: str) -> bool:
    """Whether the section was read for the whole tenant."""
    return getattr(index.snapshot.sections, section) is not None and not index.why_partial(section)


_USER_QUERY = re.compile(r"(?:/(?:v1\.0|beta))?/users/([^/?$]+)", re.IGNORECASE)
_ROLE_QUERY = re.compile(r"/roleAssignments\?\$filter=roleDefinitionId eq '([^']+)'", re.IGNORECASE)


SETTING = "BlockUserConsentForRiskyApps"


class StepUp(msgspec.Struct, frozen=True):
    """Whether step-up is switched on; `why` is a clause, `needs` the missing fact."""

    truth: Truth
    why: str
    needs: str = ""


def step_up(snapshot: Snapshot | SnapshotIndex) -> StepUp:
    """Whether the tenant has step-up on: it has, unless every indicator that is present says off."""
    index = index_of(snapshot)
    policy = index.snapshot.sections.authorizationPolicy
    setting = index.consent_setting(SETTING)
    allowed = policy.allowUserConsentForRiskyApps if policy else None
    if allowed is False or setting == "true":
        return StepUp(Truth.TRUE, "risk-based step-up consent is switched on")
    if policy is None:
        why = index.not_read("authorizationPolicy").why
        return StepUp(Truth.UNKNOWN, why, f"whether risk-based step-up is on ({why})")
    if isinstance(setting, NotRead):
        # Absent indicators do not count, so with the policy silent the setting alone could switch it off.
        needs = f"whether risk-based step-up is on ({setting.why})"
        return StepUp(Truth.UNKNOWN, setting.why, needs)
    if allowed is None and isinstance(setting, Absent):
        return StepUp(Truth.TRUE, "risk-based step-up consent is on by default")
    return StepUp(Truth.FALSE, "risk-based step-up consent is switched off")


def looks_risky(tenant_id: str, app: App, client: Client, asked: Iterable[Permission]) -> Truth:
    """Whether the request has the typical marks of a risky one in the tenant with this id.

    A multi-tenant app of another tenant, registered after 8 November 2020, whose publisher is not verified,
    and which asks for more than sign-in and the user's own profile.
    """
    beyond = any(p.resource != MICROSOFT_GRAPH or p.value.lower() not in BASIC_SCOPES for p in asked if not p.implicit)
    owner = client.owner_tenant
    # A snapshot made of other tools' files may not name its tenant.
    foreign = Truth.UNKNOWN if owner is None or not tenant_id else known(owner.lower() != tenant_id.lower())
    old = Truth.TRUE if app.registered_before_2020_11_08 else Truth.FALSE
    return all_of((known(beyond), ~client.publisher_verified, foreign, ~old))
