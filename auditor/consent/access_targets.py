"""Which resources Conditional Access evaluates when users connect an app, and whether a policy is about them.

Policies apply to the resources of a request, not to its client. Microsoft Graph isn't evaluated itself: each of its
scopes leads to the service behind it, and scopes for the sign-in and the user's profile count as access to the
directory if a request has nothing else. Source: Entra, "Conditional Access: Target resources".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.consent.truth import Truth, all_of, any_of, known
from auditor.facts.after_consent import BASELINE_SCOPES, DIRECTORY, SERVICES
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES
from auditor.model.conditional_access import AccessApplications
from auditor.model.rule import App

_OFFICE, _ALL = "office365", "all"
_OTHER_WORDS = frozenset({_OFFICE, _ALL, "none", "microsoftadminportals", "allagentidresources"})
"""The words in lists of apps. A vendor's app never reaches the admin portals or agents."""


class Target(NamedTuple):
    """A resource that is evaluated. `in_office_365` is unknown for a service that isn't in the table.

    `service_unknown`: a scope of Microsoft Graph leads to a service that Microsoft doesn't name.
    """

    app_id: str
    name: str
    in_office_365: Truth = Truth.UNKNOWN
    service_unknown: bool = False


class Targets(NamedTuple):
    """What is evaluated for an app. `is_baseline`: it asks only for sign-in and the user's profile."""

    client_id: str
    resources: tuple[Target, ...]
    is_baseline: bool
    gets_id_token: bool

    def includes(self, app_id: str) -> bool:
        """Whether the app reaches this resource."""
        return any(one.app_id == app_id for one in self.resources)


_BY_ID = {service.app_id: Target(service.app_id, service.name, known(service.in_office_365)) for service in SERVICES}
_BY_SCOPE = {word.lower(): _BY_ID[service.app_id] for service in SERVICES for word in service.scopes}
_GRAPH = Target(MICROSOFT_GRAPH, RESOURCE_NAMES[MICROSOFT_GRAPH], service_unknown=True)


def targets_of(app: App) -> Targets:
    """What Conditional Access evaluates for the scopes that `app` requires, or for all its scopes if it requires none.

    Nothing, if the app's scopes aren't known.
    """
    scopes = app.required_scopes or app.scopes
    pairs = [(scope.resource.lower(), scope.value.lower()) for scope in scopes]
    beyond = [pair for pair in pairs if pair[0] != MICROSOFT_GRAPH or pair[1] not in BASELINE_SCOPES]
    resources = tuple(dict.fromkeys(_target(*pair) for pair in beyond))
    return Targets(
        client_id=app.client_id.lower(),
        resources=resources or ((_BY_ID[DIRECTORY.app_id],) if pairs else ()),
        is_baseline=bool(pairs) and not resources,
        gets_id_token=any(value in OPENID_SCOPES - {"offline_access"} for _, value in pairs),
    )


def _target(resource: str, scope: str) -> Target:
    if resource == MICROSOFT_GRAPH:
        return _BY_SCOPE.get(scope.partition(".")[0], _GRAPH)
    return _BY_ID.get(resource) or Target(resource, RESOURCE_NAMES.get(resource, f"the resource {resource}"))


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
    return any("-" not in word for word in words) or (target.service_unknown and bool(words))


def _needs(lists: _Lists, judged: Iterable[tuple[Target, Truth]]) -> Iterator[str]:
    for target, truth in judged:
        if truth is Truth.UNKNOWN and target.service_unknown and (lists.includes | lists.excludes) - {_ALL}:
            yield f"the service behind the other scopes of {target.name}"
        elif truth is Truth.UNKNOWN:
            yield f"whether the policy is about {target.name}"


def _lower(values: Iterable[str] | None) -> frozenset[str]:
    return frozenset(value.lower() for value in values or ())
