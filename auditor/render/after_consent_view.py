"""What every format says about the time after consent: Conditional Access, the mailbox, and what wasn't checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from auditor.facts.access_requirements import CODES
from auditor.model.decision import Access, AccessPolicy, AfterConsent, Decision, Effect, NotChecked, Reach
from auditor.model.document import series
from auditor.model.report import Report
from auditor.render.labels import NAME_WIDTH, ORDINARY_MEMBER, sentence
from auditor.render.text_layout import clip

TITLE = "After consent: what can still stop users"
AFTERWARDS = "Afterwards"
"""The label of the one fact that belongs to the answer itself."""


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
    return app if one.subject == ORDINARY_MEMBER else f"{app}, for {clip(one.subject, NAME_WIDTH)}"


def afterwards(report: Report, decision: Decision) -> str:
    """Why users are stopped, or may be, although they may have consent, as a sentence; nothing if neither is so."""
    return next(
        (
            sentence(one.because)
            for one in report.after_consent
            if (one.app.client_id, one.subject) == (decision.app.client_id, decision.subject)
            and one.access in (Access.STOPS, Access.MAY_STOP)
        ),
        "",
    )


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
