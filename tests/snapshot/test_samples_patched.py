"""A change laid over a snapshot changes that and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from auditor.model.snapshot import Snapshot
from auditor.snapshot import ShapeError
from auditor.snapshot.samples import merge_patch, patched, sample

from .strategies import SNAPSHOTS


# The cases of RFC 7396, appendix A.
@pytest.mark.parametrize(
    ("target", "changes", "result"),
    [
        pytest.param({"a": "b"}, {"a": "c"}, {"a": "c"}, id="change"),
        pytest.param({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}, id="add"),
        pytest.param({"a": "b"}, {"a": None}, {}, id="remove"),
        pytest.param({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}, id="remove one of two"),
        pytest.param({"a": ["b"]}, {"a": "c"}, {"a": "c"}, id="list to value"),
        pytest.param({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}, id="value to list"),
        pytest.param({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}, id="nested"),
        pytest.param({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}, id="a list is one value"),
        pytest.param(["a", "b"], ["c", "d"], ["c", "d"], id="list to list"),
        pytest.param({"a": "b"}, ["c"], ["c"], id="object to list"),
        pytest.param({"a": "foo"}, None, None, id="to null"),
        pytest.param({"a": "foo"}, "bar", "bar", id="to text"),
        pytest.param({"e": None}, {"a": 1}, {"e": None, "a": 1}, id="null in the target stays"),
        pytest.param([1, 2], {"a": "b", "c": None}, {"a": "b"}, id="list to object"),
        pytest.param({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}, id="null inside what is new"),
    ],
)
def test_merge_patch_is_that_of_rfc_7396(target: object, changes: object, result: object) -> None:
    assert merge_patch(target, changes) == result


@given(SNAPSHOTS)
def test_no_change_is_the_same_snapshot(snapshot: Snapshot) -> None:
    assert patched(snapshot, {}) == snapshot


def test_a_change_reaches_what_it_names_and_nothing_else() -> None:
    before = sample("managed-default")
    assigned: dict[str, Any] = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": []}}
    after = patched(before, {"authorizationPolicy": assigned, "signIns": None})
    assert after.sections.authorizationPolicy != before.sections.authorizationPolicy
    assert patched(after, {"authorizationPolicy": {"defaultUserRolePermissions": None}}) == patched(
        before, {"authorizationPolicy": {"defaultUserRolePermissions": None}}
    )


def test_a_section_changed_to_null_is_one_that_was_not_read() -> None:
    after = patched(sample("managed-default"), {"permissionGrantPolicies": None})
    assert after.sections.permissionGrantPolicies is None


def test_a_section_that_was_not_read_can_be_given() -> None:
    after = patched(sample("unreadable-policies"), {"permissionGrantPolicies": [{"id": "p"}]})
    assert after.sections.permissionGrantPolicies is not None


def test_a_change_into_a_wrong_form_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"^sections\.signIns: expected a list of objects, found text$"):
        patched(sample("managed-default"), {"signIns": "none"})
    with pytest.raises(ShapeError, match=r"^sections\.authorisationPolicy: isn't a section$"):
        patched(sample("managed-default"), {"authorisationPolicy": {}})
