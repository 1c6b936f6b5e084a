"""What a night brings to a history: the snapshot of a sample tenant, its report, and a comparison."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from auditor import check, load_packs, sample
from auditor.history import History
from auditor.model.difference import Change, ChangeKind, Difference, Side, Transition, Weight
from auditor.model.history import Run
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot, Tenant

TENANT = "9ad9b9a2-5e78-454d-b065-a1c284cc4549"
PACKS = ("trackerrms-uk", "grants-hygiene")


class Night(NamedTuple):
    """A snapshot and its report."""

    report: Report
    snapshot: Snapshot


def night(name: str) -> Night:
    """The night of a sample tenant, as a state of the tenant `TENANT`."""
    snapshot = msgspec.structs.replace(sample(name), tenant=sample("managed-default").tenant)
    return Night(check(snapshot, load_packs(PACKS)), snapshot)


def time_of(number: int) -> str:
    """The start of the night with this number."""
    return f"2026-{1 + number // 28 % 12:02}-{1 + number % 28:02}T02:00:00Z"


def difference_of(
    number_of_changes: int, before: str = "", after: str = "", weight: Weight = Weight.MAJOR
) -> Difference:
    """A comparison with so many changes."""
    tenant = Tenant(id=TENANT, name="Contoso Talent")
    change = Change(
        kind=ChangeKind.SETTING,
        key="setting/allowInvitesFrom",
        what="Who may invite guests",
        transition=Transition.CHANGED,
        before="everyone",
        after="none",
        means="Nobody can invite guests.",
        weight=weight,
    )
    changes = tuple(msgspec.structs.replace(change, key=f"{change.key}-{one}") for one in range(number_of_changes))
    return Difference(before=Side(tenant=tenant, taken=before), after=Side(tenant=tenant, taken=after), changes=changes)


def keep(
    history: History, made: Night, number: int = 0, *, tenant: str = TENANT, name: str = "contoso", **arguments: Any
) -> Run:
    """Keep a night as the run of a tenant."""
    with history.lock(tenant):
        run = history.begin(tenant, name, time_of(number))
        values: dict[str, Any] = {
            "difference": None,
            "exit_code": 1,
            "finished": time_of(number).replace(":00Z", ":09Z"),
            **arguments,
        }
        return history.finish(run, report=made.report, snapshot=made.snapshot, **values)
