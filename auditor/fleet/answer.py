"""The answer over all tenants, from the audit of each: `fleet_report` is the only thing that other packages need."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from auditor.fleet.apps import WITHOUT_AUDIT, AppsOfFleet
from auditor.fleet.benchmarks import benchmarks, outliers, settings
from auditor.fleet.changes import changes, ending
from auditor.fleet.freshness import without_file
from auditor.fleet.tenant_audit import TenantAudit, described
from auditor.model.customers import CustomerList
from auditor.model.document import count, sentence, series
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.fleet import (
    AppState,
    FleetAction,
    FleetApp,
    FleetReport,
    FleetSetting,
    FleetSource,
    FleetTenant,
    FleetTodo,
    NotAudited,
    TodoPart,
)
from auditor.model.rule import FindingOutcome


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """Where the audits come from: see the fields of `FleetReport`. `lists` are the lists of customers."""

    tool: str
    at: str
    source: FleetSource
    place: str = ""
    since: str = ""
    redacted: bool = False
    lists: tuple[CustomerList, ...] = ()
    notes: tuple[str, ...] = ()


def fleet_report(audits: Iterable[TenantAudit], fleet: Fleet) -> FleetReport:
    """The answer over all tenants. The order of the audits doesn't matter."""
    tenants = _uniquely_named(sorted(audits, key=lambda one: (one.name.casefold(), one.id, one.source)))
    apps = AppsOfFleet(tenants)
    found, judged = apps.apps(), settings(tenants)
    outcomes = {tenant.name: apps.outcomes(tenant) for tenant in tenants}
    rows = tuple(_tenant(tenant, apps) for tenant in tenants)
    return FleetReport(
        tool=fleet.tool,
        at=fleet.at,
        source=fleet.source,
        place=fleet.place,
        since=fleet.since,
        redacted=fleet.redacted,
        answer=_answer(tenants, found, judged),
        exit_code=_exit_code(tenants, found, judged, fleet.lists),
        apps=found,
        tenants=tuple(sorted(rows, key=_attention)),
        actions=_actions(rows),
        changes=changes(tenants, outcomes),
        benchmarks=benchmarks(tenants),
        settings=judged,
        outliers=outliers(tenants, apps),
        ending=ending(tenants, fleet.lists, fleet.at),
        not_audited=_not_audited(tenants),
        notes=(*fleet.notes, *_lists_not_read(fleet.lists)),
    )


def _uniquely_named(tenants: Sequence[TenantAudit]) -> tuple[TenantAudit, ...]:
    """The tenants with names that no two of them share: with the id, or else the file, of those with one name."""
    number = Counter(one.name for one in tenants)
    made: dict[str, TenantAudit] = {}
    for one in tenants:
        name = one.name
        if number[name] > 1 or name in made:
            name = f"{name} ({one.id or one.source})"
        again = 2
        while name in made:
            name, again = f"{one.name} ({one.id or one.source}, {again})", again + 1
        made[name] = msgspec.structs.replace(one, name=name)
    return tuple(made.values())


def _tenant(tenant: TenantAudit, apps: AppsOfFleet) -> FleetTenant:
    return FleetTenant(
        name=tenant.name,
        id=tenant.id,
        state=tenant.state,
        tags=tenant.tags,
        taken=tenant.taken,
        started=tenant.started,
        exit_code=tenant.exit_code,
        problem=tenant.problem,
        advice=tenant.advice,
        source=tenant.source,
        answer=tenant.answer,
        before=tenant.earlier.taken if tenant.earlier else "",
        apps=apps.outcomes(tenant),
        todo=_todo(tenant, apps),
        notes=tenant.notes,
    )


def _todo(tenant: TenantAudit, apps: AppsOfFleet) -> FleetTodo | None:
    """What to do, with the keys of the apps; nothing for a tenant whose audit doesn't count."""
    if tenant.todo is None or not tenant.is_current:
        return None
    keys = {described(one.app): apps.known_as(one.app, one.pack) for one in tenant.apps}
    parts = tuple(
        msgspec.structs.replace(part, apps=tuple(dict.fromkeys(keys.get(name, name) for name in part.apps)))
        for part in tenant.todo.parts
    )
    return msgspec.structs.replace(tenant.todo, parts=parts)


def _attention(tenant: FleetTenant) -> tuple[int, bool, str]:
    """Where users can't connect comes first, then what isn't known, and of these the tenants without an audit."""
    states = [one.state.rank for one in tenant.apps]
    audited = tenant.apps and any(one.state is not AppState.UNKNOWN for one in tenant.apps)
    return min(states, default=len(AppState)), bool(audited), tenant.name.casefold()


def _actions(tenants: Iterable[FleetTenant]) -> tuple[FleetAction, ...]:
    """Each thing to do with all tenants that it helps: the proven ones first, then the one that helps most tenants."""
    parts: dict[str, list[tuple[FleetTenant, TodoPart]]] = {}
    for tenant in tenants:
        for part in tenant.todo.parts if tenant.todo else ():
            parts.setdefault(part.action, []).append((tenant, part))
    made = []
    for key, found in parts.items():
        _, first = found[0]
        roles = tuple(dict.fromkeys(part.role for _, part in found if part.role))
        made.append(
            FleetAction(
                key=key,
                what=first.what,
                role=roles[0] if len(roles) == 1 else series([role.rstrip(".") for role in roles], "or"),
                proven=all(part.proven for _, part in found),
                tenants=tuple(dict.fromkeys(tenant.name for tenant, _ in found)),
                apps=tuple(dict.fromkeys(app for _, part in found for app in part.apps)),
            )
        )
    return tuple(sorted(made, key=lambda one: (not one.proven, -len(one.tenants), one.what)))


def _not_audited(tenants: Sequence[TenantAudit]) -> tuple[NotAudited, ...]:
    """The tenants without a current audit, by reason: the one that most tenants have first.

    A reason of several tenants is without what differs: their names, ids and files.
    """
    groups: dict[tuple[str, str], list[TenantAudit]] = {}
    for one in tenants:
        if not one.is_current:
            groups.setdefault((_in_general(one), one.advice), []).append(one)
    made = (
        NotAudited(
            reason=general if len(found) > 1 else _problem(found[0]),
            advice=advice,
            tenants=tuple(one.name for one in found),
        )
        for (general, advice), found in groups.items()
    )
    return tuple(sorted(made, key=lambda one: (-len(one.tenants), one.reason)))


_DIFFERS = re.compile(
    r"'[^']+'|\"[^\"]+\"|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|\b\d{4}-\d\d-\d\d[T ][\d:.]+Z?"
)
"""Names in quotation marks, ids and times, which differ from tenant to tenant."""


def _problem(tenant: TenantAudit) -> str:
    return tenant.problem or sentence(WITHOUT_AUDIT[tenant.state])


def _in_general(tenant: TenantAudit) -> str:
    """Why there is no current audit, without what is about this tenant alone."""
    text = _DIFFERS.sub("…", without_file(_problem(tenant)))
    for name in (tenant.name, tenant.id):
        text = text.replace(name, "…") if len(name) > _SHORTEST else text
    return sentence(text)


_SHORTEST = 3
"""Letters of a name that is searched for in a problem."""


def _lists_not_read(lists: Iterable[CustomerList]) -> tuple[str, ...]:
    return tuple(
        f"The list of customers {one.source} could not be read, so customers may be missing: {one.error.rstrip('.')}."
        for one in lists
        if one.error
    )


# ---- The answer and the exit code -----------------------------------------------------------------------------------


def _exit_code(
    tenants: Sequence[TenantAudit],
    apps: Sequence[FleetApp],
    judged: Sequence[FleetSetting],
    lists: Sequence[CustomerList],
) -> int:
    if not any(one.is_current for one in tenants):
        return NO_AUDIT
    if any(app.blocked or app.needs_admin or app.lacks_scopes for app in apps):
        return FAILING
    if not apps and any(one.failing for one in judged):
        return FAILING
    unknown = any(app.unknown for app in apps) or not all(one.is_current for one in tenants)
    undecided = not apps and any(one.unknown for one in judged)
    return UNKNOWN if unknown or undecided or any(one.error for one in lists) else OK


def _answer(tenants: Sequence[TenantAudit], apps: Sequence[FleetApp], judged: Sequence[FleetSetting]) -> str:
    if not tenants:
        return "There is no tenant to report on."
    if not any(one.is_current for one in tenants):
        number = count(len(tenants), "tenant")
        return f"No audit could be used: of {number}, none has a current one."
    if len(apps) == 1:
        return _about_app(apps[0])
    if apps:
        return _about_apps(tenants, apps)
    return _about_rules(tenants, judged)


def _about_app(app: FleetApp) -> str:
    """``Users of 9 of 40 tenants can connect X. 26 need an administrator, 2 are blocked and 3 are unknown.``"""
    if app.connects == app.tenants:
        whose = "its one tenant" if app.tenants == 1 else f"all {app.tenants} tenants"
        return f"Users of {whose} can connect {app.name}."
    rest = [
        _of(app.blocked, "is blocked", "are blocked"),
        _of(app.needs_admin, "needs an administrator", "need an administrator"),
        _of(app.lacks_scopes, "connects but lacks permissions", "connect but lack permissions"),
        _of(app.unknown, "is unknown", "are unknown"),
    ]
    said = series([text for text in rest if text])
    return f"Users of {app.connects} of {count(app.tenants, 'tenant')} can connect {app.name}: {said}."


def _of(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _about_apps(tenants: Sequence[TenantAudit], apps: Sequence[FleetApp]) -> str:
    stopped = {name for app in apps for why in app.why if why.state.is_known for name in why.tenants}
    unknown = {name for app in apps for why in app.why if not why.state.is_known for name in why.tenants} - stopped
    asked = sum(bool(one.apps or one.asked) for one in tenants)
    fine = asked - len(stopped) - len(unknown)
    rest = [
        _of(len(stopped), "has an app that they can't", "have an app that they can't"),
        _of(len(unknown), "is unknown", "are unknown"),
    ]
    said = series([text for text in rest if text])
    each = "both" if len(apps) == 2 else f"all {len(apps)}"
    connects = f"Users can connect {each} apps in {fine} of {count(asked, 'tenant')}"
    return f"{connects}: {said}." if said else f"{connects}."


def _about_rules(tenants: Sequence[TenantAudit], judged: Sequence[FleetSetting]) -> str:
    current = [one for one in tenants if one.is_current]
    failing = sum(any(rule.outcome is FindingOutcome.FAIL for rule in one.rules) for one in current)
    unknown = len(tenants) - len(current)
    fails = f"A rule fails in {failing} of {count(len(tenants), 'tenant')}"
    more = f"; {_of(unknown, 'is unknown', 'are unknown')}" if unknown else ""
    worst = next((one for one in judged if one.failing), None)
    most = f' Most fail at "{worst.label}" ({len(worst.failing)}).' if worst else ""
    return f"{fails}{more}.{most}"
