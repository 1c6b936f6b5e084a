"""Recognize an answer of Microsoft Graph that a person or a tool saved: which section it is, whose, and how much of it.

The section comes from the answer's ``@odata.context``, or from the properties of its rows. A file does not contain
the request, so a filter is invisible: a list counts as complete only where nothing is filtered in practice, or where
the answer says what was asked (Microsoft Graph, "Use query parameters"; OData 4.01 JSON format, 4.5.1 and 10).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from auditor.facts.ids import CLOUDS, MICROSOFT_GRAPH, is_guid
from auditor.model.sections import SECTIONS, SectionForm, section_of_response
from auditor.model.snapshot import Snapshot
from auditor.model.unread_messages import FIRST_PAGE_ONLY, PERHAPS_ONE_PAGE
from auditor.snapshot.graph_json import flattened


class AnswerExtent(Enum):
    """How much of a section an answer is."""

    ROWS = "these rows, and nothing about others"
    LIST = "the whole list of one app, or of each app that it is about"
    SECTION = "all rows of the tenant"


class SavedAnswer(NamedTuple):
    """What one file, or one folder of rows, says about one section.

    `of` is the app whose list this is: an app id, or the object id of its service principal. `why_not_all` says why
    more may exist than the file has.
    """

    section: str
    rows: tuple[dict[str, Any], ...]
    origin: str
    extent: AnswerExtent = AnswerExtent.ROWS
    of: str = ""
    why_not_all: str = ""


class TenantInFile(NamedTuple):
    """The tenant that a file names."""

    id: str
    name: str
    origin: str


class Reading(NamedTuple):
    """What was recognized in one file. `unused` says what the file is if an audit needs nothing of it."""

    answers: tuple[SavedAnswer, ...] = ()
    snapshots: tuple[tuple[Snapshot, str], ...] = ()
    tenants: tuple[TenantInFile, ...] = ()
    clouds: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """The sections that the tool tried to read and could not."""
    taken: str = ""
    tool: str = ""
    unused: str = ""


class Place(NamedTuple):
    """What the path of a file in a tool's folder says about its content."""

    section: str
    of: str = ""


def recognized(document: Any, origin: str) -> Reading | None:
    """What an answer of Graph holds; ``None`` for any other document."""
    if isinstance(document, dict):
        if isinstance(responses := document.get("responses"), list):
            return _batch(responses, origin)
        if isinstance(error := document.get("error"), dict):
            return Reading(unused=f"an error that Graph answered ({error.get('code') or 'no code'})")
        if (named := _named_tenant(document, origin)) is not None:
            return Reading(tenants=(named,))
    rows = _rows(document)
    if rows is None:
        return None
    context = _context(document, rows)
    kind = context.kind if context else ""
    section = _section_of_rows(rows) if kind in _UNSPECIFIC else section_named(kind)
    if not section:
        return Reading(unused=f"Graph's answer for {context.text}") if context else None
    answer = SavedAnswer(
        section=section,
        rows=tuple(rows),
        origin=origin,
        of=context.key if context and SECTIONS[section].form is not SectionForm.OBJECT else "",
    )
    return Reading(
        answers=(_with_extent(answer, document, context),),
        tenants=tuple(_tenants_of(rows, section, origin)),
        clouds=(context.cloud,) if context and context.cloud else (),
    )


def rows_at(place: Place, document: Any, origin: str) -> SavedAnswer | None:
    """The row in a file whose path says what it is; ``None`` if the file holds something else."""
    rows = _rows(document)
    if not rows:
        return None
    return SavedAnswer(section=place.section, rows=tuple(rows), origin=origin, of=place.of)


def _batch(responses: list[Any], origin: str) -> Reading:
    """The answers in a response of JSON batching, as Graph Explorer shows it; failed ones hold nothing."""
    bodies = (one.get("body") for one in responses if isinstance(one, dict))
    found = [reading for body in bodies if (reading := recognized(body, origin)) and not reading.unused]
    if not found:
        return Reading(unused="a batch response without an answer that an audit needs")
    return joined(found)


def joined(readings: Iterable[Reading]) -> Reading:
    """The content of all readings together; the first time and tool count."""
    readings = tuple(readings)
    return Reading(
        answers=tuple(answer for one in readings for answer in one.answers),
        snapshots=tuple(snapshot for one in readings for snapshot in one.snapshots),
        tenants=tuple(tenant for one in readings for tenant in one.tenants),
        clouds=tuple(dict.fromkeys(cloud for one in readings for cloud in one.clouds)),
        failed=tuple(dict.fromkeys(section for one in readings for section in one.failed)),
        taken=min((one.taken for one in readings if one.taken), default=""),
        tool=", ".join(dict.fromkeys(one.tool for one in readings if one.tool)),
    )


def _rows(document: Any) -> list[dict[str, Any]] | None:
    """The objects of an answer: the items of its list, or the object itself."""
    if isinstance(document, dict):
        items = next((document[key] for key in ("value", "Value") if isinstance(document.get(key), list)), None)
        others = [key for key in document if key.lower() not in ("value", "count") and "@" not in key]
        document = [document] if items is None or others else items
    if not isinstance(document, list):
        return None
    # A null row is one that was lost: it stays, as an object without any property.
    rows = [{} if row is None else row for row in document]
    return rows if all(isinstance(row, dict) for row in rows) else None


# ---- The context ----------------------------------------------------------------------------------------------------


class _Context(NamedTuple):
    """A parsed ``@odata.context``. `kind` is the path without keys, in lower case; `key` the app in it."""

    text: str
    kind: str
    key: str
    cloud: str
    is_entity: bool


_KEY = re.compile(r"\(\s*(?:appId\s*=\s*)?'([^']{1,200})'\s*\)", re.IGNORECASE)
_HOSTS = {cloud.graph.removeprefix("https://"): name for name, cloud in CLOUDS.items()}


def _context(document: Any, rows: list[dict[str, Any]]) -> _Context | None:
    """The context of the answer, or the one that each row carries (EntraExporter writes rows with one)."""
    holders = [document, *rows[:1]] if isinstance(document, dict) else rows[:1]
    for holder in holders:
        text = property_of(flattened(holder), "@odata.context")
        if isinstance(text, str) and text:
            return _parsed(text)
    return None


def _parsed(text: str) -> _Context | None:
    address, sign, fragment = text.partition("#")
    if not sign:
        return None
    parts = [part for part in fragment.split("/") if part]
    is_entity = "$entity" in parts
    key = next((found[1] for part in parts[:1] if (found := _KEY.search(part))), "")
    kind = _without_brackets(fragment).replace("/$entity", "").strip("/").lower()
    host = re.sub(r"^https?://", "", address).partition("/")[0].lower()
    return _Context(kind, kind, key, _HOSTS.get(host, ""), is_entity)


def _without_brackets(text: str) -> str:
    """The text without what is in parentheses: keys, and the properties of ``$select`` and ``$expand``."""
    depth, kept = 0, []
    for sign in text:
        if sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
        elif depth <= 0:
            kept.append(sign)
    return "".join(kept)


_OTHER_PATHS = {
    # v1.0's name of what beta calls settings (groupSetting resource type).
    "groupsettings": "directorySettings",
    "serviceprincipals/oauth2permissiongrants": "oauth2PermissionGrants",
}
_UNSPECIFIC = frozenset({"", "directoryobjects", "approleassignments"})
"""Contexts that do not say which list was asked for: the rows must."""


@cache
def section_named(kind: str) -> str:
    """The section that a context's path (lower case, without keys) names; empty for none."""
    if kind in _OTHER_PATHS:
        return _OTHER_PATHS[kind]
    for section in SECTIONS.values():
        path = section.path.strip("/").replace("/{id}", "").lower()
        # Other services also have roleAssignments and policies, which only the whole path distinguishes.
        by_last_part = kind != "policies" and not path.startswith("rolemanagement/") and path.endswith(f"/{kind}")
        if path and (path == kind or by_last_part):
            return section.name
    return ""


# ---- The rows -------------------------------------------------------------------------------------------------------


_SERVICE_PRINCIPAL_ONLY = frozenset(
    "serviceprincipaltype serviceprincipalnames approleassignmentrequired appownerorganizationid accountenabled".split()
)
"""Properties that service principals have and app registrations, which also have an appId, do not (lower case)."""

_ALSO = {
    "directorySettings": frozenset({"values"}),
    "permissionGrantPolicies": frozenset({"id"}),
    "oauth2PermissionGrants": frozenset({"clientid"}),
}
"""Properties that all rows of a section have, where its marks alone could be another resource's."""

_SCHEDULES = frozenset({"scheduleinfo", "membertype", "startdatetime", "roleeligibilityscheduleid"})
"""Properties of Privileged Identity Management's schedules, which look like role assignments."""


def _section_of_rows(rows: list[dict[str, Any]]) -> str:
    """The section of these rows by their properties; empty if they are not all of one section, or ambiguous."""
    sections = {_section_of_row(row) for row in rows if row}
    section = sections.pop() if len(sections) == 1 else ""
    if section == "appRoleAssignedTo":
        # What an app holds and who is assigned to it are the same resource type; only the whole list shows which.
        resources = {str(property_of(row, "resourceid")).lower() for row in rows}
        principals = {str(property_of(row, "principalid")).lower() for row in rows}
        if len(principals) == 1 and len(resources) > 1:
            kinds = {str(property_of(row, "principaltype")).lower() for row in rows}
            return "appRoleAssignments" if kinds == {"serviceprincipal"} else ""
        return section if len(resources) == 1 and len(principals) > 1 else ""
    return section


def _section_of_row(row: dict[str, Any]) -> str:
    kind = str(property_of(row, "@odata.type") or "").rpartition(".")[2].lower()
    if kind == "serviceprincipal":
        return "servicePrincipals"
    properties = frozenset(key.lower() for key in row)
    section = section_of_response(properties)
    if section == "servicePrincipals" and not properties & _SERVICE_PRINCIPAL_ONLY:
        return ""
    if section == "roleAssignments":
        # Azure's own role assignments, and PIM's schedules, have the same property.
        is_azure = "/" in str(property_of(row, "roledefinitionid"))
        return "" if is_azure or properties & _SCHEDULES else section
    return section if _ALSO.get(section, frozenset()) <= properties else ""


def property_of(row: Mapping[str, Any], name: str) -> Any:
    """The property with this name in lower case, whatever its spelling in the row; ``None`` if it has none."""
    return next((value for key, value in row.items() if key.lower() == name), None)


# ---- How much of a section ------------------------------------------------------------------------------------------

_PAGE = 100
"""The rows of one page of directory objects, of ``Get-Mg…`` without -All, and of ``az ad sp list`` without --all."""

_UNFILTERED = frozenset({"permissionGrantPolicies", "directorySettings"})
"""Sections of few rows, which Graph returns in one page and which nobody filters."""


def _with_extent(answer: SavedAnswer, document: Any, context: _Context | None) -> SavedAnswer:
    """The answer with how much of its section it is."""
    has_more = isinstance(document, dict) and any(
        value and key.lower().rpartition("@")[2] == "odata.nextlink" for key, value in document.items()
    )
    may_have_more = context is None and len(answer.rows) > 0 and len(answer.rows) % _PAGE == 0
    if has_more or may_have_more:
        return answer._replace(why_not_all=FIRST_PAGE_ONLY if has_more else PERHAPS_ONE_PAGE)
    if context is not None and context.is_entity:
        return answer._replace(of="")
    if answer.section in _UNFILTERED and context is not None:
        return answer._replace(extent=AnswerExtent.SECTION)
    owner = answer.of or _owner(answer, is_from_graph=context is not None)
    # Classifications don't name their resource, but are always listed for one.
    is_list = bool(owner) or answer.section == "delegatedPermissionClassifications" or _is_unfiltered(answer)
    return answer._replace(of=owner, extent=AnswerExtent.LIST) if is_list else answer


def _is_unfiltered(answer: SavedAnswer) -> bool:
    """Whether these are the grants of all clients: a filter would leave one value in one of the properties.

    Source: "List oauth2PermissionGrants": $filter supports eq only, on these properties.
    """
    if answer.section != "oauth2PermissionGrants":
        return False
    names = ("clientid", "consenttype", "principalid", "resourceid")
    return all(len({str(property_of(row, name)).lower() for row in answer.rows}) > 1 for name in names)


def _owner(answer: SavedAnswer, *, is_from_graph: bool) -> str:
    """The app whose list this is, as far as its rows show it: all assignments to one app, or all grants of a client.

    The Azure CLI lists the grants of one client (``az ad app permission list-grants --id``). Graph and its PowerShell
    also list those of one user, which say nothing about grants to others.
    """
    name = OWNER.get(answer.section)
    owners = {str(property_of(row, name) or "").lower() for row in answer.rows} if name else set()
    if len(owners) != 1:
        return ""
    if answer.section == "oauth2PermissionGrants" and (is_from_graph or "ClientId" in answer.rows[0]):
        people = {str(property_of(row, "principalid") or "").lower() for row in answer.rows}
        if len(people) == 1 and "" not in people:
            return ""
    return owners.pop()


OWNER = {"appRoleAssignedTo": "resourceid", "appRoleAssignments": "principalid", "oauth2PermissionGrants": "clientid"}
"""The property (lower case) of a section's rows that names the app whose list they are."""


# ---- The tenant -----------------------------------------------------------------------------------------------------

_DIRECTORY_OBJECT = re.compile(
    r"/v\d\.?\d?/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/directoryObjects/", re.IGNORECASE
)


def _named_tenant(document: dict[str, Any], origin: str) -> TenantInFile | None:
    """The tenant of ``az account show`` or of ``Get-MgContext``, which name it and hold nothing else."""
    names = {key.lower() for key in document}
    if "tenantid" in names and ({"environmentname", "user"} <= names or {"authtype", "scopes"} <= names):
        tenant = property_of(document, "tenantid")
        if isinstance(tenant, str) and is_guid(tenant):
            name = property_of(document, "tenantdisplayname")
            return TenantInFile(tenant.lower(), name if isinstance(name, str) else "", origin)
    return None


def _tenants_of(rows: list[dict[str, Any]], section: str, origin: str) -> Iterable[TenantInFile]:
    """The tenants that rows name: the tenant's own record, and the addresses of directory objects (``@odata.id``)."""
    if section == "organization":
        for row in rows:
            tenant, name = property_of(row, "id"), property_of(row, "displayname")
            if isinstance(tenant, str) and is_guid(tenant):
                yield TenantInFile(tenant.lower(), name if isinstance(name, str) else "", origin)
        return
    for row in rows[:_PAGE]:
        address = property_of(row, "@odata.id")
        if isinstance(address, str) and (found := _DIRECTORY_OBJECT.search(address)):
            yield TenantInFile(found[1].lower(), "", origin)
            return


def holds_microsoft_graph(rows: Iterable[dict[str, Any]]) -> bool:
    """Whether the service principals include Microsoft Graph's, which every tenant has: a sign of a whole list."""
    return any(str(property_of(row, "appid")).lower() == MICROSOFT_GRAPH for row in rows)
