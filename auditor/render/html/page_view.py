"""Everything that the page shows, in its order, as plain values: the templates only place them.

On paper, every text that a tenant can make long is cut, and dots mark the cut: the PDF renderer breaks a long text in a
narrow column again and again, which takes minutes for names of 10,000 characters. A browser doesn't, so the page for
screens is complete, as are JSON, CSV and XLSX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.model.decision import AfterConsent
from auditor.model.document import count, sentence, series
from auditor.model.report import Report, Summary, UnreadPart
from auditor.render.after_consent_view import (
    AFTER_CONSENT,
    STOPPED,
    not_checked_text,
    policy_lines,
    stopped_label,
    stopped_lines,
    whose,
)
from auditor.render.html.answer_section import (
    AnswerView,
    FirstThingView,
    ScopeComparisonView,
    StepRow,
    answer_views,
    first_thing_without_answers,
    scope_comparisons,
)
from auditor.render.html.finding_section import (
    CollectAgain,
    FindingView,
    FixGroup,
    FixViews,
    collect_again,
    finding_views,
    fix_groups,
)
from auditor.render.html.grant_section import ON_SCREEN, AppGrants, GrantLine, GrantsView, grants_view
from auditor.render.html.parts import AddressView, CodeView, LinkedText, tone
from auditor.render.html.pictures import BarChart, Trend, chart_by_severity, trend
from auditor.render.html.setting_section import (
    BenchmarkSummary,
    DisagreementView,
    FilterView,
    SettingRow,
    benchmark_summary,
    finding_filters,
    setting_rows,
    unplaced_disagreements,
)
from auditor.render.labels import (
    NAME_WIDTH,
    abused_list_text,
    app_and_id,
    counts,
    plain_sentence,
    readable_time,
    unread_text,
)
from auditor.render.message import Message, message
from auditor.render.report_view import assumptions, question, short_digest, what_if_answers
from auditor.render.summary import ConsentLink, SummaryView, summary_view
from auditor.render.text_layout import clip

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast
    from auditor.render.html.news_view import NewsView

_ON_PAPER = 100
"""Lines of grants in a PDF: about eight pages, which take a second to make. The page names the formats with all."""

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_REFUSED = (401, 403)
"""Responses that a permission would change. A timeout, for example, isn't one."""


class WhatIfView(NamedTuple):
    """The assumptions, and for each app its name, the answer now and with this change, and why."""

    assumed: str
    rows: tuple[tuple[str, str, str, str], ...]


class AccessRow(NamedTuple):
    """One Conditional Access policy: what it does in a word, its name, and everything else in sentences."""

    word: str
    tone: str
    name: str
    text: str


class AfterConsentView(NamedTuple):
    """What can stop one app's users after consent."""

    whose: str
    because: str
    policies: tuple[AccessRow, ...]
    mailbox: str
    not_checked: tuple[str, ...]


class StoppedView(NamedTuple):
    """Who was stopped at one app; `app` is empty if the report is about one app only."""

    app: str
    sentence: str
    lines: tuple[str, ...]


class PageSection(NamedTuple):
    """A section of the page in the table of contents."""

    id: str
    title: str
    number: str


class UnreadView(NamedTuple):
    """Data that couldn't be read: the permissions that allow it, or that it needs in any case."""

    what: str
    section: str
    answer: str
    allowed_by: str
    takes: str
    not_known: str
    request_id: str


class CallView(NamedTuple):
    """One read request."""

    at: str
    section: str
    address: str
    status: str
    tone: str
    rows: str
    permissions: str


class PageView(NamedTuple):
    """The whole page."""

    title: str
    tenant: str
    tenant_id: str
    taken: str
    source: str
    tool: str
    outside: tuple[str, ...]
    cloud: str
    packs: tuple[tuple[str, str, str], ...]
    policies: tuple[tuple[str, str], ...]
    waiver_files: tuple[tuple[str, str], ...]
    abused_lists: tuple[tuple[str, str], ...]
    summary: str
    summary_word: str
    summary_tone: str
    counts: str
    first: FirstThingView | None
    benchmarks: BenchmarkSummary | None
    answers: tuple[AnswerView, ...]
    differences: tuple[ScopeComparisonView, ...]
    after_title: str
    after_consent: tuple[AfterConsentView, ...]
    stopped_title: str
    stopped: tuple[StoppedView, ...]
    supposed: WhatIfView | None
    groups: tuple[FixGroup, ...]
    findings: tuple[FindingView, ...]
    settings: tuple[SettingRow, ...]
    severities: BarChart | None
    trend: Trend | None
    news: NewsView | None
    choices: tuple[FilterView, ...]
    contradictions: tuple[DisagreementView, ...]
    grants: GrantsView | None
    unread: tuple[UnreadView, ...]
    again: CollectAgain | None
    reader: str
    permissions: tuple[str, ...]
    calls: tuple[CallView, ...]
    sections: tuple[PageSection, ...]
    message: Message | None
    summary_page: SummaryView


def page_view(
    report: Report,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
    *,
    for_print: bool = False,
) -> PageView:
    """The page of a report. `history` are the times and counts of earlier runs, oldest first."""
    fixes = FixViews(report)
    provenance = report.provenance
    groups = fix_groups(report, fixes)
    news = _finding_news(report, since_last)
    findings = tuple(one._replace(news=news.get(one.fingerprint, "")) for one in finding_views(report, fixes))
    made = PageView(
        title=question(report),
        tenant=clip(report.tenant.name, NAME_WIDTH),
        tenant_id=report.tenant.id,
        taken=readable_time(report.taken),
        source=report.source,
        tool=report.tool,
        outside=report.outside,
        cloud=report.cloud,
        packs=tuple((f"{pack.name} {pack.version}", short_digest(pack.digest), pack.digest) for pack in report.packs),
        policies=tuple((policy.id, policy.digest) for policy in report.policies),
        abused_lists=tuple((abused_list_text(one), one.digest) for one in report.abused_apps),
        waiver_files=tuple((f"{file.name}, {count(file.count, 'waiver')}", file.digest) for file in report.waivers),
        summary=sentence(report.summary.answer),
        summary_word=_SUMMARY_WORDS[_summary_tone(report.summary)] if report.findings else "",
        summary_tone=_summary_tone(report.summary),
        counts=f"{counts(report.summary)}.",
        first=first_thing_without_answers(report, fixes),
        benchmarks=benchmark_summary(report),
        answers=answer_views(report, fixes),
        differences=scope_comparisons(report),
        after_title=AFTER_CONSENT,
        after_consent=tuple(_after_consent(report, one) for one in report.after_consent),
        stopped_title=STOPPED,
        stopped=tuple(
            StoppedView(stopped_label(report, one), one.sentence, stopped_lines(one)) for one in report.stopped
        ),
        supposed=_what_if(report),
        groups=groups,
        findings=findings,
        settings=setting_rows(report, findings),
        severities=chart_by_severity(report),
        trend=trend((*history, (report.taken, report.summary))),
        news=_news(report, since_last),
        choices=finding_filters(findings),
        contradictions=tuple(unplaced_disagreements(report)),
        grants=grants_view(report.granted, _ON_PAPER if for_print else ON_SCREEN, in_short=not for_print),
        unread=tuple(map(_unread, report.unread)),
        again=collect_again(report),
        reader=provenance.reader if provenance else "",
        permissions=provenance.permissions if provenance else (),
        calls=_calls(report),
        sections=(),
        message=None if for_print else message(report),
        summary_page=summary_view(report, since_last),
    )
    return made._replace(sections=tuple(_sections(made)))


def _finding_news(report: Report, since_last: SinceLast | None) -> Mapping[str, str]:
    if since_last is None:
        return {}
    from auditor.render.html.news_view import finding_news

    return finding_news(report, since_last)


def _news(report: Report, since_last: SinceLast | None) -> NewsView | None:
    if since_last is None:
        return None
    # Only for a report with earlier ones.
    from auditor.render.html.news_view import news_view

    return news_view(report, since_last)


_SUMMARY_WORDS = {
    "bad": "RULES FAIL",
    "unsure": "RULES ARE UNKNOWN",
    "good": "ALL PASS",
    "quiet": "NOTHING TO EVALUATE",
}


def _summary_tone(summary: Summary) -> str:
    """The result of an audit without an app: unknown is neither good nor bad."""
    if summary.failed:
        return "bad"
    if summary.unknown:
        return "unsure"
    return "good" if summary.passed else "quiet"


def _sections(made: PageView) -> Iterator[PageSection]:
    if made.answers:
        required = sum(one.required for one in made.answers)
        yield PageSection("scopes", "Scopes", str(required or ""))
    if made.after_consent:
        yield PageSection("after-consent", "After consent", "")
    if made.stopped:
        yield PageSection("stopped", "Who was stopped", "")
    if made.supposed:
        yield PageSection("what-if", "What if", "")
    if made.groups:
        yield PageSection("fixes", "What to do", str(sum(len(group.fixes) for group in made.groups) or ""))
    if made.findings:
        yield PageSection("findings", "Findings", str(len(made.findings)))
    if made.contradictions:
        yield PageSection("disagreements", "Disagreements", str(len(made.contradictions)))
    if made.grants:
        yield PageSection("grants", "Grants", made.grants.number)
    if made.unread or made.again:
        parts = len(made.unread) + (len(made.again.parts) if made.again else 0)
        yield PageSection("unread", "Not read", str(parts))
    if made.message:
        yield PageSection("message", "Message to send", "")
    yield PageSection("provenance", "About this report", "")


def _after_consent(report: Report, one: AfterConsent) -> AfterConsentView:
    return AfterConsentView(
        whose=whose(report, one),
        because=plain_sentence(one.because),
        policies=tuple(AccessRow(line.word, tone(line.style), line.name, line.text) for line in policy_lines(one)),
        mailbox=one.mailbox.because if one.mailbox else "",
        not_checked=tuple(map(not_checked_text, one.not_checked)),
    )


def _what_if(report: Report) -> WhatIfView | None:
    if report.what_if is None:
        return None
    rows = tuple(
        (app_and_id(one.then), *one.words, plain_sentence(one.then.because)) for one in what_if_answers(report)
    )
    return WhatIfView(assumptions(report), rows)


def _unread(part: UnreadPart) -> UnreadView:
    text, permission = unread_text(part), series(part.needs, "or")
    refused = part.status in _REFUSED
    takes = f"{permission}. The response doesn't say that this permission was missing."
    return UnreadView(
        what=text.title,
        section=part.section,
        answer=text.response or "None.",
        allowed_by=text.allowed_by if refused else "",
        takes=takes if permission and not refused else "",
        not_known=text.unknown,
        request_id=part.request_id,
    )


def _calls(report: Report) -> tuple[CallView, ...]:
    """Every read request that the snapshot records."""
    if report.provenance is None:
        return ()
    return tuple(
        CallView(
            at=call.at[:19].replace("T", " ") if _ISO_TIME.fullmatch(call.at) else call.at,
            section=call.section,
            address=call.address,
            status="no response" if call.status is None else str(call.status),
            tone="quiet" if call.status is not None and call.status < 400 else "unsure",
            rows="" if call.rows is None else count(call.rows, "row"),
            permissions=" or ".join(call.permissions),
        )
        for call in report.provenance.calls
    )


TEXT = 700
"""Columns of one text. Even the longest texts of the shipped packs are shorter."""
WORD = 160
"""Columns of a text without blanks, which is a name."""
ADDRESS = 2000
"""Columns of an address. Longer ones are useless on paper, and browsers cut them too."""
READ = 400
"""Characters of the address of a read request, with everything that it selects."""
COMMANDS = 20_000
"""Characters of lines to copy."""
_PER_COLUMN = 3
"""Characters in a column: a letter of Thai or Hindi has at most two marks."""
_ROOMS = MappingProxyType({AppGrants: 200, GrantLine: 200, StepRow: 4000})
"""Other limits: the names of grants are short and many, and a step can name all scopes of an app."""


def for_paper(view: PageView) -> PageView:
    """The page with no text too long for paper. A cut command can't be run, and a cut address isn't a link."""
    cut: PageView = _cut(view, TEXT)
    return cut


def _cut(value: Any, room: int) -> Any:
    match value:
        case AddressView():
            return _address(value)
        case LinkedText() | ConsentLink():
            # A page is named by its text; its address is printed nowhere.
            return value._replace(text=_text(value.text, room), href=value.href if len(value.href) <= ADDRESS else "")
        case CodeView():
            return _code(value)
        case CallView():
            return _call(value)
        case str():
            return _text(value, room)
        case tuple():
            inner = [_cut(each, _ROOMS.get(type(value), room)) for each in value]
            return type(value)(*inner) if hasattr(value, "_fields") else tuple(inner)
    return value


def _text(text: str, room: int) -> str:
    """The text with its long words cut, then cut itself."""
    if len(text) > WORD:
        text = " ".join(_short(word, WORD) for word in text.split(" "))
    return _short(text, room)


def _short(text: str, room: int) -> str:
    """The text in at most `room` columns and not many more characters: one letter can have a thousand accents."""
    cut = clip(text, room)
    most = room * _PER_COLUMN
    return cut if len(cut) <= most else f"{cut[: most - 3]}..."


def _address(one: AddressView) -> AddressView:
    """A cut address leads elsewhere, so it isn't a link."""
    return one if len(one.text) <= ADDRESS else one._replace(text=_short(one.text, WORD), href="")


def _call(one: CallView) -> CallView:
    """A request shows everything that it selected. Its address has no marks, so its characters are its columns."""
    short = one.address if len(one.address) <= READ else f"{one.address[: READ - 3]}..."
    return CallView(*(_text(text, TEXT) for text in one))._replace(address=short)


def _code(one: CodeView) -> CodeView:
    """Lines that are too long are left out completely, because a part of a command can be a command too."""
    if len(one.text) <= COMMANDS:
        return one
    return one._replace(text=f"Too long to print ({len(one.text)} characters): the JSON report has it.")
