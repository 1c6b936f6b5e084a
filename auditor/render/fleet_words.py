"""The words of a report on many tenants: the states of an app, titles, sources, changes, and what ends."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from auditor.model.decision import Outcome
from auditor.model.difference import TRANSITION_WORDS, ChangeKind
from auditor.model.document import count, time_left
from auditor.model.fleet import (
    AppState,
    AuditState,
    EndingKind,
    FleetChange,
    FleetEnding,
    FleetReport,
    FleetSource,
    StateCounts,
)
from auditor.render.labels import NAME_WIDTH, OUTCOMES
from auditor.render.text_layout import clip


class StateLabel(NamedTuple):
    """The word of a state in capitals, its style, and what one tenant and several tenants do."""

    word: str
    style: str
    one: str
    many: str


STATES = MappingProxyType(
    {
        AppState.CONNECTS: StateLabel(OUTCOMES[Outcome.USER_MAY_CONSENT].word, "good", "connects", "connect"),
        AppState.LACKS_SCOPES: StateLabel(
            OUTCOMES[Outcome.CONNECTS_BUT_LACKS_SCOPES].word, "bad", "lacks permissions", "lack permissions"
        ),
        AppState.NEEDS_ADMIN: StateLabel(
            OUTCOMES[Outcome.NEEDS_ADMIN].word, "bad", "needs an administrator", "need an administrator"
        ),
        AppState.BLOCKED: StateLabel(OUTCOMES[Outcome.BLOCKED].word, "bad", "is blocked", "are blocked"),
        AppState.UNKNOWN: StateLabel("UNKNOWN", "unsure", "is unknown", "are unknown"),
    }
)
"""In the order in which counts are shown."""

AUDITS = MappingProxyType(
    {
        AuditState.AUDITED: "audited",
        AuditState.STALE: "no current audit",
        AuditState.FAILED: "no audit",
        AuditState.NEVER: "never audited",
        AuditState.UNREADABLE: "file not readable",
    }
)
"""How current the audit of a tenant is."""

ENDINGS = MappingProxyType(
    {
        EndingKind.CREDENTIAL: "Credential",
        EndingKind.RELATIONSHIP: "GDAP relationship",
        EndingKind.WAIVER: "Waiver",
        EndingKind.CONSENT_REQUEST: "Consent request",
    }
)


def state_word(state: AppState, *, likely: bool = False) -> str:
    """The state in capitals, marked if it's only likely."""
    word = STATES[state].word
    return f"{word} (likely)" if likely else word


def state_text(value: str) -> str:
    """The value of a state in capitals, as `FleetChange` has it; another value is returned as it is."""
    found = next((state for state in AppState if state.value == value), None)
    return STATES[found].word if found else value


def number_of(counts: StateCounts, state: AppState) -> int:
    """How many tenants have the state."""
    number: int = getattr(counts, state.value.replace("-", "_"))
    return number


def fleet_title(report: FleetReport) -> str:
    """``TrackerRMS in 40 tenants``, ``3 apps in 40 tenants``."""
    tenants = count(len(report.tenants), "tenant")
    if not report.apps:
        return f"Consent audits of {tenants}"
    name = clip(report.apps[0].name, NAME_WIDTH) if len(report.apps) == 1 else count(len(report.apps), "app")
    return f"{name} in {tenants}"


def source_text(report: FleetReport) -> str:
    """Where the answers come from."""
    where = {
        FleetSource.HISTORY: "the last audits in the history",
        FleetSource.LIVE: "read from the tenants for this report",
        FleetSource.FILES: "snapshots and bundles, without access to the tenants",
    }[report.source]
    return f"{where} ({report.place})" if report.place else where


def change_words(change: FleetChange) -> str:
    """``CONNECTS is now NEEDS ADMIN`` for an app; else what happened, in a word."""
    if change.kind is ChangeKind.DECISION:
        return f"{state_text(change.before)} is now {state_text(change.after)}"
    if change.kind is ChangeKind.FINDING:
        return "now fails" if change.worse else "no longer fails"
    return TRANSITION_WORDS[change.transition]


def change_values(change: FleetChange) -> str:
    """``everyone, now none``: the values, if the words of the change don't say them."""
    if change.kind in (ChangeKind.DECISION, ChangeKind.FINDING) or not (change.before or change.after):
        return ""
    return f"{change.before or 'nothing'}, now {change.after or 'nothing'}"


def ending_text(one: FleetEnding) -> tuple[str, str]:
    """``in 8 days``, and its style."""
    if one.days < 0:
        return "has ended", "bad"
    return time_left(one.days), "unsure" if one.days else "bad"
