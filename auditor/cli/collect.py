"""``collect``: read a tenant once into a snapshot file."""

from __future__ import annotations

from typing import Any

import click

from auditor.cli.options import (
    live_tenant,
    pack_option,
    packs_to_apply,
    redact_options,
    redaction_of,
    refuse_empty,
    tenant_options,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.model.errors import OK


@click.command(
    "collect",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor collect --pack trackerrms-uk -o tenant.json
  consent-auditor collect --full -o tenant.json
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk""",
)
@click.option("-o", "--output", metavar="FILE", required=True, help="Snapshot file to write; - for standard output.")
@pack_option
@click.option("--app", "client_id", metavar="CLIENT_ID", help="Also read what a check of this app needs.")
@click.option("--user", metavar="UPN|OBJECT-ID", default="", help="Also read this user's roles and groups.")
@click.option("--full", is_flag=True, help="Read every section, also those that grow with the directory.")
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
    """Read a tenant once into a snapshot file, to evaluate it later or elsewhere.

    The file contains no secrets, but it describes the tenant, so only its owner can read it.
    """
    refuse_empty()
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.audit_request import AuditRequest, app_from_options
    from auditor.jobs.outputs import PIPE, must_be_writable, refuse_overwriting
    from auditor.jobs.snapshot_files import write_snapshot
    from auditor.jobs.tenant_reader import collect_snapshot

    if output != PIPE:
        must_be_writable(output)
    refuse_overwriting([output], redact_key)
    app = app_from_options(client_id, "") if client_id else None
    request = AuditRequest(
        source=live_tenant(**tenant),
        packs=packs_to_apply(packs, app),
        app=app,
        user=user,
        full=full,
        redaction=redaction,
    )
    with interaction() as person:
        snapshot = collect_snapshot(request, person)
    write_snapshot(snapshot, output)
    if output == PIPE:
        return OK
    say(f"Wrote {output}: tenant {snapshot.tenant.name or snapshot.tenant.id}.")
    for section, why in sorted(snapshot.unread.items()):
        allowed = f" (needs {' or '.join(why.needs)})" if why.needs else ""
        say(f"Could not read {section}: {why.message or why.code}{allowed}")
    return OK
