"""Read the lists of customers in a partner's tenant: delegated admin relationships (GDAP) and contracts.

The lists name customers and the roles that people of the partner have there. They give this program no access to a
customer's tenant, and nothing in a customer's tenant is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from auditor.facts.ids import is_guid
from auditor.facts.partner_lists import partner_lists
from auditor.graph.fetch import Fetcher, Progress, ReadResult
from auditor.graph.graph_errors import GraphError
from auditor.graph.reads import Read, RequestBuilder, address_of
from auditor.model.customers import Customer, ListKind, Relationship
from auditor.model.document import count
from auditor.model.snapshot import CredentialEnd

if TYPE_CHECKING:
    from auditor.graph.transport import GraphClient

_GRANT = (
    "Grant the application permission {permission} to the app's service principal in your own tenant alone"
    " (consent-auditor fleet init writes the command). Don't add it to the app registration: every customer would be"
    " asked for it."
)
_NO_PARTNER = "Does the tenant belong to a Microsoft partner, and does the app still have {permission} there?"


class ListUnread(GraphError):
    """A list that could not be read as a whole."""


class ReadList(NamedTuple):
    """The customers in a list, in no particular order, and sentences on what could not be read of it.

    `relationships` are those with every tenant, by its id, also with one that is no longer in the list. `credential`
    says when the credential of the read ends.
    """

    customers: tuple[Customer, ...]
    notes: tuple[str, ...] = ()
    relationships: Mapping[str, tuple[Relationship, ...]] = MappingProxyType({})
    credential: CredentialEnd | None = None


async def read_customer_list(
    client: GraphClient, kind: ListKind, source: str, progress: Progress | None = None
) -> ReadList:
    """The customers in the partner's list of this kind; `source` is their source.

    Raises `ListUnread` for a list that isn't complete, since a customer must not be taken for gone because of a page
    that is missing; CredentialError, and other GraphErrors that end every read.
    """
    reader = _Reader(client, kind, source, progress)
    return await (reader.gdap() if kind is ListKind.GDAP else reader.contracts())


# ---- Rows, as Graph returns them ------------------------------------------------------------------------------------


class _Role(msgspec.Struct):
    roleDefinitionId: str | None = None


class _Access(msgspec.Struct):
    unifiedRoles: list[_Role] | None = None


class _CustomerRow(msgspec.Struct):
    id: str | None = None
    tenantId: str | None = None
    displayName: str | None = None


class _RelationshipRow(msgspec.Struct):
    id: str
    displayName: str | None = None
    status: str | None = None
    endDateTime: str | None = None
    autoExtendDuration: str | None = None
    customer: _CustomerRow | None = None
    accessDetails: _Access | None = None


class _AssignmentRow(msgspec.Struct):
    status: str | None = None
    accessDetails: _Access | None = None


class _ContractRow(msgspec.Struct):
    customerId: str | None = None
    displayName: str | None = None
    defaultDomainName: str | None = None


Row = TypeVar("Row")


def _rows(result: ReadResult, kind: type[Row]) -> list[Row]:
    """The rows of a list, or an error that names the property with an unexpected value."""
    try:
        return msgspec.convert(result.value, list[kind])  # type: ignore[valid-type]  # mypy takes no variable for a type
    except msgspec.ValidationError as error:
        raise ListUnread(
            f"Microsoft Graph's list {result.read.section} has a value that isn't valid: {error}",
            advice="Is another service answering in place of Microsoft Graph? If not, report the message.",
        ) from None


def _roles(access: _Access | None) -> Iterable[str]:
    for role in (access.unifiedRoles if access else None) or ():
        if role.roleDefinitionId:
            yield role.roleDefinitionId.lower()


class _Reader:
    """Reads one list."""

    def __init__(self, client: GraphClient, kind: ListKind, source: str, progress: Progress | None) -> None:
        self._client = client
        self._kind = kind
        self._source = source
        self._fetcher = Fetcher(client, progress)
        self._lists = client.builders.tenant_relationships

    async def gdap(self) -> ReadList:
        page = str(partner_lists().page)
        customers = _list("delegatedAdminCustomers", self._lists.delegated_admin_customers, page)
        relationships = _list("delegatedAdminRelationships", self._lists.delegated_admin_relationships, page)
        listed, agreed = await self._complete((customers, relationships))
        rows = _rows(agreed, _RelationshipRow)
        assigned, notes = await self._assigned([row.id for row in rows if row.status in partner_lists().in_force])
        by_tenant: dict[str, list[Relationship]] = {}
        for row in rows:
            tenant = (row.customer.tenantId or "").lower() if row.customer else ""
            by_tenant.setdefault(tenant, []).append(_relationship(row, assigned))
        ordered = {tenant: _in_order(found) for tenant, found in by_tenant.items() if tenant}
        found = []
        for one in _rows(listed, _CustomerRow):
            tenant = (one.tenantId or one.id or "").lower()
            agreed_with = ordered.get(tenant, ())
            name = one.displayName or ""
            found.append(Customer(tenant=tenant, name=name, source=self._source, relationships=agreed_with))
        return self._checked(found, notes)._replace(relationships=ordered)

    async def contracts(self) -> ReadList:
        read = _list("contracts", self._client.builders.contracts, "999")
        (result,) = await self._complete((read,))
        found = {
            (row.customerId or "").lower(): Customer(
                tenant=(row.customerId or "").lower(),
                name=row.displayName or "",
                source=self._source,
                domain=(row.defaultDomainName or "").lower(),
            )
            # A customer can have several contracts, of different types.
            for row in _rows(result, _ContractRow)
        }
        return self._checked(found.values(), ())

    def _checked(self, customers: Iterable[Customer], notes: Sequence[str]) -> ReadList:
        """The customers with a tenant. The number of the others is said."""
        found = {one.tenant: one for one in customers}
        usable = tuple(one for one in found.values() if is_guid(one.tenant))
        if without := len(found) - len(usable):
            notes = (*notes, f"{count(without, 'entry', 'entries')} without a tenant ID can't be audited")
        return ReadList(usable, tuple(notes))

    async def _complete(self, reads: Sequence[Read]) -> list[ReadResult]:
        """The results of reads that all have to succeed."""
        results = await self._fetcher.fetch(reads)
        for result in results:
            if result.unread is not None:
                raise await self._refused(result)
        return results

    async def _refused(self, result: ReadResult) -> ListUnread:
        assert result.unread is not None, "only a list that was refused has a reason"
        unread, known = result.unread, partner_lists().lists[self._kind]
        said = ": ".join(filter(None, (f"{unread.status or ''} {unread.code}".strip(), unread.message)))
        request = f" (request id {unread.request_id})" if unread.request_id else ""
        advice = result.error.advice if result.error else ""
        if unread.status == 403:
            claims = await self._client.tokens.claims()
            sufficient = {name.lower() for name in known.sufficient}
            is_held = sufficient & {name.lower() for name in claims.allowed}
            advice = (_NO_PARTNER if is_held else _GRANT).format(permission=known.permission)
        elif unread.status in (400, 404):
            advice = _NO_PARTNER.format(permission=known.permission)
        return ListUnread(
            f"Microsoft Graph did not list {result.read.section}: {said}{request}",
            advice=advice or "Try again later. If it persists, report the message.",
        )

    async def _assigned(self, ids: Sequence[str]) -> tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]]:
        """The roles that groups of the partner have, by relationship, and a note on what could not be read."""
        reads = [self._assignments(one) for one in ids]
        found: dict[str, tuple[str, ...]] = {}
        refused = ""
        for read, result in zip(reads, await self._fetcher.fetch(reads), strict=True):
            if result.unread is None:
                rows = [row for row in _rows(result, _AssignmentRow) if row.status in partner_lists().assigned]
                found[read.part] = tuple(sorted({role for row in rows for role in _roles(row.accessDetails)}))
            elif not result.absent:  # a relationship that ended in between
                refused = refused or result.unread.message or result.unread.code
        missing = sum(read.part not in found for read in reads)
        if not refused:
            return found, ()
        what = count(missing, "relationship")
        return found, (f"the roles assigned in {what} could not be read: {refused}",)

    def _assignments(self, relationship: str) -> Read:
        by_id = self._lists.delegated_admin_relationships.by_delegated_admin_relationship_id
        section = "accessAssignments"
        url = address_of(by_id(relationship).access_assignments)
        return Read(section=section, part=relationship, url=url, is_list=True, absent_ok=True)


def _list(section: str, builder: RequestBuilder, page: str) -> Read:
    """The read of a list in large pages, or in those that Graph chooses if it refuses that."""
    return Read(section=section, url=address_of(builder, top=page), fallback=address_of(builder), is_list=True)


def _relationship(row: _RelationshipRow, assigned: Mapping[str, tuple[str, ...]]) -> Relationship:
    known = partner_lists()
    return Relationship(
        id=row.id,
        name=row.displayName or "",
        status=row.status or "",
        in_force=row.status in known.in_force,
        ends=row.endDateTime or "",
        extends=bool(row.autoExtendDuration) and row.autoExtendDuration not in known.never_extended,
        roles=tuple(sorted(set(_roles(row.accessDetails)))),
        assigned_roles=assigned.get(row.id) if row.status in known.in_force else (),
    )


def _in_order(relationships: Iterable[Relationship]) -> tuple[Relationship, ...]:
    """Those in force first, then by their end."""
    return tuple(sorted(relationships, key=lambda one: (not one.in_force, one.ends, one.id)))
