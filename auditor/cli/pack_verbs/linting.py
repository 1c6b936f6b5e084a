"""``packs lint``: every mistake in rule packs in one run, and apart from them what may be meant or is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from auditor.cli import exits
from auditor.cli.output import wants_colour
from auditor.cli.pack_names import asked_sources, packs_argument

if TYPE_CHECKING:
    from auditor.packs.lint import Linted
    from auditor.packs.pack_errors import PackError, Problem
    from auditor.packs.sources import Source

_STYLES = {"error": "bad", "warning": "unsure", "advice": "quiet"}


@click.command(
    "lint",
    params=[packs_argument()],
    epilog="""\b
Examples:
  consent-auditor packs lint rules/ours.yaml
  consent-auditor packs lint rules/ --strict

\b
Exit codes: 0 no error, 2 an error, or with --strict a warning.""",
)
@click.option("--strict", is_flag=True, help="Exit with 2 for a warning, too. Advice never fails.")
def command(packs: tuple[str, ...], strict: bool) -> int:
    """Check rule packs for mistakes, all in one run, each with file, line and column.

    An error makes a pack unusable. A warning is odd and may be meant. Advice names what a good pack has besides: cases
    in all directions, references, a fix. Without a name: what CONSENT_AUDITOR_PACKS names, else every shipped pack.
    """
    if "" in packs:
        raise click.UsageError("the name of a pack is empty: is a variable not set?")
    from auditor.packs.lint import lint
    from auditor.snapshot.samples import sample_names

    unfound: list[PackError] = []
    found = lint(_sources(packs, unfound), samples=sample_names())
    errors = (*(problem for error in unfound for problem in error.problems), *found.errors)
    _print("error", errors)
    _print("warning", found.warnings)
    _print("advice", found.advice)
    click.echo(_in_short(found, len(errors)))
    return exits.USAGE if errors or (strict and found.warnings) else exits.OK


def _sources(packs: tuple[str, ...], unfound: list[PackError]) -> list[Source]:
    """The texts that the names lead to; names that lead nowhere go to `unfound`."""
    from auditor.packs.pack_errors import PackError

    sources: list[Source] = []
    for name in packs or (None,):
        try:
            for found in asked_sources([name] if name else ()):
                sources.extend(found)
        except PackError as error:
            unfound.append(error)
    return sources


def _print(kind: str, problems: tuple[Problem, ...]) -> None:
    """The problems, the place first, so that an editor or a terminal can lead to it."""
    from auditor.render.layout import Palette

    mark = Palette(wants_colour()).paint(kind, _STYLES[kind])
    for problem in problems:
        click.echo(str(problem._replace(message=f"{mark}: {problem.message}")), color=wants_colour())


def _in_short(found: Linted, errors: int) -> str:
    from auditor.render.labels import count

    counts = (
        count(errors, "error"),
        count(len(found.warnings), "warning"),
        f"{count(len(found.advice), 'piece')} of advice",
    )
    return f"{count(found.packs, 'pack')}: {', '.join(counts)}."
