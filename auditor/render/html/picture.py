"""The way to a verdict as a picture: who asks, what decides, which scopes come through, what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from auditor.model.decision import Confidence, Decision, Reason, ScopeVerdict, Verdict
from auditor.render.layout import clip, columns, wrap
from auditor.render.words import (
    NAME,
    ORDINARY_MEMBER,
    OUTCOMES,
    VERDICTS,
    answer_word,
    app_label,
    code,
    count,
    sentence,
    series,
)

_TITLE, _DETAIL = 22, 30
"""Columns of a line in a box."""
_MOST_LINES = 4
_TITLE_STEP, _DETAIL_STEP = 20, 17
_HEAD, _FOOT = 34, 16
_BOX, _GAP, _DROP = 224, 34, 30
_MARGIN = 2

_GATES = MappingProxyType(
    {
        Reason.USER_CONSENT_DISABLED: ("User consent is off", "No consent policy is assigned to users."),
        Reason.ASSIGNMENT_REQUIRED: ("Assignment required", "Only users who are assigned to the app may consent."),
        Reason.NOT_ASSIGNED: ("Assignment required", "The user is not assigned to the app."),
        Reason.RISK_STEP_UP: ("Risk check", "Microsoft takes the request for risky."),
        Reason.APP_DEACTIVATED: ("The app is deactivated", "No policy is asked."),
        Reason.APP_DISABLED_BY_MICROSOFT: ("The app is disabled", "Microsoft disabled it. No policy is asked."),
        Reason.APP_DISABLED_IN_TENANT: ("The app is switched off", "No policy is asked."),
        Reason.RESOURCE_MISSING: ("A resource is missing", "What the app asks for is not in the tenant."),
        Reason.RESOURCE_DISABLED: ("A resource is off", "What the app asks for is switched off."),
        Reason.REDIRECT_URI_NOT_REGISTERED: ("The reply address", "It is not one that the app registers."),
        Reason.GRANTED_TENANT_WIDE: ("Admin consent", "An administrator granted permissions to the whole tenant."),
        Reason.GRANTED_TO_USER: ("Earlier consent", "The user accepted the permissions before."),
        Reason.SUBJECT_IS_ADMIN: ("The user is an admin", "Administrators may consent for themselves."),
        Reason.NOTHING_REQUESTED: ("Nothing to decide", "The app asks for nothing."),
    }
)
"""What stands in the way, where it is not a consent policy."""

_WORST_FIRST = (Verdict.BLOCKED, Verdict.UNKNOWN, Verdict.GRANTED, Verdict.CONSENTABLE)


class Node(NamedTuple):
    """One station: what it is, its name, what is to be said of it, and how it came out."""

    label: str
    title: str
    detail: str
    tone: str


class Line(NamedTuple):
    """A line of text at its place."""

    x: int
    y: int
    text: str
    kind: str


class Box(NamedTuple):
    """A station as drawn, with the arrow that leads to the next (none from the last)."""

    x: int
    y: int
    width: int
    height: int
    tone: str
    lines: tuple[Line, ...]
    arrow: str


class Drawing(NamedTuple):
    """A picture within its frame."""

    shape: str
    width: int
    height: int
    boxes: tuple[Box, ...]


class Picture(NamedTuple):
    """The same path side by side and one below the other, and as words."""

    drawings: tuple[Drawing, ...]
    words: tuple[str, ...]


def picture(decision: Decision) -> Picture:
    """The verdict path of one decision."""
    nodes = (_who(decision), _gate(decision), _scopes(decision), _result(decision))
    words = tuple(f"{node.label}: {node.title.rstrip('.')}. {node.detail}".strip() for node in nodes)
    return Picture((_side_by_side(nodes), _stacked(nodes)), words)


def _who(decision: Decision) -> Node:
    ordinary = decision.subject == ORDINARY_MEMBER
    title = "Ordinary user" if ordinary else clip(decision.subject, NAME)
    return Node("Who asks", title, f"wants to connect {app_label(decision)}", "quiet")


def _gate(decision: Decision) -> Node:
    """The consent policies that were asked; else the gate before them."""
    style = OUTCOMES[decision.outcome].style
    if decision.reason in _GATES:
        title, detail = _GATES[decision.reason]
        return Node("What decides", title, detail, style)
    deciding = _deciding(decision)
    if not deciding:
        return Node("What decides", "The consent settings", "See the scopes for each reason.", style)
    policies = tuple(dict.fromkeys(scope.policy for scope in deciding if scope.policy))
    named = [policy for policy in policies if policy in decision.because]
    name = (named or policies)[0]
    more = f", with {count(len(policies) - 1, 'more policy', 'more policies')}" if len(policies) > 1 else ""
    doubted = any(scope.confidence is Confidence.LIKELY for scope in deciding if scope.policy == name)
    return Node("Consent policy", clip(name, NAME), f"decides for users{more}{' (likely)' * doubted}", style)


def _deciding(decision: Decision) -> list[ScopeVerdict]:
    """The scopes that the answer rests on: required ones, those with its own reason if there are any."""
    judged = [scope for scope in decision.scopes if scope.policy]
    needed = [scope for scope in judged if scope.required] or judged
    return [scope for scope in needed if scope.reason is decision.reason] or needed


def _scopes(decision: Decision) -> Node:
    """The scopes that the app cannot do without; what an optional one meets changes no answer, so it has no colour."""
    optional = Counter(s.verdict for s in decision.scopes if not (s.required or s.implicit))
    needed = Counter(s.verdict for s in decision.scopes if s.required or s.implicit)
    if not decision.scopes:
        return Node("Scopes", "None was judged", "", "quiet")
    worst = next((v for v in _WORST_FIRST if needed[v]), None)
    told = [sentence(_tally(needed))] if needed else []
    if optional and needed:
        told.append(f"{_total(optional)} optional: {_tally(optional)}." if len(optional) > 1 else _only(optional))
    elif optional:
        told.append(f"All optional: {_tally(optional)}.")
    title = count(_total(needed) or _total(optional), "scope")
    return Node("Scopes", title, " ".join(told), VERDICTS[worst][1] if worst else "quiet")


def _total(tally: Counter[Verdict]) -> int:
    """How many scopes were counted."""
    return sum(tally.values())


def _only(tally: Counter[Verdict]) -> str:
    """``1 optional blocked.``"""
    ((verdict, number),) = tally.items()
    return f"{number} optional {VERDICTS[verdict][0]}."


def _tally(tally: Counter[Verdict]) -> str:
    return series([f"{tally[verdict]} {VERDICTS[verdict][0]}" for verdict in Verdict if tally[verdict]])


def _result(decision: Decision) -> Node:
    said = OUTCOMES[decision.outcome]
    number = code(decision.code)
    return Node("Result", answer_word(decision), f"{said.means}{f' {number}.' if number else ''}", said.style)


def _lines(text: str, width: int) -> list[str]:
    """The text in a few lines; a last line that holds more ends in dots."""
    lines = wrap(text, width) if text else []
    if len(lines) <= _MOST_LINES:
        return lines
    kept = lines[:_MOST_LINES]
    kept[-1] = clip(kept[-1] + " " * (width - columns(kept[-1])) + "...", width)
    return kept


def _laid(node: Node, x: int, y: int, width: int) -> tuple[tuple[Line, ...], int]:
    """The lines of a box, and its height."""
    room = (width * _DETAIL) // _BOX
    at = y + 24
    lines = [Line(x + 16, at, node.label, "label")]
    for text in _lines(node.title, (width * _TITLE) // _BOX):
        at += _TITLE_STEP if len(lines) > 1 else _TITLE_STEP + 2
        lines.append(Line(x + 16, at, text, "title"))
    for place, text in enumerate(_lines(node.detail, room)):
        at += _DETAIL_STEP if place else _DETAIL_STEP + 3
        lines.append(Line(x + 16, at, text, "detail"))
    return tuple(lines), at - y + _FOOT


def _side_by_side(nodes: Sequence[Node]) -> Drawing:
    laid = [_laid(node, _MARGIN + i * (_BOX + _GAP), _MARGIN, _BOX) for i, node in enumerate(nodes)]
    height = max(tall for _, tall in laid)
    boxes = []
    for place, (node, (lines, _)) in enumerate(zip(nodes, laid, strict=True)):
        x, middle = _MARGIN + place * (_BOX + _GAP), _MARGIN + min(height // 2, 46)
        end = x + _BOX + _GAP - 3
        arrow = f"M{x + _BOX + 4} {middle}H{end}m-7-6 7 6-7 6" if place < len(nodes) - 1 else ""
        boxes.append(Box(x, _MARGIN, _BOX, height, node.tone, lines, arrow))
    width = 2 * _MARGIN + len(nodes) * _BOX + (len(nodes) - 1) * _GAP
    return Drawing("wide", width, height + 2 * _MARGIN, tuple(boxes))


def _stacked(nodes: Sequence[Node]) -> Drawing:
    width, y, boxes = 336, _MARGIN, []
    for place, node in enumerate(nodes):
        lines, height = _laid(node, _MARGIN, y, width)
        end = y + height + _DROP - 3
        arrow = f"M{_MARGIN + 30} {y + height + 4}V{end}m-6-7 6 7 6-7" if place < len(nodes) - 1 else ""
        boxes.append(Box(_MARGIN, y, width, height, node.tone, lines, arrow))
        y += height + _DROP
    return Drawing("tall", width + 2 * _MARGIN, y - _DROP + _MARGIN, tuple(boxes))
