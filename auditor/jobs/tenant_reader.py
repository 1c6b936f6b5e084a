"""Read a live tenant: first what the packs need, then what the first answers show to be relevant."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.checks import required_reads
from auditor.checks.kind import plan_for
from auditor.checks.required_reads import permissions_for
from auditor.consent.requested_scopes import refuse_unnamed_resources
from auditor.consent.subject import ADMIN_ROLES, ORDINARY_MEMBER, Subject, subject_for
from auditor.graph.preconnect import run
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import Endpoints, SharedConnections, endpoints, open_graph
from auditor.jobs import now
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction
from auditor.jobs.pack_selection import all_pack_names, apps_of, chosen_packs, texts_for, warnings_of
from auditor.model.rule import App, Pack
from auditor.model.sections import DATING_SECTIONS, FULL_SECTIONS, SECTIONS, permissions_to_read
from auditor.model.snapshot import LiveTenant, Plan, Snapshot

if TYPE_CHECKING:
    from auditor.graph.access_tokens import TokenClaims
    from auditor.graph.collect import OtherRead
    from auditor.graph.fetch import ReadResult
    from auditor.graph.fleet_limits import TenantLimits
    from auditor.graph.transport import GraphClient, GraphHttpClient


def _nothing() -> None:
    """Do nothing."""


def read_tenant(
    target: LiveTenant,
    plan: Plan,
    *,
    apps: Iterable[App] = (),
    packs: Iterable[Pack] = (),
    user: str = "",
    progress: Callable[[str, int, int | None], None] | None = None,
    interaction: Interaction = SILENT,
    environ: Mapping[str, str] | None = None,
    meanwhile: Callable[[], None] = _nothing,
    if_allowed: Sequence[str] = (),
) -> Snapshot:
    """A snapshot of the tenant with everything that `plan`, the decisions on `apps` and the rules of `packs` need.

    `progress` is called with the section, how many of its objects were read, and how many there are, if known. It takes
    the place of `interaction.progress`. `meanwhile` is called once in a thread, while Graph is waited for. For
    `if_allowed` see `read_for`.

    Raises RequestError for a scope of a resource without an app id, because Graph can't look it up, and GraphError
    (also its CredentialError) if no audit is possible. A single refused read is listed in the snapshot's `unread`.
    """
    given = tuple(apps)
    for app in given:
        refuse_unnamed_resources(app)
    if progress is not None:
        interaction = interaction._replace(progress=progress)
    return run(
        read_for(
            target,
            plan,
            apps=given,
            packs=tuple(packs),
            user=user,
            interaction=interaction,
            environ=environ,
            meanwhile=meanwhile,
            if_allowed=if_allowed,
        )
    )


class Collected(NamedTuple):
    """What to collect: the plan, and the apps and packs that decide what else to read."""

    plan: Plan
    apps: tuple[App, ...]
    packs: tuple[Pack, ...]
    names: tuple[str, ...]
    """The packs that were named."""


def to_collect(request: AuditRequest, interaction: Interaction = SILENT) -> Collected:
    """What the request asks for; without packs or an app, all shipped packs. Raises PackError."""
    names = request.packs or (() if request.app else all_pack_names())
    packs = chosen_packs(names, request.app)
    for warning in warnings_of(packs):
        interaction.say(f"Warning: {warning}")
    plan = plan_for(packs)
    if request.full:
        plan = plan.union(Plan(sections=("directorySettings",), whole=FULL_SECTIONS))
    return Collected(plan, apps_of(packs), packs, tuple(name for name in names if isinstance(name, str)))


def collect_snapshot(request: AuditRequest, interaction: Interaction = SILENT) -> Snapshot:
    """Read the live tenant of the request for a later audit; without packs or an app, for all shipped packs.

    `request.app` doesn't need scopes. Raises PackError, what `read_tenant` raises, and GraphError if nothing was read
    that says anything about consent.
    """
    assert isinstance(request.source, LiveTenant), "only a live tenant can be collected"
    plan, apps, packs, names = to_collect(request, interaction)
    snapshot = read_tenant(
        request.source,
        plan,
        apps=apps,
        packs=packs,
        user=request.user,
        interaction=interaction,
        if_allowed=DATING_SECTIONS if request.full else (),
    )
    from auditor.graph.collect import refuse_empty

    refuse_empty(snapshot)
    if request.redaction is None:
        return snapshot
    from auditor.jobs.redaction import redactor_for

    return redactor_for(snapshot, apps, request.redaction, texts_for(packs, names), interaction).snapshot


def addresses_of(tenant: LiveTenant, environ: Mapping[str, str] | None = None) -> Endpoints:
    """The hosts to sign in to the tenant and to read it. Raises GraphError."""
    variables = os.environ if environ is None else environ
    return endpoints(tenant.cloud, tenant.authority_host, tenant.graph_endpoint, variables)


async def read_for(
    tenant: LiveTenant,
    plan: Plan,
    *,
    apps: tuple[App, ...],
    packs: tuple[Pack, ...],
    user: str = "",
    interaction: Interaction = SILENT,
    environ: Mapping[str, str] | None = None,
    meanwhile: Callable[[], None] = _nothing,
    http: GraphHttpClient | None = None,
    shared: SharedConnections | None = None,
    taken: str = "",
    if_allowed: Sequence[str] = (),
    at_end: Callable[[Snapshot], None] | None = None,
) -> Snapshot:
    """`read_tenant` for a caller that reads several tenants at the same time, through one `http` client or `shared`.

    `at_end` is called with the complete snapshot before the session closes: what is indexed of it is still at hand.
    `taken` is the time in the snapshot; by default now. The sections `if_allowed` are read, too, except those that the
    credential may not read.
    """
    plan, taken = plan_with_user(plan, user), taken or now()
    async with tenant_session(tenant, plan, interaction, environ, http=http, shared=shared) as session:
        plan = plan_with_allowed(plan, if_allowed, session.claims.allowed)
        other = _read_of_credential(session, tenant, interaction, environ, taken)
        reading = session.read(plan, taken=taken, other=other)
        if meanwhile is _nothing:
            snapshot = await reading
        else:
            snapshot, _ = await asyncio.gather(reading, asyncio.to_thread(meanwhile))
        more = further_reads(snapshot, snapshot, apps, packs, user, session.claims.allowed)
        if not more.is_empty:
            snapshot = await session.read(more, taken=snapshot.taken, onto=snapshot)
        if at_end:
            at_end(snapshot)
    return snapshot


def plan_with_user(plan: Plan, user: str) -> Plan:
    """The plan, with everything about a user that decisions need, if there is one."""
    return plan.union(Plan(users=(user,), assignments_of=tuple(ADMIN_ROLES))) if user else plan


def plan_with_allowed(plan: Plan, sections: Iterable[str], allowed: Iterable[str]) -> Plan:
    """The plan, with those of the sections that a token with the permissions `allowed` can read."""
    held = frozenset(allowed)
    return plan.union(Plan(sections=tuple(name for name in sections if held.intersection(_permissions_for(name)))))


def _permissions_for(section: str) -> Iterator[str]:
    """The permissions that allow the read, and the wider ones that include them."""
    from auditor.facts.permissions import PERMISSIONS

    for name in permissions_to_read(section):
        yield from (name, *PERMISSIONS[name].wider)


class TenantSession(NamedTuple):
    """An open session with a tenant. `read` is `auditor.graph.collect.collect` for it."""

    client: GraphClient
    tenant_id: str
    at: Endpoints
    read: Callable[..., Awaitable[Snapshot]]
    claims: TokenClaims


def _read_of_credential(
    session: TenantSession, tenant: LiveTenant, interaction: Interaction, environ: Mapping[str, str] | None, taken: str
) -> OtherRead | None:
    """The read that says when the credential ends, as of the time `taken` of the read.

    None if nobody wants to know, or Graph isn't needed for it.
    """
    if (report := interaction.on_credential) is None:
        return None
    from auditor.graph.collect import OtherRead
    from auditor.graph.credential_end import credential_end, local_credential
    from auditor.graph.section_reads import own_application

    local = local_credential(tenant.auth, os.environ if environ is None else environ, session.claims, tenant.tenant)

    def on_result(result: ReadResult | None) -> None:
        report(credential_end(local, result, datetime.fromisoformat(taken)))

    if not local.credentials:
        on_result(None)
        return None
    return OtherRead(own_application(local.client_id, local.credentials), on_result)


@asynccontextmanager
async def tenant_session(
    tenant: LiveTenant,
    plan: Plan,
    interaction: Interaction,
    environ: Mapping[str, str] | None = None,
    *,
    http: GraphHttpClient | None = None,
    shared: SharedConnections | None = None,
) -> AsyncIterator[TenantSession]:
    """A session that may read what `plan` asks for, with its own HTTP client unless one is given. Raises GraphError."""
    at = addresses_of(tenant, environ)
    if interaction.on_wait:
        interaction.on_wait("Signing in…")
    async with open_graph(
        tenant_id=tenant.tenant,
        at=at,
        auth=tenant.auth,
        environ=environ,
        http=http,
        shared=shared,
        retry=retry_policy(tenant, interaction, shared.limits if shared else None),
        prompt=interaction.show_code,
        scopes=delegated_scopes(tenant, plan, at),
        connections=2 if any(SECTIONS[section].is_beta for section in plan.sections) else 1,
    ) as client:
        # Not at the top of the module: it imports the SDK, which is loaded while the token is fetched.
        from auditor.graph.collect import collect

        claims = await client.tokens.claims()
        tenant_id = claims.tenant_id or tenant.tenant
        read = partial(collect, client, tenant_id=tenant_id, cloud=at.cloud, tool=TOOL, progress=interaction.progress)
        yield TenantSession(client, tenant_id, at, read, claims)


def further_reads(
    snapshot: Snapshot,
    of_rules: Snapshot,
    apps: tuple[App, ...],
    packs: tuple[Pack, ...],
    user: str,
    allowed: Iterable[str],
) -> Plan:
    """Everything that the decisions and rules need in addition to the first read.

    `of_rules` is the snapshot for the rules, which may have other rows than the one for the decisions. `allowed` are
    the permissions in the token, without which a section that only explains a finding isn't read.
    """
    subjects = [ORDINARY_MEMBER]
    if user and isinstance(found := subject_for(snapshot, user), Subject):
        subjects.append(found)
    of_packs = required_reads.further_reads(of_rules, packs)
    plan = plan_with_allowed(msgspec.structs.replace(of_packs, sections=()), of_packs.sections, allowed)
    for app in apps:
        for subject in subjects:
            plan = plan.union(required_reads.further_reads_for_app(snapshot, app, subject))
    return plan


def retry_policy(tenant: LiveTenant, interaction: Interaction, limits: TenantLimits | None = None) -> RetryPolicy:
    """When requests to the tenant are sent again, and until when."""
    return RetryPolicy(
        tenant.timeout,
        waits_as_asked=tenant.waits_as_asked,
        on_pause=interaction.on_pause,
        sleep=limits.sleep if limits else asyncio.sleep,
    )


def delegated_scopes(tenant: LiveTenant, plan: Plan, at: Endpoints) -> tuple[str, ...]:
    """The scopes to request if an administrator signs in; an app gets its permissions without a request."""
    if tenant.auth != "device-code":
        return ()
    return tuple(f"{at.graph}/{needed.permission}" for needed in permissions_for(plan))
