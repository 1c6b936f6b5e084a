"""The facts of one decision, gathered once: what is decided afterwards needs nothing else."""

from __future__ import annotations

import msgspec

from auditor.consent.blockers import Blocker, blockers_of, request_caveats
from auditor.consent.existing_grants import Grants, GrantState, grant_state, grants_of
from auditor.consent.lookup import NotRead, SnapshotIndex, index_of
from auditor.consent.policies import (
    Approval,
    GoverningPolicy,
    approval,
    governing,
    role_actions,
    role_assigned,
    role_policies,
)
from auditor.consent.request import portal_address
from auditor.consent.requested_access import (
    Client,
    Permission,
    ResourceApp,
    client_of,
    implicit,
    requested,
    resource_app,
)
from auditor.consent.subject import Assignment, Subject, assignment_of, toward
from auditor.consent.tenant_settings import StepUp, Workflow, step_up, workflow
from auditor.consent.truth import Truth
from auditor.facts.ids import FOR_ALL, MICROSOFT_GRAPH
from auditor.model.decision import Reason
from auditor.model.rule import App, NeededApp
from auditor.model.snapshot import Snapshot


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
        """The caveat for a resource whose scopes were not read, so that its published list is used."""
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
    custom role that lets them grant something for everybody. `snapshot` is what all of it was read from: a fix is a
    change to
    that.
    """

    snapshot: Snapshot
    tenant_id: str
    portal: str
    app: App
    subject: Subject
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


def gather(snapshot: Snapshot | SnapshotIndex, app: App, subject: Subject) -> DecisionFacts:
    """Everything about `app` and `subject` that a decision needs, looked up once."""
    index = index_of(snapshot)
    client = client_of(index, app)
    subject = toward(index, client, subject)
    app = msgspec.structs.replace(app, default_resources=tuple(map(index.resource_id, app.default_resources)))
    asked = requested(index, app)
    grants = grants_on(index, client, asked, subject.user_id, app.default_resources)
    first_consent = grants.is_empty if isinstance(grants, Grants) else Truth.UNKNOWN
    of_first_consent = implicit(index, asked) if asked and first_consent is not Truth.FALSE else ()
    added = of_first_consent if first_consent is Truth.TRUE else ()
    defaults = tuple(resource_app(index, app_id) for app_id in dict.fromkeys(app.default_resources))
    named = dict.fromkeys(
        p.resource for p in (*asked, *added) if p.required and p.resource not in app.default_resources
    )
    resources = (*defaults, *(resource_app(index, app_id) for app_id in named))
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
        client=client,
        grants=grants,
        policies=policies,
        custom_roles=_custom_roles(index.snapshot),
        scopes=tuple(map(facts, asked)),
        added=tuple(map(facts, added)),
        perhaps_added=() if added else tuple(map(facts, of_first_consent)),
        resources=resources,
        defaults=defaults,
        needed=needed,
        blockers=blockers_of(app, client, needed, resources, (*asked, *added)),
        request_caveats=request_caveats(index.snapshot.cloud, app, client),
        may_consent_for_all=bool(for_all),
        assignment=assignment_of(index, client, subject),
        workflow=workflow(index),
        step_up=step_up(index),
    )


def _needed_app(index: SnapshotIndex, need: NeededApp) -> ResourceApp:
    """An app that the app also needs, by the name that its pack gives it."""
    return msgspec.structs.replace(resource_app(index, need.client_id), name=need.label)


def grants_on(
    index: SnapshotIndex,
    client: Client,
    asked: tuple[Permission, ...],
    user_id: str | None = None,
    defaults: tuple[str, ...] = (),
) -> Grants | NotRead:
    """The grants of `client` on the resources that it asks for, and on Microsoft Graph."""
    resources = tuple(dict.fromkeys((MICROSOFT_GRAPH, *(p.resource for p in asked), *defaults)))
    return grants_of(index, client, resources, user_id)


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
