"""Whether the last audit of a tenant still counts, from its runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from auditor.facts.sign_in_codes import ConsentState, consent_state
from auditor.model.document import count, parse_time, sentence, utc_text
from auditor.model.fleet import AuditState
from auditor.model.history import Run, RunState

STALE_AFTER_RUNS = 3
"""Scheduled runs after which an audit is too old to count. One missed night isn't enough."""
RUN_AGAIN = "Run the tenant again: consent-auditor nightly run --tenant NAME"
"""What to do about a tenant whose last audit doesn't count."""
_ASK_FOR_CONSENT = (
    "An administrator of the customer has to consent to the audit app; for the link and a message:"
    " consent-auditor fleet onboard --tenant NAME"
)
_ENABLE = (
    "An administrator of the customer has to enable the audit app in the Entra admin center, under Enterprise apps."
)
_REMOVE = "The tenant is gone, or its ID is wrong: correct the configuration, or remove the tenant."
_ADVICE: Mapping[ConsentState, str] = MappingProxyType(
    {
        ConsentState.NOT_CONSENTED: _ASK_FOR_CONSENT,
        ConsentState.DISABLED: _ENABLE,
        ConsentState.NO_TENANT: _REMOVE,
    }
)
_CODE = re.compile(r"AADSTS(\d+)")
ONE_DAY = 24.0
"""Hours between two runs, if no configuration says how often a run is due."""


class Freshness(NamedTuple):
    """Whether the last audit counts, and if it doesn't, why (a sentence) and what to do."""

    state: AuditState
    problem: str = ""
    advice: str = ""


def oldest_start(at: str, schedule_hours: float | None) -> str:
    """The UTC time before which an audit must not have started to count at the time `at`; empty if that isn't known.

    Without a schedule, a run is expected each day.
    """
    now = parse_time(at)
    hours = (schedule_hours or ONE_DAY) * STALE_AFTER_RUNS
    return utc_text(now - timedelta(hours=hours)) if now else ""


def freshness(last: Run | None, audit: Run | None, oldest: str = "") -> Freshness:
    """Whether `audit`, the latest run that made an audit, counts; `last` is the latest run that ended.

    It doesn't count if a later run failed or was interrupted, or if it started before `oldest`: then nobody knows what
    is so now.
    """
    if last is None:
        return Freshness(AuditState.NEVER, "No run has ended yet.", "Run it: consent-auditor nightly run")
    if audit is None:
        return Freshness(AuditState.FAILED, _failed(last), advice_about(last.error))
    if last.state is not RunState.FINISHED:
        return Freshness(AuditState.STALE, _failed(last), advice_about(last.error))
    if oldest and audit.started < oldest:
        return Freshness(
            AuditState.STALE, f"The last audit is older than {count(STALE_AFTER_RUNS, 'scheduled run')}.", RUN_AGAIN
        )
    return Freshness(AuditState.AUDITED)


def advice_about(error: str) -> str:
    """What to do about a run that failed: whom to ask, if the sign-in says what the tenant lacks."""
    code = _CODE.search(error)
    state = consent_state(code[1]) if code else None
    return _ADVICE[state] if state is not None else RUN_AGAIN


def _failed(run: Run) -> str:
    if run.state is RunState.INTERRUPTED and not run.error:
        return "The last run was interrupted."
    return sentence(run.error or "the last run failed")


_FILE = re.compile(r"^(?:[A-Za-z]:[/\\])?[^\s:]*[./\\][^:]*?: ")


def without_file(problem: str) -> str:
    """The problem without the file that it starts with."""
    return sentence(_FILE.sub("", problem, count=1)) if problem else ""
