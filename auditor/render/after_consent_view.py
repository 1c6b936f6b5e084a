"""What can still stop users after consent, what wasn't checked, and who was stopped: words for every format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.facts.access_requirements import CODES
from auditor.model.decision import ORDINARY_SUBJECT, AccessPolicy, AfterConsent, Effect, NotChecked, Reach
from auditor.model.document import sentence, series
from auditor.model.report import Report, StoppedUsers
from auditor.render.labels import NAME_WIDTH, plain_sentence, readable_time
from auditor.render.text_layout import clip

AFTER_CONSENT = "After consent: what can still stop users"


class PolicyLine(NamedTuple):
    """A policy in words: its name, what it does in a word and the style of that, and everything else in sentences."""

    name: str
    word: str
    style: str
    text: str


def whose(report: Report, one: AfterConsent) -> str:
    """The app and the user, where the report has several; else nothing."""
    if len(report.after_consent) < 2:
        return ""
    app = clip(one.app.name, NAME_WIDTH)
    return app if one.subject == ORDINARY_SUBJECT else f"{app}, for {clip(one.subject, NAME_WIDTH)}"


STOPPED = "Who was stopped and who waits"
"""The heading of what requests for consent and logs say about the apps of the report."""


def stopped_lines(one: StoppedUsers) -> tuple[str, ...]:
    """Until when requests wait and who decides them, and what isn't known."""
    lines = []
    if one.review:
        ends = f" The first request expires on {readable_time(one.ends)}." if one.ends else ""
        who = f" Reviewers: {series(one.reviewers)}." if one.reviewers else ""
        lines.append(f"Decide the requests in {' > '.join(one.review)}.{who}{ends}")
    unknown = {"waiting": "Who waits", "stopped": "Whose sign-in failed", "reviewers": "Who reviews requests"}
    lines += [
        f"{unknown[name]} isn't known: {plain_sentence(why)}" for name, why in one.not_known.items() if name in unknown
    ]
    return tuple(lines)


def stopped_label(report: Report, one: StoppedUsers) -> str:
    """Which app it is about; empty if the report is about one app only."""
    return (one.app.name or one.app.client_id) if len(report.stopped) > 1 else ""


def policy_lines(one: AfterConsent) -> tuple[PolicyLine, ...]:
    """The policies in words, in their order."""
    return tuple(map(_policy_line, one.policies))


def _policy_line(policy: AccessPolicy) -> PolicyLine:
    word, style = _word(policy)
    name = clip(policy.name, NAME_WIDTH) or policy.id or "Name not read"
    return PolicyLine(name, word, style, " ".join(_sentences(policy)))


def _word(policy: AccessPolicy) -> tuple[str, str]:
    """What the policy does in a word, and its style."""
    if policy.enforced is False:
        return "reports", "quiet"
    surely = policy.enforced is True and policy.reach is Reach.REACHES
    if policy.effect is Effect.ASKS:
        return ("asks", "quiet") if surely else ("may ask", "quiet")
    return ("stops", "bad") if surely and policy.effect is Effect.STOPS else ("may stop", "unsure")


def _sentences(policy: AccessPolicy) -> Iterator[str]:
    if policy.enforced is False:
        yield "Report-only, so not enforced."
    elif policy.enforced is None:
        yield "Whether it is enforced is unknown."
    yield sentence(policy.demand)
    if policy.applies:
        yield sentence(f"applies {'; '.join(policy.applies)}")
    if policy.codes:
        verb = "would see" if policy.enforced is False else "see"
        yield sentence(f"users {verb} {series([_code(code) for code in policy.codes], 'or')}")
    yield from map(sentence, policy.notes)
    if policy.depends_on:
        yield sentence(f"not known: {'; '.join(policy.depends_on)}")


def _code(code: str) -> str:
    return f"{code} ({CODES[code]})" if code in CODES else code


def not_checked_text(one: NotChecked) -> str:
    """What wasn't checked, why it matters, and the command that shows it."""
    how = f" Check it with: {one.how}" if one.how else ""
    return f"{one.what}. {sentence(one.why)}{how}"
