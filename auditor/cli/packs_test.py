"""``packs test``: run the cases in rule packs and report those that don't give their expected outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from auditor.cli.options import packs_argument, refuse_empty
from auditor.cli.terminal import say, wants_colour
from auditor.model.errors import FAILING, OK

if TYPE_CHECKING:
    from auditor.jobs.pack_authoring import FailedCase, PackError, PackResult


@click.command(
    "test",
    params=[packs_argument()],
    epilog="""\b
Examples:
  consent-auditor packs test trackerrms-uk
  consent-auditor packs test rules/ours.yaml --rule OURS-1 -v

Exit codes: 0 every case gives its expected outcome, 1 a case doesn't, or with --strict
a rule lacks a failing, passing or unknown case, 2 a pack is broken.""",
)
@click.option("--rule", metavar="RULE-ID", default="", help="Run only the cases of this rule.")
@click.option("-v", "--verbose", is_flag=True, help="List every case, not only those that fail.")
@click.option(
    "--strict", is_flag=True, help="Also exit with 1 for a rule that lacks a failing, passing or unknown case."
)
def command(packs: tuple[str, ...], rule: str, verbose: bool, strict: bool) -> int:
    """Run the cases in rule packs: small tenants, each with the outcome that the rule must give.

    A case that should fail and passes is as wrong as one that should pass and fails; both are listed with file and
    line. Without a name, it tests the packs in CONSENT_AUDITOR_PACKS, or else every shipped pack.
    """
    refuse_empty()
    from auditor.jobs.pack_authoring import PackError, run_pack
    from auditor.jobs.pack_selection import sources_for, warnings_of

    results: list[PackResult] = []
    broken: list[PackError] = []
    for source in (source for found in sources_for(packs) for source in found):
        try:
            results.append(run_pack(source, rule))
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
    lacks_cases = any(one.gaps for one in results)
    return FAILING if any(one.failed for one in results) or (strict and lacks_cases) else OK


def _refuse_unknown(rule: str, results: Iterable[PackResult], broken: list[PackError]) -> None:
    if rule and not broken and not any(one.pack.rules for one in results):
        raise click.UsageError(
            f'these packs have no rule "{rule}": to list the rules, run consent-auditor packs show PACK'
        )


def _lines(one: PackResult, verbose: bool, only: str) -> Iterator[str]:
    """The lines about one pack; none if it doesn't have the rule `only`."""
    from auditor.jobs.pack_authoring import outcomes_phrase
    from auditor.model.document import count

    pack = one.pack
    if only and not pack.rules:
        return
    if pack.abstract:
        yield f"{_mark('note')}  {pack.name}: abstract, so it is tested through the packs that extend it"
        return
    state = "FAIL" if one.failed else "ok"
    gaps = f", {count(len(one.gaps), 'rule')} with missing cases" if one.gaps else ""
    yield (
        f"{_mark(state)}  {pack.name}: {count(len(one.results), 'case')} of {count(len(pack.rules), 'rule')},"
        f" {len(one.failed)} failed{gaps}"
    )
    if verbose:
        for result in one.results:
            yield f"      {'FAIL' if result.problem else 'ok  '}  {result.rule.id}: {_safe(result.case.name)}"
    for failed in one.failed:
        yield from _failure(failed)
    for rule, lacking, at in one.gaps:
        missing = f"no case where it {outcomes_phrase(lacking)}" if rule.cases else "no cases"
        yield f"      {at}: {rule.id} has {missing}"


def _failure(failed: FailedCase) -> Iterator[str]:
    result = failed.result
    yield f'      {failed.at}: {result.rule.id}, case "{_safe(result.case.name)}" ({failed.mismatch.value})'
    yield f"        {_safe(result.problem)}"


def _mark(state: str) -> str:
    from auditor.render.text_layout import Palette

    return Palette(wants_colour()).paint(f"{state:<4}", {"ok": "good", "FAIL": "bad", "note": "unsure"}[state])


def _safe(text: str) -> str:
    from auditor.render.text_layout import safe

    return safe(" ".join(text.split()))


def _summary(results: list[PackResult]) -> str:
    """The counts for all packs together: the cases that failed by kind, and the cases that are missing."""
    from auditor.jobs.pack_authoring import Mismatch
    from auditor.model.document import count

    cases = sum(len(one.results) for one in results)
    failed = [failed for one in results for failed in one.failed]
    kinds = [(sum(f.mismatch is kind for f in failed), kind.value) for kind in Mismatch]
    by_kind = f" ({', '.join(f'{number} {name}' for number, name in kinds if number)})" if failed else ""
    tested_packs = sum(not one.pack.abstract for one in results)
    gaps = sum(len(one.gaps) for one in results)
    without_cases = sum(one.without_cases for one in results)
    return (
        f"\n{count(cases, 'case')} of {count(tested_packs, 'pack')}: {cases - len(failed)} passed,"
        f" {len(failed)} failed{by_kind}.\n"
        f"{count(without_cases, 'rule')} without cases,"
        f" {gaps - without_cases} without a failing, passing or unknown case."
    )
