"""Checks on values that were read: a setting, a list, every item of a section, how many there are."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from auditor.checks.judged import Judged
from auditor.checks.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.checks.values import (
    Missing,
    all_hold,
    holds,
    items_at,
    matching,
    name_of,
    property_of,
    shown,
    value_at,
    wanted_by,
)
from auditor.consent.explanation import listed
from auditor.consent.lookup import NotRead, not_read
from auditor.consent.truth import Truth
from auditor.model.checks import TEMPLATES, Contains, Count, DirectorySettingIs, Every, Setting, Test
from auditor.model.finding import Evidence
from auditor.model.resources import Resource
from auditor.model.snapshot import Snapshot

SHOWN = 25
"""Items that the evidence names; the reason gives their number."""


def setting(check: Setting, judged: Judged) -> Ruling:
    """Whether one property has the value that the rule wants."""
    value = value_at(judged.snapshot, check.path)
    if isinstance(value, NotRead):
        return unknown(value.why)
    return _ruled(check.path, value, check)


def _ruled(path: str, value: Any, check: Setting | DirectorySettingIs) -> Ruling:
    truth, wanted = holds(check, value), wanted_by(check)
    actual = None if isinstance(value, Missing) else value
    evidence = seen(path, actual, _expected(check, actual))
    if truth is Truth.UNKNOWN:
        return unknown(f"{path} was left out of what was read, and what that means is not documented", evidence)
    says = f"{path} is {shown(actual)}"
    if isinstance(value, Missing):
        default = check.missing_means
        stands = "" if isinstance(default, UnsetType) else f", which stands for {shown(default)}"
        says = f"{path} has no value{stands}"
    if truth is Truth.TRUE:
        return passed(says, evidence)
    return failed(f"{says}, and should be {wanted}", evidence)


def _expected(test: Test | Setting | DirectorySettingIs, actual: Any) -> Any:
    """What the evidence expects: the value itself where it is one of the actual value's kind, else words."""
    return test.equals if type(test.equals) is type(actual) else wanted_by(test)


def contains(check: Contains, judged: Judged) -> Ruling:
    """Whether a list holds none, all or any of some values."""
    value = value_at(judged.snapshot, check.path)
    if isinstance(value, NotRead):
        return unknown(value.why)
    if isinstance(value, Missing):
        return unknown(f"{check.path} was not read")
    wanted = next(w for w in (check.none_of, check.all_of, check.any_of) if not isinstance(w, UnsetType))
    found = sorted(matching(value, wanted, check.match))
    evidence = seen(check.path, sorted(value), wanted_by(check))
    holds_it = f"{check.path} contains {listed(found)}" if found else f"{check.path} contains none of {listed(wanted)}"
    return (passed if holds(check, value) is Truth.TRUE else failed)(holds_it, evidence)


def every(check: Every, judged: Judged) -> Ruling:
    """Whether every item that the rule is about has what it should."""
    found = items_at(judged.snapshot, check.of)
    if isinstance(found, NotRead):
        return unknown(found.why)
    meant = [(row, all_hold(check.where, row)) for row in found.rows]
    has = {id(row): all_hold(check.has, row) for row, truth in meant if truth is not Truth.FALSE}
    bad = [row for row, truth in meant if truth is Truth.TRUE and has[id(row)] is Truth.FALSE]
    if bad:
        names = sorted(name_of(row) for row in bad)
        many = f" and {len(names) - 3} more" if len(names) > 3 else ""
        verb = "is" if len(names) == 1 else "are"
        evidence = sorted((e for row in bad for e in _lacking(check, row)), key=lambda e: e.path)[:SHOWN]
        return failed(f"of {check.of}, {', '.join(names[:3])}{many} {verb} not as the rule wants", *evidence)
    unsure = [row for row, truth in meant if truth is not Truth.FALSE and has[id(row)] is Truth.UNKNOWN]
    unsure += [row for row, truth in meant if truth is Truth.UNKNOWN and has[id(row)] is Truth.FALSE]
    if unsure:
        name = min(name_of(row) for row in unsure)
        return unknown(f"of {check.of}, what the rule asks was not read for {name} ({len(unsure)} in all)")
    if found.partial:
        return unknown(found.partial)
    number = sum(truth is Truth.TRUE for _, truth in meant)
    if check.where and not has:
        return not_applicable(f"{check.of} holds nothing of the kind that the rule is about")
    return passed(f"all {number} that the rule is about in {check.of} are as it wants")


def _lacking(check: Every, row: Resource) -> list[Evidence]:
    path = f"{check.of}[{name_of(row)}]"
    values = [(test, property_of(row, test.path)) for test in check.has]
    return [
        seen(f"{path}.{test.path}", (actual := None if isinstance(value, Missing) else value), _expected(test, actual))
        for test, value in values
        if holds(test, value) is Truth.FALSE
    ]


def count(check: Count, judged: Judged) -> Ruling:
    """Whether there are as many items as the rule wants: the number lies between the sure and the possible ones."""
    found = items_at(judged.snapshot, check.of)
    if isinstance(found, NotRead):
        return unknown(found.why)
    truths = [all_hold(check.where, row) for row in found.rows]
    sure = truths.count(Truth.TRUE)
    possible = sure + truths.count(Truth.UNKNOWN)
    most, least = check.at_most, check.at_least
    limit = f"at most {most}" if not isinstance(most, UnsetType) else f"at least {least}"
    evidence = seen(check.of, sure, limit)
    says = f"{check.of} holds {sure}{' of the kind that the rule counts' if check.where else ''}"
    if not isinstance(most, UnsetType) and sure > most:
        return failed(f"{says}, and should hold {limit}", evidence)
    if not isinstance(least, UnsetType) and sure >= least:
        return passed(says, evidence)
    if found.partial:
        return unknown(found.partial, evidence)
    within = possible <= most if not isinstance(most, UnsetType) else False
    out_of_reach = not isinstance(least, UnsetType) and possible < least
    if not within and not out_of_reach:
        return unknown(f"of {check.of}, {possible - sure} could not be told", evidence)
    return passed(says, evidence) if within else failed(f"{says}, and should hold {limit}", evidence)


def directory_setting(check: DirectorySettingIs, judged: Judged) -> Ruling:
    """Whether a value of a directory settings object is the one that the rule wants."""
    if judged.snapshot.sections.directorySettings is None:
        return unknown(not_read(judged.snapshot, "directorySettings").why)
    value = _directory_value(judged.snapshot, TEMPLATES.get(check.template, check.template), check.name)
    path = f"directorySettings.{check.name}"
    if value is not None:
        return _ruled(path, value, check)
    if check.skip_when_missing:
        return not_applicable(f"the directory setting {check.name} is not set, so Microsoft's default stands")
    if check.missing_means is UNSET and check.present is UNSET:
        return failed(f"{path} is not set, and should be {wanted_by(check)}", seen(path, None, wanted_by(check)))
    return _ruled(path, Missing(None), check)


def _directory_value(snapshot: Snapshot, template: str, name: str) -> str | None:
    for one in snapshot.sections.directorySettings or ():
        if (one.templateId or "").lower() == template.lower():
            for item in one.values:
                if item.name.lower() == name.lower() and item.value:
                    return item.value
    return None
