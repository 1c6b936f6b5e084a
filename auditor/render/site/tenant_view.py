"""The page of a tenant, and the page of a run in which something changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from auditor.model.difference import TRANSITION_WORDS, Difference, DifferenceSummary, Transition
from auditor.model.document import count, sentence
from auditor.model.history import Run, RunState
from auditor.model.rule import FindingOutcome
from auditor.model.site import SiteTenant, is_changed
from auditor.render.labels import OUTCOMES, SEVERE, flat, readable_time
from auditor.render.report_view import short_digest
from auditor.render.site.attention import AttentionReason, TenantNights, age, run_error
from auditor.render.site.change_view import DifferenceView, difference_view
from auditor.render.site.charts import Course, Strip, course, legend, month_strips, strip_words
from auditor.render.site.index_view import TagLink, failing_text, tag_links, unknown_text
from auditor.render.site.nights import KINDS, NightKind, Span, decisions_of, run_day
from auditor.render.site.page_names import PageLinks


class SpanRow(NamedTuple):
    """Nights in a row of one outcome, in words."""

    start: str
    end: str
    nights: int
    word: str
    tone: str


class AppView(NamedTuple):
    """An app of the tenant: its verdict, why, and every night as pictures, in a sentence and as a table."""

    number: int
    name: str
    client_id: str
    word: str
    tone: str
    because: str
    since: str
    strips: tuple[Strip, ...]
    words: str
    rows: tuple[SpanRow, ...]
    note: str


class OpenFinding(NamedTuple):
    """A finding of the last audit that fails or is unknown."""

    severity: str
    is_severe: bool
    title: str
    rule: str
    pack: str
    since: str
    age: str
    is_new: bool


class ChangedRun(NamedTuple):
    """A run in which something changed."""

    at: str
    href: str
    what: str


class FailedRuns(NamedTuple):
    """Runs in a row without an audit for the same reason: when, how many, and why."""

    when: str
    number: int
    why: str


class TenantView(NamedTuple):
    """Everything on the page of a tenant."""

    name: str
    tags: tuple[TagLink, ...]
    reasons: tuple[AttentionReason, ...]
    facts: tuple[tuple[str, str], ...]
    apps: tuple[AppView, ...]
    legend: tuple[tuple[NightKind, str, str], ...]
    course: Course | None
    failing: tuple[OpenFinding, ...]
    unknown: tuple[OpenFinding, ...]
    other_rules: str
    latest: DifferenceView | None
    latest_title: str
    changed: tuple[ChangedRun, ...]
    without: tuple[FailedRuns, ...]
    unread: tuple[tuple[str, str], ...]
    left_out: str
    last_seen: str


def tenant_view(state: TenantNights, links: PageLinks) -> TenantView:
    """The page of this tenant."""
    tenant = state.tenant
    apps = tuple(_app(number, state, links) for number in range(len(state.apps)))
    audit = tenant.last_finished
    return TenantView(
        name=state.name,
        tags=tag_links(state, links),
        reasons=state.reasons,
        facts=tuple(_facts(state)),
        apps=apps,
        legend=legend({span.kind for app in state.apps for span in app.spans} - {NightKind.NOT_DUE}),
        course=course(state.nights),
        failing=tuple(_findings(state, FindingOutcome.FAIL)),
        unknown=tuple(_findings(state, FindingOutcome.UNKNOWN)),
        other_rules=_other_rules(audit),
        latest=difference_view(tenant.changes) if tenant.changes is not None else None,
        latest_title=_latest_title(tenant),
        changed=tuple(_changed(tenant, run, links) for run in reversed(tenant.runs) if is_changed(run)),
        without=tuple(_without_audit(state)),
        unread=tuple((part.section, _why_unread(part.status, part.needs)) for part in (audit.unread if audit else ())),
        left_out=_left_out(state),
        last_seen=readable_time(state.last_seen) if state.last_seen else "",
    )


def _facts(state: TenantNights) -> Iterator[tuple[str, str]]:
    last, audit = state.tenant.last, state.tenant.last_finished
    yield "Tenant", state.tenant.key
    if last is not None:
        took = f", {last.seconds:.0f} s" if last.seconds is not None else ""
        yield "Last run", f"{readable_time(last.started)}{took}"
    if audit is not None and audit is not last:
        yield "Last audit", readable_time(audit.started)
    yield "Rules that fail", ", ".join(filter(None, (failing_text(audit), unknown_text(audit))))
    yield "Runs", _runs_text(state)
    if audit is not None and audit.credential_expires:
        yield "The audit's credential ends", audit.credential_expires[:10]
    if audit is not None and audit.packs:
        yield "Packs", ", ".join(f"{pack.name} {short_digest(pack.digest)}" for pack in audit.packs)


def _runs_text(state: TenantNights) -> str:
    runs = state.tenant.runs
    if not runs:
        return "none"
    return f"{len(runs):,} since {runs[0].started[:10]}"


def _app(place: int, state: TenantNights, links: PageLinks) -> AppView:
    app = state.apps[place]
    decision = app.decision
    note = "" if app.is_current else "The last audit didn't ask about this app."
    return AppView(
        number=place + 1,
        name=app.name,
        client_id=decision.client_id if decision.client_id != app.name else "",
        word=app.word,
        tone=state.tone(app),
        because=sentence(decision.because) or OUTCOMES[decision.outcome].means,
        since=state.since(app),
        strips=month_strips(app.spans),
        words=strip_words(app.spans),
        rows=tuple(_span_row(span) for span in reversed(app.spans)),
        note=note,
    )


def _span_row(span: Span) -> SpanRow:
    label = KINDS[span.kind]
    word = f"{label.word} (likely)" if span.likely else label.word
    return SpanRow(str(span.start), str(span.end), span.nights, word, label.tone)


def _findings(state: TenantNights, outcome: FindingOutcome) -> Iterator[OpenFinding]:
    for one in state.findings(outcome):
        yield OpenFinding(
            severity=one.severity.value,
            is_severe=one.severity in SEVERE,
            title=flat(one.title),
            rule=one.rule,
            pack=one.pack,
            since=one.since[:10],
            age=age(one.since, state.at),
            is_new=state.is_finding_new(one),
        )


def _latest_title(tenant: SiteTenant) -> str:
    changed = tenant.last_changed
    if changed is None or changed is tenant.last:
        return "Changed in the last run"
    return f"Changed last: {readable_time(changed.started)}"


def _other_rules(audit: Run | None) -> str:
    if audit is None:
        return ""
    parts = [f"{audit.passed} passed"] * bool(audit.passed)
    parts += [f"{audit.waived} waived"] * bool(audit.waived)
    parts += [f"{audit.not_applicable} not applicable"] * bool(audit.not_applicable)
    return f"Other rules of the last audit: {', '.join(parts)}." if parts else ""


def _changed(tenant: SiteTenant, run: Run, links: PageLinks) -> ChangedRun:
    return ChangedRun(readable_time(run.started), links.run(tenant, run), changes_text(run))


def changes_text(run: Run) -> str:
    """``2 changes and 1 minor change``."""
    major, minor = run.changes or 0, run.minor_changes or 0
    parts = [count(major, "change")] * bool(major) + [count(minor, "minor change")] * bool(minor)
    return " and ".join(parts) or "no changes"


def _without_audit(state: TenantNights) -> Iterator[FailedRuns]:
    """Runs that failed, one by one in time, and nights without a run; the latest first, equal ones together."""
    events = [
        (run.started, readable_time(run.started), run_error(run))
        for run in state.tenant.runs
        if run.state in (RunState.FAILED, RunState.INTERRUPTED)
    ]
    events += [(str(n.day), str(n.day), "No run started.") for n in state.nights if n.without is NightKind.MISSED]
    audits = [(run.started, "", "") for run in state.tenant.runs if run.state is RunState.FINISHED]
    ordered = sorted([*events, *audits], reverse=True)
    for why, group in groupby(ordered, key=lambda event: event[2]):
        times = [shown for _, shown, _ in group]
        if why:
            when = times[0] if len(times) == 1 else f"{times[-1]} to {times[0]}"
            yield FailedRuns(when, len(times), why)


def _why_unread(status: int | None, needs: Sequence[str]) -> str:
    why = f"Graph answered {status}" if status else "not read"
    return f"{why}; needs {' or '.join(needs)}" if needs else why


def _left_out(state: TenantNights) -> str:
    days = {night.day for night in state.nights}
    odd = sum(run_day(run) not in days for run in state.tenant.runs if run.state is not RunState.RUNNING)
    if not odd:
        return ""
    return f"Not shown as nights: {count(odd, 'run')} that started in the future or more than ten years ago."


class RunView(NamedTuple):
    """Everything on the page of a run in which something changed."""

    name: str
    tenant_href: str
    title: str
    at: str
    facts: tuple[tuple[str, str], ...]
    decisions: tuple[tuple[str, str, str, str], ...]
    difference: DifferenceView | None


def run_view(state: TenantNights, run: Run, difference: Difference | None, links: PageLinks) -> RunView:
    """The page of this run."""
    packs = ", ".join(f"{pack.name} {short_digest(pack.digest)}" for pack in run.packs)
    facts = [
        ("Night", readable_time(run.started)),
        ("Compared with", readable_time(difference.before.taken) if difference else ""),
        ("Rules since then", _summary(difference.summary) if difference else ""),
        ("Rules that fail", failing_text(run)),
        ("Packs", packs),
        ("Created by", run.tool),
    ]
    decisions = tuple(
        (d.app or d.client_id, OUTCOMES[d.outcome].word, OUTCOMES[d.outcome].style, sentence(d.because))
        for d in decisions_of(run).values()
    )
    return RunView(
        name=state.name,
        tenant_href=links.tenant(state.tenant),
        title=f"{changes_text(run)[0].upper()}{changes_text(run)[1:]} in {state.name}",
        at=readable_time(run.started),
        facts=tuple(fact for fact in facts if fact[1]),
        decisions=decisions,
        difference=difference_view(difference) if difference else None,
    )


def _summary(numbers: DifferenceSummary) -> str:
    """``1 new, 0 fixed, 3 still failing``."""
    unknown = f", {numbers.unknown} {TRANSITION_WORDS[Transition.BECAME_UNKNOWN]}" if numbers.unknown else ""
    return f"{numbers.new} new, {numbers.fixed} fixed, {numbers.still_failing} still failing{unknown}"
