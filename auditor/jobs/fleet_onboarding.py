"""The consent of all customers of a configuration: their lists, a token for each, and the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from msgspec import structs

from auditor.jobs.audit_request import SILENT, Interaction
from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.fleet_reads import TenantToken, ask_fleet
from auditor.jobs.kept_runs import named_history
from auditor.jobs.night_setup import Clock, chosen_tenants
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.onboarding import TokenAnswer, onboard
from auditor.jobs.secret_references import Secrets
from auditor.model.configuration import TenantEntry
from auditor.model.errors import AuditorError, InvalidRequest
from auditor.model.onboarding import Onboarding, OnboardingProblem, ProblemKind
from auditor.render.labels import readable_time

_SECONDS = 30.0
"""The most that a token may take, unless the configuration allows less."""


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
        entries = with_tags(chosen_tenants(listed.configuration, tenants), tags)
        return onboard(
            entries,
            configuration.onboarding,
            lambda live: ask(live, secrets, configuration.concurrency, interaction),
            secrets=secrets,
            taken=now,
            history=kept,
            problems=tuple(_of_lists(listed)),
            notes=notes,
        )


def with_tags(entries: Sequence[TenantEntry], tags: Sequence[str]) -> tuple[TenantEntry, ...]:
    """The tenants that have one of the tags; all without tags. Raises InvalidRequest for a tag that none has."""
    if not tags:
        return tuple(entries)
    known = {tag.lower() for entry in entries for tag in entry.tags}
    for tag in tags:
        if tag.lower() not in known:
            every = ", ".join(sorted(known)) or "none"
            raise InvalidRequest(f'--tag: no tenant has the tag "{tag}"; the tags are: {every}')
    wanted = {tag.lower() for tag in tags}
    return tuple(entry for entry in entries if wanted.intersection(tag.lower() for tag in entry.tags))


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
