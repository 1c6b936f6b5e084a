"""Changes of findings between two reports, by fingerprint.

What one side didn't read is unknown there: an outcome that rests on documentation in place of a read (`Confidence`), or
a list of subjects that isn't complete, never makes a finding appear or disappear.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.compare.found_change import normal
from auditor.model.decision import Confidence
from auditor.model.difference import Change, ChangeKind, DifferenceSummary, NotCompared, Transition, Weight
from auditor.model.document import first_of, sentence, series
from auditor.model.report import Finding, PackRef, Report
from auditor.model.rule import FindingOutcome

_FAIL, _UNKNOWN, _WAIVED = FindingOutcome.FAIL, FindingOutcome.UNKNOWN, FindingOutcome.WAIVED
_NAMED = 5
"""How many subjects or rules a sentence names."""


def finding_changes(before: Report, after: Report, lacking: tuple[bool, bool]) -> Iterator[Change]:
    """The changes of the findings that both reports have.

    `lacking` says for each side whether it didn't read something that the other read.
    """
    old, new = _by_fingerprint(before), _by_fingerprint(after)
    for fingerprint in sorted(old.keys() & new.keys()):
        if found := _change(old[fingerprint], new[fingerprint], lacking):
            yield found


def packs_not_compared(before: Report, after: Report) -> Iterator[NotCompared]:
    """The packs and rules that only one report has, and the packs that changed between the two, once each."""
    packs = {pack.name: pack for pack in before.packs}, {pack.name: pack for pack in after.packs}
    for name in sorted(packs[0].keys() | packs[1].keys()):
        section = f"packs/{name}"
        first, second = packs[0].get(name), packs[1].get(name)
        if first is None or second is None:
            which = "later" if first is None else "earlier"
            yield NotCompared(section=section, why=f"only the {which} report applies the pack {name}")
        elif first.digest != second.digest:
            why = f"the pack {name} changed from {_version(first)} to {_version(second)}{_rules(name, before, after)}"
            yield NotCompared(section=section, why=f"{why}, so a change of its findings can come from the pack")
        elif text := _rules(name, before, after):
            yield NotCompared(section=section, why=text.removeprefix("; "))


def _version(pack: PackRef) -> str:
    return f"version {pack.version} (digest {pack.digest[:12]})"


def _rules(pack: str, before: Report, after: Report) -> str:
    """A clause on the rules of a pack that only one report has."""
    sides = [{f.fingerprint: f.rule for f in report.findings if f.pack == pack} for report in (before, after)]
    only = sorted({rule for one, other in (sides, sides[::-1]) for key, rule in one.items() if key not in other})
    if not only:
        return ""
    return f"; only one report has {series(first_of(only, _NAMED, 'more rules'))}"


def summary_of(before: Report | None, after: Report | None, changes: tuple[Change, ...]) -> DifferenceSummary:
    """The counts of the changes."""
    findings = [change for change in changes if change.kind is ChangeKind.FINDING and change.weight is Weight.MAJOR]
    counts = {kind: sum(change.transition is kind for change in findings) for kind in Transition}
    still = 0
    if before and after:
        failed = {f.fingerprint for f in before.findings if f.outcome is _FAIL}
        still = sum(f.outcome is _FAIL and f.fingerprint in failed for f in after.findings)
    return DifferenceSummary(
        new=counts[Transition.APPEARED],
        fixed=counts[Transition.FIXED],
        changed=sum(change.weight is Weight.MAJOR for change in changes),
        unknown=counts[Transition.BECAME_UNKNOWN],
        still_failing=still,
    )


def _by_fingerprint(report: Report) -> dict[str, Finding]:
    return {finding.fingerprint: finding for finding in report.findings}


def _change(old: Finding, new: Finding, lacking: tuple[bool, bool]) -> Change | None:
    transition, weight = _transition(old, new, lacking)
    if transition is None:
        return None
    return Change(
        kind=ChangeKind.FINDING,
        key=f"finding/{new.fingerprint}",
        what=f"{new.rule}: {new.title}",
        transition=transition,
        before=_value(old, new),
        after=_value(new, old),
        means=_means(old, new, transition),
        weight=weight,
        severity=new.severity,
    )


def _transition(old: Finding, new: Finding, lacking: tuple[bool, bool]) -> tuple[Transition | None, Weight]:
    is_same = old.outcome is new.outcome
    found = _same_outcome(old, new) if is_same else (_other_outcome(old, new), Weight.MAJOR)
    if found[0] is None:
        return found
    doubts = [_doubt(side, lacks) for side, lacks in zip((old, new), lacking, strict=True)]
    if doubts[0] == doubts[1]:
        return (Transition.CHANGED, Weight.MINOR) if doubts[0] else found
    transition = Transition.BECAME_UNKNOWN if doubts[1] > doubts[0] else Transition.BECAME_KNOWN
    return transition, Weight.MINOR if is_same else Weight.MAJOR


def _doubt(finding: Finding, lacks: bool) -> int:
    """How little is known: an outcome that rests on documentation may be another one once the rest is read."""
    if finding.outcome is _UNKNOWN:
        return 2
    return int(lacks and finding.confidence is Confidence.LIKELY)


def _other_outcome(old: Finding, new: Finding) -> Transition:
    if new.outcome is _FAIL:
        return Transition.APPEARED
    return Transition.FIXED if old.outcome is _FAIL else Transition.CHANGED


def _same_outcome(old: Finding, new: Finding) -> tuple[Transition | None, Weight]:
    """Whether a finding with the same outcome is about something else now."""
    if old.outcome not in (_FAIL, _WAIVED):
        return None, Weight.MINOR
    if old.severity is not new.severity or any(_subjects_changed(old, new)):
        return Transition.CHANGED, Weight.MAJOR
    # With subjects, these say it all. The paths of evidence hold positions in lists, which change with the order.
    if not (old.subjects or new.subjects or old.unread or new.unread) and _values(old) != _values(new):
        return Transition.CHANGED, Weight.MAJOR
    differs = old.reason != new.reason or old.waivers != new.waivers or _names(old) != _names(new)
    return (Transition.CHANGED if differs else None), Weight.MINOR


def _values(finding: Finding) -> Any:
    return normal([[one.actual, one.expected] for one in finding.evidence])


def _names(finding: Finding) -> Any:
    return sorted(one.name for one in finding.subjects)


def _ids(finding: Finding) -> dict[str, str]:
    """The names of the subjects by what identifies each: its id, or its name where it has none."""
    return {(one.id or one.name).strip().lower(): one.name for one in finding.subjects}


def _subjects_changed(old: Finding, new: Finding) -> tuple[list[str], list[str]]:
    """The subjects that came and went; those that a side may not have read count as neither."""
    first, second = _ids(old), _ids(new)
    gained = [] if old.unread else [second[one] for one in sorted(second.keys() - first.keys())]
    lost = [] if new.unread else [first[one] for one in sorted(first.keys() - second.keys())]
    return gained, lost


def _value(finding: Finding, other: Finding) -> dict[str, Any]:
    value: dict[str, Any] = {"outcome": finding.outcome.value, "reason": finding.reason}
    if finding.severity is not other.severity:
        value["severity"] = finding.severity.value
    if finding.confidence is not other.confidence:
        value["confidence"] = finding.confidence.value
    if gone := _ids(finding).keys() - _ids(other).keys():
        names = _ids(finding)
        value["subjects"] = [names[one] for one in sorted(gone)]
    return value


def _means(old: Finding, new: Finding, transition: Transition) -> str:
    reason = sentence(new.reason)
    if transition is Transition.APPEARED:
        return f"Accepted until now by a waiver, it fails again: {reason}" if old.outcome is _WAIVED else reason
    if transition is Transition.FIXED and new.outcome is _WAIVED:
        return "It isn't fixed: a waiver accepts it now."
    if transition is Transition.CHANGED and new.outcome is old.outcome:
        gained, lost = _subjects_changed(old, new)
        parts = [f"{verb} {_some(names)}" for verb, names in (("now also", gained), ("no longer", lost)) if names]
        return f"It fails for other things: {'; '.join(parts)}." if parts else reason
    return reason


def _some(names: list[str]) -> str:
    return series(first_of(names, _NAMED))
