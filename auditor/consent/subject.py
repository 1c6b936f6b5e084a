"""Who connects the app: a hypothetical ordinary member, or a user who was read."""

from __future__ import annotations

import msgspec

from auditor.consent.client import Client
from auditor.consent.lookup import NotRead, SnapshotIndex, index_of
from auditor.consent.policies import role_actions
from auditor.consent.truth import Truth
from auditor.facts.ids import (
    GUEST_ROLE_AS_MEMBER,
    ROLE_APPLICATION_ADMINISTRATOR,
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR,
    ROLE_GLOBAL_ADMINISTRATOR,
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR,
)
from auditor.model.resources import RoleDefinition, User
from auditor.model.snapshot import Snapshot

ADMIN_ROLES = {
    ROLE_GLOBAL_ADMINISTRATOR: "Global Administrator",
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
    ROLE_APPLICATION_ADMINISTRATOR: "Application Administrator",
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR: "Cloud Application Administrator",
}
"""Built-in roles that may consent to any delegated permission ("Grant tenant-wide admin consent")."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who connects. `user_id` is ``None`` for the hypothetical ordinary member, who has no personal grant, role
    or assignment. `groups` is ``None`` if not known; `caveats` says what was not read about a user."""

    label: str = "ordinary member"
    phrase: str = "An ordinary user"
    user_id: str | None = None
    guest: Truth = Truth.FALSE
    admin_role: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] | None = ()
    caveats: tuple[str, ...] = ()


ORDINARY_MEMBER = Subject()


def subject_for(snapshot: Snapshot | SnapshotIndex, name: str) -> Subject | NotRead:
    """The user with this object id or user principal name, with the roles that matter for consent."""
    index = index_of(snapshot)
    found = index.user(name)
    if isinstance(found, NotRead):
        return found
    sections = index.snapshot.sections
    assigned = index.role_ids_of((found.id, *(group.id for group in found.memberOf or ())))
    definitions = tuple(d for d in sections.roleDefinitions or () if _ids(d) & assigned)
    admin = next((label for role, label in ADMIN_ROLES.items() if role in assigned), "")
    who = found.userPrincipalName or found.displayName or found.id
    caveats: list[str] = []
    if sections.roleAssignments is None:
        caveats.append(f"the roles that {who} holds are not known: {index.not_read('roleAssignments').why}")
    return Subject(
        label=who,
        phrase=who,
        user_id=found.id,
        guest=_is_restricted_guest(index.snapshot, found),
        admin_role=admin,
        actions=tuple(role_actions(definitions)),
        groups=None if found.memberOf is None else tuple(g.id.lower() for g in found.memberOf),
        caveats=tuple(caveats),
    )


def _ids(role: RoleDefinition) -> set[str]:
    return {role.id.lower(), (role.templateId or role.id).lower()}


def _is_restricted_guest(snapshot: Snapshot, who: User) -> Truth:
    """Whether the user is a guest without the permissions of members."""
    if who.userType is None:
        return Truth.UNKNOWN
    if who.userType.lower() != "guest":
        return Truth.FALSE
    policy = snapshot.sections.authorizationPolicy
    role = policy.guestUserRoleId if policy else None
    if role is None:
        return Truth.UNKNOWN
    return Truth.FALSE if role.lower() == GUEST_ROLE_AS_MEMBER else Truth.TRUE


class Assignment(msgspec.Struct, frozen=True):
    """Whether the subject is assigned to the app; `why` is a clause, `assigned` counts users and groups."""

    truth: Truth
    why: str
    assigned: int = 0


def assignment_of(index: SnapshotIndex, client: Client, subject: Subject) -> Assignment:
    """Whether the subject is assigned, directly or through a group (nested groups do not count)."""
    entries = index.assigned_to(client.app_id)
    if isinstance(entries, NotRead):
        return Assignment(Truth.UNKNOWN, entries.why)
    people = [e for e in entries if (e.principalType or "User").lower() in ("user", "group")]
    if not people:
        return Assignment(Truth.FALSE, "no user or group is assigned to the app")
    count = f"{len(people)} {'user or group is' if len(people) == 1 else 'users or groups are'} assigned to it"
    if subject.user_id is None:
        return Assignment(Truth.UNKNOWN, count, len(people))
    ids = {e.principalId.lower() for e in people}
    if subject.user_id.lower() in ids or ids & set(subject.groups or ()):
        return Assignment(Truth.TRUE, "the user is assigned to the app", len(people))
    if subject.groups is None and any((e.principalType or "").lower() == "group" for e in people):
        return Assignment(Truth.UNKNOWN, "the groups of the user are not known", len(people))
    return Assignment(Truth.FALSE, "the user is not assigned to the app", len(people))


def assigned_member(snapshot: Snapshot | SnapshotIndex, client: Client) -> Subject | None:
    """A hypothetical member who is assigned to the app; ``None`` where nobody is known to be."""
    entries = index_of(snapshot).assigned_to(client.app_id)
    for entry in () if isinstance(entries, NotRead) else entries:
        if (entry.principalType or "User").lower() in ("user", "group"):
            return Subject(
                label="assigned member",
                phrase="A user who is assigned to it",
                user_id="a member",
                groups=(entry.principalId.lower(), "a member"),
            )
    return None
