"""How many tenants connect each app, and why the others don't, by the setting that decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from auditor.consent.deciding_setting import DecidingSetting, in_few_words, lacks
from auditor.fleet.tenant_audit import STATES, AppAnswer, TenantAudit
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.document import count
from auditor.model.fleet import AppState, AuditState, FleetApp, FleetOutcome, FleetReason, StateCounts

_NAMED = 3
"""Permissions that a reason names; it counts the others."""

WITHOUT_AUDIT: Mapping[AuditState, str] = {
    AuditState.STALE: "the last audit is too old, or failed",
    AuditState.FAILED: "no audit could be made",
    AuditState.NEVER: "no audit was made yet",
    AuditState.UNREADABLE: "the file could not be read",
}
"""Why an app is unknown in a tenant without a current audit, in a few words."""


class AppKeys:
    """The key of each app: its client id, with the pack for an app that a report describes in several ways."""

    def __init__(self, tenants: Iterable[TenantAudit]) -> None:
        refs = (ref for one in tenants for ref in (*(answer.app for answer in one.apps), *one.asked))
        self._several = {ref.client_id.lower() for ref in refs if ref.variant}

    def of(self, ref: AppRef, pack: str = "") -> str:
        """The key of an app, which `pack` describes."""
        client_id = ref.client_id.lower()
        variant = ref.variant or pack
        return f"{client_id}/{variant}" if client_id in self._several and variant else client_id


class _Row(NamedTuple):
    """One app in one tenant: none as the answer if it was never audited for it."""

    tenant: TenantAudit
    ref: AppRef
    answer: AppAnswer | None
    before: AppState | None

    @property
    def state(self) -> AppState:
        """What the fleet counts."""
        return self.answer.state if self.answer and self.tenant.is_current else AppState.UNKNOWN


class AppsOfFleet:
    """Every app in every tenant, in one place, so that counts, changes and outliers agree."""

    def __init__(self, tenants: Sequence[TenantAudit]) -> None:
        self._keys = AppKeys(tenants)
        self._rows: dict[str, list[_Row]] = {}
        self._of_tenant: dict[str, list[tuple[str, _Row]]] = {}
        for tenant in tenants:
            for row in self._of(tenant):
                key = self._keys.of(row.ref, row.answer.pack if row.answer else "")
                self._rows.setdefault(key, []).append(row)
                self._of_tenant.setdefault(tenant.name, []).append((key, row))
        self._reasons = {key: _Reasons(rows) for key, rows in self._rows.items()}

    def _of(self, tenant: TenantAudit) -> Iterator[_Row]:
        before = states_before(tenant)
        audited = {self._keys.of(one.app, one.pack) for one in tenant.apps}
        for answer in tenant.apps:
            yield _Row(tenant, answer.app, answer, before.get((answer.app.client_id.lower(), answer.app.variant)))
        for ref in tenant.asked:
            if self._keys.of(ref) not in audited:
                yield _Row(tenant, ref, None, None)

    def apps(self) -> tuple[FleetApp, ...]:
        """Each app with its counts, the one that most tenants can't connect first."""
        made = (self._app(key, rows) for key, rows in self._rows.items())
        return tuple(sorted(made, key=lambda one: (one.connects - one.tenants, one.name.casefold(), one.key)))

    def _app(self, key: str, rows: Sequence[_Row]) -> FleetApp:
        names = Counter(row.ref.name for row in rows if row.ref.name)
        variant = f", pack {key.partition('/')[2]}" if "/" in key else ""
        client_id = rows[0].ref.client_id
        name = names.most_common(1)[0][0] if names else f"app {client_id}"
        before = [row.before for row in rows if row.before is not None and row.tenant.is_current]
        counts = state_counts(row.state for row in rows)
        return FleetApp(
            key=key,
            name=f"{name}{variant}",
            client_id=client_id,
            tenants=counts.tenants,
            connects=counts.connects,
            lacks_scopes=counts.lacks_scopes,
            needs_admin=counts.needs_admin,
            blocked=counts.blocked,
            unknown=counts.unknown,
            why=tuple(self._reasons[key].reasons()),
            before=state_counts(before) if before else None,
            compared=len(before),
        )

    def outcomes(self, tenant: TenantAudit) -> tuple[FleetOutcome, ...]:
        """The apps of one tenant, what needs attention first."""
        found = []
        for key, row in self._of_tenant.get(tenant.name, ()):
            answer = row.answer
            found.append(
                FleetOutcome(
                    app=key,
                    name=row.ref.name or f"app {row.ref.client_id}",
                    client_id=row.ref.client_id,
                    outcome=answer.outcome if answer else None,
                    state=row.state,
                    setting=self._reasons[key].setting(row),
                    because=answer.because if answer else "",
                    likely=answer.likely if answer else False,
                    before=row.before,
                    since=row.tenant.since.get(row.ref.client_id.lower(), "") if answer else "",
                )
            )
        return tuple(sorted(found, key=lambda one: one.state.rank))

    def rows(self) -> Iterator[tuple[str, str, tuple[tuple[str, AppState, str], ...]]]:
        """For each app its key, its name, and of each tenant with a current audit the state and what decides."""
        for app in self.apps():
            rows = [row for row in self._rows[app.key] if row.answer and row.tenant.is_current]
            made = ((row.tenant.name, row.state, self._reasons[app.key].setting(row)) for row in rows)
            yield app.key, app.name, tuple(made)

    def known_as(self, ref: AppRef, pack: str = "") -> str:
        """The key of an app."""
        return self._keys.of(ref, pack)


def states_before(tenant: TenantAudit) -> dict[tuple[str, str], AppState]:
    """The state of each app at the earlier audit, by client id and variant.

    A kept run doesn't say which description of an app a decision is about, but their order.
    """
    found: dict[tuple[str, str], AppState] = {}
    if tenant.earlier is None:
        return found
    for client_id in {one.app.client_id.lower() for one in tenant.apps}:
        now = [one for one in tenant.apps if one.app.client_id.lower() == client_id]
        then = [one for one in tenant.earlier.decisions if one.client_id.lower() == client_id]
        if len(now) == len(then):
            for new, old in zip(now, then, strict=True):
                found[client_id, new.app.variant] = STATES[old.outcome]
    return found


def state_counts(states: Iterable[AppState]) -> StateCounts:
    """How many there are of each state."""
    number = Counter(states)
    return StateCounts(
        tenants=number.total(),
        connects=number[AppState.CONNECTS],
        lacks_scopes=number[AppState.LACKS_SCOPES],
        needs_admin=number[AppState.NEEDS_ADMIN],
        blocked=number[AppState.BLOCKED],
        unknown=number[AppState.UNKNOWN],
    )


class _Reasons:
    """The reasons for one app. The tenants of a reason share the setting, though not always the same permissions."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._of = len(rows)
        self._groups: dict[tuple[AppState, str], list[_Row]] = {}
        for row in rows:
            if row.state is not AppState.CONNECTS:
                self._groups.setdefault((row.state, _reason_key(row)), []).append(row)
        self._words = {key: _words(group) for key, group in self._groups.items()}

    def reasons(self) -> Iterator[FleetReason]:
        """What needs attention first, and of that what holds in most tenants."""
        order = sorted(self._groups, key=lambda key: (key[0].rank, -len(self._groups[key]), self._words[key]))
        for key in order:
            group = self._groups[key]
            example = next((row.answer.because for row in group if row.answer and row.tenant.is_current), "")
            yield FleetReason(
                key=key[1],
                setting=self._words[key],
                state=key[0],
                tenants=tuple(row.tenant.name for row in group),
                of=self._of,
                example=example or next((row.tenant.problem for row in group if row.tenant.problem), ""),
            )

    def setting(self, row: _Row) -> str:
        """What decides in one tenant, with the words of its group; empty where users connect."""
        return self._words.get((row.state, _reason_key(row)), "") if row.state is not AppState.CONNECTS else ""


def _reason_key(row: _Row) -> str:
    """What identifies the reason in every tenant: never a name or an id of one tenant."""
    answer = row.answer
    if not row.tenant.is_current:
        return f"not-audited/{row.tenant.state}"
    if answer is None:
        return "not-audited/app"
    if answer.outcome is Outcome.DEPENDS:
        return f"{Reason.FACT_UNKNOWN}/{answer.depends_on}"
    found = answer.deciding
    if found is None or answer.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return str(answer.outcome)
    return f"{found.reason}/{found.policy}" if found.policy else str(found.reason)


def _words(group: Sequence[_Row]) -> str:
    """What decides in these tenants, in a few words."""
    first = group[0]
    if not first.tenant.is_current:
        return WITHOUT_AUDIT[first.tenant.state]
    if first.answer is None:
        return "the last audit wasn't about this app"
    if first.answer.outcome is Outcome.DEPENDS:
        return f"it depends on {first.answer.depends_on or 'what was not read'}"
    deciding = [row.answer.deciding for row in group if row.answer and row.answer.deciding]
    if not deciding:
        return first.answer.because.rstrip(".")
    scopes = _scopes(deciding)
    text = _some_of(deciding, scopes)
    if first.answer.outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return f"{lacks(scopes)}{text}"
    return f"{in_few_words(deciding[0]._replace(scopes=scopes), first.answer.because.rstrip('.'), most=_NAMED)}{text}"


def _scopes(deciding: Sequence[DecidingSetting]) -> tuple[str, ...]:
    """The permissions that are stopped in any of the tenants, in the order of the request."""
    longest = sorted(deciding, key=lambda one: -len(one.scopes))
    return tuple(dict.fromkeys(scope for one in longest for scope in one.scopes))


def _some_of(deciding: Sequence[DecidingSetting], scopes: Sequence[str]) -> str:
    """That not every tenant lacks the same permissions."""
    different = sum(set(one.scopes) != set(scopes) for one in deciding)
    return f" (only some of these in {count(different, 'tenant')})" if different and scopes else ""
