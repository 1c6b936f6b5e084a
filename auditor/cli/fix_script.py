"""``check --fix-script``: one proven fix as a script for an administrator to read and then run."""

from __future__ import annotations

import sys

import click

from auditor.atomic import write_whole
from auditor.cli.output import must_be_writable
from auditor.model.fix import Fix
from auditor.model.report import Report

SHELLS = ("powershell", "az")


def script_place(formats: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """The file of the script, or ``-`` for standard output. Raises click.UsageError."""
    if formats:
        raise click.UsageError("--fix-script writes a script instead of the report: leave -f out")
    if len(outputs) > 1:
        raise click.UsageError("--fix-script writes one file: give one -o FILE")
    (output,) = outputs or ("-",)
    if output != "-":
        must_be_writable(output)
    return output


def write_fix_script(report: Report, shell: str, route: str, output: str) -> None:
    """Write the script of the fix with this route (or the first that has one) to `output` or standard output.

    Raises click.UsageError where no such fix is offered, or none that a script can carry out.
    """
    from auditor.fixes.script import NoScript, script

    fixes = _offered(report, route)
    problems: list[str] = []
    for fix in fixes:
        try:
            text = script(fix, shell, tenant=report.tenant.id)
        except NoScript as why:
            problems.append(f"{fix.route}: {why}")
            continue
        if output == "-":
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
        else:
            write_whole(output, text.encode(), keep_mode=True)
            click.echo(f"Wrote {output}: {fix.title}. Read it before you run it.", err=True)
        return
    raise click.UsageError("no offered fix can be put into a script:\n  " + "\n  ".join(problems))


def _offered(report: Report, route: str) -> list[Fix]:
    fixes = list({fix.key or fix.route: fix for d in report.decisions for fix in d.fixes}.values())
    if not fixes:
        raise click.UsageError("there is nothing to fix: users can connect, or no change was proven to help")
    if not route:
        return fixes
    chosen = [fix for fix in fixes if route.lower() in (fix.route.lower(), fix.key.lower())]
    if not chosen:
        offered = ", ".join(dict.fromkeys(fix.route for fix in fixes))
        raise click.UsageError(f"no fix {route!r} is offered here; those offered: {offered}")
    return chosen
