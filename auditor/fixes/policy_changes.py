"""Changes to the tenant's consent settings: classifications, consent policies, and the admin consent workflow.

Sources: Microsoft Graph v1.0 reference, ``delegatedPermissionClassification``, ``permissionGrantPolicy``,
``authorizationPolicy`` and ``adminConsentRequestPolicy``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import msgspec

from auditor.fixes.change import (
    Conflict,
    CreateUnlessFound,
    Deletion,
    Equals,
    GraphChange,
    HasItems,
    MatchingRows,
    NoScript,
    NotApplicable,
    NotEmpty,
    SetValue,
    Step,
    json_text,
    new_id,
    with_sections,
)
from auditor.model.resources import (
    AdminConsentRequestPolicy,
    ConditionSet,
    DelegatedPermissionClassification,
    PermissionGrantPolicy,
)
from auditor.model.snapshot import Snapshot

_PREVIOUS_NOT_READ = "what the fix would replace was not read, so a script can't check whether it has changed"
_DISCARDED = (
    "Graph accepted the change and discarded it, which can happen while Microsoft manages the setting. Choose another"
    " option under User consent settings, then run this script again"
)


class ClassifyPermission(GraphChange, frozen=True, kw_only=True):
    """Classify a delegated permission of a resource (an app id) as low, medium or high."""

    method = "POST"
    path = "/servicePrincipals(appId='{resource}')/delegatedPermissionClassifications"
    permission = "Policy.ReadWrite.PermissionGrant"

    resource: str

    @classmethod
    def of(cls, graph: str, resource: str, permission_id: str, name: str, level: str, *, number: int = 1) -> Self:
        """The classification of the permission with this id and name."""
        body = {"permissionId": permission_id, "permissionName": name, "classification": level}
        return cls(graph=graph, resource=resource, body=body, returns=new_id("classification", number))

    def effect(self, before: Snapshot) -> Snapshot:
        """The permission is classified. One that already is must be declassified first."""
        row = msgspec.convert({"id": self.returns or None, **self.body}, DelegatedPermissionClassification)
        rows = _classifications(before, self.resource)
        if any(one.permissionId.lower() == row.permissionId.lower() for one in rows):
            raise Conflict(f"{row.permissionId} is classified")
        return _with_classifications(before, self.resource, (*rows, row))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Remove the classification."""
        return (DeclassifyPermission(graph=self.graph, resource=self.resource, classification_id=self.returns),)

    @property
    def comment(self) -> str:
        """The permission's name."""
        return f"The classification of {self.body['permissionName']}."

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for a classification of the permission; a different one was somebody's decision."""
        return CreateUnlessFound(
            rows=MatchingRows(url=self.url, where=(("permissionId", str(self.body["permissionId"])),)),
            same=("classification", str(self.body["classification"])),
            found="The permission already has this classification.",
            different="Somebody chose a different classification for this permission",
        )


class DeclassifyPermission(Deletion, frozen=True, kw_only=True):
    """Remove the classification of a delegated permission."""

    path = "/servicePrincipals(appId='{resource}')/delegatedPermissionClassifications/{classification_id}"
    permission = "Policy.ReadWrite.PermissionGrant"
    summary = "Remove the classification."

    resource: str
    classification_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The permission is not classified."""
        rows = _classifications(before, self.resource)
        kept = tuple(row for row in rows if row.id != self.classification_id)
        if len(kept) == len(rows):
            raise NotApplicable(f"no classification {self.classification_id}")
        return _with_classifications(before, self.resource, kept)


class CreateConsentPolicy(GraphChange, frozen=True, kw_only=True):
    """Create a consent policy. It approves nothing yet: its includes are added one by one."""

    method = "POST"
    path = "/policies/permissionGrantPolicies"
    permission = "Policy.ReadWrite.PermissionGrant"
    summary = "A consent policy that approves nothing yet."

    @classmethod
    def of(cls, graph: str, policy_id: str, name: str, description: str) -> Self:
        """The policy with this id and these texts."""
        return cls(graph=graph, body={"id": policy_id, "displayName": name, "description": description})

    def effect(self, before: Snapshot) -> Snapshot:
        """There is one more consent policy, without includes and excludes."""
        policies = _policies(before)
        created = PermissionGrantPolicy(
            id=str(self.body["id"]),
            displayName=self.body.get("displayName"),
            description=self.body.get("description"),
            includes=(),
            excludes=(),
        )
        if any(policy.id.lower() == created.id.lower() for policy in policies):
            raise Conflict(f"there is a policy {created.id}")
        return with_sections(before, permissionGrantPolicies=(*policies, created))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Delete the policy."""
        return (DeleteConsentPolicy(graph=self.graph, policy_id=str(self.body["id"])),)

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for the id. A policy that somebody else created with this id can approve anything, so compare names."""
        return CreateUnlessFound(
            rows=MatchingRows(url=self.url, where=(("id", str(self.body["id"])),)),
            same=("displayName", str(self.body["displayName"])),
            found="The policy already exists.",
            different="There is another policy with this id",
        )


class DeleteConsentPolicy(Deletion, frozen=True, kw_only=True):
    """Delete a consent policy and its includes."""

    path = "/policies/permissionGrantPolicies/{policy_id}"
    permission = "Policy.ReadWrite.PermissionGrant"
    summary = "Delete the consent policy."

    policy_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """There is one consent policy less."""
        gone = _policy(before, self.policy_id)
        return with_sections(before, permissionGrantPolicies=tuple(p for p in _policies(before) if p is not gone))


class AddPolicyInclude(GraphChange, frozen=True, kw_only=True):
    """Add a condition set under which a consent policy approves."""

    method = "POST"
    path = "/policies/permissionGrantPolicies/{policy_id}/includes"
    permission = "Policy.ReadWrite.PermissionGrant"
    summary = "What the policy approves on one resource. A policy is always created empty, so this is a separate call."

    policy_id: str

    def effect(self, before: Snapshot) -> Snapshot:
        """The policy has one more include, without the condition that only beta shows."""
        found = _policy(before, self.policy_id)
        added = msgspec.convert({**self.body, "certifiedClientApplicationsOnly": False}, ConditionSet)
        if added in (found.includes or ()):
            raise Conflict(f"policy {self.policy_id} has the same include")
        changed = msgspec.structs.replace(found, includes=(*(found.includes or ()), added))
        policies = tuple(changed if policy is found else policy for policy in _policies(before))
        return with_sections(before, permissionGrantPolicies=policies)

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Nothing: a fix adds includes only to a policy that it creates, and they are deleted with it."""
        return ()

    def script_step(self, undo: GraphChange | None) -> Step:
        """Look for an include that covers the same. Graph lists policies together with their includes."""
        lists = ("clientApplicationIds", "permissions")
        return CreateUnlessFound(
            rows=MatchingRows(
                url=self.graph + CreateConsentPolicy.path,
                inside=(self.policy_id, "includes"),
                where=(("resourceApplication", str(self.body["resourceApplication"])),),
                contains=tuple((name, str(one)) for name in lists for one in self.body[name]),
            ),
            found="The policy already has this include.",
        )


def without_beta_conditions(policy: PermissionGrantPolicy) -> PermissionGrantPolicy:
    """The policy as Graph v1.0 returns it, without the condition that only beta shows."""

    def shown(sets: tuple[ConditionSet, ...] | None) -> tuple[ConditionSet, ...] | None:
        return sets and tuple(msgspec.structs.replace(one, certifiedClientApplicationsOnly=None) for one in sets)

    return msgspec.structs.replace(policy, includes=shown(policy.includes), excludes=shown(policy.excludes))


class SetAssignedPolicies(GraphChange, frozen=True, kw_only=True):
    """Replace the list of consent policies that are assigned to users: every entry that stays must be in the body."""

    method = "PATCH"
    path = "/policies/authorizationPolicy"
    sets = "defaultUserRolePermissions"
    permission = "Policy.ReadWrite.Authorization"
    summary = "The complete list of assigned consent policies."

    @classmethod
    def of(cls, graph: str, entries: Sequence[str]) -> Self:
        """The list with these entries."""
        return cls(graph=graph, body={"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [*entries]}})

    @property
    def entries(self) -> tuple[str, ...]:
        """The entries of the list."""
        return tuple(self.body["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"])

    def effect(self, before: Snapshot) -> Snapshot:
        """The list has the new entries."""
        policy = before.sections.authorizationPolicy
        role = policy.defaultUserRolePermissions if policy else None
        if policy is None or role is None:
            raise NotApplicable("the authorization policy was not read")
        role = msgspec.structs.replace(role, permissionGrantPoliciesAssigned=self.entries)
        changed = msgspec.structs.replace(policy, defaultUserRolePermissions=role)
        return with_sections(before, authorizationPolicy=changed)

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Set the previous list."""
        policy = before.sections.authorizationPolicy
        role = policy.defaultUserRolePermissions if policy else None
        if role is None or role.permissionGrantPoliciesAssigned is None:
            raise NotApplicable("the assigned consent policies were not read")
        return (self.of(self.graph, role.permissionGrantPoliciesAssigned),)

    @property
    def previous_value(self) -> str:
        """The entries of the list."""
        return f"The list was: {', '.join(self.entries) or '(empty)'}."

    def script_step(self, undo: GraphChange | None) -> Step:
        """Compare the list with the one in the snapshot, and read it back after the write."""
        if not isinstance(undo, SetAssignedPolicies):
            raise NoScript(_PREVIOUS_NOT_READ)
        place = "defaultUserRolePermissions.permissionGrantPoliciesAssigned"
        return SetValue(
            url=self.url,
            done=(HasItems(place, self.entries),),
            found="The list already has these entries.",
            unchanged=HasItems(place, undo.entries),
            changed="The list has changed since the snapshot was taken. Run the check again. The list is now",
            discarded=_DISCARDED,
        )


class SetConsentWorkflow(GraphChange, frozen=True, kw_only=True):
    """Replace the settings of the admin consent workflow; Graph requires every property."""

    method = "PUT"
    path = "/policies/adminConsentRequestPolicy"
    permission = "Policy.ReadWrite.ConsentRequest"
    summary = "The admin consent workflow."

    def effect(self, before: Snapshot) -> Snapshot:
        """The workflow has the new settings; ``version`` is Graph's own counter and stays."""
        old = before.sections.adminConsentRequestPolicy
        if old is None:
            raise NotApplicable("the admin consent workflow was not read")
        new = msgspec.convert(self.body, AdminConsentRequestPolicy)
        return with_sections(before, adminConsentRequestPolicy=msgspec.structs.replace(new, version=old.version))

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """Set the previous settings."""
        policy = before.sections.adminConsentRequestPolicy
        if policy is None:
            raise NotApplicable("the admin consent workflow was not read")
        values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(policy))
        return (msgspec.structs.replace(self, body={name: values[name] for name in _WRITABLE if name in values}),)

    @property
    def previous_value(self) -> str:
        """The settings as JSON."""
        return f"The settings were: {json_text(self.body)}."

    def script_step(self, undo: GraphChange | None) -> Step:
        """Compare the reviewers with those in the snapshot, unless the workflow works by then."""
        if not isinstance(undo, SetConsentWorkflow):
            raise NoScript(_PREVIOUS_NOT_READ)
        place = "reviewers[].query"
        new, old = self._reviewers, undo._reviewers
        # Reviewers who no longer exist are replaced, so having some is not enough.
        reviewers = HasItems(place, new) if old and old != new else NotEmpty(place)
        return SetValue(
            url=self.url,
            done=(Equals("isEnabled", True), Equals("notifyReviewers", True), *self._further(undo), reviewers),
            found="The workflow is already on and has reviewers, who are notified.",
            unchanged=HasItems(place, old),
            changed="The reviewers have changed since the snapshot was taken. Run the check again. They are now",
        )

    def _further(self, undo: Self) -> Iterator[Equals]:
        """The other settings that this change replaces."""
        for name in ("remindersEnabled", "requestDurationInDays"):
            if self.body.get(name) not in (None, undo.body.get(name)):
                yield Equals(name, self.body[name])

    @property
    def _reviewers(self) -> tuple[str, ...]:
        return tuple(str(one["query"]) for one in self.body.get("reviewers", ()))


_WRITABLE = ("isEnabled", "notifyReviewers", "remindersEnabled", "requestDurationInDays", "reviewers")
"""The properties of ``adminConsentRequestPolicy`` that a PUT sets; ``version`` is read-only."""


def _policies(before: Snapshot) -> tuple[PermissionGrantPolicy, ...]:
    if before.sections.permissionGrantPolicies is None:
        raise NotApplicable("the consent policies were not read")
    return before.sections.permissionGrantPolicies


def _policy(before: Snapshot, policy_id: str) -> PermissionGrantPolicy:
    for policy in _policies(before):
        if policy.id.lower() == policy_id.lower():
            return policy
    raise NotApplicable(f"no consent policy {policy_id}")


def _classifications(before: Snapshot, resource: str) -> tuple[DelegatedPermissionClassification, ...]:
    section = before.sections.delegatedPermissionClassifications or {}
    return next((rows for app_id, rows in section.items() if app_id.lower() == resource.lower()), ())


def _with_classifications(
    before: Snapshot, resource: str, rows: tuple[DelegatedPermissionClassification, ...]
) -> Snapshot:
    section: Mapping[str, tuple[DelegatedPermissionClassification, ...]] = (
        before.sections.delegatedPermissionClassifications or {}
    )
    others = {app_id: kept for app_id, kept in section.items() if app_id.lower() != resource.lower()}
    return with_sections(before, delegatedPermissionClassifications={**others, resource.lower(): rows})
