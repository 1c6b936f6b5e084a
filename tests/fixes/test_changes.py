"""Every kind of change has all of its parts, and reading a request back gives the change that wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

import msgspec
import pytest

from auditor.fixes.change import Deletion, GraphChange
from auditor.fixes.change_kinds import CHANGES, change_of
from auditor.model.decision import GraphRequest
from auditor.snapshot.samples import sample_names
from tests.fixes.tenants import by_key

WITH_FIELDS = [kind for kind in CHANGES if "{" in getattr(kind, "path", "")]


def kinds(base: type[GraphChange] = GraphChange) -> Iterator[type[GraphChange]]:
    """Every class below `base`, wherever it is defined in the program."""
    for kind in base.__subclasses__():
        yield from kinds(kind)
        if kind is not Deletion and kind.__module__.startswith("auditor."):
            yield kind


def missing_parts(kind: type[GraphChange]) -> list[str]:
    """What a kind of change does not define."""
    fields = {name for _, name, _, _ in Formatter().parse(getattr(kind, "path", "")) if name}
    parts = {
        "method": bool(getattr(kind, "method", "")),
        "path": getattr(kind, "path", "").startswith("/"),
        "a field for each name in the path": fields <= set(kind.__struct_fields__),
        "permission": bool(getattr(kind, "permission", "")),
        "docstring": bool(kind.__doc__ and kind.__doc__ != GraphChange.__doc__),
        "effect": kind.effect is not GraphChange.effect,
        "summary or comment": bool(kind.summary) or kind.comment is not GraphChange.comment,
    }
    if not issubclass(kind, Deletion):
        parts["undo"] = kind.undo is not GraphChange.undo
        parts["script_step"] = kind.script_step is not GraphChange.script_step
    return [name for name, there in parts.items() if not there]


def test_every_kind_of_change_is_listed_once() -> None:
    names = [kind.__name__ for kind in CHANGES]
    assert sorted(names) == sorted(kind.__name__ for kind in kinds()), "list the kind in auditor/fixes/change_kinds.py"


@pytest.mark.parametrize("kind", CHANGES, ids=[kind.__name__ for kind in CHANGES])
def test_a_kind_of_change_has_all_of_its_parts(kind: type[GraphChange]) -> None:
    assert missing_parts(kind) == [], f"{kind.__name__} lacks these parts"


def test_a_kind_of_change_that_lacks_its_parts_is_found() -> None:
    class Incomplete(GraphChange, frozen=True, kw_only=True):
        method = "POST"
        path = "/things/{thing_id}"

    assert missing_parts(Incomplete) == [
        "a field for each name in the path",
        "permission",
        "docstring",
        "effect",
        "summary or comment",
        "undo",
        "script_step",
    ]


def test_no_two_kinds_of_change_write_the_same_request() -> None:
    same = dict[tuple[str, ...], list[str]]()
    for kind in CHANGES:
        request = (getattr(kind, "method", ""), getattr(kind, "path", ""), kind.sets)
        same.setdefault(request, []).append(kind.__name__)
    twice = [names for names in same.values() if len(names) > 1]
    assert twice == [], "name in `sets` the property of the body in which these kinds of change differ"


@pytest.mark.parametrize("name", sample_names())
def test_a_request_read_back_is_the_change_that_wrote_it(name: str) -> None:
    for fix in by_key(name).values():
        for request in (*fix.proven.applied, *fix.undo_graph):
            change = change_of(request)
            assert change.request == request
            assert change_of(change.request) == change


@pytest.mark.parametrize("kind", WITH_FIELDS, ids=[kind.__name__ for kind in WITH_FIELDS])
@pytest.mark.parametrize("value", ["plain", "it's", "a/b?c=d&e#f", "ü ñ", "50%27", "{x}", ""])
def test_any_id_in_an_address_is_read_back_as_it_was(kind: type[GraphChange], value: str) -> None:
    fields = {name: value for _, name, _, _ in Formatter().parse(kind.path) if name}
    change = msgspec.convert({"graph": "https://graph.microsoft.com/v1.0", **fields}, kind)
    request = change.request
    assert request.url.isascii() and "?" not in request.url and "#" not in request.url
    assert kind.read(request) == change


def test_a_request_to_another_version_of_graph_is_not_a_change() -> None:
    request = GraphRequest(method="DELETE", url="https://graph.microsoft.com/beta/oauth2PermissionGrants/1")
    assert all(kind.read(request) is None for kind in CHANGES)
