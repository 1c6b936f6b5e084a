"""``explain`` with a tenant: read it, find the app of the text in it, decide, and compare the answer with the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from auditor.apps.asked_scopes import ScopeSources
from auditor.checks.kind import AFTER_CONSENT, CONSENT, TENANT, plan_for
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.consent.subject import Subject, subject_for
from auditor.explain.pasted_text import FoundCode, PastedText
from auditor.explain.tenant_answer import Asked, KnownApp, answer_about_app, answer_without_app
from auditor.facts.app_names import published_name
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, is_guid
from auditor.jobs.audit import LIVE, audit, read_source
from auditor.jobs.audit_request import AuditRequest, GivenSnapshot, Interaction, Redaction, Source
from auditor.jobs.pack_selection import pack_about, vendor_pack
from auditor.model.access_resources import SignIn
from auditor.model.decision import AfterConsent, Decision
from auditor.model.errors import InvalidRequest
from auditor.model.explanation import LoggedSignIn, TenantAnswer, TextFacts
from auditor.model.report import Report
from auditor.model.rule import App, NeededApp, ScopeNeed
from auditor.model.snapshot import LiveTenant, Plan, Snapshot
from auditor.model.survey import ScopeSource


class InTenant(NamedTuple):
    """The question: the text and its codes, the app as far as it's known, and what the options say."""

    pasted: PastedText
    codes: tuple[FoundCode, ...]
    known: KnownApp | None
    app_name: str
    user: str
    redaction: Redaction | None

    @property
    def subject(self) -> str:
        """The user of the options, or else of the text."""
        return self.user or self.pasted.facts.user


class Answered(NamedTuple):
    """The answer, with the codes, the text and the app as they may be shown. `decision` is none without an app."""

    says: TenantAnswer
    codes: tuple[FoundCode, ...]
    facts: TextFacts
    app: App | None = None
    decision: Decision | None = None


_NO_APP = "The text doesn't name the app, so nothing can be decided about it: add --app with its name or client ID."


def in_tenant(source: Source, asked: InTenant, interaction: Interaction) -> Answered:
    """What the tenant answers.

    Raises InvalidRequest for the name of an app that nobody knows, and what reading and auditing the tenant raises.
    """
    snapshot, origin = _read(source, asked, interaction)
    facts = asked.pasted.facts
    log, log_unread = _logged(snapshot, facts)
    codes = asked.codes or tuple(dict.fromkeys(FoundCode(one.code) for one in log if one.code))
    found = _in_directory(asked, index_of(snapshot), log)
    if found is None:
        if asked.redaction is not None:
            raise InvalidRequest("--redact needs the app: add --app with its name or client ID")
        return Answered(answer_without_app(snapshot, _NO_APP, log, log_unread), codes, facts)
    app = _with_text(found.app, asked.pasted, index_of(snapshot))
    has_user = asked.user or isinstance(subject_for(snapshot, asked.subject), Subject)
    audited = audit(
        AuditRequest(
            source=GivenSnapshot(snapshot, origin),
            app=app,
            user=asked.subject if asked.subject and has_user else "",
            redaction=asked.redaction,
        ),
        interaction,
    )
    if asked.redaction is not None:
        log = _redacted(log, audited.snapshot, snapshot)
        app = audited.packs[0].app or app
        facts = redacted_facts(facts, user=audited.user, app_name=app.name)
    decision = audited.report.decisions[-1]
    question = Asked(facts, codes, app, found.scopes_from, audited.user)
    after = _after(audited.report, decision.subject)
    says = answer_about_app(audited.snapshot, question, decision, after, log, log_unread)
    return Answered(says, codes, facts, app, decision)


def redacted_facts(facts: TextFacts, *, user: str = "", app_name: str = "") -> TextFacts:
    """What the text says, without what identifies a person, a tenant, or a sign-in in a log."""
    return msgspec.structs.replace(
        facts, user=user, app_name=app_name, tenant="", correlation_ids=(), trace_id="", redirect_uri=""
    )


def _after(report: Report, subject: str) -> AfterConsent | None:
    return next((one for one in report.after_consent if one.subject == subject), None)


# ---- The app in the tenant ------------------------------------------------------------------------------------------


def _in_directory(asked: InTenant, index: SnapshotIndex, log: Sequence[LoggedSignIn]) -> KnownApp | None:
    """The app with what it asks for: as it is known, or else as the tenant's grants and requests show it."""
    known, named = asked.known, asked.app_name or asked.pasted.facts.app_name
    client_id = known.app.client_id if known else _client_id_of(named, index, log)
    if not client_id:
        if asked.app_name:
            raise InvalidRequest(
                f"neither the catalogue nor this tenant has the app {asked.app_name!r}: give its client ID, or see"
                " consent-auditor apps list"
            )
        return None
    if known and (known.app.scopes or known.app.default_resources or asked.pasted.request):
        return known
    if known is None and (pack := pack_about(client_id, "")):
        return KnownApp.of_pack(pack)
    in_log = next((one.app for one in log if one.client_id == client_id), "")
    name = (known.app.name if known else "") or named or in_log or published_name(client_id)
    expected = ScopeSources(index, {}).asked(client_id, name)
    words = {ScopeSource.GRANTS: "those granted to it so far", ScopeSource.REQUESTS: "those that users asked for"}
    return KnownApp(expected.app, " and ".join(words[one] for one in expected.sources if one in words))


def _client_id_of(name: str, index: SnapshotIndex, log: Sequence[LoggedSignIn]) -> str:
    """The client id of the app with this name in the tenant, or of the sign-in in the log."""
    wanted = name.casefold()
    for row in index.snapshot.sections.servicePrincipals or ():
        if wanted and wanted in ((row.displayName or "").casefold(), (row.appDisplayName or "").casefold()):
            return row.appId.lower()
    for asked in index.snapshot.sections.appConsentRequests or ():
        if wanted and wanted == (asked.appDisplayName or "").casefold():
            return asked.appId.lower()
    return next((one.client_id for one in log if one.client_id), "")


def _with_text(app: App, pasted: PastedText, index: SnapshotIndex) -> App:
    """The app with the scope, the service and the redirect URI that the message names, which it surely sent."""
    facts, numbers = pasted.facts, {one.code for one in pasted.codes}
    resource = index.resource_id(facts.resource) if facts.resource else ""
    if numbers & {"650053", "70011"} and facts.scopes:
        asked = ScopeNeed(resource=resource or index.resource_id(""), value=facts.scopes[0].rpartition("/")[2])
        if (asked.resource, asked.value) not in {(need.resource, need.value) for need in app.scopes}:
            app = msgspec.structs.replace(app, scopes=(*app.scopes, asked))
    if numbers & {"650052", "500011"} and is_guid(resource) and resource not in _resources(app):
        app = msgspec.structs.replace(app, also_needs=(*app.also_needs, NeededApp(client_id=resource)))
    if facts.redirect_uri and numbers & {"50011"}:
        app = msgspec.structs.replace(app, redirect_uris=(facts.redirect_uri,))
    return app


def _resources(app: App) -> set[str]:
    return {need.resource for need in app.scopes} | {need.client_id for need in app.also_needs}


# ---- Reading the tenant ---------------------------------------------------------------------------------------------


def _read(source: Source, asked: InTenant, interaction: Interaction) -> tuple[Snapshot, str]:
    """The snapshot, and where it's from."""
    if isinstance(source, LiveTenant):
        # What connects to Microsoft is imported only for a live tenant.
        from auditor.graph.preconnect import run

        return run(_read_live(source, asked, interaction)), LIVE
    packs = (vendor_pack(asked.known.app),) if asked.known else ()
    return read_source(AuditRequest(source=source), packs, interaction)


_LOG_DAYS = 30
"""How far back Microsoft keeps sign-ins with a P1 or P2 license."""


async def _read_live(tenant: LiveTenant, asked: InTenant, interaction: Interaction) -> Snapshot:
    """The snapshot of a live tenant: what decides about the app, and the entry of the text in the sign-in log."""
    from auditor.jobs import now
    from auditor.jobs.tenant_reader import further_reads, plan_with_allowed, plan_with_user, tenant_session

    plan = plan_with_user(_first_plan(asked.pasted, asked.known), asked.subject)
    async with tenant_session(tenant, plan, interaction) as session:
        # What changed since explains a disagreement, and isn't needed for an answer.
        plan = plan_with_allowed(plan, ("directoryAudits",), session.claims.allowed)
        snapshot = await session.read(plan, taken=now())
        log, _ = _logged(snapshot, asked.pasted.facts)
        found = _in_directory(asked, index_of(snapshot), log)
        if found is None:
            return snapshot
        packs = (vendor_pack(found.app),)
        if asked.known is None or found.app != asked.known.app:
            snapshot = await session.read(plan_for(packs), taken=snapshot.taken, onto=snapshot)
        more = further_reads(snapshot, snapshot, (found.app,), packs, asked.subject, session.claims.allowed)
        if not more.is_empty:
            snapshot = await session.read(more, taken=snapshot.taken, onto=snapshot)
    return snapshot


def _first_plan(pasted: PastedText, known: KnownApp | None) -> Plan:
    """What decides about consent in any tenant, what is known to be needed for the app, and the sign-in log."""
    plan = TENANT.union(CONSENT).union(AFTER_CONSENT).union(Plan(resources=(MICROSOFT_GRAPH, EXCHANGE_ONLINE)))
    if known is not None:
        plan = plan.union(plan_for((vendor_pack(known.app),)))
        if not known.app.scopes:
            plan = plan.union(Plan(sections=("appConsentRequests",), clients=(known.app.client_id,)))
    if ids := pasted.facts.correlation_ids:
        plan = plan.union(Plan(whole=("signIns",), log_days=_LOG_DAYS, log_correlation=ids[0]))
    return plan


# ---- The sign-in log ------------------------------------------------------------------------------------------------


def _logged(snapshot: Snapshot, facts: TextFacts) -> tuple[tuple[LoggedSignIn, ...], str]:
    """The entries with a correlation id of the text, and why there is no log."""
    if not facts.correlation_ids:
        return (), ""
    rows = snapshot.sections.signIns
    if rows is None:
        unread = index_of(snapshot).not_read("signIns")
        refused = f" ({unread.why})" if "signIns" in snapshot.unread else ""
        return (), f"The sign-in log wasn't read{refused}, so the entry with this correlation ID is missing. {_LOG}"
    wanted = set(facts.correlation_ids)
    return tuple(_entry(row) for row in rows if (row.correlationId or "").lower() in wanted), ""


_LOG = "It needs AuditLog.Read.All and Entra ID P1 or P2: use --live, or a snapshot of collect --full."


def _entry(row: SignIn) -> LoggedSignIn:
    status = row.status
    return LoggedSignIn(
        at=row.createdDateTime or "",
        app=row.appDisplayName or "",
        client_id=(row.appId or "").lower(),
        user=row.userPrincipalName or row.userDisplayName or row.userId or "",
        code=str(status.errorCode) if status and status.errorCode else "",
        reason=(status.failureReason or "") if status else "",
        correlation_id=(row.correlationId or "").lower(),
    )


def _redacted(log: Sequence[LoggedSignIn], redacted: Snapshot, plain: Snapshot) -> tuple[LoggedSignIn, ...]:
    """The same entries of the redacted snapshot, in which they have the same places."""
    rows, others = plain.sections.signIns or (), redacted.sections.signIns or ()
    ids = {one.correlation_id for one in log}
    return tuple(
        _entry(other) for row, other in zip(rows, others, strict=True) if (row.correlationId or "").lower() in ids
    )
