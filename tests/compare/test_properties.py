"""What holds of every comparison, whatever the tenants."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from auditor.compare import Comparable, comparable, compare
from auditor.model.difference import Transition, Weight
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot, Tenant
from tests.compare.states import judged, packs, replace
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle.strategies import apps, shuffled_and_recased, tenants, with_sections_removed
from tests.snapshot.strategies import SNAPSHOTS

MANY = settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
Json = dict[str, Any]
SWAPPED = {
    Transition.APPEARED: Transition.FIXED,
    Transition.FIXED: Transition.APPEARED,
    Transition.CHANGED: Transition.CHANGED,
    Transition.BECAME_KNOWN: Transition.BECAME_UNKNOWN,
    Transition.BECAME_UNKNOWN: Transition.BECAME_KNOWN,
}
UNKNOWN = {Transition.BECAME_UNKNOWN, Transition.BECAME_KNOWN}


def state(document: Json, request: Json) -> Comparable:
    app: App = app_of(request)
    return judged(snapshot_of(document), tuple(replace(one, app=app) for one in packs() if one.app))


@MANY
@given(SNAPSHOTS)
def test_a_snapshot_compared_with_itself_has_no_changes(snapshot: Snapshot) -> None:
    assert compare(comparable(snapshot=snapshot), comparable(snapshot=snapshot)).changes == ()


@MANY
@given(tenants(), apps())
def test_a_tenant_compared_with_itself_has_no_changes(document: Json, request: Json) -> None:
    assert compare(state(document, request), state(document, request)).changes == ()


@MANY
@given(SNAPSHOTS, SNAPSHOTS)
def test_a_reversed_comparison_of_snapshots_swaps_what_appeared_and_what_went(one: Snapshot, other: Snapshot) -> None:
    same = Tenant(id="t")
    swap(comparable(snapshot=replace(one, tenant=same)), comparable(snapshot=replace(other, tenant=same)))


@MANY
@given(tenants(), tenants(), apps())
def test_a_reversed_comparison_swaps_what_appeared_and_what_was_fixed(one: Json, other: Json, request: Json) -> None:
    swap(state(one, request), state(other, request))


def swap(one: Comparable, other: Comparable) -> None:
    there, back = compare(one, other), compare(other, one)
    turned = {(c.key, SWAPPED[c.transition], c.weight): (c.after, c.before) for c in there.changes}
    assert turned == {(c.key, c.transition, c.weight): (c.before, c.after) for c in back.changes}
    assert (there.summary.new, there.summary.fixed) == (back.summary.fixed, back.summary.new)
    assert {n.section for n in there.not_compared} == {n.section for n in back.not_compared}
    assert max(Counter(c.key for c in there.changes).values(), default=1) == 1, "a key names one thing"


@MANY
@given(tenants(), apps(), st.data())
def test_order_and_letter_case_are_never_major(document: Json, request: Json, data: DataObject) -> None:
    noisy = data.draw(shuffled_and_recased(document))
    difference = compare(state(document, request), state(noisy, request))
    assert [c for c in difference.changes if c.weight is Weight.MAJOR] == []


@MANY
@given(tenants(), apps(), st.data())
def test_what_one_side_did_not_read_is_never_a_change(document: Json, request: Json, data: DataObject) -> None:
    fewer = data.draw(with_sections_removed(document))
    for difference in (
        compare(state(document, request), state(fewer, request)),
        compare(state(fewer, request), state(document, request)),
    ):
        assert [c for c in difference.changes if c.transition not in UNKNOWN] == []
        assert difference.summary.new == difference.summary.fixed == 0
