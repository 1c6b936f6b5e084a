"""What holds for every tenant and every change."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from auditor.consent import Truth, all_of
from auditor.consent.policies import approval, governing
from auditor.consent.requested_access import Client, requested
from auditor.consent.snapshot_index import NotRead
from auditor.fixes.exposure import Breadth, Exposure, exposure
from auditor.fixes.exposure_classes import AppClass, requesting_apps
from auditor.fixes.exposure_openings import ClassExposure, compare, published_scopes
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot
from tests.consent.from_oracle import app_of, snapshot_of
from tests.fixes.exposure.changes import Json, additions, for_this_app_only, mixtures, with_grant
from tests.limits import examples
from tests.oracle import pool
from tests.oracle.strategies import apps, tenants
from tests.oracle.variations import shuffled_and_recased

MANY = settings(deadline=None, max_examples=examples(40), suppress_health_check=list(HealthCheck))
OTHERS = [kind for kind in AppClass if kind is not AppClass.THIS]
Key = tuple[str, str]
# Those of the generated tenants, and two that only the published table knows.
SOME_SCOPES: list[Key] = [
    *((resource, value.lower()) for resource, value in pool.EVERY_SCOPE),
    (pool.GRAPH, "chat.read"),
    (pool.GRAPH, "directory.readwrite.all"),
]


def keys(one: ClassExposure) -> tuple[set[Key], set[Key], set[Key]]:
    opened, closed, not_known = (
        {(r.resource, r.scope.lower()) for r in p} for p in (one.opened, one.closed, one.not_known)
    )
    return opened, closed, not_known


def reported(found: Exposure) -> object:
    """An exposure without its spelling."""
    classes = {kind: keys(one) for kind, one in found.classes.items()}
    granted = {(r.resource, r.scope.lower()) for r in found.use.granted}
    return classes, granted, found.weight, found.breadth, found.summary.lower(), found.consent_policy_changes


@MANY
@given(document=tenants(), request=apps())
def test_no_change_exposes_nothing(document: Json, request: Json) -> None:
    app = app_of(request)
    found = exposure(snapshot_of(document), snapshot_of(document), app)
    assert found.is_empty and found.weight == 0 and not found.consent_policy_changes
    assert found.summary == "Nothing for other apps."


@MANY
@given(data=st.data(), document=tenants(), request=apps())
def test_what_only_adds_never_closes_anything(data: st.DataObject, document: Json, request: Json) -> None:
    after = data.draw(additions(document))
    found = exposure(snapshot_of(document), snapshot_of(after), app_of(request))
    event("opens" if found.weight else "opens nothing")
    assert not any(one.closed for one in found.classes.values())


@MANY
@given(data=st.data(), document=tenants(), request=apps())
def test_what_only_takes_away_never_opens_anything(data: st.DataObject, document: Json, request: Json) -> None:
    after = data.draw(additions(document))
    found = exposure(snapshot_of(after), snapshot_of(document), app_of(request))
    for one in found.classes.values():
        # Where a policy that was known to approve goes, an unknown one may be left: unknown is not opened.
        assert not one.opened


@MANY
@given(document=tenants(), request=apps(), scopes=st.lists(st.sampled_from(pool.EVERY_SCOPE), min_size=1, unique=True))
def test_a_policy_for_this_app_opens_nothing_to_others(document: Json, request: Json, scopes: list[Key]) -> None:
    sections = document["sections"]
    assume("permissionGrantPolicies" in sections)
    assume(
        "permissionGrantPoliciesAssigned"
        in sections.get("authorizationPolicy", {}).get("defaultUserRolePermissions", {})
    )
    ids = [pool.PERMISSION_IDS[resource][value] for resource, value in scopes]
    after = for_this_app_only(document, ids)
    found = exposure(snapshot_of(document), snapshot_of(after), app_of(request))
    assert all(found.classes[kind].is_empty for kind in OTHERS)
    assert found.weight == 0
    opened, closed, not_known = keys(found.classes[AppClass.THIS])
    assert opened | not_known <= {(resource, value.lower()) for resource, value in scopes}
    assert not closed


@MANY
@given(document=tenants(), request=apps(), scope=st.sampled_from(pool.EVERY_SCOPE), everybody=st.booleans())
def test_a_grant_to_this_app_opens_nothing_else(document: Json, request: Json, scope: Key, everybody: bool) -> None:
    before = snapshot_of(document)
    resource, value = scope
    principal = None if everybody else pool.ALICE
    after = with_grant(before, pool.OBJECT_IDS[pool.CLIENT], pool.OBJECT_IDS[resource], value, principal)
    found = exposure(before, after, app_of(request))
    assert all(one.is_empty for one in found.classes.values()) and found.weight == 0
    assert found.summary.startswith("Nothing for other apps.")
    if found.use.granted or found.use.users:
        assert found.breadth in ((Breadth.ASSIGNED, Breadth.EVERYBODY) if everybody else (Breadth.NAMED,))


@MANY
@given(document=tenants(), request=apps())
def test_the_open_setting_opens_every_user_scope_that_was_not_open(document: Json, request: Json) -> None:
    sections = document["sections"]
    assume("authorizationPolicy" in sections)
    sections["permissionGrantPolicies"] = [pool.legacy()]
    role = sections["authorizationPolicy"]["defaultUserRolePermissions"]
    role["permissionGrantPoliciesAssigned"] = []
    before = snapshot_of(document)
    role["permissionGrantPoliciesAssigned"] = [f"ManagePermissionGrantsForSelf.{pool.LEGACY}"]
    after = snapshot_of(document)
    found = exposure(before, after, app_of(request))
    users = {key for key, scope in published_scopes(after).items() if scope.user_type is Truth.TRUE}
    for kind in (AppClass.UNVERIFIED, AppClass.OWN):
        assert keys(found.classes[kind]) == (users, set(), set())


@MANY
@given(data=st.data(), document=tenants(), request=apps())
def test_order_and_letter_case_never_matter(data: st.DataObject, document: Json, request: Json) -> None:
    after = data.draw(additions(document))
    app = app_of(request)
    first = exposure(snapshot_of(document), snapshot_of(after), app)
    here, there = data.draw(shuffled_and_recased(document)), data.draw(shuffled_and_recased(after))
    second = exposure(snapshot_of(here), snapshot_of(there), app)
    assert reported(first)[:5] == reported(second)[:5]  # type: ignore[index]


@MANY
@given(data=st.data(), document=tenants(), request=apps())
def test_another_spelling_of_the_tenant_is_no_change(data: st.DataObject, document: Json, request: Json) -> None:
    other = data.draw(shuffled_and_recased(document))
    found = exposure(snapshot_of(document), snapshot_of(other), app_of(request))
    assert found.is_empty and found.weight == 0


@settings(MANY, max_examples=12)  # each asks the engine hundreds of times
@given(data=st.data(), document=tenants(), request=apps())
def test_groups_of_scopes_get_the_verdict_that_each_scope_gets_alone(
    data: st.DataObject, document: Json, request: Json
) -> None:
    """The short cuts of the comparison, against the engine asked about every scope, app and side by itself."""
    before, after = snapshot_of(document), snapshot_of(data.draw(mixtures(document)))
    app = app_of(request)
    changed = compare(before, after, app)
    assume(not changed.step_up_turned_off)
    found = exposure(before, after, app)
    generic = (AppClass.UNVERIFIED, AppClass.VERIFIED, AppClass.OWN, AppClass.THIS)
    was, now = _Side(before), _Side(after)
    for asker in (a for a in requesting_apps(before, after, app, changed.sets) if a.kind in generic):
        opened, closed, not_known = keys(found.classes[asker.kind])
        for key in SOME_SCOPES:
            first = was.verdict(key, asker.before, asker.usable_before)
            then = now.verdict(key, asker.after, asker.usable_after)
            assert (key in opened) == (then is Truth.TRUE and first is not Truth.TRUE)
            assert (key in closed) == (then is Truth.FALSE and first is Truth.TRUE)
            assert key in not_known or (first, then) != (Truth.FALSE, Truth.UNKNOWN)


class _Side:
    """Whether users may consent to a scope for an app, straight from the engine, for one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.policies = governing(snapshot)
        there = published_scopes(snapshot)
        needs = tuple(ScopeNeed(resource=r, value=v) for r, v in SOME_SCOPES if (r, v) in there)
        asked = requested(snapshot, App(client_id="", scopes=needs))
        self.permissions = {(p.resource, p.value.lower()): p for p in asked}

    def verdict(self, key: Key, client: Client, usable: Truth) -> Truth:
        if key not in self.permissions:
            return Truth.FALSE
        if isinstance(self.policies, NotRead):
            return all_of((Truth.UNKNOWN, usable))
        return all_of((approval(self.permissions[key], client, self.policies).truth, usable))
