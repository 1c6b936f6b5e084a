"""The index and the pages of tags: which tenants need attention, what changed last night, and every tenant and app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from auditor.model.document import count, first_of, parse_time, sentence, series
from auditor.model.fleet import FleetReport
from auditor.model.history import Run, RunState
from auditor.model.rule import FindingOutcome, Severity
from auditor.render.html.fleet_apps import AppCard, TenantRef, app_cards
from auditor.render.labels import flat, readable_time
from auditor.render.site.attention import AttentionReason, ReasonRank, TenantNights, age
from auditor.render.site.charts import RECENT, Strip, legend, recent_strip, strip_words
from auditor.render.site.nights import KINDS, NightKind, last_nights, run_day
from auditor.render.site.page_names import PageLinks
from auditor.render.text_layout import clip

_NAMED = 6
"""Tenants that a sentence or a finding names; more are counted."""
_CHANGES_SHOWN = 4
"""Changes of one tenant on the index; its page of the run has all."""
_FINDINGS_SHOWN = 15
"""Rules on the index; their own page has all."""
_TEXT = 400


class TagLink(NamedTuple):
    """A tag, its page, and how many tenants have it."""

    name: str
    href: str
    tenants: int


class AttentionView(NamedTuple):
    """A tenant that needs attention, and why."""

    name: str
    href: str
    tags: tuple[TagLink, ...]
    reasons: tuple[AttentionReason, ...]


class ChangedView(NamedTuple):
    """A tenant in which something changed last night: the changes (what, and what it means), and how many more."""

    name: str
    href: str
    at: str
    changes: tuple[tuple[str, str], ...]
    more: str


class AppRow(NamedTuple):
    """An app of a tenant: the verdict, since when, and its latest nights as a picture and in words."""

    name: str
    word: str
    tone: str
    since: str
    strip: Strip
    words: str


class TenantRow(NamedTuple):
    """A tenant in the table of all tenants."""

    name: str
    href: str
    tags: tuple[TagLink, ...]
    needs_attention: bool
    apps: tuple[AppRow, ...]
    failing: str
    unknown: str
    last: str
    last_word: str


class RuleRow(NamedTuple):
    """A rule that fails in some tenants: which, since when in the first of them, and for how long."""

    severity: Severity
    title: str
    rule: str
    pack: str
    tenants: tuple[tuple[str, str, str, str], ...]
    """Name, link, since and age, the longest first."""
    since: str
    age: str

    @property
    def named(self) -> tuple[tuple[str, str, str, str], ...]:
        """The tenants that the index names."""
        return self.tenants[:_NAMED]

    @property
    def more(self) -> int:
        """How many tenants are not named."""
        return len(self.tenants) - len(self.named)


class ReasonGroup(NamedTuple):
    """Tenants that need attention for the same main reason, for more than a night."""

    id: str
    title: str
    tenants: tuple[AttentionView, ...]


class FactView(NamedTuple):
    """A label and its text; a fact about tenants that need attention links to them."""

    label: str
    text: str
    href: str = ""


class IndexView(NamedTuple):
    """Everything on the index, or on the page of a tag."""

    title: str
    tag: str
    word: str
    tone: str
    because: str
    facts: tuple[FactView, ...]
    tags: tuple[TagLink, ...]
    attention: int
    new: tuple[AttentionView, ...]
    older: tuple[ReasonGroup, ...]
    changed: tuple[ChangedView, ...]
    unchanged: str
    rows: tuple[TenantRow, ...]
    findings: tuple[RuleRow, ...]
    all_findings: int
    legend: tuple[tuple[NightKind, str, str], ...]
    answer: str
    cards: tuple[AppCard, ...]
    recent: int = RECENT


def index_view(
    states: Sequence[TenantNights], at: str, links: PageLinks, tag: str = "", fleet: FleetReport | None = None
) -> IndexView:
    """The index of these tenants, or of those with this tag. `fleet` has their apps, if they are several tenants."""
    shown = [state for state in states if not tag or tag in state.tenant.tags]
    night = last_night(shown)
    needy = sorted((state for state in shown if state.reasons), key=lambda state: state.order)
    word, tone, because = _headline(shown, needy)
    changed = tuple(view for state in shown if (view := _changed(state, night, links)) is not None)
    rows = tuple(_row(state, _strips_end(shown, at), links) for state in shown)
    findings = rule_rows(shown, at, links)
    severe = [row for row in findings if row.severity in (Severity.CRITICAL, Severity.HIGH)]
    what = count(len(shown), "tenant")
    return IndexView(
        title=f"{what} with the tag {tag}" if tag else f"Consent audits of {what}",
        tag=tag,
        word=word,
        tone=tone,
        because=because,
        facts=tuple(_facts(shown, night, len(changed), at)),
        tags=_tags(states, links),
        attention=len(needy),
        new=tuple(_attention(state, links) for state in needy if state.is_new),
        older=tuple(_groups([state for state in needy if not state.is_new], links)),
        changed=changed,
        unchanged=f"No audit of the night of {night} found a change." if night else "There is no audit yet.",
        rows=rows,
        findings=tuple(severe[:_FINDINGS_SHOWN]),
        all_findings=len(findings),
        legend=legend(_kinds(shown, at)),
        answer=fleet.answer if fleet and fleet.apps else "",
        cards=_cards(fleet, shown, links) if fleet else (),
    )


def _cards(fleet: FleetReport, shown: Sequence[TenantNights], links: PageLinks) -> tuple[AppCard, ...]:
    """The apps of the fleet, whose tenants lead to their pages."""
    by_key = {state.tenant.key: TenantRef(state.name, links.tenant(state.tenant)) for state in shown}
    return app_cards(fleet, lambda key: by_key.get(key, TenantRef(key, "")))


def last_night(states: Sequence[TenantNights]) -> date | None:
    """The latest night in which any tenant's run started."""
    runs = (next((night.day for night in reversed(state.nights) if night.run), None) for state in states)
    return max((day for day in runs if day), default=None)


def _strips_end(states: Sequence[TenantNights], at: str) -> date:
    """The last night of all strips, so that a night is at the same place in each of them."""
    now = parse_time(at)
    ends = [state.nights[-1].day for state in states if state.nights]
    return max(ends) if ends else now.date() if now else date.min + timedelta(days=RECENT)


def _headline(shown: Sequence[TenantNights], needy: Sequence[TenantNights]) -> tuple[str, str, str]:
    if not shown:
        return (
            "NO TENANTS",
            "quiet",
            "The history holds no runs yet. This page shows them after the first night.",
        )
    if not needy:
        return (
            "NOTHING NEEDS ATTENTION",
            "good",
            "Users can connect the apps in every tenant, and no severe rule fails.",
        )
    new = [state for state in needy if state.is_new]
    word = (
        f"{len(needy)} OF {count(len(shown), 'TENANT', 'TENANTS')} {'NEEDS' if len(needy) == 1 else 'NEED'} ATTENTION"
    )
    if not new:
        return word, "bad", "None of this is new since last night."
    return word, "bad", f"New since last night: {_names(new)}."


def _names(states: Sequence[TenantNights]) -> str:
    return series(first_of([clip(state.name, 40) for state in states], _NAMED))


_GROUPS = (
    ("no-audit", "No current audit", (ReasonRank.NO_AUDIT,)),
    ("cannot-connect", "Users can't connect an app", (ReasonRank.CONNECTION,)),
    ("severe", "A critical or high rule fails", (ReasonRank.CRITICAL, ReasonRank.HIGH)),
    ("unknown", "An answer is unknown", (ReasonRank.UNKNOWN,)),
    ("expiry", "The audit's credential ends soon", (ReasonRank.EXPIRY,)),
)
"""The kinds of reasons: an id, a title and the ranks."""


def _facts(shown: Sequence[TenantNights], night: date | None, changed: int, at: str) -> Iterator[FactView]:
    if night is None:
        yield FactView("As of", readable_time(at))
        return
    audited = sum(_audited_on(state, night) for state in shown)
    yield FactView("Last night", f"{night} (UTC): {audited} of {count(len(shown), 'tenant')} audited")
    yield FactView("Something changed", count(changed, "tenant"), "changed")
    for name, title, ranks in _GROUPS:
        found = sum(any(reason.rank in ranks for reason in state.reasons) for state in shown)
        if found:
            is_main = any(not s.is_new and min(r.rank for r in s.reasons) in ranks for s in shown if s.reasons)
            yield FactView(title, count(found, "tenant"), name if is_main else "attention")


def _groups(needy: Sequence[TenantNights], links: PageLinks) -> Iterator[ReasonGroup]:
    for name, title, ranks in _GROUPS:
        found = tuple(_attention(state, links) for state in needy if min(r.rank for r in state.reasons) in ranks)
        if found:
            yield ReasonGroup(name, title, found)


def _audited_on(state: TenantNights, day: date) -> bool:
    return any(night.day == day and night.without is None for night in reversed(state.nights))


def _tags(states: Sequence[TenantNights], links: PageLinks) -> tuple[TagLink, ...]:
    counted: dict[str, int] = {}
    for state in states:
        for tag in dict.fromkeys(state.tenant.tags):
            counted[tag] = counted.get(tag, 0) + 1
    return tuple(TagLink(tag, links.tag(tag), counted[tag]) for tag in sorted(counted, key=lambda t: (t.casefold(), t)))


def tag_links(state: TenantNights, links: PageLinks) -> tuple[TagLink, ...]:
    """The tags of a tenant, each with its page."""
    return tuple(TagLink(tag, links.tag(tag), 0) for tag in dict.fromkeys(state.tenant.tags))


def _attention(state: TenantNights, links: PageLinks) -> AttentionView:
    return AttentionView(state.name, links.tenant(state.tenant), tag_links(state, links), state.reasons)


def _changed(state: TenantNights, night: date | None, links: PageLinks) -> ChangedView | None:
    # Not only of the last run: the one after it, on the same day, may have found nothing more, or failed.
    run, difference = state.tenant.last_changed, state.tenant.changes
    if run is None or difference is None or run_day(run) != night:
        return None
    major = difference.major
    if not major:
        return None
    shown = tuple((change.what, sentence(clip(change.means, _TEXT))) for change in major[:_CHANGES_SHOWN])
    more = [count(number, "more change")] if (number := len(major) - len(shown)) else []
    earlier = sum(one.changes or 0 for one in state.tenant.runs if one is not run and run_day(one) == night)
    more += [f"{count(earlier, 'change')} in another run of this night"] if earlier else []
    return ChangedView(
        name=state.name,
        href=links.run(state.tenant, run),
        at=readable_time(run.started),
        changes=shown,
        more=series(more) if more else "",
    )


def _kinds(states: Sequence[TenantNights], at: str) -> set[NightKind]:
    start = _strips_end(states, at) - timedelta(days=RECENT - 1)
    spans = (last_nights(app.spans, start) for state in states for app in state.apps if app.is_current)
    return {span.kind for each in spans for span in each} - {NightKind.NOT_DUE}


def _row(state: TenantNights, end: date, links: PageLinks) -> TenantRow:
    last = state.tenant.last
    start = end - timedelta(days=RECENT - 1)
    apps = tuple(
        AppRow(
            name=app.name,
            word=app.word,
            tone=state.tone(app),
            since=state.since(app),
            strip=recent_strip(app.spans, end),
            words=strip_words(last_nights(app.spans, start)),
        )
        for app in state.apps
        if app.is_current
    )
    return TenantRow(
        name=state.name,
        href=links.tenant(state.tenant),
        tags=tag_links(state, links),
        needs_attention=bool(state.reasons),
        apps=apps,
        failing=failing_text(state.tenant.last_finished),
        unknown=unknown_text(state.tenant.last_finished),
        last=readable_time(last.started) if last else "never",
        last_word=_last_word(state),
    )


def _last_word(state: TenantNights) -> str:
    """What is wrong with the last night, if it has no audit."""
    last = state.tenant.last
    if state.nights and state.nights[-1].without is NightKind.MISSED:
        return KINDS[NightKind.MISSED].word
    return "" if last is None or last.state is RunState.FINISHED else KINDS[NightKind.FAILED].word


def failing_text(run: Run | None) -> str:
    """``2 critical, 1 high, 4 lower``, of the last audit."""
    if run is None:
        return "no audit"
    by_severity = run.failed_by_severity
    severe = [(by_severity.get(each.value, 0), each.value) for each in (Severity.CRITICAL, Severity.HIGH)]
    others = run.failed - sum(number for number, _ in severe)
    parts = [f"{number} {word}" for number, word in severe if number]
    if others > 0:
        parts.append(f"{others} lower" if parts else f"{others} medium or lower")
    return ", ".join(parts) or "none"


def unknown_text(run: Run | None) -> str:
    """``3 unknown``, or nothing."""
    return f"{run.unknown} unknown" if run is not None and run.unknown else ""


def rule_rows(states: Sequence[TenantNights], at: str, links: PageLinks) -> tuple[RuleRow, ...]:
    """The rules that fail somewhere, the most severe first, then those that fail in most tenants."""
    found: dict[tuple[int, str, str], list[tuple[str, TenantNights, str]]] = {}
    for state in states:
        for one in state.tenant.findings:
            if one.outcome is FindingOutcome.FAIL:
                key = (one.severity.rank, one.pack, one.rule)
                found.setdefault(key, []).append((one.since, state, flat(one.title)))
    rows = []
    for (rank, pack, rule), failing in found.items():
        oldest: dict[str, tuple[str, TenantNights, str]] = {}
        for each in sorted(failing, key=lambda each: (each[0] or "9", each[1].name.casefold(), each[1].tenant.key)):
            oldest.setdefault(each[1].tenant.key, each)
        tenants = tuple(
            (state.name, links.tenant(state.tenant), since[:10], age(since, at)) for since, state, _ in oldest.values()
        )
        since = next(iter(oldest.values()))[0]
        title = clip(max(title for _, _, title in failing), _TEXT)
        rows.append(RuleRow(list(Severity)[rank], title, rule, pack, tenants, since[:10], age(since, at)))
    return tuple(sorted(rows, key=lambda row: (row.severity.rank, -len(row.tenants), row.title, row.pack, row.rule)))
