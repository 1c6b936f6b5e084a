"""Collect: a plan of reads in, a snapshot out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.graph.access_tokens import Claims
from auditor.graph.addresses import Addresses
from auditor.graph.fetch import Asker, Outcome, Progress
from auditor.graph.graph_errors import Unreachable
from auditor.graph.network import NOT_MICROSOFT
from auditor.graph.reads import Read, catalogue, requesters
from auditor.graph.retry import RETRIED
from auditor.graph.snapshot_builder import Assembly
from auditor.graph.transport import GraphClient
from auditor.model.read_plan import Plan
from auditor.model.snapshot import Call, Provenance, Snapshot, Tenant


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
) -> Snapshot:
    """Read what `plan` asks for; what could not be read is in `unread`, and everything else goes on.

    `onto` is an earlier snapshot of the same tenant that this one continues: what is read now is added to it.
    Raises `GraphError` when no answer of Graph's came at all, or when there is no token, and `ValueError` for
    a plan that cannot be carried out.
    """
    claims = await client.tokens.claims()
    at = Addresses(client.builders)
    asker = Asker(client, progress)
    outcomes = await asker.ask(catalogue(plan, at, taken))
    if onto is None:
        _raise_if_unanswered(outcomes)
    outcomes += await asker.ask(_next_reads(outcomes, at))
    assembly = Assembly(onto)
    assembly.add(outcomes)
    sections, covers, unread = assembly.finish()
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
        provenance=recorded(claims, outcomes, taken, onto.provenance if onto else None),
    )


def _next_reads(outcomes: Sequence[Outcome], at: Addresses) -> list[Read]:
    """What can be asked only now: of whom requests for admin consent came, which their list leaves out."""
    lists = [o.value for o in outcomes if o.read.section == "appConsentRequests" and o.unread is None]
    rows = [row for rows in lists for row in rows if isinstance(row, dict)]
    return [requesters(at, str(row["id"])) for row in rows if row.get("id") and not row.get("userConsentRequests")]


def _raise_if_unanswered(outcomes: Sequence[Outcome]) -> None:
    """An audit in which Graph never spoke is no audit of a tenant that denies everything."""
    if not outcomes or any(map(_was_answered, outcomes)):
        return
    if error := next((outcome.error for outcome in outcomes if outcome.error is not None), None):
        raise error
    why = next(outcome.unread for outcome in outcomes if outcome.unread is not None)
    said = ": ".join(filter(None, (f"{why.status or ''} {why.code}".strip(), why.message)))
    request = f" (request id {why.request_id})" if why.request_id else ""
    raise Unreachable(
        f"Microsoft Graph answered nothing of what was asked; the first answer: {said}{request}",
        advice=NOT_MICROSOFT if not why.code else "Microsoft Graph is busy or out of order: try again in a while.",
    )


def _was_answered(outcome: Outcome) -> bool:
    """Whether Graph gave what was asked for, or said that it will not: being throttled or broken says nothing."""
    if outcome.unread is None:
        return outcome.error is None
    return outcome.error is None and outcome.unread.status is not None and outcome.unread.status not in RETRIED


_FOUND = 200
_NO_SUCH = 404


def recorded(claims: Claims, outcomes: Iterable[Outcome], at: str, before: Provenance | None) -> Provenance:
    """The reads of `outcomes`, asked at `at` (UTC, as text), added to those made `before`."""
    calls = tuple(_call(outcome, at) for outcome in outcomes)
    return Provenance(
        reader=claims.app_id,
        permissions=tuple(sorted(claims.allowed)),
        calls=(before.calls if before else ()) + calls,
    )


def _call(outcome: Outcome, at: str) -> Call:
    read = outcome.read
    return Call(
        section=read.name,
        address=f"/{read.version}{read.url}",
        status=_status(outcome),
        rows=len(outcome.value) if isinstance(outcome.value, list) else None,
        at=at,
        permissions=read.permissions,
    )


def _status(outcome: Outcome) -> int | None:
    if outcome.unread is None:
        return _FOUND
    return _NO_SUCH if outcome.absent else outcome.unread.status
