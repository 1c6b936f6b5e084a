"""Risk-based step-up consent: when Microsoft asks for an administrator because a request looks risky.

Source: Entra, "Configure risk-based step-up consent" and "Publisher verification overview". Microsoft's own
verdict cannot be read, so whatever this says of a request is never more than likely.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.consent.client import Client
from auditor.consent.logic import Truth, all_of, known
from auditor.consent.permission import Permission
from auditor.consent.reading import Absent, NotRead, consent_setting, not_read
from auditor.model.app import App
from auditor.model.snapshot import Snapshot
from auditor.model.wellknown import BASIC_SCOPES, MICROSOFT_GRAPH

SETTING = "BlockUserConsentForRiskyApps"


class StepUp(msgspec.Struct, frozen=True):
    """Whether step-up is switched on; `why` is a clause, `needs` the missing fact."""

    truth: Truth
    why: str
    needs: str = ""


def step_up(snapshot: Snapshot) -> StepUp:
    """Whether the tenant has step-up on: it has, unless every indicator that is present says off."""
    policy = snapshot.sections.authorizationPolicy
    setting = consent_setting(snapshot, SETTING)
    allowed = policy.allowUserConsentForRiskyApps if policy else None
    if allowed is False or setting == "true":
        return StepUp(Truth.TRUE, "risk-based step-up consent is switched on")
    if policy is None:
        why = not_read(snapshot, "authorizationPolicy").why
        return StepUp(Truth.UNKNOWN, why, f"whether risk-based step-up is on ({why})")
    if isinstance(setting, NotRead):
        # Absent indicators do not count, so with the policy silent the setting alone could switch it off.
        needs = f"whether risk-based step-up is on ({setting.why})"
        return StepUp(Truth.UNKNOWN, setting.why, needs)
    if allowed is None and isinstance(setting, Absent):
        return StepUp(Truth.TRUE, "risk-based step-up consent is on by default")
    return StepUp(Truth.FALSE, "risk-based step-up consent is switched off")


def looks_risky(snapshot: Snapshot, app: App, client: Client, asked: Iterable[Permission]) -> Truth:
    """Whether the request has the typical marks of a risky one.

    A multi-tenant app of another tenant, registered after 8 November 2020, whose publisher is not verified,
    and which asks for more than sign-in and the user's own profile.
    """
    beyond = any(p.resource != MICROSOFT_GRAPH or p.value.lower() not in BASIC_SCOPES for p in asked if not p.implicit)
    owner = client.owner_tenant
    foreign = Truth.UNKNOWN if owner is None else known(owner.lower() != snapshot.tenant.id.lower())
    old = Truth.TRUE if app.registered_before_2020_11_08 else Truth.FALSE
    return all_of((known(beyond), ~client.publisher_verified, foreign, ~old))
