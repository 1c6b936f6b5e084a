"""``check --fix-script``: one proven fix as a script for an administrator to read and then run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from auditor.model.fix import Fix
from auditor.model.report import Report

SHELLS = ("powershell", "az")


def write_fix_script(report: Report, shell: str, route: str, output: str | None) -> None:
    """Write the script of the fix with this route (or the first that has one) to `output` or standard output.

    Raises click.UsageError where no such fix is offered, or none that a script can carry out.
    """
    from auditor.consent.fixes.script import NoScript, script

    fixes = _offered(report, route)
    problems: list[str] = []
    for fix in fixes:
        try:
            text = script(fix, shell, tenant=report.tenant.id)
        except NoScript as why:
            problems.append(f"{fix.route}: {why}")
            continue
        if output is None or output == "-":
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
        else:
            Path(output).write_bytes(text.encode())
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
