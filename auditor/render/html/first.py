"""The first thing to do, with what to copy for it."""

from __future__ import annotations

from typing import NamedTuple

from auditor.model.decision import Confidence
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.report import Report
from auditor.render.first import FirstThing, first_thing
from auditor.render.html.alike import Alike, twins
from auditor.render.html.findings import ranked
from auditor.render.html.fixes import Address, Way, address, addresses, ways
from auditor.render.remedies import key
from auditor.render.words import click_path, count, flat, is_path, sentence


class First(NamedTuple):
    """The first thing to do, with its links or, without any, its first commands or steps.

    `path` is what to click on in the portal, `rule` the number and id of the failed rule that asks for it. `failed`
    counts rules that failed though there is nothing to do for the answer.
    """

    says: tuple[str, ...]
    links: tuple[Address, ...] = ()
    path: Address | None = None
    command: Way | None = None
    steps: tuple[str, ...] = ()
    role: str = ""
    after: str = ""
    rule: tuple[int, str] | None = None
    failed: str = ""


def first(report: Report, alike: Alike) -> First | None:
    """The first thing to do about an answer."""
    decision = alike.first
    if decision.outcome.connects:
        failed = sum(one.outcome is FindingOutcome.FAIL for one in report.findings)
        probably = "probably " if decision.confidence is Confidence.LIKELY else ""
        return First((f"Nothing: users can {probably}connect.",), failed=count(failed, "rule") if failed else "")
    return _first(report, first_thing(report, decision, more="Findings"), f"first-{alike.numbers[0]}")


def first_of(report: Report) -> First | None:
    """The first thing to do in a report without an answer about an app."""
    return None if report.decisions else _first(report, first_thing(report, None, more="Findings"), "first-0")


def _first(report: Report, thing: FirstThing | None, name: str) -> First | None:
    if thing is None:
        return None
    if thing.finding:
        return _remedy(report, thing, thing.finding, name)
    commands = ways(thing.fix, name) if thing.fix and not thing.link else ()
    twin = twins(report).get(key(thing.fix)) if thing.fix else None
    return First(
        says=thing.says,
        links=addresses(twin.links if twin else (("", thing.link),), f"{name}-link"),
        command=commands[0] if commands else None,
        steps=thing.fix.steps.portal if thing.fix and not thing.link and not commands else (),
        role=thing.role,
        after=thing.after,
    )


def _remedy(report: Report, thing: FirstThing, finding: Finding, name: str) -> First:
    """What the rule's author advises: what to set as well as where, and which rule it is."""
    remedy = finding.remediation
    path = click_path(remedy.portal) if is_path(remedy.portal) else ""
    steps = () if path else tuple(map(flat, remedy.portal))
    note = sentence(flat(remedy.note))
    return First(
        says=(note,) if note else thing.says if steps else (sentence(finding.title),),
        links=addresses((("", remedy.link),), f"{name}-link"),
        path=address(path, f"{name}-path"),
        steps=steps,
        role=thing.role,
        rule=(ranked(report).index(finding) + 1, finding.rule),
    )
