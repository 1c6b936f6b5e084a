"""What is written is read again as the same, in whatever spelling; and half of it is never taken for all."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.snapshot import Snapshot
from auditor.snapshot import ShapeError, SnapshotError
from auditor.snapshot.graph_json import decode_section
from auditor.snapshot.read import loads
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.limits import examples

from .strategies import NAMES, SNAPSHOTS

FEWER = settings(max_examples=examples(40))


@FEWER
@given(SNAPSHOTS)
def test_what_is_written_is_read_again_as_the_same(snapshot: Snapshot) -> None:
    assert loads(dumps(snapshot)) == snapshot


@FEWER
@given(SNAPSHOTS)
def test_the_same_snapshot_gives_the_same_bytes(snapshot: Snapshot) -> None:
    data = dumps(snapshot)
    assert dumps(loads(data)) == data
    assert data.endswith(b"}\n")
    assert json.loads(data)["tenant"]["id"] == snapshot.tenant.id


@FEWER
@given(SNAPSHOTS)
def test_only_what_was_read_is_written(snapshot: Snapshot) -> None:
    read = [name for name in NAMES if getattr(snapshot.sections, name) is not None]
    assert list(json.loads(dumps(snapshot))["sections"]) == read


@FEWER
@given(SNAPSHOTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]))
def test_every_encoding_of_editors_and_powershell_is_read(snapshot: Snapshot, encoding: str) -> None:
    assert loads(dumps(snapshot).decode().encode(encoding)) == snapshot


WHOLE = dumps(sample("consent-off-workflow")).rstrip()


@given(st.integers(1, len(WHOLE) - 1), st.sampled_from(["utf-8", "utf-16"]))
def test_a_file_that_was_cut_off_is_refused_as_such(length: int, encoding: str) -> None:
    data = WHOLE.decode().encode(encoding)[: length if encoding == "utf-8" else 2 * length + 1]
    with pytest.raises(SnapshotError, match="ends in the middle, in line"):
        loads(data)


@given(st.binary(max_size=40))
def test_whatever_the_bytes_are_the_answer_is_a_snapshot_error(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        loads(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "Id", "value", "appId", "error", "includes", "@odata.x"]), inner)
    ),
)


@given(st.sampled_from(NAMES), JSON)
def test_whatever_is_given_becomes_a_section_or_a_shape_error(name: str, raw: object) -> None:
    try:
        value = decode_section(name, raw)
    except ShapeError as error:
        assert error.path.startswith(f"sections.{name}")
    else:
        assert decode_section(name, msgspec.to_builtins(value)) == value


def pascal(raw: Any, *, keys: bool = True) -> Any:
    """As PowerShell spells it; app ids that are keys stay."""
    if isinstance(raw, dict):
        return {key[:1].upper() + key[1:] if keys else key: pascal(value) for key, value in raw.items()}
    return [pascal(item) for item in raw] if isinstance(raw, list | tuple) else raw


@FEWER
@given(SNAPSHOTS, st.data())
def test_any_section_in_powershells_capitals_means_the_same(snapshot: Any, data: Any) -> None:
    name = data.draw(st.sampled_from(NAMES))
    value = getattr(snapshot.sections, name)
    by_app = name in ("delegatedPermissionClassifications", "appRoleAssignedTo")
    assert decode_section(name, pascal(msgspec.to_builtins(value), keys=not by_app)) == value
