"""Whether a Conditional Access policy applies: to the resources of an app, to a person, and to a sign-in.

Sources: Entra, "Conditional Access: Target resources", "Conditional Access: Users, groups, and workload identities",
"Conditional Access: Conditions" and "Conditional Access: Network assignment". A policy on a group also applies to the
groups inside it, which aren't read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from auditor.consent import Truth, all_of, any_of, known
from auditor.consent.requested_access import Target, Targets
from auditor.consent.snapshot_index import NotRead, SnapshotIndex
from auditor.consent.subject import Subject
from auditor.facts.ids import is_guid
from auditor.model.access_resources import AccessApplications, AccessConditions, AccessGuests, AccessUsers
from auditor.model.document import series

_OFFICE, _ALL = "office365", "all"
_OTHER_WORDS = frozenset({_OFFICE, _ALL, "none", "microsoftadminportals", "allagentidresources"})
"""The words in lists of apps. A vendor's app never reaches the admin portals or agents."""


class Scope(NamedTuple):
    """Whether a policy is about what the app asks for, the resources that it is about, and what isn't known."""

    truth: Truth
    resources: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def scope_of(applications: AccessApplications | None, targets: Targets) -> Scope:
    """Whether the policy with these `applications` is about a resource that the app reaches."""
    if applications is None:
        return Scope(Truth.UNKNOWN, needs=("the resources that the policy is about",))
    if not targets.resources:
        return Scope(Truth.UNKNOWN, needs=("the scopes that the app asks for",))
    lists = _Lists(applications)
    judged = [(target, all_of((lists.included(target), ~lists.excluded(target)))) for target in targets.resources]
    truth = any_of(one for _, one in judged)
    named = tuple(target.name for target, one in judged if one is not Truth.FALSE)
    needs = list(_needs(lists, judged))
    if targets.is_baseline and truth is Truth.TRUE and lists.is_all and lists.has_exclusions:
        truth = Truth.UNKNOWN
        needs.append(
            "the tenant's baseline scopes setting, which decides whether a policy with exclusions applies to sign-in"
            " and profile scopes"
        )
    if truth is Truth.FALSE and targets.client_id in lists.includes:
        truth, named = Truth.UNKNOWN, ("the app itself",)
        needs.append("whether the app signs users in with an ID token, for which policies on the app itself apply")
    notes: tuple[str, ...] = ()
    if truth is not Truth.FALSE and targets.client_id in lists.excludes:
        notes = ("excluding the app itself doesn't help: the policy is evaluated for the resources that it asks for",)
    return Scope(truth, named, tuple(dict.fromkeys(needs)), notes)


class _Lists:
    """The included and excluded apps of a policy, in lower case."""

    def __init__(self, applications: AccessApplications) -> None:
        self.includes = _lower(applications.includeApplications)
        self.excludes = _lower(applications.excludeApplications)
        self.is_all = _ALL in self.includes
        self._given = applications
        self._filter = ((applications.applicationFilter and applications.applicationFilter.mode) or "").lower()

    @property
    def has_exclusions(self) -> bool:
        return bool(self.excludes) or self._filter == "exclude"

    def included(self, target: Target) -> Truth:
        """Whether the policy includes the target."""
        one = self._given
        if self.is_all or target.app_id in self.includes:
            return Truth.TRUE
        if _OFFICE in self.includes and target.in_office_365 is not Truth.FALSE:
            return target.in_office_365
        undecided = (
            one.unknownConditions
            or (one.applicationFilter is not None and self._filter != "exclude")
            or (one.includeApplications is None and not one.includeUserActions)
            # A label on a site makes SharePoint ask for an authentication context; who can say for which sites.
            or (one.includeAuthenticationContextClassReferences and target.name.endswith("SharePoint Online"))
            or _undecided(target, self.includes)
        )
        return Truth.UNKNOWN if undecided else Truth.FALSE

    def excluded(self, target: Target) -> Truth:
        """Whether the policy excludes the target."""
        if target.app_id in self.excludes:
            return Truth.TRUE
        if _OFFICE in self.excludes and target.in_office_365 is not Truth.FALSE:
            return target.in_office_365
        undecided = self._given.excludeApplications is None or self._filter == "exclude"
        return Truth.UNKNOWN if undecided or _undecided(target, self.excludes) else Truth.FALSE


def _undecided(target: Target, listed: frozenset[str]) -> bool:
    """Whether the list has a word that this version doesn't know, or may name the unknown service of a scope."""
    words = listed - _OTHER_WORDS
    return not all(map(is_guid, words)) or (target.service_unknown and bool(words))


def _needs(lists: _Lists, judged: Iterable[tuple[Target, Truth]]) -> Iterator[str]:
    for target, truth in judged:
        if truth is Truth.UNKNOWN and target.service_unknown and (lists.includes | lists.excludes) - {_ALL}:
            yield f"the service behind the other scopes of {target.name}"
        elif truth is Truth.UNKNOWN:
            yield f"whether the policy is about {target.name}"


def _lower(values: Iterable[str] | None) -> frozenset[str]:
    return frozenset(value.lower() for value in values or ())


_NONE, _GUESTS = "none", "guestsorexternalusers"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})
_LEGACY = frozenset({"exchangeactivesync", "eassupported", "easunsupported", "other"})
_BROWSER, _NATIVE = "browser", "mobileappsanddesktopclients"


class Condition(NamedTuple):
    """Whether a condition holds, what it says, and what isn't known about it."""

    truth: Truth
    says: str = ""
    needs: tuple[str, ...] = ()


class Person(NamedTuple):
    """Who connects, as policies see them. The hypothetical ordinary member has no id, no role and no known group."""

    user_id: str = ""
    groups: frozenset[str] | None = frozenset()
    is_guest: Truth = Truth.FALSE
    tenant: SnapshotIndex | None = None

    def holds(self, role: str) -> Truth:
        """Whether the person holds the directory role, for the whole tenant: other roles don't count.

        Source: Entra, "Users, groups, and workload identities", which excludes roles of an administrative unit.
        """
        if self.tenant is None:
            return Truth.FALSE
        assignments = self.tenant.snapshot.sections.roleAssignments
        covered = self.tenant.snapshot.covers.get("roleAssignments")
        if assignments is None or (covered is not None and role not in _lower(covered)):
            return Truth.UNKNOWN
        holders = {self.user_id, *(self.groups or ())}
        scopes = [
            (one.directoryScopeId, one.principalId.lower() in holders)
            for one in assignments
            if one.roleDefinitionId.lower() == role
        ]
        if ("/", True) in scopes:
            return Truth.TRUE
        perhaps = (None, True) in scopes or (self.groups is None and bool(scopes))
        return Truth.UNKNOWN if perhaps else Truth.FALSE


def person_of(index: SnapshotIndex, subject: Subject) -> Person:
    """What is known about the subject."""
    if subject.user_id is None:
        return Person()
    found = index.user(subject.user_id)
    kind = None if isinstance(found, NotRead) else {"guest": True, "member": False}.get((found.userType or "").lower())
    groups = None if subject.groups is None else frozenset(subject.groups)
    return Person(subject.user_id.lower(), groups, known(kind), index)


def person_reached(conditions: AccessConditions, person: Person) -> Condition:
    """Whether the policy applies to the person; false for a policy on workload identities."""
    users = conditions.users
    if users is None:
        if conditions.clientApplications is not None:
            return Condition(Truth.FALSE)
        return Condition(Truth.UNKNOWN, needs=("the users that the policy is about",))
    included, excluded = tuple(_included(users, person)), tuple(_excluded(users, person))
    truth = all_of((any_of(one.truth for one in included), ~any_of(one.truth for one in excluded)))
    who = series([one.says for one in included if one.says and one.truth is not Truth.FALSE]) or "users"
    but = series([one.says for one in excluded if one.says])
    needs = tuple(need for one in (*included, *excluded) if one.truth is Truth.UNKNOWN for need in one.needs)
    return Condition(truth, f"{who}{f', except {but}' if but else ''}", needs if truth is Truth.UNKNOWN else ())


def _included(users: AccessUsers, person: Person) -> Iterator[Condition]:
    named = _lower(users.includeUsers) - {_NONE}
    if users.includeUsers is None or users.unknownConditions:
        yield Condition(Truth.UNKNOWN, needs=("all users that the policy is about",))
    if _ALL in named:
        yield Condition(Truth.TRUE, "all users")
    if _GUESTS in named:
        yield Condition(person.is_guest, "guests and external users", ("whether the user is a guest",))
    if ids := named - {_ALL, _GUESTS}:
        says = _count(ids, "user")
        if person.user_id:
            yield Condition(known(person.user_id in ids), says)
        else:
            yield Condition(Truth.UNKNOWN, says, ("whether the user is one of those that the policy names",))
    if users.includeGroups:
        yield _in_groups(users.includeGroups, person, Truth.UNKNOWN)
    if users.includeRoles:
        yield _in_roles(users.includeRoles, person)
    if users.includeGuestsOrExternalUsers is not None:
        yield _external(users.includeGuestsOrExternalUsers, person)
    if not (named or users.includeGroups or users.includeRoles or users.includeGuestsOrExternalUsers):
        says_none = _NONE in _lower(users.includeUsers)
        yield Condition(Truth.FALSE if says_none else Truth.UNKNOWN, needs=("the users that the policy is about",))


def _excluded(users: AccessUsers, person: Person) -> Iterator[Condition]:
    named = _lower(users.excludeUsers)
    if None in (users.excludeUsers, users.excludeGroups, users.excludeRoles):
        yield Condition(Truth.UNKNOWN, needs=("all users that the policy excludes",))
    if _GUESTS in named:
        yield Condition(person.is_guest, "guests and external users", ("whether the user is a guest",))
    if ids := named - {_GUESTS}:
        yield Condition(known(person.user_id in ids), _count(ids, "user"))
    if users.excludeGroups:
        # What is said of ordinary users is said of those that aren't in the excluded groups.
        yield _in_groups(users.excludeGroups, person, Truth.UNKNOWN if person.user_id else Truth.FALSE)
    if users.excludeRoles:
        yield _in_roles(users.excludeRoles, person)
    if users.excludeGuestsOrExternalUsers is not None:
        yield _external(users.excludeGuestsOrExternalUsers, person)


def _in_groups(groups: Iterable[str], person: Person, otherwise: Truth) -> Condition:
    """Whether the person is in one of the groups: `otherwise`, unless the person is a direct member of one."""
    ids = _lower(groups)
    says = f"the members of {_count(ids, 'group')}"
    if ids & (person.groups or frozenset()):
        return Condition(Truth.TRUE, says)
    return Condition(otherwise, says, (f"whether the user is in {'that group' if len(ids) == 1 else 'those groups'}",))


def _in_roles(roles: Iterable[str], person: Person) -> Condition:
    ids = _lower(roles)
    says = f"the holders of {_count(ids, 'directory role')}"
    need = f"whether the user holds {'that directory role' if len(ids) == 1 else 'one of those directory roles'}"
    return Condition(any_of(person.holds(role) for role in ids), says, (need,))


def _external(guests: AccessGuests, person: Person) -> Condition:
    """Kinds of external users: an internal member is none of them; which one a guest is, isn't read."""
    kinds = (guests.guestOrExternalUserTypes or "").lower()
    may_be = person.is_guest is not Truth.FALSE or (person.user_id and "b2bcollaborationmember" in kinds)
    truth = Truth.UNKNOWN if may_be else Truth.FALSE
    return Condition(truth, "certain guests and external users", ("which kind of external user this is",))


def sign_in_conditions(conditions: AccessConditions, addresses: Iterable[str]) -> Iterator[Condition]:
    """Every condition of the policy on the sign-in itself; `addresses` are the redirect URIs of the app.

    A condition that depends on the device, the place or the risk of one sign-in is unknown: it holds for some.
    """
    kind = client_kind(addresses)
    yield _client_types(conditions, kind)
    if (platforms := conditions.platforms) is not None:
        everything = _ALL in _lower(platforms.includePlatforms) and platforms.excludePlatforms == ()
        yield Condition(known(True) if everything else Truth.UNKNOWN, "" if everything else "on certain platforms only")
    if (locations := conditions.locations) is not None:
        everywhere = _ALL in _lower(locations.includeLocations)
        excluded = locations.excludeLocations
        if not everywhere:
            yield Condition(Truth.UNKNOWN, "from certain locations only")
        elif excluded != ():
            trusted = "trusted locations" if "alltrusted" in _lower(excluded) else "certain locations"
            yield Condition(Truth.UNKNOWN, f"from everywhere except {trusted}")
    if (devices := conditions.devices) is not None and (devices.deviceFilter or devices.unknownConditions):
        yield Condition(Truth.UNKNOWN, "for devices that a filter selects")
    if (flows := conditions.authenticationFlows) is not None and flows.transferMethods:
        # A web app redirects the browser; it doesn't use the flows for devices without one.
        truth = Truth.FALSE if kind == _BROWSER else Truth.UNKNOWN
        yield Condition(truth, "for device code flow or authentication transfer only")
    yield from _risks(conditions)
    if conditions.unknownConditions:
        names = series(list(conditions.unknownConditions))
        yield Condition(Truth.UNKNOWN, f"under conditions that this version doesn't know ({names})")


def _client_types(conditions: AccessConditions, kind: str) -> Condition:
    types = conditions.clientAppTypes
    if types is None:
        return Condition(Truth.UNKNOWN, needs=("the kinds of client apps that the policy is about",))
    named = _lower(types)
    if _ALL in named or {_BROWSER, _NATIVE} <= named:
        return Condition(Truth.TRUE)
    if named <= _LEGACY and named:
        # Consent belongs to modern authentication; these are the clients without it.
        return Condition(Truth.FALSE)
    wanted = named & {_BROWSER, _NATIVE}
    says = {_BROWSER: "in a browser only", _NATIVE: "in mobile and desktop apps only"}.get(next(iter(wanted), ""), "")
    if not wanted or not kind:
        return Condition(Truth.UNKNOWN, says or "for certain client apps only")
    return Condition(known(kind in wanted), says)


def _risks(conditions: AccessConditions) -> Iterator[Condition]:
    if conditions.signInRiskLevels:
        yield Condition(Truth.UNKNOWN, f"if the sign-in risk is {series(list(conditions.signInRiskLevels), 'or')}")
    if conditions.userRiskLevels:
        yield Condition(Truth.UNKNOWN, f"if the user risk is {series(list(conditions.userRiskLevels), 'or')}")
    if conditions.insiderRiskLevels:
        yield Condition(Truth.UNKNOWN, "if the insider risk is high enough")


def client_kind(addresses: Iterable[str]) -> str:
    """``browser`` for an app that only redirects to web pages, the word for native apps, or nothing if not known."""
    kinds = {_BROWSER if _is_web(address) else _NATIVE for address in addresses}
    return kinds.pop() if len(kinds) == 1 else ""


def _is_web(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname not in _LOCAL_HOSTS)


def _count(ids: frozenset[str], noun: str) -> str:
    return f"{len(ids)} {noun}{'' if len(ids) == 1 else 's'}"
