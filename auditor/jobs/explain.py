"""``explain``: what a code, a pasted text or an address means, and whether a tenant would answer so."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from auditor.consent.consent_request import RequestError
from auditor.explain.meaning import meanings
from auditor.explain.pasted_text import FoundCode, PastedText, parse
from auditor.explain.tenant_answer import KnownApp
from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import SILENT, AddressedApp, Interaction, Redaction, Source, app_from_address
from auditor.jobs.pack_selection import pack_about
from auditor.model.decision import AppRef, Outcome
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.explanation import ExplainedCode, Explanation, TenantAnswer, TextFacts, TextKind
from auditor.model.rule import App

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
    from auditor.jobs.explain_in_tenant import InTenant, in_tenant

    asked = InTenant(pasted, found, known, request.app_name, request.user, request.redaction)
    answer = in_tenant(request.source, asked, interaction)
    return _explanation(meanings(answer.codes, answer.decision), answer.facts, answer.app, addressed, answer.says)


def explain_exit_code(explanation: Explanation) -> int:
    """`FAILING` if the tenant stops the user, `UNKNOWN` if that or the meaning isn't known, else `OK`."""
    says = explanation.tenant_says
    if says is None:
        return OK if all(one.known for one in explanation.codes) else UNKNOWN
    if says.outcome is None or says.outcome is Outcome.DEPENDS:
        return UNKNOWN
    if not says.outcome.connects:
        return FAILING
    # Conditional Access decides after consent.
    if any(one.topic == "access" for one in explanation.codes) and says.agrees is not False:
        return FAILING if says.agrees else UNKNOWN
    return OK


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


def _known_app(request: ExplainRequest, pasted: PastedText, addressed: AddressedApp | None) -> KnownApp | None:
    """The app as the options, the address, or a pack describe it; none if only a tenant can know it."""
    if request.app is not None:
        return KnownApp(request.app)
    if request.app_name:
        return _described(request.app_name)
    if addressed is not None:
        return KnownApp(addressed.app)
    facts = pasted.facts
    if facts.client_id or facts.redirect_uri:
        if pack := pack_about(facts.client_id, facts.redirect_uri):
            assert pack.app is not None, "a pack about an app"
            return KnownApp(pack.app, f"those of the pack {pack.name}")
        if facts.client_id:
            return KnownApp(App(client_id=facts.client_id, name=facts.app_name))
    return _described(facts.app_name) if facts.app_name else None


def _described(name: str) -> KnownApp | None:
    """The app that a pack or the catalogue knows by this name or client id."""
    if is_guid(name):
        pack = pack_about(name.lower(), "")
        if pack is None or pack.app is None:
            return KnownApp(App(client_id=name.lower()))
        return KnownApp(pack.app, f"those of the pack {pack.name}")
    from auditor.jobs.pack_selection import shipped_packs

    wanted = name.casefold()
    for pack in shipped_packs():
        if pack.app is not None and wanted in (pack.name.casefold(), pack.app.name.casefold()):
            return KnownApp(pack.app, f"those of the pack {pack.name}")
    return None


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
