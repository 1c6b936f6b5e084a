"""All that can be said of packs without a tenant: mistakes, doubts, and what a good pack would have besides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from auditor.model.finding import FindingOutcome, Remediation
from auditor.model.rule import Pack, Rule
from auditor.packs.find import clash
from auditor.packs.load import load_with_doubts, rule_places
from auditor.packs.outcomes import never_fails
from auditor.packs.pack_errors import PackError, Place, Problem
from auditor.packs.sources import Source

DIRECTIONS = (FindingOutcome.FAIL, FindingOutcome.PASS, FindingOutcome.UNKNOWN)
"""What the cases of a rule should show."""


class Linted(NamedTuple):
    """What is to be said of some packs: errors stop a pack, warnings may be meant, advice is a matter of care."""

    packs: int
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    advice: tuple[Problem, ...]


def lint(sources: Iterable[Source], *, samples: Collection[str]) -> Linted:
    """Everything that is to be said of these texts, each thing once, in the order of the texts."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    advice: list[Problem] = []
    packs: dict[str, Pack] = {}
    texts = tuple(sources)
    for source in texts:
        try:
            pack, doubts = load_with_doubts(source, samples=samples)
        except PackError as error:
            errors.extend(error.problems)
            warnings.extend(error.doubts)
            continue
        warnings.extend(doubts)
        advice.extend(advice_on(pack, rule_places(source)))
        errors.extend(clash(pack, packs.setdefault(pack.name, pack)))
    return Linted(
        len(texts), tuple(dict.fromkeys(errors)), tuple(dict.fromkeys(warnings)), tuple(dict.fromkeys(advice))
    )


def advice_on(pack: Pack, places: Mapping[str, Place]) -> Iterator[Problem]:
    """What the pack could have and has not."""
    if not pack.about:
        yield Problem(pack.origin, 0, 0, 'the pack lacks "about": say what question it answers')
    for rule in pack.rules:
        at = places.get(rule.id, Place(pack.origin))
        for message in _on_rule(rule, pack):
            yield Problem(*at, message=f"{rule.id} {message}")


def _on_rule(rule: Rule, pack: Pack) -> Iterator[str]:
    if rule.fix == Remediation() and not rule.routes:
        yield 'lacks "fix": tell the administrator what to do when it fails'
    elif rule.fix != Remediation() and not rule.fix.role:
        yield 'lacks "role" in its fix: name the least role that may do it'
    if not rule.references:
        yield 'lacks "references": name a page on which a reader can check it'
    if pack.abstract:
        return  # its cases are for those who extend it
    if not rule.cases:
        yield f"has no cases: only cases where it {said(wanted_of(rule), 'and')} show that it works"
    elif lacking := lacking_of(rule):
        yield f"has no case where it {said(lacking)}"


def wanted_of(rule: Rule) -> tuple[FindingOutcome, ...]:
    """The outcomes that cases should show of the rule: no tenant can fail one that allows everything."""
    return tuple(d for d in DIRECTIONS if d is not FindingOutcome.FAIL or not never_fails(rule.check))


def lacking_of(rule: Rule) -> tuple[FindingOutcome, ...]:
    """The outcomes that no case of the rule shows."""
    shown = {case.expect for case in rule.cases}
    return tuple(outcome for outcome in wanted_of(rule) if outcome not in shown)


def said(outcomes: Iterable[FindingOutcome], last: str = "or") -> str:
    """``fails, passes or is unknown``."""
    *most, end = (_VERBS[outcome] for outcome in outcomes)
    return f"{', '.join(most)} {last} {end}" if most else end


_VERBS = {FindingOutcome.FAIL: "fails", FindingOutcome.PASS: "passes", FindingOutcome.UNKNOWN: "is unknown"}
