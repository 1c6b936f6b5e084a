"""The tenants of a configuration whose entries name a list of customers in place of a tenant.

A list is read with a credential of the partner's own tenant. It says who is a customer; access to a customer's tenant
comes from the customer's consent to the audit's app, as for every other tenant.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import SILENT, Interaction
from auditor.jobs.customer_names import name_key, with_labels
from auditor.jobs.night_setup import Stopped, Stopping, tenant_key
from auditor.jobs.snapshot_folder import snapshots_in, tenant_of
from auditor.model.configuration import Configuration, CustomerSource, TenantEntry
from auditor.model.customers import Customer, CustomerList, ListKind
from auditor.model.document import count, parse_time, series
from auditor.model.errors import AuditorError

if TYPE_CHECKING:
    from auditor.graph.customer_lists import ReadList
    from auditor.history import History
    from auditor.jobs.secret_references import Secrets

_NAMED = 5
_NONE: Mapping[str, str] = MappingProxyType({})
_EMPTY = {
    ListKind.SNAPSHOTS: "Put the snapshots or bundles of your customers there, as .json or .zip files.",
    ListKind.GDAP: "Is this the tenant of the partner? Customers are in the list while a relationship is active.",
    ListKind.CONTRACTS: "Is this the tenant of the partner? Other tenants have no contracts.",
}


class ListedConfiguration(NamedTuple):
    """A configuration with every customer of its lists as a tenant, and the lists, in the order of the configuration.

    A list with an error keeps the customers of the last one: they are still audited, and the error has to be reported.
    """

    configuration: Configuration
    lists: tuple[CustomerList, ...] = ()


class ListFailed(AuditorError):
    """A list of customers that can't be used."""


def with_customers(
    configuration: Configuration,
    secrets: Secrets,
    history: History | None = None,
    *,
    now: str = "",
    record: bool = False,
    at_most_hours_old: float = 0,
    interaction: Interaction = SILENT,
    stopping: Stopping | None = None,
) -> ListedConfiguration:
    """The configuration with its lists of customers read, and each customer as a tenant of it.

    `now` is the UTC time of the run. `history` has the lists of earlier runs, for comparison and in place of a list
    that can't be read; with `record`, it keeps what was read now, or why it couldn't be. A kept list that was read or
    tried at most `at_most_hours_old` ago is used without a read, as it was then. Whatever is wrong with a list is in
    its `error`. Raises HistoryError, and `Stopped` if `stopping` is requested.
    """
    if not configuration.sources:
        return ListedConfiguration(configuration)
    if not now:
        from auditor.jobs import now as time_of_run

        now = time_of_run()
    sources = {one.key: one for one in reversed(configuration.sources)}
    kept = {key: history.kept_customers(key) if history else None for key in sources}
    young = {key: one for key, one in kept.items() if one is not None and _is_young(one, now, at_most_hours_old)}
    asked = [one for key, one in sources.items() if key not in young]
    read = dict(
        zip(
            (one.key for one in asked), _read_all(asked, secrets, interaction, stopping or Stopping(), now), strict=True
        )
    )
    names = _Names(configuration.tenants, history)
    found: dict[str, CustomerList] = {}
    for key in dict.fromkeys(one.key for one in configuration.sources):
        if key in young:
            found[key] = names.of(young[key])
            continue
        result, before = read[key], kept[key]
        if isinstance(result, CustomerList):
            failed = msgspec.structs.replace(result, tried=now)
            found[key] = names.of(_with_last(failed, before))
        else:
            last = before if before and before.taken else None
            found[key] = compared(names.of(_unlabelled(result, sources[key], now), last), result, last)
        if record and history:
            history.keep_customers(found[key])
    return merged(configuration, found, names.same)


def _is_young(kept: CustomerList, now: str, hours: float) -> bool:
    tried, at = parse_time(kept.tried), parse_time(now)
    return tried is not None and at is not None and timedelta(0) <= at - tried <= timedelta(hours=hours)


def _with_last(failed: CustomerList, before: CustomerList | None) -> CustomerList:
    """A list that could not be read, with the customers of the one before."""
    if before is None:
        return failed
    return msgspec.structs.replace(failed, taken=before.taken, customers=before.customers, gone=before.gone)


def _unlabelled(read: ReadList, source: CustomerSource, now: str) -> CustomerList:
    return CustomerList(
        source=source.key,
        kind=source.kind,
        taken=now,
        tried=now,
        customers=read.customers,
        notes=read.notes,
        credential=read.credential,
    )


class _Names:
    """The names of all tenants, and the entries of the configuration that are customers of a list.

    `same` has the key of a tenant's entry by the tenant's id, also where the entry has a snapshot, or a domain that an
    earlier run in the history resolved.
    """

    def __init__(self, entries: Iterable[TenantEntry], history: History | None) -> None:
        self.same: dict[str, str] = {}
        self._given: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        for entry in entries:
            tenant = entry.tenant.lower() or tenant_of(entry.snapshot)
            if tenant and not is_guid(tenant) and history and (run := history.last_finished(tenant_key(entry))):
                tenant = run.tenant.lower()
            if tenant:
                self.same[tenant] = key_of(entry)
                self._given[tenant] = entry.name
            self._taken[name_key(entry.name)] = tenant or key_of(entry)

    def of(self, found: CustomerList, before: CustomerList | None = None) -> CustomerList:
        """The list with the labels of its customers, which no other tenant gets from then on."""
        last = before or found
        earlier = {one.key: one for one in (*last.gone, *last.customers)}
        # The domain of a contract is known without a history.
        given = self._given | {one.key: self._given[one.domain] for one in found.customers if one.domain in self._given}
        customers = with_labels(found.customers, given, self._taken, earlier)
        self._given |= {one.key: one.label for one in customers}
        self._taken |= {name_key(one.label): one.key for one in customers}
        return msgspec.structs.replace(found, customers=customers)


# ---- Reading --------------------------------------------------------------------------------------------------------


def _read_all(
    sources: Sequence[CustomerSource], secrets: Secrets, interaction: Interaction, stopping: Stopping, now: str
) -> list[ReadList | CustomerList]:
    """What was read of each source, or a list with the error."""
    from auditor.graph.preconnect import run

    if not sources:
        return []
    if interaction.on_wait:
        interaction.on_wait("Reading the lists of customers…")
    try:
        return run(_read_at_once(sources, secrets, interaction, stopping, now))
    except asyncio.CancelledError:
        raise Stopped from None
    finally:
        stopping.cancels(None)


async def _read_at_once(
    sources: Sequence[CustomerSource], secrets: Secrets, interaction: Interaction, stopping: Stopping, now: str
) -> list[ReadList | CustomerList]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    stopping.cancels(lambda: loop.call_soon_threadsafe(task.cancel))
    return list(await asyncio.gather(*(_read(source, secrets, interaction, now) for source in sources)))


async def _read(
    source: CustomerSource, secrets: Secrets, interaction: Interaction, now: str
) -> ReadList | CustomerList:
    from auditor.jobs.fleet_reads import failure_of

    try:
        partner = source.partner
        found = await (_of_partner(source, partner, secrets, interaction, now) if partner else _of(source))
        if not found.customers:
            raise ListFailed("there are no customers in the list", advice=_EMPTY[source.kind])
    except Exception as error:  # noqa: BLE001 - a list's trouble, a bug too, never stops the tenants of the others
        failure = failure_of(error)
        return CustomerList(source=source.key, kind=source.kind, error=failure.error, advice=failure.advice)
    return found


async def _of_partner(
    source: CustomerSource, partner: TenantEntry, secrets: Secrets, interaction: Interaction, now: str
) -> ReadList:
    from auditor.graph.session import open_graph
    from auditor.jobs.secret_references import live_tenant_of
    from auditor.jobs.tenant_reader import addresses_of, retry_policy

    tenant = live_tenant_of(partner)
    environ = await asyncio.to_thread(secrets.environment_of, partner)
    async with open_graph(
        tenant_id=tenant.tenant,
        at=addresses_of(tenant, environ),
        auth=tenant.auth,
        environ=environ,
        retry=retry_policy(tenant, interaction),
    ) as client:
        # Not at the top of the module: it imports the SDK, which is loaded while the token is fetched.
        from auditor.graph.credential_end import local_credential, read_credential_end
        from auditor.graph.customer_lists import read_customer_list

        local = local_credential(tenant.auth, environ, await client.tokens.claims(), tenant.tenant)
        found = await read_customer_list(client, source.kind, source.key)
        return found._replace(credential=await read_credential_end(client, local, datetime.fromisoformat(now)))


async def _of(source: CustomerSource) -> ReadList:
    from auditor.graph.customer_lists import ReadList

    found = await asyncio.to_thread(snapshots_in, source.folder, source.key, source.customer.reports.folder)
    return ReadList(found.customers, found.notes)


# ---- Lists as values ------------------------------------------------------------------------------------------------


def compared(found: CustomerList, read: ReadList, before: CustomerList | None) -> CustomerList:
    """The list, and how it differs from the one before."""
    if before is None:
        return found
    earlier = {one.key: one.since for one in before.customers}
    customers = tuple(msgspec.structs.replace(one, since=earlier.get(one.key, found.taken)) for one in found.customers)
    listed = {one.key for one in customers}
    gone = [
        msgspec.structs.replace(
            one, gone=one.gone or found.taken, relationships=read.relationships.get(one.tenant, one.relationships)
        )
        for one in (*before.customers, *before.gone)
        if one.key not in listed
    ]
    return msgspec.structs.replace(
        found,
        customers=customers,
        new=tuple(one for one in customers if one.key not in earlier),
        gone=tuple(sorted(gone, key=lambda one: (one.gone, one.label))),
    )


def merged(
    configuration: Configuration, lists: Mapping[str, CustomerList], same: Mapping[str, str] = _NONE
) -> ListedConfiguration:
    """The configuration with the customers of the lists as tenants, each tenant once, and the lists without the others.

    A customer with an entry of its own keeps its settings and its name, and so does one that an earlier list has. It
    gets the tags of the list. `same` has the keys of entries by the tenant's id.
    """
    tenants = {key_of(entry): entry for entry in configuration.tenants}
    shown: dict[str, CustomerList] = {}
    for source in configuration.sources:
        found = lists[source.key]
        is_chosen, notes = _choice(source, found)
        for customer in filter(is_chosen, found.customers):
            key = same.get(customer.key, customer.key)
            key = customer.domain if customer.domain in tenants else key
            entry = tenants.get(key)
            if entry is not None and customer.snapshot and not _is_same_file(entry.snapshot, customer.snapshot):
                file = customer.snapshot.removeprefix(source.folder).lstrip("/\\")
                notes = (*notes, f"{file} isn't used: {entry.name} is an earlier entry for the same tenant")
            tenants[key] = _with_customer(entry, customer, source)
        shown[source.key] = _joined(shown.get(source.key), found, source, is_chosen, notes)
    every, listed = tuple(tenants.values()), tuple(shown.values())
    return ListedConfiguration(msgspec.structs.replace(configuration, tenants=every, lists=listed), listed)


def key_of(entry: TenantEntry) -> str:
    """What identifies the tenant of an entry among all: its id or domain, or its name, which can't have a slash."""
    return entry.tenant.lower() or f"/{entry.name}"


def _is_same_file(first: str, second: str) -> bool:
    return bool(first) and os.path.realpath(first) == os.path.realpath(second)


def _with_customer(entry: TenantEntry | None, customer: Customer, source: CustomerSource) -> TenantEntry:
    """The tenant with what the list says about it; one without an entry gets that of the list's customers."""
    if entry is None:
        tenant = "" if customer.snapshot else customer.tenant
        entry = msgspec.structs.replace(
            source.customer, name=customer.label, tenant=tenant, snapshot=customer.snapshot, listed_by=source.key
        )
    relationships = {one.id: one for one in (*entry.relationships, *customer.relationships)}
    return msgspec.structs.replace(
        entry,
        tags=tuple(dict.fromkeys((*entry.tags, *source.customer.tags))),
        relationships=tuple(relationships.values()),
        listed_by=entry.listed_by or source.key,
    )


def _choice(source: CustomerSource, found: CustomerList) -> tuple[Callable[[Customer], bool], tuple[str, ...]]:
    """Whether `only` and `except` leave a customer, and notes about words of them that name nobody."""
    only, excluded = ({word.strip().casefold() for word in words} for words in (source.only, source.excluded))

    def is_chosen(customer: Customer) -> bool:
        names = _names(customer)
        return (not only or bool(only & names)) and not excluded & names

    known = {name for one in (*found.customers, *found.gone) for name in _names(one)}
    notes = []
    for key, words in (("only", source.only), ("except", source.excluded)):
        unknown = [f'"{word}"' for word in words if word.strip().casefold() not in known]
        if unknown and known:
            notes.append(f"the list has no customer {series(unknown[:_NAMED], 'or')}, which {key} names")
    return is_chosen, tuple(notes)


def _names(customer: Customer) -> set[str]:
    names = (customer.key, customer.name, customer.label, customer.domain)
    return {name.strip().casefold() for name in names if name}


def _joined(
    earlier: CustomerList | None,
    found: CustomerList,
    source: CustomerSource,
    is_chosen: Callable[[Customer], bool],
    notes: Sequence[str],
) -> CustomerList:
    """The list with the customers that this entry and earlier ones of the same list chose."""
    error, advice = found.error, found.advice
    if found.customers and not error and not any(map(is_chosen, found.customers)):
        error = f"the configuration selects none of the {count(len(found.customers), 'customer')} of the list"
        advice = f"Correct only or except in the entry of line {source.place.line if source.place else 1}."
    before = {one.key for one in (*earlier.customers, *earlier.gone)} if earlier else set()

    def left(customers: Iterable[Customer]) -> tuple[Customer, ...]:
        return tuple(one for one in customers if one.key in before or is_chosen(one))

    return msgspec.structs.replace(
        found,
        customers=left(found.customers),
        new=left(found.new),
        gone=left(found.gone),
        error=(earlier.error if earlier else "") or error,
        advice=(earlier.advice if earlier else "") or advice,
        notes=(*(earlier.notes if earlier else found.notes), *notes),
    )
