"""What changed in the tenants of a fleet since an earlier audit, and what ends soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.fleet.tenant_audit import TenantAudit
from auditor.model.customers import Customer, CustomerList
from auditor.model.difference import Actor, Change, ChangeKind, Since, Transition, Weight
from auditor.model.document import ENDS_SOON_DAYS, days_left, parse_time
from auditor.model.fleet import AppState, EndingKind, FleetChange, FleetEnding, FleetOutcome
from auditor.model.notification import ExpiryKind
from auditor.model.rule import FindingOutcome

_MOST_VALUE = 200
"""Characters of a value of a setting; the comparison of the two runs has all of it."""

_OWN_CHANGES = frozenset({ChangeKind.DECISION, ChangeKind.FINDING})
"""The kinds of kept changes that aren't copied: the two audits are compared instead, over all runs in between."""

TRANSITIONS = {
    (True, True): Transition.CHANGED,
    (True, False): Transition.BECAME_UNKNOWN,
    (False, True): Transition.BECAME_KNOWN,
}
"""How a state of an app changed, by whether it was known before and is known now."""


def changes(tenants: Sequence[TenantAudit], outcomes: Mapping[str, Sequence[FleetOutcome]]) -> tuple[FleetChange, ...]:
    """What changed, by importance: apps that got worse, rules that started to fail, settings, and the rest.

    `outcomes` are those of each tenant, by its name. A tenant without a current audit has no changes.
    """
    found = [
        change
        for tenant in tenants
        if tenant.is_current and tenant.earlier
        for change in (*_of_apps(tenant, outcomes.get(tenant.name, ())), *_of_rules(tenant), *_of_settings(tenant))
    ]
    return tuple(sorted(found, key=_importance))


def _importance(change: FleetChange) -> tuple[int, int, str, str]:
    kinds = list(ChangeKind)
    worse = {True: 0, None: 1, False: 2}[change.worse]
    return kinds.index(change.kind), worse, change.what.casefold(), change.tenant.casefold()


def _of_apps(tenant: TenantAudit, outcomes: Sequence[FleetOutcome]) -> Iterator[FleetChange]:
    kept = {change.client_id.lower(): change for change in tenant.changes if change.kind is ChangeKind.DECISION}
    for one in outcomes:
        if one.before is None or one.before is one.state:
            continue
        both_known = one.before.is_known and one.state.is_known
        says = kept.get(one.client_id.lower())
        yield FleetChange(
            tenant=tenant.name,
            kind=ChangeKind.DECISION,
            what=one.name,
            transition=TRANSITIONS[one.before.is_known, one.state.is_known],
            before=one.before.value,
            after=one.state.value,
            app=one.app,
            means=says.means if says and says.means else one.because,
            worse=_ORDER[one.state] > _ORDER[one.before] if both_known else None,
            since=_time(says.since) if says and says.since else one.since,
            by=_who(says.by) if says else "",
        )


_ORDER = {
    AppState.CONNECTS: 0,
    AppState.UNKNOWN: 0,
    AppState.LACKS_SCOPES: 1,
    AppState.NEEDS_ADMIN: 2,
    AppState.BLOCKED: 3,
}
"""How little users can do. An unknown state is neither better nor worse, and isn't compared."""


def _of_rules(tenant: TenantAudit) -> Iterator[FleetChange]:
    """Rules that started to fail, or to pass; an outcome that isn't known on one side isn't a change."""
    then = tenant.earlier.findings if tenant.earlier else {}
    for rule in tenant.rules:
        before = then.get(rule.fingerprint)
        if (before, rule.outcome) not in ((_PASS, _FAIL), (_FAIL, _PASS)):
            continue
        failed = rule.outcome is _FAIL
        yield FleetChange(
            tenant=tenant.name,
            kind=ChangeKind.FINDING,
            what=f"{rule.rule}: {rule.title}",
            transition=Transition.APPEARED if failed else Transition.FIXED,
            before="pass" if failed else "fail",
            after="fail" if failed else "pass",
            worse=failed,
        )


_PASS, _FAIL = FindingOutcome.PASS, FindingOutcome.FAIL


def _of_settings(tenant: TenantAudit) -> Iterator[FleetChange]:
    """The kept changes that can matter; several changes of one thing are one, and none if it is as it was."""
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in tenant.changes:
        if change.kind not in _OWN_CHANGES and change.weight is Weight.MAJOR:
            first.setdefault(change.key, change)
            last[change.key] = change
    for key, change in last.items():
        before = first[key].before
        if first[key] is not change and before == change.after:
            continue
        yield FleetChange(
            tenant=tenant.name,
            kind=change.kind,
            what=change.what,
            transition=change.transition,
            before=_value(before),
            after=_value(change.after),
            means=change.means,
            since=_time(change.since),
            by=_who(change.by),
        )


def _value(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_VALUE else f"{text[: _MOST_VALUE - 1]}…"


def _time(since: Since | None) -> str:
    return (since.at or since.before) if since else ""


def _who(actor: Actor | None) -> str:
    if actor is None:
        return ""
    if actor.inferred:
        return "Microsoft"
    return actor.name or actor.id


# ---- What ends soon -------------------------------------------------------------------------------------------------

_KINDS = {
    ExpiryKind.CREDENTIAL: EndingKind.CREDENTIAL,
    ExpiryKind.WAIVER: EndingKind.WAIVER,
    ExpiryKind.CONSENT_REQUEST: EndingKind.CONSENT_REQUEST,
}


def ending(tenants: Sequence[TenantAudit], lists: Iterable[CustomerList], at: str) -> tuple[FleetEnding, ...]:
    """What ends within `ENDS_SOON_DAYS` or has ended, the earliest first; `at` is the present UTC time.

    One thing that several tenants share, such as a credential, is one row.
    """
    found: dict[tuple[EndingKind, str, str, str], list[str]] = {}
    for tenant in tenants:
        for one in tenant.expiries:
            if one.kind in _KINDS:
                found.setdefault((_KINDS[one.kind], one.what, one.ends, one.then), []).append(tenant.name)
    names = {tenant.id.lower(): tenant.name for tenant in tenants if tenant.id}
    for listed in lists:
        for customer in listed.customers:
            name = names.get(customer.tenant.lower()) or customer.label or customer.name
            for what, ends, then in _relationships(customer):
                found.setdefault((EndingKind.RELATIONSHIP, what, ends, then), []).append(name)
            if listed.credential is not None and listed.credential.ends:
                # With one app for all customers, only the partner's tenant shows when its credential ends.
                found.setdefault((EndingKind.CREDENTIAL, _OF_LIST, listed.credential.ends, _RENEW), []).append(name)
    made, now = [], parse_time(at)
    for (kind, what, ends, then), who in found.items():
        days = days_left(ends, now)
        if days is not None and days <= ENDS_SOON_DAYS:
            tenants_of = tuple(dict.fromkeys(who))
            made.append(FleetEnding(kind=kind, what=what, ends=ends, days=days, tenants=tenants_of, then=then))
    return tuple(sorted(made, key=lambda one: (one.ends, one.kind, one.what, one.tenants)))


_ACTIVE = frozenset({"active", "expiring"})
_OF_LIST = "The credential that lists the customers"
_RENEW = "Add a new one to the app registration and to the configuration before that."


def _relationships(customer: Customer) -> Iterator[tuple[str, str, str]]:
    for one in customer.relationships:
        if one.status.lower() in _ACTIVE and one.ends:
            then = "Microsoft extends it." if one.extends else "Ask the customer for a new one before that."
            yield f"The GDAP relationship {one.name or one.id}", one.ends, then
