"""``explain``: what a code, a pasted text or an address means, and whether a tenant would answer so."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from auditor.consent.requested_scopes import RequestError, client_id_of
from auditor.explain.addresses import addresses_in, plain
from auditor.explain.meaning import meanings
from auditor.explain.pasted_text import FoundCode, PastedText, parse
from auditor.explain.tenant_answer import KnownApp
from auditor.facts.app_names import published_name
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


_NOTHING = "there is no code and no address of Microsoft's sign-in in the text"


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

    Raises InvalidRequest for a text that says nothing about a sign-in and for an app that nobody knows, and what
    reading and auditing the tenant raises.
    """
    pasted = parse(request.text)
    if pasted.is_empty:
        step = any(one.is_sign_in for one in addresses_in(plain(request.text)))
        what = "that address is a step of Microsoft's sign-in and holds no error" if step else _NOTHING
        raise InvalidRequest(f"{what}: {_WANTED}")
    addressed = _addressed(pasted)
    found = (*pasted.codes, *_codes_of_faults(addressed.app if addressed else None))
    known = _known_app(request, pasted, addressed)
    if request.source is None:
        if not found and pasted.facts.kind is TextKind.TEXT:
            raise InvalidRequest(
                "the text has a correlation id and no code: add the tenant (--snapshot FILE or --live), whose sign-in"
                f" log has the code, or {_WANTED}"
            )
        facts = pasted.facts
        if request.redaction is not None:
            from auditor.jobs.explain_in_tenant import redacted_facts

            facts = redacted_facts(facts)
        return _explanation(meanings(found), facts, known.app if known else None, addressed, None)
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
    """The app of the sign-in address in the text.

    Raises InvalidRequest for an address that can't be understood, if the text has nothing else to explain.
    """
    if not pasted.request:
        return None
    try:
        return app_from_address(pasted.request)
    except RequestError as error:
        if pasted.codes:
            return None
        raise InvalidRequest(
            f"{error}; in a terminal, put it in quotation marks, because an & ends a command"
        ) from None


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
        return _described(request.app_name, or_fail=request.source is None)
    if addressed is not None:
        return KnownApp(addressed.app)
    facts = pasted.facts
    pack = pack_about(facts.client_id, facts.redirect_uri) if facts.client_id or facts.redirect_uri else None
    # A redirect URI can be that of another registration of the same vendor.
    if pack and pack.app and facts.client_id in ("", pack.app.client_id):
        return KnownApp.of_pack(pack)
    if facts.client_id:
        return KnownApp(App(client_id=facts.client_id, name=facts.app_name or published_name(facts.client_id)))
    return _described(facts.app_name) if facts.app_name else None


def _described(name: str, *, or_fail: bool = False) -> KnownApp | None:
    """The app that a pack or the catalogue knows by this name or client id; none for a name that only a tenant has.

    With `or_fail`, such a name raises InvalidRequest, with the names that are nearest.
    """
    from auditor.jobs.app_catalog import app_named, is_known

    if not is_known(name):
        return KnownApp(App(client_id=client_id_of(name), name=published_name(name)))
    try:
        return KnownApp.of_pack(app_named(name))
    except InvalidRequest:
        if or_fail:
            raise
        return None


def _explanation(
    codes: tuple[ExplainedCode, ...],
    facts: TextFacts,
    app: App | None,
    addressed: AddressedApp | None,
    says: TenantAnswer | None,
) -> Explanation:
    faults: Iterable[str] = (fault.because for fault in addressed.app.faults) if addressed else ()
    if addressed and not facts.scopes:
        scopes = tuple(dict.fromkeys(need.value for need in addressed.app.scopes))
        facts = msgspec.structs.replace(facts, scopes=scopes)
    return Explanation(
        codes=codes,
        text=facts,
        app=AppRef(name=app.name, client_id=app.client_id) if app else None,
        request_faults=tuple(faults),
        tenant_says=says,
    )
