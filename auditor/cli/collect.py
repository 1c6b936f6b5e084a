"""``collect``: read a tenant once into a snapshot file."""

from __future__ import annotations

import sys
from typing import Any

import click

from auditor.cli import exits
from auditor.cli.asked import asked_packs, refuse_empty
from auditor.cli.key_place import refuse_overwriting
from auditor.cli.options import pack_option, tenant_options
from auditor.cli.output import must_be_writable
from auditor.cli.pack_texts import texts_for
from auditor.cli.redaction import redact_options, redactor_for, refuse_key_alone
from auditor.model.read_plan import Plan


@click.command(
    "collect",
    epilog="""\b
Examples:
  consent-auditor collect --pack trackerrms-uk -o tenant.json
  consent-auditor collect --full -o tenant.json
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk""",
)
@click.option("-o", "--output", metavar="FILE", required=True, help="Snapshot file to write; - for standard output.")
@pack_option
@click.option("--app", "client_id", metavar="CLIENT_ID", help="Read what a check of this app needs, too.")
@click.option("--user", metavar="UPN|OBJECT-ID", default="", help="Read this user's roles and groups, too.")
@click.option("--full", is_flag=True, help="Read every section, the directory-wide ones page by page.")
@redact_options()
@tenant_options
def command(
    output: str,
    packs: tuple[str, ...],
    client_id: str | None,
    user: str,
    full: bool,
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """Read a tenant once into a snapshot file, to judge it later or elsewhere.

    The file holds no secret, but it describes the tenant: only its owner may read it.
    """
    refuse_empty()
    refuse_key_alone(redact)
    if output != "-":
        must_be_writable(output)
    refuse_overwriting([output], redact_key)
    from auditor.checks.reads import plan_for
    from auditor.cli.live import read_live, target_for
    from auditor.consent.request import app_from_scopes
    from auditor.jobs.live import WHOLE

    app = app_from_scopes(client_id, "") if client_id else None
    chosen = asked_packs(packs, app, otherwise_all=True)
    plan = plan_for(chosen)
    if full:
        plan = plan.union(Plan(sections=("directorySettings",), whole=WHOLE))
    apps = [pack.app for pack in chosen if pack.app is not None]
    snapshot = read_live(target_for(**tenant), plan, apps, chosen, user)
    if redact:
        texts = texts_for(chosen, packs or [pack.name for pack in chosen if pack.origin and not pack.abstract])
        snapshot = redactor_for(snapshot, apps, redact_key, texts).snapshot

    from auditor.snapshot.write import dumps, save

    if output == "-":
        sys.stdout.buffer.write(dumps(snapshot))
        return exits.OK
    save(snapshot, output)
    click.echo(f"Wrote {output}: tenant {snapshot.tenant.name or snapshot.tenant.id}.", err=True)
    for section, why in sorted(snapshot.unread.items()):
        allowed = f" (needs {' or '.join(why.needs)})" if why.needs else ""
        click.echo(f"Could not read {section}: {why.message or why.code}{allowed}", err=True)
    return exits.OK
