"""Which consent policies govern a subject, and what each of them says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from auditor.consent.conditions import Restrictions, restrictions_of
from auditor.consent.lookup import Absent, NotRead, SnapshotIndex, index_of
from auditor.facts.builtin_policies import documented_policy
from auditor.facts.ids import FOR_ALL, FOR_SELF
from auditor.model.resources import PermissionGrantPolicy, RoleDefinition
from auditor.model.snapshot import Snapshot

RESERVED = "microsoft-"
"""Prefix of Microsoft's own policies; nobody else may use it."""
TENANT = "tenant"
"""The scope of the policies that users consent under; the others are for a group, a team or a chat (Graph beta)."""
_ACTIONS = ("microsoft.directory/serviceprincipals/",)


class GoverningPolicy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One policy that governs the subject.

    `policy` is ``None`` when its content is not known; `documented` is true if it is Microsoft's documented text.
    `through` names the custom role that assigns it, empty for the default user role. `tenant_id` is the tenant whose
    policy it is.
    """

    id: str
    policy: PermissionGrantPolicy | None
    tenant_id: str = ""
    documented: bool = False
    why: str = ""
    through: str = ""

    @cached_property
    def includes(self) -> tuple[Restrictions, ...]:
        """What each include restricts; none where the content is not known."""
        return tuple(map(restrictions_of, (self.policy and self.policy.includes) or ()))

    @cached_property
    def excludes(self) -> tuple[Restrictions, ...]:
        """What each exclude restricts; none where the content is not known."""
        return tuple(map(restrictions_of, (self.policy and self.policy.excludes) or ()))

    @property
    def hides_conditions(self) -> bool:
        """Whether a v1.0 read may have hidden conditions that only beta shows."""
        return any(one.certified_only is None for one in (*self.includes, *self.excludes))

    @property
    def is_custom(self) -> bool:
        """Whether the tenant, not Microsoft, wrote the policy."""
        return not self.id.lower().startswith(RESERVED)


def self_consent_ids(entries: Iterable[str]) -> tuple[str, ...]:
    """The policies under which users consent for themselves, among assigned entries.

    Entries of owned resources (team and chat owners) never decide a mailbox connection. Very old tenants
    hold bare ids without a prefix, which mean the same as ``ManagePermissionGrantsForSelf``.
    """
    found: dict[str, str] = {}
    for entry in map(str.strip, entries):
        prefix, dot, policy_id = entry.partition(".")
        if not dot:
            found.setdefault(entry.lower(), entry)
        elif prefix.lower() == FOR_SELF:
            found.setdefault(policy_id.lower(), policy_id)
    return tuple(found.values())


def other_entries(entries: Iterable[str]) -> tuple[str, ...]:
    """The assigned entries that are not about users' own consent, such as those of team and chat owners."""
    return tuple(entry for entry in entries if not self_consent_ids([entry]))


def governing(
    snapshot: Snapshot | SnapshotIndex, actions: Iterable[tuple[str, str]] = ()
) -> tuple[GoverningPolicy, ...] | NotRead:
    """The policies that govern a user: those of the default user role, and those of custom roles.

    `actions` are pairs of role name and allowed resource action.
    """
    index = index_of(snapshot)
    entries = index.assigned_policies()
    if isinstance(entries, NotRead):
        return entries
    assigned = [_assigned(index, policy_id, "") for policy_id in self_consent_ids(entries)]
    known = {a.id.lower() for a in assigned}
    more = role_assigned(index, actions)
    return (*assigned, *(a for a in more if a.id.lower() not in known))


def role_assigned(index: SnapshotIndex, actions: Iterable[tuple[str, str]], *verbs: str) -> tuple[GoverningPolicy, ...]:
    """The policies, once each, that the actions of custom roles name with one of these verbs."""
    found: dict[str, GoverningPolicy] = {}
    for role, policy_id in role_policies(actions, *verbs):
        if policy_id.lower() not in found:
            found[policy_id.lower()] = _assigned(index, policy_id, role)
    return tuple(found.values())


def role_policies(actions: Iterable[tuple[str, str]], *verbs: str) -> Iterator[tuple[str, str]]:
    """Role name and policy id of every action that lets its holder consent; `verbs` (lower case) narrow it.

    Source: Entra, "App consent permissions for custom roles".
    """
    for role, action in actions:
        area, _, permission = action.rpartition("/")
        verb, dot, policy_id = permission.partition(".")
        if dot and f"{area.lower()}/" in _ACTIONS and verb.lower() in (verbs or (FOR_SELF, FOR_ALL)):
            yield role, policy_id


def role_actions(roles: Iterable[RoleDefinition]) -> Iterator[tuple[str, str]]:
    """Role name and action, for every action of the given enabled roles."""
    for role in roles:
        if role.isEnabled is not False:
            for permission in role.rolePermissions or ():
                for action in permission.allowedResourceActions or ():
                    yield role.displayName or role.id, action


def _assigned(index: SnapshotIndex, policy_id: str, through: str) -> GoverningPolicy:
    match index.grant_policy(policy_id):
        case PermissionGrantPolicy() as policy if (policy.resourceScopeType or TENANT).lower() != TENANT:
            why = f"policy {policy.id} is about the scope {policy.resourceScopeType}, not about the tenant"
            return GoverningPolicy(id=policy.id, policy=None, why=why, through=through)
        case PermissionGrantPolicy() as policy if policy.includeAllPreApprovedApplications:
            why = f"policy {policy.id} approves pre-approved apps, which Graph doesn't list"
            return GoverningPolicy(id=policy.id, policy=None, why=why, through=through)
        case PermissionGrantPolicy() as policy:
            return GoverningPolicy(id=policy.id, policy=policy, through=through)
        case Absent():
            why = f"policy {policy_id} is assigned, but it isn't one of the tenant's policies"
            return GoverningPolicy(id=policy_id, policy=None, why=why, through=through)
        case NotRead() as unread:
            tenant_id = index.snapshot.tenant.id
            text = documented_policy(policy_id, tenant_id)
            return GoverningPolicy(
                id=policy_id,
                policy=text,
                tenant_id=tenant_id,
                documented=text is not None,
                why=unread.why,
                through=through,
            )
