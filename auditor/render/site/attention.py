"""Which tenants need attention, why, and which of them first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from auditor.model.decision import Outcome
from auditor.model.document import ENDS_SOON_DAYS, count, days_left, parse_time, sentence, time_left
from auditor.model.history import Run, RunFinding, RunState
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.site import SiteData, SiteTenant
from auditor.render.labels import NAME_WIDTH, SEVERE, flat, readable_time
from auditor.render.site.nights import AppNights, NightKind, SiteNight, apps_of, nights_of, nights_without_audit
from auditor.render.text_layout import clip

_WHY, _TITLE = 200, 90
"""Columns of a cause, and of the title of a rule."""


class ReasonRank(IntEnum):
    """The order of reasons. What stops the audit comes first, because the other answers are then old."""

    NO_AUDIT = 0
    CONNECTION = 1
    CRITICAL = 2
    HIGH = 3
    UNKNOWN = 4
    EXPIRY = 5


class AttentionReason(NamedTuple):
    """Why a tenant needs attention: a word with its tone, what, since when, and whether the last run found it first.

    `why` is a sentence about the cause.
    """

    rank: ReasonRank
    word: str
    tone: str
    what: str
    since: str = ""
    is_new: bool = False
    why: str = ""


class TenantNights:
    """A tenant with its nights, its apps and the reasons why it needs attention; computed once for all pages."""

    def __init__(self, tenant: SiteTenant, site: SiteData) -> None:
        self.tenant = tenant
        self.at = site.at
        self.nights: tuple[SiteNight, ...] = nights_of(tenant, site.at)
        self.apps: tuple[AppNights, ...] = apps_of(self.nights)
        self.name = clip(tenant.name or tenant.key, NAME_WIDTH)

    @cached_property
    def reasons(self) -> tuple[AttentionReason, ...]:
        """Why the tenant needs attention, what matters most first; empty if it doesn't."""
        return tuple(sorted(self._reasons(), key=lambda reason: (reason.rank, not reason.is_new)))

    @property
    def is_new(self) -> bool:
        """Whether the last run, or its absence, found a reason first."""
        return any(reason.is_new for reason in self.reasons)

    @property
    def order(self) -> tuple[bool, int, str, str]:
        """What tenants that need attention are sorted by: new reasons first, then the rank of the worst reason."""
        newest = min((r.rank for r in self.reasons if r.is_new), default=99)
        worst = min((r.rank for r in self.reasons), default=99)
        return (not self.is_new, newest if self.is_new else worst, self.name.casefold(), self.tenant.key)

    @cached_property
    def last_seen(self) -> str:
        """When the last audit was made, if there should have been one since; else nothing."""
        audit = self.tenant.last_finished
        return audit.started if audit is not None and self._missing else ""

    def tone(self, app: AppNights) -> str:
        """The tone of the app's outcome. A good one that is old isn't shown as good."""
        return "quiet" if self.last_seen and app.tone == "good" else app.tone

    @cached_property
    def _missing(self) -> tuple[SiteNight, ...]:
        return nights_without_audit(self.nights)

    @property
    def has_one_audit(self) -> bool:
        """Whether the tenant has one audit only, so that nothing in it is new."""
        return sum(run.state is RunState.FINISHED for run in self.tenant.runs) < 2

    def _reasons(self) -> Iterator[AttentionReason]:
        if (reason := self._no_audit()) is not None:
            yield reason
        yield from self._connections()
        for severity in (Severity.CRITICAL, Severity.HIGH):
            if (reason := self._failing(severity)) is not None:
                yield reason
        if (reason := self._unknown()) is not None:
            yield reason
        if (reason := self._expiry()) is not None:
            yield reason

    def _no_audit(self) -> AttentionReason | None:
        last = self.tenant.last
        if last is None:
            return AttentionReason(ReasonRank.NO_AUDIT, "NO RUN", "waived", "No run has ended yet.")
        missing = self._missing
        if not missing and last.state is RunState.FINISHED:
            return None
        good = self.tenant.last_finished
        since = f"last audit {readable_time(good.started)}" if good else "no audit yet"
        since = "" if good is last else since
        if missing and missing[-1].without is NightKind.MISSED:
            nights = sum(night.without is NightKind.MISSED for night in missing)
            what = f"No run for {count(nights, 'night')}, since {readable_time(last.started)}."
            return AttentionReason(ReasonRank.NO_AUDIT, "NO RUN", "waived", what, since, len(missing) == 1)
        is_new = len(missing) <= 1 and good is not None
        return AttentionReason(ReasonRank.NO_AUDIT, "RUN FAILED", "waived", run_error(last), since, is_new)

    def _connections(self) -> Iterator[AttentionReason]:
        last = self.tenant.last_finished
        for app in self.apps:
            outcome = app.decision.outcome
            if not app.is_current or outcome.connects:
                continue
            rank = ReasonRank.UNKNOWN if outcome is Outcome.DEPENDS else ReasonRank.CONNECTION
            is_new = last is not None and app.since.id == last.id and not app.is_first and self.tenant.last is last
            yield AttentionReason(rank, app.word, app.tone, app.name, self.since(app), is_new, _cause(app))

    def since(self, app: AppNights) -> str:
        """``since 2026-11-20, 3 days``; an outcome as old as the oldest kept audit can be older.

        If the last nights have no audit, ``since 2026-11-20, last seen 2026-11-22``.
        """
        day = app.since.started[:10]
        if self.last_seen:
            return f"since {day}{' or earlier' if app.is_first else ''}, last seen {self.last_seen[:10]}"
        if app.is_first:
            return f"since {day} or earlier" if not self.has_one_audit else f"first audit {day}"
        return f"since {day}{age_after_comma(day, self.at)}"

    def findings(self, outcome: FindingOutcome) -> tuple[RunFinding, ...]:
        """The findings of the last audit with this outcome, the most severe first, then the oldest."""
        found = [one for one in self.tenant.findings if one.outcome is outcome]
        return tuple(sorted(found, key=lambda f: (f.severity.rank, f.since or "9", f.title, f.rule, f.fingerprint)))

    def _unknown(self) -> AttentionReason | None:
        found = [one for one in self.findings(FindingOutcome.UNKNOWN) if one.severity in SEVERE]
        if not found:
            return None
        return self._of_findings(found, ReasonRank.UNKNOWN, f"{len(found)} UNKNOWN", "unsure")

    def _failing(self, severity: Severity) -> AttentionReason | None:
        found = [one for one in self.findings(FindingOutcome.FAIL) if one.severity is severity]
        if not found:
            return None
        rank = ReasonRank.CRITICAL if severity is Severity.CRITICAL else ReasonRank.HIGH
        return self._of_findings(found, rank, f"{len(found)} {severity.value.upper()}", "bad")

    def _of_findings(self, found: Sequence[RunFinding], rank: ReasonRank, word: str, tone: str) -> AttentionReason:
        """The reason that these findings make, named by the first one: a new one if there is one."""
        new = [one for one in found if self.is_finding_new(one)]
        first = (new or found)[0]
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        since = f"since {first.since[:10]}{age_after_comma(first.since, self.at)}" if first.since else ""
        return AttentionReason(
            rank, word, tone, f"{clip(flat(first.title).rstrip('.'), _TITLE)}{more}", since, bool(new)
        )

    def is_finding_new(self, finding: RunFinding) -> bool:
        """Whether the last audit is the first one with this outcome, and isn't the first audit of the tenant."""
        last = self.tenant.last_finished
        if last is None or last is not self.tenant.last or self.has_one_audit or not finding.since:
            return False
        return finding.since in (last.started, last.taken)

    def _expiry(self) -> AttentionReason | None:
        last = self.tenant.last_finished
        days = days_left(last.credential_expires, parse_time(self.at)) if last else None
        if last is None or days is None or days > ENDS_SOON_DAYS:
            return None
        day = last.credential_expires[:10]
        when = f"ended {day}" if days < 0 else f"ends {day}, {time_left(days)}"
        return AttentionReason(ReasonRank.EXPIRY, "CREDENTIAL", "unsure", f"The audit's own credential {when}.")


def _cause(app: AppNights) -> str:
    """Why the app has this outcome, cut to about two lines."""
    return clip(sentence(flat(app.decision.because)), _WHY)


def run_error(run: Run) -> str:
    """Why a run made no audit."""
    if run.state is RunState.INTERRUPTED:
        return sentence(run.error or "The run was interrupted: the process ended before it could say how")
    return sentence(flat(run.error) or "The run failed")


def age(since: str, at: str) -> str:
    """``3 days``, ``today``, as the calendar counts; empty if it isn't known."""
    first, now = parse_time(since), parse_time(at)
    days = (now.date() - first.date()).days if first and now else -1
    if days < 0:
        return ""
    return "today" if days == 0 else count(days, "day")


def age_after_comma(since: str, at: str) -> str:
    """The age after a comma, or nothing."""
    text = age(since, at)
    return f", {text}" if text else ""


def sorted_states(site: SiteData) -> Sequence[TenantNights]:
    """The tenants by name."""
    states = [TenantNights(tenant, site) for tenant in site.tenants]
    return sorted(states, key=lambda state: (state.name.casefold(), state.tenant.key))
