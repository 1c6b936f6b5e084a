"""``fleet forget``: remove everything about a tenant, and prove by a search that nothing is left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from auditor.cli.history_options import history_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import printable, say
from auditor.model.errors import OK, InvalidRequest

if TYPE_CHECKING:
    from auditor.jobs.forgetting import Removal, SearchResult
    from auditor.model.configuration import Configuration


_NAMED = 5


@click.command(
    "forget",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet forget contoso --dry-run
  consent-auditor fleet forget contoso --search audit-results/
  consent-auditor fleet forget 9ad9b9a2-5e78-454d-b065-a1c284cc4549 --yes

Exit codes: 0 nothing is left, 1 something is left, 2 usage error,
4 a place could not be searched.""",
)
@click.argument("tenant", metavar="TENANT")
@history_option
@click.option(
    "--search",
    "folders",
    multiple=True,
    metavar="FOLDER",
    help="Also search this folder or file, for example where you keep fleet reports. Nothing in it is deleted."
    " Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="Don't ask. Needed where nobody can be asked, as in a script.")
def command(tenant: str, history: str, config: str, folders: tuple[str, ...], dry_run: bool, yes: bool) -> int:
    """Remove everything that is kept about TENANT, by its name in the configuration or its ID, and prove it.

    Removed are its runs, messages, reports, pages of the dashboard, metrics, lock and jobs in the queue. Then the
    database, its file and the folders of the configuration are searched for the tenant's IDs, names, domains and
    objects.
    """
    refuse_empty()
    from auditor.jobs import now
    from auditor.jobs.forgetting import planned, prove, remove, words_of
    from auditor.jobs.kept_runs import named_history

    for folder in folders:
        _must_exist(folder)
    configuration = _configuration(history, config)
    with named_history(history, config).open() as kept:
        plan = planned(kept, tenant, configuration)
        if dry_run:
            _print("Would remove", plan)
            return OK
        if not yes:
            _ask(plan)
        words = words_of(kept, plan, tenant)
        done = remove(kept, tenant, configuration, now())
        proof = prove(kept, words, done, configuration, folders)
    _print("Removed", done)
    for line in (*_proof_lines(proof), "", *_elsewhere(done)):
        click.echo(printable(line))
    say(_answer(done, proof))
    return proof.exit_code


def _must_exist(folder: str) -> None:
    from pathlib import Path

    if not Path(folder).exists():
        raise InvalidRequest(f"--search: there is no folder or file {folder}")


def _configuration(history: str, config: str) -> Configuration | None:
    """The configuration that `named_history` also takes; with --history alone, none."""
    from auditor.jobs.nightly_config import configuration_path, load_configuration

    if history and not config:
        return None
    try:
        path = configuration_path(config)
    except InvalidRequest:
        return None
    return load_configuration(path)


def _ask(plan: Removal) -> None:
    if not sys.stdin.isatty():
        raise InvalidRequest(
            f"nobody can be asked whether to remove everything about {plan.label}: add --yes, or --dry-run to see what"
        )
    _print("This removes", plan)
    click.confirm(printable(f"Remove everything about {plan.label}? This can't be undone."), abort=True, err=True)


def _print(verb: str, plan: Removal) -> None:
    ids = f" ({', '.join(plan.holdings.ids)})" if plan.holdings.ids else ""
    click.echo(printable(f"{verb} data of {plan.label}{ids}:"))
    for what, amount in _amounts(plan):
        click.echo(printable(f"  {what:<11}{amount}"))


def _amounts(plan: Removal) -> Iterator[tuple[str, str]]:
    from auditor.model.document import count

    held = plan.holdings
    about = (
        count(held.runs, "run"),
        *((count(held.waiting, "message") + " that waited",) if held.waiting else ()),
        *((count(sum(number for _, number in held.sent), "message") + " that was sent",) if held.sent else ()),
        *((count(held.said, "note") + " on what was said or seen",) if held.said else ()),
    )
    yield "History", ", ".join(about)
    if held.listed:
        yield "Customers", f"its entry in {count(held.listed, 'list')}"
    if held.jobs:
        yield "Queue", count(held.jobs, "job")
    if plan.reports:
        yield "Reports", f"{count(len(plan.reports), 'file')} in {', '.join(map(str, plan.folders))}"
    if plan.pages:
        yield "Dashboard", f"its pages, and {count(plan.pages, 'page')} of runs"
    if plan.metrics:
        yield "Metrics", count(plan.metrics, "line")


def _proof_lines(proof: SearchResult) -> Iterator[str]:
    from auditor.model.document import count, first_of, series

    yield ""
    words = count(proof.words - len(proof.shared), "word")
    yield f"Searched for {words} that only this tenant has: its IDs, names, domains and objects."
    yield from (f"  {place}" for place in proof.places)
    if proof.shared:
        others = count(len(proof.shared), "other word was", "other words were")
        owners, found = first_of(proof.owners, _NAMED), first_of(sorted(proof.shared), _NAMED)
        yield f"{others} also read in {series(owners)}, and not counted: {series(found)}."
    for heading, lines in (
        ("Left:", tuple(f"{one.place}: {one.what}. {one.advice}" for one in proof.left)),
        ("Not searched:", proof.unsearched),
    ):
        if lines:
            yield ""
            yield heading
            yield from (f"  {line}" for line in lines)


def _elsewhere(plan: Removal) -> Iterator[str]:
    """What only a person can do."""
    from auditor.model.document import count

    yield "What this program can't see or remove:"
    for target, number in plan.holdings.sent:
        yield f"  {count(number, 'message')} sent to {target}: ask the receivers to delete them."
    if plan.holdings.listed:
        lists = count(plan.holdings.listed, "list")
        yield f"  Its entry in {lists} of customers comes back with the next run, unless you put it under 'except'."
    yield "  Your backups, copies of reports and bundles, the log of the service, and a database server's own log."
    yield "  The customer's consent to your app: the customer deletes it under Enterprise applications (docs/fleet.md)."


def _answer(plan: Removal, proof: SearchResult) -> str:
    from auditor.model.document import count

    if proof.left:
        return f"{plan.label} is forgotten, except for {count(len(proof.left), 'place')} that you have to look at."
    if proof.unsearched:
        return f"{plan.label} is forgotten, but {count(len(proof.unsearched), 'place')} could not be searched."
    searched = count(len(proof.places), "place was", "places were")
    return f"{plan.label} is forgotten: {searched} searched, and nothing is left."
