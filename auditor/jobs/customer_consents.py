"""Ask for a token in each customer's tenant, and say which have consented, which not, and what to send them.

A customer that consented before and doesn't any more has lost it: see `auditor.jobs.seen_consents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from msgspec import structs

from auditor.checks.kind import plan_for
from auditor.checks.required_reads import Needed, permissions_for
from auditor.facts.ids import ADMIN_CENTER, cloud_named, is_guid
from auditor.facts.permissions import PERMISSIONS
from auditor.facts.sign_in_codes import ConsentState, consent_state, is_about_credential
from auditor.graph.access_tokens import TokenClaims
from auditor.graph.credentials import resolve_auth
from auditor.jobs.audit_request import TOOL
from auditor.jobs.doctor import permission_states
from auditor.jobs.night_setup import prepared_audit
from auditor.jobs.secret_references import Secrets, live_tenant_of, sign_in_method
from auditor.jobs.seen_consents import Earlier, SeenConsents
from auditor.jobs.tenant_reader import addresses_of
from auditor.model.configuration import OnboardingSettings, TenantEntry
from auditor.model.document import count
from auditor.model.errors import AuditorError
from auditor.model.onboarding import (
    AskedPermission,
    ConsentStatus,
    CustomerConsent,
    Onboarding,
    OnboardingProblem,
    OnboardingSummary,
    ProblemKind,
)
from auditor.model.registration import PLACEHOLDER_CLIENT
from auditor.model.rule import Pack
from auditor.render.consent_message import ConsentRequest, consent_message, role_for
from auditor.render.labels import readable_time
from auditor.render.onboarding_view import answer_of

if TYPE_CHECKING:
    from auditor.history import History

_STATE = "consent-auditor"
"""The `state` of the links. It comes back with the browser, and says nothing about the customer."""
_DEPENDS_ON_EARLIER = (ConsentStatus.NOT_YET, ConsentStatus.PARTLY, ConsentStatus.UNKNOWN)
_HAS_TOKEN = (ConsentStatus.CONSENTED, ConsentStatus.PARTLY)


class TokenAnswer(NamedTuple):
    """What asking for a token gave: its claims, or why there is none. `is_own` says that the credential is at fault."""

    claims: TokenClaims | None = None
    error: str = ""
    advice: str = ""
    code: str = ""
    is_own: bool = False


Ask = Callable[[Sequence[TenantEntry]], Sequence[TokenAnswer]]
"""Asks for a token in each tenant, and answers in their order."""


class _Customer(NamedTuple):
    """A customer before it's asked. `problem` is why it can't be."""

    entry: TenantEntry
    needed: tuple[Needed, ...]
    apps: tuple[str, ...]
    client_id: str = ""
    link: str = ""
    problem: TokenAnswer | None = None


class _Judged(NamedTuple):
    """What the answer says about the consent."""

    status: ConsentStatus
    says: str
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    reason: str = ""
    is_own: bool = False


_UNREGISTERED = TokenAnswer(
    error=f"the client ID {PLACEHOLDER_CLIENT} is the placeholder of a new configuration",
    advice="Register the app (consent-auditor fleet init), and put its client ID into the configuration.",
    is_own=True,
)


def onboard(
    entries: Sequence[TenantEntry],
    settings: OnboardingSettings,
    ask: Ask,
    *,
    secrets: Secrets,
    taken: str,
    history: History | None = None,
    problems: Sequence[OnboardingProblem] = (),
    notes: Sequence[str] = (),
) -> Onboarding:
    """The consent of each live tenant of `entries` at the UTC time `taken`, what needs you first.

    `problems` are those with the lists that the entries come from, `notes` what else limits the answer.
    Keeps in the history which tenants have consented; without one, nothing is known to be lost. Raises PackError.
    """
    live = tuple(_customers((one for one in entries if not one.snapshot), settings, secrets))
    asked = [one for one in live if one.problem is None]
    answers = dict(zip((one.entry.name for one in asked), ask([one.entry for one in asked]), strict=True))
    found: list[CustomerConsent] = []
    reasons: dict[tuple[bool, str, str], tuple[TokenAnswer, list[str]]] = {}
    before = SeenConsents(history, taken)
    for one in live:
        answer = one.problem or answers[one.entry.name]
        judged = judge(one.entry.tenant, one.needed, answer, None)
        client = one.client_id or (answer.claims.app_id if answer.claims else "")
        earlier = before.earlier(one.entry, client) if judged.status in _DEPENDS_ON_EARLIER else None
        judged = judge(one.entry.tenant, one.needed, answer, earlier)
        if answer.claims and judged.status in _HAS_TOKEN:
            before.see(one.entry, client, answer.claims.roles)
        seen = taken if judged.status is ConsentStatus.CONSENTED else earlier.seen if earlier else ""
        found.append(_described(one._replace(client_id=client), answer, judged, seen, settings))
        if judged.status is ConsentStatus.UNKNOWN:
            key = (judged.is_own, answer.code or judged.reason, answer.advice)
            said = answer._replace(error=answer.error or judged.reason)
            reasons.setdefault(key, (said, []))[1].append(one.entry.name)
    before.keep()
    found.sort(key=lambda one: (one.status.rank, one.name.lower()))
    summary = _summary(found, len(entries) - len(live))
    made = Onboarding(
        tool=TOOL,
        taken=taken,
        provider=settings.provider,
        app_name=settings.app_name,
        redirect_uri=settings.redirect_uri,
        summary=summary,
        permissions=tuple(dict.fromkeys(asked_permission(need) for one in live for need in one.needed)),
        customers=tuple(found),
        problems=(*problems, *(_problem(key[0], answer, names) for key, (answer, names) in reasons.items())),
        not_asked=tuple(one.name for one in entries if one.snapshot),
        notes=(*notes, *before.problems, *_hints(found)),
    )
    return answer_of(made)


# ---- Before the customers are asked ---------------------------------------------------------------------------------


def _customers(entries: Iterable[TenantEntry], settings: OnboardingSettings, secrets: Secrets) -> Iterator[_Customer]:
    known: dict[object, tuple[tuple[Needed, ...], tuple[str, ...]]] = {}
    for entry in entries:
        key = (entry.packs, entry.apps)
        if key not in known:
            packs = packs_of(entry)
            names = dict.fromkeys(pack.app.name for pack in packs if pack.app is not None)
            known[key] = permissions_for(plan_for(packs)), tuple(names)
        needed, apps = known[key]
        try:
            environ = secrets.environment_of(entry)
            client = environ.get("AZURE_CLIENT_ID", "").strip()
            link = consent_link(entry, client, settings.redirect_uri, environ) if client else ""
            resolve_auth(sign_in_method(entry.credential), environ, entry.tenant)
            problem = _UNREGISTERED if client == PLACEHOLDER_CLIENT else None
        except AuditorError as error:
            problem = TokenAnswer(error=error.problem, advice=error.advice, is_own=True)
            client = link = ""
        yield _Customer(entry, needed, apps, client, link, problem)


def packs_of(entry: TenantEntry) -> tuple[Pack, ...]:
    """The packs of a tenant, those of its apps included. Raises PackError."""
    # Waivers and lists say nothing about permissions, and their files may not be here.
    return prepared_audit(structs.replace(entry, waivers=(), abused=())).packs


def consent_link(entry: TenantEntry, client_id: str, redirect_uri: str, environ: Mapping[str, str]) -> str:
    """The admin consent link of the tenant for everything that the app registered. It holds nothing secret.

    Source: Microsoft identity platform, "Admin consent": only ``.default`` also asks for application permissions.
    """
    at = addresses_of(live_tenant_of(entry), environ)
    query = {
        "client_id": client_id,
        "scope": f"{cloud_named(entry.cloud).graph}/.default",
        "redirect_uri": redirect_uri,
        "state": _STATE,
    }
    tenant = quote(entry.tenant, safe="")
    return f"{at.authority}/{tenant}/v2.0/adminconsent?{urlencode(query, quote_via=quote, safe='')}"


def asked_permission(needed: Needed) -> AskedPermission:
    """The permission in plain words."""
    known = PERMISSIONS[needed.permission]
    return AskedPermission(name=known.name, id=known.id, reads=known.allows, without=known.without)


# ---- What the answer means ------------------------------------------------------------------------------------------


def judge(tenant: str, needed: Sequence[Needed], answer: TokenAnswer, earlier: Earlier | None) -> _Judged:
    """What the answer says about the consent of the tenant (an id or a domain). What isn't known is never a no."""
    if answer.claims is not None:
        return _of_token(tenant, needed, answer.claims, earlier)
    number = answer.code.removeprefix("AADSTS")
    match consent_state(number):
        case ConsentState.NOT_CONSENTED if earlier:
            says = f"It had consented, last seen {_day(earlier)}, and the app is gone from the tenant ({answer.code})."
            return _Judged(ConsentStatus.LOST, says, lost=earlier.latest)
        case ConsentState.NOT_CONSENTED:
            return _Judged(ConsentStatus.NOT_YET, f"Nobody there has consented yet ({answer.code}).")
        case ConsentState.DISABLED:
            return _Judged(ConsentStatus.DISABLED, f"The app is turned off in this tenant ({answer.code}).")
        case ConsentState.NO_TENANT:
            says = "Microsoft knows no such tenant: correct its ID or domain, or remove a tenant that was deleted"
            return _Judged(ConsentStatus.NO_TENANT, f"{says} ({answer.code}).")
    if answer.is_own or is_about_credential(number):
        reason = f"your own credential was refused{f' ({answer.code})' if answer.code else ''}"
        return _unknown(reason if answer.code else answer.error, is_own=True)
    return _unknown(answer.error)


def _of_token(tenant: str, needed: Sequence[Needed], claims: TokenClaims, earlier: Earlier | None) -> _Judged:
    if not claims.tenant_id:
        return _unknown("the token can't be decoded, so that its permissions aren't known")
    if claims.user or (claims.scopes and not claims.roles):
        return _unknown("the token is that of a person, and says nothing about the app", is_own=True)
    if is_guid(tenant) and claims.tenant_id.lower() != tenant.lower():
        return _unknown(f"the token is of another tenant, {claims.tenant_id}", is_own=True)
    states = permission_states(needed, claims.roles)
    missing = tuple(one.name for one in states if one.missing)
    if not missing:
        return _Judged(ConsentStatus.CONSENTED, f"It has {_all(len(states))} that the packs need.")
    had = permission_states(needed, earlier.roles) if earlier else ()
    lost = tuple(one.name for one in had if one.name in missing and not one.missing)
    if len(missing) < len(states):
        since = f" It had {', '.join(lost)}, last seen {_day(earlier, lost)}." if lost and earlier else ""
        return _Judged(ConsentStatus.PARTLY, f"Its token lacks {', '.join(missing)}.{since}", missing, lost)
    if lost and earlier:
        says = f"It had consented, last seen {_day(earlier, lost)}, and the app has none of its permissions any more."
        return _Judged(ConsentStatus.LOST, says, missing, lost)
    says = f"The app is in the tenant, but without {_any(len(states))} that the packs need."
    return _Judged(ConsentStatus.PARTLY, says, missing)


def _all(number: int) -> str:
    return "the permission" if number == 1 else f"all {number} permissions"


def _any(number: int) -> str:
    return "the permission" if number == 1 else f"any of the {number} permissions"


def _day(earlier: Earlier, permissions: Iterable[str] = ()) -> str:
    """The day on which the app last had one of the permissions; without them, on which it last had a token."""
    return readable_time(earlier.last(permissions))[:10]


def _unknown(reason: str, *, is_own: bool = False) -> _Judged:
    return _Judged(ConsentStatus.UNKNOWN, f"Not known: {reason}.", reason=reason, is_own=is_own)


def _described(
    one: _Customer, answer: TokenAnswer, judged: _Judged, seen: str, settings: OnboardingSettings
) -> CustomerConsent:
    entry = one.entry
    cloud = cloud_named(entry.cloud)
    request = ConsentRequest(
        status=judged.status,
        customer=entry.name,
        link=one.link,
        client_id=one.client_id,
        app_name=settings.app_name,
        asks=tuple(map(asked_permission, one.needed)),
        redirect_uri=settings.redirect_uri,
        provider=settings.provider,
        missing=judged.missing,
        consented=seen,
        apps=one.apps,
        portal=cloud.portal if cloud.is_national else ADMIN_CENTER,
    )
    return CustomerConsent(
        name=entry.name,
        tenant=entry.tenant,
        status=judged.status,
        says=judged.says,
        tags=entry.tags,
        listed_by=entry.listed_by,
        client_id=one.client_id,
        missing=judged.missing,
        lost=judged.lost,
        consented=seen,
        code=answer.code,
        reason=judged.reason,
        advice=answer.advice if judged.status is ConsentStatus.UNKNOWN else "",
        role=role_for(judged.status),
        link=one.link if judged.status is not ConsentStatus.NO_TENANT else "",
        # Whoever had consented isn't asked again because the answer is missing.
        message=None if judged.status is ConsentStatus.UNKNOWN and seen else consent_message(request),
    )


def _problem(is_own: bool, answer: TokenAnswer, names: Sequence[str]) -> OnboardingProblem:
    return OnboardingProblem(
        kind=ProblemKind.OWN if is_own else ProblemKind.TENANT,
        text=answer.error,
        advice=answer.advice,
        code=answer.code,
        customers=tuple(names),
    )


def _summary(found: Sequence[CustomerConsent], not_asked: int) -> OnboardingSummary:
    number = {status: sum(one.status is status for one in found) for status in ConsentStatus}
    return OnboardingSummary(
        customers=len(found),
        consented=number[ConsentStatus.CONSENTED],
        partly=number[ConsentStatus.PARTLY],
        not_yet=number[ConsentStatus.NOT_YET],
        lost=number[ConsentStatus.LOST],
        disabled=number[ConsentStatus.DISABLED],
        no_such_tenant=number[ConsentStatus.NO_TENANT],
        unknown=number[ConsentStatus.UNKNOWN],
        not_asked=not_asked,
    )


def _hints(found: Sequence[CustomerConsent]) -> Iterator[str]:
    """What all customers together suggest about the registration, which none of them can say alone."""
    answered = [one for one in found if one.status not in (ConsentStatus.UNKNOWN, ConsentStatus.NO_TENANT)]
    if not answered:
        return
    if all(one.code == "AADSTS700016" and one.status is ConsentStatus.NOT_YET for one in answered):
        yield (
            "No tenant knows the app. If you don't expect that: check the client ID, and that the registration supports"
            " accounts in any organizational directory (AzureADMultipleOrgs)."
        )
    if len(answered) > 1 and all(one.status is ConsentStatus.DISABLED for one in answered):
        yield (
            f"The app is turned off in all {count(len(answered), 'tenant')}: check that your registration isn't"
            " deactivated."
        )
