"""``packs lint``: list every mistake in rule packs, then the warnings, then what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from auditor.cli.options import packs_argument
from auditor.cli.terminal import wants_colour
from auditor.model.errors import OK, USAGE

if TYPE_CHECKING:
    from auditor.jobs.pack_authoring import Linted, Problem

_STYLES = {"error": "bad", "warning": "unsure", "advice": "quiet"}


@click.command(
    "lint",
    params=[packs_argument()],
    epilog="""\b
Examples:
  consent-auditor packs lint rules/ours.yaml
  consent-auditor packs lint rules/ --strict

Exit codes: 0 no errors, 2 an error, or with --strict a warning.""",
)
@click.option("--strict", is_flag=True, help="Also exit with 2 for a warning, but never for advice.")
def command(packs: tuple[str, ...], strict: bool) -> int:
    """Check rule packs and list all mistakes, each with file, line and column.

    An error makes a pack unusable. A warning points to something unusual that may be intended. Advice names what a
    good pack also has: cases that fail, pass and are unknown, references, a fix. Without a name, it checks the packs in
    CONSENT_AUDITOR_PACKS, or else every shipped pack.
    """
    if "" in packs:
        raise click.UsageError("the name of a pack is empty: is a variable not set?")
    from auditor.jobs.pack_authoring import lint_packs

    found = lint_packs(packs)
    _print("error", found.errors)
    _print("warning", found.warnings)
    _print("advice", found.advice)
    click.echo(_summary(found))
    return USAGE if found.errors or (strict and found.warnings) else OK


def _print(kind: str, problems: tuple[Problem, ...]) -> None:
    """Print the problems, each with its position first, so that an editor or a terminal can open it."""
    from auditor.render.text_layout import Palette

    mark = Palette(wants_colour()).paint(kind, _STYLES[kind])
    for problem in problems:
        click.echo(str(problem._replace(message=f"{mark}: {problem.message}")), color=wants_colour())


def _summary(found: Linted) -> str:
    from auditor.model.document import count

    counts = (
        count(len(found.errors), "error"),
        count(len(found.warnings), "warning"),
        f"{count(len(found.advice), 'piece')} of advice",
    )
    return f"{count(found.packs, 'pack')}: {', '.join(counts)}."
