"""``packs``: what there is to do with rule packs, one verb a file in `auditor.cli.pack_verbs`."""

from __future__ import annotations

from importlib import import_module

import click

_VERBS = {
    "lint": ("linting", "Check rule packs for mistakes, and say what they lack"),
    "list": ("listing", "List the rule packs"),
    "new": ("making", "Write a pack for an app: from its scopes, its address or a tenant"),
    "permissions": ("permissions", "Print the least permissions that packs need"),
    "show": ("showing", "Print all about a pack, or about one of its rules"),
    "test": ("testing", "Run the cases that rule packs carry"),
}
"""Module and help of every verb, so that listing them loads none."""


class Verbs(click.Group):
    """A group whose verbs are modules of `auditor.cli.pack_verbs`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        found: click.Command = import_module(f"auditor.cli.pack_verbs.{_VERBS[cmd_name][0]}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _VERBS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with the nearest verb for a misspelt one."""
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], _VERBS, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else f" There are {', '.join(_VERBS)}."
            raise click.UsageError(f'there is no command "packs {args[0]}".{hint}', ctx)
        return super().resolve_command(ctx, args)


@click.group("packs", cls=Verbs)
def command() -> None:
    """Show, write, check and test rule packs, and print the permissions that they need."""
