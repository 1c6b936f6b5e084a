"""``nightly check``: test a configuration with its credentials and permissions, without a run."""

from __future__ import annotations

import textwrap

import click

from auditor.cli.doctor import MARKS
from auditor.cli.nightly_run import config_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import printable, wants_colour, width
from auditor.model.errors import FAILING, NO_AUDIT, OK

_INDENT = 6


@click.command(
    "check",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor nightly check
  consent-auditor nightly check --config nightly.yaml --notify

Exit codes: 0 no problems, 1 something is missing but runs can be made, 2 a usage or configuration error,
3 a tenant can't be audited or the history can't be used.""",
)
@config_option
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Test only this tenant. Repeatable.")
@click.option("--notify", is_flag=True, help="Send one test message to each notification target.")
def command(config: str, tenants: tuple[str, ...], notify: bool) -> int:
    """Test a configuration with its credentials and permissions, without a run.

    Reads the lists of customers, gets a token for each tenant and compares its permissions with what the packs need.
    Opens the history, and tests snapshots, folders and the addresses of notification targets.
    """
    refuse_empty()
    from auditor.jobs.night_setup import chosen_tenants
    from auditor.jobs.nightly_check import check_configuration, listed_with_history
    from auditor.jobs.nightly_config import configuration_path, load_configuration
    from auditor.jobs.secret_references import Secrets

    secrets = Secrets()
    configuration, lists = listed_with_history(load_configuration(configuration_path(config)), secrets)
    chosen = chosen_tenants(configuration, tenants)
    problems = fatal = 0
    subject = ""
    for one in check_configuration(configuration, secrets, chosen, lists=lists, notify=notify):
        if one.subject != subject:
            click.echo(printable(one.subject))
            subject = one.subject
        click.echo(_line(one.ok, printable(one.text)))
        if one.advice:
            click.echo(_wrapped(printable(one.advice)))
        problems += one.ok is False
        fatal += one.is_fatal
    click.echo("")
    if not problems:
        noun = "tenant" if len(chosen) == 1 else "tenants"
        click.echo(f"No problems found: {configuration.file}, {len(chosen)} {noun}.")
        return OK
    noun = "problem" if problems == 1 else "problems"
    click.echo(f"{problems} {noun} found: fix the items marked FAIL.")
    return NO_AUDIT if fatal else FAILING


def _line(state: bool | None, text: str) -> str:
    word, colour = MARKS[state]
    mark = click.style(word, fg=colour) if wants_colour() else word
    return f"{mark}{' ' * (_INDENT - len(word))}{_wrapped(text).lstrip()}"


def _wrapped(text: str) -> str:
    margin = " " * _INDENT
    return textwrap.fill(
        text, width(), initial_indent=margin, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
    )
