"""One case: everything that a decision rests on, gathered once."""

from __future__ import annotations

import msgspec

from auditor.consent.approval import Approval, approval
from auditor.consent.blockers import Gate, gates
from auditor.consent.client import Client, client_of
from auditor.consent.existing_grants import Granted, Grants, granted, grants_of
from auditor.consent.lookup import NotRead
from auditor.consent.permission import Permission, implicit, requested
from auditor.consent.policies import Assigned, governing, role_assigned
from auditor.consent.subject import Assignment, Subject, assignment_of
from auditor.consent.tenant_settings import Workflow, workflow
from auditor.consent.truth import Truth
from auditor.facts.ids import FOR_ALL, MICROSOFT_GRAPH
from auditor.model.app import App
from auditor.model.decision import Reason
from auditor.model.snapshot import Snapshot


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One scope: is it granted already, would a policy approve it, may the subject grant it for all."""

    permission: Permission
    granted: Granted
    approval: Approval
    for_all: Approval
    """Whether a custom role of the subject lets them grant it for everybody, as an administrator does."""

    @property
    def table_doubts(self) -> tuple[str, ...]:
        """Said where the published list stands in for a resource whose scopes were not read."""
        if not self.permission.from_table:
            return ()
        return (f"the scopes of {self.permission.resource_name} were not read; its published list stands in",)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why what is said of this scope is not certain."""
        return (*self.table_doubts, *self.approval.doubts)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one decision. `rows` are the requested scopes, `extra` the ones that Entra adds."""

    snapshot: Snapshot
    app: App
    subject: Subject
    client: Client
    grants: Grants | NotRead
    policies: tuple[Assigned, ...] | NotRead
    rows: tuple[Row, ...]
    extra: tuple[Row, ...]
    gates: tuple[Gate, ...]
    assignment: Assignment
    workflow: Workflow

    @property
    def required(self) -> tuple[Row, ...]:
        """The requested scopes without which the app does not work."""
        return tuple(row for row in self.rows if row.permission.required)


def gather(snapshot: Snapshot, app: App, subject: Subject) -> Case:
    """Read everything about `app` and `subject` out of the snapshot."""
    client = client_of(snapshot, app)
    asked = requested(snapshot, app)
    resources = tuple(dict.fromkeys((MICROSOFT_GRAPH, *(p.resource for p in asked))))
    grants = grants_of(snapshot, client, resources, subject.user_id)
    policies = governing(snapshot, subject.actions)
    by_role = role_assigned(snapshot, subject.actions)
    for_all = role_assigned(snapshot, subject.actions, FOR_ALL)

    def row(permission: Permission) -> Row:
        already = granted(permission, grants)
        return Row(
            permission=permission,
            granted=already,
            approval=_approval(permission, client, policies, by_role, subject),
            for_all=approval(permission, client, for_all),
        )

    first_consent = isinstance(grants, Grants) and grants.is_empty
    added = implicit(snapshot, asked) if first_consent and asked else ()
    return Case(
        snapshot=snapshot,
        app=app,
        subject=subject,
        client=client,
        grants=grants,
        policies=policies,
        rows=tuple(row(p) for p in asked),
        extra=tuple(row(p) for p in added),
        gates=gates(snapshot, app, client, (*asked, *added)),
        assignment=assignment_of(snapshot, client, subject),
        workflow=workflow(snapshot),
    )


def _approval(
    permission: Permission,
    client: Client,
    policies: tuple[Assigned, ...] | NotRead,
    by_role: tuple[Assigned, ...],
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
        detail = f"a {subject.admin_role} may consent to any delegated permission"
        return Approval(truth=Truth.TRUE, reason=Reason.SUBJECT_IS_ADMIN, detail=detail)
    if isinstance(policies, NotRead):
        own = approval(permission, client, by_role)
        if own.truth is Truth.TRUE:
            return own
        needs = f"the user consent setting ({policies.why})"
        return Approval(truth=Truth.UNKNOWN, reason=Reason.NOT_READ, detail=policies.why, needs=(needs,))
    return approval(permission, client, policies)
