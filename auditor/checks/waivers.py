"""Waivers applied to what was found: a failure that somebody answers for is set apart, and never becomes a pass.

Time is the snapshot's, so that a report made again says the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import msgspec

from auditor.checks.findings import in_order
from auditor.checks.result import sentence
from auditor.model.finding import Evidence, Finding, FindingOutcome, Remediation, Severity, Subject, Waiver

PACK = "waivers"
"""The pack that findings about waivers go by."""
EXPIRED, UNUSED = "WAIVER-EXPIRED", "WAIVER-UNUSED"
_NAMED = 3
_FAIL, _WAIVED, _UNKNOWN = FindingOutcome.FAIL, FindingOutcome.WAIVED, FindingOutcome.UNKNOWN


class _Use(NamedTuple):
    """A waiver of this run, whether it has expired, and what became of it."""

    waiver: Waiver
    expired: bool
    found: tuple[Finding, ...]
    """The findings of its rule, whatever their outcome."""


def with_waivers(
    findings: Sequence[Finding],
    waivers: Iterable[Waiver],
    *,
    taken: str,
    tenant: str,
    packs: Iterable[str],
    shipped: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """The findings with waivers applied, and one more each where waivers have expired and where some match nothing.

    Waivers that are in order add none, for they are not what the tenant was judged by.

    Only a failure is waived. A waiver with a subject covers that subject; the finding is waived when all of its
    subjects are, and unknown when there may be more that were not read. `taken` is the time of the snapshot, `packs`
    are the names of those applied: a waiver of another pack is left alone, unless no pack of that name is known and
    it is like the name of one that was applied or is `shipped`.
    """
    applied = {name.lower() for name in packs}
    known = applied | {name.lower() for name in shipped}
    mine = [one for one in waivers if not one.pack or one.pack.lower() in applied or _misspelt(one.pack, known)]
    uses = [_Use(one, _has_expired(one, taken), _of(one, findings)) for one in _in_order(mine)]
    active = [use.waiver for use in uses if not use.expired]
    covered = tuple(_covered(finding, [w for w in active if _is_for(w, finding)]) for finding in findings)
    told = (_expired_ones(uses, tenant), _unused_ones(uses, findings, known, tenant))
    return in_order((*covered, *(finding for finding in told if finding.outcome is _FAIL)))


def _misspelt(pack: str, known: Iterable[str]) -> str:
    """The name that is meant by one that no known pack has; empty where it may be that of a pack of somebody's own."""
    near = get_close_matches(pack.lower(), known, n=1, cutoff=0.8)
    return near[0] if near and near[0] != pack.lower() and pack.lower() not in known else ""


def _in_order(waivers: Iterable[Waiver]) -> list[Waiver]:
    """The one that lasts longest first, whatever the order of the files."""
    by_text = sorted(waivers, key=lambda w: (w.rule.lower(), w.pack.lower(), w.subject.lower(), w.owner, w.reason))
    return sorted(by_text, key=lambda w: w.expires, reverse=True)


def _has_expired(waiver: Waiver, taken: str) -> bool:
    """Whether its last day lies before the day of the snapshot; a snapshot without a time lets none hold."""
    return not taken or waiver.expires < taken[:10]


def _is_for(waiver: Waiver, finding: Finding) -> bool:
    return waiver.rule.lower() == finding.rule.lower() and waiver.pack.lower() in ("", finding.pack.lower())


def _of(waiver: Waiver, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if _is_for(waiver, finding))


def _names(waiver: Waiver, subject: Subject) -> bool:
    """Whether the waiver is about the subject: by its id where it has one, for anybody may choose a name."""
    return waiver.subject.lower() == (subject.id or subject.name).lower()


def _covered(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    """The finding as it stands under the waivers of its rule that hold."""
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
        told = f"{len(finding.subjects) - len(left)} of {len(finding.subjects)} are waived, but not {named}{more}"
        return msgspec.structs.replace(finding, reason=f"{finding.reason} {sentence(told)}", waivers=used)
    if finding.unread:
        told = f"what was found is waived, and there may be more: {finding.unread}"
        return msgspec.structs.replace(finding, outcome=_UNKNOWN, reason=sentence(told), waivers=used)
    return msgspec.structs.replace(finding, outcome=_WAIVED, waivers=used)


def _expired_ones(uses: Sequence[_Use], tenant: str) -> Finding:
    """Waivers that have run out while their rule still fails, or may."""
    gone = [use for use in uses if use.expired and any(_still_counts(use.waiver, f) for f in use.found)]
    told = [f"{_said(use.waiver)} expired on {use.waiver.expires} ({use.waiver.owner})" for use in gone]
    return _own(
        EXPIRED,
        "No waiver has expired",
        Severity.MEDIUM,
        tenant,
        [(use.waiver, "a later date, or no waiver") for use in gone],
        _listed(told) if told else "every waiver of a rule that fails still holds",
        why="A waiver is a decision for a time. After it, the risk is one that nobody answers for.",
        note="Mend what the rule asks for, or have the owner decide again and write a new date into the waiver file.",
    )


def _still_counts(waiver: Waiver, finding: Finding) -> bool:
    """Whether the waiver would have a bearing on the finding if it still held."""
    if finding.outcome is _UNKNOWN:
        return True
    return finding.outcome is _FAIL and (not waiver.subject or any(_names(waiver, s) for s in finding.subjects))


def _unused_ones(uses: Sequence[_Use], findings: Iterable[Finding], packs: Iterable[str], tenant: str) -> Finding:
    """Waivers that match nothing: of a rule that was not applied, that no longer fails, or not for that subject."""
    rules = {finding.rule.lower(): finding.rule for finding in findings}
    idle = [use for use in uses if not any(_still_counts(use.waiver, f) for f in use.found)]
    told = [f"{_said(use.waiver)} matches nothing: {_why_idle(use, rules, packs)}" for use in idle]
    return _own(
        UNUSED,
        "Every waiver is needed",
        Severity.LOW,
        tenant,
        [(use.waiver, "a rule that fails, or no waiver") for use in idle],
        _listed(told) if told else "every waiver matches a rule that fails, or that could not be judged",
        why="A waiver that matches nothing is a typing mistake, or was left behind and would hide the next failure.",
        note="Correct the rule or subject in the waiver file, or take the entry out.",
    )


def _why_idle(use: _Use, rules: Mapping[str, str], packs: Iterable[str]) -> str:
    waiver = use.waiver
    if not use.found:
        if waiver.pack and (meant := _misspelt(waiver.pack, packs)):
            return f"there is no pack {waiver.pack} (is {meant} meant?)"
        if waiver.rule.lower() in rules:
            return "the rule is of another pack"
        near = get_close_matches(waiver.rule.lower(), rules, n=1)
        return f"no such rule was applied{f' (is {rules[near[0]]} meant?)' if near else ''}"
    failing = [finding for finding in use.found if finding.outcome is _FAIL]
    if not failing:
        return "the rule does not fail"
    subjects = [subject for finding in failing for subject in finding.subjects]
    if not subjects:
        return "the rule is about the tenant as a whole, so that a waiver names no subject"
    called = next((s for s in subjects if s.id and s.name.lower() == waiver.subject.lower()), None)
    if called is not None:
        return f"anybody may choose a name, so write the id of {called.name}, {called.id}"
    return f"{waiver.subject} is not among what makes it fail"


def _said(waiver: Waiver) -> str:
    return f"{waiver.rule} for {waiver.subject}" if waiver.subject else waiver.rule


def _listed(told: Sequence[str]) -> str:
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return "; ".join(told[:_NAMED]) + more


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
        remediation=Remediation(role="whoever answers for the waiver file", note=note) if wrong else Remediation(),
        place=next((waiver.place for waiver, _ in wrong), None),
    )


def _evidence(wrong: Iterable[tuple[Waiver, str]]) -> Iterator[Evidence]:
    for waiver, expected in wrong:
        where = f"{waiver.place.file}:{waiver.place.line}" if waiver.place else "waivers"
        yield Evidence(path=where, actual=f"{_said(waiver)}, until {waiver.expires}", expected=expected)
