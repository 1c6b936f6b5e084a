"""The findings as the page shows them: what should be, what is, why it matters, and how to mend, check and undo it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from auditor.model.finding import Evidence, Finding, FindingOutcome
from auditor.model.report import Report
from auditor.render.encoded import encoded
from auditor.render.html.fixes import Address, FixView, Numbers, address
from auditor.render.html.links import clickable
from auditor.render.html.missing import Lack, in_words, lacks
from auditor.render.html.tones import tone
from auditor.render.layout import clip
from auditor.render.waived import waived
from auditor.render.words import FINDINGS, SEVERE, click_path, flat, is_path, sentence

_ROOM = 400
"""Columns of a value; the JSON report holds all of it."""
_MOST = 40
"""Values of one finding that are shown; the rest is counted."""


_SETTINGS = frozenset({"authorizationPolicy", "adminConsentRequestPolicy", "directorySettings"})
"""Where evidence is a setting as it was read, which can be put back; elsewhere it is what was made of several."""


class Shown(NamedTuple):
    """A value as text; `prose` where it is said in words and not the value itself."""

    text: str
    prose: bool


class EvidenceView(NamedTuple):
    """A value and what it should be; none where no one value is expected."""

    path: str
    actual: Shown
    expected: Shown | None


class Advice(NamedTuple):
    """What the rule's author advises: in words, as steps or a path to click along, where, and who may do it.

    Where one of the fixes has the same link, the fix tells it and the role that opens it, which may be another.
    """

    note: str
    portal: tuple[str, ...]
    path: str
    link: Address | None
    role: str


class FindingView(NamedTuple):
    """One finding. `asks` is whether something is to be done about it."""

    number: int
    rule: str
    pack: str
    title: str
    outcome: str
    word: str
    tone: str
    severity: str
    severe: bool
    reason: str
    lacks: tuple[Lack, ...]
    asks: str
    why: str
    note: str
    evidence: tuple[EvidenceView, ...]
    expects: bool
    more_evidence: int
    advice: Advice
    verify: str
    undo: tuple[tuple[str, str], ...]
    known: tuple[int, ...]
    fixes: tuple[FixView, ...]
    frameworks: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str], ...]
    place: str
    fingerprint: str
    waived: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    more_subjects: int
    perhaps_more: str


def findings(report: Report, numbers: Numbers) -> tuple[FindingView, ...]:
    """What needs attention first, the worst first; otherwise in their order."""
    return tuple(_view(report, finding, number, numbers) for number, finding in enumerate(ranked(report), start=1))


def ranked(report: Report) -> list[Finding]:
    """The findings in the order of their numbers."""
    return sorted(report.findings, key=lambda finding: (finding.outcome.rank, finding.severity.rank))


def _view(report: Report, finding: Finding, number: int, numbers: Numbers) -> FindingView:
    stands = finding.outcome
    failed, unknown = stands is FindingOutcome.FAIL, stands is FindingOutcome.UNKNOWN
    known, fixes = numbers.split(finding.fixes if failed or unknown else ())
    word, style = FINDINGS[stands]
    seen = tuple(dict.fromkeys(map(_evidence, finding.evidence)))
    return FindingView(
        number=number,
        rule=finding.rule,
        pack=finding.pack,
        title=finding.title.rstrip("."),
        outcome=stands.value,
        word=word,
        tone="waived" if stands is FindingOutcome.WAIVED else tone(style),
        severity=finding.severity.value,
        severe=finding.severity in SEVERE and failed,
        reason=sentence(in_words(finding.reason)),
        lacks=lacks(report, finding),
        asks="fail" if failed else "unknown" if unknown else "",
        why=sentence(flat(finding.why)),
        note=flat(finding.note),
        evidence=seen[:_MOST],
        expects=any(one.expected for one in seen),
        more_evidence=max(0, len(seen) - _MOST),
        advice=_advice(finding, number),
        verify=f"Run the audit again: {finding.rule} then passes." if failed else "",
        undo=_undo(finding.evidence) if failed and not finding.fixes else (),
        known=known,
        fixes=fixes,
        frameworks=tuple(finding.frameworks.items()),
        references=tuple((each, clickable(each)) for each in finding.references),
        place=f"{finding.place.file}, line {finding.place.line}" if finding.place else "",
        fingerprint=finding.fingerprint,
        waived=tuple(map(waived, finding.waivers)),
        subjects=tuple((one.name, one.id) for one in finding.subjects[:_MOST]),
        more_subjects=max(0, len(finding.subjects) - _MOST),
        perhaps_more=sentence(finding.unread),
    )


def _advice(finding: Finding, number: int) -> Advice:
    remedy = finding.remediation
    path = is_path(remedy.portal)
    told = bool(remedy.link) and any(fix.link == remedy.link for fix in finding.fixes)
    return Advice(
        note=sentence(flat(remedy.note)),
        portal=() if path else tuple(map(flat, remedy.portal)),
        path=sentence(click_path(remedy.portal)) if path else "",
        link=None if told else address(remedy.link, f"finding-{number}-link"),
        role="" if told else sentence(remedy.role),
    )


def _evidence(one: Evidence) -> EvidenceView:
    expected = None if one.expected is None else _shown(one.expected, prose=one.expected != one.actual)
    return EvidenceView(one.path, _shown(one.actual, prose=expected is None or expected.prose), expected)


def _shown(found: Any, *, prose: bool) -> Shown:
    """The value; where it may be prose ("at most 30") and looks like it, as it is, without the marks of JSON."""
    if prose and isinstance(found, str) and " " in found:
        return Shown(clip(found, _ROOM), prose=True)
    return Shown(_value(found), prose=False)


def _undo(evidence: Sequence[Evidence]) -> tuple[tuple[str, str], ...]:
    """The values to put back, each once: those of settings that were found where others should be."""
    settings = [each for each in evidence if re.split(r"[./\[]", each.path, maxsplit=1)[0] in _SETTINGS]
    found = [each for each in settings if each.expected is not None and each.actual != each.expected]
    return tuple(dict.fromkeys((each.path, _value(each.actual)) for each in found))[:_MOST]


def _value(found: Any) -> str:
    """A value of the snapshot as JSON, with blanks at which a line can break."""
    return clip(msgspec.json.format(encoded(found, str), indent=0).decode(), _ROOM)
