"""What the history knows about which tenants consented to an app before, and keeping what was seen now.

A tenant that consented is kept next to what was said about it, under the app and the permissions of its token, so that
everything about a tenant is deleted together. Runs of the tenant that the same app read count, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from auditor.jobs.night_setup import tenant_key
from auditor.model.configuration import TenantEntry
from auditor.model.errors import AuditorError
from auditor.model.history import Said

if TYPE_CHECKING:
    from auditor.history import History

_NOBODY = ""
"""The target of these rows: no target of a configuration is called so."""
_SEEN = "consent"


class Earlier(NamedTuple):
    """When the app last had a token in the tenant, as UTC text, and the permissions that it ever had there.

    `times` says when it last had each permission.
    """

    seen: str
    roles: frozenset[str]
    times: Mapping[str, str] = MappingProxyType({})

    @property
    def latest(self) -> tuple[str, ...]:
        """The permissions of the last token."""
        return tuple(sorted(name for name in self.roles if self.last((name,)) == self.seen))

    def last(self, permissions: Iterable[str]) -> str:
        """When the app last had one of these permissions."""
        return max((self.times.get(name, self.seen) for name in permissions), default=self.seen)


class SeenConsents:
    """Who had consented before the UTC time `now`, and who has now.

    `problems` say in sentences what could not be read.
    """

    def __init__(self, history: History | None, now: str) -> None:
        self._history = history
        self._now = now
        self._to_keep: list[Said] = []
        self.problems: list[str] = []

    def earlier(self, entry: TenantEntry, client_id: str) -> Earlier | None:
        """When the tenant last had consented to the app; none if it never had, or that isn't known."""
        if self._history is None or not client_id:
            return None
        try:
            seen = [(row.last, frozenset(row.key.split()[2:])) for row in self._rows(entry, client_id)]
            if by_run := _of_last_run(self._history, entry, client_id):
                seen.append(by_run)
        except AuditorError as error:
            self._add(error)
            return None
        if not seen:
            return None
        # The later ones win: a permission that was taken back stays known, however often the tenant is asked again.
        times = {name: at for at, roles in sorted(seen, key=lambda one: one[0]) for name in roles}
        return Earlier(max(at for at, _ in seen), frozenset(times), times)

    def see(self, entry: TenantEntry, client_id: str, roles: Iterable[str]) -> None:
        """The app has a token with these permissions now. Other ones that it had have ended. `keep` writes it."""
        held = sorted(roles)
        if self._history is None or not client_id or not held:
            return
        try:
            rows = [row for row in self._rows(entry, client_id) if not row.ended]
        except AuditorError as error:
            self._add(error)
            return
        key = " ".join((_SEEN, client_id.lower(), *held))
        first = next((row.first for row in rows if row.key == key), self._now)
        self._to_keep.append(Said(target=_NOBODY, tenant=tenant_key(entry), key=key, first=first, last=self._now))
        self._to_keep += [structs.replace(row, ended=self._now) for row in rows if row.key != key]

    def keep(self) -> None:
        """Write what was seen."""
        if self._history is None or not self._to_keep:
            return
        try:
            self._history.keep_said(self._to_keep)
        except AuditorError as error:
            self.problems.append(f"Which customers have consented could not be kept for the next time: {error}")

    def _rows(self, entry: TenantEntry, client_id: str) -> tuple[Said, ...]:
        assert self._history is not None, "only with a history"
        rows = self._history.said(_NOBODY, tenant_key(entry))
        return tuple(row for row in rows if row.key.startswith(f"{_SEEN} {client_id.lower()} "))

    def _add(self, error: AuditorError) -> None:
        problem = f"Whether a customer had consented before isn't known: {error}"
        if problem not in self.problems:
            self.problems.append(problem)


def _of_last_run(history: History, entry: TenantEntry, client_id: str) -> tuple[str, frozenset[str]] | None:
    """When the last finished run of the tenant was made, and with which permissions, if the same app read it."""
    run = history.last_finished(tenant_key(entry))
    if run is None:
        return None
    read_by = history.report(run.id).provenance
    if read_by is None or read_by.reader.lower() != client_id.lower() or not read_by.permissions:
        return None
    return run.taken or run.started, frozenset(read_by.permissions)
