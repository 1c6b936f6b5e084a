"""``fleet onboard``: the consent of all customers, from their lists, a token for each, and the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from msgspec import structs

from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import SILENT, Interaction, Redaction
from auditor.jobs.customer_consents import TokenAnswer, onboard
from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.fleet_reads import TenantToken, ask_fleet
from auditor.jobs.kept_runs import named_history
from auditor.jobs.night_setup import Clock, chosen_tenants
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.redaction import redaction_key
from auditor.jobs.secret_references import Secrets
from auditor.model.configuration import EMPTY_CSV, TenantEntry
from auditor.model.errors import AuditorError
from auditor.model.onboarding import ConsentStatus, CustomerConsent, Onboarding, OnboardingProblem, ProblemKind
from auditor.redact.tokens import TokenMaker
from auditor.render.labels import readable_time

_SECONDS = 30.0
"""The most that a token may take, unless the configuration allows less."""
_LEFT_OUT = "left out of a redacted document"


def onboard_fleet(
    path: str,
    *,
    tenants: Sequence[str] = (),
    tags: Sequence[str] = (),
    history: str = "",
    secrets: Secrets | None = None,
    now: str = "",
    interaction: Interaction = SILENT,
) -> Onboarding:
    """The consent of the customers of the configuration `path`, or of those with these names and one of these tags.

    `history` is a file in place of the configuration's, and `now` the UTC time. Raises ConfigurationError,
    InvalidRequest and PackError.
    """
    configuration, secrets, now = load_configuration(path), secrets or Secrets(), now or Clock().now()
    notes: list[str] = []
    with ExitStack() as stack:
        kept = None
        try:
            kept = stack.enter_context(named_history(history, path).open(secrets, must_exist=False))
        except AuditorError as error:
            notes.append(f"A customer that lost its consent counts as “not yet”, because there is no history: {error}")
        listed = with_customers(configuration, secrets, kept, now=now, interaction=interaction)
        entries = chosen_tenants(listed.configuration, tenants, tags)
        empty = [one.problem for one in configuration.csv_files if one.problem]
        problems = [*_of_lists(listed)]
        if entries:
            notes += empty
        else:
            problems += (OnboardingProblem(kind=ProblemKind.LIST, text=one, advice=EMPTY_CSV) for one in empty)
        return onboard(
            entries,
            configuration.onboarding,
            lambda live: ask(live, secrets, configuration.concurrency, interaction),
            secrets=secrets,
            taken=now,
            history=kept,
            problems=problems,
            notes=notes,
        )


def ask(
    entries: Sequence[TenantEntry], secrets: Secrets, concurrency: int, interaction: Interaction
) -> tuple[TokenAnswer, ...]:
    """Ask for a token in each tenant, with at most `concurrency` requests at the same time and a deadline for each."""
    limited = [structs.replace(entry, timeout=min(entry.timeout, _SECONDS)) for entry in entries]
    return ask_fleet(limited, secrets, _answer, concurrency=concurrency, interaction=interaction)


def _answer(token: TenantToken) -> TokenAnswer:
    if token.failure is None:
        return TokenAnswer(token.claims)
    return TokenAnswer(error=token.failure.error, advice=token.failure.advice, code=token.failure.code)


def _of_lists(listed: ListedConfiguration) -> Iterator[OnboardingProblem]:
    """The lists that could not be read; their customers are those of the last time."""
    for one in listed.lists:
        if one.error:
            last = f"; its customers are those of {readable_time(one.taken)}" if one.taken else ""
            yield OnboardingProblem(
                kind=ProblemKind.LIST, text=f"{one.source} could not be read: {one.error}{last}", advice=one.advice
            )


# ---- Redaction ------------------------------------------------------------------------------------------------------


def redacted_onboarding(found: Onboarding, redaction: Redaction, interaction: Interaction) -> Onboarding:
    """The document with tokens for the customers, and without what names them or you: links, messages, error texts.

    The error codes stay. Raises SnapshotError for a file that isn't a key file, and OSError.
    """
    tokens = TokenMaker(redaction_key(redaction.key_file, interaction))
    names = {one: tokens.name("Tenant", one) for one in (*(c.name for c in found.customers), *found.not_asked)}
    return structs.replace(
        found,
        provider="",
        redirect_uri="",
        customers=tuple(_customer(one, tokens, names) for one in found.customers),
        problems=tuple(_problem(one, names) for one in found.problems),
        not_asked=tuple(names[one] for one in found.not_asked),
        notes=(),
    )


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
