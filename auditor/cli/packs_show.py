"""``packs show``: print a page about a pack or one of its rules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from auditor.cli.options import complete_packs
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import wants_colour, width
from auditor.model.errors import OK

if TYPE_CHECKING:
    from auditor.model.rule import Pack, Rule


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Packs, and after a slash the rules of the pack."""
    from auditor.jobs.pack_selection import known_names

    name, slash, _ = incomplete.rpartition("/")
    if slash and name in known_names(abstract=True):
        return [CompletionItem(f"{name}/{rule}") for rule in _ids(name) if f"{name}/{rule}".startswith(incomplete)]
    return complete_packs(ctx, param, incomplete)


def _complete_rule(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    rules = _ids(str(ctx.params.get("pack") or ""))
    return [CompletionItem(rule) for rule in rules if rule.lower().startswith(incomplete.lower())]


@click.command(
    "show",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor packs show trackerrms-uk
  consent-auditor packs show trackerrms-uk/VENDOR-CONNECT
  consent-auditor packs show rules/ours.yaml OURS-1""",
)
@click.argument("pack", metavar="PACK[/RULE-ID]", shell_complete=_complete)
@click.argument("rule_id", metavar="[RULE-ID]", required=False, shell_complete=_complete_rule)
def command(pack: str, rule_id: str | None) -> int:
    """Print a page about a pack, or about one of its rules.

    PACK is the name of a shipped pack, including the abstract packs that others extend, or a YAML file. A rule's page
    shows what it checks, why, how to fix it, what it reads and with which permission, and its cases.
    """
    if not pack:
        raise click.UsageError("PACK is empty: is a variable not set?")
    if rule_id is None:
        pack, rule_id = _split(pack)
    found = _pack(pack)
    from auditor.jobs.pack_pages import pack_page, rule_page
    from auditor.render.documents import as_text
    from auditor.render.text_layout import for_encoding

    page = rule_page(found, _rule(found, rule_id)) if rule_id else pack_page(found)
    shown = for_encoding(as_text(page, width=width(), colour=wants_colour()), sys.stdout.encoding)
    click.echo(shown, nl=False, color=wants_colour())
    return OK


def _split(name: str) -> tuple[str, str | None]:
    """The pack and the rule of ``PACK/RULE-ID``; an existing path, or a variant of an app, is the pack as a whole."""
    from auditor.jobs.pack_selection import catalog_names, is_variant, known_names, path_exists

    before, slash, rule = name.rpartition("/")
    if not slash or not before or not rule or path_exists(name) or is_variant(name):
        return name, None
    is_pack = before in (*known_names(abstract=True), *catalog_names()) or path_exists(before)
    return (before, rule) if is_pack else (name, None)


def _pack(name: str) -> Pack:
    from auditor.jobs.pack_selection import load, sources_for

    sources = next(sources_for([name]))
    if len(sources) > 1:
        files = "\n".join(f"  {source.label}" for source in sources)
        raise click.UsageError(f"{name} contains {len(sources)} packs: name one of them.\n{files}")
    return load(sources[0])


def _rule(pack: Pack, rule_id: str) -> Rule:
    for rule in pack.rules:
        if rule.id.lower() == rule_id.lower():
            return rule
    from auditor.jobs.pack_selection import near_rule

    ids = [rule.id for rule in pack.rules]
    near = near_rule(rule_id, pack)
    hint = f' Did you mean "{near}"?' if near else ""
    raise click.UsageError(f'the pack "{pack.name}" has no rule "{rule_id}".{hint}\nIts rules are: {", ".join(ids)}.')


def _ids(name: str) -> list[str]:
    """The ids of a pack's rules for completion; none if the pack is broken."""
    from auditor.jobs.pack_selection import PackError, load, sources_for

    try:
        return [rule.id for rule in load(next(sources_for([name]))[0]).rules]
    except (PackError, OSError):
        return []
