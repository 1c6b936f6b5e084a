"""Read a live tenant: first what the packs need, then what the first answers show to be relevant."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from auditor.checks import required_reads as about_rules
from auditor.checks.required_reads import permissions_for, plan_for
from auditor.consent import further_reads as about_apps
from auditor.consent.request import refuse_unnamed_resources
from auditor.consent.subject import ADMIN_ROLES, ORDINARY_MEMBER, Subject, subject_for
from auditor.graph.preconnect import run
from auditor.graph.retry import RetryPolicy
from auditor.graph.session import Endpoints, endpoints, open_graph
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction
from auditor.jobs.pack_selection import all_pack_names, apps_of, chosen_packs, texts_for, warnings_of
from auditor.model.rule import App, Pack
from auditor.model.snapshot import LiveTenant, Plan, Snapshot

WHOLE = (
    "servicePrincipals",
    "oauth2PermissionGrants",
    "roleDefinitions",
    "roleAssignments",
    "directorySettings",
    "appConsentRequests",
    "signIns",
    "directoryAudits",
)
"""The sections that ``--full`` reads for the whole directory, page by page."""


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
) -> Snapshot:
    """A snapshot of the tenant with everything that `plan`, the decisions on `apps` and the rules of `packs` need.

    `progress` is called with the section, how many of its objects were read, and how many there are, if known. It takes
    the place of `interaction.progress`.

    Raises RequestError for a scope of a resource without an app id, because Graph can't look it up, and GraphError
    (also its CredentialError) if no audit is possible. A single refused read is listed in the snapshot's `unread`.
    """
    given = tuple(apps)
    for app in given:
        refuse_unnamed_resources(app)
    if progress is not None:
        interaction = interaction._replace(progress=progress)
    return run(_read(target, plan, given, tuple(packs), user, interaction, environ))


def collect_snapshot(request: AuditRequest, interaction: Interaction = SILENT) -> Snapshot:
    """Read the live tenant of the request for a later audit; without packs or an app, for all shipped packs.

    `request.app` doesn't need scopes. Raises PackError and what `read_tenant` raises.
    """
    assert isinstance(request.source, LiveTenant), "only a live tenant can be collected"
    names = request.packs or (() if request.app else all_pack_names())
    packs = chosen_packs(names, request.app)
    for warning in warnings_of(packs):
        interaction.say(f"Warning: {warning}")
    plan = plan_for(packs)
    if request.full:
        plan = plan.union(Plan(sections=("directorySettings",), whole=WHOLE))
    apps = apps_of(packs)
    snapshot = read_tenant(request.source, plan, apps=apps, packs=packs, user=request.user, interaction=interaction)
    if request.redaction is None:
        return snapshot
    from auditor.jobs.redaction import redactor_for

    texts = texts_for(packs, [name for name in names if isinstance(name, str)])
    return redactor_for(snapshot, apps, request.redaction, texts, interaction).snapshot


def addresses_of(tenant: LiveTenant, environ: Mapping[str, str] | None = None) -> Endpoints:
    """The hosts to sign in to the tenant and to read it. Raises GraphError."""
    variables = os.environ if environ is None else environ
    return endpoints(tenant.cloud, tenant.authority_host, tenant.graph_endpoint, variables)


async def _read(
    tenant: LiveTenant,
    plan: Plan,
    apps: tuple[App, ...],
    packs: tuple[Pack, ...],
    user: str,
    interaction: Interaction,
    environ: Mapping[str, str] | None,
) -> Snapshot:
    if user:
        plan = plan.union(Plan(users=(user,), assignments_of=tuple(ADMIN_ROLES)))
    at = addresses_of(tenant, environ)
    async with open_graph(
        tenant_id=tenant.tenant,
        at=at,
        auth=tenant.auth,
        environ=environ,
        retry=retry_policy(tenant, interaction),
        prompt=interaction.show_code,
        scopes=delegated_scopes(tenant, plan, at),
    ) as client:
        # Not at the top of the module: it imports the SDK, which is loaded while the token is fetched.
        from auditor.graph.collect import collect

        claims = await client.tokens.claims()
        read = partial(
            collect,
            client,
            tenant_id=claims.tenant_id or tenant.tenant,
            cloud=at.cloud,
            taken=now(),
            tool=TOOL,
            progress=interaction.progress,
        )
        snapshot = await read(plan)
        more = _further_reads(snapshot, apps, packs, user)
        if not more.is_empty:
            snapshot = await read(more, onto=snapshot)
    return snapshot


def _further_reads(snapshot: Snapshot, apps: tuple[App, ...], packs: tuple[Pack, ...], user: str) -> Plan:
    """Everything that the decisions and rules need in addition to the first read."""
    subjects = [ORDINARY_MEMBER]
    if user and isinstance(found := subject_for(snapshot, user), Subject):
        subjects.append(found)
    plan = about_rules.further_reads(snapshot, packs)
    for app in apps:
        for subject in subjects:
            plan = plan.union(about_apps.further_reads(snapshot, app, subject))
    return plan


def retry_policy(tenant: LiveTenant, interaction: Interaction) -> RetryPolicy:
    """When requests to the tenant are sent again, and until when."""
    return RetryPolicy(tenant.timeout, waits_as_asked=tenant.waits_as_asked, on_pause=interaction.on_pause)


def delegated_scopes(tenant: LiveTenant, plan: Plan, at: Endpoints) -> tuple[str, ...]:
    """The scopes to request if an administrator signs in; an app gets its permissions without a request."""
    if tenant.auth != "device-code":
        return ()
    return tuple(f"{at.graph}/{needed.permission}" for needed in permissions_for(plan))


def now() -> str:
    """The current UTC time in seconds. It is the only time that a report contains."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
