"""The input of a notification about one run of one tenant, and the result of its delivery."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.configuration import TenantEntry
from auditor.model.difference import Difference
from auditor.model.history import Run, RunFinding
from auditor.model.report import Report


class ExpiryKind(StrEnum):
    """What can end."""

    CREDENTIAL = "credential"
    """The secret or certificate with which the audit signs in."""
    WAIVER = "waiver"
    CONSENT_REQUEST = "consent-request"
    """A request for admin consent that reviewers haven't answered."""
    RELATIONSHIP = "relationship"
    """A delegated admin relationship (GDAP) of a partner with the customer."""
    RETENTION = "retention"
    """Runs that the history deletes, or data that the tenant deletes, after a time."""


class Expiry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ends. `what` names it for people, without the tenant; `ends` is a UTC day or time as text.

    `key` identifies it in every run; without it, `what` does. `then` is a sentence: what happens at the end, or what to
    do before it.
    """

    what: str
    ends: str
    kind: ExpiryKind
    key: str = ""
    then: str = ""


class NightOfTenant(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a notification about one run of one tenant can say.

    `run` is finished or failed. `previous` is the run before it, whatever its state. `difference` is none for a first
    run and for a failed one. `report` is none if the run failed. `missed` are the UTC times at which a run was due and
    none started. `advice` is what to do about a failed run. `report_path` is the file to attach, by format in
    `attachments` if there are several. `night` is when the nightly run of all tenants started: a digest joins the
    tenants of one night. With `is_list`, it is about the read of a list of customers in place of an audit.
    """

    entry: TenantEntry
    run: Run
    previous: Run | None = None
    difference: Difference | None = None
    findings: tuple[RunFinding, ...] = ()
    expiries: tuple[Expiry, ...] = ()
    missed: tuple[str, ...] = ()
    report: Report | None = None
    report_path: str = ""
    advice: str = ""
    attachments: dict[str, str] = msgspec.field(default_factory=dict)
    night: str = ""
    is_list: bool = False


class DeliveryState(StrEnum):
    """What became of a message."""

    SENT = "sent"
    FAILED = "failed"
    """The target didn't accept it. The next night tries again."""
    POSTPONED = "postponed"
    """Not tried, because the target failed just before. The next night tries again."""
    GIVEN_UP = "given-up"
    """Not accepted for many days, so it isn't tried again."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery of one message to the target named `target`; `error` is one sentence without the address."""

    id: str
    target: str
    title: str
    state: DeliveryState
    tenants: tuple[str, ...] = ()
    created: str = ""
    attempts: int = 0
    error: str = ""
