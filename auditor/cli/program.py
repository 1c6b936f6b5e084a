"""The program ``consent-auditor``: its verbs by name, and the one place where an error becomes an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from typing import Any

import click

from auditor import __version__
from auditor.cli import exits

_VERBS = {
    "bundle": "Make one zip for a ticket, redacted, and verify such a file",
    "check": "Audit a tenant: can users connect the app, and if not, why and what to change",
    "collect": "Read a tenant once into a snapshot file, to judge it later or elsewhere",
    "completion": "Print the script that completes commands in a shell",
    "doctor": "Test the credential, the network and the permissions before an audit",
    "packs": "Show, write, check and test rule packs, and print the permissions they need",
    "redact": "Write a snapshot without names, or look up what a token stands for",
}
"""Help of every verb, so that listing them loads none."""


class LazyGroup(click.Group):
    """A group whose verbs are modules of `auditor.cli`, each with a command of the module's own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        found: click.Command = import_module(f"auditor.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest verb for a misspelt one."""
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], _VERBS, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise click.UsageError(f'there is no command "{args[0]}".{hint}', ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  consent-auditor check --sample managed-default --pack trackerrms-uk
  consent-auditor check --pack trackerrms-uk -o report.html
  consent-auditor collect -o tenant.json
  consent-auditor check --snapshot tenant.json --pack trackerrms-us -f json
  consent-auditor bundle --pack trackerrms-uk -o ticket.zip

\b
Exit codes: 0 nothing failing, 1 something failing, 2 usage or rule error,
3 the audit could not be made, 4 a verdict is unknown.""",
)
@click.version_option(__version__, "-V", "--version", prog_name="consent-auditor", message="%(prog)s %(version)s")
def program() -> None:
    """Tells why the users of a Microsoft 365 tenant can or cannot connect an app, and what to change.

    Reads the tenant through Microsoft Graph and changes nothing. A live audit uses the credential in the
    environment: AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.
    """


def main(args: list[str] | None = None) -> None:
    """Run the program and exit: no traceback for anything a tenant, a network, a file or a person can do."""
    _open_streams()
    if os.environ.get("_CONSENT_AUDITOR_COMPLETE", "").startswith("powershell"):
        from auditor.cli.powershell import register

        register()
    try:
        result = program.main(args=args, prog_name="consent-auditor", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(exits.USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped: nothing was changed in the tenant", err=True)
        sys.exit(exits.STOPPED)
    except BrokenPipeError:
        # The reader (head, less) has had enough.
        _silence_stdout()
        sys.exit(exits.OK)
    except Exception as error:  # noqa: BLE001 - known errors are explained, any other is raised again
        _fail(error)
    sys.exit(result if isinstance(result, int) else exits.OK)


def _fail(error: Exception) -> None:
    """Print a known error and exit with its code; anything else is a bug of ours and stays visible as one."""
    from auditor.cli.failures import Explained, explained

    known = explained(error)
    if isinstance(error, OSError):
        _silence_stdout()
    if known is None:
        import traceback

        traceback.print_exception(error)
        # Python's own exit code would be 1, which says that an audit was made and found something.
        known = Explained(
            "No audit was made: this is a bug in consent-auditor. Please report the lines above.", exits.NO_AUDIT
        )
    click.echo(known.text, err=True)
    sys.exit(known.exit_code)


def _open_streams() -> None:
    """Make both streams fit to be written to, whatever they are."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- as long as the program
        stream = getattr(sys, name)
        # A console of an old code page shows an escape instead of dying on a tenant's name.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Point stdout elsewhere, so that the interpreter does not stumble over it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_tree() -> dict[str, Any]:
    """Every verb with its loaded command, for the generated documentation and its test."""
    group = program
    ctx = click.Context(group, info_name="consent-auditor")
    return {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
