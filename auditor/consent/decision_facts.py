"""The facts of one decision, gathered once, with the tenant's own settings: what is decided then needs nothing else.

Sources: Entra's pages on user consent, the admin consent workflow and risk-based step-up consent, and "Publisher
verification overview". Microsoft's risk verdict can't be read: what is said of a risky request is never certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from auditor.consent import Truth, all_of, any_of, known
from auditor.consent.blockers import Blocker, blockers_of, request_caveats
from auditor.consent.existing_grants import Grants, GrantState, grant_state, granted_resources, grants_on
from auditor.consent.policies import (
    Approval,
    GoverningPolicy,
    approval,
    governing,
    role_actions,
    role_assigned,
    role_policies,
    self_consent_ids,
)
from auditor.consent.requested_access import (
    Client,
    Permission,
    ResourceApp,
    client_of,
    implicit,
    requested,
    resource_app,
)
from auditor.consent.requested_scopes import portal_address
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, index_of
from auditor.consent.subject import Assignment, Subject, assignment_of, toward
from auditor.facts.ids import (
    BASIC_SCOPES,
    FOR_ALL,
    MICROSOFT_GRAPH,
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
)
from auditor.model.decision import Reason, RoleVerdict
from auditor.model.resources import AdminConsentRequestPolicy, User
from auditor.model.rule import App, NeededApp
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

    `obstacle` says why no reviewer hears of a request, as a clause.
    """

    enabled: Truth
    reviewers: int | None = None
    obstacle: str = ""
    why: str = ""


def workflow(snapshot: Snapshot | SnapshotIndex) -> Workflow:
    """The state of the workflow. The older directory setting doesn't replace the policy: the two can differ."""
    index = index_of(snapshot)
    policy = index.snapshot.sections.adminConsentRequestPolicy
    if policy is not None and policy.isEnabled is not None:
        reviewers = _reviewers_named(policy)
        obstacle = _why_unheard(index, policy)
        return Workflow(
            enabled=known(policy.isEnabled),
            reviewers=reviewers,
            obstacle=obstacle,
        )
    unread = index.not_read("adminConsentRequestPolicy").why
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
        named = (USER_QUERY.fullmatch(one.query) for one in policy.reviewers)
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
    if named := USER_QUERY.fullmatch(query):
        user = index.user(named[1])
        if isinstance(user, User):
            return Truth.FALSE if user.accountEnabled is False else Truth.TRUE
        unread = index.snapshot.unread.get(f"users/{named[1]}")
        gone = _is_whole(index, "users") or (unread is not None and unread.says_absent)
        return Truth.FALSE if gone else Truth.UNKNOWN
    if role := ROLE_QUERY.search(query):
        assignments = index.snapshot.sections.roleAssignments or ()
        if any(one.roleDefinitionId.lower() == role[1].lower() for one in assignments):
            return Truth.TRUE
        return Truth.FALSE if _is_whole(index, "roleAssignments") else Truth.UNKNOWN
    return Truth.UNKNOWN


def _is_whole(index: SnapshotIndex, section: str) -> bool:
    """Whether the section was read for the whole tenant."""
    return getattr(index.snapshot.sections, section) is not None and not index.why_partial(section)


USER_QUERY = re.compile(r"(?:/(?:v1\.0|beta))?/users/([^/?$]+)", re.IGNORECASE)
"""The whole query of a reviewer who is a user, with the user's id or name."""
ROLE_QUERY = re.compile(r"/roleAssignments\?\$filter=roleDefinitionId eq '([^']+)'", re.IGNORECASE)
"""Part of the query of reviewers who are the holders of a role, with the role's template id."""


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
    name = "authorizationPolicy"
    unread = index.not_read(name) if policy is None else index.gap(name) if allowed is None else None
    if unread:
        return StepUp(Truth.UNKNOWN, unread.why, f"whether risk-based step-up is on ({unread.why})")
    if isinstance(setting, NotRead):
        # Absent indicators do not count, so with the policy silent the setting alone could switch it off.
        return StepUp(Truth.UNKNOWN, setting.why, f"whether risk-based step-up is on ({setting.why})")
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


class ScopeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One scope: is it granted already, would a policy approve it, may the subject grant it for all."""

    permission: Permission
    granted: GrantState
    approval: Approval
    by_role: Approval
    """Whether a custom role of the subject lets them grant it, whatever users may do by default."""
    for_all: Approval
    """Whether a custom role of the subject lets them grant it for everybody, as an administrator does."""

    @property
    def table_caveats(self) -> tuple[str, ...]:
        """The caveat for a resource whose scopes are not in the data, so that its published list is used."""
        if not self.permission.from_table:
            return ()
        name = self.permission.resource_name
        return (f"the scopes of {name} were not read; the decision uses its published list instead",)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Why the verdict on this scope isn't certain."""
        return (*self.table_caveats, *self.approval.caveats)


class DecisionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision rests on.

    `scopes` are the requested ones, `added` the ones that Entra adds to a first consent, and `perhaps_added` those
    where the grants that were read leave open whether it is the first. `resources` are those of the required and the
    added scopes, and `defaults`: those of a request for registered permissions. `needed` are the apps that the app also
    needs. `request_caveats` say why it isn't certain that Entra takes the request. `custom_roles` are pairs of a role
    of the tenant and a policy under which its holders may consent; `may_consent_for_all` is true of a subject with a
    custom role that lets them grant something for everybody. `whole_subject` is the subject with all roles, also those
    for other apps. `snapshot` is what all of it was read from: a fix is a change to that.
    """

    snapshot: Snapshot
    tenant_id: str
    portal: str
    app: App
    subject: Subject
    whole_subject: Subject
    client: Client
    grants: Grants | NotRead
    policies: tuple[GoverningPolicy, ...] | NotRead
    custom_roles: tuple[tuple[str, str], ...]
    scopes: tuple[ScopeFacts, ...]
    added: tuple[ScopeFacts, ...]
    perhaps_added: tuple[ScopeFacts, ...]
    resources: tuple[ResourceApp, ...]
    defaults: tuple[ResourceApp, ...]
    needed: tuple[ResourceApp, ...]
    blockers: tuple[Blocker, ...]
    request_caveats: tuple[str, ...]
    may_consent_for_all: bool
    assignment: Assignment
    app_roles: tuple[RoleVerdict, ...]
    workflow: Workflow
    step_up: StepUp

    @property
    def required(self) -> tuple[ScopeFacts, ...]:
        """The requested scopes without which the app does not work."""
        return tuple(scope for scope in self.scopes if scope.permission.required)

    @property
    def asks_unlisted(self) -> bool:
        """Whether the app asks for its registered permissions, and no pack lists them: nobody in the tenant can."""
        return self.app.mode.is_static and not self.required

    @property
    def documented(self) -> str:
        """Why Microsoft's documentation replaces the text of an assigned policy; empty if it replaces none."""
        policies = () if isinstance(self.policies, NotRead) else self.policies
        return next((one.why for one in policies if one.documented), "")


def gather(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject) -> DecisionFacts:
    """Everything about `app` and `subject` that a decision needs, looked up once."""
    index = index_of(snapshot)
    question = (app, subject)
    if question not in index.gathered:
        index.gathered[question] = _gathered(index, app, subject)
    facts: DecisionFacts = index.gathered[question]
    return facts


def _gathered(index: SnapshotIndex, app: App, subject: Subject) -> DecisionFacts:
    client = client_of(index, app)
    whole_subject, subject = subject, toward(index, client, subject)
    app = msgspec.structs.replace(app, default_resources=tuple(map(index.resource_id, app.default_resources)))
    asked = requested(index, app)
    # Without a resource and a list of a pack, the app asks for all that it registered, on whatever resource.
    is_open = app.mode.is_static and not app.default_resources and not any(p.required for p in asked)
    granted = granted_resources(index, client) if is_open else ()
    grants = grants_on(index, client, asked, subject.user_id, (*app.default_resources, *granted))
    first_consent = grants.is_empty if isinstance(grants, Grants) else Truth.UNKNOWN
    of_first_consent = implicit(index, asked) if asked and first_consent is not Truth.FALSE else ()
    added, perhaps_added = (of_first_consent, ()) if first_consent is Truth.TRUE else ((), of_first_consent)
    defaults = tuple(resource_app(index, app_id) for app_id in dict.fromkeys(app.default_resources))
    named = dict.fromkeys(
        p.resource for p in (*asked, *added) if p.required and p.resource not in app.default_resources
    )
    resources = (*defaults, *(resource_app(index, app_id) for app_id in named))
    others = dict.fromkeys(p.resource for p in perhaps_added if p.resource not in (*app.default_resources, *named))
    perhaps_asked = tuple(resource_app(index, app_id) for app_id in others)
    needed = tuple(_needed_app(index, need) for need in app.also_needs)
    policies = governing(index, subject.actions)
    of_roles = role_assigned(index, subject.actions)
    for_all = role_assigned(index, subject.actions, FOR_ALL)

    def facts(permission: Permission) -> ScopeFacts:
        by_role = approval(permission, client, of_roles)
        return ScopeFacts(
            permission=permission,
            granted=grant_state(permission, grants),
            approval=_approval(permission, client, policies, by_role, subject),
            by_role=by_role,
            for_all=approval(permission, client, for_all),
        )

    return DecisionFacts(
        snapshot=index.snapshot,
        tenant_id=index.snapshot.tenant.id,
        portal=portal_address(index.snapshot),
        app=app,
        subject=subject,
        whole_subject=whole_subject,
        client=client,
        grants=grants,
        policies=policies,
        custom_roles=_custom_roles(index.snapshot),
        scopes=tuple(map(facts, asked)),
        added=tuple(map(facts, added)),
        perhaps_added=tuple(map(facts, perhaps_added)),
        resources=resources,
        defaults=defaults,
        needed=needed,
        blockers=blockers_of(index.snapshot.cloud, app, client, needed, resources, perhaps_asked, (*asked, *added)),
        request_caveats=request_caveats(index.snapshot.cloud, app, client),
        may_consent_for_all=bool(for_all),
        app_roles=_app_roles(index, app, client),
        assignment=assignment_of(index, client, subject),
        workflow=workflow(index),
        step_up=step_up(index),
    )


def _app_roles(index: SnapshotIndex, app: App, client: Client) -> tuple[RoleVerdict, ...]:
    if not app.app_roles:
        return ()
    from auditor.consent.app_roles import app_roles

    return app_roles(index, app, client)


def _needed_app(index: SnapshotIndex, need: NeededApp) -> ResourceApp:
    """An app that the app also needs, by the name that its pack gives it."""
    return msgspec.structs.replace(resource_app(index, need.client_id), name=need.label)


def _custom_roles(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    custom = (role for role in snapshot.sections.roleDefinitions or () if role.isBuiltIn is False)
    return tuple(role_policies(role_actions(custom)))


def _approval(
    permission: Permission,
    client: Client,
    policies: tuple[GoverningPolicy, ...] | NotRead,
    by_role: Approval,
    subject: Subject,
) -> Approval:
    """What the policies of the default user role and of the subject's custom roles say."""
    if permission.exists is Truth.FALSE:
        detail = f"{permission.resource_name} has no scope named {permission.value}"
        return Approval(truth=Truth.FALSE, reason=Reason.SCOPE_DOES_NOT_EXIST, detail=detail)
    if permission.enabled is Truth.FALSE:
        detail = f"the scope {permission.value} is disabled on {permission.resource_name}"
        return Approval(truth=Truth.FALSE, reason=Reason.SCOPE_DISABLED, detail=detail)
    if subject.admin_role:
        detail = f"the role {subject.admin_role} may consent to any delegated permission"
        return Approval(truth=Truth.TRUE, reason=Reason.SUBJECT_IS_ADMIN, detail=detail)
    if isinstance(policies, NotRead):
        if by_role.truth is Truth.TRUE:
            return by_role
        needs = (f"the user consent setting ({policies.why})", *subject.unread_roles)
        return Approval(truth=Truth.UNKNOWN, reason=Reason.NOT_READ, detail=policies.why, needs=needs)
    found = approval(permission, client, policies)
    return found if found.truth is Truth.TRUE or not subject.unread_roles else _perhaps_by_role(found, subject)


def _perhaps_by_role(found: Approval, subject: Subject) -> Approval:
    """What is not approved otherwise may be, by a role about which something was not read."""
    return msgspec.structs.replace(
        found, truth=Truth.UNKNOWN, reason=Reason.NOT_READ, needs=(*found.needs, *subject.unread_roles)
    )
