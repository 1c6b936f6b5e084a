"""The admin consent workflow: what a user without the right to consent is shown, and who hears of it."""

from __future__ import annotations

import msgspec

from auditor.consent.logic import Truth, known
from auditor.consent.reading import consent_setting, not_read
from auditor.model.snapshot import Snapshot

LEGACY_SETTING = "EnableAdminConsentRequests"


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether users may ask for approval; `reviewers` counts the reviewer entries, ``None`` when not known."""

    enabled: Truth
    reviewers: int | None = None
    why: str = ""
    doubts: tuple[str, ...] = ()


def workflow(snapshot: Snapshot) -> Workflow:
    """The state of the workflow; the older directory setting stands in for a policy that was not read."""
    policy = snapshot.sections.adminConsentRequestPolicy
    if policy is not None and policy.isEnabled is not None:
        reviewers = None if policy.reviewers is None else len(policy.reviewers)
        return Workflow(enabled=known(policy.isEnabled), reviewers=reviewers)
    unread = not_read(snapshot, "adminConsentRequestPolicy").why
    setting = consent_setting(snapshot, LEGACY_SETTING)
    if isinstance(setting, str):
        doubt = f"{unread}; the older directory setting {LEGACY_SETTING} stands in"
        return Workflow(enabled=known(setting == "true"), why=unread, doubts=(doubt,))
    return Workflow(enabled=Truth.UNKNOWN, why=unread)
