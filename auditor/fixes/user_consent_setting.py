"""R5 and R9: classify the missing scopes, or change the tenant's user consent setting.

Both open more than one app. Sources: Entra, "Configure permission classifications" and "Configure how users consent
to applications".
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case, Row
from auditor.consent.explanation import listed
from auditor.consent.lookup import NotRead, assigned_policies
from auditor.consent.policies import self_consent_ids
from auditor.consent.truth import Truth
from auditor.facts.ids import POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED
from auditor.fixes import requests as graph
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.consent_policy import READ_BACK
from auditor.fixes.portal_text import ADMINS, CHECK_AGAIN, POLICY_ADMIN, consent_page

LEVELS = ("low", "medium", "high")


def classifications(case: Case) -> Iterator[Candidate]:
    """R5: only where an assigned policy asks for a classification, one candidate for each that is asked for."""
    if isinstance(case.policies, NotRead):
        return
    asked = {
        conditions.permissionClassification.lower()
        for assigned in case.policies
        if assigned.policy
        for conditions in assigned.policy.includes or ()
    }
    missing = tuple(r for r in (*case.required, *case.extra) if _wanting(case, r))
    if missing and all(_can_be_classified(r) for r in missing):
        for level in LEVELS:
            if level in asked:
                yield _classified(case, missing, level)


def _wanting(case: Case, row: Row) -> bool:
    """Whether consent asks for this scope and no policy approves it."""
    asks_again = case.app.prompt_consent or case.app.mode.is_static
    return row.approval.truth is not Truth.TRUE and (asks_again or row.granted.truth is not Truth.TRUE)


def _can_be_classified(row: Row) -> bool:
    """Only what needs no administrator can be; what is in another bucket was put there on purpose."""
    p = row.permission
    return p.id is not None and p.user_type is Truth.TRUE and p.classification == ""


def _classified(case: Case, missing: tuple[Row, ...], level: str) -> Candidate:
    base = graph.base_of(case.snapshot)
    requests = tuple(
        graph.classify(base, r.permission.resource, r.permission.id or "", r.permission.value, level, number)
        for number, r in enumerate(missing, start=1)
    )
    names = listed(r.permission.value for r in missing)
    where = listed(r.permission.resource_name for r in missing)
    page = f"Permission classifications > {level.capitalize()}"
    return Candidate(
        route="R5",
        key="R5" if level == "low" else f"R5-{level}",
        mends=Mends.CONSENT,
        promise=Promise.CONNECTS,
        title=f"Classify the missing scopes of {where} as {level} impact",
        role=ADMINS,
        portal=(
            f"Open {consent_page(case, page)}.",
            f"Choose Add permissions, pick {where}, and add {names}.",
        ),
        requests=requests,
        verify=CHECK_AGAIN,
        undo=f"Remove the same entries under {page}.",
        expect="The scopes of sign-in (openid, profile, email, offline_access, User.Read) have to be classified too.",
    )


_SETTINGS = (
    ("low", POLICY_LOW, "Allow user consent for apps from verified publishers, for selected permissions"),
    ("recommended", POLICY_RECOMMENDED, "Let Microsoft manage your consent settings"),
    ("legacy", POLICY_LEGACY, "Allow user consent for apps"),
)
"""Least first: key, policy and the portal's label."""


def user_consent_settings(case: Case) -> Iterator[Candidate]:
    """R9: one of Microsoft's policies is assigned besides what is assigned already."""
    entries = assigned_policies(case.snapshot)
    if isinstance(entries, NotRead):
        return
    assigned = {policy_id.lower() for policy_id in self_consent_ids(entries)}
    for key, policy_id, label in _SETTINGS:
        if policy_id not in assigned:
            yield _setting(case, entries, (key, policy_id, label), alone=not assigned)


def _setting(case: Case, entries: tuple[str, ...], choice: tuple[str, str, str], *, alone: bool) -> Candidate:
    key, policy_id, label = choice
    base = graph.base_of(case.snapshot)
    entry = f"ManagePermissionGrantsForSelf.{policy_id}"
    # The portal's choice replaces what users could consent to so far; only where that is nothing, it is the same.
    portal = (f"Open {consent_page(case, 'User consent settings')}.", f'Choose "{label}" and save.')
    old = "The portal may not offer this choice any more; Graph does. " if key == "legacy" and alone else ""
    return Candidate(
        route="R9",
        key=f"R9-{key}",
        mends=Mends.CONSENT,
        promise=Promise.CONNECTS,
        title=f'Change the user consent setting of the tenant to "{label}" (not advised for the sake of one app)',
        role=f"{POLICY_ADMIN} for Graph, Global Administrator for the portal" if alone else POLICY_ADMIN,
        portal=portal if alone else (),
        requests=(graph.assign_policies(base, (entry, *entries)),),
        verify=READ_BACK.format(base=base),
        undo=f"Take {entry} out of the list of assigned policies.",
        expect=f"{old}Every user and every app is concerned, and benchmarks such as CIS and SCuBA may fail the tenant.",
    )
