"""One condition set of a consent policy, held against one permission and one client.

Source: Microsoft Graph, ``permissionGrantConditionSet``: a set matches when all its conditions match; a
condition left out, null, empty or ``all``/``any`` does not restrict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from auditor.consent.client import Client
from auditor.consent.lookup import NotRead
from auditor.consent.permission import Permission
from auditor.consent.truth import Truth, all_of, known
from auditor.model.decision import Reason
from auditor.model.resources import ConditionSet


class Condition(msgspec.Struct, frozen=True):
    """How one condition came out; `reason` is what to call it when it is the one that fails."""

    truth: Truth
    reason: Reason
    why: str
    needs: str = ""
    """The fact that is missing when the truth is unknown."""


class Match(msgspec.Struct, frozen=True):
    """How a condition set came out, and every condition that restricts it."""

    truth: Truth
    conditions: tuple[Condition, ...]
    hides_beta: bool
    """Whether a v1.0 read may have hidden a condition that only beta shows."""

    @property
    def false(self) -> tuple[Condition, ...]:
        """The conditions that do not hold."""
        return tuple(c for c in self.conditions if c.truth is Truth.FALSE)

    @property
    def unknown(self) -> tuple[Condition, ...]:
        """The conditions that cannot be told."""
        return tuple(c for c in self.conditions if c.truth is Truth.UNKNOWN)

    @property
    def why(self) -> str:
        """What decided, in words."""
        deciding = self.false or self.unknown or self.conditions
        return "; ".join(c.why for c in deciding) or "the set has no restricting condition"


def match(conditions: ConditionSet, permission: Permission, client: Client) -> Match:
    """Whether the set matches this permission asked for by this client."""
    outcomes = tuple(c for test in _TESTS for c in test(conditions, permission, client))
    hides_beta = conditions.certifiedClientApplicationsOnly is None
    return Match(all_of(c.truth for c in outcomes), outcomes, hides_beta)


def _permission_type(c: ConditionSet, permission: Permission, _: Client) -> Iterator[Condition]:
    match c.permissionType.lower():
        case "delegated":
            return
        case "delegateduserconsentable":
            truth = permission.user_type
            why = {
                Truth.TRUE: f"{permission.value} is of a type that users may consent to",
                Truth.FALSE: f"{permission.value} is of a type that only administrators may consent to",
                Truth.UNKNOWN: f"the type of {permission.value} is not known",
            }[truth]
            yield Condition(truth, Reason.SCOPE_REQUIRES_ADMIN, why, f"the type of scope {permission.value}")
        case "application":
            why = "the set is about application permissions"
            yield Condition(Truth.FALSE, Reason.NO_POLICY_MATCHES, why)
        case other:
            why = f"the permission type {other!r} is new to this program"
            yield Condition(Truth.UNKNOWN, Reason.FACT_UNKNOWN, why, f"what the permission type {other!r} means")


def _resource(c: ConditionSet, permission: Permission, _: Client) -> Iterator[Condition]:
    if c.resourceApplication.lower() not in ("", "any"):
        same = c.resourceApplication.lower() == permission.resource
        why = f"the set is about {'this' if same else 'another'} resource"
        yield Condition(known(same), Reason.SCOPE_NOT_LISTED, why)


def _permissions(c: ConditionSet, permission: Permission, _: Client) -> Iterator[Condition]:
    listed = _restricting(c.permissions)
    if not listed:
        return
    if permission.id is None:
        why = f"the id of {permission.value} is not known"
        yield Condition(Truth.UNKNOWN, Reason.SCOPE_NOT_LISTED, why, f"the id of scope {permission.value}")
        return
    found = permission.id in listed
    why = f"{permission.value} is {'' if found else 'not '}among the listed permissions"
    yield Condition(known(found), Reason.SCOPE_NOT_LISTED, why)


def _classification(c: ConditionSet, permission: Permission, _: Client) -> Iterator[Condition]:
    wanted = c.permissionClassification.lower()
    if wanted in ("", "all"):
        return
    actual = permission.classification
    if isinstance(actual, NotRead) or permission.id is None:
        why = actual.why if isinstance(actual, NotRead) else f"the id of {permission.value} is not known"
        needs = f"the classification of {permission.value}"
        yield Condition(Truth.UNKNOWN, Reason.SCOPE_NOT_CLASSIFIED, why, needs)
        return
    why = f"{permission.value} is classified {actual}" if actual else f"{permission.value} is not classified"
    yield Condition(known(actual == wanted), Reason.SCOPE_NOT_CLASSIFIED, why)


def _client_ids(c: ConditionSet, _: Permission, client: Client) -> Iterator[Condition]:
    if listed := _restricting(c.clientApplicationIds):
        found = client.app_id.lower() in listed
        why = f"the app is {'' if found else 'not '}among the listed apps"
        yield Condition(known(found), Reason.CLIENT_NOT_LISTED, why)


def _client_tenants(c: ConditionSet, _: Permission, client: Client) -> Iterator[Condition]:
    listed = _restricting(c.clientApplicationTenantIds)
    if not listed:
        return
    if client.owner_tenant is None:
        why = "where the app is registered is not known"
        yield Condition(Truth.UNKNOWN, Reason.PUBLISHER_NOT_VERIFIED, why, "which tenant owns the app")
        return
    found = client.owner_tenant.lower() in listed
    why = f"the app is registered in a tenant that is {'' if found else 'not '}listed"
    yield Condition(known(found), Reason.PUBLISHER_NOT_VERIFIED, why)


def _publishers(c: ConditionSet, _: Permission, client: Client) -> Iterator[Condition]:
    listed = _restricting(c.clientApplicationPublisherIds)
    if not listed:
        return
    if client.publisher_id is None:
        why = "the app's publisher id is not known"
        yield Condition(Truth.UNKNOWN, Reason.CLIENT_NOT_LISTED, why, "the app's verified publisher")
        return
    found = client.publisher_id.lower() in listed
    why = f"the app's publisher is {'' if found else 'not '}among the listed publishers"
    yield Condition(known(found), Reason.CLIENT_NOT_LISTED, why)


def _verified_only(c: ConditionSet, _: Permission, client: Client) -> Iterator[Condition]:
    if c.clientApplicationsFromVerifiedPublisherOnly:
        why = {
            Truth.TRUE: "the app's publisher is verified",
            Truth.FALSE: "the app's publisher is not verified",
            Truth.UNKNOWN: f"whether the app's publisher is verified is not known ({client.unread})",
        }[client.publisher_verified]
        yield Condition(client.publisher_verified, Reason.PUBLISHER_NOT_VERIFIED, why, client.publisher_need)


def _certified_only(c: ConditionSet, _: Permission, __: Client) -> Iterator[Condition]:
    if c.certifiedClientApplicationsOnly:
        why = "whether the app is Microsoft 365 certified cannot be read"
        yield Condition(Truth.UNKNOWN, Reason.CLIENT_NOT_LISTED, why, "whether the app is Microsoft 365 certified")


def _restricting(values: tuple[str, ...]) -> frozenset[str]:
    """The listed ids in lower case; empty when the list means everything."""
    listed = frozenset(value.lower() for value in values)
    return frozenset() if "all" in listed or "any" in listed else listed


_TESTS: tuple[Callable[[ConditionSet, Permission, Client], Iterator[Condition]], ...] = (
    _permission_type,
    _resource,
    _permissions,
    _classification,
    _client_ids,
    _client_tenants,
    _publishers,
    _verified_only,
    _certified_only,
)
