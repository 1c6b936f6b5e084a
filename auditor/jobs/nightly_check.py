"""Test a nightly configuration without a run: credentials, permissions, history, folders and notification targets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.facts.partner_lists import partner_lists
from auditor.jobs import now
from auditor.jobs.audit import PreparedAudit
from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.doctor import Diagnosis, diagnose
from auditor.jobs.heartbeat import address_parts
from auditor.jobs.night_setup import prepared_audit
from auditor.jobs.nightly import open_configured_history
from auditor.jobs.run_contents import report_files
from auditor.jobs.secret_references import Secrets
from auditor.jobs.snapshot_files import read_snapshot
from auditor.model.configuration import EMPTY_CSV, Configuration, CsvFile, TenantEntry
from auditor.model.customers import CustomerList, ListKind
from auditor.model.document import ENDS_SOON_DAYS, count, days_left, parse_time
from auditor.model.errors import AuditorError
from auditor.model.snapshot import CredentialEnd
from auditor.notify.apprise_sender import problem_with, send_with_apprise
from auditor.notify.delivery import TargetAnswer, test_message
from auditor.notify.expiries import relationship_expiries
from auditor.notify.wording import expiry_text
from auditor.render.customer_lists import list_lines, list_night, relationship_lines
from auditor.render.labels import credential_end_text

_AT_ONCE = 8


class Tested(NamedTuple):
    """The result of one test. `ok` is none for a note. `is_fatal` says that a tenant can't be audited."""

    subject: str
    ok: bool | None
    text: str
    advice: str = ""
    is_fatal: bool = False


def listed_with_history(configuration: Configuration, secrets: Secrets) -> ListedConfiguration:
    """The configuration with its lists of customers read, compared with those of the last night, which stay kept."""
    if not configuration.sources:
        return ListedConfiguration(configuration)
    try:
        with open_configured_history(configuration.history, secrets) as history:
            return with_customers(configuration, secrets, history)
    except (AuditorError, OSError):  # the test of the history says what is wrong with it
        return with_customers(configuration, secrets)


def check_configuration(
    configuration: Configuration,
    secrets: Secrets,
    tenants: Iterable[TenantEntry],
    *,
    lists: Iterable[CustomerList] = (),
    notify: bool = False,
) -> Iterator[Tested]:
    """Test everything that a run needs, without one. With `notify`, each target gets a test message.

    Reads nothing of a tenant but the audit's own app registration. The history is created if it's missing. `lists` are
    the lists of customers that were read.
    """
    yield _history(configuration, secrets)
    found = tuple(lists)
    for one in found:
        yield from _list(one)
    for file in configuration.csv_files:
        yield _csv(file, is_fatal=not configuration.tenants)
    explained = any(one.error for one in found) or any(one.problem for one in configuration.csv_files)
    if not configuration.tenants and not explained:
        yield Tested("tenants", False, "The configuration lists no tenant", "Add one to tenants.", is_fatal=True)
    entries = tuple(tenants)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for tested in pool.map(lambda entry: tuple(_tenant(entry, secrets)), entries):
            yield from tested
    if configuration.metrics:
        yield _writable("metrics", Path(configuration.metrics), "The metrics")
    if configuration.heartbeat:
        yield _heartbeat(configuration, secrets)
    yield from _targets(configuration, secrets, notify=notify)


def _history(configuration: Configuration, secrets: Secrets) -> Tested:
    try:
        with open_configured_history(configuration.history, secrets) as history:
            return Tested("history", True, f"The history {history.place} can be read and written")
    except (AuditorError, OSError) as error:
        return _refused("history", error, is_fatal=True)


def _list(found: CustomerList) -> Iterator[Tested]:
    """Whether the list could be read, who is new or gone in it, the relationships, and which of them end soon."""
    night = list_night(found)
    if found.error:
        last = f"; a night would audit the {count(night.customers, 'customer')} of {night.taken}" if night.taken else ""
        yield Tested(night.name, False, f"{found.error.rstrip('.')}{last}", found.advice, is_fatal=not night.customers)
        return
    access = "; access to each comes from its own consent" if found.kind is not ListKind.SNAPSHOTS else ""
    yield Tested(night.name, True, f"{count(night.customers, 'customer')}{access}")
    for line in (*(*list_lines(night),)[1:], *relationship_lines(found)):
        yield Tested(night.name, None, line)
    if found.credential is not None:
        yield _credential(night.name, found.credential)
    at = now()
    for customer in found.customers:
        for expiry in relationship_expiries(customer.relationships):
            days = days_left(expiry.ends, parse_time(at))
            if days is not None and days <= ENDS_SOON_DAYS:
                text = f"{expiry_text(expiry, at)}".replace("with the customer", f"with {customer.label}")
                yield Tested(night.name, None, text, expiry.then)


def _csv(found: CsvFile, *, is_fatal: bool) -> Tested:
    subject = f"CSV file {found.file}"
    if found.problem:
        return Tested(subject, False, found.problem.rstrip("."), EMPTY_CSV, is_fatal=is_fatal)
    return Tested(subject, True, count(found.customers, "customer"))


# ---- Tenants --------------------------------------------------------------------------------------------------------


def _tenant(entry: TenantEntry, secrets: Secrets) -> Iterator[Tested]:
    try:
        prepared = prepared_audit(entry)
        yield from _snapshot(entry) if entry.snapshot else _live(entry, prepared, secrets)
    except (AuditorError, OSError) as error:
        yield _refused(entry.name, error, is_fatal=True)
    files = report_files(entry)
    if files:
        yield _writable(entry.name, files[0][1].parent, "The folder of reports", is_folder=True)


def _snapshot(entry: TenantEntry) -> Iterator[Tested]:
    snapshot = read_snapshot((entry.snapshot,))
    yield Tested(
        entry.name, True, f"The snapshot {entry.snapshot} can be read, taken {snapshot.taken or 'unknown when'}"
    )


def _live(entry: TenantEntry, prepared: PreparedAudit, secrets: Secrets) -> Iterator[Tested]:
    request = msgspec.structs.replace(prepared.request, packs=prepared.packs)
    found = diagnose(request, environ=secrets.environment_of(entry))
    for host in found.probe.hosts:
        if not host.ok:
            yield Tested(entry.name, False, f"{host.name}: {host.problem}", host.advice, is_fatal=True)
        elif host.clock_is_right is False and host.skew is not None:
            text = f"This machine's clock differs by {abs(host.skew):.0f} s from that of {host.name}"
            yield Tested(entry.name, False, text, "Set the clock.")
    claims = found.probe.claims
    if claims is None:
        text = f"No token with the credential ({found.probe.auth}): {found.probe.problem}"
        yield Tested(entry.name, False, text, found.probe.advice, is_fatal=True)
        return
    who = f"user {claims.user}" if claims.user else f"app {claims.app_id}"
    yield Tested(entry.name, True, f"Signed in with {found.probe.auth} as {who} in tenant {claims.tenant_id}")
    yield from _permissions(entry, found)
    if (credential := found.probe.credential) is not None:
        yield _credential(entry.name, credential)


def _credential(subject: str, credential: CredentialEnd) -> Tested:
    at = datetime.now(UTC)
    return Tested(subject, credential.needs_no_renewal(at) or None, credential_end_text(credential, at))


def _permissions(entry: TenantEntry, found: Diagnosis) -> Iterator[Tested]:
    missing = [one for one in found.permissions if one.missing]
    for one in missing:
        yield Tested(entry.name, False, f"{one.name} is missing", f"Unknown without it: {one.without}.")
    of_lists = {name for one in partner_lists().lists.values() for name in one.sufficient}
    for name in of_lists.intersection(found.extra) if entry.listed_by else ():
        yield Tested(
            entry.name,
            None,
            f"The token has {name}, which only the list of customers in your own tenant needs",
            "Remove it from the app registration, so that no other customer is asked for it.",
        )
    held = len(found.permissions) - len(missing)
    if not missing:
        noun = "permission" if held == 1 else "permissions"
        yield Tested(entry.name, True, f"The token has the {held} {noun} that the packs need")


# ---- Everything else ------------------------------------------------------------------------------------------------


def _writable(subject: str, path: Path, what: str, *, is_folder: bool = False) -> Tested:
    existing = next(one for one in (path, *path.absolute().parents) if one.exists())
    if os.access(existing, os.W_OK):
        return Tested(subject, True, f"{what} {path} can be written")
    noun = "folder" if is_folder else "file"
    return Tested(
        subject, False, f"{what} {path} can't be written", f"Change the permissions of {existing}, or the {noun}."
    )


def _heartbeat(configuration: Configuration, secrets: Secrets) -> Tested:
    assert configuration.heartbeat is not None, "only a configured heartbeat is tested"
    try:
        if address_parts(secrets.value(configuration.heartbeat)):
            return Tested("heartbeat", True, "The heartbeat has a web address; it isn't called, because no run starts")
    except AuditorError as error:
        return _refused("heartbeat", error)
    return Tested("heartbeat", False, "The heartbeat isn't a web address", "It must begin with https:// or http://.")


def _targets(configuration: Configuration, secrets: Secrets, *, notify: bool) -> Iterator[Tested]:
    at = now()
    for target in configuration.notify:
        try:
            address = secrets.value(target.url)
        except AuditorError as error:
            yield _refused(target.name, error)
            continue
        if problem := problem_with(address):
            yield Tested(target.name, False, f"The address of this target can't be used: {problem}")
        elif not notify:
            yield Tested(target.name, True, "The address of this target is understood; --notify sends a test message")
        else:
            sent = send_with_apprise(address, test_message(target.name, at))
            if sent.answer is TargetAnswer.ACCEPTED:
                yield Tested(target.name, True, "The target accepted a test message")
            else:
                yield Tested(target.name, False, f"The test message was not accepted: {sent.error}")


def _refused(subject: str, error: Exception, *, is_fatal: bool = False) -> Tested:
    advice = error.advice if isinstance(error, AuditorError) else ""
    text = error.problem if isinstance(error, AuditorError) else str(error)
    return Tested(subject, False, text, advice, is_fatal=is_fatal)
