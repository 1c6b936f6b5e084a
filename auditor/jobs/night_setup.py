"""What a night needs from outside, which tenants it runs, and the audit that each of them means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.facts.ids import is_guid
from auditor.jobs import now as utc_now
from auditor.jobs.audit import PreparedAudit, prepare
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction, SnapshotFiles, app_from_options
from auditor.jobs.pack_selection import vendor_pack
from auditor.jobs.secret_references import Secrets, live_tenant_of
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.document import first_of, series
from auditor.model.errors import InvalidRequest
from auditor.model.rule import Pack
from auditor.model.snapshot import LiveTenant
from auditor.packs.new_pack import name_for

if TYPE_CHECKING:
    from auditor.history import History
    from auditor.jobs.night_log import NightLog

_NAMED = 10


class Clock(NamedTuple):
    """The time in UTC as text, and seconds that never jump. Tests pass their own."""

    now: Callable[[], str] = utc_now
    seconds: Callable[[], float] = time.monotonic


class Stopping:
    """Ends a run when the process is asked to (SIGTERM): `request` cancels the reads, or raises `Stopped`."""

    def __init__(self) -> None:
        self.is_requested = False
        self._cancel: Callable[[], object] | None = None

    def request(self, *_: object) -> None:
        """What a signal handler calls."""
        self.is_requested = True
        if self._cancel is None:
            raise Stopped
        self._cancel()

    def cancels(self, cancel: Callable[[], object] | None) -> None:
        """How to end the present phase; none raises `Stopped` where the process is."""
        self._cancel = cancel


class Stopped(BaseException):
    """The process was asked to end."""


class NightParts(NamedTuple):
    """What a night needs from outside. `stopping` is how a signal ends it."""

    history: History
    log: NightLog
    secrets: Secrets
    clock: Clock = Clock()
    interaction: Interaction = SILENT
    stopping: Stopping = Stopping()


def chosen_tenants(
    configuration: Configuration, names: Sequence[str], tags: Sequence[str] = ()
) -> tuple[TenantEntry, ...]:
    """The tenants with these names and with one of these tags; all without names and tags.

    Raises InvalidRequest for a name or a tag that no tenant has, and if none of the names has a tag.
    """
    tagged = _tagged(configuration, tags)
    if not names:
        return tagged
    known = {entry.name.lower(): entry for entry in configuration.tenants}
    for name in names:
        if name.lower() not in known:
            from auditor.checks.typo_suggestions import nearest

            near = nearest(name, known)
            every = [entry.name for entry in known.values()]
            names_known = series(first_of(every, _NAMED))
            hint = f'did you mean "{known[near].name}"?' if near else f"the tenants are {names_known}"
            raise InvalidRequest(f'--tenant: the configuration has no tenant "{name}"; {hint}')
    found = tuple(entry for entry in dict.fromkeys(known[name.lower()] for name in names) if entry in tagged)
    if not found:
        raise InvalidRequest(f"--tag: {series(names, 'or')} doesn't have the tag {series(tags, 'or')}: leave one out")
    return found


def _tagged(configuration: Configuration, tags: Sequence[str]) -> tuple[TenantEntry, ...]:
    if not tags:
        return configuration.tenants
    known = {tag.lower(): tag for entry in configuration.tenants for tag in entry.tags}
    for tag in tags:
        if tag.lower() not in known:
            from auditor.checks.typo_suggestions import nearest

            near = nearest(tag, known)
            every = ", ".join(sorted(known.values(), key=str.lower)) or "none"
            hint = f'did you mean "{known[near]}"?' if near else f"the tags are {every}"
            raise InvalidRequest(f'--tag: the configuration has no tag "{tag}"; {hint}')
    wanted = {tag.lower() for tag in tags}
    return tuple(entry for entry in configuration.tenants if wanted & {tag.lower() for tag in entry.tags})


def tenant_key(entry: TenantEntry) -> str:
    """What identifies the tenant in the history in every run, whether or not it can be read: its id, or its name."""
    return entry.tenant.lower() if is_guid(entry.tenant) else entry.name


def prepared_audits(entries: Iterable[TenantEntry]) -> tuple[PreparedAudit, ...]:
    """The audits of many tenants. What several of them have in common is loaded once. Raises PackError."""
    loaded: dict[tuple[object, ...], PreparedAudit] = {}

    def prepared(entry: TenantEntry) -> PreparedAudit:
        judged_by = (entry.packs, entry.apps, entry.waivers, entry.abused)
        if judged_by not in loaded:
            loaded[judged_by] = prepared_audit(entry)
        same = loaded[judged_by]
        request = msgspec.structs.replace(same.request, source=_source_of(entry))
        return msgspec.structs.replace(same, request=request)

    return tuple(map(prepared, entries))


def _source_of(entry: TenantEntry) -> SnapshotFiles | LiveTenant:
    return SnapshotFiles((entry.snapshot,)) if entry.snapshot else live_tenant_of(entry)


def prepared_audit(entry: TenantEntry) -> PreparedAudit:
    """The audit of a tenant with its packs, waivers and lists loaded. Raises PackError."""
    source = _source_of(entry)
    own: list[Pack] = []
    for app in entry.apps:
        found = app_from_options(app.client_id, app.scopes, name=app.name, redirect_uri=app.redirect_uri)
        # Several apps in one audit: the names of their packs keep their findings apart.
        own.append(msgspec.structs.replace(vendor_pack(found), name=name_for(found)))
    return prepare(AuditRequest(source=source, packs=(*entry.packs, *own), waivers=entry.waivers, abused=entry.abused))
