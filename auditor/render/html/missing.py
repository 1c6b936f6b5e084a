"""What unknown rules lack, and how to get it: a permission where a read was refused, else a new snapshot."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from auditor.model.finding import Finding, FindingOutcome
from auditor.model.report import Report
from auditor.model.sections import permissions_to_read
from auditor.render.html.fixes import Way
from auditor.render.words import SECTIONS, series

_MISSING = re.compile(
    rf"\b({'|'.join(SECTIONS)})\b(?: of [^;()]+?|\.[\w.]+)?"
    r" (?:was not read|was read in part only|could not be read)"
)
"""How a reason says that a section of the snapshot is missing, or some of it."""

_REFUSED = re.compile(rf"\b({'|'.join(SECTIONS)})\b(?= could not be read)")


class Lack(NamedTuple):
    """A part that a rule needed: what it is, what allows to read it, and where the page says more."""

    what: str
    section: str
    allowed_by: str
    asked: bool
    anchor: str


class Unasked(NamedTuple):
    """A part that nobody asked for, and the rules that need it, by number and id."""

    lack: Lack
    rules: tuple[tuple[int, str], ...]


class Again(NamedTuple):
    """The parts that nobody asked for, and the commands that read them."""

    parts: tuple[Unasked, ...]
    command: Way


def lacks(report: Report, finding: Finding) -> tuple[Lack, ...]:
    """What an unknown rule says that it lacks; nothing where its reason is another."""
    if finding.outcome is not FindingOutcome.UNKNOWN:
        return ()
    named = dict.fromkeys(found[1] for found in _MISSING.finditer(f"{finding.reason} {finding.unread}"))
    return tuple(_lack(report, section) for section in named)


def _lack(report: Report, section: str) -> Lack:
    places = [n for n, part in enumerate(report.unread, start=1) if part.section.partition("/")[0] == section]
    needs = report.unread[places[0] - 1].needs if places else ()
    return Lack(
        what=SECTIONS[section],
        section=section,
        allowed_by=series(needs or permissions_to_read(section), "or"),
        asked=bool(places),
        anchor=f"unread-{places[0]}" if places else f"unasked-{section}",
    )


def again(report: Report, ranked: Sequence[Finding]) -> Again | None:
    """What nobody asked for though rules need it; `ranked` are the findings in the order of their numbers."""
    rules: dict[Lack, list[tuple[int, str]]] = {}
    for number, finding in enumerate(ranked, start=1):
        for lack in lacks(report, finding):
            if not lack.asked:
                rules.setdefault(lack, []).append((number, finding.rule))
    if not rules:
        return None
    return Again(tuple(Unasked(lack, tuple(found)) for lack, found in rules.items()), _command(report))


def _command(report: Report) -> Way:
    packs = " ".join(f"--pack {shlex.quote(pack.name)}" for pack in report.packs)
    lines = (
        f"consent-auditor collect {packs} -o tenant.json",
        f"consent-auditor check --snapshot tenant.json {packs} -o report.html",
    )
    return Way("collect-again", "Commands that read the tenant again, and judge it", "\n".join(lines))


def in_words(text: str) -> str:
    """``the consent policies could not be read`` for ``permissionGrantPolicies could not be read``."""
    return _REFUSED.sub(lambda found: SECTIONS[found[1]][0].lower() + SECTIONS[found[1]][1:], text)
