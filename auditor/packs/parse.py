"""Parse a pack from its text, or report every problem in it and in the packs that it extends.

Linting a pack reports everything about it that can be known without a tenant: errors, warnings and advice.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.checks.kind import kind_of
from auditor.model.rule import FindingOutcome, Pack, Remediation, Rule, RulePlace
from auditor.packs import PackError, PackProblems, Position, Problem, TooManyProblems
from auditor.packs.decode_nodes import decode
from auditor.packs.extend import ChainLink, chain, merged
from auditor.packs.forms import PackForm, pack_of
from auditor.packs.load import Source, clash, digest_of, every_shipped_name, is_shipped, shipped_source
from auditor.packs.semantic_checks import check_semantics
from auditor.packs.yaml_nodes import Scalar, Table, child, tables_of, text_of


def parse_with_warnings(
    source: Source, *, samples: Collection[str] | None = None, any_name: bool = False
) -> tuple[Pack, tuple[Problem, ...]]:
    """The pack in `source`, and the warnings about it. Raises PackError with all problems.

    With `samples`, cases may only use these. With `any_name` the pack may have the name of a shipped pack, as packs in
    a bundle of another version do.
    """
    problems = PackProblems()
    with contextlib.suppress(TooManyProblems):
        whole = chain(source, problems)
        if whole.links:
            document = merged(whole, problems)
            form = decode(document, PackForm, problems, "a pack", is_complete=whole.is_complete)
            if not any_name:
                check_name(whole.links[0], problems)
            check_semantics(document, problems, samples=samples, is_complete=whole.is_complete)
    problems.raise_any()
    warnings = tuple(dict.fromkeys(problems.warnings))
    pack = pack_of(form, digest_of(link.source.text for link in whole.links), source.label, tuple(map(str, warnings)))
    return msgspec.structs.replace(pack, places=reported_places(_rule_places(document))), warnings


def case_places(source: Source) -> Mapping[tuple[str, str], Position]:
    """The position of each case of a valid pack, by rule id and case name."""
    return {
        (rule_id.value.strip(), name.value.strip()): name.at
        for rule in tables_of(child(_document(source), "rules"))
        for case in tables_of(child(rule, "cases"))
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
        if isinstance(name := child(case, "name"), Scalar) and isinstance(name.value, str)
    }


def rule_places(source: Source) -> Mapping[str, Position]:
    """The position of each rule of a valid pack, by its id; of an overridden rule, where it is overridden."""
    return _rule_places(_document(source))


def _rule_places(document: Table) -> Mapping[str, Position]:
    return {
        rule_id.value.strip(): rule_id.at
        for rule in tables_of(child(document, "rules"))
        if isinstance(rule_id := child(rule, "id"), Scalar) and isinstance(rule_id.value, str)
    }


def _document(source: Source) -> Table:
    problems = PackProblems()
    whole = chain(source, problems)
    problems.raise_any()
    return merged(whole, problems)


RESERVED = frozenset({"waivers"})
"""Names that the program uses for its own findings."""


def is_reserved(name: str) -> bool:
    """Whether your own pack needs another name."""
    return name in RESERVED or name in every_shipped_name()


def check_name(link: ChainLink, problems: PackProblems) -> None:
    """Report a pack that has the name of a shipped one but another text.

    An exact copy is the shipped pack, wherever it is: a bundle contains such copies.
    """
    node = child(link.document, "pack")
    name = text_of(node)
    if node is None or (link.source.folder is None and is_shipped(link.source.label)):
        return
    if name in RESERVED:
        problems.add(node.at, f'the program uses this name for its own findings: "{name}"', expected="another name")
    elif name in every_shipped_name() and shipped_source(name).text != link.source.text:
        message = f'"{name}" is the name of a shipped pack, but this is another pack or another version of it'
        problems.add(node.at, message, expected="another name, and extends to change a shipped pack")


_INSTALLED = "auditor:"
"""How messages mark a file of the installed program (`tree_label`)."""


def reported_places(positions: Mapping[str, Position]) -> Mapping[str, RulePlace]:
    """The places of rules in a report, by rule id: they don't reveal the folders of this machine."""
    return {rule: RulePlace(file=reported_file(at.file), line=max(at.line, 1)) for rule, at in positions.items()}


def reported_file(label: str) -> str:
    """A pack's file: ``rules/NAME.yaml``, a path below the working directory, or the file's name alone."""
    if label.startswith(_INSTALLED):
        return label.removeprefix(_INSTALLED)
    here = Path(os.path.abspath(label))
    below = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else Path(here.name)
    return below.as_posix()


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
