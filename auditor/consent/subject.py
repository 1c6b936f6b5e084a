"""Who connects the app: a hypothetical ordinary member, or a user who was read."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from auditor.consent import Truth
from auditor.consent.policies import role_actions, role_policies
from auditor.consent.requested_access import Client
from auditor.consent.snapshot_index import NotRead, SnapshotIndex, index_of
from auditor.facts.ids import (
    GUEST_ROLE_AS_MEMBER,
    ROLE_APPLICATION_ADMINISTRATOR,
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR,
    ROLE_GLOBAL_ADMINISTRATOR,
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR,
)
from auditor.model.access_resources import RoleAssignment, RoleDefinition
from auditor.model.decision import ORDINARY_SUBJECT
from auditor.model.resources import AppRoleAssignment, User, first_incomplete, lacking
from auditor.model.snapshot import Snapshot

ADMIN_ROLES = {
    ROLE_GLOBAL_ADMINISTRATOR: "Global Administrator",
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
    ROLE_APPLICATION_ADMINISTRATOR: "Application Administrator",
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR: "Cloud Application Administrator",
}
"""Built-in roles that may consent to any delegated permission ("Grant tenant-wide admin consent"), the widest first."""


class HeldRole(msgspec.Struct, frozen=True, kw_only=True):
    """A directory role of a user that may let them consent.

    `scope` is where it applies (``directoryScopeId``), in lower case. `admin_role` is its name if it is one of
    `ADMIN_ROLES`, and `actions` are those of another role. `unread` is the fact about it that was not read.
    """

    name: str
    scope: str | None
    admin_role: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    unread: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who connects. `user_id` is ``None`` for the hypothetical ordinary member, who has no personal grant, role
    or assignment. `groups` is ``None`` if not known; `caveats` says what is not certain about a user.

    `roles` may apply to some apps only; `toward` sets `admin_role`, the widest one, and `actions`, those that apply to
    one app. `unread_roles` are missing facts, any of which may let the user consent. An administrator may consent
    anyway, and has none; `every_unread_role` keeps them, because a role can assign another consent policy to anyone,
    and an administrator for apps can also be a Global Administrator.
    """

    label: str = ORDINARY_SUBJECT
    phrase: str = "An ordinary user"
    user_id: str | None = None
    guest: Truth = Truth.FALSE
    roles: tuple[HeldRole, ...] = ()
    admin_role: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    unread_roles: tuple[str, ...] = ()
    every_unread_role: tuple[str, ...] = ()
    groups: tuple[str, ...] | None = ()
    caveats: tuple[str, ...] = ()


ORDINARY_MEMBER = Subject()


def subject_for(snapshot: Snapshot | SnapshotIndex, name: str) -> Subject | NotRead:
    """The user with this object id or user principal name, with the roles that matter for consent."""
    index = index_of(snapshot)
    found = index.user(name)
    if isinstance(found, NotRead):
        return found
    who = found.userPrincipalName or found.displayName or found.id
    holders = _holders(found)
    assignments = index.snapshot.sections.roleAssignments or ()
    held = [a for a in assignments if a.principalId.lower() in holders]
    return Subject(
        label=who,
        phrase=who,
        user_id=found.id,
        guest=_is_restricted_guest(index.snapshot, found),
        roles=tuple(role for a in held if (role := _role(index, a.roleDefinitionId, a.directoryScopeId))),
        unread_roles=tuple(_unread_roles(index, found, who)),
        groups=tuple(g.id.lower() for g in found.memberOf or ()) if _groups_were_read(found) else None,
    )


def _groups_were_read(user: User) -> bool:
    """Whether all groups of the user are in the data, none of them as a row without its id."""
    return user.memberOf is not None and first_incomplete(user.memberOf) is None


def _holders(user: User) -> frozenset[str]:
    """The ids of those whose roles the user has: the user, and the groups that were read."""
    return frozenset((user.id.lower(), *(group.id.lower() for group in user.memberOf or () if group.id)))


def _role(index: SnapshotIndex, role_id: str, scope: str | None) -> HeldRole | None:
    """The role with this id, ``None`` if it is known to let nobody consent.

    The built-in roles that do are `ADMIN_ROLES`. An audit reads the definitions of all custom roles; a role that is
    neither among them nor a built-in one that Microsoft documents may be new, and let its holders do anything.
    """
    role_id, scope = role_id.lower(), scope.lower() if scope else None
    if name := ADMIN_ROLES.get(role_id, ""):
        return HeldRole(name=name, scope=scope, admin_role=name)
    definitions = index.snapshot.sections.roleDefinitions
    definition = next((one for one in definitions or () if role_id in _ids(one)), None)
    if definition is None:
        if role_id in _documented_roles():
            return None
        unread = _custom_roles_not_read(index)
        why = unread.why if unread else "it is not a custom role of the tenant, and new to this program"
        return HeldRole(name=role_id, scope=scope, unread=f"what the role {role_id} allows ({why})")
    name = definition.displayName or role_id
    if _is_incomplete(definition):
        why = "its definition was not read completely"
        return HeldRole(name=name, scope=scope, unread=f"what the role {name} allows ({why})")
    actions = tuple(role_actions((definition,)))
    return HeldRole(name=name, scope=scope, actions=actions) if any(role_policies(actions)) else None


def _documented_roles() -> Collection[str]:
    """The ids of the built-in roles that Microsoft documents, which are the same in every tenant."""
    from auditor.facts.graph_values import graph_values  # only a question about a user needs the table

    return graph_values().role_templates.keys()


def _custom_roles_not_read(index: SnapshotIndex) -> NotRead | None:
    """Why there may be custom roles that are not among the definitions; ``None`` if all of them were read."""
    if index.covers("roleDefinitions", "custom"):
        return index.gap("roleDefinitions")
    return index.not_read("roleDefinitions")


def _is_incomplete(role: RoleDefinition) -> bool:
    """Whether a property that decides what a custom or a new role allows is missing; Graph returns all of them."""
    is_documented = bool(role.isBuiltIn) and not _ids(role).isdisjoint(_documented_roles())
    if is_documented or role.isEnabled is False:
        return False
    permissions = role.rolePermissions
    return role.isEnabled is None or permissions is None or any(p.allowedResourceActions is None for p in permissions)


def _unread_roles(index: SnapshotIndex, user: User, who: str) -> Iterator[str]:
    """The facts that were not read about which roles the user holds."""
    sections, covered = index.snapshot.sections, index.snapshot.covers.get("roleAssignments")
    if sections.roleAssignments is None:
        yield f"which directory roles {who} holds ({index.not_read('roleAssignments').why})"
        return
    if covered is not None:
        read = {role.lower() for role in covered}
        custom = [role.id.lower() for role in sections.roleDefinitions or () if _role(index, role.id, None)]
        for role_id in dict.fromkeys((*ADMIN_ROLES, *custom)):
            role = _role(index, role_id, None)
            if role is not None and role_id not in read:
                yield f"whether {who} holds the role {role.name} ({index.not_read('roleAssignments', role_id).why})"
        if definitions_unread := _custom_roles_not_read(index):
            yield f"whether {who} holds a custom role ({definitions_unread.why})"
    for number, row in enumerate(sections.roleAssignments):
        if row.lacks and _may_let_consent(index, row, user):
            yield f"which directory roles {who} holds ({lacking('roleAssignments', number, row)})"
    if not _groups_were_read(user):
        # A group holds a role for its direct members; groups in it don't count (Entra, "Use Microsoft Entra groups to
        # manage role assignments").
        named = {a.roleDefinitionId: a for a in sections.roleAssignments if _may_be_a_group(index, a, user)}
        roles = [role for a in named.values() if (role := _role(index, a.roleDefinitionId, a.directoryScopeId))]
        for role in roles:
            yield f"whether {who} is in a group that holds the role {role.name} (the groups of the user were not read)"


def _may_let_consent(index: SnapshotIndex, row: RoleAssignment, user: User) -> bool:
    """Whether an assignment without its holder or its role may be one that lets the user consent."""
    is_held = not row.principalId or row.principalId.lower() in _holders(user)
    may_be_held = is_held or (not _groups_were_read(user) and _may_be_a_group(index, row, user))
    return may_be_held and (not row.roleDefinitionId or _role(index, row.roleDefinitionId, None) is not None)


def _may_be_a_group(index: SnapshotIndex, assignment: RoleAssignment, user: User) -> bool:
    """Whether the holder of the assignment may be a group: it is neither this user nor another object that was read."""
    holder = assignment.principalId.lower()
    known_user = isinstance(index.user(holder), User)
    return holder != user.id.lower() and not known_user and index.principal_with_id(holder) is None


def toward(index: SnapshotIndex, client: Client, subject: Subject) -> Subject:
    """The subject with the roles that apply to this app; a role in the scope of another app does not."""
    who, unread, caveats = subject.phrase, list(subject.unread_roles), list(subject.caveats)
    admin_role, actions = subject.admin_role, list(subject.actions)
    for role in sorted(subject.roles, key=_narrowness):
        applies = _applies(index, role.scope, client)
        if applies is Truth.FALSE:
            continue
        if applies is Truth.UNKNOWN:
            where = "its scope was not read" if role.scope is None else f"its scope is {role.scope}"
            unread.append(f"whether the role {role.name} of {who} applies to the app ({where})")
            continue
        unread += [role.unread] if role.unread else []
        admin_role = admin_role or role.admin_role
        actions += role.actions
        if role.scope != DIRECTORY_SCOPE and not role.unread:
            caveats.append(
                f"the role {role.name} of {who} is for this app only, and Microsoft doesn't document whether its holder"
                " may consent"
            )
    return msgspec.structs.replace(
        subject,
        admin_role=admin_role,
        actions=tuple(actions),
        unread_roles=() if admin_role else tuple(dict.fromkeys(unread)),
        every_unread_role=tuple(dict.fromkeys(unread)),
        caveats=tuple(dict.fromkeys(caveats)),
    )


def _narrowness(role: HeldRole) -> tuple[bool, int]:
    """Roles for the whole tenant come first, of them those of administrators, and of those the widest."""
    names = tuple(ADMIN_ROLES.values())
    return role.scope != DIRECTORY_SCOPE, names.index(role.admin_role) if role.admin_role else len(names)


DIRECTORY_SCOPE = "/"
_ADMINISTRATIVE_UNIT = "/administrativeunits/"


def _applies(index: SnapshotIndex, scope: str | None, client: Client) -> Truth:
    """Whether a role in this scope (lower case) applies to the app.

    Sources: Microsoft Graph, "Create unifiedRoleAssignment" (``/`` for the tenant, ``/administrativeUnits/{id}``, or
    ``/{object id}`` of one app); Entra, "Administrative units" (they contain users, groups and devices, but no apps).
    """
    if scope is None:
        return Truth.UNKNOWN
    if scope == DIRECTORY_SCOPE:
        return Truth.TRUE
    if scope.startswith(_ADMINISTRATIVE_UNIT):
        return Truth.FALSE
    object_id = scope.strip("/")
    if client.presence is Truth.TRUE and client.object_id is not None and object_id == client.object_id.lower():
        return Truth.TRUE
    if client.presence is Truth.FALSE or index.principal_with_id(object_id) is not None:
        return Truth.FALSE
    # The registration of an app of this tenant has another object id, which an audit does not read.
    tenant = index.snapshot.tenant.id.lower()
    foreign = client.owner_tenant is not None and client.owner_tenant.lower() != tenant
    return Truth.FALSE if foreign else Truth.UNKNOWN


def _ids(role: RoleDefinition) -> set[str]:
    return {role.id.lower(), (role.templateId or role.id).lower()}


def _is_restricted_guest(snapshot: Snapshot, who: User) -> Truth:
    """Whether the user is a guest without the permissions of members."""
    if who.userType is None:
        return Truth.UNKNOWN
    if who.userType.lower() != "guest":
        return Truth.FALSE if who.userType.lower() == "member" else Truth.UNKNOWN
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
    rows = [entry for entry in entries if _is_person(entry) is not Truth.FALSE]
    people = [entry for entry in rows if _is_person(entry) is Truth.TRUE]
    if rows and not people:
        kind = f"is {rows[0].principalType}, which is new to this program" if rows[0].principalType else "was not read"
        return Assignment(Truth.UNKNOWN, f"the kind of principal that is assigned to it {kind}")
    if not people:
        return Assignment(Truth.FALSE, "no user or group is assigned to the app")
    count = f"{len(people)} {'user or group is' if len(people) == 1 else 'users or groups are'} assigned to it"
    if subject.user_id is None:
        return Assignment(Truth.UNKNOWN, count, len(people))
    ids = {entry.principalId.lower() for entry in rows}
    if subject.user_id.lower() in ids or ids & set(subject.groups or ()):
        return Assignment(Truth.TRUE, "the user is assigned to the app", len(people))
    if subject.groups is None and any((entry.principalType or "").lower() != "user" for entry in rows):
        return Assignment(Truth.UNKNOWN, "the groups of the user are not known", len(people))
    if "" in ids:
        return Assignment(Truth.UNKNOWN, "for whom one of the assignments is was not read", len(people))
    return Assignment(Truth.FALSE, "the user is not assigned to the app", len(people))


_PEOPLE = {"user": Truth.TRUE, "group": Truth.TRUE, "serviceprincipal": Truth.FALSE}
"""Whether an assignment is for people, by its kind of principal in lower case (Graph, ``appRoleAssignment``)."""


def _is_person(entry: AppRoleAssignment) -> Truth:
    """Whether a user or a group is assigned; unknown for a kind of principal that is missing or new."""
    return _PEOPLE.get((entry.principalType or "").lower(), Truth.UNKNOWN)


def assigned_member(snapshot: Snapshot | SnapshotIndex, client: Client) -> Subject | None:
    """A hypothetical member who is assigned to the app; ``None`` where nobody is known to be."""
    entries = index_of(snapshot).assigned_to(client.app_id)
    for entry in () if isinstance(entries, NotRead) else entries:
        if _is_person(entry) is Truth.TRUE:
            return Subject(
                label="assigned member",
                phrase="A user who is assigned to it",
                user_id="a member",
                groups=(entry.principalId.lower(), "a member"),
            )
    return None
