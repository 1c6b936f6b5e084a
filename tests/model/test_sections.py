"""The table of sections: no section lacks one of its parts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

from auditor.facts.permissions import PERMISSIONS
from auditor.graph.reads import Read
from auditor.graph.section_reads import reads_for
from auditor.graph.transport import GraphClient
from auditor.model.resources import Resource
from auditor.model.sections import (
    SECTIONS,
    TENANT_SECTIONS,
    Extent,
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
    assert list(SECTIONS) == list(FIELDS)
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


@pytest.mark.parametrize("section", TENANT_SECTIONS)
def test_every_section_says_how_it_is_read_shown_and_recognised(section: str) -> None:
    row = SECTIONS[section]
    assert row.path.startswith("/")
    assert row.label
    # Both lists of app role assignments have rows of one type, so that no property distinguishes them.
    assert row.marks or section == "appRoleAssignments"
    assert row.permissions
    assert set(row.permissions) <= set(PERMISSIONS)
    assert issubclass(row_type(section), Resource)


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
