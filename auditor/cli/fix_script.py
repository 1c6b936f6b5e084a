"""``check --fix-script``: write one proven fix as a script for an administrator to read and run."""

from __future__ import annotations

import sys

import click

from auditor.cli.terminal import say
from auditor.model.report import Report

SHELLS = ("powershell", "az")


def script_file(formats: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """The file to write the script to, or ``-`` for standard output. Raises click.UsageError and InvalidRequest."""
    if formats:
        raise click.UsageError("--fix-script writes a script instead of the report: leave out -f")
    if len(outputs) > 1:
        raise click.UsageError("--fix-script writes one file: give one -o FILE")
    (output,) = outputs or ("-",)
    if output != "-":
        from auditor.jobs.outputs import must_be_writable

        must_be_writable(output)
    return output


def write_fix_script(report: Report, shell: str, route: str, output: str) -> None:
    """Write the script of the fix with this route or key (or of the first one that can be a script) to `output`.

    Raises InvalidRequest if no fix has this route, or if none can be written as a script.
    """
    from auditor.jobs.fix_scripts import fix_script

    script = fix_script(report, shell, route)
    if output == "-":
        sys.stdout.buffer.write(script.text.encode())
        sys.stdout.buffer.flush()
        return
    from auditor.atomic import write_whole

    write_whole(output, script.text.encode(), keep_mode=True)
    say(f"Wrote {output}: {script.title}. Read it before you run it.")
