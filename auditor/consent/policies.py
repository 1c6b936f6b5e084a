"""Which consent policies govern a subject, and whether they approve a permission, by which condition set.

Source: Entra, "Manage app consent policies": a policy approves when at least one include matches and no
exclude does; several assigned policies are evaluated each on its own, and one approval is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import msgspec

from auditor.consent import Truth, all_of, any_of
from auditor.consent.conditions import ConditionResult, Restrictions, SetMatch, match, restrictions_of
from auditor.consent.requested_access import Client, Permission
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, index_of, kept
from auditor.facts.ids import FOR_ALL, FOR_OWNED_RESOURCE, FOR_SELF, MICROSOFTS_POLICIES
from auditor.model.access_resources import RoleDefinition
from auditor.model.decision import Reason, Step
from auditor.model.resources import BETA_CONDITION, ConditionSet, PermissionGrantPolicy
from auditor.model.snapshot import Snapshot

_Asked = tuple[Permission, str, str | None, str | None, Truth, str]
"""A permission, and what conditions see of the client: app, owner and publisher where they name it, and the rest."""
"""Prefix of Microsoft's own policies; nobody else may use it."""
TENANT = "tenant"
"""The scope of the policies that users consent under; the others are for a group, a team or a chat (Graph beta)."""
_ACTIONS = ("microsoft.directory/serviceprincipals/",)


class GoverningPolicy(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One policy that governs the subject.

    `policy` is ``None`` when its content is not known; `documented` is true if it is Microsoft's documented text.
    `tenant_id` is the tenant whose policy it is.
    """

    id: str
    policy: PermissionGrantPolicy | None
    tenant_id: str = ""
    documented: bool = False
    why: str = ""

    @cached_property
    def includes(self) -> tuple[Restrictions, ...]:
        """What each include restricts; none where the content is not known."""
        return tuple(map(restrictions_of, (self.policy and self.policy.includes) or ()))

    @cached_property
    def excludes(self) -> tuple[Restrictions, ...]:
        """What each exclude restricts; none where the content is not known."""
        return tuple(map(restrictions_of, (self.policy and self.policy.excludes) or ()))

    @cached_property
    def _approvals(self) -> dict[_Asked, Approval]:
        """What the policy says of each request that was compared with it."""
        return {}

    def approval(self, permission: Permission, client: Client) -> Approval:
        """What the policy says of a permission; once for all apps that its conditions can't distinguish."""
        app_id, owner, publisher = client.app_id.lower(), client.owner_tenant, client.publisher_id
        tells_apart = self._tells_apart
        asked = (
            permission,
            app_id if self.documented or app_id in tells_apart else "",
            owner if owner is None or self.documented or owner.lower() in tells_apart else "",
            publisher if publisher is None or publisher.lower() in tells_apart else "",
            client.publisher_verified,
            client.unread,
        )
        if asked not in self._approvals:
            self._approvals[asked] = _by_policy(permission, client, self)
        return self._approvals[asked]

    @cached_property
    def _tells_apart(self) -> frozenset[str]:
        """The ids of apps, tenants and publishers that a condition names."""
        sets = (*self.includes, *self.excludes)
        return frozenset(name for one in sets for name in (*one.clients, *one.client_tenants, *one.publishers))

    @property
    def hides_conditions(self) -> bool:
        """Whether a v1.0 read may have hidden conditions that only beta shows."""
        return any(one.may_hide_conditions for one in (*self.includes, *self.excludes))

    @property
    def is_custom(self) -> bool:
        """Whether the tenant, not Microsoft, wrote the policy."""
        return not self.id.lower().startswith(MICROSOFTS_POLICIES)


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


def entries_of_new_kinds(entries: Iterable[str]) -> tuple[str, ...]:
    """The assigned entries that neither a documented prefix nor a bare id says the meaning of."""
    return tuple(one for one in other_entries(entries) if one.strip().partition(".")[0].lower() != FOR_OWNED_RESOURCE)


def _of_new_kind(entry: str) -> GoverningPolicy:
    """What an entry may allow that this program doesn't know: anything."""
    why = f"the assigned policy {entry} is of a kind that is new to this program"
    return GoverningPolicy(id=entry, policy=None, why=why)


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
    assigned = [_assigned(index, policy_id) for policy_id in self_consent_ids(entries)]
    assigned += map(_of_new_kind, entries_of_new_kinds(entries))
    known = {a.id.lower() for a in assigned}
    more = role_assigned(index, actions)
    return (*assigned, *(a for a in more if a.id.lower() not in known))


def role_assigned(index: SnapshotIndex, actions: Iterable[tuple[str, str]], *verbs: str) -> tuple[GoverningPolicy, ...]:
    """The policies, once each, that the actions of custom roles name with one of these verbs."""
    found: dict[str, GoverningPolicy] = {}
    for _, policy_id in role_policies(actions, *verbs):
        if policy_id.lower() not in found:
            found[policy_id.lower()] = _assigned(index, policy_id)
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


@kept
def _assigned_policies(_: SnapshotIndex) -> dict[str, GoverningPolicy]:
    """The policies of a snapshot that were asked for, by id."""
    return {}


def _assigned(index: SnapshotIndex, policy_id: str) -> GoverningPolicy:
    """The policy with this id, the same object each time, so that it remembers what it said."""
    known = _assigned_policies(index)
    if policy_id not in known:
        known[policy_id] = _looked_up(index, policy_id)
    return known[policy_id]


@kept
def _policies_of(_: tuple[PermissionGrantPolicy, ...] | None) -> dict[int, GoverningPolicy]:
    """The policies of a section that were asked for, by the row.

    A changed copy of a snapshot whose policies did not change then knows what they said.
    """
    return {}


def _looked_up(index: SnapshotIndex, policy_id: str) -> GoverningPolicy:
    match index.grant_policy(policy_id):
        case PermissionGrantPolicy() as policy if (policy.resourceScopeType or TENANT).lower() != TENANT:
            why = f"policy {policy.id} is about the scope {policy.resourceScopeType}, not about the tenant"
            return GoverningPolicy(id=policy.id, policy=None, why=why)
        case PermissionGrantPolicy() as policy if policy.includeAllPreApprovedApplications:
            why = f"policy {policy.id} approves pre-approved apps, which Graph doesn't list"
            return GoverningPolicy(id=policy.id, policy=None, why=why)
        case PermissionGrantPolicy() as policy:
            made = _policies_of(index.snapshot.sections.permissionGrantPolicies)
            found = made.setdefault(id(policy), GoverningPolicy(id=policy.id, policy=policy))
            if not (found.is_custom and index.was_refused("permissionGrantPolicies", policy.id)):
                return found
            return msgspec.structs.replace(found, policy=_without_beta_form(policy))
        case Absent():
            why = f"policy {policy_id} is assigned, but it isn't one of the tenant's policies"
            return GoverningPolicy(id=policy_id, policy=None, why=why)
        case NotRead() as unread:
            return _documented(index, policy_id, unread)


def _without_beta_form(policy: PermissionGrantPolicy) -> PermissionGrantPolicy:
    """The policy whose beta form could not be read: each of its condition sets may be narrower than v1.0 shows it.

    Microsoft documents its own policies, and none of them has a condition that only beta shows.
    """

    def known_in_part(sets: tuple[ConditionSet, ...] | None) -> tuple[ConditionSet, ...] | None:
        return sets and tuple(
            one
            if one.certifiedClientApplicationsOnly is not None
            else msgspec.structs.replace(one, unknownConditions=(*one.unknownConditions, BETA_CONDITION))
            for one in sets
        )

    includes, excludes = known_in_part(policy.includes), known_in_part(policy.excludes)
    return msgspec.structs.replace(policy, includes=includes, excludes=excludes)


def _documented(index: SnapshotIndex, policy_id: str, unread: NotRead) -> GoverningPolicy:
    """A policy that was not read, with Microsoft's documented text if there is one.

    An answer that was broken or incomplete says nothing about this tenant, not even that its policy is the documented
    one, so that the text replaces only what was not requested or nobody may read.
    """
    unknown = GoverningPolicy(id=policy_id, policy=None, why=unread.why)
    if unread.is_faulty:
        return unknown
    # Only for a policy that was not read.
    from auditor.facts.builtin_policies import documented_policy

    tenant_id = index.snapshot.tenant.id
    text = documented_policy(policy_id, tenant_id)
    return msgspec.structs.replace(unknown, policy=text, tenant_id=tenant_id, documented=text is not None)


_EXPLAINS = (
    Reason.SCOPE_REQUIRES_ADMIN,
    Reason.SCOPE_EXCLUDED,
    Reason.SCOPE_NOT_CLASSIFIED,
    Reason.PUBLISHER_NOT_VERIFIED,
    Reason.CLIENT_NOT_LISTED,
    Reason.SCOPE_NOT_LISTED,
    Reason.POLICY_UNREADABLE,
    Reason.FACT_UNKNOWN,
    Reason.NO_POLICY_MATCHES,
)
"""Which reason to give when several apply: the first of these."""

_IRRELEVANT = (Reason.NO_POLICY_MATCHES, Reason.SCOPE_NOT_LISTED, Reason.CLIENT_NOT_LISTED)
"""An include that fails on one of these isn't meant for this scope or app: say that, not what else fails."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a permission is approved, by what, and why.

    `needs` are the missing facts of an unknown approval, and `caveats` the reasons why it isn't certain.
    """

    truth: Truth
    reason: Reason
    detail: str
    policy: str | None = None
    condition_set: str | None = None
    needs: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    approvers: tuple[str, ...] = ()


_NOTHING_ASSIGNED = Approval(
    truth=Truth.FALSE,
    reason=Reason.USER_CONSENT_DISABLED,
    detail="users may not consent to anything in this tenant",
)


def approval(permission: Permission, client: Client, assigned: Iterable[GoverningPolicy]) -> Approval:
    """The verdict of all assigned policies together on one permission."""
    each = tuple(policy.approval(permission, client) for policy in assigned)
    if not each:
        return _NOTHING_ASSIGNED
    truth = any_of(a.truth for a in each)
    deciding = min((a for a in each if a.truth is truth), key=_weight)
    caveats = deciding.caveats
    if truth is not Truth.TRUE:
        # A refusal means that every policy refused, so the caveats of each one count.
        caveats = tuple(dict.fromkeys(d for a in each for d in a.caveats))
    return msgspec.structs.replace(
        deciding,
        caveats=caveats,
        needs=tuple(dict.fromkeys(n for a in each if a.truth is Truth.UNKNOWN for n in a.needs)),
        steps=tuple(s for a in each for s in a.steps),
        approvers=tuple(str(a.policy) for a in each if a.truth is Truth.TRUE),
    )


def _weight(approval: Approval) -> tuple[int, int]:
    """Certain approvals first, then in the order of `_EXPLAINS`."""
    rank = _EXPLAINS.index(approval.reason) if approval.reason in _EXPLAINS else 0
    return (len(approval.caveats) if approval.truth is Truth.TRUE else 0, rank)


def _by_policy(permission: Permission, client: Client, assigned: GoverningPolicy) -> Approval:
    if assigned.policy is None:
        return Approval(
            truth=Truth.UNKNOWN,
            reason=Reason.POLICY_UNREADABLE,
            detail=assigned.why,
            policy=assigned.id,
            needs=(f"the contents of policy {assigned.id}",),
        )
    includes = [(s, match(s, permission, client)) for s in assigned.includes]
    excludes = [(s, match(s, permission, client)) for s in assigned.excludes]
    included = any_of(m.truth for _, m in includes)
    excluded = any_of(m.truth for _, m in excludes)
    truth = all_of((included, ~excluded))
    steps = (
        *(_step(assigned.id, "include", s, m) for s, m in includes),
        *(_step(assigned.id, "exclude", s, m) for s, m in excludes),
    )
    if excluded is Truth.TRUE and included is not Truth.FALSE:
        found = _excluded(assigned, permission, excludes)
    elif truth is Truth.TRUE:
        found = _approved(assigned, permission, includes)
    elif truth is Truth.FALSE:
        found = _not_included(assigned, includes)
    else:
        found = _unknown(assigned, includes if included is Truth.UNKNOWN else excludes)
    hidden = any(s.may_hide_conditions and m.truth is not Truth.FALSE for s, m in (*includes, *excludes))
    caveats = (*_caveats(assigned, hidden), *_uncertainties(assigned, permission, client, truth))
    return msgspec.structs.replace(found, truth=truth, policy=assigned.id, steps=steps, caveats=caveats)


def _caveats(assigned: GoverningPolicy, hidden: bool) -> tuple[str, ...]:
    if assigned.documented:
        return (f"{assigned.why}; the decision uses Microsoft's documentation of the built-in policies instead",)
    if assigned.is_custom and hidden:
        # v1.0 does not show certifiedClientApplicationsOnly, so the set may be narrower than it looks.
        return (f"custom policy {assigned.id} may have conditions that only the beta version of Graph returns",)
    return ()


def _uncertainties(assigned: GoverningPolicy, permission: Permission, client: Client, truth: Truth) -> tuple[str, ...]:
    """Where Microsoft's sources leave open what the documented text of a policy says of this scope and app."""
    if not assigned.documented or truth is Truth.UNKNOWN:
        return ()
    from auditor.facts.builtin_policies import uncertainties

    return uncertainties(
        assigned.id,
        approves=truth is Truth.TRUE,
        client_id=client.app_id,
        own_tenant=(client.owner_tenant or "").lower() == assigned.tenant_id.lower(),
        resource=permission.resource,
        scope=permission.value,
    )


_Sets = list[tuple[Restrictions, SetMatch]]


def _approved(assigned: GoverningPolicy, permission: Permission, includes: _Sets) -> Approval:
    matched = next(s for s, m in includes if m.truth is Truth.TRUE)
    detail = f"{_policy_name(assigned)} lets users consent to {permission.value}"
    return Approval(truth=Truth.TRUE, reason=Reason.APPROVED_BY_POLICY, detail=detail, condition_set=matched.id)


def _excluded(assigned: GoverningPolicy, permission: Permission, excludes: _Sets) -> Approval:
    matched = next(s for s, m in excludes if m.truth is Truth.TRUE)
    detail = f"{permission.value} is excluded by {_policy_name(assigned)}"
    return Approval(truth=Truth.FALSE, reason=Reason.SCOPE_EXCLUDED, detail=detail, condition_set=matched.id)


def _not_included(assigned: GoverningPolicy, includes: _Sets) -> Approval:
    if not includes:
        detail = f"{_policy_name(assigned)} has no includes, so it approves nothing"
        return Approval(truth=Truth.FALSE, reason=Reason.NO_POLICY_MATCHES, detail=detail)
    candidates = [(s, _obstacle(m)) for s, m in includes]
    closest, obstacle = min(candidates, key=lambda pair: _EXPLAINS.index(pair[1].reason))
    return Approval(
        truth=Truth.FALSE,
        reason=obstacle.reason,
        detail=f"{obstacle.why} ({_policy_name(assigned)})",
        condition_set=closest.id,
    )


def _obstacle(m: SetMatch) -> ConditionResult:
    """The failing condition that says most about why an include does not match."""
    for reason in _IRRELEVANT:
        for condition in m.false:
            if condition.reason is reason:
                return condition
    return min(m.false, key=lambda c: _EXPLAINS.index(c.reason))


def _unknown(assigned: GoverningPolicy, sets: _Sets) -> Approval:
    undecided = [(s, c) for s, m in sets if m.truth is Truth.UNKNOWN for c in m.unknown]
    first_set, first = undecided[0]
    return Approval(
        truth=Truth.UNKNOWN,
        reason=Reason.FACT_UNKNOWN,
        detail=f"{first.why} ({_policy_name(assigned)})",
        condition_set=first_set.id,
        needs=tuple(dict.fromkeys(c.needs for _, c in undecided if c.needs)),
    )


def _policy_name(assigned: GoverningPolicy) -> str:
    return f"policy {assigned.id}"


def _step(policy_id: str, kind: str, conditions: Restrictions, m: SetMatch) -> Step:
    return Step(policy=policy_id, kind=kind, condition_set=conditions.id or "", matched=m.truth.value, why=m.why)
