"""Apply waivers to findings: a failure that has been accepted is marked as waived, and never becomes a pass.

Dates are compared with the time of the snapshot, so that a report that is created again says the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from auditor.checks.findings import in_order
from auditor.checks.kind import sentence
from auditor.facts.ids import setting_named
from auditor.model.report import Evidence, Finding, FindingSubject, Waiver
from auditor.model.rule import FindingOutcome, Remediation, Severity

PACK = "waivers"
"""The pack of findings about waivers."""
EXPIRED, UNUSED = "WAIVER-EXPIRED", "WAIVER-UNUSED"
_NAMED = 3
_FAIL, _WAIVED, _UNKNOWN = FindingOutcome.FAIL, FindingOutcome.WAIVED, FindingOutcome.UNKNOWN


class _AppliedWaiver(NamedTuple):
    """A waiver of this run, whether it has expired, and the findings that it is about."""

    waiver: Waiver
    expired: bool
    found: tuple[Finding, ...]
    """The findings of its rule, with any outcome."""


def with_waivers(
    findings: Sequence[Finding],
    waivers: Iterable[Waiver],
    *,
    taken: str,
    tenant: str,
    packs: Iterable[str],
    shipped: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """The findings with waivers applied, and a finding each if waivers have expired or match nothing.

    Only a failure can be waived. A waiver with a subject covers that subject: the finding is waived if all of its
    subjects are, and unknown if there may be more that were not read. `taken` is the time of the snapshot, and `packs`
    are the names of the packs that were applied. A waiver for another pack is ignored, unless its pack doesn't exist
    and its name is similar to that of an applied or `shipped` pack.
    """
    applied = {name.lower() for name in packs}
    known = applied | {name.lower() for name in shipped}
    mine = [one for one in waivers if not one.pack or one.pack.lower() in applied or _misspelt(one.pack, known)]
    uses = [_AppliedWaiver(one, _has_expired(one, taken), _of(one, findings)) for one in _in_order(mine)]
    active = [use.waiver for use in uses if not use.expired]
    covered = tuple(_covered(finding, [w for w in active if _is_for(w, finding)]) for finding in findings)
    own = (_expired_ones(uses, tenant), _unused_ones(uses, findings, known, tenant))
    return in_order((*covered, *(finding for finding in own if finding.outcome is _FAIL)))


def _misspelt(pack: str, known: Iterable[str]) -> str:
    """The known pack whose name was mistyped; empty if the pack exists or may be your own."""
    near = get_close_matches(pack.lower(), known, n=1, cutoff=0.8)
    return near[0] if near and near[0] != pack.lower() and pack.lower() not in known else ""


def _in_order(waivers: Iterable[Waiver]) -> list[Waiver]:
    """The waiver that expires last comes first, whatever the order of the files."""
    by_text = sorted(waivers, key=lambda w: (w.rule.lower(), w.pack.lower(), w.subject.lower(), w.owner, w.reason))
    return sorted(by_text, key=lambda w: w.expires, reverse=True)


def _has_expired(waiver: Waiver, taken: str) -> bool:
    """Whether its last day is before the day of the snapshot; true for a snapshot without a time."""
    return not taken or waiver.expires < taken[:10]


def _is_for(waiver: Waiver, finding: Finding) -> bool:
    return waiver.rule.lower() == finding.rule.lower() and waiver.pack.lower() in ("", finding.pack.lower())


def _of(waiver: Waiver, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if _is_for(waiver, finding))


def _names(waiver: Waiver, subject: FindingSubject) -> bool:
    """Whether the waiver is for the subject: by its id if it has one, because anyone may choose a name."""
    return waiver.subject.lower() == (subject.id or subject.name).lower()


def _covered(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    """The finding with the active waivers of its rule applied."""
    if finding.outcome is not _FAIL or not waivers:
        return finding
    whole = next((waiver for waiver in waivers if not waiver.subject), None)
    if whole is not None:
        return msgspec.structs.replace(finding, outcome=_WAIVED, waivers=(whole,))
    used = tuple(w for w in waivers if any(_names(w, subject) for subject in finding.subjects))
    left = [s for s in finding.subjects if not any(_names(w, s) for w in used)]
    if not used:
        return finding
    if left:
        named = ", ".join(subject.name for subject in left[:_NAMED])
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        note = f"{len(finding.subjects) - len(left)} of {len(finding.subjects)} are waived, but not {named}{more}"
        return msgspec.structs.replace(finding, reason=f"{finding.reason} {sentence(note)}", waivers=used)
    if finding.unread:
        reason = sentence(f"everything found is waived, but there may be more: {finding.unread}")
        return msgspec.structs.replace(finding, outcome=_UNKNOWN, reason=reason, waivers=used)
    return msgspec.structs.replace(finding, outcome=_WAIVED, waivers=used)


def _expired_ones(uses: Sequence[_AppliedWaiver], tenant: str) -> Finding:
    """The finding about waivers that have expired although their rule still fails, or may."""
    gone = [use for use in uses if use.expired and any(_still_counts(use.waiver, f) for f in use.found)]
    expired = [f"{_name_of(use.waiver)} expired on {use.waiver.expires} ({use.waiver.owner})" for use in gone]
    return _own(
        EXPIRED,
        "No waiver has expired",
        Severity.MEDIUM,
        tenant,
        [(use.waiver, "a later date, or no waiver") for use in gone],
        _first(expired) if expired else "every waiver of a failing rule is still valid",
        why="A waiver is a decision for a limited time. After that, nobody has accepted the risk.",
        note="Fix what the rule checks, or have the owner decide again and enter a new date in the waiver file.",
    )


def _still_counts(waiver: Waiver, finding: Finding) -> bool:
    """Whether the waiver would affect the finding if it were still valid."""
    if finding.outcome is _UNKNOWN:
        return True
    return finding.outcome is _FAIL and (not waiver.subject or any(_names(waiver, s) for s in finding.subjects))


def _unused_ones(
    uses: Sequence[_AppliedWaiver], findings: Iterable[Finding], packs: Iterable[str], tenant: str
) -> Finding:
    """The finding about waivers that match nothing: their rule was not applied, or doesn't fail for that subject."""
    rules = {finding.rule.lower(): finding.rule for finding in findings}
    idle = [use for use in uses if not any(_still_counts(use.waiver, f) for f in use.found)]
    unused = [f"{_name_of(use.waiver)} matches nothing: {_why_idle(use, rules, packs)}" for use in idle]
    return _own(
        UNUSED,
        "Every waiver is needed",
        Severity.LOW,
        tenant,
        [(use.waiver, "a failing rule, or no waiver") for use in idle],
        _first(unused) if unused else "every waiver matches a rule that fails or is unknown",
        why="A waiver that matches nothing is a typo, or is obsolete and would hide the next failure.",
        note="Correct the rule or subject in the waiver file, or remove the entry.",
    )


def _why_idle(use: _AppliedWaiver, rules: Mapping[str, str], packs: Iterable[str]) -> str:
    waiver = use.waiver
    if not use.found:
        if waiver.pack and (meant := _misspelt(waiver.pack, packs)):
            return f"there is no pack {waiver.pack} (did you mean {meant}?)"
        if waiver.rule.lower() in rules:
            return "the rule belongs to another pack"
        near = get_close_matches(waiver.rule.lower(), rules, n=1)
        return f"no such rule was applied{f' (did you mean {rules[near[0]]}?)' if near else ''}"
    failing = [finding for finding in use.found if finding.outcome is _FAIL]
    if not failing:
        return "the rule doesn't fail"
    subjects = [subject for finding in failing for subject in finding.subjects]
    if not subjects:
        return "the rule is about the tenant as a whole, so its waiver has no subject"
    called = next((s for s in subjects if s.id and s.name.lower() == waiver.subject.lower()), None)
    if called is not None:
        return f"anyone may choose a name, so use the id of {called.name}, {called.id}"
    return f"{waiver.subject} isn't among the subjects that make it fail"


def _name_of(waiver: Waiver) -> str:
    return f"{waiver.rule} for {waiver.subject}" if waiver.subject else waiver.rule


def _first(texts: Sequence[str]) -> str:
    """The first texts, and how many more there are."""
    more = f"; and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return "; ".join(texts[:_NAMED]) + more


def _own(
    rule: str,
    title: str,
    severity: Severity,
    tenant: str,
    wrong: Sequence[tuple[Waiver, str]],
    reason: str,
    *,
    why: str,
    note: str,
) -> Finding:
    return Finding(
        rule=rule,
        pack=PACK,
        title=title,
        severity=severity,
        outcome=_FAIL if wrong else FindingOutcome.PASS,
        reason=sentence(reason),
        fingerprint=hashlib.sha256(f"{rule}\n{tenant.lower()}".encode()).hexdigest()[:32],
        why=why,
        evidence=tuple(_evidence(wrong)),
        remediation=Remediation(role="the owner of the waiver file", note=note) if wrong else Remediation(),
        place=next((waiver.place for waiver, _ in wrong), None),
        setting=setting_named("waivers"),
    )


def _evidence(wrong: Iterable[tuple[Waiver, str]]) -> Iterator[Evidence]:
    for waiver, expected in wrong:
        where = f"{waiver.place.file}:{waiver.place.line}" if waiver.place else "waivers"
        yield Evidence(path=where, actual=f"{_name_of(waiver)}, until {waiver.expires}", expected=expected)
