"""The program's commands, each with the context in which the program itself calls it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import click

from auditor.cli.program import LazyGroup, program
from tests.docs.pages import PROGRAM

WIDTH = 80


def context(command: click.Command, name: str | None, above: click.Context | None) -> click.Context:
    """The context of a command, with the program's own settings at the top.

    A command keeps the help option that its first context gave it, which may be that of a test that ran the command
    without the program, so it is forgotten here.
    """
    command._help_option = None
    settings = {} if above else program.context_settings
    return click.Context(command, info_name=name, parent=above, terminal_width=WIDTH, **settings)


def every_command(above: click.Context | None = None) -> Iterator[click.Context]:
    """The contexts of the program and all its commands, groups before what they hold.

    Modules without a command are left out, so that one test names them and the others run.
    """
    here = above or context(program, PROGRAM, None)
    yield here
    if isinstance(here.command, click.Group):
        for verb in here.command.list_commands(here):
            if isinstance(here.command, LazyGroup) and _command_of(here.command.modules[verb][0]) is None:
                continue
            below = here.command.get_command(here, verb)
            if below is not None and not below.hidden:
                yield from every_command(context(below, verb, here))


def registered(group: click.Command = program) -> Iterator[str]:
    """The modules that the program and its groups list as commands."""
    for module, _ in group.modules.values() if isinstance(group, LazyGroup) else ():
        yield module
        if found := _command_of(module):
            yield from registered(found)


def _command_of(module: str) -> click.Command | None:
    return getattr(import_module(f"auditor.cli.{module}"), "command", None)


def understood(words: list[str]) -> click.Context:
    """The context of the command that a line calls; nothing is run. Raises UsageError if it does not parse."""
    command: click.Command | None = program
    name: str | None = PROGRAM
    above: click.Context | None = None
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        above = context(command, name, above)
        name, command, words = command.resolve_command(above, words)
    assert command is not None
    return command.make_context(name, list(words), parent=above)
