"""The words of a report: outcomes, counts, times and places as a reader says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.model import sections
from auditor.model.decision import Confidence, Decision, Outcome, Verdict
from auditor.model.finding import FindingOutcome, Severity
from auditor.model.report import Summary
from auditor.render.layout import clip

ORDINARY_MEMBER = "ordinary member"
"""The subject of a decision that is about nobody in particular."""


_ENDS = frozenset(".!?…。！？")  # the last three end sentences in Chinese and Japanese

NAME = 80
"""Columns of a tenant's or an app's name: longer ones are somebody's joke, and would push the answer down."""


class Said(NamedTuple):
    """How an outcome is called, how it is painted, and what it means for users as the first screen names them."""

    word: str
    style: str
    means: str


OUTCOMES = MappingProxyType(
    {
        Outcome.CONNECTS_SILENTLY: Said("CONNECTS", "good", "Users connect without being asked."),
        Outcome.USER_MAY_CONSENT: Said("CONNECTS", "good", "Users connect after accepting the permissions once."),
        Outcome.CONNECTS_BUT_LACKS_SCOPES: Said(
            "LACKS SCOPES", "bad", "Users connect, but the app lacks permissions that it needs."
        ),
        Outcome.NEEDS_ADMIN: Said("NEEDS ADMIN", "bad", "An administrator must approve the app first."),
        Outcome.BLOCKED: Said("BLOCKED", "bad", "Users cannot connect."),
        Outcome.DEPENDS: Said("DEPENDS", "unsure", "It depends on something that is not known."),
    }
)

VERDICTS = MappingProxyType(
    {
        Verdict.GRANTED: ("granted", "good"),
        Verdict.CONSENTABLE: ("allowed", "good"),
        Verdict.BLOCKED: ("blocked", "bad"),
        Verdict.UNKNOWN: ("unknown", "unsure"),
    }
)

FINDINGS = MappingProxyType(
    {
        FindingOutcome.FAIL: ("fail", "bad"),
        FindingOutcome.UNKNOWN: ("unknown", "unsure"),
        FindingOutcome.WAIVED: ("waived", "unsure"),
        FindingOutcome.PASS: ("pass", "good"),
        FindingOutcome.NOT_APPLICABLE: ("n/a", "quiet"),
    }
)

SEVERE = frozenset({Severity.CRITICAL, Severity.HIGH})

SECTIONS = MappingProxyType({name: sections.SECTIONS[name].label for name in sections.TENANT_SECTIONS})
"""What a section of the snapshot is, for somebody who has never seen one."""

_RESOURCES = MappingProxyType({MICROSOFT_GRAPH: "Graph", EXCHANGE_ONLINE: "Exchange"})


def resource(app_id: str, name: str) -> str:
    """A resource's short name: the app id only where there is no other."""
    return _RESOURCES.get(app_id.lower()) or name or app_id


def answer_word(decision: Decision) -> str:
    """The outcome in capitals, with its doubt."""
    word = OUTCOMES[decision.outcome].word
    return f"{word} (likely)" if decision.confidence is Confidence.LIKELY else word


def app_label(decision: Decision) -> str:
    """What to call the app of a decision."""
    return clip(decision.app.name, NAME) or f"app {clip(decision.app.client_id, NAME)}"


def meaning(outcome: str) -> str:
    """What an outcome means for users; one that is not known here is given as it is."""
    try:
        return OUTCOMES[Outcome(outcome)].means
    except ValueError:
        return outcome


def code(text: str) -> str:
    """The code as Microsoft writes it; nothing for success."""
    if text in ("", "0"):
        return ""
    return f"AADSTS{text}" if text.isdigit() else text


def app_and_id(decision: Decision) -> str:
    """The app's name and client id, and which of its descriptions; an app without a name is not named twice."""
    label, client_id = app_label(decision), decision.app.client_id
    whole = label if client_id in label else f"{label} ({client_id})"
    return f"{whole}, pack {clip(decision.app.variant, NAME)}" if decision.app.variant else whole


def screen(decision: Decision) -> str:
    """What the user sees, with the code that the sign-in log shows for it."""
    shown, number = decision.screen.strip(), code(decision.code)
    if shown and number and number not in shown:
        return f"{shown.rstrip('.')} ({number})."
    return sentence(shown or number)


def could_be(decision: Decision) -> str:
    """The possible outcomes of a decision that depends, as the first screen names them."""
    words = dict.fromkeys(OUTCOMES[outcome].word for outcome in decision.outcomes)
    return sentence(series(tuple(words), "or"))


def utc(taken: str) -> str:
    """A time as ``2026-11-22 02:00 UTC``; what is not a time is given as it is."""
    try:
        moment = datetime.fromisoformat(taken)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return taken or "not recorded"
    return f"{moment.isoformat(sep=' ')[:16]} UTC"


def count(number: int, one: str, many: str = "") -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def series(texts: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {last} {texts[-1]}"


def flat(text: str) -> str:
    """Text of a pack's author on one line: there, line breaks are only how the YAML was written."""
    return " ".join(text.split())


def sentence(text: str) -> str:
    """The text with a capital at its start and a full stop at its end.

    A first word that may be a name (a scope, a policy, a command) keeps its letters.
    """
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.isalpha() and first.islower() and first not in OPENID_SCOPES:
        text = text[0].upper() + text[1:]
    return text if not text or text[-1] in _ENDS else text + "."


def is_path(steps: Sequence[str]) -> bool:
    """Whether these steps are what to click on, one after the other, rather than sentences."""
    return len(steps) > 1 and not any(flat(step).endswith((".", ":")) for step in steps)


def click_path(steps: Sequence[str]) -> str:
    """``Entra ID > Enterprise apps > Permissions``."""
    return " > ".join(map(flat, steps))


def counts(summary: Summary) -> str:
    """``9 rules: 3 failed, 5 passed, 1 not applicable``."""
    total = summary.failed + summary.unknown + summary.waived + summary.passed + summary.not_applicable
    return f"{count(total, 'rule')}: {tally(summary)}" if total else "No rules were applied"


def tally(summary: Summary) -> str:
    """``3 failed, 5 passed, 1 not applicable``; what is zero is not named."""
    parts = (
        (summary.failed, "failed"),
        (summary.unknown, "unknown"),
        (summary.waived, "waived"),
        (summary.passed, "passed"),
        (summary.not_applicable, "not applicable"),
    )
    return ", ".join(f"{number} {word}" for number, word in parts if number)
