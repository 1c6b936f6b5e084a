"""States of one tenant to compare: sample tenants as one tenant, and arbitrary ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from auditor.compare import Comparable, comparable
from auditor.jobs.report_builder import build_report
from auditor.model.difference import Change, Difference, Weight
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot, Tenant
from auditor.packs.load import load_packs
from auditor.snapshot.samples import patched, sample

TENANT = Tenant(id="9ad9b9a2-5e78-454d-b065-a1c284cc4549", name="Contoso Talent")
FIRST, SECOND = "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"
replace = msgspec.structs.replace


@cache
def packs() -> tuple[Pack, ...]:
    """The packs of the comparisons: one about an app, and a benchmark."""
    return tuple(load_packs(["trackerrms-uk", "cisa-scuba"]))


def tenant(name: str, taken: str = FIRST, **changes: Any) -> Snapshot:
    """A sample as the tenant `TENANT`, with a merge patch of its sections."""
    found = sample(name)
    text = msgspec.json.encode(found).replace(found.tenant.id.encode(), TENANT.id.encode())
    found = replace(msgspec.json.decode(text, type=Snapshot), tenant=TENANT, taken=taken)
    return patched(found, changes) if changes else found


def with_section(snapshot: Snapshot, **sections: Any) -> Snapshot:
    """The snapshot with other sections."""
    return replace(snapshot, sections=replace(snapshot.sections, **sections))


def judged(snapshot: Snapshot, by: tuple[Pack, ...] | None = None) -> Comparable:
    """The snapshot with its report."""
    return comparable(build_report(snapshot, packs() if by is None else by), snapshot)


def major(difference: Difference) -> dict[str, Change]:
    """The major changes by their keys."""
    return {change.key: change for change in difference.changes if change.weight is Weight.MAJOR}


def minor(difference: Difference) -> dict[str, Change]:
    """The minor changes by their keys."""
    return {change.key: change for change in difference.changes if change.weight is Weight.MINOR}
