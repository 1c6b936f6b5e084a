"""The message to send: an e-mail or a ticket note for the person who must act, from what the report holds.

It names the link first, then the role to sign in with, why the change is safe and what it doesn't open. Every form of
it (text, the page's button, a bundle's member) comes from `message`. Link and role are those of the report's first
thing to do, so the message never asks for something else than the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from auditor.facts.ids import FILL_IN_TENANT, TENANT_PLACEHOLDER, is_redacted_tenant
from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Decision, Fix, Outcome
from auditor.model.document import series
from auditor.model.report import Report
from auditor.render.fix_view import (
    CONNECTING_FIX,
    AnswerGroup,
    FirstThing,
    first_thing,
    fix_opens,
    grouped_answers,
    links_of_packs,
)
from auditor.render.labels import (
    NAME_WIDTH,
    app_label,
    click_path,
    is_click_path,
    outcome_meaning,
    plain_sentence,
    readable_time,
)
from auditor.render.report_view import afterwards
from auditor.render.text_layout import clip, safe

MOST_IN_MAILTO = 1800
"""Characters of a ``mailto:`` address: mail programs cut or refuse longer ones (Outlook and Windows at about 2,000)."""
_SUBJECT = "Subject: "
_COPY_THE_REST = "This is the start of the message: the report has all of it to copy."
_ANY_TENANT = re.compile(r"^(https://login\.[^/]+)/(?:organizations|common)/", re.IGNORECASE)
_REDACTED_VALUE = re.compile(r"(?:tenant|host)-[0-9a-f]{10}\.example|ffffffff-[0-9a-f]{4}-8[0-9a-f]{3}-", re.IGNORECASE)


class Message(NamedTuple):
    """A subject on one line, and paragraphs, the most important ones first. A paragraph can have several lines."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The message as plain text, which ends with a line break."""
        return "\n\n".join((f"{_SUBJECT}{self.subject}", *self.paragraphs)) + "\n"

    @property
    def is_shortened(self) -> bool:
        """Whether `mailto` leaves out a part of the message."""
        return len(_mailto(self.subject, self.paragraphs)) > MOST_IN_MAILTO

    @property
    def mailto(self) -> str:
        """The address that opens a mail program with this message (RFC 6068), at most `MOST_IN_MAILTO` characters.

        If the message is longer, its last paragraphs are left out, and it says so.
        """
        whole = _mailto(self.subject, self.paragraphs)
        if len(whole) <= MOST_IN_MAILTO:
            return whole
        for kept in range(len(self.paragraphs) - 1, 0, -1):
            shorter = _mailto(self.subject, (*self.paragraphs[:kept], _COPY_THE_REST))
            if len(shorter) <= MOST_IN_MAILTO:
                return shorter
        return _mailto(self.subject, (_COPY_THE_REST,))


def parsed_message(text: str) -> Message:
    """The message whose `Message.text` this is. A text without a subject line is all paragraphs."""
    head, _, body = text.strip("\n").partition("\n\n")
    subject = head.removeprefix(_SUBJECT)
    if subject == head or "\n" in head:
        return Message("", tuple(text.strip("\n").split("\n\n")))
    return Message(subject, tuple(body.split("\n\n")))


def _mailto(subject: str, paragraphs: Iterable[str]) -> str:
    body = "\r\n\r\n".join(one.replace("\n", "\r\n") for one in paragraphs)
    title, text = quote(subject, safe="", errors="replace"), quote(body, safe="/:", errors="replace")
    return f"mailto:?subject={title}&body={text}"


def message(report: Report) -> Message:
    """The message about this report. It has no address of a person: the report doesn't know who the administrator is.

    Several apps that need something different each get a separate part, and the apps that need nothing one line.
    """
    made = _message(report)
    shown = ("\n".join(map(safe, one.split("\n"))) for one in made.paragraphs)
    return Message(safe(made.subject), tuple(shown))


def _message(report: Report) -> Message:
    groups = grouped_answers(report)
    if not groups:
        return _about_rules(report)
    todo = [group for group in groups if not group.first.outcome.connects]
    if not todo:
        return _nothing_to_do(report, groups)
    parts = tuple(_about_answer(report, todo[0]) if len(todo) == 1 else _numbered_parts(report, todo))
    fine = [group for group in groups if group not in todo]
    connects = (f"Nothing to do for {series(_names(fine))}: users can connect.",) if fine else ()
    return Message(_subject(report, todo), (*parts, *connects, _about_the_check(report)))


def _names(groups: Iterable[AnswerGroup]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(group.first) for group in groups))


def _name(decision: Decision) -> str:
    """The app, and the user if the answer is about one."""
    app = _line(app_label(decision))
    return app if decision.subject == ORDINARY_SUBJECT else f"{app} (for {_line(decision.subject)})"


def _line(text: str) -> str:
    """A name from the tenant on one line."""
    return _flat(clip(text, NAME_WIDTH))


def _tenant(report: Report) -> str:
    return _line(report.tenant.name) or "the tenant"


def _subject(report: Report, todo: Sequence[AnswerGroup]) -> str:
    names = series(_names(todo)) if len(todo) < 3 else f"{len(todo)} apps"
    where = f" ({_line(report.tenant.name)})" if report.tenant.name else ""
    if all(group.first.outcome is Outcome.DEPENDS for group in todo):
        return f"To find out: can users connect {names}?{where}"
    if all(_approves(first_thing(report, group.first)) for group in todo):
        return f"Please approve {names}{where}"
    return f"Action needed so that users can connect {names}{where}"


def _approves(first: FirstThing | None) -> bool:
    return bool(first and first.fix and first.fix.proven.outcome in CONNECTING_FIX and first.link)


def _numbered_parts(report: Report, todo: Sequence[AnswerGroup]) -> Iterator[str]:
    """The parts about several answers: the links of all come first, and then the rest of each."""
    bodies = [tuple(_about_answer(report, group)) for group in todo]
    for number, (group, body) in enumerate(zip(todo, bodies, strict=True), start=1):
        yield f"{number}. {_name(group.first)}\n{body[0]}"
    for number, (group, body) in enumerate(zip(todo, bodies, strict=True), start=1):
        if body[1:]:
            yield "\n".join((f"About {number}. {_name(group.first)}", *body[1:]))


def _about_answer(report: Report, group: AnswerGroup) -> Iterator[str]:
    """What to do first, then who can do it, why it's safe, and what it opens."""
    decision, first = group.first, first_thing(report, group.first)
    if first is None:
        yield f"{_sentence(decision.because)} No fix is known."
        return
    if first.fix is None:
        yield from _without_fix(report, decision, first)
        return
    yield from _action(report, group, first, first.fix)
    if first.role:
        minutes = first.fix.minutes
        yield f"Sign in as: {first.role}{f' It takes about {minutes} minutes.' if minutes else ''}"
    yield _why_safe(first.fix)
    yield from _exposure(first.fix.opens)
    yield f"Why it's needed: {_sentence(decision.because)}"
    if first.fix.undo:
        yield f"To undo it: {_sentence(first.fix.undo)}"
    if then := afterwards(report, decision):
        yield f"Afterwards: {then}"


def _action(report: Report, group: AnswerGroup, first: FirstThing, fix: Fix) -> Iterator[str]:
    """The link, what to do there, and how to fill it in; or the steps in the portal, or where the commands are."""
    link = _flat(_of_this_tenant(report, first.link))
    if not link:
        yield "\n".join((f"Please do this: {_sentence(fix.title)}", *_steps(fix)))
        return
    lead = "Please open this link and accept:" if _approves(first) else "Please open this link:"
    lines = [lead, link]
    for pack, other in links_of_packs(report, fix)[1:]:
        lines += [f"For {_line(pack)}, open this link instead:", _flat(_of_this_tenant(report, other))]
    if TENANT_PLACEHOLDER in link:
        lines.append(f"{FILL_IN_TENANT} Don't open the link before that.")
    if _REDACTED_VALUE.search(link):
        lines.append("The link has other redacted values, too: whoever has the original report can give the real link.")
    lines.append(
        f"The page lists the permissions that {_line(app_label(group.first))} asks for. Compare them with the report,"
        " and choose Accept. The page that opens then may be an error although consent was given."
    )
    more = [part for part in fix.steps.portal if not part.startswith("Open this link")] if "+" in fix.route else []
    yield "\n".join((*lines, *(f"- {_flat(step)}" for step in more)))


def _of_this_tenant(report: Report, link: str) -> str:
    """The link in this tenant: one for any tenant would give consent in whatever tenant its reader signs in to."""
    known = report.tenant.id and not is_redacted_tenant(report.tenant.id)
    tenant = quote(report.tenant.id, safe="", errors="replace") if known else TENANT_PLACEHOLDER
    return _ANY_TENANT.sub(lambda match: f"{match[1]}/{tenant}/", link)


def _steps(fix: Fix) -> Iterator[str]:
    steps = fix.steps.portal
    if is_click_path(steps):
        yield f"In the portal: {click_path(steps)}"
    elif steps:
        yield from (f"{number}. {_flat(step)}" for number, step in enumerate(steps, start=1))
    else:
        yield "The report has the commands for it, for PowerShell and the Azure CLI. Read them before you run them."


def _flat(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    """The text as a sentence on one line: a name in it can't start a new line."""
    return plain_sentence(_flat(text))


def _why_safe(fix: Fix) -> str:
    """The proof, and that delegated permissions never exceed the user's own (Entra, "Permissions and consent").

    The older consent link also grants application permissions that the app registered, so nothing is said of that one.
    """
    means = outcome_meaning(fix.proven.outcome).rstrip(".")
    likely = "" if fix.proven.confidence == Confidence.CERTAIN else " It is likely, not certain: see the report."
    proof = f"Why it's safe: the change was tested on a copy of the settings. Result: {means}.{likely}"
    if not fix.opens.get("granted"):
        return proof
    return f"{proof} The app can act only for users who sign in to it, and never do more than that user can."


_OTHER_APPS = MappingProxyType(
    {
        "unverified-publisher": "apps of unverified publishers",
        "verified-publisher": "apps of verified publishers",
        "own-tenant": "apps of this tenant",
    }
)
"""The classes of other apps in the exposure of a fix."""


def _exposure(opens: Mapping[str, Any]) -> Iterator[str]:
    """What the change doesn't open, and what it does; JSON has the scopes by name."""
    if not opens:
        return
    if opens.get("consent_policy_changes", True):
        changed = opens.get("by_class", {})
        closed = [words for kind, words in _OTHER_APPS.items() if not _opened(changed.get(kind, {}))]
        if closed:
            yield f"What it doesn't open: users can't grant any more to {series(closed, 'or')}."
    else:
        yield "What it doesn't open: no other app can do more, and the settings for user consent stay as they are."
    texts = [text.removeprefix("Nothing for other apps.").strip() for text in fix_opens(opens)]
    if any(texts):
        yield f"What it opens: {' '.join(filter(None, texts))}"


def _opened(one: Mapping[str, Any]) -> bool:
    """Whether a class of apps can get more, or may."""
    return bool(one.get("opened") or one.get("not_known"))


def _without_fix(report: Report, decision: Decision, first: FirstThing) -> Iterator[str]:
    """No change is proven: whom to ask, or what to find out."""
    app = _line(app_label(decision))
    says = " ".join(map(_flat, first.says))
    if decision.outcome is Outcome.DEPENDS:
        yield f"It isn't known yet whether users can connect {app}. {says}"
        if decision.depends_on:
            yield f"It depends on: {' '.join(map(_sentence, decision.depends_on))}"
        return
    yield says
    if first.link:
        yield f"Link: {_of_this_tenant(report, first.link)}"
    if first.role:
        yield f"Sign in as: {first.role}"
    yield f"Why it's needed: {_sentence(decision.because)}"
    yield "No change in the tenant was proven to help, so this message doesn't ask for one."


def _nothing_to_do(report: Report, groups: Sequence[AnswerGroup]) -> Message:
    names = series(_names(groups))
    likely = any(group.first.confidence is Confidence.LIKELY for group in groups)
    notes = (f"After consent: {then}" for group in groups if (then := afterwards(report, group.first)))
    says = f"Users of {_tenant(report)} can {'probably ' if likely else ''}connect {names}. No approval is needed."
    return Message(f"Nothing to approve: {names}", (says, *dict.fromkeys(notes), _about_the_check(report)))


def _about_rules(report: Report) -> Message:
    """The message about a report without an app: the first failed rule."""
    where = f" ({_line(report.tenant.name)})" if report.tenant.name else ""
    first = first_thing(report, None)
    if first is None or not (first.finding or first.fix):
        says = " ".join(map(_flat, first.says)) if first else "The report evaluates no app and no rule."
        answer = _sentence(report.summary.answer)
        return Message(f"Consent audit{where}", tuple(filter(None, (answer, says, _about_the_check(report)))))
    lines = [f"Please do this: {' '.join(map(_flat, first.says))}"]
    if first.link:
        lines.append(_of_this_tenant(report, first.link))
    finding = first.finding
    why = f"Why: rule {finding.rule} fails. {_sentence(finding.reason)}" if finding else ""
    role = f"Sign in as: {first.role}" if first.role else ""
    answer = f"The whole result: {_sentence(report.summary.answer)}"
    parts = ("\n".join(lines), role, why, answer, _about_the_check(report))
    return Message(f"Action needed after a consent audit{where}", tuple(filter(None, parts)))


def _about_the_check(report: Report) -> str:
    """What the message rests on."""
    tool = report.tool.split()[0] if report.tool else "consent-auditor"
    when = f" as it was at {readable_time(report.taken)}" if report.taken else ""
    return f"This rests on a read-only check of {_tenant(report)}{when}, by {tool}. The check changed nothing."


def render(report: Report) -> str:
    """The message as text, which ends with a line break. The same report gives the same text."""
    return message(report).text
