"""The program ``consent-auditor``: its commands, and the place where an error becomes a message and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

import click

from auditor import __version__
from auditor.model.errors import EXIT_CODES, NO_AUDIT, OK, STOPPED, USAGE, AuditorError, InvalidRequest


class LazyGroup(click.Group):
    """A group whose commands are in modules of `auditor.cli`, each as its `command`.

    `modules` maps the name of each command to its module and its help text, so that ``--help`` imports no module.
    """

    modules: Mapping[str, tuple[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module, _ = self.modules[cmd_name]
        found: click.Command = import_module(f"auditor.cli.{module}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in sorted(self.modules.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest the most similar one for a misspelled name."""
        if args and args[0] not in self.modules and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.modules, n=1)
            hint = f'Did you mean "{near[0]}"?' if near else f"The commands are {', '.join(sorted(self.modules))}."
            within = ctx.command_path.partition(" ")[2]
            raise click.UsageError(f'unknown command "{" ".join(filter(None, (within, args[0])))}". {hint}', ctx)
        return super().resolve_command(ctx, args)


class Commands(LazyGroup):
    """The commands of the program."""

    modules = {
        "apps": ("apps", "List known apps, and survey a tenant's: which of them users can connect, and what they hold"),
        "blocked": ("blocked", "Show who was stopped and who waits for approval, with the verdict now and the fix"),
        "bundle": ("bundle", "Pack one redacted zip for a ticket, or verify one"),
        "check": ("check", "Audit a tenant: can users connect the app, and if not, why and what to change"),
        "collect": ("collect", "Read a tenant once into a snapshot file, to evaluate it later or elsewhere"),
        "completion": ("completion", "Print the script with which a shell completes commands"),
        "diff": ("diff", "Show what changed between two reports, snapshots or nights, and what it means"),
        "doctor": ("doctor", "Test the credential, the network and the permissions before an audit"),
        "explain": ("explain", "Explain an error code, a pasted error or a sign-in address, and what would fix it"),
        "fleet": ("fleet", "Audit the tenants of many customers with one app registration"),
        "history": ("history", "List, show, export and delete the runs that nightly runs keep"),
        "nightly": ("nightly", "Check the tenants of a configuration file, keep the runs, report changes, notify"),
        "packs": ("packs", "List, show, write, check and test rule packs, and print the permissions they need"),
        "redact": ("redact", "Write a snapshot without names, or look up what a token means"),
    }


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  consent-auditor check --sample managed-default --pack trackerrms-uk
  consent-auditor check --pack trackerrms-uk -o report.html
  consent-auditor collect -o tenant.json
  consent-auditor check --snapshot tenant.json --pack trackerrms-us -f json
  consent-auditor bundle --pack trackerrms-uk -o ticket.zip

"""
    + EXIT_CODES,
)
@click.version_option(__version__, "-V", "--version", prog_name="consent-auditor", message="%(prog)s %(version)s")
def program() -> None:
    """Find out why the users of a Microsoft 365 tenant can or can't connect an app, and what to change.

    It reads the tenant through Microsoft Graph and changes nothing. A live audit uses the credential in the
    environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH.
    """


def _takes_files(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option) and parameter.multiple and parameter.metavar == "FILE…"


def main(args: list[str] | None = None) -> None:
    """Run the program and exit. Only a bug prints a traceback, never a tenant, a network, a file or a typo."""
    _collect_garbage_rarely()
    _leave_out_unused_parts()
    _open_streams()
    if os.environ.get("_CONSENT_AUDITOR_COMPLETE", "").startswith("powershell"):
        from auditor.cli.completion import register_powershell

        register_powershell()
    try:
        result = program.main(args=args, prog_name="consent-auditor", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as no_arguments:
        no_arguments.show()
        sys.exit(USAGE)
    except click.UsageError as error:
        from auditor.cli.terminal import printable

        # click indents the values of an argument with tabs, which would be printed as escapes.
        text = error.format_message().replace("\n\t", "\n  ")
        click.UsageError(printable(text), error.ctx).show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. Nothing was changed in the tenant.", err=True)
        sys.exit(STOPPED)
    except BrokenPipeError:
        # The reader (head, less) closed the pipe.
        _silence_stdout()
        sys.exit(OK)
    except Exception as error:  # noqa: BLE001 - known errors are explained, any other is shown as a bug
        _fail(error)
    sys.exit(result if isinstance(result, int) else OK)


def _fail(error: Exception) -> None:
    """Print a known error and exit with its code; report anything else as a bug in this program."""
    known = explained(error)
    if isinstance(error, OSError):
        _silence_stdout()
    if known is None:
        import traceback

        traceback.print_exception(error)
        # Python itself would exit with 1, which means that the audit found something.
        known = Explained(
            "No audit was made: this is a bug in consent-auditor. Please report the lines above.", NO_AUDIT
        )
    from auditor.cli.terminal import say

    say(known.text)
    sys.exit(known.exit_code)


def _collect_garbage_rarely() -> None:
    """Save a sixth of an offline check: its objects live until it ends, so searching them for garbage finds nothing.

    The interpreter searches them once more at exit; frozen objects are left out.
    """
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)


_UNUSED = ("httpx._main", "httpcore._async.http2", "httpcore._sync.http2")
"""Parts that their libraries import if they are installed and do without if they aren't."""


def _leave_out_unused_parts() -> None:
    """Save a tenth of a live audit: httpx imports a command line with rich and pygments, and httpcore HTTP/2.

    Python fails to import a module if `sys.modules` has None for it, as if it weren't installed. This is only for the
    process of this program: a script that imports `auditor` finds both libraries whole.
    """
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # what the import system documents


def _open_streams() -> None:
    """Make sure that both streams can be written to, even if they are closed or their encoding is limited."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open as long as the program
        stream = getattr(sys, name)
        # A console with an old code page shows an escape sequence instead of failing on a tenant's name.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Redirect stdout to the null device, so that the interpreter doesn't fail when it flushes stdout at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
"""What the system says if it can't write any more."""


class Explained(NamedTuple):
    """What to print, and how to exit."""

    text: str
    exit_code: int


def explained(error: Exception) -> Explained | None:
    """The message for `error` and its exit code; ``None`` for an error that only a bug in this program can raise."""
    if isinstance(error, AuditorError):
        return Explained(error.explanation, error.exit_code)
    if isinstance(error, OSError):
        # Whatever writes or reads a file names it in its errors; what is left are the streams.
        stream = "standard output: " if error.errno in _FULL else ""
        place = f"{error.filename}: " if error.filename else stream
        reason = error.strerror or str(error)
        return Explained(
            f"Error: {place}{reason}\nWhat to do: check the path, its permissions and the disk, or use another path.",
            USAGE,
        )
    return None


class AuditCommand(click.Command):
    """A command that shows an invalid request with its usage line, as click shows its own usage errors.

    An option for files takes all arguments that follow it, up to the next option.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(self._with_one_file_each(args)))

    def _with_one_file_each(self, args: list[str]) -> Iterator[str]:
        """The arguments, with an option for several files repeated before each file."""
        options = {name for one in self.params if _takes_files(one) for name in one.opts}
        commands = self.commands if isinstance(self, click.Group) else {}
        option, is_value = "", False
        for number, arg in enumerate(args):
            if arg == "--":
                yield from args[number:]
                return
            is_name = arg.startswith("-") and arg != "-"
            if is_name or arg in commands:
                name, sign, _ = arg.partition("=")
                option = name if name in options else ""
                is_value = bool(option) and not sign
            elif option and not is_value:
                yield option
            else:
                is_value = False
            yield arg

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except InvalidRequest as error:
            raise click.UsageError(str(error), ctx) from error
