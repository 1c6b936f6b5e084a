"""Condition sets of consent policies: the one place that reads them, and whether one matches a request.

Source: Microsoft Graph, ``permissionGrantConditionSet``: a set matches when all its conditions match; a
condition left out, null, empty or ``all``/``any`` does not restrict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from auditor.consent import Truth, all_of, known
from auditor.consent.requested_access import Client, Permission
from auditor.consent.snapshot_index import NotRead
from auditor.model.decision import Reason
from auditor.model.resources import BETA_CONDITION, WHOLE_SET, ConditionSet

DELEGATED, USER_CONSENTABLE, APPLICATION = "delegated", "delegateduserconsentable", "application"
"""The permission types that are documented, in lower case."""
LEVELS = ("low", "medium", "high")
"""The classifications of delegated permissions (Microsoft Graph, ``delegatedPermissionClassification``)."""
CLASSIFICATIONS = ("", *LEVELS)
"""The classifications that are documented, in lower case; empty for all."""
_ALL_LABELS = "all"


class Restrictions(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition set restricts. All text but `id` is in lower case; what is empty does not restrict.

    `certified_only` is ``None`` where a v1.0 read may have hidden the condition, which only beta shows.
    """

    id: str | None
    permission_type: str
    resource: str
    permissions: frozenset[str]
    classification: str
    clients: frozenset[str]
    client_tenants: frozenset[str]
    publishers: frozenset[str]
    verified_only: bool
    certified_only: bool | None
    unknown: tuple[str, ...] = ()
    """The names of conditions of which this program doesn't know what they restrict."""

    @property
    def is_delegated(self) -> bool:
        """Whether the set is known to be about delegated permissions, those that users consent to."""
        return self.permission_type in (DELEGATED, USER_CONSENTABLE)

    @property
    def is_known(self) -> bool:
        """Whether every condition of the set is one that is documented, with a documented value."""
        documented_type = self.is_delegated or self.permission_type == APPLICATION
        return documented_type and self.classification in CLASSIFICATIONS and not self.unknown

    @property
    def may_hide_conditions(self) -> bool:
        """Whether only v1.0 was asked for the set, which doesn't show every condition."""
        return self.certified_only is None and BETA_CONDITION not in self.unknown

    @property
    def is_open(self) -> bool:
        """Whether no condition that is known, but the type of permission, restricts the set."""
        lists = (self.permissions, self.clients, self.client_tenants, self.publishers)
        return not (self.resource or self.classification or any(lists) or self.verified_only or self.certified_only)

    def includes(self, other: Restrictions) -> bool:
        """Whether this set surely matches whatever `other` matches."""
        return (
            self.is_known
            and self.permission_type in (other.permission_type, *([DELEGATED] if other.is_delegated else []))
            and self.resource in ("", other.resource)
            and self.classification in ("", other.classification)
            and _holds(self.permissions, other.permissions)
            and _holds(self.clients, other.clients)
            and _holds(self.client_tenants, other.client_tenants)
            and _holds(self.publishers, other.publishers)
            and (not self.verified_only or other.verified_only or bool(other.publishers))
            and (not self.certified_only or other.certified_only is True)
        )


def restrictions_of(conditions: ConditionSet) -> Restrictions:
    """What a condition set restricts."""
    resource, classification = conditions.resourceApplication.lower(), conditions.permissionClassification.lower()
    return Restrictions(
        id=conditions.id,
        permission_type=conditions.permissionType.lower(),
        resource="" if resource == "any" else resource,
        permissions=_listed(conditions.permissions),
        classification="" if classification == "all" else classification,
        clients=_listed(conditions.clientApplicationIds),
        client_tenants=_listed(conditions.clientApplicationTenantIds),
        publishers=_listed(conditions.clientApplicationPublisherIds),
        verified_only=conditions.clientApplicationsFromVerifiedPublisherOnly,
        certified_only=conditions.certifiedClientApplicationsOnly,
        unknown=(*conditions.unknownConditions, *_labels(conditions)),
    )


def _labels(conditions: ConditionSet) -> tuple[str, ...]:
    """The condition on sensitivity labels, if it restricts: which labels a group has is not read.

    Source: Microsoft Graph beta, ``scopeSensitivityLabels``; ``allScopeSensitivityLabels`` doesn't restrict.
    """
    labels = conditions.scopeSensitivityLabels
    kind = str((labels or {}).get("labelKind", "")).lower()
    return ("scopeSensitivityLabels",) if labels and kind != _ALL_LABELS else ()


def _listed(values: tuple[str, ...]) -> frozenset[str]:
    """The listed ids in lower case; empty when the list means everything."""
    listed = frozenset(value.lower() for value in values)
    return frozenset() if "all" in listed or "any" in listed else listed


def _holds(listed: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a condition with the first list holds wherever one with the second does."""
    return not listed or (bool(others) and others <= listed)


class ConditionResult(msgspec.Struct, frozen=True):
    """Whether one condition holds; `reason` is what to call it when it is the one that fails."""

    truth: Truth
    reason: Reason
    why: str
    needs: str = ""
    """The fact that is missing when the truth is unknown."""


class SetMatch(msgspec.Struct, frozen=True):
    """Whether a condition set matches, and the result of every condition that restricts it."""

    truth: Truth
    conditions: tuple[ConditionResult, ...]

    @property
    def false(self) -> tuple[ConditionResult, ...]:
        """The conditions that do not hold."""
        return tuple(c for c in self.conditions if c.truth is Truth.FALSE)

    @property
    def unknown(self) -> tuple[ConditionResult, ...]:
        """The conditions of which it is not known whether they hold."""
        return tuple(c for c in self.conditions if c.truth is Truth.UNKNOWN)

    @property
    def why(self) -> str:
        """What decided, in words."""
        deciding = self.false or self.unknown or self.conditions
        return "; ".join(c.why for c in deciding) or "the condition set has no restrictions"


def match(restrictions: Restrictions, permission: Permission, client: Client) -> SetMatch:
    """Whether the set matches this permission asked for by this client."""
    results = tuple(result for test in _TESTS for result in test(restrictions, permission, client))
    return SetMatch(all_of(result.truth for result in results), results)


TYPE_OF_SCOPE, CLASSIFICATION_OF_SCOPE = "the type of scope ", "the classification of "
"""How the facts begin that a condition about one scope needs."""


def _permission_type(r: Restrictions, permission: Permission, _: Client) -> Iterator[ConditionResult]:
    if r.permission_type == USER_CONSENTABLE:
        truth = permission.user_type
        why = {
            Truth.TRUE: f"{permission.value} is of a type that users may consent to",
            Truth.FALSE: f"{permission.value} is of a type that only administrators may consent to",
            Truth.UNKNOWN: f"the type of {permission.value} is not known",
        }[truth]
        yield ConditionResult(truth, Reason.SCOPE_REQUIRES_ADMIN, why, f"{TYPE_OF_SCOPE}{permission.value}")
    elif r.permission_type == APPLICATION:
        why = "the condition set applies to application permissions"
        yield ConditionResult(Truth.FALSE, Reason.NO_POLICY_MATCHES, why)
    elif r.permission_type != DELEGATED:
        why = f"this program doesn't know the permission type {r.permission_type!r}"
        needs = f"what the permission type {r.permission_type!r} means"
        yield ConditionResult(Truth.UNKNOWN, Reason.FACT_UNKNOWN, why, needs)


def _resource(r: Restrictions, permission: Permission, _: Client) -> Iterator[ConditionResult]:
    if r.resource:
        same = r.resource == permission.resource
        why = f"the condition set applies to {'this' if same else 'another'} resource"
        yield ConditionResult(known(same), Reason.SCOPE_NOT_LISTED, why)


def _permissions(r: Restrictions, permission: Permission, _: Client) -> Iterator[ConditionResult]:
    if not r.permissions:
        return
    if permission.id is None:
        why = f"the id of {permission.value} is not known"
        yield ConditionResult(Truth.UNKNOWN, Reason.SCOPE_NOT_LISTED, why, f"the id of scope {permission.value}")
        return
    found = permission.id in r.permissions
    why = f"{permission.value} is {'' if found else 'not '}one of the listed permissions"
    yield ConditionResult(known(found), Reason.SCOPE_NOT_LISTED, why)


def _classification(r: Restrictions, permission: Permission, _: Client) -> Iterator[ConditionResult]:
    if not r.classification:
        return
    actual = permission.classification
    if isinstance(actual, NotRead) or permission.id is None:
        why = actual.why if isinstance(actual, NotRead) else f"the id of {permission.value} is not known"
        needs = f"{CLASSIFICATION_OF_SCOPE}{permission.value}"
        yield ConditionResult(Truth.UNKNOWN, Reason.SCOPE_NOT_CLASSIFIED, why, needs)
        return
    new = next((one for one in (r.classification, actual) if one not in CLASSIFICATIONS), None)
    if new is not None:
        why = f"this program doesn't know the classification {new!r}"
        yield ConditionResult(Truth.UNKNOWN, Reason.FACT_UNKNOWN, why, f"what the classification {new!r} means")
        return
    why = f"{permission.value} is classified {actual}" if actual else f"{permission.value} is not classified"
    yield ConditionResult(known(actual == r.classification), Reason.SCOPE_NOT_CLASSIFIED, why)


def _client_ids(r: Restrictions, _: Permission, client: Client) -> Iterator[ConditionResult]:
    if r.clients:
        found = client.app_id.lower() in r.clients
        why = f"the app is {'' if found else 'not '}one of the listed apps"
        yield ConditionResult(known(found), Reason.CLIENT_NOT_LISTED, why)


OWNER_NEED = "which tenant owns the app"
TENANT_NEED = "the id of this tenant"


def _client_tenants(r: Restrictions, _: Permission, client: Client) -> Iterator[ConditionResult]:
    if not r.client_tenants:
        return
    if client.owner_tenant is None:
        why = "the tenant that owns the app is not known"
        yield ConditionResult(Truth.UNKNOWN, Reason.PUBLISHER_NOT_VERIFIED, why, OWNER_NEED)
        return
    found = client.owner_tenant.lower() in r.client_tenants
    if not found and "" in r.client_tenants:
        # The documented text of a built-in policy lists the tenant itself, which the snapshot doesn't name.
        why = "the tenant's own id is not known"
        yield ConditionResult(Truth.UNKNOWN, Reason.PUBLISHER_NOT_VERIFIED, why, TENANT_NEED)
        return
    why = f"the app is registered in a tenant that is {'' if found else 'not '}listed"
    yield ConditionResult(known(found), Reason.PUBLISHER_NOT_VERIFIED, why)


def _publishers(r: Restrictions, _: Permission, client: Client) -> Iterator[ConditionResult]:
    if not r.publishers:
        return
    if client.publisher_id is None:
        why = "the app's publisher id is not known"
        yield ConditionResult(Truth.UNKNOWN, Reason.CLIENT_NOT_LISTED, why, "the app's verified publisher")
        return
    found = client.publisher_id.lower() in r.publishers
    why = f"the app's publisher is {'' if found else 'not '}one of the listed publishers"
    yield ConditionResult(known(found), Reason.CLIENT_NOT_LISTED, why)


def _verified_only(r: Restrictions, _: Permission, client: Client) -> Iterator[ConditionResult]:
    if r.verified_only:
        why = {
            Truth.TRUE: "the app's publisher is verified",
            Truth.FALSE: "the app's publisher is not verified",
            Truth.UNKNOWN: f"whether the app's publisher is verified is not known ({client.unread})",
        }[client.publisher_verified]
        yield ConditionResult(client.publisher_verified, Reason.PUBLISHER_NOT_VERIFIED, why, client.publisher_need)


def _certified_only(r: Restrictions, _: Permission, __: Client) -> Iterator[ConditionResult]:
    """Whether the app is certified: never known, as v1.0 has ``certification`` on ``application`` only.

    An audit reads service principals, and the registration of a vendor's app can be read in the vendor's tenant only.
    """
    if r.certified_only:
        why = "whether the app is Microsoft 365 certified is on its registration only, which can't be read here"
        needs = "whether the app is Microsoft 365 certified, which only its registration says"
        yield ConditionResult(Truth.UNKNOWN, Reason.CLIENT_NOT_LISTED, why, needs)


def _unknown(r: Restrictions, _: Permission, __: Client) -> Iterator[ConditionResult]:
    for name in r.unknown:
        if name == WHOLE_SET:
            why, needs = "the condition set is empty in the data", "the contents of a condition set that is empty"
        elif name == BETA_CONDITION:
            why = f"whether the condition set has {name} could not be read, because only Graph's beta version shows it"
            needs = f"whether a condition set has {name}, which only Graph's beta version shows"
        else:
            why = f"what the condition {name} restricts is not known to this program"
            needs = f"what the condition {name} restricts"
        yield ConditionResult(Truth.UNKNOWN, Reason.FACT_UNKNOWN, why, needs)


_TESTS: tuple[Callable[[Restrictions, Permission, Client], Iterator[ConditionResult]], ...] = (
    _permission_type,
    _resource,
    _permissions,
    _classification,
    _client_ids,
    _client_tenants,
    _publishers,
    _verified_only,
    _certified_only,
    _unknown,
)
