"""The ways to mend a decision, each computed from what the tenant holds.

Source: Entra, the pages that each route's file names. R2 (the portal's own button) is a step of R1, R10 (a risky
app) and R11 (a grant that lacks scopes) are mended by R1 and R3, and for R12 (vendor, Microsoft, licence) there is
advice in `auditor.consent.advice` and nothing to change.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import Case
from auditor.fixes.admin_consent import admin_consent, consent_for_one
from auditor.fixes.candidate import Candidate
from auditor.fixes.consent_policy import custom_policy
from auditor.fixes.consent_workflow import workflow
from auditor.fixes.enterprise_app import assign_users, drop_assignment, enable_sign_in
from auditor.fixes.user_consent_setting import classifications, user_consent_settings


def candidates(case: Case) -> Iterator[Candidate]:
    """Everything that might mend `case`, least exposure first; proving sorts out what does not."""
    yield from enable_sign_in(case)
    yield from consent_for_one(case)
    yield from admin_consent(case)
    yield from custom_policy(case)
    yield from assign_users(case)
    yield from drop_assignment(case)
    yield from classifications(case)
    yield from workflow(case)
    yield from user_consent_settings(case)
