"""``diff``: what changed between two reports, snapshots or nights, and what it means for users."""

from __future__ import annotations

import click

from auditor.cli.document_output import destinations, output_options, write_document
from auditor.cli.history_options import history_options
from auditor.cli.options import app_options, named_app, pack_option, packs_to_apply, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.rule import Severity


@click.command(
    "diff",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor diff monday.json tuesday.json
  consent-auditor diff before.json after.json --pack trackerrms-uk
  consent-auditor diff previous last --tenant contoso -o audit-results/changes.html
  consent-auditor diff 41 42 -f json
  consent-auditor diff monday.json tuesday.json --fail-on-new high

Exit codes: 0 compared, 1 something that --fail-on-new or --fail-on-change names, 2 usage error.""",
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@pack_option
@app_options
@history_options
@output_options
@click.option(
    "--fail-on-new",
    type=click.Choice([one.value for one in Severity]),
    default=None,
    help="Exit with 1 if a rule of this severity or a worse one fails in B that didn't fail in A.",
)
@click.option("--fail-on-change", is_flag=True, help="Exit with 1 if anything but noise changed.")
def command(
    before: str,
    after: str,
    packs: tuple[str, ...],
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    history: str,
    config: str,
    tenant: str,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    fail_on_new: str | None,
    fail_on_change: bool,
) -> int:
    """Show what changed from A to B, and what it means for users.

    A and B are reports (written with -f json), snapshots, or nights of a history: the id of a run, last, previous, or
    the name of a tenant, which means its last run. With --pack or --app, two snapshots are also judged by the rules.
    Only what both sides read is compared; what one of them didn't read is listed.
    """
    refuse_empty()
    places = destinations(formats, outputs)
    named = named_app(client_id, scopes, redirect_uri, name, from_url)
    from auditor.jobs.differences import DifferenceRequest, difference_exit_code, difference_of

    request = DifferenceRequest(
        before=before,
        after=after,
        packs=packs_to_apply(packs, named),
        app=named.app,
        history=history,
        config=config,
        tenant=tenant,
    )
    with interaction() as person:
        difference = difference_of(request, person)
    from auditor.render.difference import as_text, render_difference

    write_document(
        places,
        lambda form: render_difference(difference, form),
        lambda columns, colour: as_text(difference, width=columns, colour=colour).decode(),
    )
    return difference_exit_code(difference, fail_on_new=fail_on_new or "", fail_on_change=fail_on_change)
