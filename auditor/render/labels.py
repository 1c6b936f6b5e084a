"""The words of every report format: outcomes and verdicts, names of apps and resources, counts, sentences, times.

And values as JSON, which several formats show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from auditor.facts import load_table
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCE_NAMES
from auditor.facts.permissions import PERMISSIONS
from auditor.model.decision import Confidence, Decision, Outcome, Reason, RequestedAs, RoleState, ScopeVerdict, Verdict
from auditor.model.document import count, parse_time, sentence, series, time_left
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.report import AbusedAppsRef, NotCollected, Summary, UnreadPart
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.sections import SECTIONS, TENANT_SECTIONS
from auditor.model.snapshot import CredentialEnd
from auditor.render.text_layout import clip

NAME_WIDTH = 80
"""Columns of the name of a tenant or an app. A longer one would push the answer off the first screen."""


class OutcomeLabel(NamedTuple):
    """An outcome in capitals, its style (see `auditor.render.text_layout.Palette`), and what it means for users."""

    word: str
    style: str
    means: str


OUTCOMES = MappingProxyType(
    {
        Outcome.CONNECTS_SILENTLY: OutcomeLabel("CONNECTS", "good", "Users connect without being asked."),
        Outcome.USER_MAY_CONSENT: OutcomeLabel(
            "CONNECTS", "good", "Users connect after accepting the permissions once."
        ),
        Outcome.CONNECTS_BUT_LACKS_SCOPES: OutcomeLabel(
            "LACKS SCOPES", "bad", "Users connect, but the app lacks permissions that it needs."
        ),
        Outcome.NEEDS_ADMIN: OutcomeLabel("NEEDS ADMIN", "bad", "An administrator must approve the app first."),
        Outcome.BLOCKED: OutcomeLabel("BLOCKED", "bad", "Users can't connect."),
        Outcome.DEPENDS: OutcomeLabel("DEPENDS", "unsure", "It depends on something that isn't known."),
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
"""The word and the style of a scope's verdict."""

ROLE_STATES = MappingProxyType(
    {
        RoleState.GRANTED: ("granted", "good"),
        RoleState.NOT_GRANTED: ("not granted", "bad"),
        RoleState.UNKNOWN: ("unknown", "unsure"),
    }
)
"""The word and the style of an application permission."""

FINDINGS = MappingProxyType(
    {
        FindingOutcome.FAIL: ("fail", "bad"),
        FindingOutcome.UNKNOWN: ("unknown", "unsure"),
        FindingOutcome.WAIVED: ("waived", "unsure"),
        FindingOutcome.PASS: ("pass", "good"),
        FindingOutcome.NOT_APPLICABLE: ("n/a", "quiet"),
    }
)
"""The word and the style of a finding's outcome."""

SEVERE = frozenset({Severity.CRITICAL, Severity.HIGH})

_RESOURCES = MappingProxyType({MICROSOFT_GRAPH: "Graph", EXCHANGE_ONLINE: "Exchange"})


def resource_label(app_id: str, name: str) -> str:
    """A short name of the resource; its app ID only if it has no name."""
    return _RESOURCES.get(app_id.lower()) or name or app_id


def answer_word(decision: Decision) -> str:
    """The outcome in capitals, marked if it's only likely."""
    word = OUTCOMES[decision.outcome].word
    return f"{word} (likely)" if decision.confidence is Confidence.LIKELY else word


def app_label(decision: Decision) -> str:
    """The name of the decision's app, or its client ID."""
    return clip(decision.app.name, NAME_WIDTH) or f"app {clip(decision.app.client_id, NAME_WIDTH)}"


def app_and_id(decision: Decision) -> str:
    """The app's name and client ID, and the pack that describes it if several do."""
    label, client_id = app_label(decision), decision.app.client_id
    whole = label if client_id in label else f"{label} ({client_id})"
    return f"{whole}, pack {clip(decision.app.variant, NAME_WIDTH)}" if decision.app.variant else whole


def outcome_meaning(outcome: str) -> str:
    """What an outcome means for users. An outcome that this version doesn't know is returned unchanged."""
    try:
        return OUTCOMES[Outcome(outcome)].means
    except ValueError:
        return outcome


_PLAIN_REASONS = MappingProxyType(
    {
        Reason.SCOPE_EXCLUDED: "Of the {required} that the app requires, the tenant's consent policy leaves {stopped}"
        " to administrators.",
        Reason.SCOPE_NOT_CLASSIFIED: "Users can approve only permissions that the tenant classifies as low impact. Of"
        " the {required} that the app requires, {stopped} {aren't}.",
        Reason.USER_CONSENT_DISABLED: "In this tenant, users can't approve any app: user consent is switched off.",
        Reason.SCOPE_REQUIRES_ADMIN: "Of the {required} that the app requires, only an administrator can approve"
        " {stopped}.",
        Reason.PUBLISHER_NOT_VERIFIED: "Users can approve only apps of verified publishers, and this app's publisher"
        " isn't verified.",
    }
)
"""Why users can't consent, for people who don't know consent policies, by what decides the answer."""


def in_plain_words(text: str) -> str:
    """A sentence of a decision without Graph's names of what couldn't be read, and without why each fact isn't known.

    ``permissionGrantPolicies could not be read`` becomes ``The consent policies could not be read.``
    """
    text = with_data_names(re.sub(r" \([^()]* could not be read(?: \([^()]*\))?\)", "", text))
    # A name like users is also a word, and a name before a dot starts the path of a property.
    names = "|".join(name for name in SECTIONS if not name.islower())
    return sentence(re.sub(rf"\b(?:{names})\b(?![./])", lambda found: section_label(found[0]), text))


def section_label(section: str) -> str:
    """``the enterprise applications`` for ``servicePrincipals``; a name that isn't a section's stays as it is."""
    row = SECTIONS.get(section.partition("/")[0])
    return row.words if row and row.label else section


def plain_reason(decision: Decision) -> str:
    """Why the answer is as it is, as a sentence without ids and names of scopes.

    The decision's own sentence, unless an administrator must approve: then it names settings that few people know.
    """
    text = _PLAIN_REASONS.get(decision.reason, "") if decision.outcome is Outcome.NEEDS_ADMIN else ""
    required = decision.required_scopes
    stopping = [s for s in required if s.verdict is Verdict.BLOCKED and s.reason is decision.reason]
    if not text or not stopping:
        return in_plain_words(decision.because)
    text = text.replace("{required}", count(len(required), "permission")).replace("{stopped}", str(len(stopping)))
    return text.replace("{aren't}", "isn't" if len(stopping) == 1 else "aren't")


SCOPE_KINDS = MappingProxyType(
    {RequestedAs.REQUIRED: "required", RequestedAs.OPTIONAL: "optional", RequestedAs.IMPLICIT: "added"}
)
"""The words for the scopes that the app requires, those it can do without, and those that Entra adds by itself."""


def scope_count(scopes: Iterable[ScopeVerdict]) -> str:
    """``9 required scopes and 1 optional``: how every format counts scopes, so that no two of them disagree.

    What the app requires and what it can do without are never added up. Empty without scopes.
    """
    numbers = Counter(scope.requested_as for scope in scopes)
    kinds = [(numbers[kind], word) for kind, word in SCOPE_KINDS.items() if numbers[kind]]
    return series([f"{n} {word}" if at else count(n, f"{word} scope") for at, (n, word) in enumerate(kinds)])


def error_code(text: str) -> str:
    """The code as Microsoft writes it; nothing for success."""
    if text in ("", "0"):
        return ""
    return f"AADSTS{text}" if text.isdigit() else text


def screen(decision: Decision) -> str:
    """What the user sees, with the code that the sign-in log shows for it."""
    shown, number = decision.screen.strip(), error_code(decision.code)
    if shown and number and number not in shown:
        return f"{shown.rstrip('.')} ({number})."
    return sentence(shown or number)


def flat(text: str) -> str:
    """The text of a pack's author on one line, because a line break there is only how the YAML was written."""
    return " ".join(text.split())


def is_click_path(steps: Sequence[str]) -> bool:
    """Whether the steps are things to click on in turn, rather than sentences."""
    return len(steps) > 1 and not any(flat(step).endswith((".", ":")) for step in steps)


def click_path(steps: Sequence[str]) -> str:
    """``Entra ID > Enterprise apps > Permissions``."""
    return " > ".join(map(flat, steps))


def counts(summary: Summary) -> str:
    """``9 rules: 3 failed, 5 passed, 1 not applicable``."""
    total = summary.failed + summary.unknown + summary.waived + summary.passed + summary.not_applicable
    return f"{count(total, 'rule')}: {tally(summary)}" if total else "No rules were applied"


def tally(summary: Summary) -> str:
    """``3 failed, 5 passed, 1 not applicable``; outcomes without a rule are left out."""
    parts = (
        (summary.failed, "failed"),
        (summary.unknown, "unknown"),
        (summary.waived, "waived"),
        (summary.passed, "passed"),
        (summary.not_applicable, "not applicable"),
    )
    return ", ".join(f"{number} {word}" for number, word in parts if number)


_STATES = {"running": ("not ended", "unsure"), "failed": ("no audit", "bad"), "interrupted": ("interrupted", "bad")}
"""By the values of `RunState`. A check doesn't load the module of it."""
_CODES = {
    OK: ("passes", "good"),
    FAILING: ("fails", "bad"),
    NO_AUDIT: ("no audit", "bad"),
    UNKNOWN: ("unknown", "unsure"),
}


def result_word(state: str, code: int | None) -> tuple[str, str]:
    """The result of a run, as in ``passes``, and its style. Of a finished run without an exit code, it isn't known."""
    if state in _STATES:
        return _STATES[state]
    return ("not known", "unsure") if code is None else _CODES.get(code, (f"exit code {code}", "bad"))


def iso_time(at: datetime) -> str:
    """A time in UTC as ``2026-11-22T02:00:00Z``, with fractions of a second if it has any."""
    return f"{at.replace(tzinfo=None).isoformat()}Z"


def readable_time(taken: str) -> str:
    """``2026-11-22 02:00 UTC``. Text that isn't a time is returned unchanged."""
    at = parse_time(taken)
    if at is None:
        return taken or "not recorded"
    return f"{at.replace(tzinfo=None).isoformat(sep=' ')[:16]} UTC"


def credential_end_text(credential: CredentialEnd, now: datetime) -> str:
    """When the audit's own credential ends, in sentences: "The client secret ends on 14 May 2027, in 168 days."."""
    subject = _CREDENTIALS.get(credential.kind, "credential")
    days = credential.days_left(now)
    if days is None:
        first = (
            "The sign-in has nothing to renew." if credential.certain else f"It isn't known when the {subject} ends."
        )
        return f"{first} {credential.why}".strip()
    at = datetime.fromisoformat(credential.ends)
    day = f"{at.day} {at:%B %Y}"
    when = f"ended on {day}" if days < 0 else f"ends on {day}, {time_left(days)}"
    return f"The {subject} {when}. {credential.why}".strip()


_CREDENTIALS = {"secret": "client secret", "certificate": "certificate"}


def _mapping_or_list(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


def encoded(value: Any, hook: Callable[[Any], Any] = _mapping_or_list) -> bytes:
    """The value as JSON on one line; `hook` converts what JSON has no form for, such as a read-only mapping.

    A lone surrogate, which results from a badly encoded command-line argument and which UTF-8 can't hold, is written
    as a visible escape.
    """
    try:
        return msgspec.json.encode(value, enc_hook=hook)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value, enc_hook=hook)))


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
        case list() | tuple():
            return [_without_surrogates(each) for each in value]
        case _:
            return value


class _SettingNames(msgspec.Struct, frozen=True):
    source: str
    names: Mapping[str, str]
    rows: Mapping[str, str]
    application_permissions: str


@cache
def _setting_names() -> _SettingNames:
    return load_table("setting_names", _SettingNames)


@cache
def _known_paths() -> re.Pattern[str]:
    paths = sorted(_setting_names().names, key=len, reverse=True)
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, paths))})(?![\w/]|\.\w)")


def setting_name(path: str) -> str:
    """What people call the place in a snapshot to which evidence points; a path that has no name is returned unchanged.

    JSON has the path.
    """
    table = _setting_names()
    section, _, name = path.partition("/")
    if name and section in table.rows:
        return table.rows[section].format(name=name)
    return table.names.get(path, path)


def with_setting_names(text: str) -> str:
    """The text with each path in a snapshot replaced by the name of the setting, in quotation marks."""
    return _known_paths().sub(lambda found: f'"{_setting_names().names[found[0]]}"', text)


def plain_sentence(text: str) -> str:
    """A reason as a sentence, with the names that people have for settings and for data that wasn't read.

    JSON has reasons as they are, with the names of Microsoft Graph.
    """
    return sentence(with_data_names(with_setting_names(text)))


def with_data_names(text: str) -> str:
    """The text with the names that people have for data that wasn't read.

    ``permissionGrantPolicies could not be read`` becomes ``the consent policies could not be read``.
    """
    return _missing_data().sub(_data_name, text)


@cache
def _missing_data() -> re.Pattern[str]:
    names = "|".join(TENANT_SECTIONS)
    verbs = "was not read|could not be read|couldn't be read"
    refused = rf"\b(?P<name>{names})(?: of (?P<part>[^;.()]+?))? (?P<verb>{verbs})"
    return re.compile(rf"{refused}|(?<=nly part of )(?:{names})\b")


def _data_name(found: re.Match[str]) -> str:
    if not found["name"]:
        return section_label(found[0])
    part = found["part"] or ""
    label = data_label(found["name"], part)
    if part and part not in label:
        is_assigned = found["name"] == "appRoleAssignedTo"
        label = f"The users and groups assigned to {part}" if is_assigned else f"{label} of {part}"
    head = re.match(r"The (.+?)(?: (?:of|for|that|granted|assigned)\b|$)", label)
    verb = found["verb"].replace("was", "were") if head and head[1].endswith("s") else found["verb"]
    return f"{label[:1].lower()}{label[1:]} {verb}"


def data_label(section: str, part: str = "") -> str:
    """What people call a section of a snapshot, or the part of it about one app; empty for an unknown section.

    Graph lists under ``appRoleAssignedTo`` of an API which apps hold its application permissions, and under that of
    another app which users and groups are assigned to it (Graph, "List appRoleAssignments granted for a service
    principal").
    """
    name = RESOURCE_NAMES.get(part.lower()) or (part if part in RESOURCE_NAMES.values() else "")
    if section == "appRoleAssignedTo" and name:
        return _setting_names().application_permissions.format(name=name)
    known = SECTIONS.get(section)
    return known.label if known else ""


class UnreadText(NamedTuple):
    """Data that couldn't be read, in words; what there is nothing to say about is empty."""

    title: str
    response: str
    allowed_by: str
    """The permissions, any one of which allows the read."""
    unknown: str
    """What the audit doesn't know without the data."""

    def in_one_line(self, section: str) -> str:
        """All of it as one paragraph."""
        allowed = f"Allowed by: {self.allowed_by}" if self.allowed_by else ""
        unknown = f"Unknown: {self.unknown}" if self.unknown else ""
        parts = (f"{self.title} ({section}) couldn't be read.", self.response, allowed, unknown)
        return " ".join(filter(None, parts))


def unread_text(part: UnreadPart) -> UnreadText:
    """The part in words."""
    status = f"HTTP {part.status}" if part.status is not None else ""
    section, _, of = part.section.partition("/")
    known = next((PERMISSIONS[need] for need in part.needs if need in PERMISSIONS), None)
    return UnreadText(
        title=data_label(section, of) or "A part of the tenant",
        response=sentence(": ".join(filter(None, (", ".join(filter(None, (status, part.code))), part.message)))),
        allowed_by=f"{series(part.needs, 'or')} (a Microsoft Graph application permission)." if part.needs else "",
        unknown=sentence(known.without) if known else "",
    )


def not_collected_text(part: NotCollected) -> UnreadText:
    """Data that was not requested, in words."""
    section, _, of = part.section.partition("/")
    return UnreadText(
        title=data_label(section, of),
        response="Not collected, or only in part.",
        allowed_by=f"{series(part.needs, 'or')} (a Microsoft Graph application permission)." if part.needs else "",
        unknown=f"{'Rule' if len(part.rules) == 1 else 'Rules'} {series(part.rules)}.",
    )


def abused_list_text(one: AbusedAppsRef) -> str:
    """A list of known abused apps, and its age when the tenant was read."""
    age = "" if one.days_old is None else f", {count(one.days_old, 'day')} before the tenant was read"
    age += ": newer apps are missing" if one.is_old else ""
    return f"{one.name}, {count(one.count, 'app')}, read on {one.read}{age}"
