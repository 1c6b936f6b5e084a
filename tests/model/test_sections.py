"""The table of sections: no section lacks one of its parts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from auditor.facts.permissions import PERMISSIONS
from auditor.graph.reads import Read
from auditor.graph.section_reads import _READERS, reads_for
from auditor.graph.transport import GraphClient
from auditor.model.resources import Resource
from auditor.model.sections import (
    SECTIONS,
    TENANT_SECTIONS,
    Extent,
    Section,
    SectionForm,
    Sections,
    permissions_to_read,
    section_of_response,
)
from auditor.model.snapshot import Plan
from tests.graph.live_tenants import CLIENT, GRAPH, TAKEN, USER, tenant, with_client
from tests.graphserver import GraphServer

FIELDS = {field.name: field.type for field in msgspec.structs.fields(Sections)}


def type_of(section: str) -> Any:
    """The type of a section without its null."""
    (kind,) = (one for one in get_args(FIELDS[section]) if one is not type(None))
    return kind


def row_type(section: str) -> Any:
    """The type of one row."""
    kind = type_of(section)
    while get_origin(kind) not in (None, Annotated):
        kind = [one for one in get_args(kind) if one is not Ellipsis][-1]
    return kind


def test_every_field_has_a_row_and_every_row_a_field() -> None:
    where = "a section needs a field of Sections and a row in _TABLE, both in auditor/model/sections.py"
    assert set(SECTIONS) == set(FIELDS), where
    assert list(SECTIONS) == list(FIELDS), "the fields and the rows have one order"
    assert all(name == row.name for name, row in SECTIONS.items())


@pytest.mark.parametrize("section", SECTIONS)
def test_the_form_is_that_of_the_type(section: str) -> None:
    kind = type_of(section)
    form = (
        SectionForm.OBJECT
        if isinstance(kind, type)
        else SectionForm.LIST
        if get_origin(kind) is tuple
        else SectionForm.BY_APP
    )
    assert SECTIONS[section].form is form


def missing_parts(row: Section) -> list[str]:
    """What a section doesn't define."""
    without_app = {Extent.TENANT, Extent.LOG, Extent.DIRECTORY}
    parts = {
        "path, as in Graph": row.path.startswith("/"),
        "label": bool(row.label),
        "row, what people call one row": bool(row.row) or not row.grows,
        "permissions": bool(row.permissions),
        "extents": bool(row.extents),
        # Both lists of app role assignments have rows of one type, so that no property distinguishes them.
        "marks": bool(row.marks) or row.name == "appRoleAssignments",
        "key, which rows are the same": row.form is not SectionForm.LIST or row.key is not NO_KEY,
        "an entry in _READERS in auditor/graph/section_reads.py": row.name in _READERS
        or not without_app.intersection(row.extents),
    }
    unknown = [f"{name} in auditor/facts/permissions.json" for name in row.permissions if name not in PERMISSIONS]
    return [*(name for name, there in parts.items() if not there), *unknown]


NO_KEY = Section(name="", form=SectionForm.LIST).key
BY_PRODUCTS = {"absentServicePrincipals"}
"""The sections that record only what other reads didn't find."""


@pytest.mark.parametrize("section", [name for name in SECTIONS if name not in BY_PRODUCTS])
def test_a_section_has_all_of_its_parts(section: str) -> None:
    assert missing_parts(SECTIONS[section]) == [], f"{section} lacks these parts"
    assert issubclass(row_type(section), Resource), f"the type of {section} is not a Resource"


def test_a_section_that_lacks_its_parts_is_found() -> None:
    incomplete = Section(
        name="things", form=SectionForm.LIST, permissions=("Thing.Read.All",), extents=(Extent.DIRECTORY,)
    )
    assert missing_parts(incomplete) == [
        "path, as in Graph",
        "label",
        "row, what people call one row",
        "marks",
        "key, which rows are the same",
        "an entry in _READERS in auditor/graph/section_reads.py",
        "Thing.Read.All in auditor/facts/permissions.json",
    ]


def test_only_a_section_with_a_row_and_extents_has_a_reader() -> None:
    assert set(_READERS) - set(TENANT_SECTIONS) == set(), "the table in auditor/model/sections.py lacks their extents"


@pytest.mark.parametrize("section", [name for name in TENANT_SECTIONS if SECTIONS[name].form is SectionForm.LIST])
def test_every_list_says_which_rows_are_the_same(section: str) -> None:
    kind = row_type(section)
    required = {field.name: "x" for field in msgspec.structs.fields(kind) if field.required}
    assert SECTIONS[section].key(kind(**required)) == SECTIONS[section].key(kind(**required))


@pytest.mark.parametrize("section", [name for name in TENANT_SECTIONS if SECTIONS[name].form is SectionForm.OBJECT])
def test_one_object_has_no_rows_to_compare(section: str) -> None:
    with pytest.raises(TypeError):
        SECTIONS[section].key(object())


@pytest.mark.parametrize("section", TENANT_SECTIONS)
def test_a_row_is_recognised_by_each_of_its_marks(section: str) -> None:
    for mark in SECTIONS[section].marks:
        assert section_of_response(frozenset({"id", "displayname", mark})) == section


def plan_with(section: str, extent: Extent) -> Plan:
    """A plan that reads the section to this extent."""
    match extent:
        case Extent.TENANT:
            return Plan(sections=(section,))
        case Extent.DIRECTORY | Extent.LOG:
            return Plan(whole=(section,))
        case Extent.CLIENT:
            return Plan(clients=(CLIENT,))
        case Extent.HOLDER:
            return Plan(app_roles_of=(CLIENT,))
        case Extent.RESOURCE:
            return Plan(resources=(GRAPH,))
        case Extent.ROLE:
            return Plan(assignments_of=("r",))
        case Extent.USER:
            return Plan(users=(USER,))


def test_graph_reads_every_section_to_every_extent_that_the_table_names() -> None:
    async def use(client: GraphClient) -> list[tuple[str, Extent, tuple[Read, ...]]]:
        await asyncio.sleep(0)
        return [
            (row.name, extent, reads_for(plan_with(row.name, extent), client.builders, TAKEN))
            for row in SECTIONS.values()
            for extent in row.extents
        ]

    with GraphServer(tenant()) as server:
        for section, extent, reads in with_client(server, use):
            found = [read for read in reads if read.section == section]
            assert found, (section, extent)
            collection = SECTIONS[section].path.rpartition("/")[2]
            assert all(f"/{collection}" in read.url for read in found if not read.part or section != "users")


def test_a_section_that_is_not_known_has_no_permission() -> None:
    assert permissions_to_read("conditionalAccess") == ()
    assert permissions_to_read("absentServicePrincipals") == ()
