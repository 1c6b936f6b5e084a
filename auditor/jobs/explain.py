"""``explain``: what a code, a pasted text or an address means, and whether a tenant would answer so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from auditor.apps.asked_scopes import ScopeSources
from auditor.consent.consent_request import RequestError
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.consent.subject import Subject, subject_for
from auditor.explain.meaning import meanings
from auditor.explain.pasted_text import FoundCode, PastedText, parse
from auditor.explain.tenant_answer import Asked, answer_about_app, answer_without_app
from auditor.facts.ids import is_guid
from auditor.jobs.audit import audit, read_source
from auditor.jobs.audit_request import (
    SILENT,
    AddressedApp,
    AuditRequest,
    GivenSnapshot,
    Interaction,
    Redaction,
    Source,
    app_from_address,
)
from auditor.jobs.pack_selection import pack_about, vendor_pack
from auditor.model.access_resources import SignIn
from auditor.model.decision import AfterConsent, AppRef, Outcome
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.explanation import ExplainedCode, Explanation, LoggedSignIn, TenantAnswer, TextFacts, TextKind
from auditor.model.report import Report
from auditor.model.rule import App, NeededApp, ScopeNeed
from auditor.model.snapshot import Snapshot
from auditor.model.survey import ScopeSource

_WANTED = (
    "give a code (90094), the text of the error page or message, or the address of the failed sign-in. In a terminal,"
    " put the text in quotation marks, or pipe it in: consent-auditor explain -"
)


class ExplainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to explain: the `text`, and the tenant of `source`, if there is one.

    `app` is the app of the options, with its scopes; `app_name` a name or client id without them. `user` is an object
    id or a user principal name. Both go before what the text says.
    """

    text: str
    source: Source | None = None
    app: App | None = None
    app_name: str = ""
    user: str = ""
    redaction: Redaction | None = None


def explain(request: ExplainRequest, interaction: Interaction = SILENT) -> Explanation:
    """The explanation of the text.

    Raises InvalidRequest for a text that says nothing about a sign-in, RequestError for a sign-in address with a
    mistake that leaves nothing to explain, and what reading and auditing the tenant raises.
    """
    pasted = parse(request.text)
    if pasted.is_empty:
        raise InvalidRequest(f"there is no code and no address of Microsoft's sign-in in the text: {_WANTED}")
    addressed = _addressed(pasted)
    found = (*pasted.codes, *_codes_of_faults(addressed.app if addressed else None))
    known = _known_app(request, pasted, addressed)
    if request.source is None:
        if not found and pasted.facts.kind is TextKind.TEXT:
            raise InvalidRequest(
                "the text has a correlation id and no code: add the tenant (--snapshot FILE or --live), whose sign-in"
                f" log has the code, or {_WANTED}"
            )
        return _explanation(meanings(found), pasted.facts, known.app if known else None, addressed, None)
    return _in_tenant(request, request.source, pasted, found, known, addressed, interaction)


def explain_exit_code(explanation: Explanation) -> int:
    """`FAILING` if the tenant stops the user, `UNKNOWN` if that or the meaning isn't known, else `OK`."""
    says = explanation.tenant_says
    if says is None:
        return OK if all(one.known for one in explanation.codes) else UNKNOWN
    if says.outcome is None or says.outcome is Outcome.DEPENDS:
        return UNKNOWN
    return OK if says.outcome.connects else FAILING


class _KnownApp(NamedTuple):
    """The app, and where its scopes are from; empty if the text itself has the request."""

    app: App
    scopes_from: str = ""


def _addressed(pasted: PastedText) -> AddressedApp | None:
    """The app of the sign-in address in the text. Raises RequestError if the text has nothing else to explain."""
    if not pasted.request:
        return None
    try:
        return app_from_address(pasted.request)
    except RequestError:
        if pasted.codes:
            return None
        raise


def _codes_of_faults(app: App | None) -> tuple[FoundCode, ...]:
    """The codes with which Entra refuses the request of an address."""
    faults = app.faults if app else ()
    numbers = (number for fault in faults for number in re.findall(r"AADSTS(\d+)", fault.code))
    return tuple(FoundCode(number, inferred=True) for number in dict.fromkeys(numbers))


def _known_app(request: ExplainRequest, pasted: PastedText, addressed: AddressedApp | None) -> _KnownApp | None:
    """The app as the options, the address, or a pack describe it; none if only a tenant can know it."""
    if request.app is not None:
        return _KnownApp(request.app)
    if request.app_name:
        return _described(request.app_name)
    if addressed is not None:
        return _KnownApp(addressed.app)
    facts = pasted.facts
    if facts.client_id or facts.redirect_uri:
        if pack := pack_about(facts.client_id, facts.redirect_uri):
            assert pack.app is not None, "a pack about an app"
            return _KnownApp(pack.app, f"those of the pack {pack.name}")
        if facts.client_id:
            return _KnownApp(App(client_id=facts.client_id, name=facts.app_name))
    return _described(facts.app_name) if facts.app_name else None


def _described(name: str) -> _KnownApp | None:
    """The app that a pack or the catalogue knows by this name or client id."""
    if is_guid(name):
        pack = pack_about(name.lower(), "")
        if pack is None or pack.app is None:
            return _KnownApp(App(client_id=name.lower()))
        return _KnownApp(pack.app, f"those of the pack {pack.name}")
    from auditor.jobs.pack_selection import shipped_packs

    wanted = name.casefold()
    for pack in shipped_packs():
        if pack.app is not None and wanted in (pack.name.casefold(), pack.app.name.casefold()):
            return _KnownApp(pack.app, f"those of the pack {pack.name}")
    return None


# ---- In a tenant ----------------------------------------------------------------------------------------------------


def _in_tenant(
    request: ExplainRequest,
    source: Source,
    pasted: PastedText,
    found: tuple[FoundCode, ...],
    known: _KnownApp | None,
    addressed: AddressedApp | None,
    interaction: Interaction,
) -> Explanation:
    user = request.user or pasted.facts.user
    packs = (vendor_pack(known.app),) if known else ()
    snapshot, origin = read_source(AuditRequest(source=source, user=user), packs, interaction)
    log, log_unread = _logged(snapshot, pasted.facts)
    found = found or tuple(dict.fromkeys(FoundCode(one.code) for one in log if one.code))
    index = index_of(snapshot)
    app = _in_directory(request, index, pasted, known, log)
    if app is None:
        return _explanation(
            meanings(found), pasted.facts, None, addressed, answer_without_app(snapshot, _NO_APP, log, log_unread)
        )
    app = app._replace(app=_with_text(app.app, pasted, index))
    subject = user if user and (request.user or isinstance(subject_for(snapshot, user), Subject)) else ""
    audited = audit(
        AuditRequest(source=GivenSnapshot(snapshot, origin), app=app.app, user=subject, redaction=request.redaction),
        interaction,
    )
    facts, codes_app = pasted.facts, app.app
    if request.redaction is not None:
        facts = msgspec.structs.replace(facts, user=audited.user, tenant="")
        codes_app = audited.packs[0].app or codes_app
        log = _redacted(log, audited.snapshot, snapshot)
    decision = audited.report.decisions[-1]
    asked = Asked(facts, found, codes_app, app.scopes_from, audited.user)
    says = answer_about_app(
        audited.snapshot, asked, decision, _after(audited.report, decision.subject), log, log_unread
    )
    return _explanation(meanings(found, decision), facts, codes_app, addressed, says)


_NO_APP = "The text doesn't name the app, so nothing can be decided about it: add --app with its name or client ID."


def _in_directory(
    request: ExplainRequest,
    index: SnapshotIndex,
    pasted: PastedText,
    known: _KnownApp | None,
    log: Sequence[LoggedSignIn],
) -> _KnownApp | None:
    """The app with what it asks for: as it is known, or else as the tenant's grants and requests show it."""
    client_id = known.app.client_id if known else _client_id_of(request.app_name or pasted.facts.app_name, index, log)
    if not client_id:
        if request.app_name:
            raise InvalidRequest(
                f"neither a pack nor this tenant has the app {request.app_name!r}: give its client ID, with --scopes"
            )
        return None
    if known and (known.app.scopes or known.app.default_resources or request.app or pasted.request):
        return known
    name = known.app.name if known else request.app_name or pasted.facts.app_name
    asked = ScopeSources(index, {}).asked(client_id, name)
    words = {ScopeSource.GRANTS: "those granted to it so far", ScopeSource.REQUESTS: "those that users asked for"}
    return _KnownApp(asked.app, " and ".join(words[one] for one in asked.sources if one in words))


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


def _after(report: Report, subject: str) -> AfterConsent | None:
    return next((one for one in report.after_consent if one.subject == subject), None)


# ---- The sign-in log ------------------------------------------------------------------------------------------------


def _logged(snapshot: Snapshot, facts: TextFacts) -> tuple[tuple[LoggedSignIn, ...], str]:
    """The entries with a correlation id of the text, and why there is no log."""
    if not facts.correlation_ids:
        return (), ""
    rows = snapshot.sections.signIns
    if rows is None:
        return (), index_of(snapshot).not_read("signIns").why
    wanted = set(facts.correlation_ids)
    return tuple(_entry(row) for row in rows if (row.correlationId or "").lower() in wanted), ""


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


def _explanation(
    codes: tuple[ExplainedCode, ...],
    facts: TextFacts,
    app: App | None,
    addressed: AddressedApp | None,
    says: TenantAnswer | None,
) -> Explanation:
    faults: Iterable[str] = (fault.because for fault in addressed.app.faults) if addressed else ()
    return Explanation(
        codes=codes,
        text=facts,
        app=AppRef(name=app.name, client_id=app.client_id) if app else None,
        request_faults=tuple(faults),
        tenant_says=says,
    )
