"""What a message says about one change, one failed run and one expiry, answer first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from auditor.model.decision import ORDINARY_SUBJECT, Outcome
from auditor.model.difference import TRANSITION_WORDS, Actor, ActorKind, Change, ChangeKind, Since, Transition
from auditor.model.document import days_left, parse_time, time_left
from auditor.model.history import RunDecision, RunFinding
from auditor.model.notification import Expiry
from auditor.model.rule import FindingOutcome
from auditor.notify.message_text import clip

SHORT_EXPIRY_DAYS = 7
"""Days before its end at which something short-lived is said: a request for consent, the retention."""

_SENTENCE_ENDS = ".!?…"


class FindingGroup(StrEnum):
    """The heading under which a changed finding is listed."""

    NEW = "New failures"
    WAIVED = "Accepted by a waiver"
    FIXED = "Fixed"
    UNKNOWN = TRANSITION_WORDS[Transition.BECAME_UNKNOWN].capitalize()
    KNOWN = TRANSITION_WORDS[Transition.BECAME_KNOWN].capitalize()
    CHANGED = "Changed findings"


_FINDING_TITLES = {
    FindingGroup.NEW: "a rule now fails",
    FindingGroup.WAIVED: "a waiver accepts",
    FindingGroup.FIXED: "fixed",
    FindingGroup.UNKNOWN: TRANSITION_WORDS[Transition.BECAME_UNKNOWN],
    FindingGroup.KNOWN: TRANSITION_WORDS[Transition.BECAME_KNOWN],
    FindingGroup.CHANGED: "a finding changed",
}


def readable(time: str) -> str:
    """``22 Nov 2026, 02:00 UTC``; a day without a time stays one; other text is unchanged."""
    at = parse_time(time)
    if at is None:
        return time
    day = f"{at.day} {at:%b %Y}"
    return day if len(time) == len("2026-11-22") else f"{day}, {at:%H:%M} UTC"


def sentence(text: str) -> str:
    """The text with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in _SENTENCE_ENDS else f"{text}."


def outcome_of(value: Any) -> Outcome | None:
    """The outcome in a decision's `before` or `after`; none if there isn't one that this version knows."""
    text = value.get("outcome") if isinstance(value, Mapping) else value
    try:
        return Outcome(str(text))
    except ValueError:
        return None


def users(subject: str) -> str:
    """Whom a decision is about, as the subject of a sentence."""
    return "users" if subject in ("", ORDINARY_SUBJECT) else clip(subject)


def now_sentence(apps: str, subject: str, outcome: Outcome | None) -> str:
    """What is the case: ``users can't connect TrackerRMS``."""
    who = users(subject)
    match outcome:
        case Outcome.CONNECTS_SILENTLY | Outcome.USER_MAY_CONSENT:
            return f"{who} can connect {apps}"
        case Outcome.CONNECTS_BUT_LACKS_SCOPES:
            return f"{who} can connect {apps}, but without permissions that it needs"
        case Outcome.NEEDS_ADMIN | Outcome.BLOCKED:
            return f"{who} can't connect {apps}"
        case _:
            return f"it isn't known whether {who} can connect {apps}"


def decision_sentence(
    apps: str, subject: str, before: Outcome | None, after: Outcome | None, transition: Transition = Transition.CHANGED
) -> str:
    """What changed: ``users can no longer connect TrackerRMS``. What isn't known any more hasn't changed."""
    who = users(subject)
    connected, connects = _connects(before), _connects(after)
    if after is Outcome.DEPENDS or transition is Transition.BECAME_UNKNOWN:
        return f"it is no longer known whether {who} can connect {apps}"
    is_news = transition is not Transition.BECAME_KNOWN
    if before is None or after is None or connected is None or connects is None or not is_news:
        return now_sentence(apps, subject, after) if after else f"{apps} is no longer checked"
    if connected and not connects:
        return f"{who} can no longer connect {apps}"
    if connects and not connected:
        return f"{who} can now connect {apps}"
    if after is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return f"{who} connect {apps} without permissions that it needs"
    if before is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return f"{apps} has the permissions that it lacked"
    if after is Outcome.USER_MAY_CONSENT:
        return f"{who} must accept the permissions of {apps} before they connect"
    if after is Outcome.CONNECTS_SILENTLY:
        return f"{who} connect {apps} without being asked"
    if before is after:
        return f"{now_sentence(apps, subject, after)}, for another reason than before"
    need = "an administrator must approve it" if after is Outcome.NEEDS_ADMIN else "even an approval isn't enough"
    return f"{who} still can't connect {apps}: now {need}"


def _connects(outcome: Outcome | None) -> bool | None:
    """Whether the user ends up connected; none if that isn't known."""
    if outcome is None or outcome is Outcome.DEPENDS:
        return None
    return outcome.connects or outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES


def app_name(change: Change, decisions: Sequence[RunDecision]) -> str:
    """The name of the app that a decision's change is about, or its client id if no decision of the run names it."""
    named = next((one.app for one in decisions if one.client_id.lower() == change.client_id.lower()), "")
    return clip(named or change.client_id)


def subject_of(change: Change) -> str:
    """The subject in the key ``decision/<client id>/<subject>``, which the pack that describes the app can follow."""
    return change.key.split("/")[2] if change.key.count("/") > 1 else ""


def finding_outcome(change: Change) -> str:
    """The outcome of a finding after the change; empty if the change doesn't say it."""
    return str(change.after.get("outcome", "")) if isinstance(change.after, Mapping) else ""


def finding_text(change: Change, finding: RunFinding | None, role: str = "") -> str:
    """The title of the rule, what the change means, who can fix it, and the rule's id, which comes last.

    `finding` is that of the run; without it, what the change calls itself is the title.
    """
    rule, title = (finding.rule, finding.title) if finding else ("", change.what)
    title = clip(title, 160)
    text = sentence(f'"{title}": {change.means}' if change.means else f'"{title}"')
    fixed_by = f"Can be fixed by: {role}." if role else ""
    return " ".join(filter(None, (text, fixed_by, f"({rule})" if rule else "")))


def when(since: Since | None) -> str:
    """``since 22 Nov 2026, 01:14 UTC (directory audit)``; empty if nothing is known."""
    if since is None:
        return ""
    if since.at:
        return f"since {readable(since.at)} ({since.source})" if since.source else f"since {readable(since.at)}"
    if since.after and since.before:
        return f"between {readable(since.after)} and {readable(since.before)}"
    return f"before {readable(since.before)}" if since.before else f"after {readable(since.after)}" * bool(since.after)


def by_whom(actor: Actor | None) -> str:
    """``by admin@contoso.com``; empty if nobody is known."""
    if actor is None:
        return ""
    if actor.kind is ActorKind.MICROSOFT:
        return "by Microsoft (inferred: no log names anybody)" if actor.inferred else "by Microsoft"
    name = clip(actor.name or actor.id)
    if not name:
        return ""
    return f"by the app {name}" if actor.kind is ActorKind.APP else f"by {name}"


def circumstances(change: Change) -> str:
    """Since when and by whom, as far as it's known: ``between … and …, by …``."""
    return ", ".join(filter(None, (when(change.since), by_whom(change.by))))


def finding_group(change: Change) -> FindingGroup:
    """Where a changed finding belongs: one that a waiver accepts isn't fixed."""
    match change.transition:
        case Transition.APPEARED:
            return FindingGroup.NEW
        case Transition.FIXED:
            is_waived = finding_outcome(change) == FindingOutcome.WAIVED
            return FindingGroup.WAIVED if is_waived else FindingGroup.FIXED
        case Transition.BECAME_UNKNOWN:
            return FindingGroup.UNKNOWN
        case Transition.BECAME_KNOWN:
            return FindingGroup.KNOWN
        case _:
            return FindingGroup.CHANGED


def change_text(change: Change) -> str:
    """A change that isn't a finding, in a list: what it is and means, since when and by whom if a log says it."""
    what = f"{clip(change.what, 160)} ({TRANSITION_WORDS[change.transition]})"
    text = sentence(f"{what}: {change.means}" if change.means else what)
    more = circumstances(change) if change.by or (change.since and change.since.at) else ""
    return f"{text} {sentence(more[0].upper() + more[1:])}" if more else text


def change_title(change: Change, finding: RunFinding | None) -> str:
    """A change that isn't a decision, in a title; `finding` is that of the run, if the change is about one."""
    if change.kind is ChangeKind.FINDING:
        return f"{_FINDING_TITLES[finding_group(change)]}: {clip(finding.title if finding else change.what, 120)}"
    what = clip(change.what, 120)
    return f"{what} {'is ' if change.transition is not Transition.CHANGED else ''}{TRANSITION_WORDS[change.transition]}"


_VOLATILE = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9:.]+z?|[0-9a-f]{16,}|[0-9]+", re.I
)


def without_volatile_parts(error: str) -> str:
    """The error without ids, times and numbers, which differ each time although the reason is the same."""
    codes = re.findall(r"AADSTS\d+|\b[45]\d\d\b", error)
    return " ".join((_VOLATILE.sub("", error).lower(), *codes))


def expiry_text(expiry: Expiry, now: str) -> str:
    """``The audit's certificate ends in 12 days, on 9 Dec 2026.``"""
    days = days_left(expiry.ends, parse_time(now))
    on = readable(expiry.ends[:10])
    what = clip(expiry.what, 160)
    if days is None:
        return f"{what} ends on {expiry.ends}"
    if days < 0:
        return f"{what} ended on {on}"
    return f"{what} ends {time_left(days)}, on {on}"


def lower_article(text: str) -> str:
    """The text without a capital letter in its article, for the middle of a sentence."""
    first, space, rest = text.partition(" ")
    return f"{first.lower()}{space}{rest}" if first in ("The", "A", "An", "Whether") else text


def joined(names: Iterable[str]) -> str:
    """``A``, ``A and B``, ``A and 3 more``."""
    names = list(dict.fromkeys(names))
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} more"
