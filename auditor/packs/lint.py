"""Everything that can be reported about packs without a tenant: errors, warnings, and advice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from auditor.checks.kind import kind_of
from auditor.model.rule import FindingOutcome, Pack, Remediation, Rule
from auditor.packs import PackError, Position, Problem
from auditor.packs.load import Source, clash
from auditor.packs.parse import parse_with_warnings, rule_places

DIRECTIONS = (FindingOutcome.FAIL, FindingOutcome.PASS, FindingOutcome.UNKNOWN)
"""The outcomes that the cases of a rule should show."""


class Linted(NamedTuple):
    """The problems of some packs: errors prevent their use, warnings may be intended, advice improves them."""

    packs: int
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    advice: tuple[Problem, ...]


def lint(sources: Iterable[Source], *, samples: Collection[str]) -> Linted:
    """The problems of these texts, each once, in the order of the texts."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    advice: list[Problem] = []
    packs: dict[str, Pack] = {}
    texts = tuple(sources)
    for source in texts:
        try:
            pack, found = parse_with_warnings(source, samples=samples)
        except PackError as error:
            errors.extend(error.problems)
            warnings.extend(error.warnings)
            continue
        warnings.extend(found)
        advice.extend(advice_on(pack, rule_places(source)))
        errors.extend(clash(pack, packs.setdefault(pack.name, pack)))
    return Linted(
        len(texts), tuple(dict.fromkeys(errors)), tuple(dict.fromkeys(warnings)), tuple(dict.fromkeys(advice))
    )


def advice_on(pack: Pack, places: Mapping[str, Position]) -> Iterator[Problem]:
    """What the pack lacks but could have."""
    if not pack.about:
        yield Problem(pack.origin, 0, 0, 'the pack has no "about": say what question it answers')
    for rule in pack.rules:
        at = places.get(rule.id, Position(pack.origin))
        for message in _on_rule(rule, pack):
            yield Problem(*at, message=f"{rule.id} {message}")


def _on_rule(rule: Rule, pack: Pack) -> Iterator[str]:
    if rule.fix == Remediation() and not rule.routes:
        yield 'has no "fix": say what an administrator should do if it fails'
    elif rule.fix != Remediation() and not rule.fix.role:
        yield 'has no "role" in its fix: name the least privileged role that can do it'
    if not rule.references:
        yield 'has no "references": name a page on which a reader can verify it'
    if pack.abstract:
        return  # the packs that extend it have the cases
    if not rule.cases:
        yield f"has no cases: only cases where it {outcomes_phrase(wanted_of(rule), 'and')} show that it works"
    elif lacking := lacking_of(rule):
        yield f"has no case where it {outcomes_phrase(lacking)}"


def wanted_of(rule: Rule) -> tuple[FindingOutcome, ...]:
    """The outcomes that the rule's cases should show: no tenant can fail a rule that allows everything."""
    return tuple(d for d in DIRECTIONS if d is not FindingOutcome.FAIL or kind_of(rule.check).can_fail)


def lacking_of(rule: Rule) -> tuple[FindingOutcome, ...]:
    """The outcomes that no case of the rule shows."""
    shown = {case.expect for case in rule.cases}
    return tuple(outcome for outcome in wanted_of(rule) if outcome not in shown)


def outcomes_phrase(outcomes: Iterable[FindingOutcome], last: str = "or") -> str:
    """``fails, passes or is unknown``."""
    *most, end = (_VERBS[outcome] for outcome in outcomes)
    return f"{', '.join(most)} {last} {end}" if most else end


_VERBS = {FindingOutcome.FAIL: "fails", FindingOutcome.PASS: "passes", FindingOutcome.UNKNOWN: "is unknown"}
