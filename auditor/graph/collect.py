"""Collect a snapshot: execute a plan of reads and build a snapshot of the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgraph.graph_service_client import GraphServiceClient

from auditor.graph.access_tokens import TokenClaims
from auditor.graph.fetch import Fetcher, Progress, ReadResult, all_results
from auditor.graph.graph_errors import NothingRead, Unreachable
from auditor.graph.network import NOT_MICROSOFT
from auditor.graph.reads import BLUEPRINT_OF_AGENT, Read
from auditor.graph.retry import RETRIED_STATUSES
from auditor.graph.section_reads import (
    blueprint_of_agent,
    blueprint_of_client,
    consent_requesters,
    inheritable_permissions,
    reads_for,
)
from auditor.graph.snapshot_builder import SnapshotBuilder
from auditor.graph.transport import GraphClient
from auditor.model.resources import AGENT_IDENTITY, BLUEPRINT_PRINCIPAL
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Call, Plan, Provenance, Snapshot, Tenant, Unread
from auditor.model.unread_messages import NOT_IN_CLOUD

if TYPE_CHECKING:
    from auditor.graph.directory_lists import DirectoryLists


class OtherRead(NamedTuple):
    """A read that travels with the others, and whose result isn't part of the snapshot."""

    read: Read
    on_result: Callable[[ReadResult], None]


async def collect(
    client: GraphClient,
    plan: Plan,
    *,
    tenant_id: str,
    cloud: str,
    taken: str,
    tool: str,
    onto: Snapshot | None = None,
    progress: Progress | None = None,
    lists: DirectoryLists | None = None,
    other: OtherRead | None = None,
) -> Snapshot:
    """Read what `plan` asks for. Reads that fail are listed in `unread` and do not stop the others.

    `onto` is an earlier snapshot of the same tenant, to which the new reads are added. `lists` writes whole lists to
    files: the snapshot says that they are complete, and has the rows that were also read by themselves.
    `other` is sent in the first batch, unless that is full.
    Raises `GraphError` if Graph answered nothing at all or there is no token, and `ValueError` for a plan that
    cannot be executed.
    """
    claims = await client.tokens.claims()
    fetcher = Fetcher(client, progress)
    asked = reads_for(plan, client.builders, taken)
    elsewhere = [ReadResult(read=read, unread=Unread(message=NOT_IN_CLOUD)) for read in asked if not _has(cloud, read)]
    reads = tuple(read for read in asked if _has(cloud, read)) + ((other.read,) if other else ())
    results = await (fetcher.fetch(reads) if lists is None else _fetch_with_lists(fetcher, lists, reads))
    calls = [*results]
    if other:
        results = [result for result in results if result.read is not other.read]
        other.on_result(next(result for result in calls if result.read is other.read))
    if onto is None:
        _raise_if_unanswered(results)
    has_all_grants = lists is not None and _GRANTS in lists.files
    while more := _new(_next_reads(results, client.builders, tenant_id), results):
        if has_all_grants and not (more := [read for read in more if not _is_of_grants(read)]):
            break
        found = await fetcher.fetch(more)
        results, calls = results + found, calls + found
    builder = SnapshotBuilder(onto)
    builder.add(results + elsewhere)
    sections, covers, unread = builder.build()
    tenant = Tenant(id=tenant_id) if onto is None else onto.tenant
    if sections.organization is not None:
        tenant = Tenant(id=sections.organization.id, name=sections.organization.displayName)
    return Snapshot(
        tenant=tenant,
        cloud=cloud,
        taken=taken if onto is None else onto.taken,
        tool=tool,
        sections=sections,
        covers=covers,
        unread=unread,
        provenance=_provenance(claims, calls, taken, onto.provenance if onto else None),
    )


async def _fetch_with_lists(fetcher: Fetcher, lists: DirectoryLists, reads: Sequence[Read]) -> list[ReadResult]:
    """The results of `reads`, those of whole lists first. The grants of one app are read if the list of all was not."""
    large = [read for read in reads if lists.takes(read)]
    parts = [read for read in reads if read.section == _GRANTS and not read.whole and any(map(_is_of_grants, large))]
    others = [read for read in reads if read not in large and read not in parts]
    found = await all_results((lists.fetch(large), fetcher.fetch(others)))
    results = [result for some in found for result in some]
    return results + await fetcher.fetch([read for read in parts if read.section not in lists.files])


def _has(cloud: str, read: Read) -> bool:
    """Whether the Graph of the cloud has what is read."""
    section = SECTIONS.get(read.section)
    return section is None or not section.clouds or cloud in section.clouds


_GRANTS = "oauth2PermissionGrants"


def _is_of_grants(read: Read) -> bool:
    return read.section == _GRANTS


def _next_reads(results: Sequence[ReadResult], graph: GraphServiceClient, tenant_id: str) -> Iterator[Read]:
    """Reads that need an earlier result.

    Who made the requests for admin consent, which their list leaves out; and what an agent identity inherits, which
    costs nothing where no agent and no blueprint was read.
    """
    for read, row in _rows(results, "appConsentRequests"):
        if read.aspect == "" and row.get("id") and not row.get("userConsentRequests"):
            yield consent_requesters(graph, str(row["id"]))
    own = {tenant_id.lower(), *(str(row.get("id") or "").lower() for _, row in _rows(results, "organization"))}
    for read, row in _rows(results, "servicePrincipals"):
        if read.aspect == "agentIdentity":
            if blueprint := str(row.get(BLUEPRINT_OF_AGENT) or ""):
                yield from blueprint_of_client(graph, blueprint)
        elif _is_kind(row, AGENT_IDENTITY) and not read.whole:
            yield blueprint_of_agent(read.part, str(row.get("id") or ""))
        elif _is_kind(row, BLUEPRINT_PRINCIPAL) and str(row.get("appOwnerOrganizationId") or "").lower() in own - {""}:
            yield inheritable_permissions(str(row.get("appId") or ""))


def _rows(results: Sequence[ReadResult], section: str) -> Iterator[tuple[Read, dict[str, Any]]]:
    """The objects that the reads of a section returned, each with its read."""
    for result in results:
        if result.read.section == section and result.unread is None:
            rows = result.value if isinstance(result.value, list) else [result.value]
            yield from ((result.read, row) for row in rows if isinstance(row, dict))


def _is_kind(row: dict[str, Any], kind: str) -> bool:
    """Whether Graph says that the object is of this kind; it does for every type derived from the one of the list."""
    return str(row.get("@odata.type") or "").rpartition(".")[2].lower() == kind.lower() and bool(row.get("id"))


def _new(reads: Iterable[Read], results: Sequence[ReadResult]) -> list[Read]:
    """The reads that were not made yet, whether or not they succeed, each once."""
    made = {(result.read.version, result.read.url) for result in results}
    return [
        read for (version, url), read in {(r.version, r.url): r for r in reads}.items() if (version, url) not in made
    ]


def _raise_if_unanswered(results: Sequence[ReadResult]) -> None:
    """Raise if Graph answered no read: a snapshot would look like a tenant that denies everything."""
    if not results or any(map(_was_answered, results)):
        return
    if error := next((result.error for result in results if result.error is not None), None):
        raise error
    why = next(result.unread for result in results if result.unread is not None)
    said = ": ".join(filter(None, (f"{why.status or ''} {why.code}".strip(), why.message)))
    request = f" (request id {why.request_id})" if why.request_id else ""
    raise Unreachable(
        f"Microsoft Graph answered none of the requests; the first answer: {said}{request}",
        advice=NOT_MICROSOFT if not why.code else "Microsoft Graph is busy or out of order: try again later.",
    )


def refuse_empty(snapshot: Snapshot) -> None:
    """Raise `NothingRead` if what was read says nothing about consent: a file of it could replace a good snapshot.

    The tenant's name, the apps that it lacks, and what only beta has, are not enough where everything else was refused.
    """
    read = (name for name in SECTIONS if getattr(snapshot.sections, name) is not None)
    if not snapshot.unread or any(name not in _NOT_ENOUGH and not SECTIONS[name].is_beta for name in read):
        return
    section, why = next(iter(sorted(snapshot.unread.items())))
    said = " ".join(filter(None, (str(why.status or ""), why.code, why.message)))
    known = SECTIONS.get(section.partition("/")[0])
    what = known.words if known else section
    raise NothingRead(
        f"nothing that decides about consent could be read; for {what}, Microsoft Graph says: {said}",
        advice=f"No file was changed. {_GRANT if any(one.needs for one in snapshot.unread.values()) else _LATER}",
    )


_GRANT = 'Run "consent-auditor doctor" to see which permissions the credential lacks, and how to grant them.'
_LATER = 'Try again later. If the problem persists, run "consent-auditor doctor".'


_NOT_ENOUGH = ("organization", "absentServicePrincipals")


def _was_answered(result: ReadResult) -> bool:
    """Whether Graph returned data or refused to. Throttling and server errors don't answer the question."""
    if result.unread is None:
        return result.error is None
    return result.error is None and result.unread.status is not None and result.unread.status not in RETRIED_STATUSES


def _provenance(claims: TokenClaims, results: Iterable[ReadResult], at: str, before: Provenance | None) -> Provenance:
    """Who read, and the reads of `results`, made at `at` (UTC, as text), after those made `before`."""
    calls = tuple(_call(result, at) for result in results)
    return Provenance(
        reader=claims.app_id,
        permissions=tuple(sorted(claims.allowed)),
        calls=(before.calls if before else ()) + calls,
    )


def _call(result: ReadResult, at: str) -> Call:
    read = result.read
    return Call(
        section=read.name,
        address=f"/{read.version}{read.url}",
        status=_status(result),
        rows=len(result.value) if result.rows is None and isinstance(result.value, list) else result.rows,
        at=at,
        permissions=read.permissions,
    )


def _status(result: ReadResult) -> int | None:
    if result.unread is None:
        return 200
    return 404 if result.absent else result.unread.status
