"""The consent of customers without names: the same tokens for the same tenants as in other redacted documents."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import Interaction, Redaction
from auditor.jobs.redaction import redaction_key
from auditor.model.onboarding import ConsentStatus, CustomerConsent, Onboarding, OnboardingProblem, ProblemKind
from auditor.redact.text_folding import fold
from auditor.redact.tokens import TokenMaker

_LEFT_OUT = "left out of a redacted document"


def redacted_onboarding(found: Onboarding, redaction: Redaction, interaction: Interaction) -> Onboarding:
    """The document with tokens for the customers, and without what names them or you: links, messages, error texts.

    The error codes stay. Raises SnapshotError for a file that isn't a key file, and OSError.
    """
    tokens = TokenMaker(redaction_key(redaction.key_file, interaction))
    names = {one: _name(tokens, one) for one in (*(c.name for c in found.customers), *found.not_asked)}
    return structs.replace(
        found,
        provider="",
        redirect_uri="",
        customers=tuple(_customer(one, tokens, names) for one in found.customers),
        problems=tuple(_problem(one, names) for one in found.problems),
        not_asked=tuple(names[one] for one in found.not_asked),
        notes=(),
    )


def _name(tokens: TokenMaker, name: str) -> str:
    return f"Tenant {tokens.short('Tenant', fold(name) or name)}"


def _customer(one: CustomerConsent, tokens: TokenMaker, names: Mapping[str, str]) -> CustomerConsent:
    tenant = tokens.guid(one.tenant) if is_guid(one.tenant) else tokens.host("tenant", one.tenant)
    reason = (one.code or _LEFT_OUT) if one.reason else ""
    says = f"Not known: {reason}." if one.status is ConsentStatus.UNKNOWN else one.says
    return structs.replace(
        one,
        name=names[one.name],
        tenant=tenant,
        tags=(),
        listed_by="",
        client_id="",
        says=says,
        reason=reason,
        advice="",
        link="",
        message=None,
    )


def _problem(one: OnboardingProblem, names: Mapping[str, str]) -> OnboardingProblem:
    text = one.code or {ProblemKind.LIST: "a list could not be read"}.get(one.kind, f"the reason is {_LEFT_OUT}")
    advice = one.advice if one.code else ""
    return structs.replace(one, text=text, advice=advice, customers=tuple(names[name] for name in one.customers))
