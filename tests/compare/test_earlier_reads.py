"""What one night couldn't read is compared with the last night that read it."""

from __future__ import annotations

import pytest

from auditor.compare import compare
from auditor.compare.earlier_reads import completed, not_read_then, was_read
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.difference import Since
from auditor.model.snapshot import Unread
from tests.compare.states import FIRST, SECOND, judged, major, replace, tenant, with_section

APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"


def test_what_changed_while_it_could_not_be_read_is_found_by_the_last_read_that_had_it() -> None:
    first = tenant("managed-default", "2026-11-20T02:00:00Z")
    name = "adminConsentRequestPolicy"
    failed = replace(
        with_section(first, adminConsentRequestPolicy=None), taken=FIRST, unread={name: Unread(status=403)}
    )
    after = tenant("managed-default", SECOND, adminConsentRequestPolicy={"requestDurationInDays": 7})
    key = "setting/adminConsentWorkflow/requestDurationInDays"
    assert key not in major(compare(judged(failed), judged(after)))
    difference = compare(judged(failed), judged(after), earlier=[failed, first])
    change = major(difference)[key]
    assert (change.before, change.after) == (30, 7)
    assert change.since == Since(source="reads", after=first.taken, before=SECOND)
    assert all(note.section != name for note in difference.not_compared)
    assert difference.before.taken == FIRST
    assert compare(judged(first), judged(after), earlier=[first]) == compare(judged(first), judged(after))


@pytest.mark.parametrize(
    ("section", "part"),
    [
        pytest.param("delegatedPermissionClassifications", MICROSOFT_GRAPH, id="rows of one app"),
        pytest.param("servicePrincipals", MICROSOFT_GRAPH, id="one app"),
        pytest.param("oauth2PermissionGrants", APP, id="the grants of one app"),
    ],
)
def test_a_part_that_could_not_be_read_comes_from_the_last_read_that_had_it(section: str, part: str) -> None:
    first = tenant("admin-consented", "2026-11-20T02:00:00Z")
    rows = getattr(first.sections, section)
    kept = {k: v for k, v in rows.items() if k != part} if isinstance(rows, dict) else rows[1:]
    failed = replace(with_section(first, **{section: kept}), unread={f"{section}/{part}": Unread(status=503)})
    assert not_read_then(failed, first) == (f"{section}/{part}",)
    whole = completed(failed, first, [failed, first])
    assert whole.taken == first.taken and not whole.snapshot.unread
    assert was_read(whole.snapshot, f"{section}/{part}")
    assert completed(failed, first, []) == (failed, "")
