"""A group of commands that imports the module of a command only when the command is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


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
