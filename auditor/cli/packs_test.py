"""``packs test``: run the cases that rule packs carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from auditor.cli.options import packs_argument, refuse_empty
from auditor.cli.terminal import say, wants_colour
from auditor.model.errors import FAILING, OK

if TYPE_CHECKING:
    from auditor.jobs.pack_cases import Failed, PackError, Tested


@click.command(
    "test",
    params=[packs_argument()],
    epilog="""\b
Examples:
  consent-auditor packs test trackerrms-uk
  consent-auditor packs test rules/ours.yaml --rule OURS-1 -v

\b
Exit codes: 0 every case has its expected outcome, 1 one hasn't, or with --strict
a rule isn't shown in every direction, 2 a pack is broken.""",
)
@click.option("--rule", metavar="RULE-ID", default="", help="Run the cases of this rule only.")
@click.option("-v", "--verbose", is_flag=True, help="Name every case, not only those that fail.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 for a rule without a case where it fails, passes or is unknown."
)
def command(packs: tuple[str, ...], rule: str, verbose: bool, strict: bool) -> int:
    """Run the cases of rule packs: small tenants, and what a rule must say of each.

    A case that should fail and passes is as wrong as one that should pass and fails; both are shown with file and line.
    Without a name: what CONSENT_AUDITOR_PACKS names, else every shipped pack.
    """
    refuse_empty()
    from auditor.jobs.pack_cases import PackError, tested
    from auditor.jobs.pack_selection import sources_for, warnings_of

    results: list[Tested] = []
    broken: list[PackError] = []
    for source in (source for found in sources_for(packs) for source in found):
        try:
            results.append(tested(source, rule))
        except PackError as error:
            broken.append(error)
            continue
        for warning in warnings_of((results[-1].pack,)):
            say(f"Warning: {warning}")
        for line in _lines(results[-1], verbose, only=rule):
            click.echo(line, color=wants_colour())
    _refuse_unknown(rule, results, broken)
    click.echo(_summary(results))
    if broken:
        raise PackError(problem for error in broken for problem in error.problems)
    is_short = any(one.gaps for one in results)
    return FAILING if any(one.failed for one in results) or (strict and is_short) else OK


def _refuse_unknown(rule: str, results: Iterable[Tested], broken: list[PackError]) -> None:
    if rule and not broken and not any(one.pack.rules for one in results):
        raise click.UsageError(f'these packs have no rule "{rule}": consent-auditor packs show PACK lists the rules')


def _lines(one: Tested, verbose: bool, only: str) -> Iterator[str]:
    """The lines about one pack; a pack without the one rule that is asked for has none."""
    from auditor.jobs.pack_cases import outcomes_phrase
    from auditor.render.labels import count

    pack = one.pack
    if only and not pack.rules:
        return
    if pack.abstract:
        yield f"{_mark('note')}  {pack.name}: abstract, and tested through the packs that extend it"
        return
    state = "FAIL" if one.failed else "ok"
    short = f", {count(len(one.gaps), 'rule')} not shown in every direction" if one.gaps else ""
    yield (
        f"{_mark(state)}  {pack.name}: {count(len(one.results), 'case')} of {count(len(pack.rules), 'rule')},"
        f" {len(one.failed)} failed{short}"
    )
    if verbose:
        for result in one.results:
            yield f"      {'FAIL' if result.problem else 'ok  '}  {result.rule.id}: {_safe(result.case.name)}"
    for failed in one.failed:
        yield from _failure(failed)
    for rule, lacking, at in one.gaps:
        missing = f"no case where it {outcomes_phrase(lacking)}" if rule.cases else "no cases"
        yield f"      {at}: {rule.id} has {missing}"


def _failure(failed: Failed) -> Iterator[str]:
    result = failed.result
    yield f'      {failed.at}: {result.rule.id}, case "{_safe(result.case.name)}" ({failed.direction.value})'
    yield f"        {_safe(result.problem)}"


def _mark(state: str) -> str:
    from auditor.render.layout import Palette

    return Palette(wants_colour()).paint(f"{state:<4}", {"ok": "good", "FAIL": "bad", "note": "unsure"}[state])


def _safe(text: str) -> str:
    from auditor.render.layout import safe

    return safe(" ".join(text.split()))


def _summary(results: list[Tested]) -> str:
    """The counts of all packs together: what failed in which direction, and what no case shows."""
    from auditor.jobs.pack_cases import Direction
    from auditor.render.labels import count

    cases = sum(len(one.results) for one in results)
    failed = [failed for one in results for failed in one.failed]
    kinds = [(sum(f.direction is kind for f in failed), kind.value) for kind in Direction]
    how = f" ({', '.join(f'{number} {name}' for number, name in kinds if number)})" if failed else ""
    tested_packs = sum(not one.pack.abstract for one in results)
    gaps = sum(len(one.gaps) for one in results)
    bare = sum(one.without_cases for one in results)
    return (
        f"\n{count(cases, 'case')} of {count(tested_packs, 'pack')}: {cases - len(failed)} as they should,"
        f" {len(failed)} failed{how}.\n"
        f"{count(bare, 'rule')} without cases, {gaps - bare} without one where they fail, pass or are unknown."
    )
