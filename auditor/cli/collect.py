"""``collect``: read a tenant once into a snapshot file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import (
    FilesOption,
    NamedApp,
    app_option,
    live_tenant,
    pack_option,
    packs_to_apply,
    redact_options,
    redaction_of,
    refuse_empty,
    tenant_options,
    waiting,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.model.document import series
from auditor.model.errors import OK

if TYPE_CHECKING:
    from auditor.jobs.audit_request import AuditRequest, Redaction
    from auditor.model.snapshot import Snapshot


@click.command(
    "collect",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor collect --pack trackerrms-uk -o tenant.json
  consent-auditor collect --full -o tenant.zip
  consent-auditor collect --from grants.json app.json ScubaGear/ProviderSettingsExport.json -o tenant.json
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk""",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="Snapshot file to write, packed if the name ends in .zip; - for standard output.",
)
@click.option(
    "--from",
    "files",
    cls=FilesOption,
    help="Make the snapshot from files and folders of other tools, without reading the tenant. Repeatable.",
)
@pack_option
@app_option("Also read what a check of this app needs: one of the catalogue by its name, or any app by its client ID.")
@click.option("--user", metavar="UPN|OBJECT-ID", default="", help="Also read this user's roles and groups.")
@click.option(
    "--full",
    is_flag=True,
    help="Read every section, also those that grow with the directory: up to an hour, unless you give --timeout. If it"
    " is stopped, the same command continues.",
)
@redact_options()
@tenant_options
def command(
    output: str,
    files: tuple[str, ...],
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
    from auditor.jobs.audit_request import PIPE, AuditRequest, must_be_writable, refuse_overwriting
    from auditor.jobs.snapshot_files import sections_lost, write_snapshot

    if output != PIPE:
        must_be_writable(output)
    refuse_overwriting([output], redact_key, files)
    if files:
        _refuse_live_options(client_id, user, full)
        return _write_imported(files, tenant["tenant"] or "", packs, redaction, output)
    named = _named(client_id) if client_id else NamedApp()
    request = AuditRequest(
        source=live_tenant(**(waiting(tenant) if full else tenant)),
        packs=packs_to_apply(packs, named),
        app=named.app,
        user=user,
        full=full,
        redaction=redaction,
    )
    if full and output != PIPE and redaction is None:
        return _write_directory(request, output)
    from auditor.jobs.tenant_reader import collect_snapshot

    with interaction() as person:
        snapshot = collect_snapshot(request, person)
    lost = sections_lost(snapshot, output)
    write_snapshot(snapshot, output)
    if _print_result(snapshot, output, _rows_of(snapshot) if full else None):
        _print_advice(snapshot)
    _print_lost(lost, output)
    return OK


def _named(text: str) -> NamedApp:
    """The app, of which a snapshot needs no scopes. Raises InvalidRequest for a name that nothing knows."""
    from auditor.jobs.app_catalog import app_named, is_known, pack_reference
    from auditor.jobs.audit_request import app_from_options

    return NamedApp(pack=pack_reference(app_named(text))) if is_known(text) else NamedApp(app_from_options(text, ""))


def _write_directory(request: AuditRequest, output: str) -> int:
    """Read everything into the file page by page. Redaction needs all names first, and a pipe can't be continued."""
    from auditor.jobs.full_collect import collect_into_file

    with interaction(is_long=True) as person:
        written = collect_into_file(request, output, person)
    if _print_result(written.snapshot, output, written.rows):
        _print_advice(written.snapshot)
    _print_lost(written.lost, output)
    for section in written.unfinished:
        (name,) = _in_words((section,))
        say(f"Reading {name} is not complete. To continue with it, run the same command again.")
    return OK


def _refuse_live_options(client_id: str | None, user: str, full: bool) -> None:
    """Raise click.UsageError for options that say what to read of a live tenant."""
    given = (("--app", client_id), ("--user", user), ("--full", full))
    for option, value in given:
        if value:
            raise click.UsageError(f"{option} says what to read of a live tenant, but --from takes all of the files")


def _write_imported(
    files: tuple[str, ...], tenant_id: str, packs: tuple[str, ...], redaction: Redaction | None, output: str
) -> int:
    """Write the snapshot that the files make together."""
    from auditor.jobs.snapshot_files import imported_snapshot, write_snapshot

    with interaction() as person:
        snapshot = imported_snapshot(files, tenant_id, packs, redaction, person)
    write_snapshot(snapshot, output)
    if _print_result(snapshot, output):
        say("Save what is missing with an account that may read it, and add the files: see docs/other-tools.md.")
    return OK


_BUSY = 429
"""The HTTP status with which Graph asks to wait."""


def _rows_of(snapshot: Snapshot) -> dict[str, int]:
    """The number of rows of each section that can be as large as the directory."""
    from auditor.model.sections import SECTIONS

    rows = {name: getattr(snapshot.sections, name) for name, section in SECTIONS.items() if section.grows}
    return {name: len(read) for name, read in rows.items() if read is not None}


def _print_lost(sections: tuple[str, ...], output: str) -> None:
    if sections:
        say(f"The earlier {output} had {series(_in_words(sections))}; the new one doesn't.")


def _in_words(sections: Iterable[str]) -> tuple[str, ...]:
    """What people call the sections; the parts of one section that are about single apps share a name."""
    from auditor.render.labels import section_label

    return tuple(dict.fromkeys(map(section_label, sections)))


def _rows_in_words(section: str, number: int) -> str:
    """``1,240 enterprise applications``."""
    from auditor.model.sections import SECTIONS

    return f"{number:,} {SECTIONS[section].row}{'' if number == 1 else 's'}"


def _print_result(snapshot: Snapshot, output: str, rows: Mapping[str, int] | None = None) -> bool:
    """Say what was written and what could not be read; whether there is any of that. Silent for standard output."""
    if output == "-":
        return False
    lists = "".join(f", {_rows_in_words(section, number)}" for section, number in (rows or {}).items())
    tenant = snapshot.tenant.name or snapshot.tenant.id
    # A redacted name begins with the word.
    say(f"Wrote {output}: {'' if tenant.startswith('Tenant ') else 'tenant '}{tenant}{lists}.")
    by_reason: dict[str, list[str]] = {}
    for section, why in sorted(snapshot.unread.items()):
        allowed = f" (needs {' or '.join(why.needs)})" if why.needs else ""
        by_reason.setdefault(f"{why.message or why.code}{allowed}", []).append(section)
    for reason, sections in by_reason.items():
        say(f"Could not read {series(_in_words(sections))}: {reason}")
    if snapshot.unread:
        say("The snapshot lacks this data, so verdicts that need it will be unknown.")
    return bool(snapshot.unread)


def _print_advice(snapshot: Snapshot) -> None:
    """What to do about reads of a live tenant that failed."""
    if any(why.needs for why in snapshot.unread.values()):
        say('Run "consent-auditor doctor" to see how to grant the missing permissions.')
    if any(why.status == _BUSY for why in snapshot.unread.values()):
        say("Microsoft Graph was busy: try again later, or add --wait to wait as long as Microsoft asks.")
