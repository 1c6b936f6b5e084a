"""What a connection needs besides consent, by Microsoft's documentation.

``access_requirements.json`` has the services, the controls of Conditional Access and the plans with a mailbox, with ids
in lower case. ``unreadable_settings.json`` has what can't be read from Microsoft Graph, so that a report can name it as
unknown. Both name their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from auditor.facts import load_table
from auditor.facts.ids import RESOURCES


class BeyondConsent(msgspec.Struct, frozen=True):
    """A fact that no read of this program gives, and that decides about apps with certain scopes.

    `why` has the placeholder ``{scopes}``; `verify` is the command of Exchange Online PowerShell that
    shows the fact, and `symptom` what happens where it is in the way. `scopes` are by the name of their resource.
    """

    key: str
    name: str
    source: str
    scopes: Mapping[str, tuple[str, ...]]
    why: str
    verify: str
    symptom: str

    def concerns(self, resource: str, scope: str) -> bool:
        """Whether it decides about apps that ask for this scope of this resource (app id); letter case is ignored."""
        names = next(
            (self.scopes.get(name, ()) for name, app_id in RESOURCES.items() if app_id == resource.lower()), ()
        )
        return scope.lower() in (name.lower() for name in names)


class _Outside(msgspec.Struct, frozen=True):
    key: str
    source: str
    text: str


class _Table(msgspec.Struct, frozen=True):
    source: str
    unknowns: tuple[BeyondConsent, ...]
    outside: tuple[_Outside, ...]


@cache
def _table() -> _Table:
    return load_table("unreadable_settings", _Table)


def unknowns_about_scopes() -> tuple[BeyondConsent, ...]:
    """Every fact that depends on the scopes of an app."""
    return _table().unknowns


def outside_the_audit() -> tuple[str, ...]:
    """What no audit by this program covers, whatever it reads; each a full sentence or more."""
    return tuple(one.text for one in _table().outside)


class TargetedService(msgspec.Struct, frozen=True):
    """A resource that Conditional Access policies target.

    `scopes` are the first parts (``Mail`` of ``Mail.Read``) of the scopes of Microsoft Graph that lead to it.
    """

    app_id: str
    name: str
    in_office_365: bool
    scopes: tuple[str, ...]


class Control(msgspec.Struct, frozen=True):
    """What a control demands, as the end of a sentence about the policy, and the codes that a user sees without it.

    `effect` is ``stops`` for what neither a vendor's server nor an unmanaged device can give, ``asks`` for what a user
    can give during the sign-in, and ``unknown``.
    """

    demand: str
    effect: str
    codes: tuple[str, ...]


class Strength(msgspec.Struct, frozen=True):
    """A built-in authentication strength."""

    name: str
    effect: str


class ExchangePlan(msgspec.Struct, frozen=True):
    """A service plan of Exchange Online, and whether it comes with a mailbox."""

    name: str
    mailbox: bool


class UnreadSetting(msgspec.Struct, frozen=True):
    """A setting that Microsoft Graph doesn't show and that can stop an app.

    It matters for scopes that begin with one of `scopes`, or for any if there are none. `how` is a command of Exchange
    Online PowerShell; ``{user}`` in it is the mailbox.
    """

    scopes: tuple[str, ...]
    what: str
    why: str
    how: str


class _AfterConsent(msgspec.Struct, frozen=True):
    source: str
    services: tuple[TargetedService, ...]
    baseline_scopes: tuple[str, ...]
    controls: Mapping[str, Control]
    risk_code: str
    codes: Mapping[str, str]
    strengths: Mapping[str, Strength]
    exchange_plans: Mapping[str, ExchangePlan]
    not_checked: tuple[UnreadSetting, ...]


_TABLE = load_table("access_requirements", _AfterConsent)

SERVICES = _TABLE.services
"""The services of Microsoft behind the scopes that apps request."""

DIRECTORY = next(one for one in SERVICES if one.name == "Windows Azure Active Directory")
"""The resource as which the baseline scopes are evaluated."""

BASELINE_SCOPES = frozenset(scope.lower() for scope in _TABLE.baseline_scopes)
"""Scopes of Microsoft Graph, in lower case, that count as access to the directory if an app asks for nothing else."""

CONTROLS = _TABLE.controls
"""By the name that Graph uses; ``tokenProtection`` and ``customAuthenticationFactor`` are this program's own names."""

RISK_CODE = _TABLE.risk_code
"""What a user without a second factor sees if a policy for risky sign-ins demands one."""

CODES = _TABLE.codes
"""What each code means."""

STRENGTHS = _TABLE.strengths
"""The built-in authentication strengths by id; the ids are the same in every tenant."""

EXCHANGE_PLANS = _TABLE.exchange_plans
"""Service plans by id. There are others."""

UNREAD_SETTINGS = _TABLE.not_checked
"""What this program can't read, so that it is always unknown."""
