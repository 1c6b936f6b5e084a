"""Compose the message about one night of one tenant: the answer, why, what to do, and the rest in a list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from auditor.model.configuration import Event, NotifyTarget
from auditor.model.decision import Decision, Fix, Outcome
from auditor.model.difference import NO_LONGER_KNOWN, Change, ChangeKind, Transition
from auditor.model.document import count, days_left, first_of, parse_time, series
from auditor.model.history import OutboxMessage, Run, RunFinding, RunState, Said
from auditor.model.notification import Expiry, NightOfTenant
from auditor.model.report import Finding
from auditor.model.sections import SECTIONS
from auditor.notify.message_text import TITLE_WIDTH, Line, LineKind, as_markdown, as_text, clip, heading, item
from auditor.notify.selection import Selected, concerns, is_about, select
from auditor.notify.wording import (
    FindingGroup,
    app_name,
    by_whom,
    change_text,
    change_title,
    circumstances,
    decision_sentence,
    expiry_text,
    finding_group,
    finding_text,
    joined,
    lower_article,
    now_sentence,
    outcome_of,
    readable,
    sentence,
    subject_of,
    users,
    when,
)

_LISTED = 20
"""Entries of each list of a message. The report has all of them."""
_NAMED = 3
_SHORT_ERROR = 140
"""Characters of an error that a title can hold."""
_TO_FIX = (FindingGroup.NEW, FindingGroup.CHANGED)
_BAD_FIRST = (Outcome.BLOCKED, Outcome.NEEDS_ADMIN, Outcome.CONNECTS_BUT_LACKS_SCOPES, Outcome.DEPENDS)


def messages_for(
    targets: Iterable[NotifyTarget], night: NightOfTenant, said: Mapping[str, Sequence[Said]], now: str
) -> tuple[tuple[OutboxMessage, ...], tuple[Said, ...]]:
    """The messages about one run, and what is said with them; both belong into the transaction that ends the run.

    `said` holds for each target's name what was said to it about the tenant ``night.run.tenant``. Returned are only
    entries that are new or differ. At most one message a target: the same night gives the same messages, with the
    same ids.
    """
    messages: list[OutboxMessage] = []
    entries: list[Said] = []
    for target in targets:
        if not concerns(target, night):
            continue
        selected, changed = select(target, night, tuple(said.get(target.name, ())), now)
        entries += changed
        event = selected.event
        if event is not None:
            messages.append(_message(target, night, selected, event, now))
    return tuple(messages), tuple(entries)


def message_id(*parts: str) -> str:
    """Ten hexadecimal digits that are the same whenever the parts are."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:10]


def footer(target_link: str, tenant: str, times: str, identity: str, *, attached: bool) -> tuple[Line, ...]:
    """Where the report is, when the run was, and the message's id, which is last."""
    report = Line(kind=LineKind.FOOTER, label="Report", link=with_tenant(target_link, tenant))
    lines = (report,) if report.link else ()
    if attached and not report.link:
        lines = (Line(kind=LineKind.FOOTER, text="The report is attached."),)
    return (*lines, Line(kind=LineKind.FOOTER, text=f"{times}. Message {identity}"))


def with_tenant(link: str, tenant: str) -> str:
    """The address of the report, with the tenant's name in place of ``{tenant}``."""
    return link.replace("{tenant}", tenant)


def _message(target: NotifyTarget, night: NightOfTenant, selected: Selected, event: Event, now: str) -> OutboxMessage:
    run = night.run
    # The start, too: a new history counts its runs from one again.
    identity = message_id(target.name, run.tenant, run.id, run.started)
    is_digest = Event.DIGEST in target.on
    attachment = (night.attachments.get(target.attach, "") or night.report_path) if target.attach else ""
    if is_digest:
        attachment = ""
    started = f"Run of {readable(run.started)}"
    lines = (
        *_body(night, selected, now),
        *footer(target.link, night.entry.name, started, identity, attached=bool(attachment)),
    )
    return OutboxMessage(
        id=identity,
        target=target.name,
        tenant=run.tenant,
        run=run.id,
        created=now,
        title=clip(f"{clip(night.entry.name)}: {_title(night, selected, now)}", TITLE_WIDTH),
        body=as_markdown(lines),
        text=as_text(lines),
        event=event.value,
        group=message_id(target.name, night.night or run.started[:10]) if is_digest else "",
        attachment=attachment,
    )


def _title(night: NightOfTenant, selected: Selected, now: str) -> str:
    """The answer: the worst that is new, in one line."""
    run = night.run
    if run.state is RunState.FAILED:
        failed_before = night.previous is not None and night.previous.state is RunState.FAILED
        is_old = bool(selected.failing_since) or (failed_before and not selected.failure)
        what, verb = ("the list of customers", "be read") if night.is_list else ("the audit", "run")
        could = "still can't" if is_old else "could not"
        return f"{what} {could} {verb}: {clip(run.error or 'the reason is not known', _SHORT_ERROR)}"
    parts = list(_change_titles(night, selected))
    if selected.missed:
        nights = count(len(selected.missed), "run was missed", "runs were missed")
        parts.append(f"the audit runs again, {nights}" if not selected.recovered_since else nights)
    elif selected.interrupted:
        parts.append("the audit runs again, the last run was interrupted")
    if selected.recovered_since:
        parts.append("the list of customers can be read again" if night.is_list else "the audit runs again")
    if not parts and selected.decision_reminders:
        still = selected.decision_reminders[0][0]
        parts.append(f"{users(still.subject)} still can't connect {clip(still.app)}")
    if not parts and selected.reminders:
        parts.append(f"{count(len(selected.reminders), 'rule')} still failing")
    if not parts and selected.expiries:
        more = len(selected.expiries) - 1
        first = lower_article(expiry_text(selected.expiries[0], now))
        parts.append(f"{first}, and {more} more" if more else first)
    nothing = "first run" if night.difference is None and night.previous is None else "nothing changed"
    return "; ".join(parts) if parts else f"{nothing}: {_state(run)}"


def _change_titles(night: NightOfTenant, selected: Selected) -> Iterator[str]:
    """What users notice, or else the first change; and how many more there are."""
    decisions = _decisions(selected.changes)
    others = [change for change in selected.changes if change.kind is not ChangeKind.DECISION]
    if decisions:
        sentences = _decision_sentences(night.run, decisions)
        yield sentences[0]
        more = len(sentences) - 1 + len(others)
    elif others:
        yield lower_article(change_title(others[0], _finding_of(night, others[0])))
        more = len(others) - 1
    elif selected.over:
        yield f"fixed: {clip(selected.over[0], 120)}"
        more = len(selected.over) - 1
    else:
        return
    if more:
        yield f"{count(more, 'more change')}"


def _decisions(changes: Iterable[Change]) -> list[Change]:
    """The changes of decisions, what is worst now first."""
    order = {outcome: place for place, outcome in enumerate(_BAD_FIRST)}
    found = [change for change in changes if change.kind is ChangeKind.DECISION]
    return sorted(found, key=lambda one: order.get(outcome_of(one.after) or Outcome.USER_MAY_CONSENT, len(order)))


def _decision_sentences(run: Run, decisions: Sequence[Change]) -> list[str]:
    """One sentence for all apps to which the same happened."""
    groups: dict[tuple[str, Outcome | None, Outcome | None, Transition], list[str]] = {}
    for change in decisions:
        what = (subject_of(change), outcome_of(change.before), outcome_of(change.after), change.transition)
        groups.setdefault(what, []).append(app_name(change, run.decisions))
    return [decision_sentence(joined(apps), *what) for what, apps in groups.items()]


def _state(run: Run) -> str:
    """What is the case for users, or how many rules fail."""
    problems = [one for one in run.decisions if not one.outcome.connects]
    shown = sorted(problems, key=lambda one: _BAD_FIRST.index(one.outcome)) or list(run.decisions)
    if not shown:
        return f"{count(run.failed, 'rule')} failing" if run.failed else "no rule fails"
    same = [one.app for one in shown if (one.outcome, one.subject) == (shown[0].outcome, shown[0].subject)]
    return now_sentence(joined(clip(app) for app in same), shown[0].subject, shown[0].outcome)


def _body(night: NightOfTenant, selected: Selected, now: str) -> Iterator[Line]:
    run = night.run
    if run.state is RunState.FAILED:
        yield from _failure(night, selected)
    yield from _not_run(selected, is_list=night.is_list)
    decisions = _decisions(selected.changes)
    for change in decisions[:_NAMED]:
        yield from _decision(night, change, selected.changes, alone=len(decisions) == 1)
    if len(decisions) > _NAMED:
        yield heading("Other apps")
        yield from (item(change_text(change)) for change in decisions[_NAMED : _NAMED + _LISTED])
    others = [change for change in selected.changes if change.kind is not ChangeKind.DECISION]
    yield from _changes(night, others, frozenset(change.means for change in decisions if change.means))
    yield from _list("Fixed", [item(title) for title in selected.over])
    yield from _reminders(selected)
    is_over = any((days_left(each.ends, parse_time(now)) or 0) < 0 for each in selected.expiries)
    title = "Ended, or ends soon" if is_over else "Ends soon"
    yield from _list(title, [item(" ".join(_expiry(each, now))) for each in selected.expiries])
    if run.state is not RunState.FAILED:
        yield from _counts(night, selected)


def _expiry(expiry: Expiry, now: str) -> Iterator[str]:
    yield sentence(expiry_text(expiry, now))
    if expiry.then:
        yield sentence(expiry.then)


def _failure(night: NightOfTenant, selected: Selected) -> Iterator[Line]:
    if len(night.run.error) > _SHORT_ERROR:
        yield Line(label="Why", text=sentence(night.run.error))
    if selected.failing_since:
        yield Line(label="Since", text=sentence(readable(selected.failing_since)))
    check = 'Run "consent-auditor nightly check" with this configuration to see what is missing.'
    yield Line(label="What to do", text=clip(night.advice, 400) or check)


def _not_run(selected: Selected, *, is_list: bool) -> Iterator[Line]:
    if selected.recovered_since:
        what = "The list could not be read" if is_list else "No audit could be made"
        yield Line(text=f"{what} since {readable(selected.recovered_since)}.")
    if selected.interrupted:
        yield Line(text=f"The run of {readable(selected.interrupted)} was interrupted before it finished.")
    if selected.missed:
        times = series(first_of([readable(time) for time in selected.missed], _NAMED))
        yield Line(label="Missed", text=f"No run started at {times}. Check the scheduler.")


def _decision(night: NightOfTenant, change: Change, changes: Iterable[Change], *, alone: bool) -> Iterator[Line]:
    """Why users notice something, since when, by whom, and what to do about it."""
    app = app_name(change, night.run.decisions)
    before, after = outcome_of(change.before), outcome_of(change.after)
    answer = decision_sentence(app, subject_of(change), before, after, change.transition)
    if not alone:
        yield heading(_upper(answer))
    decision = next((one for one in (night.report.decisions if night.report else ()) if _is_about(one, change)), None)
    if why := _without_answer(change.means, answer) or (decision.because if decision else ""):
        yield Line(label="Why", text=sentence(clip(why, 400)))
    cause = _cause(change, changes)
    if circumstances(cause):
        since, who = when(cause.since), by_whom(cause.by)
        text = ", ".join(filter(None, (since.removeprefix("since "), who)))
        yield Line(label="Since" if since.startswith("since ") else "When" if since else "Who", text=sentence(text))
    if decision and after and not after.connects and (fix := _first_fix(decision)):
        yield fix


def _without_answer(means: str, answer: str) -> str:
    """The reason in ``users can no longer connect TrackerRMS: REASON``, because the title is the rest."""
    for lead in (f"{answer}: ", NO_LONGER_KNOWN):
        if means.lower().startswith(lead.lower()):
            return _upper(means[len(lead) :])
    return means


def _cause(change: Change, changes: Iterable[Change]) -> Change:
    """The change that knows when it happened: this one, or the first one that alone causes it."""
    if change.by or (change.since and change.since.at):
        return change
    causes = [one for one in changes if one.key in change.because_of]
    return next((one for one in causes if one.by or (one.since and one.since.at)), change)


def _first_fix(decision: Decision) -> Line | None:
    """The first thing to do about a decision: the fix with the least access, or the advice."""
    fix = next((one for one in decision.fixes if _connects(one)), None)
    if fix is None:
        return Line(label="What to do", text=sentence(decision.advice[0])) if decision.advice else None
    role = f" Role: {fix.role}." if fix.role else ""
    return Line(label="Fix", text=f"{sentence(fix.title)}{role}", link=fix.link, link_text="Open the consent page")


def _is_about(decision: Decision, change: Change) -> bool:
    return is_about(change, decision.app.client_id, decision.subject, decision.app.variant)


def _connects(fix: Fix) -> bool:
    return fix.proven.outcome in {outcome.value for outcome in Outcome if outcome.connects}


def _changes(night: NightOfTenant, changes: Sequence[Change], explained: frozenset[str]) -> Iterator[Line]:
    """The changes of findings in their groups, and the others."""
    findings = [change for change in changes if change.kind is ChangeKind.FINDING]
    for group in FindingGroup:
        yield from _list(group, [_finding(night, change) for change in findings if finding_group(change) is group])
    others = [change for change in changes if change.kind is not ChangeKind.FINDING]
    yield from _list("Changed", [_other(change, explained) for change in others])


def _other(change: Change, explained: frozenset[str]) -> Line:
    """A change that isn't a finding; what it means isn't repeated if the answer says it already."""
    if change.means not in explained:
        return item(change_text(change))
    return item(change_text(msgspec.structs.replace(change, means="")), "cause")


def _finding(night: NightOfTenant, change: Change) -> Line:
    """A finding with its severity, and for a new one the role that can fix it."""
    label = change.severity.value if change.severity else ""
    finding = _report_finding(night, change.key)
    role = finding.remediation.role if finding and finding_group(change) in _TO_FIX else ""
    return item(finding_text(change, _finding_of(night, change), role), label)


def _finding_of(night: NightOfTenant, change: Change) -> RunFinding | None:
    return next((one for one in night.findings if change.key == f"finding/{one.fingerprint}"), None)


def _report_finding(night: NightOfTenant, key: str) -> Finding | None:
    findings = night.report.findings if night.report else ()
    return next((one for one in findings if key == f"finding/{one.fingerprint}"), None)


def _reminders(selected: Selected) -> Iterator[Line]:
    rows = [
        item(f"{_upper(now_sentence(clip(one.app), one.subject, one.outcome))}, since {readable(since)} at the latest.")
        for one, since in selected.decision_reminders
    ]
    rows += [
        item(f'"{clip(one.title, 160)}" fails since {readable(one.since or since)}.', one.severity.value)
        for one, since in selected.reminders
    ]
    yield from _list("Reminder, still so", rows)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(title: str, rows: Sequence[Line]) -> Iterator[Line]:
    """A heading with the number of entries, and the entries; nothing if there are none."""
    if not rows:
        return
    yield heading(f"{title} ({len(rows)})")
    yield from rows[:_LISTED]
    if len(rows) > _LISTED:
        yield item(f"…and {len(rows) - _LISTED} more.")


def _counts(night: NightOfTenant, selected: Selected) -> Iterator[Line]:
    """The state as a whole: what users can do if that isn't the answer already, and the counts of the rules."""
    run = night.run
    parts = [
        f"{number} {word}"
        for number, word in (
            (run.failed, "failed"),
            (run.unknown, "unknown"),
            (run.waived, "waived"),
            (run.passed, "passed"),
        )
        if number
    ]
    title_says_it = selected.event is Event.ALWAYS or selected.decision_reminders or _decisions(selected.changes)
    if run.decisions and not title_says_it:
        yield Line(kind=LineKind.SUMMARY, label="Now", text=sentence(_upper(_state(run))))
    if parts:
        yield Line(kind=LineKind.SUMMARY, label="Rules", text=sentence(", ".join(parts)))
    if run.unread:
        sections = series(tuple(dict.fromkeys(_label(part.section) for part in run.unread))[:_NAMED])
        needs = series(tuple(dict.fromkeys(part.needs[0] for part in run.unread if part.needs)))
        grant = f" Grant the audit the permission {needs}." if needs else ""
        text = f"{sentence(sections)} What depends on it is unknown.{grant}"
        yield Line(kind=LineKind.SUMMARY, label="Not read", text=text)


def _label(section: str) -> str:
    """The section's name for people."""
    known = SECTIONS.get(section.partition("/")[0])
    return known.label if known else section
