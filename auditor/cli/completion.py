"""``completion``: the script that makes a shell complete this program's commands and options."""

from __future__ import annotations

import click


@click.command(
    "completion",
    epilog="""\b
Examples:
  consent-auditor completion bash >> ~/.bashrc
  consent-auditor completion zsh >> ~/.zshrc
  consent-auditor completion fish > ~/.config/fish/completions/consent-auditor.fish
  consent-auditor completion powershell >> $PROFILE""",
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish", "powershell")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class

    from auditor.cli.powershell import register

    register()
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "consent-auditor", "_CONSENT_AUDITOR_COMPLETE").source())
